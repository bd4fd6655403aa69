"""Who may do what: every page for every role, for a stranger, and for a colleague of another clinic."""

from __future__ import annotations

from base64 import b64encode

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.registers.actions import open_entry
from audit.registers.models import Register
from audit.verbs import Verb
from extraction.models import Deployment, Status
from review.actions import Value
from review.models import Disagreement, Export, SecondDecision, SecondReview, SignOff
from tests.factories import AlertFactory, DocumentFactory, FindingFactory, RunFactory, UserFactory, some_nam

pytestmark = pytest.mark.django_db

ROLES = ("staff", "reviewer", "admin")


@pytest.fixture
def finding(staff):
    return FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff)))


@pytest.fixture
def deployment(admin):
    return Deployment.objects.create(started_by=admin, started_at=timezone.now(), step_began_at=timezone.now())


@pytest.fixture
def alert(finding):
    return AlertFactory(clinic=finding.run.document.clinic)


@pytest.fixture
def entry(admin):
    day = timezone.localdate()
    return open_entry(register=Register.INCIDENTS, content={}, began_on=day, kept_until=day, by=admin)


@pytest.fixture
def address(finding, admin, deployment, export, disagreement, alert, entry):
    """Addresses by name, for one document of the clinic."""
    run, document, review = finding.run, finding.run.document, disagreement.review
    return {
        "list": reverse("extraction:document-list"),
        "document": reverse("review:document-detail", args=[document.pk]),
        "crop": reverse("extraction:finding-crop", args=[finding.pk]),
        "image": reverse("extraction:page-image", args=[document.pk, 1]),
        "upload": reverse("extraction:upload"),
        "retry": reverse("extraction:retry", args=[run.pk]),
        "without": reverse("extraction:without-model", args=[run.pk]),
        "decide": reverse("review:decide", args=[finding.pk]),
        "add": reverse("review:add", args=[document.pk, 1]),
        "sign": reverse("review:sign-off", args=[document.pk, 2]),
        "reopen": reverse("review:reopen", args=[document.pk, 1]),
        "confirm-all": reverse("review:confirm-all", args=[document.pk, 1]),
        "undo-all": reverse("review:undo-all", args=[document.pk, 1]),
        "second-list": reverse("review:second-list"),
        "second-detail": reverse("review:second-detail", args=[review.pk]),
        "second-begin": reverse("review:second-begin", args=[review.pk]),
        "second-decide": reverse("review:second-decide", args=[review.pk, finding.pk]),
        "second-add": reverse("review:second-add", args=[review.pk]),
        "second-undo": reverse("review:second-undo", args=[disagreement.second.pk]),
        "second-finish": reverse("review:second-finish", args=[review.pk]),
        "disagreement": reverse("review:disagreement", args=[disagreement.pk]),
        "settle": reverse("review:settle", args=[disagreement.pk]),
        "agreement-file": reverse("review:agreement-file"),
        "rerun": reverse("review:rerun", args=[document.pk]),
        "compare": reverse("review:compare", args=[document.pk]),
        "look": reverse("review:look", args=[document.pk, 1]),
        "shown": reverse("review:shown", args=[document.pk, 1]),
        "exports": reverse("review:exports", args=[document.pk]),
        "export": reverse("review:export", args=[document.pk]),
        "queue": reverse("review:queue"),
        "claim": reverse("review:claim"),
        "beat": reverse("review:beat", args=[document.pk]),
        "release": reverse("review:release", args=[document.pk]),
        "take-over": reverse("review:take-over", args=[document.pk]),
        "quality": reverse("review:quality"),
        "quality-file": reverse("review:quality-file"),
        "calibration-file": reverse("review:calibration-file"),
        "download": reverse("review:download", args=[export.pk]),
        "journal": reverse("review:journal"),
        "registers": reverse("registers:hub"),
        "register": reverse("registers:book", args=["incidents"]),
        "register-file": reverse("registers:export", args=["incidents", "csv"]),
        "register-entry": reverse("registers:entry", args=[entry.pk]),
        "register-fill-in": reverse("registers:fill-in", args=[entry.pk, "facts"]),
        "register-destroy": reverse("registers:destroy", args=[entry.pk]),
        "register-letter": reverse("registers:letter", args=[entry.pk, "cai"]),
        "rectifications": reverse("registers:rectifications"),
        "request-answer": reverse("registers:answer", args=[entry.pk]),
        "request-look-up": reverse("registers:look-up", args=[entry.pk]),
        "explanation": reverse("registers:explanation", args=[finding.pk]),
        "people": reverse("accounts:people"),
        "availability": reverse("extraction:availability"),
        "alerts": reverse("extraction:alerts"),
        "acknowledge": reverse("extraction:acknowledge", args=[alert.pk]),
        "costs": reverse("extraction:costs"),
        "price": reverse("extraction:change-price"),
        "add-person": reverse("accounts:add-person"),
        "role": reverse("accounts:change-role", args=[admin.pk]),
        "tokens": reverse("accounts:tokens"),
        "models": reverse("extraction:deployments"),
        "add-model": reverse("extraction:add-deployment"),
        "next-step": reverse("extraction:next-step", args=[deployment.pk]),
        "roll-back": reverse("extraction:roll-back", args=[deployment.pk]),
        "stop": reverse("extraction:stop-deployment", args=[deployment.pk]),
    }


READS = {
    "list": ("staff", "reviewer", "admin"),
    "document": ("staff", "reviewer"),
    "compare": ("staff", "reviewer"),
    "exports": ("staff", "reviewer"),
    "download": ("staff", "reviewer"),
    "queue": ("reviewer",),
    "quality": ("reviewer", "admin"),
    "quality-file": ("reviewer", "admin"),
    "second-list": ("reviewer",),
    "explanation": ("staff", "reviewer", "admin"),
    "rectifications": ("reviewer",),
    "disagreement": ("reviewer",),
    "agreement-file": ("reviewer", "admin"),
    "calibration-file": ("reviewer", "admin"),
    "journal": ("admin",),
    "registers": ("admin",),
    "register": ("admin",),
    "register-file": ("admin",),
    "register-entry": ("admin",),
    "register-letter": ("admin",),
    "people": ("admin",),
    "models": ("admin",),
    "availability": ("admin",),
    "alerts": ("admin",),
    "costs": ("admin",),
    "tokens": ("staff", "reviewer", "admin"),
}
WRITES = {
    "upload": ("staff", "reviewer"),
    "retry": ("staff", "reviewer"),
    "without": ("staff", "reviewer"),
    "decide": ("reviewer",),
    "add": ("reviewer",),
    "sign": ("reviewer",),
    "reopen": ("reviewer",),
    "confirm-all": ("reviewer",),
    "undo-all": ("reviewer",),
    "second-begin": ("reviewer",),
    "second-decide": ("reviewer",),
    "second-add": ("reviewer",),
    "second-undo": ("reviewer",),
    "second-finish": ("reviewer",),
    "settle": ("reviewer",),
    "claim": ("reviewer",),
    "beat": ("reviewer",),
    "release": ("reviewer",),
    "take-over": ("reviewer",),
    "shown": ("staff", "reviewer"),
    "look": ("reviewer",),
    "export": ("staff", "reviewer"),
    "rerun": ("staff", "reviewer"),
    "add-person": ("admin",),
    "price": ("admin",),
    "role": ("admin",),
    "register-fill-in": ("admin",),
    "request-answer": ("admin",),
    "request-look-up": ("admin",),
    "register-destroy": ("admin",),
    "acknowledge": ("admin",),
    "add-model": ("admin",),
    "next-step": ("admin",),
    "roll-back": ("admin",),
    "stop": ("admin",),
}
OF_ONE_DOCUMENT = ("document", "crop", "image", "retry", "without", "decide", "add", "sign", "reopen", "exports",
                   "export", "download", "confirm-all", "undo-all", "second-detail", "second-begin", "second-decide",
                   "second-add", "second-undo", "second-finish", "disagreement", "settle", "beat", "release",
                   "take-over", "compare", "rerun", "shown", "look")  # fmt: skip


@pytest.fixture
def export(finding, staff):
    return Export.objects.create(
        document=finding.run.document, format="json", recipient="RAMQ", lines=0, withheld=0, by=staff,
        content=b64encode(b"[]").decode(),
    )  # fmt: skip


@pytest.fixture
def disagreement(staff, clinic):
    """About another document: two others had different answers, so that the clinic's reviewer may be the third."""
    one, other = (UserFactory(clinic=clinic, role="reviewer") for _turn in range(2))
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    document = run.document
    signed = SignOff.objects.create(document=document, page=2, by=one)
    review = SecondReview.objects.create(
        document=document, run=run, page=2, sign_off=signed, cause="sample", state="disputed", by=other
    )
    value = Value(some_nam(9)).fields(clinic.pk)
    answer = SecondDecision.objects.create(review=review, verdict="add", by=other, **value)
    return Disagreement.objects.create(review=review, second=answer)


@pytest.fixture
def as_role(request, client, staff, reviewer, admin):
    def sign_in(role):
        client.force_login({"staff": staff, "reviewer": reviewer, "admin": admin}[role])
        return client

    return sign_in


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", READS)
def test_a_page_opens_for_its_roles_only(as_role, address, name, role):
    status = as_role(role).get(address[name]).status_code
    assert status == (200 if role in READS[name] else 403)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_refused_to_other_roles(as_role, address, name, role):
    status = as_role(role).post(address[name]).status_code
    assert (status == 403) == (role not in WRITES[name])


@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_written_by_a_get(as_role, address, name):
    role = WRITES[name][0]
    assert as_role(role).get(address[name]).status_code == 405


@pytest.mark.parametrize("name", [*READS, *WRITES, "crop", "image", "second-detail"])
def test_a_stranger_is_sent_to_sign_in(client, address, name):
    answer = client.post(address[name]) if name in WRITES else client.get(address[name])
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", OF_ONE_DOCUMENT)
def test_another_clinics_document_does_not_exist(client, outsider, address, name):
    outsider.role = "reviewer"
    outsider.save()
    client.force_login(outsider)
    answer = client.post(address[name]) if name in WRITES else client.get(address[name])
    assert answer.status_code == 404
    assert Event.objects.filter(verb=Verb.CROSS_TENANT_DENIED, actor_id=outsider.pk).count() == 1


def test_another_clinics_documents_are_not_listed(client, outsider, finding):
    client.force_login(outsider)
    assert finding.run.document.pk.hex not in client.get(reverse("extraction:document-list")).content.decode()
    assert str(finding.run.document.pk) not in client.get(reverse("extraction:document-list")).content.decode()


def test_another_clinics_person_cannot_be_changed(client, outsider, admin):
    client.force_login(admin)
    assert client.post(reverse("accounts:change-role", args=[outsider.pk]), {"role": "admin"}).status_code == 404


def test_a_refusal_is_journalled(as_role, address, staff):
    as_role("staff").get(address["journal"])
    assert Event.objects.filter(verb=Verb.DENIED, actor_id=staff.pk, reason_code="journal").count() == 1


def test_nobody_changes_their_own_role(client, admin):
    client.force_login(admin)
    assert client.post(reverse("accounts:change-role", args=[admin.pk]), {"role": "staff"}).status_code == 403


def test_a_deactivated_person_is_signed_out(client, admin, reviewer):
    client.force_login(reviewer)
    from accounts import actions

    actions.set_active(user=reviewer, active=False, by=admin)
    assert client.get(reverse("extraction:document-list")).status_code == 302


def test_every_private_page_forbids_caches(as_role, address):
    answer = as_role("reviewer").get(address["document"])
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("name", ["list", "document", "tokens"])
def test_every_page_carries_a_strict_policy(as_role, address, name):
    policy = as_role("reviewer").get(address[name])["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_document_page_journals_who_opened_it(as_role, address, finding, reviewer):
    as_role("reviewer").get(address["document"])
    event = Event.objects.get(verb=Verb.DOCUMENT_VIEWED)
    assert (event.actor_id, event.document_id, event.page) == (reviewer.pk, finding.run.document_id, 1)


@pytest.mark.parametrize("name", ["list", "document"])
def test_nothing_is_disclosed_when_the_journal_is_broken(as_role, address, finding, monkeypatch, name):
    from django.db import DatabaseError

    client = as_role("reviewer")

    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr("audit.record._append", broken)
    answer = client.get(address[name])
    assert answer.status_code == 503
    assert finding.value[:4] not in answer.content.decode()


def test_a_document_page_costs_the_same_whatever_is_on_it(as_role, address, finding, django_assert_max_num_queries):
    for _turn in range(30):
        FindingFactory(run=finding.run)
    client = as_role("reviewer")
    client.get(address["document"])  # What the first one counts is otherwise counted when the extraction is over.
    with django_assert_max_num_queries(35):
        client.get(address["document"])


def test_the_list_costs_the_same_however_long_it_is(as_role, address, staff, django_assert_max_num_queries):
    for _turn in range(20):
        RunFactory(document=DocumentFactory(uploaded_by=staff), status=Status.DONE)
    client = as_role("reviewer")
    with django_assert_max_num_queries(25):
        client.get(address["list"])
