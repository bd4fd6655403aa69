"""Rotation of keys with rows, files, people at work, and a kill in between."""

from __future__ import annotations

import base64
import io
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.adapter import SealingAdapter
from audit.models import Event
from audit.registers import triggers
from audit.registers.actions import correct_entry, open_entry
from audit.registers.codes import altered
from audit.registers.models import Register, Version
from extraction import rotation, storage
from extraction.models import Document, Finding, RunPage
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory
from vault import clinic_keys, crypto
from vault.errors import VaultError
from vault.files import file_store
from vault.keys import reset_keyring
from vault.rotation import Moved

pytestmark = pytest.mark.django_db


def root_key(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


@pytest.fixture(autouse=True)
def keys(settings: Any, tmp_path: Any) -> Any:
    settings.VAULT_KEYS = f"k1:{root_key(1)}"
    settings.VAULT_INDEX_KEY = root_key(9)
    settings.VAULT_DIR = tmp_path / "bodies"
    settings.VAULT_KEY_DIR = str(tmp_path / "keys")
    yield
    reset_keyring()


@pytest.fixture
def document(staff: Any) -> Document:
    """With a file, words and two findings."""
    document = DocumentFactory(uploaded_by=staff, file_name="agenda.pdf")
    storage.put(document, b"%PDF-1.7")
    run = RunFactory(document=document)
    RunPageFactory(run=run, words={"lines": []})
    FindingFactory.create_batch(2, run=run)
    return document


def rotate(*options: str) -> str:
    out = io.StringIO()
    call_command("rotate_keys", *options, stdout=out)
    return out.getvalue()


def heads() -> set[str]:
    """Under which keys the database's values are, as its columns say."""
    found = set()
    for model in (Document, RunPage, Finding):
        for name in ("file_name", "words", "value", "printed", "visit_date"):
            if any(name == each.name for each in model._meta.fields):
                held = model.objects.values_list(name, flat=True)
                found |= {crypto.key_id_of(each.sealed) for each in held if each is not None}  # type: ignore[attr-defined]
    return found


def as_before_clinics_had_keys(row: Any, *names: str) -> None:
    """Puts into these columns what the version before sealed: the same text under the root."""
    for name in names:
        field = row._meta.get_field(name)
        old = crypto.seal(field.encoded(getattr(row, name)), aad=field.aad(row), purpose="field")
        with connection.cursor() as cursor:
            key = row._meta.pk.get_db_prep_value(row.pk, connection)
            cursor.execute(f"UPDATE {row._meta.db_table} SET {name} = %s WHERE id = %s", [old, key])  # noqa: S608


def test_an_installation_from_before_moves_without_losing_a_row(document: Document) -> None:
    before = {row.pk: (row.value, row.printed) for row in Finding.objects.all()}
    for row in Finding.objects.all():
        as_before_clinics_had_keys(row, "value", "printed")
    as_before_clinics_had_keys(document, "file_name")
    file_store()._keys.write(
        f"keys/{document.vault_name}",
        crypto.seal(
            file_store()._key(document.vault_name, document.vault_aad),
            aad=f"{document.vault_name}\0".encode() + document.vault_aad,
            purpose="file",
        ),
    )
    assert {row.pk: (row.value, row.printed) for row in Finding.objects.all()} == before
    assert storage.get(document) == b"%PDF-1.7"
    assert "k1" in heads()
    rotate()
    assert heads() == {f"{document.clinic_id}/{clinic_keys.current(document.clinic_id)}"}
    assert {row.pk: (row.value, row.printed) for row in Finding.objects.all()} == before
    assert Document.objects.get().file_name == "agenda.pdf"
    assert storage.get(document) == b"%PDF-1.7"
    assert file_store().key_id(document.vault_name) in heads()


def test_new_clinic_keys_move_rows_and_files_and_are_journalled(document: Document) -> None:
    [before] = heads()
    assert "values moved, 0 do not open" in rotate("--new-clinic-keys")
    [after] = heads()
    assert before != after
    assert file_store().key_id(document.vault_name) == after
    events = Event.objects.filter(verb="key.rotated").order_by("seq")
    assert [event.reason_code for event in events] == ["new", "moved"]
    assert events[1].details["files"] == 1


def test_a_rotation_that_was_killed_goes_on_where_it_stopped(document: Document) -> None:
    rotation.renew(document.clinic)
    steps = rotation.move_all(Moved())
    next(steps)
    next(steps)
    steps.close()
    assert len(heads()) == 2
    assert [row.value for row in Finding.objects.all()]  # both keys open meanwhile
    rotate()
    assert len(heads()) == 1


def test_what_is_written_during_a_rotation_stays(document: Document) -> None:
    rotation.renew(document.clinic)
    held = Finding.objects.first()
    assert held is not None
    steps = rotation.move_all(Moved())
    held.value = "ZZQZ50010199"
    held.save()
    for _step in steps:
        pass
    assert Finding.objects.get(pk=held.pk).value == "ZZQZ50010199"


def test_a_root_key_is_retired_after_a_rotation(document: Document, settings: Any) -> None:
    settings.VAULT_KEYS = f"k2:{root_key(2)},k1:{root_key(1)}"
    rotate()
    settings.VAULT_KEYS = f"k2:{root_key(2)}"
    assert Document.objects.get().file_name == "agenda.pdf"
    assert storage.get(document) == b"%PDF-1.7"


def test_a_former_key_is_destroyed_when_its_days_are_over_and_not_before(document: Document, settings: Any) -> None:
    rotate("--new-clinic-keys")
    assert rotation.retire(timezone.now()) == 0
    assert rotation.retire(timezone.now() + timedelta(days=settings.VAULT_RETIRE_DAYS + 1)) == 1
    assert len(clinic_keys.ids(document.clinic_id)) == 1
    assert Document.objects.get().file_name == "agenda.pdf"
    event = Event.objects.get(verb="key.destroyed")
    assert len(event.details["fingerprint"]) == 32


def test_a_key_under_which_something_is_left_is_not_destroyed(document: Document) -> None:
    rotation.renew(document.clinic)
    assert rotation.retire(timezone.now() + timedelta(days=1000)) == 0


def test_a_row_that_does_not_open_is_counted_and_left(document: Document) -> None:
    finding = Finding.objects.first()
    assert finding is not None
    with connection.cursor() as cursor:
        key = finding._meta.pk.get_db_prep_value(finding.pk, connection)
        cursor.execute("UPDATE extraction_finding SET value = %s WHERE id = %s", [b"plain text", key])
    with pytest.raises(CommandError, match="1 rows or files do not open"):
        rotate("--new-clinic-keys")
    assert Finding.objects.exclude(pk=finding.pk).get().value


def test_a_value_moved_into_another_clinics_row_raises(document: Document, outsider: Any) -> None:
    theirs = DocumentFactory(uploaded_by=outsider, file_name="autre.pdf")
    with connection.cursor() as cursor:
        keys = [each._meta.pk.get_db_prep_value(each.pk, connection) for each in (document, theirs)]
        cursor.execute(
            "UPDATE extraction_document SET file_name = (SELECT file_name FROM extraction_document WHERE id = %s)"
            " WHERE id = %s",
            keys,
        )
    with pytest.raises(VaultError):
        _ = Document.objects.get(pk=theirs.pk).file_name


def test_a_row_moved_to_another_clinic_raises(document: Document, outsider: Any) -> None:
    Document.objects.filter(pk=document.pk).update(clinic=outsider.clinic)
    with pytest.raises(VaultError):
        _ = Document.objects.get(pk=document.pk).file_name


def test_every_version_of_a_registers_entry_reads_the_same_once_its_former_key_is_destroyed(
    document: Document, admin: Any, settings: Any
) -> None:
    settings.VAULT_RETIRE_DAYS = 0
    began = timezone.localdate()
    entry = open_entry(register=Register.INCIDENTS, content={"what": "essai"}, began_on=began, by=admin)
    correct_entry(entry=entry, content={"what": "correction"}, note="facts", by=admin)
    before = list(Version.objects.order_by("number").values("number", "note", "by_id", "by_name", "at"))
    (key_id,) = clinic_keys.ids(document.clinic_id)
    rotate("--new-clinic-keys")
    assert rotation.retire(timezone.now() + timedelta(days=1)) == 1
    clinic_keys.forget()
    assert key_id not in clinic_keys.ids(document.clinic_id)
    versions = entry.versions.order_by("number")
    assert [version.content["what"] for version in versions] == ["essai", "correction"]
    assert list(versions.values("number", "note", "by_id", "by_name", "at")) == before
    assert altered(entry) == set()


def test_a_version_that_the_root_sealed_moves_to_the_clinics_key(admin: Any) -> None:
    entry = open_entry(register=Register.INCIDENTS, content={"what": "essai"}, began_on=timezone.localdate(), by=admin)
    version = entry.versions.get()
    triggers.remove(connection)
    as_before_clinics_had_keys(version, "content")
    triggers.install(connection)
    assert crypto.key_id_of(sealed_of(version)) == "k1"
    rotate()
    assert crypto.key_id_of(sealed_of(version)) == f"{admin.clinic_id}/{clinic_keys.current(admin.clinic_id)}"
    assert entry.versions.get().content == {"what": "essai"}
    assert altered(entry) == set()


def sealed_of(version: Version) -> bytes:
    (held,) = Version.objects.filter(pk=version.pk).values_list("content", flat=True)
    return bytes(held.sealed)


def test_a_former_key_is_kept_while_nothing_but_a_registers_entry_is_under_it(admin: Any) -> None:
    open_entry(register=Register.COMPLAINTS, content={}, began_on=timezone.localdate(), by=admin)
    rotation.renew(admin.clinic)
    assert rotation.retire(timezone.now() + timedelta(days=1000)) == 0


def test_the_secrets_of_authenticator_apps_move_to_the_new_root(document: Document, admin: Any, settings: Any) -> None:
    secret = SealingAdapter().encrypt("JBSWY3DPEHPK3PXP")
    app = Authenticator.objects.create(user=admin, type=Authenticator.Type.TOTP, data={"secret": secret})
    settings.VAULT_KEYS = f"k2:{root_key(2)},k1:{root_key(1)}"
    reset_keyring()
    rotate()
    settings.VAULT_KEYS = f"k2:{root_key(2)}"
    reset_keyring()
    app.refresh_from_db()
    assert SealingAdapter().decrypt(app.data["secret"]) == "JBSWY3DPEHPK3PXP"


def test_the_status_says_what_is_left_to_move(document: Document) -> None:
    rotation.renew(document.clinic)
    assert "4 to be moved" in rotate("--status")
    rotate()
    assert "0 to be moved" in rotate("--status")
