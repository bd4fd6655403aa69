"""Whether this installation's own model server is still being started, as whoever starts it writes down.

Where the server runs on another host there is nothing to read (LLM_STATE_FILE is empty): then it is there or it is not,
which `health` says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Step = Literal["installing", "loading", "ready", "impossible"]
"""`impossible`: it will not come on this machine, and nothing waits for it."""


@dataclass(frozen=True, slots=True)
class Starting:
    """How far the start is; `why` is one plain sentence where it is impossible."""

    step: Step
    why: str = ""

    @property
    def is_under_way(self) -> bool:
        return self.step in ("installing", "loading")


def write(path: Path, starting: Starting) -> None:
    """Writes it down, in one step. Raises OSError."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps({"step": starting.step, "why": starting.why}), encoding="utf-8")
    fresh.replace(path)


def read(path: Path | None) -> Starting | None:
    """What is written there; None where nothing is, or nothing that can be read."""
    try:
        said = json.loads(path.read_text(encoding="utf-8")) if path is not None else None
    except (OSError, ValueError):
        return None
    if not isinstance(said, dict) or said.get("step") not in get_args(Step):
        return None
    return Starting(said["step"], str(said.get("why", "")))
