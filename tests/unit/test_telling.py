"""Which rows of a page are shown to a model that chooses from it."""

from __future__ import annotations

import pytest

from extraction.finders.telling import telling
from extraction.layout import Layout
from tests.unit.paper import page

NUMBER = "TREM04121925"
"""A published example, which is nobody's."""


def rows(*texts: str) -> set[int]:
    return telling(Layout.of(page(*texts)))


@pytest.mark.parametrize(
    "text",
    [NUMBER, "Facture REQU88040592", "No de facture", "N.A.M.", "Exemple", "le 3 octobre 2025", "rendez-vous à 8 h 30"],
)
def test_a_row_that_answers_or_names_something_is_shown(text: str) -> None:
    assert rows("Clinique du Lac", text, "Suivi annuel") == {1}


@pytest.mark.parametrize("text", ["Anne Roy", "12, rue des Érables", "Suivi annuel, à jeun", "418 555-0123"])
def test_a_row_of_names_addresses_or_reasons_is_not(text: str) -> None:
    assert rows(NUMBER, text) == {0}
