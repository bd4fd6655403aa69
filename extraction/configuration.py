"""What the settings ask for, made once for the worker, the web and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from extraction.readers.pdf import Limits

if TYPE_CHECKING:
    from extraction.finders.model import ModelFinder
    from extraction.llm.client import ModelServer

SERVER = "main"
"""The name of the server that the settings name."""


def limits() -> Limits:
    """The limits on uploaded PDFs."""
    return Limits(bytes=settings.UPLOAD_MAX_BYTES, pages=settings.UPLOAD_MAX_PAGES)


def model_finder() -> ModelFinder | None:
    """The model finder with the prompt of LLM_PROMPT; None when no endpoint is set."""
    if not settings.LLM_ENDPOINT:
        return None  # before the client's libraries are loaded for nothing
    from extraction.finders.model import ModelFinder
    from extraction.llm import client, prompts

    server = client.from_settings()
    return ModelFinder(server, prompts.load(settings.LLM_PROMPT or prompts.CURRENT)) if server is not None else None


def model_servers() -> list[tuple[str, ModelServer]]:
    """Every model server that is in use, by the name that its samples carry; the first matters most.

    Raises ValueError when the settings make no server, such as a key that no header can carry.
    """
    if not settings.LLM_ENDPOINT:
        return []
    from extraction.llm import client

    server = client.from_settings()
    return [(SERVER, server)] if server is not None else []
