"""A restored database is shorter than its anchors say: a named person's signed word makes that loss known."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit import anchors, restores, signing, triggers
from audit.models import Anchor, AnchorMark, ChainHead, Event
from audit.record import record_alone
from audit.standalone import verify as standalone
from audit.verbs import Verb
from audit.verify import verdict, verify

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def key(settings, tmp_path):
    settings.AUDIT_ANCHOR_KEY_FILE = str(tmp_path / "anchor.pem")
    settings.AUDIT_ANCHOR_DIRS = [str(tmp_path / "anchors")]
    signing.make(tmp_path / "anchor.pem")
    return signing.private_key()


def write(person, count):
    for _turn in range(count):
        record_alone(Verb.LIST_VIEWED, by=person, count=3)


def anchored(chain):
    """One anchor more, in its place too."""
    assert anchors.anchor(chain, timezone.now(), signing.private_key())
    anchors.deliver(timezone.now())


def cut_back(chain, seq, number):
    """The database as a backup has it: events to `seq`, anchors to `number`."""
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_event WHERE clinic_id = %s AND seq > %s", [_id(chain), seq])
        cursor.execute("DELETE FROM audit_anchor WHERE clinic_id = %s AND number > %s", [_id(chain), number])
    triggers.install(connection)
    last = Event.objects.get(clinic_id=chain, seq=seq)
    ChainHead.objects.filter(clinic_id=chain).update(seq=seq, hash=bytes(last.hash))
    AnchorMark.objects.filter(clinic_id=chain).update(number=number)


def _id(chain):
    return chain.hex if connection.vendor == "sqlite" else chain


@pytest.fixture
def restored(admin):
    """Nine events and three anchors (at 3, 6 and 9), of which a restore left five events and one anchor."""
    chain = admin.clinic_id
    for _turn in range(3):
        write(admin, 3)
        anchored(chain)
    cut_back(chain, 5, 1)
    return chain


def found(chain):
    return verdict(verify(chain, timezone.now()))


def test_what_was_lost_is_told_to_the_event(restored):
    loss = restores.lost(restored)
    assert (loss.first, loss.last, loss.first_anchor, loss.last_anchor) == (6, 9, 2, 3)
    assert found(restored) == "tampered"


def test_what_was_written_since_the_restore_is_not_counted_as_kept(restored, admin):
    write(admin, 2)
    assert restores.lost(restored).first == 6


def test_a_loss_that_a_person_acknowledged_is_no_tampering(restored, admin):
    restores.acknowledge(restored, timezone.now(), reason="failure", by=admin)
    assert found(restored) == "intact"
    event = Event.objects.get(verb=Verb.RESTORED)
    assert (event.actor_id, event.reason_code, event.count) == (admin.pk, "failure", 4)


def test_the_journal_goes_on_with_anchors_that_follow_the_lost_ones(restored, admin):
    restores.acknowledge(restored, timezone.now(), reason="failure", by=admin)
    write(admin, 8)
    anchored(restored)
    assert found(restored) == "intact"
    assert [row.number for row in Anchor.objects.order_by("number")] == [1, 2, 3, 4, 5]


def test_a_second_restore_is_acknowledged_as_the_first(restored, admin):
    restores.acknowledge(restored, timezone.now(), reason="failure", by=admin)
    anchors.deliver(timezone.now())
    write(admin, 3)
    anchored(restored)
    cut_back(restored, 7, 4)
    assert found(restored) == "tampered"
    restores.acknowledge(restored, timezone.now(), reason="drill", by=admin)
    assert found(restored) == "intact"


@pytest.mark.parametrize("said", [{"first": 4}, {"last_anchor": 4}, {"signature": "AAAA"}, {"key": "0" * 16}])
def test_whoever_owns_the_database_alone_acknowledges_nothing(restored, admin, said):
    loss = restores.lost(restored)
    forged = loss.details(admin.pk, "failure", signing.private_key()) | said
    for note in (each for each in _notes() if each.number > 1):
        Anchor.of(note).save(force_insert=True)
    record_alone(Verb.RESTORED, by=admin, reason_code="failure", details=forged)
    assert found(restored) == "tampered"


def test_an_acknowledgement_speaks_of_its_own_loss_only(restored, admin):
    restores.acknowledge(restored, timezone.now(), reason="failure", by=admin)
    anchors.deliver(timezone.now())
    cut_back(restored, 4, 1)
    assert found(restored) == "tampered"


def test_nothing_is_anchored_before_somebody_acknowledged_it(restored, admin):
    write(admin, 2)
    assert anchors.make_now(timezone.now(), signing.private_key()) == 0
    assert AnchorMark.objects.get(place="").error == "restored"
    restores.acknowledge(restored, timezone.now(), reason="failure", by=admin)
    write(admin, 1)
    assert anchors.make_now(timezone.now(), signing.private_key()) == 1


def test_what_was_never_lost_is_not_acknowledged(admin):
    write(admin, 3)
    anchored(admin.clinic_id)
    assert restores.acknowledge(admin.clinic_id, timezone.now(), reason="failure", by=admin) is None
    assert not Event.objects.filter(verb=Verb.RESTORED).exists()


def test_the_commands_tell_it_and_take_it_from_an_administrator_only(restored, admin, staff):
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", stdout=(said := StringIO()))
    assert ended.value.code == 1
    assert "events 6 to 9 were lost in a restore: not acknowledged" in said.getvalue()
    with pytest.raises(CommandError):
        call_command("acknowledge_restore", by=staff.email, reason="failure")
    call_command("acknowledge_restore", by=admin.email, reason="failure", stdout=StringIO())
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", stdout=(said := StringIO()))
    assert ended.value.code == 0
    assert "events 6 to 9 were lost in a restore: acknowledged" in said.getvalue()


def test_an_auditor_with_the_standalone_verifier_sees_the_same(restored, admin, tmp_path, settings):
    def judged():
        folder = tmp_path / str(Event.objects.count())
        call_command("export_journal", str(restored), str(folder), stdout=StringIO())
        journal = folder / f"{restored}.jsonl"
        kept = Path(settings.AUDIT_ANCHOR_DIRS[0]) / f"{restored}.jsonl"
        findings, _events = standalone.check(journal, [kept], [tmp_path / "anchor.pem.pub"], str(restored))
        return findings.tampered

    assert judged()
    restores.acknowledge(restored, timezone.now(), reason="failure", by=admin)
    anchors.deliver(timezone.now())
    assert not judged()


def _notes():
    from audit.notes import read
    from audit.places import places

    chain = Event.objects.values_list("clinic_id", flat=True).first()
    return [read(line) for line in places()[0].lines(chain) if json.loads(line)]
