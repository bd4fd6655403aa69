"""The journal: written with what it records, in one gapless chain a clinic, and it shows when it was touched."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts import actions as accounts
from accounts.models import User
from audit import triggers
from audit.chain import GENESIS, link
from audit.models import PLATFORM, ChainHead, Event
from audit.record import JournalUnavailable, record, record_alone
from audit.verbs import Verb
from audit.verify import verify_chain

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(staff):
    """Five events of one clinic."""
    for _turn in range(5):
        record_alone(Verb.LIST_VIEWED, by=staff, object_type="document", count=3)
    return staff.clinic_id


@pytest.fixture
def tamper():
    """Runs SQL as somebody who owns the database and has removed the triggers."""

    def run(statement, *args):
        triggers.remove(connection)
        with connection.cursor() as cursor:
            cursor.execute(statement, args)
        triggers.install(connection)

    return run


def kinds(chain):
    return [problem.kind for problem in verify_chain(chain)]


def test_events_of_a_clinic_are_numbered_without_gaps(chain):
    seqs = list(Event.objects.filter(clinic_id=chain).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) >= 5


def test_an_untouched_chain_has_no_problems(chain):
    assert kinds(chain) == []


def test_two_clinics_have_two_chains(chain, outsider):
    record_alone(Verb.LIST_VIEWED, by=outsider)
    assert Event.objects.filter(clinic_id=outsider.clinic_id).latest("seq").seq == 1 + (
        Event.objects.filter(clinic_id=outsider.clinic_id).count() - 1
    )
    assert kinds(outsider.clinic_id) == []


def test_an_event_without_a_person_belongs_to_the_platform():
    event = record_alone(Verb.LOGIN_FAILED, by=None)
    assert event.clinic_id == PLATFORM


def test_a_changed_event_is_reported(chain, tamper):
    tamper("UPDATE audit_event SET count = 4 WHERE seq = 3")
    assert kinds(chain) == ["changed"]


def test_a_removed_event_is_reported_as_a_gap(chain, tamper):
    tamper("DELETE FROM audit_event WHERE seq = 3")
    assert "gap" in kinds(chain)


def test_a_cut_off_tail_is_reported(chain, tamper):
    tamper("DELETE FROM audit_event WHERE seq >= 4")
    assert kinds(chain) == ["missing_tail"]


def test_a_chain_without_its_head_is_incomplete(chain):
    ChainHead.objects.filter(clinic_id=chain).delete()
    assert kinds(chain) == ["missing_head"]


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET count = 1", "DELETE FROM audit_event"])
def test_the_database_refuses_to_change_the_journal(chain, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("change", [lambda events: events.update(count=1), lambda events: events.delete()])
def test_the_model_refuses_to_change_the_journal(chain, change):
    with pytest.raises(TypeError):
        change(Event.objects.all())


def test_an_event_that_was_saved_cannot_be_saved_again(chain):
    event = Event.objects.filter(clinic_id=chain)[0]
    with pytest.raises(TypeError):
        event.save()


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused(staff):
    with pytest.raises(JournalUnavailable):
        record(Verb.LIST_VIEWED, by=staff)


def test_an_event_is_rolled_back_with_what_it_records(staff):
    before = Event.objects.count()
    with transaction.atomic():
        record(Verb.LIST_VIEWED, by=staff)
        transaction.set_rollback(True)
    assert Event.objects.count() == before
    assert kinds(staff.clinic_id) == []


def test_a_change_is_rolled_back_when_its_event_cannot_be_written(clinic, admin, monkeypatch):
    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr("audit.record._append", broken)
    with pytest.raises(JournalUnavailable):
        accounts.create_user(clinic=clinic, email="neuf@clinique.example", name="Neuf", role="staff", by=admin)
    assert not User.objects.filter(email="neuf@clinique.example").exists()


@pytest.mark.parametrize(
    ("statement", "status"),
    [(None, 0), ("UPDATE audit_event SET outcome = 'denied' WHERE seq = 2", 1)],
    ids=["intact", "tampered"],
)
def test_audit_verify_tells_by_its_exit_status(chain, tamper, capsys, statement, status):
    if statement:
        tamper(statement)
    with pytest.raises(SystemExit) as stop:
        call_command("audit_verify", "--json")
    assert stop.value.code == status


def test_audit_verify_says_incomplete_without_a_head(chain):
    ChainHead.objects.filter(clinic_id=chain).delete()
    with pytest.raises(SystemExit) as stop:
        call_command("audit_verify")
    assert stop.value.code == 2


def test_audit_verify_says_usage_for_an_unknown_clinic(chain):
    with pytest.raises(SystemExit) as stop:
        call_command("audit_verify", "--clinic", "00000000-0000-4000-8000-000000000000")
    assert stop.value.code == 3


# --- The canonical form ----------------------------------------------------------------------------------------------


def golden(**fields):
    """An event whose hash may never change, whatever is released."""
    return Event(
        event_id=uuid.UUID(int=1), clinic_id=uuid.UUID(int=2), seq=1,
        at=datetime(2026, 11, 27, 13, 4, 5, 678, tzinfo=UTC),
        verb="doc.viewed", outcome="success", purpose="billing", actor_id=uuid.UUID(int=3), actor_name="Rémi Révision",
        role="reviewer", object_type="document", object_id=uuid.UUID(int=4), document_id=uuid.UUID(int=4), page=1,
        subject=bytes(range(16)), count=3, details={"blind": "1", "n": 2, "ok": True, "none": None}, component="web",
        request_id="a" * 32, ip="192.0.2.7", **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "digest"),
    [
        ({"version": 1}, "d6d3ab72ada9836b3042a2c290d1e89b6ac15ff3571024d152936be93af29f04"),
        (
            {"version": 2, "context": "administration"},
            "e58749c9be06934897901f6db77382473db3009f3223c3afb32dd5d1331414b8",
        ),
    ],
    ids=["v1", "v2"],
)
def test_a_canonical_form_never_changes(fields, digest):
    assert link(GENESIS, golden(**fields)).hex() == digest


def test_an_event_of_an_unknown_version_is_reported(chain, tamper):
    tamper("UPDATE audit_event SET version = 9 WHERE seq = 3")
    assert kinds(chain) == ["changed"]


def test_an_event_cannot_be_passed_off_as_one_of_an_older_form(chain, tamper):
    tamper("UPDATE audit_event SET version = 1 WHERE seq = 3")
    assert kinds(chain) == ["changed"]


def test_a_chain_that_began_under_the_first_form_goes_on_under_the_second(chain, staff, tamper):
    """As an installation that was upgraded has it."""
    previous = GENESIS
    for event in Event.objects.filter(clinic_id=chain).order_by("seq"):
        event.version, event.context, event.prev_hash = 1, "", previous
        previous = link(previous, event)
        tamper("UPDATE audit_event SET version = 1, context = '', prev_hash = %s, hash = %s WHERE id = %s",
               event.prev_hash, previous, event.pk)  # fmt: skip
    ChainHead.objects.filter(clinic_id=chain).update(hash=previous)
    record_alone(Verb.LIST_VIEWED, by=staff)
    assert kinds(chain) == []
    assert set(Event.objects.filter(clinic_id=chain).values_list("version", flat=True)) == {1, 2}


def test_every_event_says_that_it_is_administrative(chain):
    newest = Event.objects.filter(clinic_id=chain).latest("seq")
    assert (newest.version, newest.context) == (2, "administration")
