"""Anchors: made when due, kept in more than one place, and what they find that a chain cannot show of itself."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import anchors, signing, triggers
from audit.chain import GENESIS, link
from audit.models import Anchor, AnchorMark, ChainHead, Event
from audit.notes import read
from audit.places import PlaceUnavailable, places
from audit.places.s3 import LockedBucket
from audit.record import record_alone
from audit.verbs import Verb
from audit.verify import verdict, verify
from extraction.scheduler import Scheduler

pytestmark = pytest.mark.django_db

REGION = "ca-central-1"


@pytest.fixture
def key(settings, tmp_path):
    """A key of its own, and one folder for the anchors."""
    settings.AUDIT_ANCHOR_KEY_FILE = str(tmp_path / "anchor.pem")
    settings.AUDIT_ANCHOR_DIRS = [str(tmp_path / "anchors")]
    signing.make(tmp_path / "anchor.pem")
    return signing.private_key()


@pytest.fixture
def chain(staff, key):
    """Five events of one clinic with an anchor, and two behind it."""
    write(staff, 5)
    anchors.make_due(timezone.now())
    anchors.deliver(timezone.now())
    write(staff, 2)
    return staff.clinic_id


def write(person, count):
    for _turn in range(count):
        record_alone(Verb.LIST_VIEWED, by=person, count=3)


@pytest.fixture
def tamper():
    """Runs SQL as somebody who owns the database and has removed the triggers."""

    def run(statement, *args):
        triggers.remove(connection)
        with connection.cursor() as cursor:
            cursor.execute(statement, args)
        triggers.install(connection)

    return run


def kinds(chain, moment=None):
    return [problem.kind for problem in verify(chain, moment or timezone.now())]


def written_anew(chain, seq, tamper):
    """Changes an event and computes everything behind it again, as only an owner of the database can."""
    previous = GENESIS if seq == 1 else bytes(Event.objects.get(clinic_id=chain, seq=seq - 1).hash)
    for event in Event.objects.filter(clinic_id=chain, seq__gte=seq).order_by("seq"):
        event.count = 99 if event.seq == seq else event.count
        event.prev_hash, event.hash = previous, link(previous, event)
        tamper("UPDATE audit_event SET count = %s, prev_hash = %s, hash = %s WHERE clinic_id = %s AND seq = %s",
               event.count, event.prev_hash, event.hash,
               event.clinic_id.hex if connection.vendor == "sqlite" else event.clinic_id, event.seq)  # fmt: skip
        previous = event.hash
    ChainHead.objects.filter(clinic_id=chain).update(hash=previous)


# --- The key ---------------------------------------------------------------------------------------------------------


def test_a_key_is_written_for_its_owner_only_and_never_over_another(tmp_path):
    call_command("make_anchor_key", tmp_path / "key.pem")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    with pytest.raises(CommandError):
        call_command("make_anchor_key", tmp_path / "key.pem")


def test_the_public_file_holds_no_private_key(key, tmp_path):
    assert b"PRIVATE" not in (tmp_path / "anchor.pem.pub").read_bytes()
    assert list(signing.public_keys()) == [signing.key_id(key.public_key())]


def test_former_public_keys_stay_known_after_a_rotation(key, tmp_path):
    before = set(signing.public_keys())
    (tmp_path / "anchor.pem").rename(tmp_path / "former.pem")
    signing.make(tmp_path / "anchor.pem")
    assert before < set(signing.public_keys())


@pytest.mark.parametrize("text", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_without_its_path(key, settings, text):
    Path(settings.AUDIT_ANCHOR_KEY_FILE).write_bytes(text)
    with pytest.raises(signing.NoAnchorKey) as raised:
        signing.private_key()
    assert settings.AUDIT_ANCHOR_KEY_FILE not in str(raised.value)


# --- When ------------------------------------------------------------------------------------------------------------


def test_an_anchor_says_where_the_chain_stood(staff, key):
    write(staff, 3)
    anchors.make_due(timezone.now())
    head = ChainHead.objects.get(clinic_id=staff.clinic_id)
    note = Anchor.objects.get(clinic_id=staff.clinic_id).note
    assert (note.number, note.seq, note.hash, note.previous) == (1, head.seq, bytes(head.hash), GENESIS)
    assert signing.is_signed(note.signed_bytes(), note.signature, key.public_key())


def test_the_next_anchor_names_the_one_before(chain):
    anchors.make_due(timezone.now() + anchors.EVERY)
    first, second = (row.note for row in Anchor.objects.filter(clinic_id=chain).order_by("number"))
    assert second.previous == first.digest()


@pytest.mark.parametrize(("later", "count"), [(anchors.EVERY - timedelta(seconds=5), 1), (anchors.EVERY, 2)])
def test_an_anchor_is_due_after_a_quarter_of_an_hour(chain, later, count):
    anchors.make_due(Anchor.objects.get(clinic_id=chain).at + later)
    assert Anchor.objects.filter(clinic_id=chain).count() == count


def test_a_clock_that_is_put_right_stops_no_anchors(chain, staff):
    anchorer = anchors.Anchorer()
    anchorer.round(timezone.now() + timedelta(hours=1))
    first = anchors.newest(chain).number
    record_alone(Verb.LIST_VIEWED, by=staff)
    anchorer.round(timezone.now())
    assert anchors.newest(chain).number == first + 1


@pytest.mark.parametrize(("events", "count"), [(7, 1), (8, 2)])
def test_an_anchor_is_due_after_so_many_events(chain, staff, monkeypatch, events, count):
    monkeypatch.setattr(anchors, "EVERY_EVENTS", 10)
    write(staff, events)
    anchors.make_due(timezone.now())
    assert Anchor.objects.filter(clinic_id=chain).count() == count


def test_a_chain_with_nothing_new_gets_no_anchor(staff, key):
    write(staff, 1)
    anchors.make_due(timezone.now())
    made = Anchor.objects.count()
    anchors.make_due(timezone.now() + timedelta(days=1))
    assert Anchor.objects.count() == made


def test_a_long_chain_is_anchored_in_steps(staff, key, monkeypatch):
    monkeypatch.setattr(anchors, "MOST_EVENTS", 4)
    write(staff, 10)
    assert anchors.make_for_export(staff.clinic_id, timezone.now())
    seqs = list(Anchor.objects.filter(clinic_id=staff.clinic_id).order_by("number").values_list("seq", flat=True))
    assert seqs == [4, 8, 10]


def test_nothing_is_signed_that_does_not_follow(chain, tamper):
    tamper("UPDATE audit_event SET count = 4 WHERE seq = 7")
    anchors.make_due(timezone.now() + anchors.EVERY)
    assert Anchor.objects.filter(clinic_id=chain).count() == 1
    assert AnchorMark.objects.get(clinic_id=chain, place="").error == "broken_chain"


# --- Where -----------------------------------------------------------------------------------------------------------


def test_a_folder_gets_every_anchor_as_a_line(chain, settings):
    (line,) = (Path(settings.AUDIT_ANCHOR_DIRS[0]) / f"{chain}.jsonl").read_text().splitlines()
    assert read(line) == Anchor.objects.get(clinic_id=chain).note


def test_a_place_that_is_new_gets_the_older_anchors_too(chain, settings, tmp_path):
    anchors.make_due(timezone.now() + anchors.EVERY)
    settings.AUDIT_ANCHOR_DIRS.append(str(tmp_path / "second"))
    anchors.deliver(timezone.now())
    assert len((tmp_path / "second" / f"{chain}.jsonl").read_text().splitlines()) == 2


def test_a_place_that_fails_is_marked_and_tried_again(chain, settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.AUDIT_ANCHOR_DIRS = [str(tmp_path / "file")]
    now = timezone.now()
    anchors.deliver(now)
    mark = AnchorMark.objects.get(clinic_id=chain, place=str(tmp_path / "file"))
    assert (mark.error, mark.failing_since, mark.number) == ("unwritable", now, 0)
    (tmp_path / "file").unlink()
    anchors.deliver(now + anchors.PAUSE / 2)
    assert not (tmp_path / "file").exists()
    anchors.deliver(now + anchors.PAUSE)
    mark.refresh_from_db()
    assert (mark.error, mark.failing_since, mark.number) == ("", None, 1)


def test_without_its_key_the_journal_goes_on(chain, staff, settings):
    settings.AUDIT_ANCHOR_KEY_FILE = "/nowhere"
    anchors.make_due(timezone.now() + anchors.EVERY)
    assert AnchorMark.objects.get(clinic_id=chain, place="").error == "no_key"
    write(staff, 1)


@pytest.fixture
def bucket(settings, moto_endpoint):
    """A bucket with Object Lock, over HTTP."""
    settings.AWS_ENDPOINT_URL = moto_endpoint
    client = boto3.client("s3", region_name=REGION, endpoint_url=moto_endpoint)
    where = {"LocationConstraint": REGION}
    name = "anchors-test"
    if name not in [each["Name"] for each in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=name, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    settings.AUDIT_ANCHOR_S3_BUCKET = name
    return client


def test_a_bucket_gets_every_anchor_locked(chain, bucket):
    anchors.deliver(timezone.now())
    name = f"anchors/{chain}/0000000001.json"
    kept = bucket.get_object(Bucket="anchors-test", Key=name)
    assert read(kept["Body"].read().decode()) == Anchor.objects.get(clinic_id=chain).note
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] > timezone.now() + timedelta(days=3650)


def test_what_a_bucket_keeps_cannot_be_removed(chain, bucket):
    anchors.deliver(timezone.now())
    name = f"anchors/{chain}/0000000001.json"
    version = bucket.head_object(Bucket="anchors-test", Key=name)["VersionId"]
    with pytest.raises(bucket.exceptions.ClientError, match="AccessDenied"):
        bucket.delete_object(Bucket="anchors-test", Key=name, VersionId=version)


def test_an_anchor_that_is_in_the_bucket_already_is_not_written_again(chain, bucket):
    anchors.deliver(timezone.now())
    (place,) = (each for each in places() if isinstance(each, LockedBucket))
    place.add(Anchor.objects.get(clinic_id=chain).note)
    found = bucket.list_object_versions(Bucket="anchors-test", Prefix=f"anchors/{chain}/")
    assert len(found["Versions"]) == 1


def test_the_first_version_of_an_object_counts(chain, bucket, tamper):
    anchors.deliver(timezone.now())
    bucket.put_object(Bucket="anchors-test", Key=f"anchors/{chain}/0000000001.json", Body=b"{}")
    assert kinds(chain) == []


@pytest.mark.parametrize(("setting", "value", "code"), [
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "unreachable"), ("AUDIT_ANCHOR_S3_BUCKET", "no-such-bucket", "refused"),
])  # fmt: skip
def test_a_bucket_that_does_not_take_them_says_why(chain, bucket, settings, setting, value, code):
    setattr(settings, setting, value)
    (place,) = (each for each in places() if isinstance(each, LockedBucket))
    with pytest.raises(PlaceUnavailable, match=code):
        place.add(Anchor.objects.get(clinic_id=chain).note)


# --- What they show --------------------------------------------------------------------------------------------------


def test_an_untouched_journal_with_anchors_is_intact(chain):
    assert kinds(chain) == []


def test_a_tail_that_is_cut_off_with_its_head_is_found(chain, tamper):
    last = Event.objects.get(clinic_id=chain, seq=3)
    tamper("DELETE FROM audit_event WHERE seq > 3")
    ChainHead.objects.filter(clinic_id=chain).update(seq=3, hash=last.hash)
    assert kinds(chain) == ["cut_off"]


def test_a_chain_that_is_computed_anew_is_found(chain, tamper):
    written_anew(chain, 2, tamper)
    assert kinds(chain) == ["rewritten"]


def test_what_was_written_after_the_last_anchor_is_not_proven(chain, tamper):
    """The window that an anchor leaves open, for as long as EVERY."""
    written_anew(chain, 6, tamper)
    assert kinds(chain) == []


def test_anchors_that_vanish_from_the_database_are_known_elsewhere(chain, tamper):
    written_anew(chain, 2, tamper)
    tamper("DELETE FROM audit_anchor")
    assert sorted(kinds(chain)) == ["missing_anchor", "rewritten"]


def test_an_anchor_with_another_content_is_forged(chain, tamper):
    tamper("UPDATE audit_anchor SET seq = 4")
    assert "forged_anchor" in kinds(chain)


def test_a_line_in_the_folder_that_nobody_signed_is_forged(chain, settings):
    file = Path(settings.AUDIT_ANCHOR_DIRS[0]) / f"{chain}.jsonl"
    file.write_text(file.read_text().replace('"seq":', '"seq":1'))
    assert kinds(chain) == ["forged_anchor"]


def test_a_copy_that_is_gone_leaves_the_verification_incomplete(chain, settings):
    (Path(settings.AUDIT_ANCHOR_DIRS[0]) / f"{chain}.jsonl").unlink()
    found = verify(chain, timezone.now())
    assert [(problem.kind, problem.place) for problem in found] == [("missing_copy", settings.AUDIT_ANCHOR_DIRS[0])]
    assert verdict(found) == "incomplete"


def test_a_place_that_does_not_answer_leaves_it_incomplete(chain, bucket, settings):
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    assert kinds(chain) == ["unreachable_place"]


def test_events_without_an_anchor_for_too_long_leave_it_incomplete(chain):
    assert kinds(chain, timezone.now() + anchors.LATE + timedelta(minutes=1)) == ["late_anchor"]


def test_a_key_that_is_not_known_leaves_it_incomplete(chain, settings, tmp_path):
    settings.AUDIT_ANCHOR_PUBLIC_KEYS = str(tmp_path / "other.pem.pub")
    signing.make(tmp_path / "other.pem")
    assert set(kinds(chain)) == {"unknown_key"}


@pytest.mark.parametrize(
    ("statement", "status"), [(None, 0), ("UPDATE audit_event SET page = 7 WHERE seq = 1", 1)],
    ids=["intact", "tampered"],
)  # fmt: skip
def test_audit_verify_tells_by_its_exit_status_and_keeps_what_it_found(chain, tamper, statement, status):
    if statement:
        tamper(statement)
    with pytest.raises(SystemExit) as stop:
        call_command("audit_verify", "--clinic", str(chain))
    assert stop.value.code == status
    event = Event.objects.get(clinic_id=chain, verb=Verb.JOURNAL_VERIFIED)
    assert event.reason_code == ("tampered" if status else "intact")


@pytest.mark.parametrize("statement", ["UPDATE audit_anchor SET seq = 1", "DELETE FROM audit_anchor"])
def test_the_database_refuses_to_change_an_anchor(chain, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# --- The scheduler and the command -----------------------------------------------------------------------------------


def test_the_scheduler_makes_and_delivers_them_without_redis(staff, key, settings):
    write(staff, 1)
    Scheduler().attempt(timezone.now())
    assert (Path(settings.AUDIT_ANCHOR_DIRS[0]) / f"{staff.clinic_id}.jsonl").exists()


def test_the_command_signs_at_once_and_tells_where_it_failed(chain, settings, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    settings.AUDIT_ANCHOR_DIRS.append(str(tmp_path / "file"))
    with pytest.raises(SystemExit) as stop:
        call_command("anchor_journal")
    assert stop.value.code == 1
    assert "unwritable" in capsys.readouterr().err
    assert Anchor.objects.filter(clinic_id=chain).count() == 2
