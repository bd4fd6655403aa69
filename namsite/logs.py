"""Log lines without patients: a number that slips into a message is masked, a message that is not ours is withheld, and
tracebacks carry no messages.

The first line of defence is not to log such text at all. This is the second one, for libraries and for mistakes.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

# Four letters and eight characters, with the separators that people and OCR put between them.
NAM_SHAPE = re.compile(r"(?<![A-Za-z])[A-Za-z]{4}[\s.\-]{0,2}\d{4}[\s.\-]{0,2}\d{2}[\dA-Za-z]\d(?!\d)")
MASK = "[NAM]"
OURS = frozenset({"namsite", "review", "extraction", "accounts", "audit", "vault", "rq"})
"""The first names of loggers whose words are told. RQ's speak of jobs, whose ids and descriptions are ours."""
WITHHELD = "(withheld: not a message of ours)"
# What some readers take for the end of a line, and what turns the direction of text: a line stays one, and as written.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def scrub(text: str) -> str:
    """`text` with every NAM-shaped string masked."""
    return NAM_SHAPE.sub(MASK, text)


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character.group()):04x}"


def is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


class ScrubFilter(logging.Filter):
    """Renders the message once, masks it, and drops the arguments. What others say is not told: see `words`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = words(record), None
        return True


def words(record: logging.LogRecord) -> str:
    """What a line says.

    A filter knows the shape of a NAM and not of a name. So only loggers whose every message was read say it in words;
    any other may quote what it was given (a page, a path that somebody typed), and its line tells where it was written
    instead, which leads to the same sentence in its source. Of Django's lines about answers the status is told.
    """
    if is_ours(record):
        try:
            return scrub(record.getMessage())
        except Exception:
            return scrub(str(record.msg))
    if isinstance(status := getattr(record, "status_code", None), int):
        found = getattr(_request(record), "resolver_match", None)
        return f"HTTP {status} at {found.view_name if found else 'no address of ours'}"
    return WITHHELD


def _request(record: logging.LogRecord) -> HttpRequest | None:
    """What Django's lines about answers are about; None for any other line."""
    found = getattr(record, "request", None)
    return found if isinstance(found, HttpRequest) else None


def described(record: logging.LogRecord) -> dict[str, Any]:
    """The parts of a line. An exception is its type and its frames: never its text, its locals or its source."""
    from audit.origin import current_origin

    line: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
    }
    if not is_ours(record):
        line["place"] = f"{record.funcName} ({record.filename}:{record.lineno})"
    source = current_origin()
    ids = {"request_id": source.request_id or getattr(_request(record), "request_id", ""), "run_id": source.run_id}
    line |= {name: value for name, value in ids.items() if value}
    if record.exc_info and record.exc_info[0]:
        line["exception"] = record.exc_info[0].__name__
        line["frames"] = [
            f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
            for frame in traceback.extract_tb(record.exc_info[2], limit=-12)
        ]
    return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line. What `extraction.cloudwatch` measured are members of it, as CloudWatch looks for them."""

    def format(self, record: logging.LogRecord) -> str:
        line = described(record) | (getattr(record, "emf", {}) if is_ours(record) else {})
        return _BREAKS.sub(_escaped, json.dumps(line, ensure_ascii=False))


class LineFormatter(logging.Formatter):
    """The same for a person before a terminal: time, level, logger, words, and what else there is."""

    def format(self, record: logging.LogRecord) -> str:
        parts = described(record)
        line = f"{parts.pop('at')} {parts.pop('level'):<7} {parts.pop('logger')}: {parts.pop('message')}"
        frames = parts.pop("frames", [])
        rest = [f"{name}={value}" for name, value in parts.items()] + frames[-1:]
        return _BREAKS.sub(_escaped, " ".join([line, *rest]))


FORMATTERS = {"json": JsonFormatter, "lines": LineFormatter}
"""By the values of LOG_FORMAT."""


class QuietReporter(ExceptionReporter):
    """Django's error report without frames' variables, request data or settings."""

    def get_traceback_data(self) -> dict[str, Any]:
        return {"exception_type": getattr(self.exc_type, "__name__", ""), "frames": [], "is_email": self.is_email}

    def get_traceback_text(self) -> SafeString:
        return format_html("{}\n", getattr(self.exc_type, "__name__", "Error"))

    def get_traceback_html(self) -> SafeString:
        return format_html("<h1>{}</h1>", getattr(self.exc_type, "__name__", "Error"))
