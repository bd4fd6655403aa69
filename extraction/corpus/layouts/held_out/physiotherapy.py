"""A physiotherapist's register: sections by day, one narrow line a treatment, the NAM at the right edge."""

from __future__ import annotations

from datetime import timedelta

from extraction.corpus.layouts.held_out.wording import FRENCH_DATES, TIMES
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.wording import weekday_date

NAMS, MOST, TOP, ROW = 24, 30, 96.0, 17.6
THERAPISTS = ("A. Rioux pht", "M. Guay pht", "J. Cyr T.R.P.", "É. Harvey erg.")
REGIONS = ("épaule G", "genou D", "lombaire", "cervical", "hanche D", "cheville", "poignet", "équilibre")


def draw(sheet: Sheet) -> None:
    """Three days of a week; their dates stand alone in the line that opens each section."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.bold(306, 40, "Physiothérapie - registre de présence", 13, align="centre")
    sheet.text(306, 54, f"{sheet.setting.clinic.name}, {sheet.setting.clinic.town}", 8.5, align="centre")
    say_day, say_time = rng.choice((*FRENCH_DATES, weekday_date)), rng.choice(TIMES)
    wanted, y = sheet.wanted(NAMS, MOST), TOP
    days = [day + timedelta(days=shift) for shift in range(3)]
    shares = [wanted // 3 + (place < wanted % 3) for place in range(3)]
    for section, share in zip(days, shares, strict=True):
        if share == 0:
            continue
        sheet.shade(40, y - 11, 572, y + 4, 0.9)
        sheet.bold(46, y, say_day(section), 9.5)
        y += ROW
        for moment in sorted(sheet.moment(7, 18, 10) for _ in range(share)):
            person = sheet.patient()
            sheet.text(52, y, say_time(moment), 8.5)
            sheet.text(110, y, sheet.fit(f"{person.surname} {person.given_name}", 8.5, 150), 8.5)
            sheet.text(268, y, rng.choice(REGIONS), 8.5)
            sheet.text(334, y, rng.choice(THERAPISTS), 8)
            sheet.text(404, y, f"#{rng.randint(1000, 99_999)}", 8)
            sheet.nam(456, y, person, 9, day=section, moment=moment)
            y += ROW
        y += 10
    sheet.text(40, 772, f"Page {sheet.setting.number}", 7)
