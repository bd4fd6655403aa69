"""Model fields whose column holds only ciphertext.

    class Finding(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
        nam = EncryptedTextField()
        evidence = EncryptedJSONField(null=True)

A value is sealed under the key of its clinic with `app_label.model.column:primary_key` as associated data, so it opens
in its own row and column and nowhere else. `vault_owner` on the model says how to get from the row to the one that has
a `clinic_id`: `()` for the row itself, `("run", "document")` for a finding; without it the root key seals. A row that
stands under another clinic than its values do raises, if the way there is loaded. From this follow the rules:

* The primary key is known before the first save (a UUID default); a system check says so.
* The attribute is a plain `str` or JSON value, opened at first access and kept on the instance. None is NULL.
* save(), create(), bulk_create(), update_or_create() and refresh_from_db() work. update(), bulk_update() and fixtures
  raise, because there is no row to bind to. bulk_create(update_conflicts=True) must conflict on the primary key only.
* The only lookup is `isnull`. To find equal values, keep a `vault.index.blind_index` beside the field.
* values() and values_list() give a `Ciphertext`, which shows nothing. Pickles of instances hold ciphertext.
* Add a field to an existing table with null=True and no default. Renaming the model, the column or the app changes the
  associated data: the migration has to open under the old name and save under the new one.
"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute

from vault import crypto
from vault.errors import VaultError

if TYPE_CHECKING:
    from django.db.models import BinaryField as _BinaryField
    from django.db.models.lookups import Lookup
else:

    class _BinaryField(models.BinaryField):
        """Django's field takes type parameters in its stubs only."""

        def __class_getitem__(cls, _: object) -> type:
            return cls


_ST = TypeVar("_ST")  # What may be assigned, and
_GT = TypeVar("_GT")  # what is read: the mypy plugin fills in both, with None where null=True.

_NO_ROW = "An encrypted field is written through its row (save or bulk_create), because its value is bound to that row."


@dataclass(frozen=True, slots=True, repr=False)
class Ciphertext:
    """A column's sealed bytes, as values() gives them and as they wait on an instance. Shows nothing."""

    sealed: bytes

    def __repr__(self) -> str:
        return "<Ciphertext>"


class _BoundCiphertext(Ciphertext):
    """What a row's own save has just sealed: the only thing that the database layer accepts for writing."""

    __slots__ = ()


class _Opened:
    """A plaintext on an instance. Shows nothing, and goes into a pickle as ciphertext."""

    __slots__ = ("aad", "field", "value")

    def __init__(self, field: EncryptedField[Any, Any], value: Any, aad: bytes | None) -> None:
        self.field = field
        self.value = value
        self.aad = aad

    def __repr__(self) -> str:
        return "<opened>"

    def __deepcopy__(self, memo: dict[int, Any]) -> _Opened:
        return _Opened(self.field, copy.deepcopy(self.value, memo), self.aad)

    def __reduce__(self) -> tuple[type[Ciphertext], tuple[bytes]]:
        if self.aad is None:
            raise VaultError("An unsaved instance without a primary key cannot be pickled.")
        return Ciphertext, (crypto.seal(self.field.encoded(self.value), aad=self.aad, purpose="field"),)


class _SealedAttribute(DeferredAttribute):
    """Opens at first read, with the primary key of the instance: a database converter could not see the row."""

    field: EncryptedField[Any, Any]

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            super().__get__(instance, cls)  # Deferred: this loads the column.
        held = instance.__dict__[name]
        if isinstance(held, Ciphertext):
            held = instance.__dict__[name] = self.field.opened(held, instance)
        return None if held is None else held.value

    def __set__(self, instance: models.Model, value: Any) -> None:
        if value is not None and not isinstance(value, Ciphertext):
            self.field.refuse_wrong_type(value)
            value = _Opened(self.field, value, self.field.aad(instance))
        instance.__dict__[self.field.attname] = value


def owner_of(instance: models.Model, *, ask: bool = True) -> UUID | None:
    """The clinic of a row, along its model's `vault_owner`; None where that says nothing.

    Without `ask` nothing is queried: None also where a row on the way is not loaded.
    """
    path: tuple[str, ...] | None = getattr(type(instance), "vault_owner", None)
    if path is None:
        return None
    row: models.Model = instance
    for name in path:
        if not ask and name not in row._state.fields_cache:
            return None
        row = getattr(row, name)
    if not ask and "clinic_id" not in row.__dict__:
        return None
    found: UUID | None = row.clinic_id  # type: ignore[attr-defined]
    return found


class EncryptedField(_BinaryField[_ST, _GT]):
    """What both kinds share. Subclasses say how a value becomes bytes."""

    descriptor_class = _SealedAttribute
    # Without a default a new instance holds None, so that a forgotten value fails as NOT NULL instead of being sealed.
    empty_strings_allowed = False

    def encoded(self, value: Any) -> bytes:
        """`value` as bytes. Raises VaultError if it has no such form."""
        raise NotImplementedError

    def decoded(self, plaintext: bytes) -> Any:
        """The inverse of `encoded`."""
        raise NotImplementedError

    def refuse_wrong_type(self, value: object) -> None:
        """Raises TypeError, which names the type and not the value."""

    def aad(self, instance: models.Model) -> bytes | None:
        """`app_label.model.column:primary_key` of this value, or None while the primary key is unknown."""
        own = self.model._meta
        # A key that is not assigned yet must not cause a query here: `__dict__` holds it, or it is unknown.
        key = instance.__dict__.get(own.pk.attname) if own.pk else None
        if own.pk is None or key is None or hasattr(key, "resolve_expression"):
            return None
        return f"{own.app_label}.{own.model_name}.{self.column}:{own.pk.to_python(key)}".encode()

    def opened(self, held: Ciphertext, instance: models.Model) -> _Opened:
        """The plaintext of `held` in the row of `instance`. Raises VaultError if it does not belong there."""
        aad = self._known_aad(instance)
        plaintext = crypto.open(held.sealed, aad=aad, purpose="field", clinic_id=owner_of(instance, ask=False))
        with suppress(ValueError):
            return _Opened(self, self.decoded(plaintext), aad)
        # Raised here and not from the exception above, which quotes the plaintext.
        raise VaultError("What was sealed here is not of the kind that this field holds.")

    def pre_save(self, model_instance: models.Model, add: bool) -> Ciphertext | None:
        """Seals anew at every save, so that a saved row is under the current key."""
        value = getattr(model_instance, self.attname)
        if value is None:
            return None
        aad = self._known_aad(model_instance)
        model_instance.__dict__[self.attname] = _Opened(self, value, aad)
        sealed = crypto.seal(self.encoded(value), aad=aad, purpose="field", clinic_id=owner_of(model_instance))
        return _BoundCiphertext(sealed)

    def resealed(self, instance: models.Model) -> Ciphertext | None:
        """The value under the current key, for `update` of this very row: what a rotation writes."""
        return self.pre_save(instance, add=False)

    def _known_aad(self, instance: models.Model) -> bytes:
        aad = self.aad(instance)
        if aad is None:
            raise VaultError("An encrypted field needs a primary key that is known before the row is saved.")
        return aad

    # The database's side: ciphertext in, ciphertext out.

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper) -> Ciphertext | None:
        """A column's content. Text in it was never sealed by us and stays unopenable."""
        if value is None:
            return None
        return Ciphertext(value.encode() if isinstance(value, str) else bytes(value))

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Refuses everything but what `pre_save` has made, SQL expressions included."""
        return self.get_db_prep_value(value, connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is None:
            return None
        if not isinstance(value, _BoundCiphertext):
            raise VaultError(_NO_ROW)
        return super().get_db_prep_value(value.sealed, connection, prepared)

    def get_lookup(self, lookup_name: str) -> type[Lookup[Any]] | None:
        """`isnull` only: a ciphertext equals nothing, not even the same text sealed again."""
        if lookup_name != "isnull":
            raise FieldError(f"{type(self).__name__} has no lookup but isnull: search by a blind index.")
        return super().get_lookup(lookup_name)

    # Forms, fixtures and checks.

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> NoReturn:
        """A fixture would have to hold the plaintext, or a ciphertext that only this database's keys can open."""
        raise VaultError("Encrypted fields are not serialised: back up the database instead.")

    def formfield(self, **kwargs: Any) -> None:
        """A form writes it through an action, never by itself."""

    def _check_str_default_value(self) -> list[checks.CheckMessage]:
        return []  # The default is a plaintext here, and may well be text.

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        own = self.model._meta
        found = super().check(**kwargs)
        if isinstance(own.pk, models.AutoField | models.CompositePrimaryKey):
            found.append(
                checks.Error("An encrypted field needs a primary key with a default.", obj=self, id="vault.E001")
            )
        if self.unique or getattr(self, "db_index", False):
            found.append(checks.Error("An encrypted field cannot be indexed or unique.", obj=self, id="vault.E002"))
        if self.has_db_default():
            found.append(checks.Error("An encrypted field cannot have a db_default.", obj=self, id="vault.E003"))
        return found


class EncryptedTextField(EncryptedField[_ST, _GT]):
    """Text. `max_length` counts characters of the plaintext and is checked by full_clean()."""

    description = "Encrypted text"
    empty_values = (None, "")
    if TYPE_CHECKING:
        _pyi_private_set_type: str
        _pyi_private_get_type: str  # type: ignore[assignment]

    def refuse_wrong_type(self, value: object) -> None:
        if not isinstance(value, str):
            raise TypeError(f"EncryptedTextField takes str or None, not {type(value).__name__}")

    def encoded(self, value: str) -> bytes:
        return value.encode("utf-8", "surrogatepass")

    def decoded(self, plaintext: bytes) -> str:
        return plaintext.decode("utf-8", "surrogatepass")


class EncryptedJSONField(EncryptedField[_ST, _GT]):
    """Anything that JSON can say: dict, list, str, int, finite float, bool. None is NULL, not JSON's null.

    A change inside a dict or list is saved by save(), as with Django's JSONField.
    """

    description = "Encrypted JSON"
    empty_values = (None,)
    if TYPE_CHECKING:
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def encoded(self, value: Any) -> bytes:
        text = None
        with suppress(TypeError, ValueError, RecursionError):
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # Raised here and not from the exception above, which may quote the value.
        if text is None:
            raise VaultError("EncryptedJSONField takes only what JSON can say.")
        return text.encode("utf-8", "surrogatepass")

    def decoded(self, plaintext: bytes) -> Any:
        return json.loads(plaintext)
