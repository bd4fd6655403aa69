"""`docs/conformite.md` and `docs/compliance.md` say the same: row by row the same articles, places and decisions."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def rows(name):
    """The cells of each row: duty, article, what for, where."""
    lines = (DOCS / name).read_text(encoding="utf-8").splitlines()
    return [line.strip("|").split(" | ") for line in lines if line.startswith("| ")]


def gist(row):
    """What does not depend on the language: numbers of articles and whether they were read, code, decisions."""
    _duty, article, _what, where = (cell.strip() for cell in row)
    code = {each.replace("CLINIQUE", "CLINIC") for each in re.findall("`[^`]+`", where)}
    is_unread = bool(re.search("not read|non lu", article))
    return re.findall(r"\d+(?:\.\d+)?", article), is_unread, code, re.findall(r"\d{4}", where)


@pytest.mark.parametrize(("english", "french"), list(zip_longest(rows("compliance.md"), rows("conformite.md"))))
def test_a_row_and_its_twin_name_the_same_articles_and_places(english, french):
    assert gist(english) == gist(french)


@pytest.mark.parametrize("name", ["compliance.md", "conformite.md"])
def test_every_decision_that_is_named_exists(name):
    named = {number for row in rows(name) for number in re.findall(r"\b00\d\d\b", row[3])}
    assert named
    assert all(list((DOCS / "decisions").glob(f"{number}-*.md")) for number in named)


@pytest.mark.parametrize("name", ["compliance.md", "conformite.md"])
def test_every_duty_names_its_article(name):
    assert [row[0] for row in rows(name)[1:] if not re.search(r"\d", row[1])] == []
