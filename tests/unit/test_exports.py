"""What leaves for the billing: which numbers may, and files that say the same when they are read again."""

from __future__ import annotations

import csv
import json
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest

from audit.formats.spreadsheet import harmless
from extraction import nam
from extraction.actions import Billing
from extraction.evaluation import Known
from review.exports.formats import BILLING_COLUMNS, CLAIM_COLUMNS, FORMATS
from review.exports.lines import Line, Reason, Selection, sort_out
from tests.factories import some_nam

GOOD, OTHER = some_nam(1), some_nam(2)
WRONG = GOOD[:-1] + str((int(GOOD[-1]) + 5) % 10)
BILLING = Billing("1234567", "54321", "3")


def line(value: str = GOOD, *, page: int = 1, day: str | None = "2025-10-03", clock: str | None = "08:30",
         verdict: str = "confirm", signed: bool = True) -> Line:  # fmt: skip
    return Line(page, value, day, clock, verdict, signed)


@pytest.mark.parametrize(
    ("stays", "reason"),
    [
        (line(verdict=""), Reason.UNDECIDED),
        (line(signed=False), Reason.UNSIGNED),
        (line()._replace(is_disputed=True), Reason.DISPUTED),
        (line(verdict="")._replace(is_hidden=True), Reason.HIDDEN),
        (line(day=None), Reason.UNDATED),
        (line(day="1899-01-01"), Reason.BEFORE_BIRTH),
        (line(WRONG), Reason.FAILED_CHECK),
    ],
)
def test_what_may_not_leave_stays_with_its_reason(stays: Line, reason: Reason) -> None:
    found = sort_out([stays, line(OTHER)])
    assert found.leaving == [line(OTHER)]
    assert found.staying == [(stays, reason)]


def test_a_number_that_fails_a_check_leaves_if_a_person_says_so() -> None:
    assert not nam.check(WRONG).check_character
    assert sort_out([line(WRONG)], Selection(failed_checks=True)).leaving == [line(WRONG)]


def test_a_visit_without_a_time_leaves_without_one() -> None:
    assert sort_out([line(clock=None)]).leaving == [line(clock=None)]


def test_the_same_visit_leaves_once_and_another_visit_of_the_person_too() -> None:
    lines = [line(), line(page=2), line(clock="09:00"), line(day="2025-10-04")]
    found = sort_out(lines)
    assert found.leaving == [lines[0], lines[2], lines[3]]
    assert found.staying == [(lines[1], Reason.REPEATED)]
    assert sort_out(lines, Selection(repeats=True)).leaving == lines


def test_what_stays_repeats_nothing() -> None:
    assert sort_out([line(signed=False), line()]).leaving == [line()]


def test_the_billing_file_has_26_columns_and_every_value_in_its_own() -> None:
    data = FORMATS["ssv"].write([line(), line(OTHER, clock=None)], BILLING)
    rows = list(csv.reader(StringIO(data.decode(), newline=""), delimiter=";"))
    assert [len(row) for row in rows] == [26, 26, 26]
    assert tuple(rows[0]) == BILLING_COLUMNS
    first, second = (dict(zip(rows[0], row, strict=True)) for row in rows[1:])
    assert {name: value for name, value in first.items() if value} == {
        "doctorLicenceID": "1234567", "doctorGroupNumber": "54321", "ClaimDate": "2025-10-03",
        "ProcedureTime": "08:30", "HIN": GOOD, "Sector": "3",
    }  # fmt: skip
    assert second["ProcedureTime"] == ""
    assert data.count(b"\r\n") == data.count(b"\n") == 3
    assert not data.startswith(b"\xef\xbb\xbf")


def test_the_other_layout_has_26_columns_and_none_for_the_sector() -> None:
    data = FORMATS["ssv_claims"].write([line()], BILLING)
    rows = list(csv.reader(StringIO(data.decode(), newline=""), delimiter=";"))
    assert [len(row) for row in rows] == [26, 26]
    assert tuple(rows[0]) == CLAIM_COLUMNS
    assert {name: value for name, value in zip(*rows, strict=True) if value} == {
        "doctorLicenceID": "1234567", "doctorGroupNumber": "54321", "ClaimDate": "2025-10-03",
        "ProcedureTime": "08:30", "HIN": GOOD,
    }  # fmt: skip


def test_the_table_opens_in_a_spreadsheet_of_this_region() -> None:
    data = FORMATS["csv"].write([line(WRONG, verdict="correct")], Billing())
    rows = list(csv.reader(StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert data.startswith(b"\xef\xbb\xbf")
    assert rows[1] == [WRONG, "2025-10-03", "08:30", "1", "en échec", "corrigé"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_taken_for_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_the_workbook_holds_text_and_is_the_same_every_time() -> None:
    one, other = (FORMATS["xlsx"].write([line()], Billing()) for _ in range(2))
    with ZipFile(BytesIO(one)) as file, ZipFile(BytesIO(other)) as again:
        assert GOOD in file.read("xl/sharedStrings.xml").decode()
        assert [file.read(name) for name in file.namelist()] == [again.read(name) for name in again.namelist()]


def test_the_data_is_the_truth_that_evaluate_reads() -> None:
    body = json.loads(FORMATS["json"].write([line(page=3, clock=None)], Billing()))
    assert body == [{"nam": GOOD, "page": 3, "date": "2025-10-03", "time": None}]
    assert Known.from_json(body[0]).nam == GOOD
