"""The pattern finder of this checkout beside that of another one: the same findings, and how much faster.

`python -m tests.benchmarks.before_after CHECKOUT [ROUNDS]` prints the processor time of both on the pages of
`tests.benchmarks.finding`. They take turns, a sixth of the pages at a time, because machines are shared and noisy; what
counts is the median of the ratios. Exits with 1 where their findings differ.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from extraction.finders import pattern
from extraction.page import Page
from tests.benchmarks.finding import mixed_pages
from tests.benchmarks.measure import ROOT

ROUNDS = 11
PARTS = 6


class Turns:
    """One checkout's finder in a process of its own: `seconds` has it search a part of the pages."""

    def __init__(self, peer: subprocess.Popen[str]) -> None:
        self._peer = peer
        self.findings = self._line()

    def seconds(self, part: int) -> float:
        assert self._peer.stdin
        print(part, file=self._peer.stdin, flush=True)
        return float(self._line())

    def _line(self) -> str:
        assert self._peer.stdout
        return self._peer.stdout.readline()


@contextmanager
def turns(checkout: Path, pages: bytes) -> Iterator[Turns]:
    """This program as `search`, with the finder of `checkout`; ends when nobody asks any more."""
    run = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='search')"
    command = [sys.executable, "-P", "-c", run, __file__]
    # Of the other checkout only `extraction` is needed: this one may be older than this program.
    paths = os.pathsep.join((str(checkout), str(ROOT)))
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": paths}, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as peer:  # fmt: skip
        assert peer.stdin
        print(pages.hex(), file=peer.stdin, flush=True)
        yield Turns(peer)
        peer.stdin.close()


def search() -> None:
    """Prints a digest of all findings, and then for each part of the pages that is asked for its seconds."""
    pages: list[Page] = pickle.loads(bytes.fromhex(sys.stdin.readline()))  # noqa: S301 - from our own parent
    print(hashlib.sha256(repr([pattern.find(page) for page in pages]).encode()).hexdigest(), flush=True)
    for line in sys.stdin:
        began = time.process_time()
        for page in pages[int(line) :: PARTS]:
            pattern.find(page)
        print(time.process_time() - began, flush=True)


def main(checkout: str, rounds: int = ROUNDS) -> int:
    pages = mixed_pages()
    with ExitStack() as stack:
        sides = [stack.enter_context(turns(root, pickle.dumps(pages))) for root in (Path(checkout).resolve(), ROOT)]
        taken: dict[Turns, list[float]] = {side: [] for side in sides}
        for turn in range(rounds * PARTS):
            for side in sides if turn % 2 else reversed(sides):
                taken[side].append(side.seconds(turn % PARTS))
        before, after = (taken[side] for side in sides)
        speeds = [rounds * len(pages) / sum(seconds) for seconds in (before, after)]
        ratio = statistics.median(a / b for a, b in zip(before, after, strict=True))
        same = sides[0].findings == sides[1].findings
    print(f"before {speeds[0]:.0f}, after {speeds[1]:.0f} pages a second of one core; median of ratios {ratio:.3f}")
    print("the same findings" if same else "OTHER FINDINGS")
    return 0 if same else 1


if __name__ == "search":
    search()
if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
