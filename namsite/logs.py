"""Log lines without patients: a number that slips into a message is masked, and tracebacks carry no messages.

The first line of defence is not to log such text at all. This is the second one, for libraries and for mistakes.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

# Four letters and eight characters, with the separators that people and OCR put between them.
NAM_SHAPE = re.compile(r"(?<![A-Za-z])[A-Za-z]{4}[\s.\-]{0,2}\d{4}[\s.\-]{0,2}\d{2}[\dA-Za-z]\d(?!\d)")
MASK = "[NAM]"
# What some readers take for the end of a line, and what turns the direction of text: a line stays one, and as written.
_BREAKS = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def scrub(text: str) -> str:
    """`text` with every NAM-shaped string masked."""
    return NAM_SHAPE.sub(MASK, text)


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character.group()):04x}"


class ScrubFilter(logging.Filter):
    """Renders the message once, masks it, and drops the arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:
            message = str(record.msg)
        record.msg, record.args = scrub(message), None
        return True


class QuietFormatter(logging.Formatter):
    """One JSON object a line. An exception is its type and its frames: never its text, its locals or its source."""

    def format(self, record: logging.LogRecord) -> str:
        from audit.origin import current_origin

        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := current_origin().request_id:
            line["request_id"] = request_id
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["frames"] = [
                f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
                for frame in traceback.extract_tb(record.exc_info[2], limit=-12)
            ]
        return _BREAKS.sub(_escaped, json.dumps(line, ensure_ascii=False))


class QuietReporter(ExceptionReporter):
    """Django's error report without frames' variables, request data or settings."""

    def get_traceback_data(self) -> dict[str, Any]:
        return {"exception_type": getattr(self.exc_type, "__name__", ""), "frames": [], "is_email": self.is_email}

    def get_traceback_text(self) -> SafeString:
        return format_html("{}\n", getattr(self.exc_type, "__name__", "Error"))

    def get_traceback_html(self) -> SafeString:
        return format_html("<h1>{}</h1>", getattr(self.exc_type, "__name__", "Error"))
