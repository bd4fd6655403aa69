"""A marked number, name and file name go through everything and are then found nowhere they should not be."""

from __future__ import annotations

import base64
import logging
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from rq import SimpleWorker

from accounts import actions as accounts
from audit.registers.models import Entry
from extraction import alerts, nam, queue
from extraction.jobs import QuietJob
from extraction.models import Document, Finding, Run
from namsite.logs import JsonFormatter, ScrubFilter
from review.models import SecondReview
from tests.factories import UserFactory, agenda_pdf

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.queue]

NAME = "Quaxbrindle"
GIVEN = "Zéphirine"
FILE = "Quaxbrindle canari 1961.pdf"


@pytest.fixture
def number():
    from datetime import date

    return nam.compose(NAME, GIVEN, date(1961, 4, 12), True, "3")


@pytest.fixture
def secrets(number):
    """Every form in which the canary could sing."""
    grouped = nam.grouped(number)
    return [number, grouped, grouped.replace(" ", "-"), number.lower(), NAME, NAME.upper(), GIVEN, FILE, "1961-04-12"]


@pytest.fixture
def log_lines():
    """Every line of every logger, as our handler would write it."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Keep(level=logging.DEBUG)
    handler.addFilter(ScrubFilter())
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in ("django", "rq", "rq.worker"))]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield lines
    for logger, level in before:
        logger.removeHandler(handler)
        logger.setLevel(level)


def work_off():
    SimpleWorker([queue.queue()], connection=queue.queue().connection, job_class=QuietJob,
                 serializer=queue.queue().serializer).work(burst=True, logging_level="DEBUG")  # fmt: skip


def dump_redis():
    """Every key of the queue's server with everything in it."""
    redis = queue.queue().connection
    readers = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
    }
    return "\n".join(f"{key!r} {inflated(readers[redis.type(key)](key))!r}" for key in redis.scan_iter())


def inflated(value):
    """The same with everything that RQ compressed readable again."""
    if isinstance(value, dict):
        return {name: inflated(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [inflated(item) for item in value]
    if isinstance(value, bytes):
        try:
            return zlib.decompress(base64.b64decode(value) if value.startswith(b"eJ") else value)
        except (zlib.error, ValueError):
            return value
    return value


def dump_database():
    """Every column of every table as the database holds it; bytes as text, so that clear text would show."""
    cells = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  (names come from the database itself)
            for row in cursor.fetchall():
                cells += [
                    bytes(cell).decode("latin-1") if isinstance(cell, bytes | memoryview) else str(cell) for cell in row
                ]
    return "\n".join(cells)


def assert_silent(place, text, secrets):
    sung = [secret for secret in secrets if secret in text]
    assert not sung, f"{place} holds {len(sung)} of the canary's forms"


@pytest.fixture
def uploaded(client, staff, number, redis_server):
    """The canary's document, uploaded through the page."""
    lines = ["Agenda du vendredi 3 octobre 2025", f"08:30  {NAME}, {GIVEN}  {nam.grouped(number)}  née le 1961-04-12"]
    client.force_login(staff)
    client.post(reverse("extraction:upload"), {"file": SimpleUploadedFile(FILE, agenda_pdf(lines))})
    return Document.objects.get()


def test_the_canary_is_found_by_the_job_and_sings_nowhere(client, uploaded, reviewer, secrets, number, log_lines):
    work_off()
    finding = Finding.objects.get()
    assert finding.value == number  # otherwise the rest would prove nothing
    client.force_login(reviewer)
    client.get(reverse("review:document-detail", args=[uploaded.pk]))
    client.get(reverse("extraction:page-image", args=[uploaded.pk, 1]))
    client.post(reverse("review:decide", args=[finding.pk]), {"verdict": "confirm"})
    client.post(reverse("review:add", args=[uploaded.pk, 1]), {"nam": number})
    client.post(reverse("review:sign-off", args=[uploaded.pk, 1]))
    client.post(reverse("review:rerun", args=[uploaded.pk]), {"reader": "auto", "finder": "pattern"})
    work_off()
    client.get(reverse("review:compare", args=[uploaded.pk]))
    client.get(reverse("review:quality"))
    alerts.evaluate(timezone.now())
    _token, text = accounts.create_token(name="canari", days=1, by=reviewer)
    path = f"/api/nam/runs/{uploaded.runs.order_by('created_at')[0].pk}/results"
    answer = client.get(path, headers={"Authorization": f"Bearer {text}"})
    assert number in answer.content.decode()
    assert_silent("the log", "\n".join(log_lines), secrets)
    assert_silent("Redis", dump_redis(), secrets)
    assert_silent("a plain column", dump_database(), secrets)
    assert_silent("an address", path + reverse("review:document-detail", args=[uploaded.pk]), secrets)


def test_a_search_of_the_journal_keeps_the_canary_silent(client, uploaded, admin, secrets, number, log_lines):
    work_off()
    client.force_login(admin)
    found = client.post(reverse("review:journal-search"), {"nam": number})
    told = client.post(reverse("review:journal-consultations"), {"nam": number})
    taken = client.post(reverse("review:journal-export"), {"what": "fhir"})
    assert (found.status_code, told.status_code, taken.status_code) == (200, 200, 200)
    assert_silent("the log", "\n".join(log_lines), secrets)
    assert_silent("a plain column", dump_database(), secrets)
    assert_silent("an export of the journal", taken.content.decode(), secrets)


def test_a_second_review_keeps_the_canary_silent(
    client, uploaded, reviewer, clinic, secrets, number, log_lines, settings
):
    settings.SECOND_REVIEW_SHARE = 100
    work_off()
    finding = Finding.objects.get()
    client.force_login(reviewer)
    client.post(reverse("review:decide", args=[finding.pk]), {"verdict": "reject", "reason": "specimen"})
    client.post(reverse("review:sign-off", args=[uploaded.pk, 1]))
    review = SecondReview.objects.get()
    client.force_login(UserFactory(clinic=clinic, role="reviewer"))
    client.post(reverse("review:second-begin", args=[review.pk]))
    client.post(reverse("review:second-decide", args=[review.pk, finding.pk]), {"verdict": "confirm"})
    client.post(reverse("review:second-add", args=[review.pk]), {"nam": number})
    client.post(reverse("review:second-finish", args=[review.pk]))
    client.force_login(UserFactory(clinic=clinic, role="reviewer"))
    for disagreement in review.disagreements.all():
        assert (
            nam.grouped(number) in client.get(reverse("review:disagreement", args=[disagreement.pk])).content.decode()
        )
        client.post(reverse("review:settle", args=[disagreement.pk]), {"answer": "other", "nam": number})
    assert (review.disagreements.filter(settled_at=None).count(), review.disagreements.count()) == (0, 2)
    assert_silent("the log", "\n".join(log_lines), secrets)
    assert_silent("a plain column", dump_database(), secrets)
    assert_silent("Redis", dump_redis(), secrets)


def test_the_registers_keep_the_canary_silent(client, uploaded, admin, secrets, number, log_lines):
    work_off()
    client.force_login(admin)
    today = timezone.localdate().isoformat()
    asked = {"nam": number, "kind": "rectification", "received_on": today, "applicant": f"{GIVEN} {NAME}",
             "identity": "permis", "wording": f"{NAME} {number}"}  # fmt: skip
    client.post(reverse("registers:new", args=["requests"]), asked)
    entry = Entry.objects.get()
    for suffix in ("pdf", "csv", "json"):
        answer = client.post(reverse("registers:answer", args=[entry.pk]), {"nam": number, "suffix": suffix})
        assert answer.status_code == 200
    assert number in answer.content.decode()
    client.post(reverse("registers:answer", args=[entry.pk]), {"nam": f"{number}1", "suffix": "csv"})
    client.post(reverse("registers:look-up", args=[entry.pk]), {"nam": number})
    restricted = {"nam": number, "roles": ["staff"], "from_on": today, "wording": NAME}
    client.post(reverse("registers:new", args=["restrictions"]), restricted)
    client.get(reverse("registers:explanation", args=[Finding.objects.get().pk]))
    assert_silent("the log", "\n".join(log_lines), secrets)
    assert_silent("Redis", dump_redis(), secrets)
    assert_silent("a plain column", dump_database(), secrets)


def test_an_exception_that_holds_the_canary_lets_nothing_out(uploaded, secrets, number, log_lines, monkeypatch):
    def broken(_page):
        raise ValueError(f"cannot parse {number} of {NAME}")

    monkeypatch.setattr("extraction.finders.pattern.find", broken)
    work_off()
    assert Run.objects.get().error_code == "internal"
    assert_silent("the log", "\n".join(log_lines), secrets)
    assert_silent("Redis", dump_redis(), secrets)
    assert_silent("a plain column", dump_database(), secrets)


def test_a_job_that_dies_of_the_canary_leaves_no_trace_of_it(uploaded, secrets, number, log_lines, monkeypatch):
    def broken(*_args):
        raise RuntimeError(f"{number} {NAME} {FILE}")

    monkeypatch.setattr("extraction.claims.take", broken)
    work_off()
    dumped = dump_redis()
    assert "JobFailed" in dumped
    assert_silent("Redis", dumped, secrets)
    assert_silent("the log", "\n".join(log_lines), secrets)


def test_an_error_page_says_nothing(client, uploaded, reviewer, secrets, number, log_lines, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError(f"{number} {NAME} {FILE}")

    client.force_login(reviewer)
    client.raise_request_exception = False
    monkeypatch.setattr("review.queries.items", broken)
    answer = client.get(reverse("review:document-detail", args=[uploaded.pk]))
    assert answer.status_code == 500
    assert_silent("the error page", answer.content.decode(), secrets)
    assert_silent("the log", "\n".join(log_lines), secrets)


def test_a_refused_upload_repeats_no_file_name_in_the_log(client, staff, secrets, log_lines):
    client.force_login(staff)
    client.post(reverse("extraction:upload"), {"file": SimpleUploadedFile(FILE, b"GIF89a")})
    assert_silent("the log", "\n".join(log_lines), secrets)
    assert_silent("a plain column", dump_database(), secrets)
