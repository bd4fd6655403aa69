"""Retention: what is due, what a hold keeps, what is destroyed and what is left."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.policy import NotAllowed
from audit.models import Event
from extraction import claims, storage
from extraction.models import Document, Finding, Hint, RunPage, Status
from extraction.readers.choosing import PageRead
from review import actions as review_actions
from review import leases
from review.models import Decision, Export, PageScore, ReviewTask, SecondReview, SignOff
from review.policy import Conflict
from review.retention import actions, certificates, destroying, due
from review.retention.classes import DOCUMENT_CLASSES, RULES, DataClass
from review.retention.daily import Daily
from review.retention.models import AskedReason, Certificate, Destruction, Hold
from tests.factories import DocumentFactory, FindingFactory, HintFactory, RunFactory, RunPageFactory
from vault.errors import MissingFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(staff, reviewer):
    """Of one page, reviewed and signed off: a confirmed number, and a second run whose proposal nobody decided on."""
    document = DocumentFactory(uploaded_by=staff, page_count=1)
    storage.put(document, b"%PDF-1.7")
    older, run = RunFactory(document=document), RunFactory(document=document)
    for each in (older, run):
        RunPageFactory(run=each, words={"lines": []})
    FindingFactory(run=older)
    HintFactory(run=run)
    finding = FindingFactory(run=run)
    leases.open_page(document=document, by=reviewer)
    review_actions.decide(finding=finding, value=review_actions.Value.of(finding), by=reviewer)
    review_actions.sign_off(run=run, page=1, by=reviewer)
    Export.objects.create(document=document, format="csv", recipient="Facturation", lines=1, withheld=0,
                          content="TkFN", mac=bytes(32), by=staff)  # fmt: skip
    return Document.objects.get(pk=document.pk)


def came_and_was_signed(*, days_ago: int) -> None:
    then = timezone.now() - timedelta(days=days_ago)
    Document.objects.update(created_at=then)
    SignOff.objects.update(signed_at=then)


def after(days):
    return timezone.now() + timedelta(days=days, hours=1)


def classes_due(document, days):
    return [each.data_class for each in due.due(document.clinic_id, after(days))]


# What is due


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (13, []),
        (14, ["file", "words"]),
        (30, ["file", "words", "findings"]),
        (90, ["file", "words", "findings", "exports"]),
        (366, ["file", "words", "findings", "exports", "decisions"]),
    ],
)
def test_each_class_is_due_after_its_default_days(document, days, expected):
    assert classes_due(document, days) == expected


def test_a_document_with_an_open_page_is_not_due(document, reviewer):
    review_actions.reopen(document=document, page=1, by=reviewer)
    assert classes_due(document, 400) == ["exports"]


def test_a_document_whose_extraction_goes_on_is_not_due(document):
    document.runs.update(status=Status.READING)
    assert classes_due(document, 20) == []


def test_decided_numbers_are_kept_for_a_year_after_their_last_use(document, reviewer_client):
    reviewer_client.get(reverse("review:download", args=[document.exports.get().pk]))
    Event.objects.get(verb="hssi.export_downloaded")
    came_and_was_signed(days_ago=400)
    assert DataClass.DECISIONS not in classes_due(document, 0)
    assert DataClass.DECISIONS in classes_due(document, 366)


def test_defaults_keep_images_for_days_decisions_for_a_year_and_the_journal_longest():
    assert RULES[DataClass.FILE].default <= 31
    assert RULES[DataClass.DECISIONS].least >= 366
    assert max(RULES.values(), key=lambda rule: rule.default).data_class == DataClass.JOURNAL
    assert all(rule.least <= rule.default <= rule.greatest for rule in RULES.values())


# Destroying


def test_the_file_goes_first_and_the_decisions_stay(document):
    destroying.apply(after(20))
    left = Document.objects.get()
    assert left.file_destroyed_at
    assert not left.destroyed_at
    with pytest.raises(MissingFile):
        storage.get(left)
    assert not RunPage.objects.filter(words__isnull=False).exists()
    assert Decision.objects.get().value
    assert Finding.objects.count() == 2


def test_proposals_that_became_no_decision_go_before_the_decisions(document):
    destroying.apply(after(31))
    assert Finding.objects.get().decisions.count() == 1
    assert not Hint.objects.exists()


def test_after_a_year_counts_and_scores_are_left_and_nothing_that_was_read(document):
    scores = PageScore.objects.filter(run__document=document).count()
    assert scores
    destroying.apply(after(400))
    left = Document.objects.get()
    assert (left.file_name, left.destroyed_at is not None) == ("", True)
    assert not any(model.objects.exists() for model in (Finding, Hint, Decision, Export))
    assert PageScore.objects.count() == scores
    assert SignOff.objects.exists()
    assert left.runs.count() == 2


def test_each_destruction_is_journalled_with_its_class_rule_and_key(document):
    destroying.apply(after(400))
    events = Event.objects.filter(verb="retention.destroyed", document_id=document.pk)
    assert {event.details["class"] for event in events} == set(DOCUMENT_CLASSES)
    [of_file] = [event for event in events if event.details["class"] == "file"]
    assert (of_file.reason_code, of_file.details["days"], len(of_file.details["key"])) == ("period", 14, 32)


def test_destroying_twice_is_destroying_once(document):
    assert destroying.apply(after(400)) == 5
    assert destroying.apply(after(400)) == 0


@pytest.mark.parametrize("place", ["extraction.storage.delete", "review.retention.destroying.record"])
def test_a_job_that_was_killed_is_finished_by_the_next(document, monkeypatch, place):
    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, killed)
        with pytest.raises(KeyboardInterrupt):
            destroying.apply(after(20))
    assert Destruction.objects.filter(done_at=None).exists()
    destroying.apply(after(20))
    assert not Destruction.objects.filter(done_at=None).exists()
    assert Document.objects.get().file_destroyed_at
    assert Event.objects.filter(verb="retention.destroyed").count() == 2


def test_a_destroyed_document_waits_in_no_queue_and_is_on_no_list(document, admin, reviewer_client):
    actions.destroy_document(document=document, reason=AskedReason.MISTAKE, by=admin)
    assert reviewer_client.get(reverse("review:document-detail", args=[document.pk])).status_code == 404
    assert ReviewTask.objects.get().waiting_since is None


def test_the_same_file_may_be_uploaded_again_after_its_destruction(document, admin):
    before = bytes(document.content_index)
    actions.destroy_document(document=document, reason=AskedReason.MISTAKE, by=admin)
    assert bytes(Document.objects.get().content_index) != before


def test_a_document_is_shown_without_its_pages_once_they_are_destroyed(document, reviewer_client):
    destroying.apply(after(20))
    answer = reviewer_client.get(reverse("review:document-detail", args=[document.pk]))
    assert answer.status_code == 200
    assert "Les pages ont été détruites" in answer.content.decode()
    assert reviewer_client.get(reverse("extraction:page-image", args=[document.pk, 1])).status_code == 404


def test_nothing_is_extracted_again_without_pages(document, reviewer_client):
    destroying.apply(after(20))
    answer = reviewer_client.post(reverse("review:rerun", args=[document.pk]), {"reader": "auto", "finder": "pattern"})
    assert answer.status_code == 409


def test_a_worker_that_is_at_work_on_a_destroyed_document_stores_nothing(document, admin):
    run = RunFactory(document=document, status=Status.QUEUED)
    claim = claims.take(run.pk)
    actions.destroy_document(document=document, reason=AskedReason.REQUEST, by=admin)
    with pytest.raises(claims.ClaimLost):
        claims.store_read(claim, PageRead(1, None, "page_unreadable", 0.1))
    run.refresh_from_db()
    assert (run.status, run.error_code) == (Status.FAILED, "destroyed")


def test_an_open_second_review_of_a_destroyed_document_is_withdrawn(document, admin):
    review = SecondReview.objects.create(
        document=document, run=document.runs.order_by("-created_at")[0], page=1, sign_off=document.sign_offs.get(),
        cause="sample",
    )  # fmt: skip
    assert classes_due(document, 400) == ["exports"]
    actions.destroy_document(document=document, reason=AskedReason.MISTAKE, by=admin)
    review.refresh_from_db()
    assert (review.state, review.closed_at is not None) == ("withdrawn", True)


# Holds


def test_a_held_document_is_never_destroyed(document, admin):
    actions.place_hold(document=document, reason="Dossier 12", by=admin)
    assert all(each.is_held for each in due.due(document.clinic_id, after(400)))
    assert destroying.apply(after(400)) == 0
    with pytest.raises(Conflict):
        actions.destroy_document(document=document, reason=AskedReason.MISTAKE, by=admin)
    assert storage.get(document) == b"%PDF-1.7"


def test_a_held_clinic_keeps_everything_and_other_clinics_do_not(document, admin, outsider):
    actions.place_hold(document=None, reason="Enquête", by=admin)
    theirs = DocumentFactory(uploaded_by=outsider, page_count=1)
    RunFactory(document=theirs)
    SignOff.objects.create(document=theirs, page=1, by=outsider)
    destroying.apply(after(400))
    assert not Document.objects.get(pk=document.pk).file_destroyed_at
    assert Document.objects.get(pk=theirs.pk).destroyed_at


def test_a_hold_that_comes_between_the_list_and_the_destruction_keeps_the_document(document, admin):
    [*waiting] = due.due(document.clinic_id, after(20))
    actions.place_hold(document=document, reason="Dossier 12", by=admin)
    assert [destroying.begin_due(each, after(20)) for each in waiting] == [False, False]


def test_a_lifted_hold_keeps_nothing(document, admin):
    hold = actions.place_hold(document=document, reason="Dossier 12", by=admin)
    actions.lift_hold(hold=hold, by=admin)
    assert destroying.apply(after(20)) == 2
    assert [event.verb for event in Event.objects.filter(object_type="hold").order_by("seq")] == [
        "retention.hold_placed",
        "retention.hold_lifted",
    ]


# Periods


def test_a_period_holds_for_its_clinic_and_is_journalled(document, admin):
    actions.change_period(data_class=DataClass.FILE, days=3, by=admin)
    assert classes_due(document, 4) == ["file"]
    event = Event.objects.get(verb="retention.changed")
    assert (event.reason_code, event.details) == ("file", {"before": 14, "after": 3})


@pytest.mark.parametrize(
    ("data_class", "days"),
    [("file", 0), ("file", 366), ("decisions", 365), ("journal", 365), ("exports", 400)],
)
def test_a_period_that_the_table_does_not_allow_is_refused(admin, data_class, days):
    with pytest.raises(actions.WrongPeriod):
        actions.change_period(data_class=DataClass(data_class), days=days, by=admin)


def test_only_administrators_see_to_retention(document, reviewer):
    with pytest.raises(NotAllowed):
        actions.destroy_document(document=document, reason=AskedReason.MISTAKE, by=reviewer)
    with pytest.raises(NotAllowed):
        actions.change_period(data_class=DataClass.FILE, days=3, by=reviewer)


# Certificates


def test_a_certificate_says_what_was_destroyed_and_by_which_rule(document):
    destroying.apply(after(20))
    [certificate] = certificates.issue_due()
    body = json.loads(certificate.body)
    [of_file] = [each for each in body["destroyed"] if each["class"] == "file"]
    assert (of_file["documents"], of_file["items"], of_file["days"], of_file["why"]) == (1, 1, 14, "period")
    assert len(of_file["keys_destroyed"]) == 1
    assert str(document.pk) not in certificate.body


def test_a_certificate_that_was_altered_anywhere_is_not_valid(document):
    destroying.apply(after(20))
    [certificate] = certificates.issue_due()
    file = certificates.as_file(certificate)
    assert certificates.is_valid(file)
    held = json.loads(file)
    held["body"]["destroyed"][0]["items"] += 1
    assert not certificates.is_valid(json.dumps(held).encode())
    assert not certificates.is_valid(file, public_key=bytes(32))
    assert not certificates.is_valid(b"[]")


def test_the_command_tells_a_valid_certificate_from_another(document, tmp_path):
    destroying.apply(after(20))
    [certificate] = certificates.issue_due()
    path, out = tmp_path / "certificate.json", io.StringIO()
    path.write_bytes(certificates.as_file(certificate))
    call_command("verify_certificate", path, "--public-key", bytes(certificate.public_key).hex(), stdout=out)
    assert out.getvalue() == "valid\n"
    path.write_bytes(path.read_bytes().replace(b'"period"', b'"asked"'))
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_certificate", path, stdout=out)


def test_certificates_are_numbered_and_each_names_the_one_before(document, admin):
    destroying.apply(after(20))
    certificates.issue_due()
    actions.destroy_document(document=document, reason=AskedReason.REQUEST, by=admin)
    certificates.issue_due()
    assert certificates.issue_due() == []
    first, second = (json.loads(each.body) for each in Certificate.objects.order_by("number"))
    assert (first["number"], second["number"], first["previous"]) == (1, 2, None)
    assert len(second["previous"]) == 64
    assert {each["asked_by"] for each in second["destroyed"]} == {admin.name}


# Job, command and pages


def test_the_daily_job_destroys_certifies_and_rests(document, monkeypatch):
    came_and_was_signed(days_ago=20)
    job = Daily()
    job()
    assert Document.objects.get().file_destroyed_at
    assert Certificate.objects.count() == 1
    monkeypatch.setattr(destroying, "apply", lambda *_a, **_k: pytest.fail("it was done today"))
    job()


def test_a_dry_run_lists_and_destroys_nothing(document):
    came_and_was_signed(days_ago=20)
    out = io.StringIO()
    call_command("apply_retention", "--dry-run", stdout=out)
    assert f"{document.pk} file after 14 days" in out.getvalue()
    assert "2 would be destroyed" in out.getvalue()
    assert storage.get(document) == b"%PDF-1.7"


def test_the_page_shows_periods_with_their_articles_what_is_due_and_the_holds(document, admin, admin_client):
    came_and_was_signed(days_ago=20)
    actions.place_hold(document=document, reason="Dossier 12", by=admin)
    page = admin_client.get(reverse("review:retention")).content.decode()
    for expected in ("P-39.1 art. 11", "1–365", "Dossier 12", str(document.pk)):
        assert expected in page
    assert document.file_name not in page


def test_an_administrator_changes_holds_and_destroys_through_the_pages(document, admin_client):
    admin_client.post(reverse("review:change-period"), {"data_class": "file", "days": 5})
    assert due.periods(document.clinic_id)[DataClass.FILE] == 5
    admin_client.post(reverse("review:hold-document", args=[document.pk]), {"reason": "Dossier 12"})
    hold = Hold.objects.get()
    address = reverse("review:destroy", args=[document.pk])
    assert admin_client.post(address, {"reason": "mistake", "is_meant": "on"}).status_code == 409
    admin_client.post(reverse("review:lift-hold", args=[hold.pk]))
    assert admin_client.post(address, {"reason": "mistake"}).status_code == 400
    assert not Document.objects.get().destroyed_at
    assert admin_client.post(address, {"reason": "mistake", "is_meant": "on"}).status_code == 302
    assert Document.objects.get().destroyed_at
    certificates.issue_due()
    answer = admin_client.get(reverse("review:certificate", args=[Certificate.objects.get().pk]))
    assert certificates.is_valid(answer.content)
    assert admin_client.get(reverse("review:retention-document", args=[document.pk])).status_code == 200


@pytest.mark.parametrize("who", ["staff_client", "reviewer_client"])
def test_the_pages_are_for_administrators(document, request, who):
    client = request.getfixturevalue(who)
    assert client.get(reverse("review:retention")).status_code == 403
    assert client.post(reverse("review:destroy", args=[document.pk])).status_code == 403
    assert not Document.objects.get().destroyed_at


def test_another_clinics_document_does_not_exist(outsider, admin_client):
    theirs = DocumentFactory(uploaded_by=outsider)
    assert admin_client.get(reverse("review:retention-document", args=[theirs.pk])).status_code == 404
    assert (
        admin_client.post(
            reverse("review:destroy", args=[theirs.pk]), {"reason": "mistake", "is_meant": "on"}
        ).status_code
        == 404
    )
