"""What the settings ask for, made once for the worker, the web and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from extraction.errors import ServiceUnavailable
from extraction.readers.pdf import Limits

if TYPE_CHECKING:
    from extraction.finders.model import ModelFinder
    from extraction.llm.starting import Starting


def limits() -> Limits:
    """The limits on uploaded PDFs."""
    return Limits(bytes=settings.UPLOAD_MAX_BYTES, pages=settings.UPLOAD_MAX_PAGES)


def model_start() -> Starting | None:
    """How far the start of this installation's own model server is; None where nobody says."""
    if not settings.LLM_STATE_FILE:
        return None
    from extraction.llm import starting

    return starting.read(Path(settings.LLM_STATE_FILE))


def has_model() -> bool:
    """Whether there is a model to ask, now or as soon as it has started."""
    start = model_start()
    return bool(settings.LLM_ENDPOINT) and not (start and start.step == "impossible")


def model_finder(prompt_version: str = "") -> ModelFinder | None:
    """The model finder with this prompt, or that of LLM_PROMPT; None when no endpoint is set."""
    if not settings.LLM_ENDPOINT:
        return None  # before the client's libraries are loaded for nothing
    from extraction.finders.model import ModelFinder
    from extraction.llm import client, prompts

    server = client.from_settings()
    prompt = prompts.load(prompt_version or settings.LLM_PROMPT or prompts.CURRENT)
    return ModelFinder(server, prompt) if server is not None else None


def deployed_finder(endpoints: Sequence[str], model_name: str, prompt_version: str) -> ModelFinder:
    """The finder that asks these replicas, with the key, timeout and allowed hosts of the settings.

    Each address is checked again at every connection. Raises ServiceUnavailable when LLM_ENDPOINT is empty (no model is
    to be asked then), or when this process knows no prompt of that version.
    """
    from extraction.finders.model import ModelFinder
    from extraction.llm import client, prompts
    from extraction.llm.replicas import Replicas

    server = client.from_settings()
    if server is None or prompt_version not in prompts.versions():
        raise ServiceUnavailable("model_unavailable")
    servers = tuple(replace(server, endpoint=endpoint, model=model_name) for endpoint in endpoints)
    return ModelFinder(Replicas(servers), prompts.load(prompt_version))
