"""/metrics: who may ask, what is said, that it names nobody, and what it costs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import Clinic
from audit.models import AnchorMark, ChainHead
from extraction.availability import percentile
from extraction.errors import SENTENCES
from extraction.models import Deployment, DeploymentState, Lease, Run
from extraction.scheduler import LEASE, take_lease
from tests.factories import (
    AlertFactory,
    DocumentFactory,
    RunFactory,
    RunPageFactory,
    SampleFactory,
    agenda_pdf,
    some_nam,
)

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
TOKEN = "made-up-token-of-a-test-0123456789abcdef"
MOST_QUERIES = 16
MOST_SECONDS = 0.2


@pytest.fixture(autouse=True)
def token(settings):
    settings.METRICS_TOKEN = TOKEN


def ask(client, token=TOKEN):
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def said(client):
    """Every sample: (name, labels) → value."""
    families = text_string_to_metric_families(ask(client).content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(client, name, **labels):
    return said(client).get((f"namsite_{name}", tuple(sorted(labels.items()))))


# --- Who may ask ------------------------------------------------------------------------------------------------------


def test_there_is_nothing_where_no_token_is_set(client, settings):
    settings.METRICS_TOKEN = ""
    assert ask(client, "").status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_nobody_is_told_anything_without_the_token(client, header):
    answer = client.get("/metrics", headers={"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")


def test_an_administrator_s_session_is_no_token(admin_client):
    assert admin_client.get("/metrics").status_code == 401


def test_the_token_opens_it_as_text_that_no_cache_keeps(client):
    answer = ask(client)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


def test_it_is_answered_on_loopback_without_tls(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert ask(client).status_code == 200
    assert client.get("/health/").status_code == 301


# --- What is said -----------------------------------------------------------------------------------------------------


@pytest.fixture
def everything(staff, settings, empty_redis):
    """Something behind every metric."""
    settings.LLM_ENDPOINT = "http://10.0.3.50:8000/v1"
    now = timezone.now()
    SampleFactory(minute=now - timedelta(seconds=30), running=3, waiting=1, cache_use=0.5, prefix_hits=0.25)
    AlertFactory(kind="health", clinic=None, subject="main")
    document = DocumentFactory(uploaded_by=staff, page_count=4)
    done = RunFactory(document=document, started_at=now - timedelta(seconds=9), finished_at=now)
    for number, seconds in enumerate((0.1, 0.2, 0.3), start=1):
        RunPageFactory(run=done, number=number, read_seconds=seconds, find_seconds=10 * seconds)
    RunPageFactory(run=done, number=4, state="unread", error_code="page_unreadable")
    failed = RunFactory(document=document, status="failed", error_code="internal", finished_at=now)
    RunPageFactory(run=failed, model_error_code="model_cut_short")
    RunPageFactory(run=RunFactory(document=document, status="reading"), state="read")
    take_lease(LEASE, Lease(holder=document.pk).holder, now)
    ChainHead.objects.update_or_create(clinic_id=staff.clinic_id, defaults={"seq": 7, "hash": bytes(32)})
    AnchorMark.objects.create(clinic_id=staff.clinic_id, place="", number=1, reached_at=now - timedelta(minutes=5))
    return document


def test_every_metric_is_documented_with_its_type_and_labels_and_none_besides(client, everything):
    client.get("/health/")
    families = text_string_to_metric_families(ask(client).content.decode())
    exposed = set()
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        exposed.add((name, family.type, tuple(sorted(labels))))
    rows = re.findall(r"^\| `(namsite_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENT, flags=re.MULTILINE)
    documented = {(name, kind, tuple(sorted(re.findall(r"`(\w+)`", labels)))) for name, kind, labels in rows}
    assert exposed == documented


def test_runs_and_pages_are_counted_by_state(client, everything):
    assert value(client, "runs", status="done") == 1
    assert value(client, "runs", status="reading") == 1
    assert value(client, "runs", status="queued") == 0
    assert value(client, "pages", status="done", state="found") == 3
    assert value(client, "pages", status="done", state="unread") == 1
    assert value(client, "pages", status="reading", state="read") == 1
    assert value(client, "pages", status="reading", state="untried") == 3
    assert value(client, "pages", status="done", state="untried") == 0


def test_what_ended_before_the_last_hour_is_not_counted(client, everything):
    Run.objects.filter(status="done").update(finished_at=timezone.now() - timedelta(minutes=61))
    assert value(client, "runs", status="done") == 0
    assert value(client, "pages", status="done", state="found") == 0
    assert value(client, "stage_measured", stage="reading") == 0
    assert value(client, "stage_seconds", stage="reading", quantile="0.5") is None


def test_stages_are_told_by_quantiles(client, everything):
    assert value(client, "stage_seconds", stage="reading", quantile="1.0") == 0.3
    assert value(client, "stage_seconds", stage="finding", quantile="0.5") == 1.0
    assert value(client, "stage_seconds", stage="run", quantile="0.95") == pytest.approx(9, abs=0.01)
    assert value(client, "stage_measured", stage="run") == 1


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.001, 1)])
def test_a_quantile_is_a_value_that_was_measured(share, expected):
    assert percentile(range(1, 101), share) == expected
    assert percentile([7.0], share) == 7.0


def test_errors_are_counted_by_their_codes(client, everything, staff_client):
    staff_client.post(reverse("extraction:upload"), {"file": SimpleUploadedFile("a.pdf", b"no PDF")})
    Run.objects.filter(status="reading").update(error_code="of a newer version")
    assert value(client, "errors", where="run", code="internal") == 1
    assert value(client, "errors", where="page", code="page_unreadable") == 1
    assert value(client, "errors", where="model", code="model_cut_short") == 1
    assert value(client, "errors", where="upload", code="not_a_pdf") == 1
    assert value(client, "errors", where="run", code="other") == 1


def test_the_model_server_is_told_by_its_newest_fresh_sample(client, everything):
    assert value(client, "model_up", server="main", role="in_service") == 1
    assert value(client, "model_cache_use_ratio", server="main") == 0.5
    assert value(client, "model_requests_waiting", server="main") == 1
    SampleFactory(minute=timezone.now(), state="timeout")
    assert value(client, "model_up", server="main", role="in_service") == 0
    assert value(client, "model_state", server="main", state="timeout") == 1
    assert value(client, "model_cache_use_ratio", server="main") is None


def test_a_server_that_nobody_looked_at_is_unknown(client, settings):
    settings.LLM_ENDPOINT = "http://10.0.3.50:8000/v1"
    SampleFactory(minute=timezone.now() - timedelta(minutes=10))
    assert value(client, "model_up", server="main", role="in_service") == 0
    assert value(client, "model_state", server="main", state="unknown") == 1


def test_each_deployment_s_server_is_told(client, settings, admin):
    settings.LLM_ENDPOINT = "http://10.0.3.50:8000/v1"
    now = timezone.now()
    Deployment.objects.create(
        endpoints=["http://10.0.3.51:8000/v1"], model_name="newcomer", state=DeploymentState.OPEN, started_by=admin,
        started_at=now, step_began_at=now,
    )  # fmt: skip
    SampleFactory(server="10.0.3.51:8000", minute=now)
    assert value(client, "model_up", server="10.0.3.51:8000", role="tried") == 1


def test_journal_alerts_and_scheduler_are_told(client, everything):
    assert value(client, "journal_events") >= 7
    assert value(client, "journal_unanchored_events") >= 7
    assert value(client, "journal_anchor_age_seconds") == pytest.approx(300, abs=20)
    assert value(client, "alerts_open", kind="health") == 1
    assert value(client, "alerts_open", kind="cost") == 0
    assert value(client, "scheduler_up") == 1


# --- The queue --------------------------------------------------------------------------------------------------------


@pytest.mark.queue
def test_queues_and_workers_are_told(client, empty_redis, staff, django_capture_on_commit_callbacks):
    from extraction import actions, queue
    from extraction.worker import make_worker

    with django_capture_on_commit_callbacks(execute=True):
        actions.upload(data=agenda_pdf(["Agenda"]), file_name="agenda.pdf", by=staff)
    job = queue.queue().jobs[0]
    job.enqueued_at = timezone.now() - timedelta(seconds=90)
    job.save()
    worker = make_worker()
    worker.register_birth()
    assert value(client, "queue_reachable") == 1
    assert value(client, "queue_jobs", queue="default") == 1
    assert value(client, "queue_oldest_seconds", queue="default") == pytest.approx(90, abs=10)
    assert value(client, "queue_jobs", queue="comparisons") == 0
    assert value(client, "queue_oldest_seconds", queue="comparisons") == 0
    assert value(client, "workers") == 1
    worker.register_death()
    assert value(client, "workers") == 0


def test_a_redis_that_is_away_is_said_and_hides_nothing_else(client):
    assert value(client, "queue_reachable") == 0
    assert value(client, "queue_jobs", queue="default") is None
    assert value(client, "alerts_open", kind="health") == 0


# --- Requests ---------------------------------------------------------------------------------------------------------


def test_requests_are_counted_by_the_name_of_their_address(client, reviewer_client, everything):
    name = {"route": "review:document-detail", "method": "GET", "status": "200"}
    before = value(client, "http_requests_total", **name) or 0
    reviewer_client.get(reverse("review:document-detail", args=[everything.pk]))
    assert value(client, "http_requests_total", **name) == before + 1
    assert value(client, "http_request_seconds_count", route=name["route"], method="GET") >= 1


def test_what_a_stranger_makes_up_makes_no_label(client):
    client.get("/Quaxbrindle/", headers={"Authorization": "x"})
    client.generic("QUAXBRINDLE", "/health/")
    text = ask(client).content.decode()
    assert "quaxbrindle" not in text.lower()
    assert value(client, "http_requests_total", route="none", method="GET", status="404") >= 1
    assert value(client, "http_requests_total", route="health", method="other", status="405") >= 1


COUNTING = """
import json, os, sys, django
django.setup()
from django.test import Client
from namsite.metrics import requests
from prometheus_client import CollectorRegistry
for _turn in range(int(sys.argv[1])):
    Client(SERVER_NAME="localhost").get("/nowhere/")
registry = CollectorRegistry(auto_describe=False)
requests.register_with(registry)
print(json.dumps(registry.get_sample_value(
    "namsite_http_requests_total", {"route": "none", "method": "GET", "status": "404"})))
"""


def counted(turns, **environment):
    """What a web process of its own says after so many requests."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, str(turns)], cwd=ROOT, env={**os.environ, **environment}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def test_processes_that_serve_one_port_add_up_their_counts(tmp_path):
    assert counted(2, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)) == 2
    assert counted(3, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)) == 5


def test_a_process_alone_needs_no_folder():
    assert counted(1, PROMETHEUS_MULTIPROC_DIR="") == 1


# --- Nobody is named, and it stays cheap ------------------------------------------------------------------------------


def test_no_label_names_a_person_a_clinic_or_a_document(client, everything, staff):
    text = ask(client).content.decode()
    person_of = [staff.email, staff.name, staff.clinic.name, "agenda", some_nam(0)]
    ids = [
        str(everything.pk),
        everything.pk.hex,
        str(staff.clinic_id),
        *map(str, Run.objects.values_list("pk", flat=True)),
    ]
    assert [each for each in (*person_of, *ids) if each in text] == []


def test_labels_are_closed_lists(client, everything):
    codes = {dict(labels)["code"] for name, labels in said(client) if name == "namsite_errors"}
    assert codes <= {*SENTENCES, "other"}


def test_a_scrape_costs_the_same_however_much_there_is(client, everything, django_assert_max_num_queries):
    with django_assert_max_num_queries(MOST_QUERIES) as few:
        ask(client)
    for clinic in Clinic.objects.bulk_create(Clinic(name=f"Clinique {number}") for number in range(20)):
        ChainHead.objects.create(clinic_id=clinic.pk, seq=3, hash=bytes(32))
        AlertFactory(clinic=clinic)
    for _turn in range(20):
        run = RunFactory(document=everything, status="done", started_at=timezone.now(), finished_at=timezone.now())
        RunPageFactory(run=run, error_code="page_unreadable")
        RunFactory(document=everything, status="queued")
    with django_assert_max_num_queries(len(few)):
        ask(client)


def test_a_scrape_of_an_installation_as_large_as_the_demonstration_takes_no_fifth_of_a_second(client, everything):
    """Of the processor: the clock also counts what else this machine does. SQLite's work is this process's too."""
    for run in [RunFactory(document=everything, finished_at=timezone.now()) for _turn in range(40)]:
        for number in range(1, 11):
            RunPageFactory(run=run, number=number, read_seconds=0.1)
    ask(client)  # What is loaded once is loaded.
    took = []
    for _turn in range(5):
        began = time.process_time()
        ask(client)
        took.append(time.process_time() - began)
    assert min(took) < MOST_SECONDS
