"""Visit dates and times: as people write them, and as they belong to the numbers of a page."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction import visits
from extraction.layout import Layout
from tests.unit.paper import box_of, page

FRIDAY = date(2025, 10, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2025-10-03",
        "03/10/2025",
        "3/10/2025",
        "3 octobre 2025",
        "3 OCTOBRE 2025",
        "3 oct. 2025",
        "October 3, 2025",
        "Oct. 3rd, 2025",
        "3 October 2025",
        "vendredi 3 octobre 2025",
        "ven. 3 oct. 2025",
        "Friday, October 3, 2025",
        "2025/10/03",
        "20251003",
        "03-10-2025",
        "03.10.2025",
        "Date : 2025-10-03",
        "Date de la visite : 3 octobre 2025",
        "le 3 octobre 2025",
    ],
)
def test_a_date_in_any_of_its_forms(text: str) -> None:
    assert visits.parse_date(text) == FRIDAY


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1er oct. 2025", date(2025, 10, 1)),
        ("mar. 3 mars 2026", date(2026, 3, 3)),
        ("12 août 2025", date(2025, 8, 12)),
        ("déc. 24, 2025", date(2025, 12, 24)),
        ("15 févr. 2025", date(2025, 2, 15)),
        ("2 juill. 2025", date(2025, 7, 2)),
        ("29/02/2024", date(2024, 2, 29)),
    ],
)
def test_months_in_both_languages(text: str, value: date) -> None:
    assert visits.parse_date(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "demain",
        "10/13/2025",  # The day stands first, and there is no thirteenth month.
        "2025-02-30",
        "03/10/25",
        "octobre 2025",
        "3 10 2025",
        "du 3 au 10 octobre 2025",
        "3 octobre 2025 au 10 octobre 2025",
        "2025-10-03 ou 2025-10-04",
        "Facture 2025-10-03",
        "Né le 2025-10-03",
        "Expiration : 2025-10-03",
        "555-2025-10-03",
        "120251003",
    ],
)
def test_what_is_no_single_date_stays_unknown(text: str) -> None:
    assert visits.parse_date(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "8h30",
        "8H30",
        "08h30",
        "08 h 30",
        "8 h 30",
        "8:30",
        "08:30",
        "08:30:15",
        "8:30 AM",
        "Heure : 0830",
        "Heure: 8h30",
    ],
)
def test_a_time_in_any_of_its_forms(text: str) -> None:
    assert visits.parse_time(text) == time(8, 30)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8h", time(8)),
        ("14 h", time(14)),
        ("2:30 PM", time(14, 30)),
        ("2:30 p.m.", time(14, 30)),
        ("2 pm", time(14)),
        ("12:15 am", time(0, 15)),
        ("12:15 pm", time(12, 15)),
        ("0:05", time(0, 5)),
        ("23h59", time(23, 59)),
    ],
)
def test_hours_of_both_clocks(text: str, value: time) -> None:
    assert visits.parse_time(text) == value


@pytest.mark.parametrize(
    "text", ["", "0830", "24h", "8:60", "25:00", "1:2", "0 pm", "aux 8 h", "q 6 h", "8h30 à 9h00", "120/80", "matin"]
)
def test_what_is_no_single_time_stays_unknown(text: str) -> None:
    assert visits.parse_time(text) is None


def test_dates_are_found_with_their_place() -> None:
    text = "Vu le 3 octobre 2025, revoir le 2026-01-15."
    found = visits.find_dates(text)
    assert [match.value for match in found] == [FRIDAY, date(2026, 1, 15)]
    assert [text[match.start : match.end] for match in found] == ["3 octobre 2025", "2026-01-15"]


def test_times_are_found_with_their_place() -> None:
    text = "Arrivée 8h20 Heure : 0830 poste 1015"
    found = visits.find_times(text)
    assert [(text[m.start : m.end], m.value) for m in found] == [("8h20", time(8, 20)), ("0830", time(8, 30))]


@given(st.dates(date(1970, 1, 1), date(2099, 12, 31)))
def test_every_day_is_read_back_from_every_numeric_form(day: date) -> None:
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d"):
        assert visits.parse_date(day.strftime(pattern)) == day


@given(st.times())
def test_every_minute_is_read_back(moment: time) -> None:
    for pattern in ("%H:%M", "%Hh%M", "%H h %M", "%I:%M %p"):
        assert visits.parse_time(moment.strftime(pattern)) == moment.replace(second=0, microsecond=0)


@given(st.text())
def test_no_text_makes_reading_raise(text: str) -> None:
    places = [match[:2] for match in visits.find_dates(text)] + [match[:2] for match in visits.find_times(text)]
    assert all(0 <= start < end <= len(text) for start, end in places)


AGENDA = page(
    "Clinique des Érables||||Imprimé le 2025-10-02 16:42",
    "Agenda du vendredi 3 octobre 2025",
    "Heure|Patient|NAM",
    "08:30|Tremblay, Martin|TREM 0412 1925",
    "08:45",
    "|Roy, Anne|TREM 0462 1918",
    "9 h 15|Cotsu, Serge|COTS 8005 10A4|514 555-0101",
)


@pytest.mark.parametrize(
    ("number", "clock"),
    [("TREM 0412 1925", time(8, 30)), ("COTS 8005 10A4", time(9, 15))],
)
def test_an_agenda_gives_the_day_from_its_head_and_the_time_from_the_row(number: str, clock: time) -> None:
    assert visits.find_visit(AGENDA, box_of(AGENDA, number)) == (FRIDAY, clock)


@pytest.mark.parametrize(
    "rows",
    [
        ("NAM : TREM 0412 1925", "Date de la visite : 2025-10-03|Heure : 8h30"),
        ("Date de la visite : 2025-10-03|Heure : 8h30", "NAM : TREM 0412 1925"),
        ("Date de la visite|Heure|NAM", "2025-10-03|08:30|TREM 0412 1925"),
        ("NAM|TREM 0412 1925", "", "Date de la visite|Heure", "2025-10-03|0830"),
        ("Date de naissance : 2001-05-06", "NAM : TREM 0412 1925", "Rendez-vous : 3 octobre 2025 à 8 h 30"),
        (
            "Laval, le 9 octobre 2025",
            "J'ai vu M. Tremblay le 3 octobre",
            "2025 à 8 h 30. Son NAM est",
            "TREM 0412 1925.",
        ),
    ],
)
def test_a_form_gives_what_it_calls_the_visit(rows: tuple[str, ...]) -> None:
    sheet = page(*rows)
    box = next(w.box for w in sheet.words if w.text.startswith("TREM"))
    assert visits.find_visit(sheet, box) == (FRIDAY, time(8, 30))


@pytest.mark.parametrize(
    "row",
    [
        "Date de naissance : 1990-10-03",
        "Né(e) le 3 octobre 1990",
        "Née le 3 octobre 1990",
        "DDN 1990-10-03",
        "DOB: 1990-10-03",
        "Born October 3, 1990",
        "2004-12-19",  # The birth date in the number itself.
        "1962-01-05",  # Before there was a RAMQ.
        "Imprimé le 2025-10-03 16:42",
        "Printed 2025-10-03 4:42 PM",
        "Expiration : 2027-10-03",
        "Prochain rendez-vous prochain : 2026-10-03",
        "FAX 514 555-0101 2025-10-03 09:15",
        "2025-10-03 09:15 TÉLÉCOPIE P. 01",
        "Né te 2015-10-03",  # As a reader sees "Né le" on a poor fax.
        "Heures d'ouverture : 8 h à 17 h",
        "Semaine du 3 octobre 2025 au 10 octobre 2025",
    ],
)
def test_other_dates_are_never_the_visit(row: str) -> None:
    sheet = page(row, "", "NAM : TREM 0412 1925")
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925")) == (None, None)


def test_a_column_of_birth_dates_is_no_column_of_visits() -> None:
    sheet = page("Date de naissance|NAM|Date", "2004-11-19|TREM 0412 1925|2025-10-03")
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925"))[0] == FRIDAY


def test_a_list_gives_each_row_its_own_visit() -> None:
    sheet = page(
        "Liste des visites du 29 septembre 2025 au 3 octobre 2025",
        "Date|Heure|NAM",
        "2025-10-02|13 h 05|TREM 0412 1925",
        "2025-10-03|8 h|COTS 8005 10A4",
    )
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925")) == (date(2025, 10, 2), time(13, 5))
    assert visits.find_visit(sheet, box_of(sheet, "COTS 8005 10A4")) == (FRIDAY, time(8))


def test_a_row_without_a_time_does_not_take_its_neighbours() -> None:
    sheet = page("Heure|NAM", "08:30|TREM 0412 1925", "|COTS 8005 10A4", "09:15|TREM 0462 1918")
    assert visits.find_visit(sheet, box_of(sheet, "COTS 8005 10A4"))[1] is None


def test_the_slots_of_an_agenda_are_not_lent_to_a_number_without_one() -> None:
    sheet = page("Heure|NAM", "08:00", "08:15", "|TREM 0412 1925", "08:45", "09:00")
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925"))[1] is None


def test_an_entry_of_two_lines_has_the_time_of_its_first() -> None:
    sheet = page("08:30|Tremblay, Martin", "|TREM 0412 1925", "08:45|Cotsu, Serge", "|COTS 8005 10A4")
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925"))[1] == time(8, 30)
    assert visits.find_visit(sheet, box_of(sheet, "COTS 8005 10A4"))[1] == time(8, 45)


def test_the_time_beside_the_visit_date_counts_before_other_times() -> None:
    sheet = page("NAM : TREM 0412 1925", "Date de la visite|Heure", "2025-10-03|8h30", "", "Signature", "|17H")
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925")) == (FRIDAY, time(8, 30))


def test_a_date_alone_in_its_row_heads_a_section() -> None:
    sheet = page("2025-10-02", "TREM 0412 1925", "3 octobre 2025", "COTS 8005 10A4", "TREM 0462 1918")
    found = [visits.find_visit(sheet, box_of(sheet, number))[0] for number in ("TREM 0412", "COTS 8005", "TREM 0462")]
    assert found == [date(2025, 10, 2), FRIDAY, FRIDAY]


def test_an_unlabelled_date_among_the_rows_speaks_for_nobody_else() -> None:
    sheet = page("TREM 0412 1925", "note 2025-09-01 Sexe : M|Dossier 882134|450 555-0101", "COTS 8005 10A4")
    assert visits.find_visit(sheet, box_of(sheet, "COTS 8005 10A4"))[0] is None


def test_numbers_side_by_side_keep_their_own_times() -> None:
    sheet = page("08:30|TREM 0412 1925|13:30|COTS 8005 10A4")
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925"))[1] == time(8, 30)
    assert visits.find_visit(sheet, box_of(sheet, "COTS 8005 10A4"))[1] == time(13, 30)


@pytest.mark.parametrize("below", [True, False])
def test_blocks_with_their_own_date_do_not_mix(below: bool) -> None:
    first = ["NAM : TREM 0412 1925", "Date de la visite : 2025-10-02"]
    second = ["NAM : COTS 8005 10A4", "Date de la visite : 2025-10-03"]
    third = ["NAM : TREM 0462 1918"]
    blocks = (first, second, third) if below else (first[::-1], second[::-1], third)
    sheet = page(*(row for block in blocks for row in (*block, "")))
    found = [visits.find_visit(sheet, box_of(sheet, number))[0] for number in ("TREM 0412", "COTS 8005", "TREM 0462")]
    assert found == [date(2025, 10, 2), FRIDAY, None]


def test_births_near_a_number_are_told_apart_from_visits() -> None:
    sheet = page("Date de la visite : 2025-10-03", "Né le 2004-12-19", "NAM : TREM 0412 1925")
    box = box_of(sheet, "TREM 0412 1925")
    assert visits.VisitIndex.of(Layout.of(sheet), [(box, None)]).births_near(box) == [date(2004, 12, 19)]


def test_an_empty_page_has_no_visit() -> None:
    sheet = page()
    assert visits.find_visit(sheet, page("TREM").lines[0].box) == (None, None)
