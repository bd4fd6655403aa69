"""JSON as a register and an answer leave in it. Pure."""

from __future__ import annotations

import json
from typing import Any


def to_json(body: Any) -> bytes:
    """UTF-8, indented by one."""
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()
