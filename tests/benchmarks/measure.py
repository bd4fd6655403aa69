"""Timing whole commands fairly: medians, and a peer in the same run, because machines are shared and noisy."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5


@contextmanager
def corpus(kind: str, *, pages: int, seed: int = 2026) -> Iterator[Path]:
    """One synthetic document with its truth in a folder of its own; yields the PDF."""
    with tempfile.TemporaryDirectory() as folder:
        manage("make_corpus", folder, "--kind", kind, "--pages", str(pages), "--seed", str(seed))
        yield next(Path(folder).glob("*.pdf"))


def manage(*args: str) -> str:
    """One management command without database or Redis; returns what it printed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *args], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"DATA_DIR": tempfile.gettempdir(), "TESTING": "1"},
    )  # fmt: skip
    return done.stdout


def seconds(*commands: list[str]) -> list[float]:
    """Median wall time of each command; they take turns, so that a noisy minute hits all of them."""
    taken: list[list[float]] = [[] for _command in commands]
    for turn in range(RUNS + 1):
        for times, command in zip(taken, commands, strict=True):
            began = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            if turn:  # The first turn warms the disk cache.
                times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in taken]


def peak_megabytes(command: list[str]) -> float:
    """The largest resident set of the command or of one of its descendants."""
    probe = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", probe, *command], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout) * resource_unit() / 1e6


def resource_unit() -> int:
    """ru_maxrss counts kilobytes on Linux and bytes on macOS."""
    return 1 if sys.platform == "darwin" else 1024


def extract(pdf: Path, *options: str) -> list[str]:
    """The main job on one file, as a command."""
    return [sys.executable, str(ROOT / "manage.py"), "extract", str(pdf), "--json", *options]


def peer_program(name: str, *options: str) -> list[str] | None:
    """A program of tests/benchmarks/peers as a command; None where the peers' environment is not installed.

    That environment is known by its ocrmypdf: on the PATH, where `make bench` puts it, or named by OCRMYPDF.
    """
    installed = os.environ.get("OCRMYPDF") or shutil.which("ocrmypdf")
    python = Path(installed).with_name("python") if installed else None
    if python is None or not python.exists():
        return None
    return [str(python), str(ROOT / "tests" / "benchmarks" / "peers" / f"{name}.py"), *options]
