"""`python -m tests.benchmarks [WORD...]`: runs the benchmarks whose name holds a WORD (or all), then prints one table.

What follows from the first word with two dashes on is for the benchmark itself (`years --documents 1000000`).

A missed bar is a finding, not an error: the exit status is 0 unless a benchmark could not run.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
import traceback
from collections.abc import Iterator

from tests import benchmarks
from tests.benchmarks import Result, table


def names(words: list[str]) -> Iterator[str]:
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("_") and (not words or any(word in module.name for word in words)):
            yield module.name


def run(name: str, options: list[str]) -> Iterator[Result]:
    """The results of one benchmark; a module without a `benchmarks` generator is no benchmark."""
    module = importlib.import_module(f"tests.benchmarks.{name}")
    if hasattr(module, "benchmarks"):
        print(f"{name}…", flush=True)
        began = time.monotonic()
        yield from module.benchmarks(*options)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def main(words: list[str]) -> int:
    results: list[Result] = []
    broken: list[str] = []
    first = next((place for place, word in enumerate(words) if word.startswith("--")), len(words))
    words, options = words[:first], words[first:]
    for name in names(words):
        try:
            results.extend(run(name, options))
        except Exception:
            traceback.print_exc()
            broken.append(name)
    print(table(results))
    if broken:
        print(f"Could not run: {', '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
