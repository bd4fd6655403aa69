"""Whether the model server can be asked: it says that it is well, and it serves the model that is configured.

SageMaker shows neither /health nor the list of models. There one token is asked for, which goes the whole way that
pages go: address, rights, endpoint, container and the model's name.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from extraction.llm import client
from extraction.llm.client import ModelServer

TIMEOUT = 5.0
"""Seconds for each of the two requests."""

Detail = Literal[
    "ok",
    "refused_address",
    "unresolved",
    "unreachable",
    "timeout",
    "busy",
    "no_credentials",
    "unhealthy",
    "unauthorised",
    "model_missing",
    "bad_reply",
]
"""What is wrong, as a closed code that the interface translates. The first six after "ok" are ModelUnreachable's."""

_OK = 200
_UNAUTHORISED = (401, 403)
_MISSING = 404
_BUSY = 429


@dataclass(frozen=True)
class Health:
    """The outcome of one look at the server; `seconds` is how long the look took."""

    ok: bool
    seconds: float
    detail: Detail


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


class _Completion(BaseModel):
    choices: list[dict[str, object]] = Field(min_length=1)


def health(server: ModelServer) -> Health:
    """Asks /health and then /v1/models, or SageMaker for a token, each for at most five seconds. Raises nothing."""
    began = time.perf_counter()
    detail: Detail
    try:
        detail = _managed(server) if server.is_managed else _detail(server)
    except client.ModelUnreachable as error:
        detail = error.reason
    except client.ModelBadReply:
        detail = "bad_reply"
    return Health(ok=detail == "ok", seconds=time.perf_counter() - began, detail=detail)


def _detail(server: ModelServer) -> Detail:
    if client.get(server, f"{server.base}/health", timeout=TIMEOUT).status != _OK:
        return "unhealthy"
    # /health answers without a key, and before a LoRA adapter of the configured name is loaded.
    reply = client.get(server, f"{server.base}/v1/models", timeout=TIMEOUT)
    if reply.status in _UNAUTHORISED:
        return "unauthorised"
    if reply.status != _OK:
        return "unhealthy"
    try:
        models = _Models.model_validate_json(reply.body)
    except ValidationError:
        return "bad_reply"
    return "ok" if server.model in {model.id for model in models.data} else "model_missing"


def _managed(server: ModelServer) -> Detail:
    reply = client.touch(server, timeout=TIMEOUT)
    if reply.status in _UNAUTHORISED:
        return "unauthorised"
    if reply.status == _MISSING:
        return "model_missing"
    if reply.status != _OK:
        return "busy" if reply.status == _BUSY else "unhealthy"
    try:
        _Completion.model_validate_json(reply.body)
    except ValidationError:
        return "bad_reply"
    return "ok"
