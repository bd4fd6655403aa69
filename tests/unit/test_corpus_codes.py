"""Codes of the shape of a NAM pass its checks as often as chance lets them."""

from __future__ import annotations

import random
import re
from datetime import date

import pytest

from extraction import nam
from extraction.corpus.codes import CHANCE, Numbering, Scheme, invent_scheme, lucky, with_look_alikes

DAY = date(2025, 10, 3)
CODE = re.compile(r"[A-Z]{4}[0-9]{6}[0-9A-Z][0-9]")


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


@pytest.mark.parametrize("seed", range(40))
def test_a_code_has_twelve_characters_and_fails_a_check_unless_a_valid_one_is_asked_for(seed: int) -> None:
    code = invent_scheme(chance(seed), ("RECL",)).invent(chance(seed), DAY)
    assert CODE.fullmatch(code)
    assert not all(nam.check(code))


@pytest.mark.parametrize("numbering", ["free", "dated"])
def test_a_code_that_is_asked_for_passes_every_check(numbering: Numbering) -> None:
    assert all(nam.check(Scheme("QB??", numbering).invent(chance(1), DAY, valid=True)))


def test_a_system_that_puts_the_year_first_has_no_valid_code() -> None:
    code = Scheme("QBLM", "yearly").invent(chance(1), DAY, valid=True)
    assert code.startswith("QBLM2025")
    assert not all(nam.check(code))


def test_running_numbers_rise_behind_the_letters_of_their_system() -> None:
    scheme = Scheme("QB?M", "running", first=4_120_000)
    codes = [scheme.invent(chance(place), DAY, place) for place in range(9)]
    assert [int(code[4:]) for code in codes] == sorted({int(code[4:]) for code in codes})
    assert {code[:2] + code[3] for code in codes} == {"QBM"}


def test_one_code_in_thirty_is_valid_and_some_lists_hold_two_to_four() -> None:
    alone = sum(len(lucky(chance(seed), 1)) for seed in range(6_000)) / 6_000
    assert alone == pytest.approx(CHANCE, abs=0.01)
    short_lists = [len(lucky(chance(seed), 8)) for seed in range(1_000)]
    assert sum(2 <= count <= 4 for count in short_lists) > 1_000 / 8


def test_look_alikes_take_the_shape_of_a_nam_from_a_code() -> None:
    changed = with_look_alikes(chance(1), "QBLM04120019")
    assert len(changed) == 12
    assert not nam.check(changed).format
