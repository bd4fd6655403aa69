"""Service times that the parts measure and `tests.load.capacity` reckons with, in docs/service-times.json."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

from tests.benchmarks.measure import ROOT
from tests.load.site import Site

FILE = ROOT / "docs" / "service-times.json"

SLICE = 8  # extraction.turns.PAGES

READING = """
    SELECT avg(read_seconds), coalesce(stddev_pop(read_seconds), 0), avg(find_seconds),
           coalesce(stddev_pop(find_seconds), 0), count(*)
    FROM extraction_runpage WHERE reader = '{reader}' AND state = 'found'
"""


def note_reading(made: Site, *, scanned: bool, sharing: int) -> None:
    """Seconds that a page takes a worker that has the machine to itself, as the installation keeps them of so many
    workers that share it."""
    reader = "local" if scanned else "text_layer"
    (found,) = made.rows(READING.format(reader=reader))
    if found[-1]:
        seconds = (each / sharing for each in found[:-1])
        names = ("read", "read_spread", "find", "find_spread")
        note(reader, dict(zip(names, seconds, strict=True)) | {"pages": found[-1]})


def note(name: str, measured: dict[str, float]) -> None:
    """Writes one measurement with its day and with how busy the machine was; others stay as they are."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    known[name] = {key: round(float(value), 6) for key, value in measured.items()} | {
        "day": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    FILE.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def known() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
    return found
