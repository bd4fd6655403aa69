"""Encrypted model fields, on a table that only this module has."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import uuid
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.forms import modelform_factory
from django.test.utils import isolate_apps

from vault import crypto
from vault.errors import VaultError
from vault.fields import Ciphertext, EncryptedJSONField, EncryptedTextField
from vault.keys import reset_keyring

NAM = "TREM04121925"

with isolate_apps("vault") as registry:

    class Note(models.Model):  # noqa: DJ008 -- nobody reads it
        id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
        label = models.CharField(max_length=20, default="")
        nam = EncryptedTextField(max_length=40)
        other = EncryptedTextField(null=True)
        evidence = EncryptedJSONField(null=True)

        class Meta:
            app_label = "vault"

    class Numbered(models.Model):  # noqa: DJ008
        secret = EncryptedTextField(unique=True, db_default="x")

        class Meta:
            app_label = "vault"

    class Attached(models.Model):  # noqa: DJ008
        note = models.OneToOneField(Note, models.CASCADE, primary_key=True)
        secret = EncryptedTextField()

        class Meta:
            app_label = "vault"


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def tables(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    tables = (Note, Attached)
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            for model in tables:
                editor.create_model(model)
        yield
        with connection.schema_editor() as editor:
            for model in reversed(tables):
                editor.delete_model(model)


@pytest.fixture(autouse=True)
def configured(settings: Any) -> Iterator[None]:
    settings.VAULT_KEYS = f"k1:{base64.b64encode(b'1' * 32).decode()}"
    settings.VAULT_INDEX_KEY = base64.b64encode(b"9" * 32).decode()
    settings.VAULT_KMS_KEY_ID = ""
    yield
    reset_keyring()


def column(name: str, pk: uuid.UUID) -> bytes:
    """What the database really holds."""
    with connection.cursor() as cursor:
        key = Note._meta.pk.get_db_prep_value(pk, connection)
        cursor.execute(f"SELECT {name} FROM vault_note WHERE id = %s", [key])  # noqa: S608 -- names of this module
        return bytes(cursor.fetchone()[0])


def overwrite(name: str, pk: uuid.UUID, content: Any) -> None:
    with connection.cursor() as cursor:
        key = Note._meta.pk.get_db_prep_value(pk, connection)
        cursor.execute(f"UPDATE vault_note SET {name} = %s WHERE id = %s", [content, key])  # noqa: S608 -- names of this module


# Writing and reading


@pytest.mark.parametrize("text", [NAM, "", "Éloïse Ørsted 🩺", "a\x00b", "x" * 10_000])
def test_text_comes_back_as_it_was(text: str) -> None:
    note = Note.objects.create(nam=text)
    assert Note.objects.get(pk=note.pk).nam == text


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, [], {}, "é", 0, False, [{"deep": {"er": NAM}}]])
def test_json_comes_back_as_it_was(value: Any) -> None:
    note = Note.objects.create(nam=NAM, evidence=value)
    assert Note.objects.get(pk=note.pk).evidence == value


def test_the_database_holds_no_plaintext() -> None:
    note = Note.objects.create(nam=NAM, other=NAM, evidence={"nam": NAM})
    for name in ("nam", "other", "evidence"):
        assert NAM.encode() not in column(name, note.pk)
        assert crypto.key_id_of(column(name, note.pk)) == "k1"


def test_none_stays_null_and_isnull_finds_it() -> None:
    empty, full = Note.objects.create(nam=NAM), Note.objects.create(nam=NAM, other="x", evidence={})
    assert Note.objects.get(pk=empty.pk).other is None
    assert list(Note.objects.filter(other__isnull=True, evidence__isnull=True)) == [empty]
    assert list(Note.objects.filter(other__isnull=False)) == [full]


def test_a_forgotten_value_fails_instead_of_being_sealed_empty() -> None:
    with pytest.raises(IntegrityError):
        Note.objects.create()


def test_a_change_is_seen_before_and_after_saving() -> None:
    note = Note.objects.create(nam=NAM)
    note.nam = "changed"
    assert note.nam == "changed"
    note.save(update_fields=["nam"])
    assert Note.objects.get(pk=note.pk).nam == "changed"


def test_a_change_inside_json_is_saved() -> None:
    note = Note.objects.get(pk=Note.objects.create(nam=NAM, evidence={"seen": []}).pk)
    note.evidence["seen"].append("card")
    note.save()
    assert Note.objects.get(pk=note.pk).evidence == {"seen": ["card"]}


def test_saving_one_column_leaves_the_others_sealed_as_they_were() -> None:
    note = Note.objects.create(nam=NAM, other="x")
    before = column("other", note.pk)
    note.label = "new"
    note.save(update_fields=["label", "nam"])
    assert column("other", note.pk) == before


def test_the_same_text_is_sealed_differently_each_time() -> None:
    one, other = Note.objects.create(nam=NAM), Note.objects.create(nam=NAM)
    assert column("nam", one.pk) != column("nam", other.pk)


def test_bulk_create_seals_each_row_for_itself() -> None:
    Note.objects.bulk_create([Note(nam=f"note {number}", evidence=[number]) for number in range(3)])
    assert sorted((note.nam, note.evidence) for note in Note.objects.all()) == [
        (f"note {number}", [number]) for number in range(3)
    ]


def test_refresh_from_db_brings_back_what_is_stored() -> None:
    note = Note.objects.create(nam=NAM)
    note.nam = "unsaved"
    note.refresh_from_db()
    assert note.nam == NAM


@pytest.mark.parametrize("query", [Note.objects.only("label"), Note.objects.defer("nam")])
def test_a_deferred_value_is_loaded_at_first_access(query: Any, django_assert_num_queries: Any) -> None:
    Note.objects.create(nam=NAM)
    note = query.all().get()
    with django_assert_num_queries(1):
        assert (note.nam, note.nam) == (NAM, NAM)


def test_saving_with_a_deferred_value_keeps_it() -> None:
    Note.objects.create(nam=NAM)
    note = Note.objects.defer("nam").get()
    note.label = "new"
    note.save()
    assert Note.objects.get().nam == NAM


def test_update_or_create_writes_both_ways() -> None:
    pk = uuid.uuid4()
    for text in ("first", "second"):
        Note.objects.update_or_create(pk=pk, defaults={"nam": text})
        assert Note.objects.get().nam == text


def test_a_primary_key_given_as_text_is_the_same_row() -> None:
    pk = uuid.uuid4()
    Note.objects.create(pk=str(pk).upper(), nam=NAM)
    assert Note.objects.get(pk=pk).nam == NAM


def test_a_primary_key_that_is_a_foreign_key_binds_too() -> None:
    note = Note.objects.create(nam=NAM)
    Attached.objects.create(note=note, secret=NAM)
    assert Attached.objects.select_related("note").get().secret == NAM
    assert note.attached.secret == NAM


def test_values_are_opened_only_when_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Note.objects.create(nam=NAM)
    opened: list[bytes] = []
    really_open = crypto.open
    monkeypatch.setattr(crypto, "open", lambda sealed, **place: opened.append(sealed) or really_open(sealed, **place))
    note = Note.objects.get()
    assert opened == []
    assert (note.nam, note.nam) == (NAM, NAM)
    assert len(opened) == 1


# A value belongs to its row and column


@pytest.mark.parametrize("name", ["nam", "other"])
def test_a_value_moved_to_another_row_raises(name: str) -> None:
    one, other = Note.objects.create(nam=NAM), Note.objects.create(nam="b", other="c")
    overwrite(name, other.pk, column("nam", one.pk))
    with pytest.raises(VaultError):
        getattr(Note.objects.get(pk=other.pk), name)


def test_a_value_moved_to_another_column_raises() -> None:
    note = Note.objects.create(nam=NAM, other="x")
    overwrite("other", note.pk, column("nam", note.pk))
    with pytest.raises(VaultError):
        _ = Note.objects.get().other


def test_each_altered_byte_raises() -> None:
    note = Note.objects.create(nam=NAM)
    sealed = column("nam", note.pk)
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        overwrite("nam", note.pk, bytes(altered))
        with pytest.raises(VaultError):
            _ = Note.objects.get().nam


@pytest.mark.parametrize("content", [b"", NAM.encode(), b"\x01" + bytes(40)])
def test_a_plaintext_row_raises(content: bytes) -> None:
    note = Note.objects.create(nam=NAM)
    overwrite("nam", note.pk, content)
    with pytest.raises(VaultError):
        _ = Note.objects.get().nam


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Only SQLite lets text into a binary column.")
def test_a_plaintext_row_of_text_raises() -> None:
    note = Note.objects.create(nam=NAM)
    overwrite("nam", note.pk, NAM)
    with pytest.raises(VaultError):
        _ = Note.objects.get().nam


def test_an_unreadable_value_is_not_saved_over() -> None:
    note = Note.objects.create(nam=NAM)
    overwrite("nam", note.pk, b"damaged")
    with pytest.raises(VaultError), transaction.atomic():
        Note.objects.get().save()
    assert column("nam", note.pk) == b"damaged"


def test_a_copy_under_a_new_key_is_sealed_for_the_new_row() -> None:
    note = Note.objects.create(nam=NAM)
    assert note.nam == NAM
    note.pk, note._state.adding = uuid.uuid4(), True
    note.save()
    assert [each.nam for each in Note.objects.all()] == [NAM, NAM]


def test_text_in_a_json_column_raises_without_the_text() -> None:
    note = Note(nam=NAM)
    held = crypto.seal(NAM.encode(), aad=f"vault.note.evidence:{note.pk}".encode(), purpose="field")
    note.evidence = Ciphertext(held)
    with pytest.raises(VaultError) as raised:
        _ = note.evidence
    assert raised.value.__context__ is None


def test_the_place_of_a_value_never_changes_by_accident() -> None:
    note = Note.objects.create(pk=uuid.UUID(int=1), nam=NAM)
    place = b"vault.note.nam:00000000-0000-0000-0000-000000000001"
    assert crypto.open(column("nam", note.pk), aad=place, purpose="field") == NAM.encode()


def test_a_row_without_a_known_key_is_not_saved() -> None:
    with pytest.raises(VaultError, match="primary key"):
        Numbered(secret=NAM).save()


# A rotation


def test_a_save_moves_a_row_to_the_current_key(settings: Any) -> None:
    note = Note.objects.create(nam=NAM)
    settings.VAULT_KEYS = f"k2:{base64.b64encode(b'2' * 32).decode()},{settings.VAULT_KEYS}"
    loaded = Note.objects.get()
    assert loaded.nam == NAM
    loaded.save()
    assert crypto.key_id_of(column("nam", note.pk)) == "k2"
    assert Note.objects.get().nam == NAM


# What is refused


@pytest.mark.parametrize("value", ["text", Ciphertext(b"x"), models.F("other"), models.Value("text")])
def test_update_raises_because_there_is_no_row(value: Any) -> None:
    note = Note.objects.create(nam=NAM, other="x")
    with pytest.raises(VaultError, match="through its row"), transaction.atomic():
        Note.objects.update(nam=value)
    assert Note.objects.get(pk=note.pk).nam == NAM


def test_update_to_null_is_allowed() -> None:
    Note.objects.create(nam=NAM, other="x")
    Note.objects.update(other=None)
    assert Note.objects.get().other is None


def test_bulk_update_raises_because_it_has_no_row_either() -> None:
    note = Note.objects.create(nam=NAM)
    with pytest.raises(VaultError, match="through its row"):
        Note.objects.bulk_update([note], ["nam"])


@pytest.mark.parametrize("lookup", ["nam", "nam__exact", "nam__in", "nam__contains", "nam__gt", "nam__startswith"])
def test_lookups_raise(lookup: str) -> None:
    with pytest.raises(FieldError):
        Note.objects.filter(**{lookup: [NAM] if lookup.endswith("in") else NAM})


@pytest.mark.parametrize("value", [3, b"bytes", ["list"], uuid.UUID(int=1)])
def test_text_of_another_type_is_refused_without_being_shown(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        Note(nam=value)


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), {"when": uuid.UUID(int=1)}, b"x"])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(VaultError) as raised:
        Note.objects.create(nam=NAM, evidence=value)
    assert raised.value.__context__ is None


def test_fixtures_are_refused() -> None:
    Note.objects.create(nam=NAM)
    out = StringIO()
    with pytest.raises(VaultError):
        serializers.serialize("json", Note.objects.all(), stream=out)
    assert NAM not in out.getvalue()


def test_a_form_leaves_the_field_out() -> None:
    assert list(modelform_factory(Note, fields="__all__").base_fields) == ["label"]


def test_full_clean_counts_the_characters_of_the_plaintext() -> None:
    Note(nam="x" * 40, label="a").full_clean(exclude=["other", "evidence"])
    with pytest.raises(ValidationError):
        Note(nam="x" * 41, label="a").full_clean(exclude=["other", "evidence"])


# What is shown


def test_values_give_an_opaque_ciphertext() -> None:
    Note.objects.create(nam=NAM, evidence={"nam": NAM})
    (nam, evidence) = Note.objects.values_list("nam", "evidence").get()
    assert isinstance(nam, Ciphertext)
    assert isinstance(evidence, Ciphertext)
    assert f"{nam!r} {nam} {Note.objects.values('evidence').get()}" == (
        "<Ciphertext> <Ciphertext> {'evidence': <Ciphertext>}"
    )
    with pytest.raises(TypeError):
        json.dumps(nam)


def test_no_repr_shows_a_plaintext() -> None:
    note = Note.objects.create(nam=NAM, other=NAM, evidence={"nam": NAM})
    loaded = Note.objects.get()
    assert loaded.nam == NAM
    for instance in (note, loaded, Note(nam=NAM)):
        assert NAM not in f"{instance!r} {instance} {vars(instance)!r} {Note._meta.get_field('nam')!r}"


# Copies and pickles


@pytest.fixture
def copied_through_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instances are rebuilt through the registry of apps, and the models of this module have one of their own."""
    monkeypatch.setattr("django.db.models.base.apps", registry)


def test_a_deepcopy_is_independent_of_its_original(copied_through_registry: None) -> None:
    note = Note(nam=NAM, evidence={"seen": []})
    twin = copy.deepcopy(note)
    twin.evidence["seen"].append("card")
    assert (twin.nam, note.evidence) == (NAM, {"seen": []})


@pytest.mark.parametrize("state", ["unsaved", "saved", "loaded", "opened", "deferred"])
def test_a_pickle_holds_ciphertext_and_opens_again(state: str, copied_through_registry: None) -> None:
    note = Note(nam=NAM, evidence={"nam": NAM})
    if state != "unsaved":
        note.save()
    if state in {"loaded", "opened", "deferred"}:
        note = Note.objects.only("label").get() if state == "deferred" else Note.objects.get()
    if state in {"opened", "deferred"}:
        assert note.nam == NAM
    pickled = pickle.dumps(note)
    assert NAM.encode() not in pickled
    assert pickle.loads(pickled).nam == NAM  # noqa: S301 -- Made two lines above.


def test_an_instance_without_a_key_is_not_pickled_in_clear() -> None:
    with pytest.raises(VaultError, match="pickled"):
        pickle.dumps(Numbered(secret=NAM))


# Migrations and checks


@pytest.mark.parametrize(
    ("field", "written"),
    [
        (EncryptedTextField(), "vault.fields.EncryptedTextField()"),
        (EncryptedTextField(null=True, max_length=40), "vault.fields.EncryptedTextField(max_length=40, null=True)"),
        (EncryptedJSONField(default=dict), "vault.fields.EncryptedJSONField(default=dict)"),
    ],
)
def test_migrations_write_the_field(field: models.Field[Any, Any], written: str) -> None:
    assert MigrationWriter.serialize(field) == (written, {"import vault.fields"})
    assert field.clone().deconstruct()[1:] == field.deconstruct()[1:]


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("null", [False, True])
def test_a_migration_never_fills_a_new_column_with_a_default(null: bool, blank: bool) -> None:
    added = EncryptedTextField(null=null, blank=blank)
    assert connection.SchemaEditorClass(connection).effective_default(added) is None


def test_a_model_that_cannot_bind_is_found_by_the_system_check() -> None:
    assert {found.id for found in Numbered._meta.get_field("secret").check()} == {
        "vault.E001",
        "vault.E002",
        "vault.E003",
    }


def test_a_sound_model_passes_the_system_check() -> None:
    assert [found for field in Note._meta.get_fields() if hasattr(field, "check") for found in field.check()] == []
