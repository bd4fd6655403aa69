"""What reaches the log: one line, its parts, and nothing of a patient, whoever writes it."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from audit.origin import origin
from extraction.nam import grouped
from namsite.logs import FORMATTERS, MASK, OURS, WITHHELD, JsonFormatter, LineFormatter, ScrubFilter
from tests.factories import some_nam

ROOT = Path(__file__).resolve().parents[2]
NAME = "Quaxbrindle, Zéphirine"
NUMBER = some_nam(7)
PAGE = f"08:30  {NAME}  {grouped(NUMBER)}  née le 1961-04-12"
SECRETS = (
    NUMBER,
    grouped(NUMBER),
    grouped(NUMBER).replace(" ", "-"),
    "Quaxbrindle",
    "Zéphirine",
    "1961-04-12",
    "08:30",
)
FOREIGN = (
    "pikepdf",
    "botocore.endpoint",
    "uvicorn.error",
    "django.request",
    "asyncio",
    "fontTools.ttLib",
    "py.warnings",
)


@pytest.fixture(params=sorted(FORMATTERS))
def written(request):
    """What our handler writes, in either form, whoever logs."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Keep()
    handler.addFilter(ScrubFilter())
    handler.setFormatter(FORMATTERS[request.param]())
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in ("django", "rq.worker", "uvicorn"))]
    for logger in loggers:
        logger.addHandler(handler)
    yield lines
    for logger in loggers:
        logger.removeHandler(handler)


def assert_silent(lines):
    assert lines
    assert [secret for secret in SECRETS for line in lines if secret in line] == []


# --- Hostile values ---------------------------------------------------------------------------------------------------


@pytest.mark.attack("hostile text", "refused")
@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize(
    ("message", "values"),
    [
        ("%s", (grouped(NUMBER),)),
        ("odd font in %r", (NAME,)),
        (f"cannot read {PAGE}", ()),
        ("%(page)s", ({"page": PAGE},)),
        (PAGE, ("one value too many",)),
    ],
)
def test_no_logger_of_others_tells_what_it_was_given(written, name, message, values):
    logging.getLogger(name).error(message, *values)
    assert_silent(written)


@pytest.mark.attack("hostile text", "refused")
@pytest.mark.parametrize("name", [*FOREIGN, "extraction.jobs"])
def test_no_exception_tells_the_page_that_it_quotes(written, name):
    quoted = PAGE
    try:
        try:
            raise ValueError(quoted)
        except ValueError as error:
            raise RuntimeError(f"no page: {quoted}") from error
    except RuntimeError:
        logging.getLogger(name).exception("failed", stack_info=True, extra={"page": quoted})
    assert_silent(written)
    assert "RuntimeError" in written[0]


@pytest.mark.attack("hostile text", "refused")
@pytest.mark.parametrize("gap", ["", " ", "-", ".", "  ", "\u00a0"])
@pytest.mark.parametrize("name", sorted(OURS))
def test_a_number_that_slips_into_a_message_of_ours_is_masked(written, name, gap):
    printed = grouped(NUMBER).replace(" ", gap)
    logging.getLogger(f"{name}.somewhere").error("refused: %s", printed)
    assert printed not in written[0]
    assert MASK in written[0]


@pytest.mark.attack("hostile text", "refused")
def test_a_line_of_another_is_not_forged_by_its_message(written):
    logging.getLogger("extraction").error("a\nb\r\nc\x00d\x85e\u2028f\x1b[31m")
    assert [line.splitlines() for line in written] == [written]
    assert "\x1b" not in written[0]


# --- What is told -----------------------------------------------------------------------------------------------------


def test_a_line_of_another_tells_where_it_was_written(written):
    logging.getLogger("pikepdf").error("%s", PAGE)
    assert WITHHELD in written[0]
    assert re.search(r"test_a_line_of_another_tells_where_it_was_written \(test_logs\.py:\d+\)", written[0])


def test_an_answer_of_django_s_is_told_by_its_status_and_not_by_what_somebody_typed(written, client, settings):
    settings.DEBUG = False
    answer = client.get("/Quaxbrindle/08:30/")
    assert "HTTP 404 at no address of ours" in written[0]
    assert answer["X-Request-ID"] in written[0]
    assert_silent(written)


def test_request_and_run_are_parts_of_a_line(written):
    with origin("worker", request_id="a" * 32, run_id="b" * 32):
        logging.getLogger("extraction").error("said")
    assert "a" * 32 in written[0]
    assert "b" * 32 in written[0]


def record(message="said", **more):
    made = logging.LogRecord("extraction.jobs", logging.WARNING, __file__, 7, message, (), None)
    vars(made).update(more)
    ScrubFilter().filter(made)
    return made


def test_a_json_line_has_these_members():
    with origin("web", request_id="a" * 32):
        line = json.loads(JsonFormatter().format(record()))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("at"))
    assert line == {"level": "WARNING", "logger": "extraction.jobs", "message": "said", "request_id": "a" * 32}


def test_a_line_for_people_begins_with_time_level_and_logger():
    line = LineFormatter().format(record(created=0.0))
    assert line == "1970-01-01T00:00:00.000+00:00 WARNING extraction.jobs: said"


@pytest.mark.parametrize(
    ("chosen", "formatter"), [({}, "lines"), ({"LOG_FORMAT": "json"}, "json"), ({"LOG_FORMAT": "xml"}, "lines")]
)
def test_the_setting_chooses_the_form(chosen, formatter):
    program = "from namsite.settings import LOGGING; print(LOGGING['handlers']['stderr']['formatter'])"
    shown = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **chosen},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == formatter


def test_uvicorn_s_own_lines_go_through_the_same_filter():
    """uvicorn sets up its loggers before it loads the application, and its own form would write an exception's text."""
    program = (
        "import logging, uvicorn; uvicorn.Config('namsite.asgi:application').load();"
        "logging.getLogger('uvicorn.error').error('%s', 'Quaxbrindle');"
        "logging.getLogger('uvicorn.access').info('%s - %s', '192.0.2.7', '/Quaxbrindle')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "LOG_FORMAT": "json"}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == [WITHHELD]
    assert "Quaxbrindle" not in done.stdout
