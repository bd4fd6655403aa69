"""Other views of a page: what is shown says the same as the page, and only whole numbers are wanted."""

from __future__ import annotations

import pytest

from extraction.finders.location import text_of
from extraction.layout import Layout
from extraction.llm.training.targets import Spans, Target
from extraction.llm.training.views import View, mirrored, parted
from tests.unit.paper import page_of

ROWS = (
    "Clinique\tVisites du 3 octobre 2025",
    "Heure\tNom\tNuméro",
    "08:30\tTremblay, Martin\tNAM : TREM 0412 1925",
    "09:15\tRoy, Julie\tROYJ 5551 0112",
    *(f"ligne {number}" for number in range(12)),
    "10:45\tCôté, Luc\tCOTL 6001 0119",
)


def spans(layout: Layout, text: str) -> Spans:
    start = layout.printed.index(text)
    return ((start, start + len(text)),)


def entry(layout: Layout, nam: str, date: str, time: str) -> Target:
    return Target(spans(layout, nam), (), spans(layout, date), spans(layout, time))


@pytest.fixture
def view() -> View:
    layout = Layout.of(page_of(*ROWS))
    return View(
        layout,
        [
            entry(layout, "TREM 0412 1925", "3 octobre 2025", "08:30"),
            entry(layout, "ROYJ 5551 0112", "3 octobre 2025", "09:15"),
            entry(layout, "COTL 6001 0119", "3 octobre 2025", "10:45"),
        ],
    )


def said(view: View) -> list[tuple[str, ...]]:
    return [tuple(text_of(view.layout, value) for value in target if value) for target in view.wanted]


def test_a_part_wants_the_numbers_that_it_shows(view: View) -> None:
    first, second, *_, last = parted(*view, 120)
    assert said(first) == [("TREM 0412 1925", "3 octobre 2025", "08:30")]
    assert said(second) == [("ROYJ 5551 0112", "3 octobre 2025", "09:15")]
    # The heading dates it; numbers of other parts are not shown with it.
    assert said(last) == [("COTL 6001 0119", "3 octobre 2025", "10:45")]


def test_a_number_that_is_cut_is_not_wanted(view: View) -> None:
    layout = view.layout
    (start, end), *_ = spans(layout, "Nom")
    torn = Target((*spans(layout, "ligne 5"), *spans(layout, "ligne 11")))
    whole = Target(((start, end),))
    wanted = [part.wanted for part in parted(layout, [whole, torn], 60)]
    assert all(text_of(layout, target.nam) != "" for target in [whole, torn])
    assert [len(each) for each in wanted] == [1] * len(wanted)


def test_what_a_part_does_not_show_is_not_said(view: View) -> None:
    layout = view.layout
    far = Target(spans(layout, "COTL 6001 0119"), (), spans(layout, "ligne 4"), ())
    *_, last = parted(layout, [far], 60)
    assert said(last) == [("COTL 6001 0119",)]


def test_mirrored_columns_say_the_same_in_the_opposite_order(view: View) -> None:
    shown = mirrored(*view)
    assert shown is not None
    assert said(shown) == said(view)
    rows = [row.split("\t") for row in shown.layout.printed.splitlines()]
    assert rows == [list(reversed(row.split("\t"))) for row in ROWS]


def test_a_number_in_several_cells_is_not_torn(view: View) -> None:
    layout = Layout.of(page_of("TREM\t0412 1925"))
    torn = Target((*spans(layout, "TREM"), *spans(layout, "0412 1925")))
    across = Target(((0, len("TREM 0412 1925")),))
    assert mirrored(layout, [across]) is None
    assert mirrored(layout, [torn]) is not None
