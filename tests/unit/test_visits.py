"""Visit dates and times: as people write them, and as they belong to the numbers of a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction import nam, visits
from extraction.layout import Layout
from extraction.page import Line, Page
from extraction.visits.moments import LABEL, MONTHS, WEEKDAYS, dates_in, short_dates_in
from tests.unit.paper import box_of, dates_of, page, times_of, visit_of, words

FRIDAY = date(2025, 10, 3)
MARTIN, SERGE, ANNE = "TREM 0412 1925", "COTS 8005 10A4", "TREM 0462 1918"


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
        "03-oct-25",
        "3/oct/25",
        "2025 10 03",
        "Date : 2025 10 03",
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
        ("17-aoû-99", date(1999, 8, 17)),
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
        "3 oct 25 personnes",
        "tél. 2025 10 03 22",
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


@pytest.mark.parametrize(
    ("text", "births", "read"),
    [
        ("Dates : AA/MM/JJ 25/10/03", (), [FRIDAY]),
        ("Date (jj-mm-aa) 03-10-25", (), [FRIDAY]),
        ("Date MM/DD/YY 10/03/25", (), [FRIDAY]),
        ("37/11/17 25/10/03", (date(1937, 11, 17),), [date(1937, 11, 17), FRIDAY]),
        ("17/11/37 03/10/25", (date(1937, 11, 17),), [date(1937, 11, 17), FRIDAY]),
        ("11/11/11 25/10/03", (date(1911, 11, 11),), []),
        ("25/10/03", (), []),
        ("AA/MM/JJ JJ/MM/AA 25/10/03", (), []),
        ("AAAA/MM/JJ 25/10/03", (), []),
        ("(ij/mm/aa) 03/10/25", (), [FRIDAY]),
        ("Gij/mm/aa) 03/10/25", (), [FRIDAY]),
        ("(j/mm/aa) 03/10/25", (), [FRIDAY]),
        ("AA/MM/JJ 25/13/03", (), []),
    ],
)
def test_a_year_of_two_digits_is_read_where_the_page_tells_the_order(
    text: str, births: tuple[date, ...], read: list[date]
) -> None:
    assert [match.value for match in short_dates_in(text.lower(), births)] == read


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
        "Prochain rendez-vous : 2026-10-03 à 9 h",
        "Next appointment: 2026-10-03 9:00",
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


@pytest.mark.parametrize(
    "rows",
    [
        ("Demandé le : 2025-09-02", "Date de l'examen :|NAM TREM 0412 1925", "3 octobre 2025, 8 h 30"),
        ("Présence|2025-10-03 8 h 30", "NAM TREM 0412 1925"),
        ("Consultation : 3-oct-2025 / 8h30", "NAM TREM 0412 1925"),
        ("Vu le 3-oct-25 à 8h30", "Revoir avant le 2025-12-01", "NAM TREM 0412 1925"),
        (
            "J'ai évalué votre patient en clinique externe le 3 octobre 2025 à 8 h 30.",
            "M. Tremblay avait été hospitalisé du 11 janvier 2021 au 31 janvier 2021.",
            "TREMBLAY, MARTIN|TREM 0412 1925",
        ),
        (
            "À la suite de votre demande, j'ai évalué votre patient en clinique externe",
            "le 3 octobre 2025 à 8 h 30. L'entretien a duré 75 minutes, sans interprète.",
            "Réévaluation le 5 novembre 2025 à 14 h; bilan sanguin à faire avant cela",
            "TREMBLAY, MARTIN|TREM 0412 1925",
        ),
    ],
)
def test_the_day_that_is_said_with_the_time_of_a_visit_is_its_day(rows: tuple[str, ...]) -> None:
    sheet = page(*rows)
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925")) == (FRIDAY, time(8, 30))


def test_four_digits_that_begin_a_cell_below_a_head_of_times_are_times() -> None:
    rows = "Date: 2025-10-03", "NAM|Heure", f"{MARTIN}|0830 105/68 63", f"{SERGE}|0845 110/70"
    sheet = page(*rows)
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, time(8, 30))


def test_four_digits_behind_a_date_are_a_time_before_words_where_times_are_asked_for() -> None:
    sheet = page("Date|Heure|NAM", f"2025-10-03 0830 Tremblay||{MARTIN}")
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, time(8, 30))
    sheet = page("Date|Motif|NAM", f"2025-10-03 0830 Tremblay||{MARTIN}")
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, None)


@pytest.mark.parametrize(
    ("sides", "clock"),
    [(("0815", "0830", "0900", "0930"), time(8, 30)), (("1012", "1013", "1014", "1015"), None),
     (("0930", "0830", "0900", "0815"), None), (("0815", "0830", "0900"), None)],
)  # fmt: skip
def test_times_that_run_down_the_side_need_no_label(sides: tuple[str, ...], clock: time | None) -> None:
    rows = [f"{side} {MARTIN if at == 1 else 'Personne'}" for at, side in enumerate(sides)]
    sheet = page("Date: 2025-10-03", *rows)
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, clock)


def test_a_label_with_a_value_in_its_cell_names_nothing_in_the_next_one() -> None:
    sheet = page(f"NAM: {MARTIN}|Exp. 27-12|3 OCT 2025")
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, None)


def test_what_is_left_blank_at_the_end_of_a_form_belongs_to_nobody() -> None:
    blank = ("Nom :", "NAM :", "Date :", "Heure :")
    filled = [
        row
        for who, day, clock in ((MARTIN, "3 octobre 2025", "8 h 30"), (SERGE, "4 octobre 2025", "9 h"))
        for row in ("Nom : X", f"NAM : {who}", "DOS 1 ADM 2025-09-28 13:23", f"Date : {day}", f"Heure : {clock}", "")
    ]
    sheet = page(*filled, *blank)
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, time(8, 30))
    assert visits.find_visit(sheet, box_of(sheet, SERGE)) == (date(2025, 10, 4), time(9))


def test_a_centred_head_speaks_for_what_begins_further_left() -> None:
    head = Line(tuple(words(0.075, 0.05, "Date") + words(0.4, 0.05, "NAM") + words(0.7, 0.05, "Naissance")))
    row = Line(tuple(words(0.04, 0.07, "2025-10-03") + words(0.4, 0.07, MARTIN) + words(0.7, 0.07, "2004-12-19")))
    rest = Line(tuple(words(0.4, 0.09, SERGE)))
    sheet = Page(1, 612, 792, (head, row, rest), "local")
    assert visits.find_visit(sheet, box_of(sheet, SERGE)) == (FRIDAY, None)


@pytest.mark.parametrize(
    "rows",
    [
        ("Garde urgence 2025", f"3 oct|8h30|{MARTIN}|Suivi"),
        ("Jour|Heure|NAM|Dernier examen", f"3 octobre|8h30|{MARTIN}|21 mars 2023", "2025"),
    ],
)
def test_a_day_without_a_year_has_that_of_the_title_or_the_one_below(rows: tuple[str, ...]) -> None:
    sheet = page(*rows)
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, time(8, 30))


def test_a_day_without_a_year_stays_unknown_where_several_are_printed() -> None:
    sheet = page("Garde 2025|2026", f"3 oct|8h30|{MARTIN}")
    assert visits.find_visit(sheet, box_of(sheet, MARTIN))[0] is None


def test_a_day_with_its_hours_alone_in_a_cell_heads_a_section() -> None:
    head = "Rencontre {} —|{} octobre 2025, de 8 h 30 à 10 h"
    sheet = page(head.format(1, 3), f"• Martin, {MARTIN}", "Absences : 0", head.format(2, 10), f"• Serge, {SERGE}")
    assert visits.find_visit(sheet, box_of(sheet, SERGE))[0] == date(2025, 10, 10)


@pytest.mark.parametrize(("day", "known"), [("2024-06-14", FRIDAY), ("2025-09-30", date(2025, 9, 30))])
def test_what_words_of_its_own_name_far_from_the_day_of_the_page_is_no_visit(day: str, known: date) -> None:
    rows = [f"NAM {who}|Vu à 08:30|Hép. B {day}" for who in (MARTIN, SERGE)]
    sheet = page("HÉMODIALYSE", "2025-10-03|Néphrologue : Dre Pham", *rows)
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (known, time(8, 30))


def test_the_end_of_life_is_no_end_of_a_stay() -> None:
    assert LABEL.search("fin de vie; suivi") is None
    assert [found.lastgroup for found in LABEL.finditer("fin de la consultation")] == ["other"]


def test_hours_down_a_page_that_is_not_straight_are_those_of_a_grid() -> None:
    """The last hour stands under the first number, which is further left at the head of the page."""
    names = ("Roy", "Caron", "Dubois", "Ouellet", "Bergeron", "Lavoie", "Martel", "Simard")
    numbers = [nam.compose(name, "Luc", date(1975, 11, 30), False, "1") for name in names]
    lines = [Line(tuple(words(0.3, 0.05, "3 octobre 2025")))]
    for at in range(4):
        x, y = 0.03 + 0.012 * at, 0.1 + 0.1 * at
        lines.append(Line(tuple(words(x, y, f"{8 + at}:30"))))
        lines.append(Line(tuple(words(x + 0.05, y + 0.03, numbers[at]))))
        lines.append(Line(tuple(words(x + 0.45, y + 0.015, numbers[4 + at]))))
    sheet = Page(1, 612, 792, tuple(lines), "local")
    assert [visits.find_visit(sheet, box_of(sheet, number))[1] for number in numbers] == [
        time(8 + at, 30) for at in (0, 1, 2, 3, 0, 1, 2, 3)
    ]


def test_a_misread_name_of_a_day_still_opens_a_section() -> None:
    sheet = page("jeudi le 2 octobre 2025", f"08h10|{SERGE}", "vendradi le 3 octobre 2025", f"08h30|{MARTIN}")
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, time(8, 30))


@pytest.mark.parametrize("label", ["Vu à :", "Vuà:", "Vu(e)à:", "Arrivé(e) à:"])
def test_four_digits_behind_what_asks_when_somebody_was_seen_are_a_time(label: str) -> None:
    sheet = page(f"Date: 2025-10-03|{label} 0830", f"NAM {MARTIN}")
    assert visits.find_visit(sheet, box_of(sheet, MARTIN)) == (FRIDAY, time(8, 30))


def test_entries_may_end_with_their_dates() -> None:
    cards = [
        row
        for who, number, day in (("Martin", MARTIN, "2025-10-03"), ("Serge", SERGE, "2025-09-04"), ("Anne", ANNE, "RV"))
        for row in (who, number, day, "Suivi", "")
    ]
    sheet = page(*cards)
    days = [visits.find_visit(sheet, box_of(sheet, number))[0] for number in (MARTIN, SERGE, ANNE)]
    assert days == [FRIDAY, date(2025, 9, 4), None]


def test_a_date_with_a_slip_need_not_be_near_birth_dates() -> None:
    sheet = page("Date de la séance : 3 0ct0bre 2025", "NAM|Date naiss.", f"{MARTIN}|2004-12-19", f"{SERGE}|1980-05-10")
    assert visits.find_visit(sheet, box_of(sheet, MARTIN))[0] == FRIDAY


def test_a_newborn_is_seen_on_the_day_of_birth_where_that_is_called_a_visit() -> None:
    value = nam.compose("Roy", "Anne", FRIDAY, True, "1")
    sheet = page("Visite : 2025-10-03, 8 h 30", f"NAM : {value}")
    assert visits.find_visit(sheet, box_of(sheet, value)) == (FRIDAY, time(8, 30))
    sheet = page("2025-10-03", f"NAM : {value}")
    assert visits.find_visit(sheet, box_of(sheet, value)) == (None, None)


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


LOUISE, PAUL, HUGO = "ROYA 8503 1420", "GAGL 6251 0720", "GIRP 7058 3014"
SIX = (MARTIN, SERGE, ANNE, LOUISE, PAUL, HUGO)


def test_a_visit_names_the_places_that_say_so() -> None:
    sheet = page("Date|Heure|NAM", f"2025-10-03|08:30|{MARTIN}")
    box = box_of(sheet, MARTIN)
    source = visits.VisitIndex.of(Layout.of(sheet), [(box, None)]).source(box)
    assert source == visits.Visit(FRIDAY, time(8, 30), box_of(sheet, "2025-10-03"), box_of(sheet, "08:30"))


def blocks(lines: Sequence[str], *, across: int = 1, gap: int = 1, shift: int = 0) -> Page:
    """A page with a block of `lines` for each of the six numbers: "#" stands for the number, "@" for its time.

    `across` blocks stand side by side, each `shift` rows lower than the one on its left; the fifth has no time.
    """
    rows: dict[int, list[str]] = {}
    for number, text in enumerate(SIX):
        down, along = divmod(number, across)
        for at, line in enumerate(lines):
            cells = rows.setdefault(down * (len(lines) + gap) + at + along * shift, [])
            cells += [""] * (2 * along - len(cells))
            cells.append(line.replace("#", text).replace("@", "à confirmer" if text == PAUL else f"{9 + number} h 15"))
    return page(*("|".join(rows.get(row, [])) for row in range(max(rows) + 1)), spacing=0.014)


OWN_TIMES = [None if text == PAUL else time(9 + number, 15) for number, text in enumerate(SIX)]


@pytest.mark.parametrize(
    "lines",
    [
        ("NAM #", "suivi annuel", "Heure : @"),
        ("Heure : @", "suivi annuel", "Dossier 84", "NAM #"),
        ("@", "suivi annuel", "NAM #", "Dossier 84"),
        ("Dossier 84", "NAM #", "12, rue des Pins", "suivi annuel", "@"),
        ("Heure : @", "NAM #"),
    ],
)
@pytest.mark.parametrize(("across", "shift"), [(1, 0), (2, 0), (2, 1)])
def test_every_block_keeps_its_time_where_most_blocks_have_it(lines: tuple[str, ...], across: int, shift: int) -> None:
    assert times_of(blocks(lines, across=across, shift=shift), *SIX) == OWN_TIMES


def test_blocks_that_nothing_parts_keep_their_times() -> None:
    assert times_of(blocks(("NAM #", "suivi annuel", "Dossier 84", "Heure : @"), gap=0), *SIX) == OWN_TIMES


def test_what_stands_with_a_birth_date_belongs_to_whom_was_born_then() -> None:
    sheet = page(
        "Né le 2004-12-19|Heure : 8 h 30",
        "suivi annuel",
        f"NAM {MARTIN}",
        "Née le 1985-03-14|Heure : 9 h 30",
        "suivi annuel",
        f"NAM {LOUISE}",
    )
    assert times_of(sheet, MARTIN, LOUISE) == [time(8, 30), time(9, 30)]


def test_blocks_side_by_side_keep_their_dates() -> None:
    sheet = page(
        f"{MARTIN}||{SERGE}",
        "Date de visite : 2025-10-01||Date de visite : 2025-10-02",
        "",
        f"{ANNE}||{LOUISE}",
        "Date de visite : 2025-10-03||Date de visite : à venir",
    )
    assert dates_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [date(2025, 10, 1), date(2025, 10, 2), FRIDAY, None]


def test_a_gap_on_one_side_of_a_row_is_not_filled_from_the_other() -> None:
    sheet = page(
        f"08:30|{MARTIN}|09:30|{SERGE}",
        f"s. r.-v.|{ANNE}|10:30|{LOUISE}",
        f"11:00|{PAUL}|s. r.-v.|{HUGO}",
    )
    assert times_of(sheet, *SIX) == [time(8, 30), time(9, 30), None, time(10, 30), time(11), None]


def test_two_numbers_in_one_sentence_each_have_the_time_that_follows() -> None:
    sheet = page(f"Vus : {MARTIN} à 8 h 30 et {SERGE} à 9 h")
    assert times_of(sheet, MARTIN, SERGE) == [time(8, 30), time(9)]


def test_a_table_on_its_side_gives_each_column_its_visit() -> None:
    sheet = page(f"NAM|{MARTIN}|{SERGE}|{ANNE}", "Date|2025-10-01|2025-10-02|2025-10-03", "Heure|08:30|09:30|10:30")
    assert visit_of(sheet, MARTIN, SERGE, ANNE) == [
        (date(2025, 10, 1), time(8, 30)),
        (date(2025, 10, 2), time(9, 30)),
        (FRIDAY, time(10, 30)),
    ]


def test_a_week_gives_each_column_its_day() -> None:
    sheet = page(
        "Semaine du 29 septembre 2025",
        "|Mercredi 1|Jeudi 2|Vendredi 3",
        f"08:30|{MARTIN}",
        f"08:45||{SERGE}",
        f"09:00|||{ANNE}",
    )
    assert visit_of(sheet, MARTIN, SERGE, ANNE) == [
        (date(2025, 10, 1), time(8, 30)),
        (date(2025, 10, 2), time(8, 45)),
        (FRIDAY, time(9)),
    ]


def test_a_heading_holds_in_its_column_and_at_the_head_of_the_next() -> None:
    sheet = page(
        f"Jeudi 2 octobre 2025||{LOUISE}",
        MARTIN,
        f"{SERGE}||Vendredi 3 octobre 2025",
        f"{ANNE}||{PAUL}",
        f"||{HUGO}",
    )
    thursday = date(2025, 10, 2)
    assert dates_of(sheet, *SIX) == [thursday, thursday, thursday, thursday, FRIDAY, FRIDAY]


@pytest.mark.parametrize("mark", ['"', "idem", "id.", "〃"])
def test_a_ditto_mark_repeats_what_stands_above(mark: str) -> None:
    sheet = page("Date|Heure|NAM", f"2025-10-03|08:30|{MARTIN}", f"{mark}|{mark}|{SERGE}", f"{mark}|08:45|{ANNE}")
    assert visit_of(sheet, MARTIN, SERGE, ANNE) == [(FRIDAY, time(8, 30))] * 2 + [(FRIDAY, time(8, 45))]


def test_a_date_stated_only_where_it_changes_holds_for_the_rows_below() -> None:
    sheet = page("Date|NAM", f"2025-10-02|{MARTIN}", f"|{SERGE}", f"|{LOUISE}", f"2025-10-03|{ANNE}", f"|{PAUL}")
    thursday = date(2025, 10, 2)
    assert dates_of(sheet, MARTIN, SERGE, LOUISE, ANNE, PAUL) == [thursday, thursday, thursday, FRIDAY, FRIDAY]


@pytest.mark.parametrize(
    ("rows", "clock"),
    [
        (("Heure|NAM", f"08:30 - 09:00|{MARTIN}"), time(8, 30)),
        (("Heure|NAM", f"9 h à 9 h 30|{MARTIN}"), time(9)),
        (("Début|Fin|NAM", f"08:30|09:00|{MARTIN}"), time(8, 30)),
        (("Fin|Début|NAM", f"09:00|08:30|{MARTIN}"), time(8, 30)),
        (("Arrivée|Départ|NAM", f"2:15 p.m.|3:00 p.m.|{MARTIN}"), time(14, 15)),
    ],
)
def test_a_visit_has_the_time_at_which_it_starts(rows: tuple[str, ...], clock: time) -> None:
    assert times_of(page(*rows), MARTIN) == [clock]


@pytest.mark.parametrize(
    ("printed", "clock"),
    [
        ("O8:30", time(8, 30)),
        ("08.30", time(8, 30)),
        ("08;30", time(8, 30)),
        ("08 30", time(8, 30)),
        ("1O h 15", time(10, 15)),
        ("l4:15", time(14, 15)),
        ("14 h 1S", time(14, 15)),
        ("0915 suivi", time(9, 15)),
        ("0 9 2 0", time(9, 20)),
        ("1 3:20", time(13, 20)),
        ("09: 1 0", time(9, 10)),
        ("1 5h55", time(15, 55)),
        ("12 h 1 5", time(12, 15)),
        ("24:00", None),
        ("08:75", None),
        ("9:5", None),
        ("matin", None),
    ],
)
@pytest.mark.parametrize("row", ["{}|NAM " + MARTIN, "Heure : {}|NAM " + MARTIN])
def test_slips_in_a_time_are_read_where_a_time_must_stand(printed: str, clock: time | None, row: str) -> None:
    header = [] if "Heure" in row else ["Heure|Patient"]
    assert times_of(page(*header, row.format(printed)), MARTIN) == [clock]


def test_boxes_for_hours_and_minutes_and_for_parts_of_a_date_are_read_together() -> None:
    sheet = page(f"NAM {MARTIN}", "Date de la visite|||Heure de la visite")
    apart = words(0.04, 0.09, "2025") + words(0.12, 0.09, "10") + words(0.17, 0.09, "03")
    apart += words(0.64, 0.09, "12") + words(0.69, 0.09, "10")
    boxed = Page(1, 612, 792, (*sheet.lines[:2], Line(tuple(apart))), "local")
    assert visit_of(boxed, MARTIN) == [(FRIDAY, time(12, 10))]


def test_the_number_of_a_room_is_no_part_of_the_time_behind_it() -> None:
    assert times_of(page(f"Salle 1 8:30|NAM {MARTIN}"), MARTIN) == [time(8, 30)]


def test_slips_in_a_time_are_nothing_elsewhere() -> None:
    assert times_of(page(f"Salle 08.30|NAM {MARTIN}", "Poste 0915"), MARTIN) == [None]


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("2O25-10-03", FRIDAY),
        (".3 0ct. 2025", FRIDAY),
        ("3 octobrc 2025", FRIDAY),
        ("2025-1 0-03", FRIDAY),
        ("2 0 2 5 1 0 0 3", FRIDAY),
        ("0 3 1 0 2 0 2 5", FRIDAY),
        ("2025-13-03", None),
    ],
)
def test_slips_in_a_date_are_read_below_its_header(printed: str, day: date | None) -> None:
    assert dates_of(page("Date de la visite|NAM", f"{printed}|{MARTIN}"), MARTIN) == [day]


@pytest.mark.parametrize(
    ("head", "printed", "day"),
    [
        ("Imprimé le 2025-10-09", "03-10-25", FRIDAY),
        ("Imprimé le 2025-10-09", "25-10-03", FRIDAY),
        ("Imprimé le 2019-10-09", "03-10-25", None),
        ("", "03-10-25", None),
    ],
)
def test_a_year_of_two_digits_needs_a_full_date_on_the_page(head: str, printed: str, day: date | None) -> None:
    assert dates_of(page(head, "Date|NAM", f"{printed}|{MARTIN}"), MARTIN) == [day]


def test_an_english_page_that_shows_the_month_first_is_read_so() -> None:
    sheet = page("Visits", "Date|Time|HIN", f"10/03/2025|8:30 AM|{MARTIN}", f"10/13/2025|9:00 AM|{SERGE}")
    assert dates_of(sheet, MARTIN, SERGE) == [FRIDAY, date(2025, 10, 13)]


def test_a_number_printed_twice_has_one_visit() -> None:
    sheet = page("", f"Heure|NAM {MARTIN}", f"8 h 30|NAM {SERGE}", f"9 h 30|NAM {ANNE}", "", "Talon", f"NAM {ANNE}")
    again = box_of(page("", "", "", "", "", "", f"NAM {ANNE}"), ANNE)
    index = visits.VisitIndex.of(Layout.of(sheet), [(box_of(sheet, ANNE), None), (again, None)])
    assert index.visit(again)[1] == time(9, 30)


def test_an_invoice_number_like_a_nam_takes_no_visit_from_its_neighbour() -> None:
    sheet = page(f"NAM {MARTIN}", "Date de visite : 2025-10-03|Heure : 8 h 30", "", "", "|Facture FACT 7506 2250")
    assert visit_of(sheet, MARTIN) == [(FRIDAY, time(8, 30))]


def test_an_empty_page_has_no_visit() -> None:
    sheet = page()
    assert visits.find_visit(sheet, page("TREM").lines[0].box) == (None, None)


def grid(*rows: str) -> Page:
    """A grid of hours: the lines of its stacks stand close, and each "-" leaves the gap between two slots."""
    lines, y = [], 0.05
    for row in rows:
        if row == "-":
            y += 0.012
            continue
        placed = []
        for column, cell in enumerate(row.split("|")):
            placed += words(0.04 + 0.24 * column, y, cell)
        lines.append(Line(tuple(placed)))
        y += 0.014
    return Page(1, 612, 792, tuple(lines), "local")


def test_an_hour_speaks_for_all_that_begins_in_its_line() -> None:
    sheet = grid(
        *("08:30|Tremblay, Martin|Cotsu, Serge", f"|{MARTIN}|{SERGE}", "|suivi|vaccin", "-"),
        *("08:45||Roy, Anne", f"||{ANNE}", "||suivi", "-"),
        *("09:00", "", "", "-"),
        *("09:15|Royer, Alain", f"|{LOUISE}", "|suivi"),
    )
    assert times_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [time(8, 30), time(8, 30), time(8, 45), time(9, 15)]


def test_an_appointment_over_two_slots_has_the_hour_of_the_first() -> None:
    sheet = grid(
        *("08:30|Tremblay, Martin|Cotsu, Serge", "|suivi|vaccin", f"08:45|{MARTIN}|{SERGE}", "|dossier 84|dossier 12"),
        *("09:00|", "|", "-"),
        *("09:15|Royer, Alain|Roy, Anne", "|suivi|suivi", f"09:30|{LOUISE}|{ANNE}", "|dossier 33|dossier 9"),
    )
    assert times_of(sheet, MARTIN, SERGE, LOUISE, ANNE) == [time(8, 30), time(8, 30), time(9, 15), time(9, 15)]


def test_an_hour_may_stand_at_the_middle_of_its_stack() -> None:
    sheet = grid(
        *(f"|{MARTIN}|{SERGE}", "08:30|Tremblay, Martin|Cotsu, Serge", "|suivi|vaccin", "-"),
        *("|", "08:45", "|", "-"),
        *(f"|{LOUISE}|{ANNE}", "09:00|Royer, Alain|Roy, Anne", "|suivi|vaccin"),
    )
    assert times_of(sheet, MARTIN, SERGE, LOUISE, ANNE) == [time(8, 30), time(8, 30), time(9), time(9)]


def test_a_cell_that_states_its_time_says_it_more_exactly() -> None:
    sheet = grid(
        *("8 h|8 h 10 Tremblay|8 h 40 Cotsu", f"|{MARTIN}|{SERGE}", "-"),
        *("9 h|9 h 20 Royer|9 h 50 Roy", f"|{LOUISE}|{ANNE}", "-"),
        *("10 h", "", "-"),
    )
    assert times_of(sheet, MARTIN, SERGE, LOUISE, ANNE) == [time(8, 10), time(8, 40), time(9, 20), time(9, 50)]


def test_hours_behind_noon_on_a_clock_of_twelve_are_afternoon() -> None:
    sheet = page("11:30", f"12:00|{MARTIN}", "12:30", f"1:00|{SERGE}", "1:30")
    assert times_of(sheet, MARTIN, SERGE) == [time(12), time(13)]


def test_captions_under_their_values_name_what_stands_above() -> None:
    sheet = page(
        *(f"{MARTIN}|2025-10-01|08:30", "NAM|Date de visite|Heure", "", ""),
        *(f"{SERGE}|2025-10-02|", "NAM|Date de visite|Heure", "", ""),
        *(f"{ANNE}|2025-10-03|10:30", "NAM|Date de visite|Heure"),
    )
    assert visit_of(sheet, MARTIN, SERGE, ANNE) == [
        (date(2025, 10, 1), time(8, 30)),
        (date(2025, 10, 2), None),
        (FRIDAY, time(10, 30)),
    ]


def test_a_blank_field_stays_blank_though_its_caption_is_printed() -> None:
    sheet = page(
        *("Date de visite|Heure", "2025-10-01|08:30", f"NAM {MARTIN}", ""),
        *("Date de visite|Heure", "2025-10-02", f"NAM {SERGE}", ""),
        *("Date de visite|Heure", "|10:30", f"NAM {ANNE}"),
    )
    assert visit_of(sheet, MARTIN, SERGE, ANNE) == [
        (date(2025, 10, 1), time(8, 30)),
        (date(2025, 10, 2), None),
        (None, time(10, 30)),
    ]


def test_a_date_written_higher_than_its_caption_is_named_by_it() -> None:
    sheet = page("Date :|||NAM", "", f"||{MARTIN}")
    written = words(0.12, 0.042, "2025-10-03")
    slip = Page(1, 612, 792, (Line(tuple(written)), *sheet.lines), "local")
    assert dates_of(slip, MARTIN) == [FRIDAY]


@pytest.mark.parametrize("first", ["Jeudi 2 octobre 2025", "2 0ctobre 2O25", "Jeudi2octobre2025", "2 octobrc 2025"])
def test_a_heading_that_a_reader_got_wrong_still_heads_its_section(first: str) -> None:
    sheet = page("Mercredi 1er octobre 2025", MARTIN, SERGE, first, ANNE, LOUISE, "Vendredi 3 octobre 2025", PAUL)
    days = [date(2025, 10, 1)] * 2 + [date(2025, 10, 2)] * 2 + [FRIDAY]
    assert dates_of(sheet, MARTIN, SERGE, ANNE, LOUISE, PAUL) == days


def test_a_date_beside_a_name_heads_a_section() -> None:
    sheet = page("Dr Normand Roy (17028)|||2025-10-02", MARTIN, "Dre Anne Cyr (98486)|||2025-10-03", SERGE)
    assert dates_of(sheet, MARTIN, SERGE) == [date(2025, 10, 2), FRIDAY]


def test_a_birth_date_of_somebody_without_a_number_heads_no_section() -> None:
    sheet = page(
        *("Vendredi 3 octobre 2025", "Tremblay, Martin|2004-12-19", MARTIN),
        *("Roy, Anne|1982-09-01", "numéro illisible", "Cotsu, Serge|1980-05-10", SERGE),
    )
    assert dates_of(sheet, MARTIN, SERGE) == [FRIDAY, FRIDAY]


def test_a_stretch_of_time_speaks_for_what_stands_below_it() -> None:
    sheet = page("Plage de 13 h", f"{MARTIN}||{SERGE}", "", "Plage de 14 h", f"{ANNE}||{LOUISE}")
    assert times_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [time(13), time(13), time(14), time(14)]


def test_a_time_said_with_the_date_of_a_visit_is_the_visits() -> None:
    sheet = page(
        "Nom|||Prélevé le|2025-10-03 07:25", f"NAM {MARTIN}|||Reçu au labo|2025-10-03 08:40", "", "", f"|{MARTIN}"
    )
    first, again = box_of(sheet, MARTIN), sheet.lines[-1].box
    index = visits.VisitIndex.of(Layout.of(sheet), [(first, None), (again, None)])
    assert [index.visit(box) for box in (first, again)] == [(FRIDAY, time(7, 25))] * 2


@pytest.mark.parametrize("printed", ["3 octobre 202", "3 octobre", "October 3"])
def test_a_day_without_its_year_is_that_near_the_other_dates(printed: str) -> None:
    rows = (f"NAM {MARTIN}", f"Date de visite : {printed}", "", f"NAM {SERGE}", "Date de visite : 2025-10-02")
    assert dates_of(page(*rows), MARTIN, SERGE) == [FRIDAY, date(2025, 10, 2)]


def test_the_characters_of_a_number_are_no_time() -> None:
    sheet = page("Heure", f"NAM {PAUL.replace('6251 0720', '6251  0720')}", "Date : 2025-10-03")
    assert visit_of(sheet, PAUL) == [(FRIDAY, None)]


@pytest.mark.parametrize(
    "row",
    [
        "Péremption : 2026-10-03",
        "Prochaine séance : 2026-10-03",
        "Next session: 2026-10-03",
        "Dicté et signé le 2025-10-04",
        "Reçu au labo : 2025-10-03 08:40",
        "L'usager a quitté le 2025-10-04 à 17:15",
    ],
)
def test_what_came_before_or_comes_later_is_not_the_visit(row: str) -> None:
    assert visit_of(page(row, "", f"NAM : {MARTIN}"), MARTIN) == [(None, None)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Monsieur s'est présenté à l'accueil le 2025-10-03 vers 8 h 30.",
        "J'ai reçu monsieur à mon bureau le 2025-10-03 à 8 h 30.",
        "Arrivée le 2025-10-03 à 8 h 30 par ses propres moyens.",
    ],
)
def test_what_a_letter_tells_of_the_visit(sentence: str) -> None:
    sheet = page(sentence, "Congé donné le 2025-10-04 à 16 h 45.", "", f"NAM : {MARTIN}")
    assert visit_of(sheet, MARTIN) == [(FRIDAY, time(8, 30))]


def test_a_title_names_no_day_far_below_it() -> None:
    sheet = page("Liste de rappel", "", "", "", "", "Jeudi 2 octobre 2025", MARTIN, "Vendredi 3 octobre 2025", SERGE)
    assert dates_of(sheet, MARTIN, SERGE) == [date(2025, 10, 2), FRIDAY]


def test_two_readings_of_one_number_are_one_entry() -> None:
    sheet = page(f"NAM {MARTIN}", "Heure : 8 h 30", "", f"NAM {SERGE}", "Heure : 9 h 30")
    boxes = [box_of(sheet, MARTIN), box_of(sheet, MARTIN).grown(0.01, 0), box_of(sheet, SERGE)]
    index = visits.VisitIndex.of(Layout.of(sheet), [(box, None) for box in boxes])
    assert [index.visit(box)[1] for box in boxes] == [time(8, 30), time(8, 30), time(9, 30)]


def test_a_section_that_runs_over_keeps_its_day_in_a_column_without_headings() -> None:
    sheet = page(
        *(
            "Jeudi 2 octobre 2025||11:00|Roy, Anne",
            f"08:30|{MARTIN}||{ANNE}",
            "Vendredi 3 octobre 2025||11:30|Cyr, Paul",
        ),
        *(f"09:30|{SERGE}||{PAUL}", f"10:30|{LOUISE}"),
    )
    assert dates_of(sheet, MARTIN, SERGE, LOUISE, ANNE, PAUL) == [date(2025, 10, 2), FRIDAY, FRIDAY, FRIDAY, FRIDAY]


def test_a_list_that_goes_on_in_a_second_column_goes_on_with_its_hours() -> None:
    rows = [
        "8:00 AM|Medicare TREM 0412 1925|||10:25 AM|Medicare COTS 8005 10A4",
        "8:30 AM|Medicare ROYA 8505 1224|||10:40 AM|Medicare GAGR 8756 0858",
        "9:00 AM|Medicare BENK 4510 1216|||11:00 AM|Medicare LIXX 1105 1668",
    ]
    sheet = page("Tuesday, March 24, 2026", *rows)
    index = visits.VisitIndex.of(
        Layout.of(sheet),
        [(box_of(sheet, row.split("Medicare ")[at].split("|")[0]), None) for row in rows for at in (1, 2)],
    )
    clocks = [index.visit(anchor.box)[1] for anchor in index.anchors]
    assert clocks == [time(8), time(10, 25), time(8, 30), time(10, 40), time(9), time(11)]


def test_a_line_of_days_that_a_reader_took_apart_still_heads_its_columns() -> None:
    heads = ["|Lundi 2025-03-03||Jeudi 2025-03-06", "||Mardi 2025-03-04|"]
    sheet = page(*heads, "", "09:00|PERR 3561 0664|THIR 7404 2624|TRAB 2656 2016", spacing=0.014)
    days = [visits.find_visit(sheet, box_of(sheet, number))[0] for number in ("PERR 3561 0664", "THIR 7404 2624")]
    assert days == [date(2025, 3, 3), date(2025, 3, 4)]


def test_the_time_behind_the_day_that_heads_a_list_is_that_of_all() -> None:
    sheet = page("jeudi 21 août 2025, début 13 h, fin 14 h 30", "No RAMQ", "TREM 0412 1925", "COTS 8005 10A4")
    for number in ("TREM 0412 1925", "COTS 8005 10A4"):
        assert visits.find_visit(sheet, box_of(sheet, number)) == (date(2025, 8, 21), time(13))


def test_arrivals_of_four_figures_under_their_head_are_times() -> None:
    sheet = page(
        "JOURNEE DU 2025-02-21",
        "ARR.|NOM|NAM|DEP.",
        "0321|PERRON, T|TREM 0412 1925|0631",
        "0413|SERGE, A|COTS 8005 10A4|1223",
    )
    assert visits.find_visit(sheet, box_of(sheet, "COTS 8005 10A4")) == (date(2025, 2, 21), time(4, 13))


def test_the_day_of_a_request_is_no_visit() -> None:
    sheet = page(
        "Usager|NAM|Demande du|Rendez-vous",
        "Roy, A|TREM 0412 1925|2025-05-06|",
        "Li, W|COTS 8005 10A4|2025-04-01|2025-06-02",
    )
    assert visits.find_visit(sheet, box_of(sheet, "TREM 0412 1925"))[0] is None


@pytest.mark.parametrize("day", ["17 novembre 2025", "17-11-2025", "17/11/2025"])
def test_a_time_that_lost_the_space_behind_its_date_is_read(day: str) -> None:
    assert [match.value for match in visits.find_dates(f"{day}11:00")] == [date(2025, 11, 17)]
    assert [match.value for match in visits.find_times(f"{day}11:00")] == [time(11)]


@pytest.mark.parametrize(
    "story",
    [
        "Hospitalisée du 3 au 7 octobre 2025.",
        "Hospitalisé du 3 octobre 2025 au 7 octobre 2025.",
        "Séjour : du 2025-10-03 au 2025-10-07",
        "Amenée par ambulance le 3 octobre 2025. Retour à domicile le 4 octobre 2025.",
        "Entrée le 3 octobre 2025, sortie le 4 octobre 2025.",
        "Transférée chez nous le 3 octobre 2025, repartie le 4 octobre 2025.",
        "Le 3 octobre 2025, madame s'est présentée à l'urgence. Elle a quitté le 4 octobre 2025.",
        "Le 3 octobre 2025, madame arrive à l'urgence. Le 4 octobre 2025, elle retourne à la maison.",
        "She presented on October 3, 2025 and was discharged on October 4, 2025.",
        "Brought to the ED on October 3, 2025; went home on October 4, 2025.",
    ],
)
def test_a_stay_is_a_visit_on_its_first_day(story: str) -> None:
    sheet = page("Signé le 2025-10-09", "", story, "", f"NAM : {MARTIN}")
    assert dates_of(sheet, MARTIN) == [FRIDAY]


def test_a_first_day_of_the_month_begins_a_stay() -> None:
    assert dates_of(page("Hospitalisée du 1er au 7 octobre 2025.", f"NAM : {MARTIN}"), MARTIN) == [date(2025, 10, 1)]


def test_a_week_is_no_stay() -> None:
    assert dates_of(page("Semaine du 3 au 7 octobre 2025", "", "", "", "", f"NAM : {MARTIN}"), MARTIN) == [None]


@pytest.mark.parametrize(
    "other",
    [
        "Visite précédente : 2025-05-17",
        "Dernire visite : 2025-05-17",
        "Date de la demande / Ordered : 2025-05-17",
        "Prescrite le 2025-05-17",
        "Date de paiement : 2025-11-17",
        "Évaluation préop. : 2025-05-17",
        "Inscrite le 2025-05-17",
        "NAS 029 926 156|DDM / LMP : 2025-05-17",
    ],
)
def test_what_else_a_form_dates_is_not_the_visit(other: str) -> None:
    sheet = page(f"NAM : {MARTIN}", other, "", "", "Rendez-vous", "Date : 2025-10-03")
    assert dates_of(sheet, MARTIN) == [FRIDAY]


def test_what_was_given_on_a_day_is_a_visit_and_what_was_counted_on_one_is_none() -> None:
    sheet = page(
        "No RAMQ|Né(e) le|Lot exp.|Donné le",
        *(f"{MARTIN}|2004-11-19|2027-01-06|DD 2025-10-03", f"{SERGE}|1980-05-10|2026-05-16|DG 2025-10-02"),
    )
    assert dates_of(sheet, MARTIN, SERGE) == [FRIDAY, date(2025, 10, 2)]
    waiting = page("Liste d'attente", "État au 29 octobre 2024", "NAM|Inscrit le", f"{MARTIN}|2023-11-06")
    assert dates_of(waiting, MARTIN) == [None]


def test_an_admission_is_not_the_visit_of_a_day_that_the_heading_states() -> None:
    table = ("Nom|NAM|Admission", f"Tremblay|{MARTIN}|2025-09-19", f"Cotsu|{SERGE}|2025-09-21")
    assert dates_of(page("Tournée : visites du 3 octobre 2025", "", *table), MARTIN, SERGE) == [FRIDAY, FRIDAY]
    assert dates_of(page("Unité 6e", "", *table), MARTIN, SERGE) == [date(2025, 9, 19), date(2025, 9, 21)]


def test_a_column_with_another_head_is_none_of_visits() -> None:
    heads = ("Recherche de rendez-vous terminés", "NAM|Modifié|Type|Visite")
    first, second = f"{MARTIN}|2025-10-06 13:23|SR|2025-10-03 09:55", f"{SERGE}|2025-10-07 11:00|VAD|2025-10-02 09:10"
    visits_of_both = [(FRIDAY, time(9, 55)), (date(2025, 10, 2), time(9, 10))]
    assert visit_of(page(*heads, first, second), MARTIN, SERGE) == visits_of_both
    sheet = page(*heads, first, second, f"{ANNE}|2025-10-07 14:10|SR|")
    assert visit_of(sheet, MARTIN, SERGE, ANNE) == [*visits_of_both, (None, None)]


def test_a_head_of_two_lines_names_its_column() -> None:
    sheet = page("Rendez-vous||Date de", "du patient|NAM|naissance", f"2025-10-03|{MARTIN}|2004-11-19")
    assert dates_of(sheet, MARTIN) == [FRIDAY]


@pytest.mark.parametrize("other", ["Hép. B 2022-08-16", "RTC 2025-10-17", "Écrou 2025-06-18"])
def test_what_words_of_its_own_date_is_not_the_visit_of_a_day_that_the_heading_states(other: str) -> None:
    rows = (f"08:30|{MARTIN}|poids 63,2|{other}", f"08:45|{SERGE}|poids 75,3|{other}")
    assert dates_of(page("Visites du 3 octobre 2025", *rows), MARTIN, SERGE) == [FRIDAY, FRIDAY]


def test_beside_a_column_of_visits_a_date_in_another_one_is_none() -> None:
    sheet = page(
        *("2025-10-03", "Poste|Usager|Visite|Autres", f"1|{MARTIN}|Vu à 07:10|Hép. B 2022-08-16"),
        *(f"2|{SERGE}|Vu à 07:25|Hép. B 2023-03-19", f"3|{ANNE}|Vu à 07:40|Hép. B 2024-05-14"),
    )
    assert dates_of(sheet, MARTIN, SERGE, ANNE) == [FRIDAY] * 3


def test_a_title_does_not_name_the_dates_in_phrases_below_it() -> None:
    sheet = page(
        *("Service de santé - liste du médecin", "Date : 2025-10-03", "Hre|Nom|Secteur|RAMQ"),
        *(f"0830|Roy, A|C-4|{MARTIN}", "Toux - écrou 2025-06-18 - lib. prévue 2026-10-14"),
        *(f"0850|Cyr, P|INF|{SERGE}", "Asthme - écrou 2025-08-25 - lib. prévue 2026-02-05"),
        *(f"0910|Roy, L|A-2|{ANNE}", "Fatigue - écrou 2025-01-17 - lib. prévue 2026-09-19"),
    )
    clocks = (time(8, 30), time(8, 50), time(9, 10))
    assert visit_of(sheet, MARTIN, SERGE, ANNE) == [(FRIDAY, clock) for clock in clocks]


def test_the_fields_of_a_file_are_named_by_its_first_row() -> None:
    sheet = page(
        '"id";"patient";"ddn";"nam";"debut";"fin";"mode";"facture"',
        f'"073512";"Roy, Anne";"2004-12-19";"{MARTIN}";"2025-10-03T08:05";"2025-10-04T00:13";"tel";"F123"',
        f'"531660";"Cyr, Zacharie";"1980-05-10";"{SERGE}";"2025-10-02T08:15";"2025-10-02T08:37";"video";""',
    )
    boxes = [next(w.box for w in sheet.words if text in w.text) for text in ("TREM", "COTS")]
    index = visits.VisitIndex.of(Layout.of(sheet), [(box, None) for box in boxes])
    assert [index.visit(box) for box in boxes] == [(FRIDAY, time(8, 5)), (date(2025, 10, 2), time(8, 15))]


def test_the_hour_of_a_visit_counts_before_that_of_the_arrival() -> None:
    sheet = page(
        *("No visite|Arrivée|NAM|Heure de la visite|Départ", f"1001|08:06|{MARTIN}|08:57|12:53"),
        *(f"1002|08:48|{SERGE}|09:13|12:53", f"1003|09:01|{ANNE}|10:53|14:29"),
    )
    assert times_of(sheet, MARTIN, SERGE, ANNE) == [time(8, 57), time(9, 13), time(10, 53)]


def test_a_night_that_crosses_midnight_has_the_day_that_the_visit_began() -> None:
    sheet = page(
        "La date est celle de la colonne Début visite.",
        *("Arrivée|Triage|Début visite|NAM", f"2025-10-02 22:32|22:43|2025-10-02 23:20|{MARTIN}"),
        f"2025-10-02 23:55|00:07|2025-10-03 03:31|{SERGE}",
    )
    assert visit_of(sheet, MARTIN, SERGE) == [(date(2025, 10, 2), time(23, 20)), (FRIDAY, time(3, 31))]


def test_a_cell_beside_a_family_speaks_for_all_of_it() -> None:
    sheet = page(
        *("Rendez-vous||Voyageurs|NAM", f"Ven. 3 octobre 2025||Roy, A|{MARTIN}", f"à 9h00||Roy, C|{SERGE}"),
        *(f"||Roy, V|{ANNE}", f"Lun. 6 octobre 2025||Cyr, A|{LOUISE}", f"à 9h45||Cyr, H|{PAUL}", f"||Cyr, V|{HUGO}"),
    )
    nine, later = (FRIDAY, time(9)), (date(2025, 10, 6), time(9, 45))
    assert visit_of(sheet, *SIX) == [nine, nine, nine, later, later, later]


@pytest.mark.parametrize("day", ["3 octobre", "3 oct.", "October 3,"])
def test_a_date_may_have_its_year_in_the_next_line_of_a_narrow_cell(day: str) -> None:
    rows = (f"{day}|9 h|{MARTIN}|12 juillet 2023", "2025", f"|9 h 30|{SERGE}|21 mars 2024")
    sheet = page("Relevé produit le 27 octobre 2025", "Jour|Heure|NAM|Dernier examen", *rows)
    assert visit_of(sheet, MARTIN, SERGE) == [(FRIDAY, time(9)), (FRIDAY, time(9, 30))]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("AN MO JR|H MIN|Usager|R.A.M.Q.", "2025 10 03|08 05"),
        ("Jour Mois An|Heure Min|Usager|R.A.M.Q.", "03 10 2025|08 05"),
    ],
)
def test_a_date_and_a_time_may_have_a_column_for_each_part(head: str, row: str) -> None:
    heads = [word for cell in head.split("|") for word in cell.split()]
    parts = [word for cell in row.split("|") for word in cell.split()]
    edges = [0.04 + 0.09 * at for at in range(len(heads))]
    lines = [
        Line(tuple(word for x, text in zip(edges, texts, strict=True) for word in words(x, y, text)))
        for y, texts in ((0.1, heads), (0.12, [*parts, "Roy", MARTIN]), (0.14, [*parts, "Cyr", SERGE]))
    ]
    assert visit_of(Page(1, 612, 792, tuple(lines), "local"), MARTIN, SERGE) == [(FRIDAY, time(8, 5))] * 2


MONTH = (
    *("OCTOBRE 2025", "Clinique jeunesse", "", f"2|13 h|{MARTIN}", f"|13 h 20|{SERGE}"),
    *("3|13 h 10|sans carte", f"|13 h 30|{ANNE}", f"6|13 h|{LOUISE}"),
)


@pytest.mark.parametrize("head", ["Le|À|Assurance maladie", "Jour|Heure|NAM", "Day|Time|Card"])
def test_days_below_a_month_hold_for_the_rows_below_them(head: str) -> None:
    sheet = page(*(row or head for row in MONTH))
    assert dates_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [date(2025, 10, day) for day in (2, 2, 3, 6)]


def test_an_earlier_hour_below_a_day_is_of_a_day_that_was_not_read() -> None:
    sheet = page(*(row.replace("6|", "|") or "Le|À|Assurance maladie" for row in MONTH))
    assert dates_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [date(2025, 10, 2), date(2025, 10, 2), FRIDAY, None]


@pytest.mark.parametrize("head", ["No|Heure|NAM", "Rang|Heure|NAM"])
def test_other_figures_below_a_month_are_no_days(head: str) -> None:
    sheet = page(*(row or head for row in MONTH))
    assert dates_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [None] * 4


def test_numbers_that_go_up_by_one_are_no_hours() -> None:
    sheet = page(f"1001|{MARTIN}", f"1002|{SERGE}", f"1003|{ANNE}", f"1004|{LOUISE}")
    assert times_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [None] * 4


def test_hours_between_two_numbers_of_a_row_are_those_of_the_second() -> None:
    sheet = page(
        *(f"08:15|{MARTIN}|09:25|{SERGE}", f"14:40|{ANNE}|11:25|{LOUISE}"),
        *(f"09:55|{PAUL}|12:10|ROYA 6251 0720", "08:50||12:20|"),
    )
    assert times_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [time(8, 15), time(9, 25), time(14, 40), time(11, 25)]


def test_two_lists_of_hours_side_by_side_keep_their_own() -> None:
    halves = (("08:30", "08:15"), ("08:50", "08:30"), ("09:05", "08:45"))
    numbers = ((MARTIN, SERGE), (ANNE, LOUISE), (PAUL, HUGO))
    rows = []
    for (left, right), (first, second) in zip(halves, numbers, strict=True):
        rows += [f"{left}|Roy, Anne|{right}|Cyr, Paul", f"|{first}||{second}"]
    clocks = [time(8, 30), time(8, 15), time(8, 50), time(8, 30), time(9, 5), time(8, 45)]
    sheet = page("Jeudi 2 octobre 2025||Vendredi 3 octobre 2025", *rows, "09:20|annulé")
    assert times_of(sheet, *SIX) == clocks


def test_four_digits_behind_the_date_of_a_visit_are_its_time() -> None:
    sheet = page(f"NAM : {MARTIN}", "Visite : 2025-10-03 0905", "Reçu au labo : 2025-10-03 1211")
    assert visit_of(sheet, MARTIN) == [(FRIDAY, time(9, 5))]


def test_a_card_may_name_the_day_before_its_date() -> None:
    sheet = page(
        *(f"RAMQ {MARTIN}", "Date : vendredi 3 octobre 2025", ""),
        *(f"RAMQ {SERGE}", "Date : jeudi 2 octobre 2025", ""),
        *(f"RAMQ {ANNE}", "Date : 2025-10-01"),
    )
    assert dates_of(sheet, MARTIN, SERGE, ANNE) == [FRIDAY, date(2025, 10, 2), date(2025, 10, 1)]


@pytest.mark.parametrize("mark", ["H", "=", "11", "u"])
def test_two_strokes_of_a_pen_repeat_the_date_above(mark: str) -> None:
    sheet = page("Date|Heure|NAM", f"2025-10-03|8 h|{MARTIN}", f"{mark}|8 h 20|{SERGE}", f"2025-10-04|9 h|{ANNE}")
    assert dates_of(sheet, MARTIN, SERGE, ANNE) == [FRIDAY, FRIDAY, date(2025, 10, 4)]


def test_a_fax_machines_date_is_not_the_visit() -> None:
    sheet = page("2025-11-03 10:08|DE: 873 555-9751|P.01/01", "", "Patients inscrits", f"{MARTIN}", f"{SERGE}")
    assert dates_of(sheet, MARTIN, SERGE) == [None, None]


def test_a_title_that_speaks_of_invoices_may_name_the_day_of_visits() -> None:
    sheet = page("Références et facturation, vendredi 3 octobre 2025", "", f"9 h|{MARTIN}", f"9 h 30|{SERGE}")
    assert dates_of(sheet, MARTIN, SERGE) == [FRIDAY, FRIDAY]
    printed = page("Imprimé le vendredi 3 octobre 2025", "", f"9 h|{MARTIN}", f"9 h 30|{SERGE}")
    assert dates_of(printed, MARTIN, SERGE) == [None, None]


@pytest.mark.parametrize("said", ["Arrivée 0812", "Triage : 0812", "Vu à 0812", "Heure du triage : 0812", "0812 hrs"])
def test_four_digits_are_a_time_where_words_ask_for_one(said: str) -> None:
    assert times_of(page(f"NAM : {MARTIN}", said), MARTIN) == [time(8, 12)]


def test_an_arrival_in_a_year_is_no_time() -> None:
    assert times_of(page(f"NAM : {MARTIN}", "Arrivée 2019 de Belgique"), MARTIN) == [None]


def test_an_hour_whose_ones_are_read_as_letters_is_an_hour_all_the_same() -> None:
    sheet = page("09:40", f"T0:00|{MARTIN}", "T0:20", f"TT:20|{SERGE}", "12:00", "12:20")
    assert times_of(sheet, MARTIN, SERGE) == [time(10), time(11, 20)]


def test_hours_may_stand_above_all_lines_of_an_appointment() -> None:
    rows = [Line(tuple(words(0.07, 0.1 + 0.032 * i, f"{8 + i}:00"))) for i in range(8)]
    for i, (name, number) in enumerate((("Tremblay", MARTIN), ("Cotsu", SERGE), ("Roy", ANNE), ("Royer", LOUISE))):
        y = 0.1 + 0.064 * i
        rows += [Line(tuple(words(0.3, y + 0.0105, number))), Line(tuple(words(0.3, y + 0.0185, name)))]
    sheet = Page(1, 612, 792, tuple(rows), "local")
    assert times_of(sheet, MARTIN, SERGE, ANNE, LOUISE) == [time(8), time(10), time(12), time(14)]


@pytest.mark.parametrize("sign", ["|", " : "])
@pytest.mark.parametrize("later", ["Triage", "Infirmière", "Signes vitaux"])
def test_the_first_of_two_moments_that_every_entry_states_is_the_visits(sign: str, later: str) -> None:
    numbers = (MARTIN, SERGE, ANNE, LOUISE)
    rows = []
    for hour, number in enumerate(numbers, start=8):
        rows += [f"NAM {number}|P3", f"Arrivée{sign}{hour:02d}:12|{later}{sign}{hour:02d}:20", "Motif : toux", ""]
    assert times_of(page(*rows), *numbers) == [time(8, 12), time(9, 12), time(10, 12), time(11, 12)]


@pytest.mark.parametrize("name", MONTHS)
def test_a_date_is_read_with_every_name_of_a_month(name: str) -> None:
    assert [found.value for found in dates_in(f"le 3 {name} 2025")] == [date(2025, MONTHS[name], 3)]
    assert [found.value for found in dates_in(f"on {name} 3, 2025")] == [date(2025, MONTHS[name], 3)]


@pytest.mark.parametrize("name", WEEKDAYS)
def test_a_date_is_read_behind_every_name_of_a_day(name: str) -> None:
    assert [found.value for found in dates_in(f"{name} 2025-10-03")] == [date(2025, 10, 3)]
