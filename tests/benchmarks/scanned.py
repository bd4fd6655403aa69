"""Local OCR on twenty scanned pages beside `ocrmypdf --jobs 2` (Tesseract, fra+eng) on the same file in the same run.

The peer lives in an environment of its own (`make bench` makes it) and needs Debian's tesseract-ocr and
tesseract-ocr-fra. Its text is searched with the strict pattern, four letters and eight digits.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from extraction.scoring import Key, Score, score
from tests.benchmarks import Result
from tests.benchmarks.measure import corpus, extract, manage, peak_megabytes, seconds

STRICT = re.compile(r"\b[A-Z]{4}[ -]?\d{4}[ -]?\d{4}\b")
PAGES = 20


def benchmarks() -> Iterator[Result]:
    peer = os.environ.get("OCRMYPDF") or shutil.which("ocrmypdf")
    with corpus("agenda-scan", pages=PAGES) as scan, tempfile.TemporaryDirectory() as folder:
        ours = extract(scan, "--reader", "local", "--finder", "pattern")
        if peer is None or shutil.which("tesseract") is None:
            (own,) = seconds(ours)
            yield Result(f"{PAGES} scanned pages, local reader (peer not installed)", own, "s")
            return
        theirs, text = peer_command(peer, scan, Path(folder))
        own, other = seconds(ours, theirs)
        yield Result(f"{PAGES} scanned pages, ocrmypdf --jobs 2", other, "s")
        yield Result(f"{PAGES} scanned pages, local reader", own, "s", bar=other)
        truth = [(item["page"], item["nam"]) for item in json.loads(scan.with_suffix(".json").read_text())]
        their_score = score(_strict(text.read_text()), truth)
        yield Result("NAM recall, ocrmypdf and the strict pattern", their_score.recall or 0.0, "")
        our_score = _our_score(scan)
        yield Result("NAM recall, local reader and pattern finder", our_score.recall or 0.0, "",
                     bar=their_score.recall, higher_is_better=True)  # fmt: skip
        yield Result(f"{PAGES} scanned pages, peak memory of one process", peak_megabytes(ours), "MB", bar=1200)


def peer_command(peer: str, scan: Path, folder: Path) -> tuple[list[str], Path]:
    """The peer's own advice for speed, and where its text goes."""
    text = folder / "text.txt"
    options = ["--skip-text", "-l", "fra+eng", "--output-type", "pdf", "-O0", "--jobs", "2", "--quiet"]
    return [peer, *options, "--sidecar", str(text), str(scan), str(folder / "out.pdf")], text


def _strict(text: str) -> list[Key]:
    """What a strict regular expression finds in the peer's text; pages are separated by form feeds."""
    pages = enumerate(text.split("\f"), start=1)
    return [(number, re.sub("[ -]", "", hit)) for number, page in pages for hit in STRICT.findall(page)]


def _our_score(scan: Path) -> Score:
    total = json.loads(manage("evaluate", str(scan.parent), "--json", "--reader", "local", "--finder", "pattern"))
    counted = total["total"]
    return Score(counted["tp"], counted["fp"], counted["fn"])
