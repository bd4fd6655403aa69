"""Of the hours of one visit, that of its beginning; an appointment and hours without steps stay what they were."""

from __future__ import annotations

from datetime import time

import pytest

from extraction.layout import Layout
from extraction.page import Line, Page
from extraction.visits import moments
from extraction.visits.captions import Captions
from extraction.visits.steps import Steps
from tests.unit.paper import page_of, words


def kept(*rows: str) -> list[time]:
    """The times that may be visits."""
    layout = Layout.of(page_of(*rows))
    return [mark.value for mark in Captions.of(layout).times(range(len(rows)))]


@pytest.mark.parametrize(
    "row",
    [
        "Arrivée 08:05, triage 08:20, prise en charge 09:10",
        "Triage : 08:20\tArrivé à : 08:05",
        "Heure d'arrivée : 8 h 05\tHeure de prise en charge : 9 h 10",
        "Check-in : 8:05 a.m.\tDischarge time : 11:40 a.m.",
        "Inscription\t08:05\tTriage\t08:20",
    ],
)
def test_the_hour_of_arrival_is_kept_and_later_steps_are_not(row: str) -> None:
    assert kept(row) == [time(8, 5)]


def test_the_head_of_a_column_names_its_hours() -> None:
    rows = ("Nom, prénom\tTriage\tArrivée", "Roy, Juliet\t08:20\t08:05", "Côté, Lucie\t09:20\t09:05")
    assert kept(*rows) == [time(8, 5), time(9, 5)]


def test_the_head_of_a_column_may_have_two_lines() -> None:
    rows = ("Nom, prénom\tArrivée\tVu à", "x\t(h min)\t(réservé)", "Roy, Juliet\t08:05\t08:20")
    assert kept(*rows) == [time(8, 20)]


def test_what_tells_of_the_visit_itself_counts_before_the_arrival() -> None:
    assert kept("Arrivée : 08:05\tTriage : 08:20\tVu à 09:10\tDépart : 10:00") == [time(9, 10)]
    assert kept("Arrived 08:05\tStart of visit 09:10") == [time(9, 10)]


@pytest.mark.parametrize(
    "row",
    [
        "Arrivée 08:05, triage 08:20, vu par le médecin 09:10, départ 10:00",
        "Arrivée : 08:05\tConsultation MD : 09:10\tFin : 09:30",
        "Arrived 08:05\tTime seen 09:10",
    ],
)
def test_the_hour_of_the_physician_counts_before_the_arrival(row: str) -> None:
    assert kept(row) == [time(9, 10)]


def test_the_hour_of_a_nurse_does_not() -> None:
    assert kept("Arrivée 08:05, vu par l'infirmière 08:20, départ 10:00") == [time(8, 5)]


def test_heads_as_many_as_hours_name_them_in_their_order() -> None:
    head = Line((*words(0.04, 0.1, "Arrivée"), *words(0.2, 0.1, "Triage"), *words(0.3, 0.1, "Consultation MD")))
    hours = Line((*words(0.05, 0.12, "09:11"), *words(0.21, 0.12, "09:19"), *words(0.36, 0.12, "11:15")))
    layout = Layout.of(Page(1, 612, 792, (head, hours), "local"))
    assert [mark.value for mark in Captions.of(layout).times(range(2))] == [time(11, 15)]


def test_running_text_above_hours_is_no_head_of_theirs() -> None:
    text = "Voici les usagers évalués en avant-midi le 18 septembre; la plage inscrite est celle de la rencontre."
    assert kept(text, "Roy\t8 h - 8 h 20", "Cyr\t8 h 25 - 8 h 45") == [time(8), time(8, 25)]


def test_cells_that_a_reader_took_for_one_leave_the_names_to_the_head() -> None:
    columns = (0.04, 0.125, 0.29, 0.40, 0.60)
    rows = (
        ("No visite", "Arrivée", "Triage", "Début visite MD", "Nom"),
        ("U5534803", "2026-03-06 18:10", "18:21 P4 A6", "2026-03-06 19:24", "Roy"),
        ("U7545788", "2026-03-06 18:24", "18:35 P5 B2", "2026-03-06 20:10", "Cyr"),
    )
    lines = [
        Line(tuple(word for x, text in zip(columns, row, strict=True) for word in words(x, 0.1 + 0.02 * y, text)))
        for y, row in enumerate(rows)
    ]
    layout = Layout.of(Page(1, 612, 792, tuple(lines), "local"))
    assert "U5534803 2026-03-06 18:10\t18:21 P4 A6 2026-03-06 19:24" in layout.printed
    assert [mark.value for mark in Captions.of(layout).times(range(3))] == [time(19, 24), time(20, 10)]


def test_a_later_step_is_none_of_an_entry_that_states_no_arrival() -> None:
    rows = ("Arrivée : 08:05\tTriage : 08:20", "Triage : 09:20")
    assert kept(*rows) == [time(8, 5)]


def test_an_appointment_is_kept_beside_an_arrival() -> None:
    assert kept("Rendez-vous : 08:15\tArrivée : 08:05") == [time(8, 15), time(8, 5)]


def test_without_an_arrival_nothing_is_a_step() -> None:
    layout = Layout.of(page_of("Triage 08:20\tMédecin 09:10", "Début 10:00\tFin 11:00"))
    assert Steps.of(layout, moments.times_in(layout.folded)) == Steps()


def test_one_hour_alone_is_kept_whatever_it_is_called() -> None:
    assert kept("Arrivée : 08:05") == [time(8, 5)]
    assert kept("Prise en charge à 08:05") == [time(8, 5)]
