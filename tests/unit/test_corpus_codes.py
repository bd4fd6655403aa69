"""Codes of the shape of a NAM pass its checks as often as chance lets them, and the pages that hold them say so."""

from __future__ import annotations

import random
import re
from datetime import date
from functools import cache

import pypdfium2
import pytest

from extraction import nam
from extraction.corpus.codes import CHANCE, Numbering, Scheme, invent_scheme, lucky, with_look_alikes
from extraction.corpus.documents import CorpusDocument, build

DAY = date(2025, 10, 3)
CODE = re.compile(r"[A-Z]{4}[0-9]{6}[0-9A-Z][0-9]")
SHAPE = re.compile(r"\b[A-Z]{4}[ ./-]{0,2}[0-9]{4}[ ./-]{0,2}[0-9]{2}[ ./-]{0,2}[0-9A-Z][0-9]\b")
SAID = re.compile(
    r"exemple|p\. ex|ex\. :|sp[ée]cimen|mod[èe]le|ficti|sample|example|illustrat|e\.g\.|format|comme suit", re.I
)
SEEDS = range(12)


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


@cache
def page(layout: str, seed: int) -> CorpusDocument:
    return build(layout, seed=seed, pages=1)


@cache
def text(layout: str, seed: int) -> str:
    with pypdfium2.PdfDocument(page(layout, seed).pdf) as pdf:
        return str(pdf[0].get_textpage().get_text_range())


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


@pytest.mark.parametrize("layout", ["statement", "inventory", "courier", "referrals"])
def test_some_codes_of_every_kind_of_list_are_valid_by_chance_and_known(layout: str) -> None:
    values = [value for seed in SEEDS for value in page(layout, seed).specimens]
    assert values
    assert all(all(nam.check(value)) for value in values)


@pytest.mark.parametrize("layout", ["statement", "inventory", "courier"])
def test_valid_codes_stand_among_many_more_that_fail(layout: str) -> None:
    codes = sum(len(SHAPE.findall(text(layout, seed))) for seed in SEEDS)
    assert sum(len(page(layout, seed).specimens) for seed in SEEDS) < codes / 8


@pytest.mark.parametrize("seed", SEEDS)
def test_a_notice_says_that_its_numbers_are_examples(seed: int) -> None:
    assert SAID.search(text("notice", seed))


def test_some_codes_of_a_courier_are_broken_over_lines_or_columns() -> None:
    whole = re.compile(r"[A-Z]{4}[0-9]{4}\r?\n?\s+[0-9]{4}\b")
    assert any(whole.search(text("courier", seed)) for seed in range(30))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_page_of_referrals_holds_three_to_eight_nams_and_more_codes(seed: int) -> None:
    known = {item.nam for item in page("referrals", seed).truth}
    printed = {nam.normalise(found) for found in SHAPE.findall(text("referrals", seed))}
    assert 3 <= len(known) <= 8
    assert len(printed - known) > len(known)


@pytest.mark.parametrize("layout", ["statement", "inventory", "notice", "courier", "referrals"])
def test_pages_of_one_layout_differ_in_words_and_order(layout: str) -> None:
    heads = {tuple(re.sub(r"[0-9]", "", text(layout, seed)).split()[20:40]) for seed in SEEDS}
    assert len(heads) == len(SEEDS)
