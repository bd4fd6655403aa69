"""Kinds of documents: noted when a run is done, and for what was there before; said by a person; in the scores."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from extraction import actions, claims, jobs
from extraction.corpus.documents import build
from extraction.kinds import Kind
from extraction.models import Document, RunPage
from extraction.readers.choosing import PageRead
from review import actions as review_actions
from review import quality
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, agenda_pdf, page_of

pytestmark = pytest.mark.django_db

BACKFILL = import_module("extraction.migrations.0008_kinds_of_text_layers")


def upload(by, data=None, **fields):
    return actions.upload(data=data or agenda_pdf(["Bonjour"]), file_name="a.pdf", by=by, **fields)


def kind_of(document):
    return Document.objects.get(pk=document.pk).kind


# --- Told by its pages -----------------------------------------------------------------------------------------------


def test_a_run_that_is_done_tells_the_kind_of_its_pages_and_document(staff):
    taken = upload(staff)
    claim = claims.take(taken.run.pk)
    claims.store_read(claim, PageRead(1, page_of("Bonjour"), None, 0.1, Kind.FAX))
    assert kind_of(taken.document) == ""
    claims.finish(claim)
    assert (kind_of(taken.document), RunPage.objects.get().kind) == ("fax", "fax")


def test_the_job_notes_it(staff):
    taken = upload(staff)
    jobs.run_extraction(taken.run.pk.hex)
    assert kind_of(taken.document) == "digital"


def test_a_run_that_tells_nothing_leaves_what_an_earlier_one_said(staff):
    taken = upload(staff, agenda_pdf([]))
    Document.objects.update(kind="scan")
    jobs.run_extraction(taken.run.pk.hex)
    assert kind_of(taken.document) == "scan"


def test_what_was_read_from_text_layers_before_was_made_by_a_program(staff):
    typed, partly, undone = (RunFactory(document=DocumentFactory(uploaded_by=staff)) for _each in range(3))
    for run, readers in ((typed, ("text_layer",) * 2), (partly, ("text_layer", "local")), (undone, ("text_layer",))):
        for number, reader in enumerate(readers, start=1):
            RunPageFactory(run=run, number=number, reader=reader)
    undone.status = "failed"
    undone.save()
    BACKFILL.fill(apps, None)
    assert [kind_of(run.document) for run in (typed, partly, undone)] == ["digital", "", ""]
    assert sorted(RunPage.objects.values_list("reader", "kind").distinct()) == [
        ("local", ""),
        ("text_layer", "digital"),
    ]


def test_files_from_before_are_looked_at_without_being_read_again(staff):
    run = upload(staff, build("agenda-photo", seed=3, pages=1).pdf).run
    run.status = "done"
    run.save()
    RunPageFactory(run=run, number=1, reader="local")
    gone = RunFactory(document=DocumentFactory(uploaded_by=staff))
    call_command("note_kinds", verbosity=0)
    assert (kind_of(run.document), RunPage.objects.get().kind, kind_of(gone.document)) == ("photo", "photo", "")
    assert run.findings.count() == 0


# --- Said by a person ------------------------------------------------------------------------------------------------


def send(client, **fields):
    file = SimpleUploadedFile("a.pdf", agenda_pdf(["Bonjour"]), content_type="application/pdf")
    return client.post(reverse("extraction:upload"), {"file": file, **fields}, headers={"Accept": "application/json"})


def test_a_person_says_what_a_document_is_and_is_offered_the_same_next_time(staff_client, reviewer_client):
    send(staff_client, form_kind="lab")
    assert Document.objects.get().form_kind == "lab"
    page = reverse("extraction:document-list")
    chosen = '<option value="lab" selected>'
    assert chosen in staff_client.get(page).content.decode()
    assert chosen not in reviewer_client.get(page).content.decode()


def test_nobody_has_to_say_it_and_it_cannot_be_made_up(staff_client):
    assert send(staff_client, form_kind="poem").status_code == 400
    assert send(staff_client).status_code == 201
    assert Document.objects.get().form_kind == ""


# --- Scores split by it ----------------------------------------------------------------------------------------------


@pytest.fixture
def signed(staff, reviewer):
    """A faxed list of one number that was found, and a scan that nobody named with one that was not one; the scan was
    read again by another configuration."""
    for kind, form_kind, is_right in (("fax", "list", True), ("scan", "", False)):
        document = DocumentFactory(uploaded_by=staff, kind=kind, form_kind=form_kind)
        run = RunFactory(document=document, rules_version="r1")
        RunPageFactory(run=run, number=1, reader="local")
        finding = FindingFactory(run=run)
        value = review_actions.Value.of(finding) if is_right else None
        review_actions.decide(finding=finding, value=value, reason="" if is_right else "specimen", by=reviewer)
        if not is_right:
            RunPageFactory(run=RunFactory(document=document, rules_version="r2"), number=1, reader="textract")
        review_actions.sign_off(run=run, page=1, by=reviewer)


def split(user, by):
    totals = quality.totals(user, timezone.localdate() - timedelta(days=9))
    return {name: (result.pages, result.score.tp, result.score.fp) for name, result in quality.split(totals, by)}


def test_scores_are_split_by_kind_and_a_page_counts_once(signed, reviewer):
    assert split(reviewer, "kind") == {"fax": (1, 1, 0), "scan": (1, 0, 1)}
    assert split(reviewer, "form_kind") == {"list": (1, 1, 0), "": (1, 0, 1)}


def test_scores_by_reader_count_every_page_that_it_was_tried_on(signed, reviewer):
    assert split(reviewer, "reader") == {"local": (2, 1, 1), "textract": (1, 0, 0)}


def test_another_clinic_sees_nothing_of_it(signed, outsider):
    assert split(outsider, "kind") == {}


def test_the_page_shows_both_kinds(signed, reviewer_client):
    text = reviewer_client.get(reverse("review:quality")).content.decode()
    for words in ("télécopié", "numérisé ou photocopié", "liste de patients", "non précisé"):
        assert words in text


@pytest.mark.parametrize("by", quality.SPLITS)
def test_every_split_comes_as_a_file(signed, reviewer_client, by):
    answer = reviewer_client.get(reverse("review:quality-file"), {"by": by})
    rows = answer.content.decode().splitlines()
    assert rows[0].startswith(f"{by},pages,nams,tp,fp,fn,precision")
    assert f"quality-{by}.csv" in answer["Content-Disposition"]
    assert {"kind": "fax,1,1,1,0,0", "form_kind": "list,1,1,1,0,0", "reader": "local,2,1,1,1,0"}.get(by, ",3,") in (
        answer.content.decode()
    )
