"""Dates and times of day in text, in French and English. Pure.

Days stand before months (03/10/2025 is the third of October), except on English pages that show the other order; the
year has four digits, or two where the month is named or the page tells the order. What can mean two things is not
guessed: it is left out.

Functions that take `folded` text expect it as a layout keeps it: lower case, without accents, at its full length.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Sequence
from datetime import date, time
from typing import NamedTuple

from extraction.layout import plain

MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "janvier janv january jan",
            "fevrier fevr february fev feb",
            "mars march mar",
            "avril april avr apr",
            "mai may",
            "juin june jun",
            "juillet juill juil july jul",
            "aout august aou aug",
            "septembre september sept sep",
            "octobre october oct",
            "novembre november nov",
            "decembre december dec",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: day
    for day, names in enumerate(
        (
            "lundi lun monday mon",
            "mardi mar tuesday tues tue",
            "mercredi mer wednesday wed",
            "jeudi jeu thursday thurs thur thu",
            "vendredi ven friday fri",
            "samedi sam saturday sat",
            "dimanche dim sunday sun",
        )
    )
    for name in names.split()
}
_ROMAN = {
    roman: at for at, roman in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"), 1)
}
_NAMED_MONTHS = MONTHS | _ROMAN
_WEEKDAY = (
    r"(?:lun|mar|mer|jeu|ven|sam|dim|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)\b\.?"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
)
_DAYS = re.compile(_WEEKDAY)
LONE_YEAR = re.compile(r"(?<![a-z0-9/.\-])20[0-9]{2}(?![a-z0-9/.\-])")
"""A year of visits that is no part of a date in figures."""
MONTH_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
"""As alternatives of an expression, the longest first."""
_MONTH = f"(?:{MONTH_NAMES})"
_YEAR = "(?:19|20)[0-9]{2}"
# A slash, dash or dot, the same one twice. A reader may lose the space before a time.
_DATE = re.compile(
    rf"""(?=[0-9jfmasond])(?:(?<![a-z0-9/])|(?<=[iye]))  # Each look says soon where no date begins.
    (?=[0-9]{{1,4}}[ ]?[-/.]|{_YEAR}(?:[0-9]{{4}}|[ ][01])|[0-9]{{1,2}}[ \n\t-]?[a-z]|[jfmasond][aevpuco])
    (?:(?<![a-z0-9/])(?<![a-z0-9][.\-])|(?<=[a-z]di)|(?<=day)|(?<=manche))(?:
      (?P<y1>{_YEAR})[ ]?(?P<s1>[-/.])[ \t]?(?P<m1>[0-9]{{1,2}})[ ]?(?P=s1)[ \t]?(?P<d1>[0-9]{{1,2}})
    | (?P<d2>[0-9]{{1,2}})[ ]?(?P<s2>[-/.])[ ]?(?P<m2>[0-9]{{1,2}})[ ]?(?P=s2)[ ]?(?P<y2>{_YEAR})
    | (?P<y3>{_YEAR})(?P<m3>[01][0-9])(?P<d3>[0-3][0-9])(?![a-z])
    | (?P<d4>[0-9]{{1,2}})(?:er|st|nd|rd|th)?[ \n\t-]?(?:of[ ]|de[ ])?(?P<n4>{_MONTH})
      (?:\.[ \n\t-]?|,?[ \n\t-]|)(?P<y4>{_YEAR})
    | (?P<n5>{_MONTH})\.?[ \n\t]?(?P<d5>[0-9]{{1,2}})(?:er|st|nd|rd|th)?,?[ \n\t](?P<y5>{_YEAR})
    | (?P<d6>[0-9]{{1,2}})(?P<s6>[-/.])(?P<n6>{_MONTH})(?P=s6)(?P<y6>[0-9]{{2}})(?![a-z0-9])
    | (?:(?<![a-z]{{4}}[ ])|(?<=date[ ]))(?P<y7>{_YEAR})[ ](?P<m7>[01][0-9])[ ](?P<d7>[0-3][0-9])
      (?![ ][0-9]{{2}}\b(?![ ][0-9]{{2}}\b))
    | (?P<d8>[0-9]{{1,2}})(?P<s8>[-/.])(?P<n8>[ivx]{{1,4}})(?P=s8)(?P<y8>{_YEAR})
    | (?!mar[ ][0-9]{{1,2}}/[01])(?P<n9>{_MONTH})\.?[ ](?P<d9>[0-9]{{1,2}})/(?P<y9>[0-9]{{2}})(?![a-z0-9/])
    | (?P<d0>[0-9]{{1,2}})[ ](?P<n0>{_MONTH})\.?[ ](?P<y0>[0-9]{{2}})(?=[\t\n]|\Z|[ ](?:a[ ])?[0-2]?[0-9][ ]?[:h])
    )(?!(?![012][0-9][ ]?[:h][ ]?(?:[0-5]|[\t\n]))[0-9]|[/.\-][0-9])""",
    re.VERBOSE,
)
SHORT_DATE = re.compile(
    r"(?<![A-Za-z0-9/.\-])([0-9]{2})[ ]?([-/.])[ ]?([0-9]{2})[ ]?\2[ ]?([0-9]{2})(?![A-Za-z0-9]|[/.\-][0-9])"
)
"""Three pairs of digits: which is which, the page must tell."""
_SIX_DIGITS = re.compile(r"(?<![A-Za-z0-9/.\-])([0-9]{2})()([0-9]{2})([0-9]{2})(?![A-Za-z0-9]|[/.\-][0-9])")
_WITHOUT_SIGNS = ("aammjj", "yymmdd", "jjmmaa", "ddmmyy")
_CLOCK_WITHOUT_SIGN = ("hhmm", "hh mm", "hh:mm")
"""How a form says that dates and hours are written as digits alone."""
_ORDER = re.compile(
    r"(?=[ayjilgdm])(?<![a-z])(?:(?P<ymd>(?:aa|yy)([-/. ]?)mm\2(?:[ij]j|dd)|annee-mois-jour)"
    r"|(?P<dmy>(?:g?[ijl]{1,2}|dd)([-/. ]?)mm\4(?:aa|yy)|(?:jour-mois|day-month)-(?:annee|an|year))"
    r"|(?P<mdy>mm([-/. ]?)(?:[ij]j|dd)\6(?:aa|yy)))(?![a-z])"
)
"""How a form says that dates are to be written; readers see one j of two, or a parenthesis as a G."""
_ORDERS = ("ymd", "dmy", "mdy")
_FIRST_OF_CENTURY = 50
_MONTH_NAMED, _DAY_FIRST_WAY = "456890", "2"
"""How the groups of the ways to write a date end that name the month, and of the way that only slashes tell from."""
# A narrow 1 may stand apart from the digit beside it, but not from what is no part of the time: "1 3:20" in a cell.
_HOUR = r"(?:[0-9]{1,2}|(?:(?<![^\t\n:])|(?<=:[ ]))[012][ ][0-9])"
_TIME = re.compile(
    rf"""(?=[0-9][0-9 \n]{{0,3}}[hap:])  # Where no time begins, this says so at once.
    (?:(?<![a-z0-9/.,])(?<![0-9]:)|(?<=[0-9]t)|(?<=[ ./-]20[0-9]{{2}})(?=[012][0-9][ ]?[:h]))(?:
      (?P<h1>{_HOUR})[ \n]?h(?:[ \n]?(?P<m1>[0-5](?:[0-9]|[ ][0-9](?=[\t\n])))(?![ ]?(?:h(?![a-z])|:)))?(?![a-z0-9:])
      (?![ ]?(?:[0-5][oilszgq$|!]|[oilsz|!][0-9])\b)
    | (?P<h2>{_HOUR})[ ]?:[ ]?(?P<m2>[0-5][ ]?[0-9])(?::[0-5][0-9])?(?![0-9:])(?:[ ]?(?P<p2>[ap])\.?[ ]?m\b\.?)?
    | (?P<h3>[0-9]{{1,2}})[ ]?(?P<p3>[ap])\.?[ ]?m\b\.?
    )""",
    re.VERBOSE,
)
_BARE_TIME = re.compile(r"(?=[0-2])(?<![a-z0-9/.,\-])(?<![0-9]:)([01][0-9]|2[0-3])([0-5][0-9])(?![a-z0-9:/\-])")
_PARTED_TIME = re.compile(
    r"(?=[0-9]{1,2}[. ][0-5][05])(?:(?<=[\n\t])|\A|(?<=[ .][0-5][05][ ])|(?<=-[0-3][0-9][ ]))"
    r"([012]?[0-9])[. ]([0-5][05])\.?(?=[ \t\n]|\Z)"
)
_MONTH_FIRST = re.compile(
    r"(?=[0-9])(?<![0-9/.-])(?:0?[1-9]|1[0-2])([/.-])(?:1[3-9]|2[0-9]|3[01])\1(?:19|20)[0-9]{2}(?![0-9])"
)
_DAY_FIRST = re.compile(r"(?<![0-9/.-])(?:1[3-9]|2[0-9]|3[01])([/.-])(?:0?[1-9]|1[0-2])\1(?:19|20)[0-9]{2}(?![0-9])")
_ENGLISH = re.compile(r"\b(?:date of|time|birth|dob|seen|appointments?|visits|printed|schedule)\b")
_FRENCH = re.compile(r"\b(?:heures?|naissance|nee? le|visites|rendez-vous|imprime|horaire)\b")
_LONGEST_DAY_NAME = len("wednesday, le ")
# A hand's "jeudi" is read as "geudi" now and then.
_DAY_NAME_BEFORE = re.compile(rf"(?:{_WEEKDAY}|(?<![a-z-])(?!midi)[a-z]{{3,6}}di),?[ ]?(?:le[ ])?$")
_RANGE_BEFORE = re.compile(rf"[0-9][a-z .]*[0-9]*[ ](?:au|to|until)[ ](?:le[ ])?(?:(?:{_WEEKDAY}),?[ ])?$")
_RANGE_AFTER = re.compile(rf"^[ ](?:au|to|until)[ ](?:{_WEEKDAY})?[ ]?[0-9]")
_STAY = re.compile(
    r"\b(?:hospitali[sz]\w*|sejour|stay|observation|admi[st]\w*)[ ]?:?[ ]?(?:du|from|entre[ ]le|le)?[ ]?"
    rf"(?P<first>[0-9]{{1,2}}(?:er)?(?=[ ])|[0-9][^\t\n]{{5,20}}?{_YEAR}|{_YEAR}[-/.][0-9]{{2}}[-/.][0-9]{{2}})"
    r"(?:[ ][0-9]{1,2}[ ]?[h:][ ]?(?:[0-9]{2})?)?[ \n](?:au|to|until|et[ ]le|-)[ \n](?:le[ ])?"
)
_INTERVAL_BEFORE = re.compile(
    r"(?:\baux|\bq\.?|chaque|toutes les|pendant|depuis|every|duree|for|apres|(?<![0-9]{4})(?<![0-9]{4}[ ])/)"
    r"[ ]?:?[ ]?\Z"
)

_GOES_ON = re.compile(r"\b(?:suite|cont(?:inued|\'d|\.)?)")
LABEL = re.compile(
    r"""(?=[a-z])\b(?:  # Where no word begins, this says so at once.
      (?P<birth>(?:date[ ]?de[ ]?)?naissance|nai?ss\b|nais\b|ne\(e\)|nee?[ ](?:e[ ])?(?:le\b|[a-z]{2}(?=[ ]?[0-9]))
        |d\.?d\.?n\b|d\.?o\.?b\b|birth|born\b)
    | (?P<other>impr|print|exp|valid|echeance|perem|(?:dern[a-z]{2,5}|last|previous|prior)\b(?:[ ][a-z-]+)?
        |(?:visite?|consultation|rendez-?[ ]?vous|rdv|rv|seance)s?
            [ ](?:prec[a-z]*|anterieure?s?|passee?s?|suivante?s?)\b
        |date[ ](?:de[ ])?(?:la[ ]|l')?
            (?:demande|reference|prescription|ordonnance|redaction|reception|emission|paiement)\b
        |d\.?p\.?a\b|d\.?d\.?m\b|edd\b|lmp\b
        |date[ ](?:of[ ])?(?:request|referral|order|issue|payment)\b|ordered\b|prescrite?[ ]le|paye?e?s?[ ]le|paid\b
        |pre-?[ ]?op\b|pre-?[ ]?operatoire
        |sign(?:a|ed|ee?[ ]l[ea]\b)|dicte|redige|transcri|approuv
        |(?:prochaine?s?|next)\b(?:[ ](?:rendez-?[ ]?vous|[a-z]+))?
        |tir(?:ee?s?[ ](?:le|du|de)|e)\b(?=[ :\t])
        |sent\b|envoyee?s?\b|fax\b|telecop|factur|invoice|recue?s?\b(?![ ](?:en|a|dans|chez)\b)|received|gener
        |produite?s?[ ]le|mise?[ ]a[ ]jour|updated|version|revis|creat?[ei]|ouver|ouvre|ferm|opening|clos|duree|duration
        |jusqu|until|deces|deceased|rappel\b|relance|semaine[ ]du|week[ ]of
        |depart\b|dep\b\.|sortie?s?\b|retour\b|retourn|reparti|liberee?\b|partie?[ ]le\b|went[ ]|returned
        |conge\b|discharge|departure|quitt|left[ ](?:at|on)\b|(?:fin|end)\b(?=[ ]?[:\t\n]|[ ][0-9]{1,2}[ ]?[h:])
        |(?:fin|end)[ ](?:du|de|of)[ ](?:l'|la[ ]|the[ ])?(?!vie\b|life\b)[a-z]+
        |demandee?[ ](?:le|du)\b(?=[ ]?[:\t\n0-9]|\Z)|requested\b
        |(?:etat|situation)[ ]au\b|as[ ]of\b
        |suivi[ ](?:le|prevu)|follow-?up
        |avant[ ]l[ea]\b|au[ ]plus[ ]tard\b|no[ ]later\b|remis|emis|issued|transmi|inscrite?s?[ ]le\b)
    | (?P<visit>(?<!\bno[ ])(?<!numero[ ])(?<!no[ ]de[ ])(?<!number[ ])visite?s?\b(?![ ](?:no|number|id)\b)
        |consult|(?<!sans[ ])rendez-?[ ]?vous|rdv\b|rv\b|appointment|encounter|agenda\b|horaire\b
        |services?\b|seance|presence\b(?=[ ]?[:\t])
        |(?:ai|avons|ete)[ ]recue?s?\b|vue?s?(?:\(e\))?[ ]?a\b|vue?s?\b|seen\b|journee|liste[ ]du|admis|admitted
        |arrive|arrival|present(?:ee?s?[ ](?:le|au?)|ed[ ](?:on|to|at)|s[ ](?:on|to|at))\b|hospitalis|sejour\b|stay\b
        |(?:amene|transfere|accueilli)(?:ee?|e)?s?[ ](?:le|a|au|aux|par|chez|en|dans|d')\b|entree?s?[ ]le\b
        |prise?[ ]en[ ]charge[ ]le\b|triage[ ](?:le|a)\b
        |(?:triage|inscription)\b(?=[ ]?:?[ \t]?[0-9]{1,2}[ ]?[h:][ ]?[0-9])
        |(?<!conge[ ])(?<!consentement[ ])(?<!vous[ ])(?:administr|donn)ee?s?[ ]le\b(?=[ ]?[:\t\n])
        |brought[ ]|came[ ](?:to|in)\b|observation[ ](?:du|depuis|le)\b
        |evaluee?\b|examinee?\b|servie?\b(?=[ ]?[:\t])|rencontre|schedule|clinique[ ]du
        |prel\b|prelev|collect(?:ed|ion)\b|d\.o\.s\b|dos[ ]?:)
    | (?P<time>heures?\b|time\b|hre?\b|h(?:re?)?\.?deb(?:ut)?\b|arr\b|debut(?:e|ant)?\b|start(?:s|ing)?\b)
    | (?P<plain>dates?\b|(?:jours?|days?)\b(?=[ ]?[:\t\n])))""",
    re.VERBOSE,
)
PERIOD = re.compile(
    r"(?=[pbtcgvs])(?:(?<=\n)|(?<=\t)|\A)"
    r"(?:plage|bloc|tranche|periode|creneau|cohorte|groupe|vague|slot|block|session|period)s?\b"
    r"[ ]?(?:horaire[ ])?(?:[0-9]{1,2}\b(?![ ]?h\b|:)[ ]?)?(?:de|du|a|at|from|of|-|:)?[ ]?[:-]?[ ]?(?=[0-9])"
)
"""What a page calls a stretch of time that several people share, up to where it begins."""
TIME_CELL = re.compile(r"[0-9]{4}|[0-9]{1,2}[ ]?[h:][ ]?(?:[0-9]{2})?(?:[ ]?[ap]\.?m\.?)?")
"""A cell that holds a time and nothing else."""
BEGINS_WITH_TIME = re.compile(rf"(?:{TIME_CELL.pattern})(?![^ ])")
_SMALL_WORDS = re.compile(r"\b(?:le|la|les|de|du|des|d|l|a|at|on|the|of|prevue?|cite|reelle?)\b")


class DateMatch(NamedTuple):
    """A date at the characters `start..end` of a text."""

    start: int
    end: int
    value: date


class TimeMatch(NamedTuple):
    """A time of day at the characters `start..end` of a text."""

    start: int
    end: int
    value: time


def write_date(value: date | None) -> str | None:
    """The date as it is stored, exported and compared: YYYY-MM-DD; unknown stays unknown."""
    return value.isoformat() if value is not None else None


def write_time(value: time | None) -> str | None:
    """The time as it is stored, exported and compared: HH:MM; unknown stays unknown."""
    return value.strftime("%H:%M") if value is not None else None


def parse_date(text: str) -> date | None:
    """The date that `text` states and nothing else ("Date : 3 octobre 2025"), or None."""
    found = find_dates(text)
    if len(found) != 1 or not _only_labels(text, found[0].start, found[0].end):
        return None
    return found[0].value


def parse_time(text: str) -> time | None:
    """The time that `text` states and nothing else ("Heure : 08 h 30"; 0830 only behind such a label), or None."""
    found = find_times(text)
    if len(found) != 1 or not _only_labels(text, found[0].start, found[0].end):
        return None
    return found[0].value


def find_dates(text: str) -> list[DateMatch]:
    """All dates in `text`, in order. Accents must be composed (Unicode NFC). The ends of a range are not dates."""
    return dates_in(plain(text).lower())


def find_times(text: str) -> list[TimeMatch]:
    """All times of day in `text`, in order; four bare digits count only right behind a label such as "Heure :"."""
    folded = plain(text).lower()
    return sorted(
        [*times_in(folded), *(bare for bare in bare_times_in(folded) if asks_for_time(folded, bare.start, bare.end))]
    )


def dates_in(folded: str, *, month_first: bool = False, ranges: bool = False) -> list[DateMatch]:
    """The dates of folded text, without the ends of ranges ("du 3 octobre 2025 au 10 octobre 2025").

    With `month_first`, 10/03/2025 is the third of October; with `ranges`, their ends are dates too.
    """
    matches = []
    for found in _DATE.finditer(folded):
        value = _date_of(found, month_first=month_first)
        if value is not None and (ranges or not ends_range(folded, *found.span())):
            matches.append(DateMatch(found.start(), found.end(), value))
    return matches


def stays_in(folded: str) -> list[DateMatch]:
    """The first days of stays: "hospitalisée du 3 au 7 octobre 2025", "Séjour : 2025-10-03 au 2025-10-07"."""
    stays = []
    for found in _STAY.finditer(folded):
        last = _DATE.match(folded, found.end())
        until = last and _date_of(last, month_first=False)
        day = _DATE.match(folded, found.start("first"))
        first = _date_of(day, month_first=False) if day else until and _within_month(until, found["first"])
        if until and first and first <= until:
            stays.append(DateMatch(found.start("first"), found.end("first"), first))
    return stays


def _within_month(until: date, day: str) -> date | None:
    try:
        return until.replace(day=int(day.removesuffix("er")))
    except ValueError:
        return None


def ends_range(folded: str, start: int, end: int) -> bool:
    """Whether the date at `start..end` is the first or the last day of a range."""
    before, after = folded[max(0, start - 24) : start], folded[end : end + 20]
    return _RANGE_BEFORE.search(before) is not None or _RANGE_AFTER.search(after) is not None


def puts_month_first(folded: str) -> bool:
    """Whether an English text has a date such as 10/13/2025, and none such as 13/10/2025."""
    if _MONTH_FIRST.search(folded) is None or _DAY_FIRST.search(folded) is not None:
        return False
    return _ENGLISH.search(folded) is not None and _FRENCH.search(folded) is None


def _date_of(found: re.Match[str], *, month_first: bool) -> date | None:
    way = (found.lastgroup or "")[1:]
    day = int(found["d" + way])
    month = _NAMED_MONTHS.get(found["n" + way], 0) if way in _MONTH_NAMED else int(found["m" + way])
    if month_first and way == _DAY_FIRST_WAY:
        day, month = month, day
    return day_of(_year(found["y" + way]), month, day)


def day_of(year: int, month: int, day: int) -> date | None:
    """The date; None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(digits: str) -> int:
    """A year of two digits is of this century, or of the last one where that is nearer."""
    year = int(digits)
    return year if len(digits) > 2 else year + (2000 if year < _FIRST_OF_CENTURY else 1900)  # noqa: PLR2004 - digits


def short_dates_in(folded: str, births: Collection[date]) -> list[DateMatch]:
    """The dates with a year of two digits (25/10/03), where the page tells their order: it says so ("AA/MM/JJ"), or
    writes the `births` of its people in one order only.
    """
    found = list((_SIX_DIGITS if any(each in folded for each in _WITHOUT_SIGNS) else SHORT_DATE).finditer(folded))
    born = {_short(birth): birth for birth in births} if found else {}
    order = _declared_order(folded) or _order_of(born, found) if found else ""
    matches = []
    for each in found if order else ():
        year, month, day = digits = _ordered(each, order)
        value = born.get(digits) or day_of(_year(year), int(month), int(day))
        if value is not None:
            matches.append(DateMatch(each.start(), each.end(), value))
    return matches


def _declared_order(folded: str) -> str:
    """The order of year, month and day that a page states for dates of two digits; nothing if it states several."""
    orders = {(found.lastgroup or "") for found in _ORDER.finditer(folded)}
    return orders.pop() if len(orders) == 1 else ""


def _order_of(born: Container[tuple[str, str, str]], found: Sequence[re.Match[str]]) -> str:
    """The order in which births are written; nothing if they are written in several, or in none."""
    held = [{order for order in _ORDERS if _ordered(each, order) in born} for each in found]
    told = [each for each in held if each]
    orders = set.intersection(*told) if told else set()
    return orders.pop() if len(orders) == 1 else ""


def _short(day: date) -> tuple[str, str, str]:
    return f"{day.year % 100:02}", f"{day.month:02}", f"{day.day:02}"


def _ordered(found: re.Match[str], order: str) -> tuple[str, str, str]:
    """Year, month and day of a date that is written in this order."""
    digits = dict(zip(order, (found[1], found[3], found[4]), strict=True))
    return digits["y"], digits["m"], digits["d"]


def times_in(folded: str) -> list[TimeMatch]:
    """The times of day of folded text, without intervals ("aux 8 h")."""
    matches = []
    for found in _TIME.finditer(folded):
        value = _time_of(found)
        if value is not None and not _INTERVAL_BEFORE.search(folded[max(0, found.start() - 14) : found.start()]):
            matches.append(TimeMatch(found.start(), found.end(), value))
    return matches


def _time_of(found: re.Match[str]) -> time | None:
    hour = int((found["h1"] or found["h2"] or found["h3"]).replace(" ", ""))
    minute = int((found["m1"] or found["m2"] or "0").replace(" ", ""))
    half = found["p2"] or found["p3"]
    if half is not None and 1 <= hour <= 12:  # noqa: PLR2004 - hours on a twelve-hour clock
        hour = hour % 12 + (12 if half == "p" else 0)
    elif half == "a" or (half == "p" and hour == 0):
        return None
    return time(hour, minute) if hour <= 23 else None  # noqa: PLR2004 - hours on a clock


def parted_times_in(folded: str) -> list[TimeMatch]:
    """Hours and minutes apart, as hands write them ("8.30", "07 00"), at the head of a cell, or behind a date or such a
    time there: only a column of them can tell.
    """
    found = _PARTED_TIME.finditer(folded)
    return [TimeMatch(m.start(), m.end(), time(int(m[1]), int(m[2]))) for m in found if int(m[1]) <= 23]  # noqa: PLR2004


def bare_times_in(folded: str) -> list[TimeMatch]:
    """Four digits that could be a time: only what stands beside them can tell."""
    found = _BARE_TIME.finditer(folded)
    return [TimeMatch(m.start(), m.end(), time(int(m[1]), int(m[2]))) for m in found]


def declares_bare_times(folded: str) -> bool:
    """Whether a page says that its hours are written as four digits: "HHMM"."""
    return any(each in folded for each in _CLOCK_WITHOUT_SIGN)


_TIME_LABEL_BEFORE = re.compile(
    r"(?:\b(?:heures?|time|hre?)\b\.?(?:[ ](?:de[ ]|du[ ]|d'|of[ ])?(?:la[ ]|l')?[a-z-]{2,14}){0,2}"
    r"|\b(?:arriv[a-z]{1,3}|arr|triage|inscription|debut)\b\.?"
    r"|\b(?:vue?|evaluee?|examinee?|recue?|presentee?|arrivee?|admise?)s?(?:\(e\))?[ ]?a)"
    r"[ \t]?(?P<sign>[:=\t])?[ \t]*\Z"
)
_HOURS_BEHIND = re.compile(r"[ ]?(?:hrs|hres|heures|hours)\b")
_YEAR_ALIKE = re.compile("19|20")


def follows_day_name(folded: str, offset: int) -> bool:
    """Whether the name of a day stands right before `offset`, as in "vendredi 3 octobre 2025"."""
    return _DAY_NAME_BEFORE.search(folded, max(0, offset - _LONGEST_DAY_NAME), offset) is not None


def asks_for_time(folded: str, start: int, end: int) -> bool:
    """Whether the four digits at `start..end` are a time: behind "Heure :", "Arrivée" or their like, or before "hrs".

    What may be a year as well needs a sign, or a cell of its own.
    """
    if _HOURS_BEHIND.match(folded, end):
        return True
    before = folded[max(0, start - 48) : start]
    if before.rstrip(" \t")[-1:].isdigit():
        return False  # As with the second half of a number.
    label = _TIME_LABEL_BEFORE.search(before)
    return label is not None and bool(label["sign"] or not _YEAR_ALIKE.match(folded, start))


def says_no_more(folded: str) -> bool:
    """Whether nothing but the name of a day, a label, a remark that a list goes on and small words stand in a text."""
    if any(map(str.isdigit, folded)):
        return False
    return only_small_words(LABEL.sub(" ", _GOES_ON.sub(" ", _DAYS.sub(" ", folded))))


def is_date_alone(folded: str) -> bool:
    """Whether a text states one date, perhaps with its label and times, and nothing else."""
    found = dates_in(folded)
    if len(found) != 1:
        return False
    around = folded[: found[0].start] + " " + folded[found[0].end :]
    return says_no_more(_TIME.sub(" ", around) if any(map(str.isdigit, around)) else around)


def only_names_of_days(folded: str) -> bool:
    """Whether nothing but the name of a day and small words stands in the text: "Date : le vendredi"."""
    return only_small_words(_DAYS.sub(" ", folded))


def only_small_words(folded: str) -> bool:
    """Whether nothing but signs and words such as "de la" stands in the text."""
    return not any(map(str.isalnum, folded)) or not any(map(str.isalnum, _SMALL_WORDS.sub(" ", folded)))


def _only_labels(text: str, start: int, end: int) -> bool:
    """Whether nothing but labels of visits, names of days and small words stands around `start..end`."""
    folded = plain(text).lower()
    if any(label.lastgroup in ("birth", "other") for label in LABEL.finditer(folded)):
        return False
    return only_small_words(LABEL.sub(" ", _DAYS.sub(" ", folded[:start] + " " + folded[end:])))
