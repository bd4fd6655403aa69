"""Taking a PDF in: stored whole, encrypted and once, or refused with one sentence and nothing left behind."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.urls import reverse

from audit.models import Event
from audit.verbs import Verb
from extraction import actions, storage
from extraction.errors import UnreadableDocument
from extraction.models import Document, Run
from extraction.scheduler import Scheduler
from tests.factories import UserFactory, agenda_pdf, some_nam
from vault.files import file_store

pytestmark = pytest.mark.django_db

PDF = agenda_pdf([f"NAM : {some_nam(1)}"], ["Page 2"])


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    """A file store of this test alone, so that what is left in it can be counted."""
    settings.VAULT_DIR = tmp_path / "files"


def send(client, *files, **fields):
    uploads = [SimpleUploadedFile(name, data, content_type="application/pdf") for name, data in files]
    return client.post(
        reverse("extraction:upload"), {"file": uploads, **fields}, headers={"Accept": "application/json"}
    )


@pytest.fixture
def signed_in(client, staff):
    client.force_login(staff)
    return client


def test_a_pdf_is_stored_and_queued(signed_in, staff):
    answer = send(signed_in, ("Agenda d’octobre.pdf", PDF))
    assert answer.status_code == 201
    document = Document.objects.get()
    assert (document.page_count, document.file_name, document.clinic_id) == (2, "Agenda d’octobre.pdf", staff.clinic_id)
    assert Run.objects.get(document=document).status == "queued"


def test_what_is_stored_is_not_what_was_sent(signed_in, settings):
    send(signed_in, ("agenda.pdf", PDF))
    document = Document.objects.get()
    stored = b"".join(path.read_bytes() for path in settings.VAULT_DIR.rglob("*") if path.is_file())
    assert b"%PDF" not in stored
    assert storage.get(document) == PDF


def test_the_same_file_again_is_announced_and_can_be_opened(signed_in):
    first = send(signed_in, ("agenda.pdf", PDF)).json()
    second = send(signed_in, ("copie.pdf", PDF))
    assert second.status_code == 200
    assert second.json()["duplicate"] is True
    assert second.json()["url"] == first["url"]
    assert Document.objects.count() == 1


def test_the_same_file_in_another_clinic_is_no_duplicate(staff, outsider):
    assert not actions.upload(data=PDF, file_name="a.pdf", by=staff).is_duplicate
    assert not actions.upload(data=PDF, file_name="a.pdf", by=outsider).is_duplicate


def test_a_refused_file_leaves_only_a_line_in_the_journal(signed_in):
    answer = send(signed_in, ("facture.pdf", b"GIF89a not a pdf at all"))
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_pdf")
    assert not Document.objects.exists()
    assert not list(file_store().names())
    assert Event.objects.get(verb=Verb.DOCUMENT_REJECTED).reason_code == "not_a_pdf"


def test_the_reason_is_told_in_the_language_of_the_person(signed_in):
    french = send(signed_in, ("f.pdf", b"")).json()["message"]
    signed_in.cookies["django_language"] = "en"
    english = send(signed_in, ("f.pdf", b"")).json()["message"]
    assert "fichier" in french
    assert "file" in english


def test_a_file_over_the_limit_is_refused_before_it_is_held(signed_in, settings):
    settings.UPLOAD_MAX_BYTES = 1000
    answer = send(signed_in, ("gros.pdf", PDF + b" " * 200_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not Document.objects.exists()


def test_a_file_is_kept_where_the_answer_to_its_commit_was_lost(staff, monkeypatch):
    ends = transaction.Atomic.__exit__

    def cut_off(block, *error):
        ends(block, *error)
        if connection.savepoint_ids == before:
            raise OperationalError("the server closed the connection")

    before = list(connection.savepoint_ids)
    with monkeypatch.context() as patch:
        patch.setattr(transaction.Atomic, "__exit__", cut_off)
        with pytest.raises(OperationalError):
            actions.upload(data=PDF, file_name="agenda.pdf", by=staff)
    assert storage.get(Document.objects.get()) == PDF
    assert actions.upload(data=PDF, file_name="agenda.pdf", by=staff).is_duplicate


def test_a_file_is_not_left_behind_when_its_row_cannot_be_written(staff, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr("extraction.actions.start_run", broken)
    with pytest.raises(RuntimeError):
        actions.upload(data=PDF, file_name="a.pdf", by=staff)
    assert not Document.objects.exists()
    assert not list(file_store().names())


@pytest.mark.parametrize(("field", "value"), [("doctor_licence", "123"), ("doctor_group", "12"), ("sector", "9")])
def test_a_wrong_billing_field_is_refused(signed_in, field, value):
    answer = send(signed_in, ("agenda.pdf", PDF), **{field: value})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_field")


def test_billing_fields_are_kept(signed_in):
    send(signed_in, ("agenda.pdf", PDF), doctor_licence="1234567", doctor_group="0", sector="3")
    document = Document.objects.get()
    assert (document.doctor_licence, document.doctor_group, document.sector) == ("1234567", "0", "3")


def test_several_files_of_a_plain_form_are_all_taken(signed_in):
    other = agenda_pdf(["Autre"])
    files = [SimpleUploadedFile("a.pdf", PDF), SimpleUploadedFile("b.pdf", other), SimpleUploadedFile("c.pdf", b"x")]
    answer = signed_in.post(reverse("extraction:upload"), {"file": files}, follow=True)
    assert Document.objects.count() == 2
    assert "3/3 — " in answer.content.decode()


def test_every_refusal_has_a_sentence_in_both_languages():
    from django.utils import translation

    from extraction.errors import SENTENCES

    for code in SENTENCES:
        with translation.override("fr-ca"):
            french = UnreadableDocument(code).sentence
        with translation.override("en"):
            english = UnreadableDocument(code).sentence
        assert french != english, code


def test_a_file_whose_upload_was_killed_is_removed_after_an_hour(staff):
    kept = actions.upload(data=PDF, file_name="a.pdf", by=staff).document
    killed = Document(clinic=staff.clinic, file_name="b.pdf")
    storage.put(killed, PDF)
    scheduler = Scheduler()
    scheduler.tidy()
    assert set(file_store().names()) == {str(kept.pk), str(killed.pk)}
    scheduler.tidy()
    assert list(file_store().names()) == [str(kept.pk)]


def test_two_people_uploading_the_same_file_at_once_get_one_document(staff, monkeypatch):
    other = UserFactory(clinic=staff.clinic)
    actions.upload(data=PDF, file_name="a.pdf", by=staff)
    original, calls = Document.objects.filter, []

    def blind_at_first(*args, **kwargs):
        calls.append(kwargs)
        return original(pk=None) if len(calls) == 1 else original(*args, **kwargs)

    monkeypatch.setattr(Document.objects, "filter", blind_at_first)
    assert actions.upload(data=PDF, file_name="b.pdf", by=other).is_duplicate
    assert Document.objects.count() == 1
    assert len(list(file_store().names())) == 1
