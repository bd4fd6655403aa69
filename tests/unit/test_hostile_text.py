"""Whatever text anybody writes: it starts no formula, forges no log line, and no number gets past the mask."""

from __future__ import annotations

import csv
import json
import logging
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.formats.spreadsheet import harmless
from extraction.actions import Billing
from extraction.nam import grouped
from namsite.logs import MASK, JsonFormatter, ScrubFilter
from review.exports.formats import FORMATS
from review.exports.lines import Line
from tests.factories import some_nam

ATTACK = pytest.mark.attack("hostile text", "refused")
HOSTILE = st.text(st.sampled_from("=+-@\t\r\n;\"',|！＝\u202e\u200b0A%{}") | st.characters(exclude_categories=["Cs"]))
STARTS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
BILLING = Billing("1234567", "54321", "3")


@ATTACK
@given(HOSTILE, HOSTILE)
def test_no_cell_of_a_csv_file_is_a_formula_or_breaks_its_row(number: str, clock: str) -> None:
    data = FORMATS["csv"].write([Line(1, number, "2025-10-03", clock, "confirm", is_signed=True)], BILLING)
    header, row = csv.reader(StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";")
    assert len(row) == len(header)
    assert not any(cell.startswith(STARTS_A_FORMULA) for cell in row)
    assert row[0] == harmless(number)


@ATTACK
@given(HOSTILE)
def test_a_json_file_says_what_was_decided_and_nothing_else(number: str) -> None:
    data = FORMATS["json"].write([Line(1, number, "2025-10-03", None, "confirm", is_signed=True)], BILLING)
    assert json.loads(data) == [{"nam": number, "page": 1, "date": "2025-10-03", "time": None}]


def logged(message: str, *args: object) -> str:
    record = logging.LogRecord("namsite", logging.INFO, __file__, 1, message, args, None)
    ScrubFilter().filter(record)
    return JsonFormatter().format(record)


@ATTACK
@given(HOSTILE)
def test_a_log_line_stays_one_line_whatever_is_logged(text: str) -> None:
    line = logged("refused: %s", text)
    assert line.splitlines() == [line]
    assert json.loads(line)["level"] == "INFO"


@ATTACK
@given(HOSTILE)
def test_a_message_that_is_no_format_loses_no_line(text: str) -> None:
    assert json.loads(logged(text, "one argument"))["logger"] == "namsite"


@ATTACK
@given(st.integers(0, 2_999), st.sampled_from(["", " ", "-", ".", "\u00a0", "\u202f"]), st.booleans(), HOSTILE)
def test_no_number_gets_past_the_mask(number: int, gap: str, lower: bool, around: str) -> None:
    printed = grouped(some_nam(number)).replace(" ", gap)
    printed = printed.lower() if lower else printed
    line = logged("%s: %s.", around, printed)
    assert printed not in json.loads(line)["message"]
    assert MASK in line
