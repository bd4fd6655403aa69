"""Days and hours that a page says in parts: the week or the year once, hours down a column, minutes below an hour."""

from __future__ import annotations

from datetime import date, time

import pytest

from extraction import visits
from extraction.layout import Layout
from extraction.page import Box, Line, Page, Word
from extraction.visits.moments import dates_in, short_dates_in
from extraction.visits.weeks import days_named
from tests.unit.paper import box_of, dates_of, page, times_of, words

MARTIN, SERGE, ANNE, LOUISE = "TREM 0412 1925", "COTS 8005 10A4", "TREM 0462 1918", "ROYA 8503 1420"
FOUR = (MARTIN, SERGE, ANNE, LOUISE)


def named(*rows: str) -> list[date]:
    layout = Layout.of(page(*rows))
    return [match.value for match in days_named(layout, dates_in(layout.folded, ranges=True))]


# --- Days without their month or year --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        (("Semaine du 14 au 18 juillet 2025", "MARDI"), [date(2025, 7, 15)]),
        (("Lundi 29 juin au vendredi 3 juillet 2026", "JEUDI"), [date(2026, 7, 2)]),
        (("lundi 4 au vendredi 8 mai 2026", "Ma5 8h04"), [date(2026, 5, 5)]),
        (("avril 2026", "Lun 6|Mar 7"), [date(2026, 4, 6), date(2026, 4, 7)]),
        (("Mois / année : octobre 2025", "mer 15"), [date(2025, 10, 15)]),
        (("Année 2025", "mer 19/11 17h"), [date(2025, 11, 19)]),
        (("Cahier 2025", "mar 30 sept 9h"), [date(2025, 9, 30)]),
    ],
)
def test_a_named_day_has_the_month_or_year_that_the_page_says_once(rows: tuple[str, ...], days: list[date]) -> None:
    assert named(*rows) == days


@pytest.mark.parametrize(
    "rows",
    [
        ("avril 2026", "Mar 6"),  # That was a Monday.
        ("Année 2025", "mar 19/11 17h"),
        ("Semaine du 14 au 18 juillet 2025", "SAMEDI"),
        ("Du 1er mai au 30 juin 2025", "LUNDI"),
        ("Lundi 6 h", "avril 2026"),
        ("avril 2026", "Ma5"),  # A month is no week: it may be a room.
        ("Lun 6", "Mar 7"),
        ("avril 2026", "lundi 6 avril 2026"),
    ],
)
def test_a_day_that_its_name_does_not_bear_out_is_none(rows: tuple[str, ...]) -> None:
    assert named(*rows) == []


def test_names_of_days_head_the_sections_of_a_week() -> None:
    sheet = page(
        "Semaine du 14 au 18 juillet 2025", "LUNDI", f"8 h|Roy, Luc|{MARTIN}", f"9 h|Cyr, Ann|{SERGE}", "MARDI",
        f"8 h|Roy, Guy|{ANNE}", f"9 h|Cyr, Eva|{LOUISE}",
    )  # fmt: skip
    assert dates_of(sheet, *FOUR) == [date(2025, 7, 14)] * 2 + [date(2025, 7, 15)] * 2


def test_the_days_of_a_column_have_the_year_of_the_title_beside_full_births() -> None:
    rows = [f"{20 + i} mars|Roy, Luc|19{50 + i}-02-03|{number}" for i, number in enumerate(FOUR)]
    sheet = page("REGISTRE|ANNÉE 2025", "Rév. 2018", "Date|Nom|Naissance|NAM", *rows)
    index = visits.VisitIndex.of(
        Layout.of(sheet), [(box_of(sheet, number), date(1950 + i, 2, 3)) for i, number in enumerate(FOUR)]
    )
    assert [index.visit(box_of(sheet, number))[0] for number in FOUR] == [date(2025, 3, 20 + i) for i in range(4)]


def test_the_time_of_a_grid_says_which_of_the_days_above_is_meant() -> None:
    heads = "NAM|Lun 6|Mar 7|Mer 8|Infarctus"
    cells = ("13:00|||2026-01-27", "|11:15||2025-12-07", "||08:45|2025-10-06", "|14:00||2025-11-24")
    sheet = page("Réadaptation|avril 2026", heads, *(f"{n}|{own}" for n, own in zip(FOUR, cells, strict=True)))
    assert dates_of(sheet, *FOUR) == [date(2026, 4, day) for day in (6, 7, 8, 7)]


def test_the_parts_that_a_form_asks_for_one_by_one_are_a_date() -> None:
    sheet = page("Année 202.5 Mois 09 Jou r 11 Professionnel : Roy", f"{MARTIN}|8h", f"{SERGE}|9h")
    assert dates_of(sheet, MARTIN, SERGE) == [date(2025, 9, 11)] * 2


# --- Ways to write a date --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("18-IX-2025", date(2025, 9, 18)),
        ("2.X.2025", date(2025, 10, 2)),
        ("APR 15/25", date(2025, 4, 15)),
        ("MAR 28 OCT 25 07:56", date(2025, 10, 28)),
        ("28 oct 25", date(2025, 10, 28)),
    ],
)
def test_months_in_roman_figures_and_years_of_two_digits_behind_a_name(text: str, day: date) -> None:
    assert [match.value for match in dates_in(text.lower())] == [day]


@pytest.mark.parametrize("text", ["12-xxx-2025", "12 oct 25 patients", "mar 25/11 17h", "13-iixx-2025", "oct 32/25"])
def test_what_only_looks_like_them_is_no_date(text: str) -> None:
    assert dates_in(text) == []


def test_six_digits_are_a_date_where_the_page_says_how_they_are_written() -> None:
    read = [match.value for match in short_dates_in("prel aammjj hhmm\nprel 251127 0700", ())]
    assert read == [date(2025, 11, 27)]
    assert short_dates_in("prel 251127 0700", ()) == []
    assert [match.value for match in short_dates_in("dates : jour-mois-annee\n22-05-26", ())] == [date(2026, 5, 22)]


@pytest.mark.parametrize("written", ["24 septembre 202 6", "2 026-09-2 4", "24 sep tembre 20 26", "24 septernbre 2026"])
def test_a_date_at_the_head_of_a_page_may_be_torn_by_a_hand(written: str) -> None:
    sheet = page("JOURNAL DENTAIRE", f"Le je udi {written}", f"8h45|{MARTIN}", f"9h15|{SERGE}")
    assert dates_of(sheet, MARTIN, SERGE) == [date(2026, 9, 24)] * 2


def test_of_two_torn_dates_at_the_head_of_a_page_none_is_taken() -> None:
    sheet = page("24 septembre 202 6 à Laval", "25 septembre 202 6 à Québec", f"8h45|{MARTIN}", f"9h15|{SERGE}")
    assert dates_of(sheet, MARTIN, SERGE) == [None, None]


def test_a_due_date_of_a_birth_is_no_visit() -> None:
    sheet = page("21/02/2025|h|NAM|DPA", f"|09:15|{MARTIN}|18/04/2025", f"|10:15|{SERGE}|10/04/2025")
    assert dates_of(sheet, MARTIN, SERGE) == [date(2025, 2, 21)] * 2


# --- Hours -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [".", " "])
def test_a_column_of_hours_that_go_on_may_have_dots_or_spaces(sign: str) -> None:
    rows = [f"{8 + i:02}{sign}15|Roy|{number}" for i, number in enumerate(FOUR)]
    assert times_of(page("2025-10-03", *rows), *FOUR) == [time(8 + i, 15) for i in range(4)]


@pytest.mark.parametrize("cells", [("12.50", "8.15", "11.30", "9.45"), ("8.15", "8.15", "8.15", "8.15")])
def test_what_goes_up_and_down_is_no_column_of_hours(cells: tuple[str, ...]) -> None:
    sheet = page("2025-10-03", *(f"{cell}|Roy|{number}" for cell, number in zip(cells, FOUR, strict=True)))
    assert times_of(sheet, *FOUR) == [None] * 4


def test_an_agenda_prints_each_hour_once_and_minutes_below() -> None:
    rows = ["8 00", f"20|{MARTIN}", "40", "9 00", "20", f"40|{SERGE}", f"10 00|{ANNE}", "20", f"40|{LOUISE}"]
    lines = []
    for number, row in enumerate(["vendredi 6 mars 2026", *rows]):
        side, _, rest = row.partition("|")
        lines.append(Line((*words(0.05, 0.1 + 0.03 * number, side), *words(0.3, 0.1 + 0.03 * number, rest))))
    sheet = Page(1, 612, 792, tuple(lines), "local")
    assert times_of(sheet, *FOUR) == [time(8, 20), time(9, 40), time(10), time(10, 40)]


def test_four_digits_are_hours_where_the_page_says_how_they_are_written() -> None:
    rows = (f"{MARTIN}|0700 né 01.04.58", f"{SERGE}|0706 né 10.01.73")
    assert times_of(page("Prélèvements du 2025-12-03", "heure HHMM", *rows), MARTIN, SERGE) == [time(7), time(7, 6)]
    assert times_of(page("Prélèvements du 2025-12-03", *rows), MARTIN, SERGE) == [None, None]


def test_ranks_that_go_up_by_one_are_no_hours() -> None:
    rows = [f"000{i + 2} 20251105 {8 + i:02}13|Roy|{number}" for i, number in enumerate(FOUR)]
    assert times_of(page("HDEB|NOM|NAM", *rows), *FOUR) == [time(8 + i, 13) for i in range(4)]


def test_days_that_are_set_sideways_speak_for_the_rows_beside_them() -> None:
    rows = [Line(tuple(words(0.2, 0.1 + 0.1 * i, f"{8 + i}:00 {number}"))) for i, number in enumerate(FOUR)]
    days = [
        Line((Word("2026-03-27", Box(0.05, 0.1, 0.065, 0.22)),)),
        Line((Word("2026-03-30", Box(0.05, 0.3, 0.065, 0.42)),)),
    ]
    sheet = Page(1, 612, 792, (*rows, *days), "text_layer")
    assert dates_of(sheet, *FOUR) == [date(2026, 3, 27)] * 2 + [date(2026, 3, 30)] * 2
