"""What the calendar asks for: the journal is verified every day, clinics get new keys, and a failure is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import Clinic
from audit import triggers, verify
from audit.integrity import VERIFIED_WITHIN, chains_in_trouble
from audit.models import Event
from audit.record import record_alone
from audit.verbs import Verb
from extraction import alerts, banner, rotation, scheduler, storage
from extraction.models import Alert, AlertKind, Document
from extraction.scheduler import LEASE, Scheduler, take_lease
from extraction.upkeep import Upkeep
from tests.factories import DocumentFactory
from vault import clinic_keys
from vault.files import file_store

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


def never() -> bool:
    return False


def verdicts(clinic: Clinic) -> list[str]:
    found = Event.objects.filter(clinic_id=clinic.pk, verb=Verb.JOURNAL_VERIFIED).order_by("seq")
    return list(found.values_list("reason_code", flat=True))


@pytest.fixture
def chain(clinic: Clinic, staff: Any) -> Clinic:
    """A clinic whose journal has three events."""
    for _turn in range(3):
        record_alone(Verb.LIST_VIEWED, by=staff)
    return clinic


@pytest.fixture
def document(staff: Any, settings: Any, tmp_path: Any) -> Document:
    """With a file under the clinic's first key."""
    settings.VAULT_DIR, settings.VAULT_KEY_DIR = tmp_path / "bodies", str(tmp_path / "keys")
    clinic_keys.forget()
    document = DocumentFactory(uploaded_by=staff)
    storage.put(document, b"%PDF-1.7")
    return document


def tamper() -> None:
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET page = 99 WHERE seq = 2")
    triggers.install(connection)


# --- The journal ------------------------------------------------------------------------------------------------------


def test_every_chain_is_verified_once_a_day(chain: Clinic) -> None:
    upkeep, now = Upkeep(), timezone.now()
    for moment in (now, now + DAY / 2, now + DAY + timedelta(minutes=1)):
        upkeep.look(moment, never)
    assert verdicts(chain) == ["intact", "intact"]


def test_the_command_leaves_nothing_to_do(chain: Clinic) -> None:
    with pytest.raises(SystemExit):
        call_command("audit_verify", "--json")
    assert verify.due(timezone.now()) == []


def test_a_change_that_the_calendar_finds_is_an_alert(chain: Clinic, admin: Any) -> None:
    tamper()
    Upkeep().look(timezone.now(), never)
    assert verdicts(chain) == ["tampered"]
    alerts.evaluate(timezone.now())
    alert = Alert.objects.get(kind=AlertKind.JOURNAL)
    assert (alert.clinic_id, alert.detail) == (chain.pk, "tampered")


@pytest.mark.parametrize(
    ("verdict", "age", "trouble"),
    [
        ("intact", VERIFIED_WITHIN - timedelta(hours=1), []),
        ("intact", VERIFIED_WITHIN + timedelta(hours=1), ["unverified"]),
        ("incomplete", timedelta(0), ["incomplete"]),
    ],
)
def test_a_verification_that_did_not_end_or_did_not_happen_is_an_alert(
    chain: Clinic, verdict: str, age: timedelta, trouble: list[str]
) -> None:
    record_alone(Verb.JOURNAL_VERIFIED, by=None, clinic_id=chain.pk, reason_code=verdict)
    assert [why for _chain, why in chains_in_trouble(timezone.now() + age)] == trouble
    sentences = [banner.sentence(Alert(kind=AlertKind.JOURNAL, detail=why)) for why in trouble]
    assert all("rappel" not in sentence and "anchor" not in sentence for sentence in sentences)


def test_a_journal_that_nobody_ever_verified_is_an_alert_after_two_days(chain: Clinic) -> None:
    assert list(chains_in_trouble(timezone.now())) == []
    assert (chain.pk, "unverified") in chains_in_trouble(timezone.now() + VERIFIED_WITHIN + DAY)


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_a_key_of_a_year_is_replaced_and_everything_moved(document: Document) -> None:
    (first,) = clinic_keys.ids(document.clinic_id)
    upkeep = Upkeep()
    upkeep.look(timezone.now() + timedelta(days=364), never)
    assert clinic_keys.ids(document.clinic_id) == [first]
    upkeep.look(timezone.now() + timedelta(days=366), never)
    assert len(clinic_keys.ids(document.clinic_id)) == 2
    newest = clinic_keys.ids(document.clinic_id)[-1]
    assert file_store().key_id(document.vault_name) == f"{document.clinic_id}/{newest}"
    rotated = Event.objects.filter(clinic_id=document.clinic_id, verb=Verb.KEY_ROTATED).order_by("seq")
    assert list(rotated.values_list("reason_code", flat=True)) == ["new", "moved"]


def test_what_a_stopped_move_left_is_moved_by_the_next(document: Document) -> None:
    upkeep = Upkeep()
    with time_machine.travel(timezone.now() + timedelta(days=366)):
        # Asked first between the chains of the journal, then after the first step of the move.
        upkeep.look(timezone.now(), rotation.is_unfinished)
        assert rotation.is_unfinished()
        upkeep.look(timezone.now(), never)
    assert not rotation.is_unfinished()
    assert len(clinic_keys.ids(document.clinic_id)) == 2


def test_where_nothing_is_to_be_renewed_the_years_pass(document: Document, settings: Any) -> None:
    settings.VAULT_RENEW_DAYS = 0
    Upkeep().look(timezone.now() + timedelta(days=4000), never)
    assert len(clinic_keys.ids(document.clinic_id)) == 1


def test_the_command_renews_what_is_due_too(document: Document, settings: Any, capsys: Any) -> None:
    call_command("rotate_keys", "--due")
    assert capsys.readouterr().out.startswith("0 new keys")


# --- Who and when -----------------------------------------------------------------------------------------------------


def test_only_the_scheduler_that_holds_the_lease_keeps_up(chain: Clinic) -> None:
    first, second = Scheduler(), Scheduler()
    take_lease(LEASE, first.holder, timezone.now())
    second.keep_up(never)
    assert verdicts(chain) == []
    first.keep_up(never)
    assert verdicts(chain) == ["intact"]


def test_a_lost_database_is_survived_and_tried_again(
    chain: Clinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lost(_moment: object) -> None:
        raise OperationalError("a secret of the database")

    with monkeypatch.context() as patch:
        patch.setattr(verify, "due", lost)
        assert not Upkeep().look(NOW, never)
    assert "secret" not in caplog.text
    assert Upkeep().look(timezone.now(), never)


def test_a_scheduler_looks_by_itself_and_stops(chain: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(scheduler, "LOOK_EVERY", timedelta(milliseconds=10))
    monkeypatch.setattr(Scheduler, "attempt", lambda _self, _moment: None)
    monkeypatch.setattr(Scheduler, "keep_up", lambda _self, _is_stopping: bool(looked.append(True)) or True)
    Scheduler().run(lambda: len(looked) >= 2)
    assert len(looked) >= 2
