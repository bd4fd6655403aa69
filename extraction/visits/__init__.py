"""Visit dates and times, French and English: how they are written, and to which number of a page each belongs. Pure.

`index` answers for one page; `moments` reads and writes dates and times, `slips` reads those that a reader got wrong,
`captions` knows what a page calls them, `columns` which entries stand side by side, `belonging` where entries of a page
keep theirs, `parted` reads dates whose parts stand apart.
"""

from extraction.visits.index import FIRST_VISIT, Visit, VisitIndex, find_visit
from extraction.visits.moments import DateMatch, TimeMatch, find_dates, find_times, parse_date, parse_time

__all__ = [
    "FIRST_VISIT",
    "DateMatch",
    "TimeMatch",
    "Visit",
    "VisitIndex",
    "find_dates",
    "find_times",
    "find_visit",
    "parse_date",
    "parse_time",
]
