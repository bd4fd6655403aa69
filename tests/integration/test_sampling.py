"""Model servers are looked at once a minute, whatever they do, and the scheduler waits for none of them."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from extraction import sampling, traffic
from extraction.models import Deployment, Sample
from extraction.sampling import KEPT, Sampler, forget_old
from extraction.scheduler import Scheduler
from tests.factories import SampleFactory, UserFactory
from tests.fakes import vllm
from tests.fakes.vllm import running_vllm
from tests.unit.test_metrics import V1

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 15, 4, 37, tzinfo=UTC)
MINUTE = NOW.replace(second=0)


@pytest.fixture
def looked_at(settings):
    """Points the settings at a stand-in."""

    def point(server):
        settings.LLM_ENDPOINT = server.endpoint
        settings.LLM_MODEL = vllm.MODEL

    return point


def sample_of(moment: datetime = NOW) -> Sample:
    """One look from beginning to end."""
    sampler = Sampler()
    sampler.round(moment)
    sampler.collect(wait=sampling.PATIENCE)
    return Sample.objects.get()


def shows(metrics: bytes):
    return {"/metrics": vllm.page(metrics.decode(), "text/plain; version=0.0.4")}


def test_a_sample_says_how_the_server_is_and_how_busy(looked_at):
    with running_vllm(gets=shows(V1)) as server:
        looked_at(server)
        sample = sample_of()
    assert (sample.server, sample.minute, sample.state) == ("main", MINUTE, "ok")
    assert (sample.running, sample.waiting, sample.cache_use, sample.prefix_hits) == (3, 7, 0.4375, 0.75)
    assert 0 < sample.seconds < 5


def deployed(state, *endpoints, model=vllm.MODEL):
    return Deployment.objects.create(
        endpoints=list(endpoints), model_name=model, prompt_version="nam-v1", state=state, share=10,
        started_by=UserFactory(), started_at=NOW, step_began_at=NOW,
    )  # fmt: skip


def test_the_replicas_of_what_is_in_service_and_of_a_newcomer_are_looked_at(settings):
    with running_vllm() as former, running_vllm() as one, running_vllm() as two, running_vllm(model="new") as new:
        settings.LLM_ENDPOINT = former.endpoint
        deployed("adopted", one.endpoint, two.endpoint)
        deployed("open", new.endpoint, one.endpoint, model="new")
        sampler = Sampler()
        sampler.round(NOW)
        sampler.collect(wait=sampling.PATIENCE)
    states = dict(Sample.objects.values_list("server", "state"))
    assert states == {f"127.0.0.1:{server.port}": "ok" for server in (one, two, new)}


def test_the_settings_server_keeps_its_name_whoever_uses_it(settings):
    settings.LLM_ENDPOINT = "http://10.0.3.50:8000/v1"
    deployed("open", "http://10.0.3.50:8000/v1", "http://10.0.3.51:8000/v1", model="new")
    assert [(each.name, each.is_tried) for each in traffic.watched()] == [("main", False), ("10.0.3.51:8000", True)]


def test_a_server_without_metrics_is_as_well_as_any_other(looked_at):
    with running_vllm() as server:
        looked_at(server)
        sample = sample_of()
    assert (sample.state, sample.running, sample.cache_use) == ("ok", None, None)


@pytest.mark.parametrize(
    "rudeness",
    [
        vllm.flood,
        vllm.reset,
        vllm.page("<html>Sign in</html>"),
        vllm.redirect("http://198.51.100.1/"),
        vllm.status(500),
    ],
)
def test_hostile_metrics_harm_nothing(looked_at, rudeness):
    with running_vllm(gets={"/metrics": rudeness}) as server:
        looked_at(server)
        sample = sample_of()
    assert (sample.state, sample.running) == ("ok", None)


def test_metrics_that_never_come_are_given_up(looked_at, monkeypatch):
    monkeypatch.setattr(sampling, "METRICS_TIMEOUT", 0.2)
    with running_vllm(gets={"/metrics": vllm.hang}) as server:
        looked_at(server)
        assert sample_of().state == "ok"


def test_a_server_that_is_gone_is_a_sample_too(settings):
    with running_vllm() as server:
        settings.LLM_ENDPOINT = server.endpoint
    assert sample_of().state == "unreachable"


def test_a_sick_server_is_not_asked_how_busy_it_is(looked_at):
    with running_vllm(healthy=False, gets=shows(V1)) as server:
        looked_at(server)
        sample = sample_of()
    assert (sample.state, sample.running) == ("unhealthy", None)


def test_without_an_endpoint_nobody_is_looked_at():
    sampler = Sampler()
    sampler.round(NOW)
    sampler.collect(wait=1)
    assert not Sample.objects.exists()


def test_a_round_does_not_wait_for_a_server_that_hangs(looked_at, monkeypatch):
    monkeypatch.setattr("extraction.llm.health.TIMEOUT", 0.5)
    with running_vllm(gets={"/health": vllm.hang}) as server:
        looked_at(server)
        sampler = Sampler()
        began = time.monotonic()
        sampler.round(NOW)
        sampler.round(NOW + timedelta(seconds=2))
        assert time.monotonic() - began < 0.4
        assert not Sample.objects.exists()
        sampler.collect(wait=sampling.PATIENCE)
    assert Sample.objects.get().state == "timeout"


def test_a_look_that_still_goes_on_is_not_doubled(looked_at, monkeypatch):
    monkeypatch.setattr("extraction.llm.health.TIMEOUT", 0.5)
    with running_vllm(gets={"/health": vllm.hang}) as server:
        looked_at(server)
        sampler = Sampler()
        sampler.round(NOW)
        sampler.round(NOW + timedelta(minutes=1))
        sampler.collect(wait=sampling.PATIENCE)
    assert Sample.objects.get().minute == MINUTE


def test_a_minute_has_one_sample(looked_at):
    with running_vllm() as server:
        looked_at(server)
        sampler = Sampler()
        for seconds in (0, 2, 4, 22):
            sampler.round(NOW + timedelta(seconds=seconds))
            sampler.collect(wait=sampling.PATIENCE)
        sampler.round(NOW + timedelta(seconds=23))
        sampler.collect(wait=sampling.PATIENCE)
    assert [row.minute for row in Sample.objects.order_by("minute")] == [MINUTE, MINUTE + timedelta(minutes=1)]


def test_two_schedulers_in_one_minute_leave_one_sample(looked_at):
    SampleFactory(minute=MINUTE, state="timeout")
    with running_vllm() as server:
        looked_at(server)
        assert sample_of().state == "timeout"


def test_wrong_settings_stop_the_samples_and_not_the_scheduler(settings, caplog):
    settings.LLM_ENDPOINT, settings.LLM_API_KEY = "http://127.0.0.1:9/v1", "clé"
    Sampler().round(NOW)
    assert not Sample.objects.exists()
    assert "clé" not in caplog.text


def test_a_look_that_breaks_off_is_one_line_without_what_it_said(looked_at, caplog, monkeypatch):
    def broken(_server):
        raise RuntimeError("http://10.0.3.50 secret")

    monkeypatch.setattr("extraction.llm.health.health", broken)
    with running_vllm() as server, caplog.at_level(logging.ERROR):
        looked_at(server)
        sampler = Sampler()
        sampler.round(NOW)
        sampler.collect(wait=1)
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text
    assert not Sample.objects.exists()


def test_a_look_touches_no_database(looked_at):
    with running_vllm(gets=shows(V1)) as server:
        looked_at(server)
        (watched,) = traffic.watched()
        with connection.execute_wrapper(lambda *_: pytest.fail("asked the database")):
            assert sampling.look(watched.name, watched.server, MINUTE).state == "ok"


def test_samples_are_kept_for_400_days():
    SampleFactory(minute=NOW - KEPT - timedelta(minutes=1))
    kept = SampleFactory(minute=NOW - KEPT)
    forget_old(NOW)
    assert Sample.objects.get() == kept


@pytest.mark.queue
def test_the_schedulers_rounds_take_the_samples_and_forget_old_ones(empty_redis, looked_at):
    SampleFactory(minute=NOW - KEPT - timedelta(days=1))
    scheduler = Scheduler()
    with running_vllm() as server:
        looked_at(server)
        scheduler.round(NOW)
        scheduler.sampler.collect(wait=sampling.PATIENCE)
    assert [row.minute for row in Sample.objects.all()] == [MINUTE]


def test_an_outage_of_redis_does_not_stop_the_samples(looked_at):
    scheduler = Scheduler()
    with running_vllm() as server:
        looked_at(server)
        scheduler.attempt(NOW)
        scheduler.sampler.collect(wait=sampling.PATIENCE)
    assert Sample.objects.get().state == "ok"


@pytest.mark.queue
def test_one_round_from_the_command_line_waits_for_its_looks(empty_redis, looked_at):
    with running_vllm() as server:
        looked_at(server)
        call_command("scheduler", "--once")
    assert Sample.objects.get().state == "ok"
