"""What the peers that ask a model share: where it is, and counting what it was sent and what it said.

The same endpoint and model as ours, from LLM_ENDPOINT, LLM_MODEL and LLM_API_KEY.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tokens:
    """Counts the tokens of every chat completion that the `openai` package makes from here on."""

    total: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> Tokens:
        from openai.resources.chat.completions import Completions

        create = Completions.create

        def counted(this: Any, *args: Any, **options: Any) -> Any:
            completion = create(this, *args, **options)
            with self._lock:
                self.total += completion.usage.total_tokens if completion.usage else 0
            return completion

        Completions.create = counted
        return self


def endpoint() -> str:
    return os.environ["LLM_ENDPOINT"]


def model() -> str:
    return os.environ.get("LLM_MODEL", "nam-extractor")


def context(client: Any) -> int:
    """Tokens of question and answer together, as vLLM says of its model; unlimited where a server does not say."""
    of = {each.id: getattr(each, "max_model_len", None) for each in client.models.list()}
    return of.get(model()) or sys.maxsize


def api_key() -> str:
    return os.environ.get("LLM_API_KEY") or "none"  # Both clients refuse an empty one.
