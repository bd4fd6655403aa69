"""What a synthetic document is known to hold. Pure."""

from __future__ import annotations

from datetime import date, time
from typing import Any, NamedTuple

from extraction.page import Box


class TruthItem(NamedTuple):
    """One NAM on one page, as `manage.py evaluate` compares it with what was found.

    `nam` is the normalised value of 12 characters and `text` what is printed. `page` counts from 1. `box` goes around
    the printed characters, in fractions of the page as shown. `date` and `time` are those of the visit, None when the
    page does not say. `surname` and `given_name` are whose number it is; the page may print them or not.
    """

    nam: str
    page: int
    date: date | None
    time: time | None
    box: Box
    text: str
    surname: str = ""
    given_name: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready form: date "YYYY-MM-DD" or null, time "HH:MM" or null, box as four numbers."""
        return {
            "nam": self.nam,
            "page": self.page,
            "date": self.date.isoformat() if self.date else None,
            "time": self.time.strftime("%H:%M") if self.time else None,
            "box": [round(side, 5) for side in self.box],
            "text": self.text,
        }
