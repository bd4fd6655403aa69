"""Moving what is sealed to the current keys, a few rows at a time, beside people at work.

Both keys open during a rotation. A row is sealed anew under its lock, so what somebody writes meanwhile is never
overwritten with what was there before. Nothing says how far a rotation is but the rows themselves: one that was killed
begins again and finds less to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction
from django.db.models import BinaryField, F, Func, Q, QuerySet, Value

from vault import clinic_keys, crypto
from vault.errors import VaultError
from vault.fields import EncryptedField, owner_of

BATCH = 100
"""Rows that are locked at the same time."""


@dataclass
class Moved:
    """What a rotation did so far: values sealed anew by clinic (None: by the root), and rows that do not open."""

    values: Counter[UUID | None] = field(default_factory=Counter)
    broken: int = 0


def sealed_models() -> list[type[models.Model]]:
    """Every model with encrypted columns."""
    return [model for model in apps.get_models() if encrypted(model)]


def encrypted(model: type[models.Model]) -> list[EncryptedField[Any, Any]]:
    """The encrypted columns of a model."""
    return [each for each in model._meta.fields if isinstance(each, EncryptedField)]


def stale(model: type[models.Model], heads: Collection[bytes]) -> QuerySet[Any]:
    """The rows with a value that does not begin with one of `heads` (`crypto.header_for`). Nothing is opened."""
    rows: QuerySet[Any] = model._default_manager.all()
    asked = Q()
    for each in encrypted(model):
        rows = rows.annotate(**{f"head_of_{each.attname}": _head(each)})
        asked |= Q(**{f"{each.attname}__isnull": False}) & ~Q(**{f"head_of_{each.attname}__in": list(heads)})
    return rows.filter(asked)


def count_under(head: bytes) -> int:
    """How many values of the whole database are sealed under the key of this header."""
    return sum(
        model._default_manager.annotate(head_of_value=_head(each)).filter(head_of_value=head).count()
        for model in sealed_models()
        for each in encrypted(model)
    )


def _head(column: EncryptedField[Any, Any]) -> Func:
    return Func(
        F(column.attname), Value(1), Value(crypto.HEADER_BYTES), function="SUBSTR", output_field=BinaryField()
    )  # fmt: skip


def reseal(model: type[models.Model], heads: Collection[bytes], moved: Moved) -> Iterator[int]:
    """Seals stale rows of a model anew; yields after each batch how many rows it looked at."""
    last: Any = None
    while True:
        rows = stale(model, heads).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return
        with transaction.atomic():
            for row in _locked(model, keys):
                _reseal_row(row, heads, moved)
        last = keys[-1]
        yield len(keys)


def _locked(model: type[models.Model], keys: Collection[Any]) -> QuerySet[Any]:
    """The rows with the way to their clinics. One that somebody else holds is left to the next rotation."""
    path = "__".join(getattr(model, "vault_owner", ()))
    rows = model._default_manager.filter(pk__in=keys).order_by("pk")
    return (rows.select_related(path) if path else rows).select_for_update(skip_locked=True, of=("self",))


def _reseal_row(row: models.Model, heads: Collection[bytes], moved: Moved) -> None:
    fresh = {}
    for each in encrypted(type(row)):
        held = row.__dict__[each.attname]
        if held is not None and held.sealed[: crypto.HEADER_BYTES] not in heads:
            try:
                fresh[each.attname] = each.resealed(row)
            except VaultError:
                moved.broken += 1
                return
    if fresh:
        type(row)._default_manager.filter(pk=row.pk).update(**fresh)
        moved.values[owner_of(row)] += len(fresh)


def current_heads(clinics: Collection[UUID]) -> set[bytes]:
    """How everything begins that needs no rotation."""
    return {crypto.header_for(clinic, clinic_keys.current(clinic)) for clinic in clinics}
