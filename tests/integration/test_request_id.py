"""One id from the browser to the job, its events, its log lines and the model server."""

from __future__ import annotations

import json
import logging
import re
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from rq import SimpleWorker

from audit.models import Event
from audit.origin import current_origin, origin, well_formed
from audit.verbs import Verb
from extraction import actions, claims, queue
from extraction.jobs import QuietJob
from extraction.models import Finder, Run
from extraction.readers import choosing, textract
from extraction.readers.textract import ReaderMisconfigured, TextractConfig, TextractReader, connect
from extraction.threads import Threads
from namsite.logs import JsonFormatter, ScrubFilter
from tests.fakes.textract import running_textract
from tests.fakes.vllm import MODEL, running_vllm
from tests.pdfs import agenda_pdf

GIVEN = "0123456789abcdef" * 2


# --- What an id may be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (GIVEN, GIVEN),
        ("01234567-89ab-cdef-0123-456789abcdef", GIVEN),
        ("", ""),
        ("TREM04121925", ""),
        (GIVEN.upper(), ""),
        (f"{GIVEN}\n", ""),
        (f"{GIVEN}0", ""),
        ("01234567-89abcdef-0123-456789abcdef", ""),
    ],
)
def test_an_id_is_32_hexadecimal_digits_or_a_uuid_and_nothing_else(said, taken):
    assert well_formed(said) == taken


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxy", "said", "is_taken"),
    [
        (("HTTP_X_FORWARDED_PROTO", "https"), GIVEN, True),
        (("HTTP_X_FORWARDED_PROTO", "https"), "Tremblay", False),
        (None, GIVEN, False),
    ],
)
def test_the_proxy_s_id_is_taken_behind_a_proxy_where_it_is_one(client, settings, proxy, said, is_taken):
    settings.SECURE_PROXY_SSL_HEADER = proxy
    answered = client.get("/health/", headers={"X-Request-ID": said})["X-Request-ID"]
    assert (answered == said) is is_taken
    assert well_formed(answered) == answered


@pytest.mark.django_db
def test_two_requests_have_two_ids(client):
    assert client.get("/health/")["X-Request-ID"] != client.get("/health/")["X-Request-ID"]


# --- What a person sees -----------------------------------------------------------------------------------------------


def shown(answer):
    return re.findall(r"\b[0-9a-f]{32}\b", answer.content.decode())


def test_a_page_that_is_not_there_says_its_number(reviewer_client):
    answer = reviewer_client.get("/nothing/")
    assert (answer.status_code, shown(answer)) == (404, [answer["X-Request-ID"]])


def test_a_refusal_says_its_number(staff_client):
    answer = staff_client.get(reverse("review:journal"))
    assert (answer.status_code, shown(answer)) == (403, [answer["X-Request-ID"]])


def test_a_form_without_its_token_says_its_number(staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    answer = client.post(reverse("extraction:upload"))
    assert (answer.status_code, shown(answer)) == (403, [answer["X-Request-ID"]])


def broken(*_args):
    raise ValueError


def unwritable(*_args):
    raise DatabaseError


@pytest.mark.parametrize(
    ("place", "failure", "status"),
    [("extraction.queries.documents", broken, 500), ("audit.record._append", unwritable, 503)],
)
def test_a_failure_of_ours_says_its_number(staff, monkeypatch, place, failure, status):
    client = Client(raise_request_exception=False)
    client.force_login(staff)
    monkeypatch.setattr(place, failure)
    answer = client.get(reverse("extraction:document-list"))
    assert (answer.status_code, shown(answer)) == (status, [answer["X-Request-ID"]])


def test_the_number_is_the_same_under_asgi(db):
    """As it is served: the middleware runs in a thread that is given the context, and its pages are drawn there."""
    answer = async_to_sync(AsyncClient().get)("/nothing/")
    assert shown(answer) == [answer["X-Request-ID"]]


# --- Along the way ----------------------------------------------------------------------------------------------------


@pytest.fixture
def lines():
    """Every line of every logger with the parts that our handler would write."""
    kept: list[dict[str, str]] = []

    class Keep(logging.Handler):
        def emit(self, record):
            kept.append(json.loads(self.format(record)))

    handler = Keep()
    handler.addFilter(ScrubFilter())
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield kept
    logging.getLogger().removeHandler(handler)


def work_off():
    SimpleWorker([queue.queue()], connection=queue.queue().connection, job_class=QuietJob,
                 serializer=queue.queue().serializer).work(burst=True)  # fmt: skip


def uploaded(client):
    """The request's id and the run that it asked for."""
    pdf = agenda_pdf(["Agenda du 3 octobre 2025", "08:30 NAM : ABCD 1234 5678"], ["Page 2", "09:00 NAM"])
    answer = client.post(reverse("extraction:upload"), {"file": SimpleUploadedFile("agenda.pdf", pdf)})
    return answer["X-Request-ID"], Run.objects.get()


@pytest.mark.django_db(transaction=True)
@pytest.mark.queue
def test_an_upload_s_id_is_in_the_events_and_the_lines_of_its_job_and_at_the_model_server(
    staff_client, settings, empty_redis, lines
):
    with running_vllm(faults=[lambda handler: handler.send_json(500, {})] * 3) as server:
        settings.LLM_ENDPOINT, settings.LLM_MODEL = server.endpoint, MODEL
        given, run = uploaded(staff_client)
        assert run.finder == Finder.HYBRID
        work_off()
    assert server.request_ids
    assert {said.rpartition("-")[0] for said in server.request_ids} == {given}
    assert len(set(server.request_ids)) == len(server.request_ids)
    events = Event.objects.filter(component="worker", object_id=run.pk)
    assert {event.request_id for event in events} == {given}
    assert {Verb.RUN_STARTED, Verb.MODEL_CALLED} <= {event.verb for event in events}
    attempts = [line for line in lines if "attempt 1 failed" in line["message"]]
    assert attempts
    assert {(line["request_id"], line["run_id"]) for line in attempts} == {(given, run.pk.hex)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.queue
def test_a_queue_that_forgot_is_told_the_same_id_again(staff_client, empty_redis):
    given, _run = uploaded(staff_client)
    queue.queue().connection.flushall()
    claims.enqueue_due(timezone.now())
    work_off()
    assert set(Event.objects.filter(component="worker").values_list("request_id", flat=True)) == {given}


@pytest.mark.django_db(transaction=True)
@pytest.mark.queue
def test_who_tries_again_is_another_request(staff_client, empty_redis):
    given, run = uploaded(staff_client)
    Run.objects.filter(pk=run.pk).update(status="failed")
    again = staff_client.post(reverse("extraction:retry", args=[run.pk]))["X-Request-ID"]
    run.refresh_from_db()
    assert (run.request_id, given != again) == (again, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.queue
def test_a_run_that_no_request_asked_for_is_known_by_its_own_id_whatever_woke_the_worker(staff, empty_redis):
    run = actions.upload(data=agenda_pdf(["Agenda"]), file_name="agenda.pdf", by=staff).run
    job = queue.queue().fetch_job(queue.job_id(run.pk.hex, 0))
    job.meta["request_id"] = uuid4().hex
    job.save_meta()
    work_off()
    assert set(Event.objects.filter(component="worker").values_list("request_id", flat=True)) == {run.pk.hex}


@pytest.mark.parametrize("said", ["Tremblay\nINFO", "", 7])
def test_what_redis_says_is_believed_only_where_it_is_an_id(said):
    assert well_formed(str(said)) == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.queue
def test_a_job_in_the_queue_names_nothing(staff_client, empty_redis):
    _given, run = uploaded(staff_client)
    job = queue.queue().fetch_job(queue.job_id(run.pk.hex, 0))
    assert (list(job.args), job.kwargs, job.meta) == ([], {}, {})


def test_a_line_about_a_call_of_textract_carries_the_id(lines, monkeypatch):
    """It is written by a thread that reads one of several pages."""
    with running_textract(words_for=lambda _page: []) as fake:
        fake.fail_next("AccessDeniedException")
        config = TextractConfig(endpoint_url=fake.endpoint_url)
        client, s3 = connect(config)
        monkeypatch.setattr(textract, "reader", lambda: TextractReader(client=client, s3=s3, config=config))
        with origin("worker", request_id=GIVEN), pytest.raises(ReaderMisconfigured):
            list(read_pages(agenda_pdf(["Agenda"])))
        client.close()
        s3.close()
    said = [line for line in lines if line["logger"] == "extraction.readers.textract"]
    assert [line["request_id"] for line in said] == [GIVEN]


def read_pages(pdf):
    with choosing.open_for("textract", pdf) as document:
        yield from choosing.read_document(document, reader="textract", numbers=None, ocr="textract")


def test_threads_work_on_behalf_of_whoever_submitted():
    with Threads(2) as threads, origin("worker", request_id=GIVEN):
        told = list(threads.map(lambda _number: current_origin().request_id, range(4)))
        with origin("worker", request_id=uuid4().hex):
            other = threads.submit(current_origin).result().request_id
    assert told == [GIVEN] * 4
    assert other not in ("", GIVEN)
