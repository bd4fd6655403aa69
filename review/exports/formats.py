"""The files that numbers leave in. Pure: the same lines make the same bytes.

- `csv`: for a spreadsheet of this region: semicolons, CRLF, UTF-8 with its mark. No cell can be taken for a formula.
- `xlsx`: the same table as a workbook; every cell is text.
- `json`: `[{"nam", "page", "date", "time"}]`, which `manage.py evaluate` takes as the truth of the document.
- `ssv`, `ssv_claims`: the billing file of the system that this one replaces, in the two layouts that are known of it:
  26 columns, semicolons, CRLF, UTF-8 without a mark. Header and rows are made from one list. (That system wrote 26
  names over 25 fields, the sector in the wrong one.)
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, NamedTuple

from audit.formats.spreadsheet import to_csv
from review.exports.lines import Line

if TYPE_CHECKING:
    from extraction.actions import Billing


class Format(NamedTuple):
    """How a file is written, and what a browser is told of it."""

    write: Callable[[Sequence[Line], Billing], bytes]
    suffix: str
    content_type: str


BILLING_COLUMNS = (
    "doctorLicenceID", "doctorGroupNumber", "ClaimDate", "ProcedureTime", "HIN", "PatientGender", "PatientFirstName",
    "PatientLastName", "PatientBirthdate", "PatientParentHIN", "Sector", "Diagnosis", "ProcedureCode", "Units",
    "ContextualElements", "referringDoctor", "CSSTAccidentDate", "HospitalisationDate", "ExitDate",
    "RAMQReferenceFacilityType", "RAMQReferenceFacilityId", "SpecialGroup", "OtherRelatedProfessionalType",
    "OtherRelatedProfessionals", "Type", "ShiftTime",
)  # fmt: skip
"""The header that the former system wrote. What we do not know of a visit stays empty."""
CLAIM_COLUMNS = (
    "doctorLicenceID", "doctorGroupNumber", "ClaimDate", "ProcedureTime", "HIN", "PatientGender", "PatientBirthDate",
    "PatientFirstName", "PatientLastName", "PhysicianSpeciality", "DiagnosticCode", "BillingCode", "NumberOfServices",
    "ServiceLocation", "HospitalizationIndicator", "ContextElement", "ComplementInformation", "ServiceProviderID",
    "ReferringPhysicianID", "PrimaryCarePhysicianID", "InstitutionCode", "InstitutionService", "FeeExplanation",
    "EstimatedAmount", "PaidAmount", "ApprovalNumber",
)  # fmt: skip
"""The header of that system's sample file. It has no column for the sector."""
BILLING_LAYOUTS = {"ssv": BILLING_COLUMNS, "ssv_claims": CLAIM_COLUMNS}
"""By format. Either has columns that only a billing program knows how to fill."""
COLUMNS = ("NAM", "Date de visite", "Heure", "Page", "Contrôles", "Décision")
_VERDICTS = {"confirm": "confirmé", "correct": "corrigé", "add": "ajouté"}
_LONG_AGO = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook knows no zones
"""When every workbook says that it was made, so that equal ones are equal."""


def _table(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    return [
        (
            line.nam,
            line.day or "",
            line.clock or "",
            str(line.page),
            "valides" if line.is_valid else "en échec",
            _VERDICTS[line.verdict],
        )
        for line in lines
    ]


def _csv(lines: Sequence[Line], _billing: Billing) -> bytes:
    return to_csv(COLUMNS, _table(lines))


def _xlsx(lines: Sequence[Line], _billing: Billing) -> bytes:
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

    file = BytesIO()
    with Workbook(file, {"in_memory": True}) as workbook:
        workbook.set_properties({"created": _LONG_AGO})
        sheet = workbook.add_worksheet("NAM")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(COLUMNS) - 1, 16)
        for number, row in enumerate([COLUMNS, *_table(lines)]):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)
    return file.getvalue()


def _json(lines: Sequence[Line], _billing: Billing) -> bytes:
    body = [{"nam": line.nam, "page": line.page, "date": line.day, "time": line.clock} for line in lines]
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()


def _ssv(columns: Sequence[str], lines: Sequence[Line], billing: Billing) -> bytes:
    """A value for which a layout has no column is not in its file."""
    file = StringIO(newline="")
    writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    for line in lines:
        writer.writerow(
            {
                "doctorLicenceID": billing.doctor_licence,
                "doctorGroupNumber": billing.doctor_group or "0",
                "ClaimDate": line.day,
                "ProcedureTime": line.clock or "",
                "HIN": line.nam,
                "Sector": billing.sector,
            }
        )
    return file.getvalue().encode()


FORMATS = {
    **{
        name: Format(partial(_ssv, columns), "csv", "text/csv; charset=utf-8")
        for name, columns in BILLING_LAYOUTS.items()
    },
    "csv": Format(_csv, "csv", "text/csv; charset=utf-8"),
    "xlsx": Format(_xlsx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": Format(_json, "json", "application/json"),
}
