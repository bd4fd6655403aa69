"""Starts vLLM once for all golden pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.llm.server import Running, started


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(Path(os.environ["MODEL_FOLDER"]), tmp_path_factory.mktemp("llm") / "server.log") as server:
        yield server
