"""A register as a file: a table for a spreadsheet, or JSON with every version. Pure."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell (OWASP, CSV injection)."""


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with its mark, semicolons and CRLF, as a spreadsheet of this region opens it; no cell is a formula."""
    file = StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless("" if cell is None else str(cell)) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def to_json(body: Any) -> bytes:
    """UTF-8, indented by one."""
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
