"""A document's numbers leave as a file: by whom, what the journal says, and that it stays as it was made."""

from __future__ import annotations

import hashlib
from datetime import date, time

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone

from accounts.policy import NotAllowed
from audit.models import Event
from audit.record import record_alone
from audit.verbs import Verb
from audit.verify import verdict, verify
from extraction.actions import Billing
from review import actions
from review.actions import Request, Value
from review.exports import recognition
from review.exports.lines import Selection
from review.models import Export
from review.policy import Conflict
from tests.factories import FindingFactory, RunFactory, RunPageFactory, some_nam
from vault.index import content_mac

pytestmark = pytest.mark.django_db

FORM = {"format": "csv", "recipient": "Logiciel de facturation", "justification": "claim"}


@pytest.fixture
def run(staff):
    run = RunFactory(document__uploaded_by=staff, document__page_count=2)
    for number in (1, 2):
        RunPageFactory(run=run, number=number)
    return run


def finding(run, number, page=1):
    return FindingFactory(run=run, page=page, position=number, value=some_nam(number), visit_date="2025-10-03",
                          visit_time="08:30")  # fmt: skip


@pytest.fixture
def reviewed(run, reviewer):
    """Three numbers on a signed page, one rejected, one added; a fourth nobody decided on."""
    for number in (1, 2):
        each = finding(run, number)
        actions.decide(finding=each, value=as_proposed(each), by=reviewer)
    actions.decide(finding=finding(run, 3), value=None, reason="specimen", by=reviewer)
    actions.add(document=run.document, page=1, value=Value(some_nam(4)), by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    finding(run, 5, page=2)
    return run


def as_proposed(each):
    return Value(each.value, date(2025, 10, 3), time(8, 30))


def make(run, by, **changes):
    asked = Request(**(FORM | {"selection": Selection(), "billing": Billing()} | changes))
    return actions.export(document=run.document, request=asked, by=by)


def test_decided_numbers_of_signed_pages_leave_and_others_are_counted(reviewed, staff):
    export = make(reviewed, staff)
    text = export.data.decode("utf-8-sig")
    assert [some_nam(n) in text for n in range(1, 6)] == [True, True, False, False, False]
    assert (export.lines, export.withheld) == (2, 2)  # the addition has no date, the fifth is undecided


def test_the_journal_says_who_got_what_and_no_number(reviewed, staff):
    export = make(reviewed, staff)
    event = Event.objects.get(verb=Verb.EXPORTED)
    assert (event.actor_id, event.document_id, event.count, event.purpose) == (
        staff.pk, reviewed.document_id, 2, "billing",
    )  # fmt: skip
    assert event.details["recipient"] == FORM["recipient"]
    assert event.details["mac"] == bytes(export.mac).hex()
    assert not any(some_nam(n) in str(event.details) for n in range(1, 6))


@pytest.mark.attack("guessed content", "refused")
def test_nothing_that_is_kept_confirms_a_guessed_file(reviewed, staff):
    digest = hashlib.sha256(make(reviewed, staff).data).digest()
    rows = repr(list(Event.objects.values_list("details", flat=True)))
    rows += repr([tuple(bytes(part) if isinstance(part, memoryview) else part for part in row)
                  for row in Export.objects.values_list()])  # fmt: skip
    assert digest.hex() not in rows
    assert repr(digest) not in rows


def test_nothing_is_exported_without_a_justification(reviewed, client, staff):
    client.force_login(staff)
    for justification in ("", "because"):
        form = FORM | {"justification": justification}
        assert client.post(reverse("review:export", args=[reviewed.document_id]), form).status_code == 400
    assert not Export.objects.exists()


def test_the_justification_goes_with_the_file_into_both_events(reviewed, client, staff):
    client.force_login(staff)
    form = FORM | {"justification": "mandate"}
    client.post(reverse("review:export", args=[reviewed.document_id]), form)
    client.get(reverse("review:download", args=[Export.objects.get().pk]))
    for verb in (Verb.EXPORTED, Verb.EXPORT_DOWNLOADED):
        assert Event.objects.get(verb=verb).details["justification"] == "mandate"


def test_a_file_is_known_again_after_it_was_destroyed(reviewed, staff, tmp_path, capsys):
    export = make(reviewed, staff)
    (tmp_path / "found").write_bytes(export.data)
    export.delete()
    call_command("recognise_export", str(tmp_path / "found"))
    event = Event.objects.get(verb=Verb.EXPORTED)
    assert f"event {event.seq}: export {event.object_id}" in capsys.readouterr().out
    assert Event.objects.get(verb=Verb.JOURNAL_VIEWED).reason_code == "recognise_export"


def test_a_file_of_a_time_when_codes_were_not_keyed_is_known_again(reviewed, staff, clinic):
    data = b"old"
    record_alone(Verb.EXPORTED, by=staff, object_id=reviewed.pk,
                 details={"recipient": "RAMQ", "sha256": hashlib.sha256(data).hexdigest()})  # fmt: skip
    assert [event.object_id for event in recognition.recognised(data)] == [reviewed.pk]
    assert verdict(verify(clinic.pk, timezone.now())) == "intact"


def test_another_file_is_not_known(reviewed, staff, tmp_path, capsys):
    (tmp_path / "other").write_bytes(make(reviewed, staff).data + b" ")
    with pytest.raises(SystemExit) as stop:
        call_command("recognise_export", str(tmp_path / "other"))
    assert (stop.value.code, capsys.readouterr().out) == (1, "not exported here\n")


@pytest.mark.django_db(transaction=True)
def test_digests_that_were_kept_are_keyed_by_the_migration(reviewed, staff):
    digest = hashlib.sha256(b"old").hexdigest()
    before = MigrationExecutor(connection)
    before.migrate([("review", "0011_score_groups")])
    old = before.loader.project_state([("review", "0011_score_groups")]).apps.get_model("review", "Export")
    old.objects.create(document_id=reviewed.document_id, by_id=staff.pk, format="csv", recipient="RAMQ", lines=1,
                       withheld=0, content="", sha256=digest)  # fmt: skip
    after = MigrationExecutor(connection)
    after.migrate(after.loader.graph.leaf_nodes())
    expected = content_mac(digest, clinic_id=reviewed.document.clinic_id, purpose="export")
    assert bytes(Export.objects.values_list("mac", flat=True).get()) == expected


def test_a_file_stays_as_it_was_made(reviewed, reviewer, client, staff):
    export = make(reviewed, staff)
    before = export.data
    actions.reopen(document=reviewed.document, page=1, by=reviewer)
    client.force_login(staff)
    answer = client.get(reverse("review:download", args=[export.pk]))
    assert answer.content == before
    assert answer["Content-Disposition"].startswith('attachment; filename="nam-extraction-')
    assert Event.objects.filter(verb=Verb.EXPORT_DOWNLOADED, object_id=export.pk).count() == 1


def test_nothing_is_exported_where_nothing_may_leave(run, staff):
    finding(run, 1)
    with pytest.raises(Conflict, match=r"exporté|exported"):
        make(run, staff)
    assert not Export.objects.exists()


def test_an_administrator_exports_nothing(reviewed, admin):
    with pytest.raises(NotAllowed):
        make(reviewed, admin)
    assert Event.objects.filter(verb=Verb.DENIED, reason_code="export").exists()


def test_the_page_shows_what_stays_and_why(reviewed, client, staff):
    client.force_login(staff)
    page = client.get(reverse("review:exports", args=[reviewed.document_id])).content.decode()
    assert "2 numéros peuvent partir" in page
    assert "personne n’a tranché" in page
    assert "sans date de visite" in page


def test_a_file_is_made_through_the_form_and_offered(reviewed, client, staff):
    client.force_login(staff)
    answer = client.post(reverse("review:export", args=[reviewed.document_id]), FORM | {"format": "json"}, follow=True)
    assert reverse("review:download", args=[Export.objects.get().pk]) in answer.content.decode()


def test_the_billing_file_asks_for_the_physician(reviewed, client, staff):
    client.force_login(staff)
    address = reverse("review:export", args=[reviewed.document_id])
    refused = client.post(address, FORM | {"format": "ssv"})
    assert refused.status_code == 400
    assert "Le fichier de facturation en a besoin" in refused.content.decode()
    client.post(address, FORM | {"format": "ssv", "doctor_licence": "1234567", "sector": "2"})
    assert Export.objects.get().data.decode().splitlines()[1].startswith("1234567;0;2025-10-03;08:30;")


def test_the_layout_without_a_sector_asks_for_none(reviewed, client, staff):
    client.force_login(staff)
    address = reverse("review:export", args=[reviewed.document_id])
    assert client.post(address, FORM | {"format": "ssv_claims"}).status_code == 400
    client.post(address, FORM | {"format": "ssv_claims", "doctor_licence": "1234567"})
    assert Export.objects.get().data.decode().splitlines()[1].startswith("1234567;0;2025-10-03;08:30;")


def test_a_file_is_kept_sealed(reviewed, staff):
    export = make(reviewed, staff)
    (kept,) = Export.objects.values_list("content", flat=True)
    assert export.content.encode()[:16] not in kept.sealed
    assert some_nam(1).encode() not in kept.sealed
