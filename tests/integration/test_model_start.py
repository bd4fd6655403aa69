"""A model server of this installation that is being started: what pages say, what documents do."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import actions, claims, jobs
from extraction.llm import starting
from extraction.llm.starting import Starting, Step
from extraction.models import Finder, Run, Status
from tests.factories import RunFactory, agenda_pdf, some_nam

pytestmark = pytest.mark.django_db

WHY = "The model's environment takes 7 GiB of disk, and 1.0 GiB are free."


@pytest.fixture
def state_file(settings, tmp_path: Path) -> Path:
    settings.LLM_ENDPOINT = "http://127.0.0.1:9/v1"
    settings.LLM_MODEL = "small"
    settings.LLM_STATE_FILE = str(tmp_path / "state")
    return tmp_path / "state"


def uploaded(staff) -> Run:
    return actions.upload(data=agenda_pdf([f"NAM : {some_nam(1)}"]), file_name="a.pdf", by=staff).run


@pytest.mark.parametrize("step", ["installing", "loading", "ready", "impossible"])
def test_what_is_written_is_read(tmp_path, step: Step):
    starting.write(tmp_path / "state", Starting(step, WHY))
    assert starting.read(tmp_path / "state") == Starting(step, WHY)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"step": "unheard of"}', "null"])
def test_what_is_no_state_says_nothing(tmp_path, text):
    (tmp_path / "state").write_text(text)
    assert starting.read(tmp_path / "state") is None


def test_without_a_file_nothing_is_said(tmp_path):
    assert starting.read(None) is None
    assert starting.read(tmp_path / "none") is None


@pytest.mark.parametrize("step", ["installing", "loading", "ready"])
def test_a_document_asks_a_model_that_will_come(state_file, staff, step: Step):
    starting.write(state_file, Starting(step))
    assert uploaded(staff).finder == Finder.HYBRID


def test_a_document_asks_no_model_that_will_not_come(state_file, staff):
    starting.write(state_file, Starting("impossible", WHY))
    run = uploaded(staff)
    assert (run.finder, run.model_name) == (Finder.PATTERN, "")


def test_a_document_that_waited_goes_on_when_the_model_will_not_come(state_file, staff):
    starting.write(state_file, Starting("loading"))
    run = uploaded(staff)
    jobs.run_extraction(run.pk.hex)
    assert Run.objects.get(pk=run.pk).status == Status.WAITING

    starting.write(state_file, Starting("impossible", WHY))
    assert claims.hurry_for_model() == 1
    claims.enqueue_due(timezone.now())
    jobs.run_extraction(run.pk.hex)
    run.refresh_from_db()
    assert (run.status, run.without_model, run.findings.count()) == (Status.DONE, True, 1)
    assert Event.objects.filter(verb=Verb.RUN_WITHOUT_MODEL, object_id=str(run.pk)).count() == 1


def test_only_what_waits_for_the_model_is_hurried(db):
    later = timezone.now() + timezone.timedelta(minutes=5)
    RunFactory(status=Status.WAITING, error_code="reader_unavailable", next_attempt_at=later)
    RunFactory(status=Status.QUEUED)
    assert claims.hurry_for_model() == 0


@pytest.mark.parametrize(
    ("step", "french"),
    [
        ("installing", "Le modèle démarre : son environnement s’installe"),
        ("loading", "Le modèle démarre : ses poids se chargent"),
        ("impossible", "Le modèle ne peut pas fonctionner sur cet ordinateur"),
    ],
)
def test_the_list_says_how_far_the_model_is(state_file, client, staff, step: Step, french):
    starting.write(state_file, Starting(step, WHY))
    client.force_login(staff)
    page = client.get(reverse("extraction:document-list")).content.decode()
    assert french in page
    assert (WHY.replace("'", "&#x27;") in page) == (step == "impossible")


def test_the_list_says_nothing_of_a_model_that_is_there(state_file, client, staff):
    starting.write(state_file, Starting("ready"))
    client.force_login(staff)
    assert "Le modèle" not in client.get(reverse("extraction:document-list")).content.decode()


def test_a_document_that_waits_says_that_the_model_is_starting(state_file, client, staff):
    starting.write(state_file, Starting("loading"))
    run = uploaded(staff)
    jobs.run_extraction(run.pk.hex)
    client.force_login(staff)
    page = client.get(reverse("extraction:document-list")).content.decode()
    assert "modèle en démarrage" in page
    assert "Continuer sans le modèle" in page
