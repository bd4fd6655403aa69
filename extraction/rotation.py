"""Rotation of keys: new keys for clinics, moving to them what is sealed, and destroying former ones. All journalled.

An operator starts it on the command line (`manage.py rotate_keys`) or the calendar does (`extraction.upkeep`), so there
is no `by`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.adapter import reseal_secrets
from accounts.models import Clinic
from audit.models import Event
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction.models import Document
from vault import clinic_keys, crypto, rotation
from vault.errors import MissingFile, VaultError
from vault.files import file_store
from vault.rotation import Moved

LEAST_AGE = timedelta(hours=1)
"""So long a key is replaced at least before it is destroyed: a process may have it in memory and be sealing with it."""


def renew(clinic: Clinic) -> str:
    """Gives a clinic a new key; its former ones go on opening. Returns the id of the new one."""
    with transaction.atomic():
        key_id = clinic_keys.renew(clinic.pk)
        record(Verb.KEY_ROTATED, by=None, clinic_id=clinic.pk, object_type="clinic_key",
               purpose=Purpose.ADMINISTRATION, reason_code="new", details={"key": key_id})  # fmt: skip
    return key_id


def renew_due(moment: datetime) -> int:
    """Gives a new key to each clinic whose own is VAULT_RENEW_DAYS old (0: never). Returns how many."""
    if not settings.VAULT_RENEW_DAYS:
        return 0
    due, count = moment - timedelta(days=settings.VAULT_RENEW_DAYS), 0
    for clinic in Clinic.objects.order_by("created_at"):
        key_ids = clinic_keys.ids(clinic.pk)
        if key_ids and clinic_keys.made_at(key_ids[-1]) <= due:
            renew(clinic)
            count += 1
    return count


def is_unfinished() -> bool:
    """Whether a clinic has a new key to which not everything was moved yet."""
    return any(not _is_moved(clinic_id) for clinic_id in Clinic.objects.values_list("pk", flat=True))


def _is_moved(clinic_id: UUID) -> bool:
    """As the journal says; a first key has nothing behind it."""
    key_ids = clinic_keys.ids(clinic_id)
    if len(key_ids) < 2:  # noqa: PLR2004  (a former one and its successor)
        return True
    ended = Event.objects.filter(clinic_id=clinic_id, verb=Verb.KEY_ROTATED, reason_code="moved")
    return ended.filter(details__key=key_ids[-1]).exists()


def move_all(moved: Moved) -> Iterator[str]:
    """Wraps the keys of clinics as the settings say now and moves every value and file to the current keys.

    Yields the name of what it is at, after each small step; `moved` counts. May be stopped anywhere and begun again.
    """
    clinics = list(Clinic.objects.order_by("created_at"))
    wrapped = _rewrap_keys(clinics)
    yield "clinic keys"
    heads = rotation.current_heads([clinic.pk for clinic in clinics])
    for model in rotation.sealed_models():
        for _count in rotation.reseal(model, heads, moved):
            yield model._meta.label
    moved.values[None] += reseal_secrets()
    yield "second steps"
    files: Counter[UUID] = Counter()
    for document in Document.objects.order_by("created_at").only("clinic").iterator():
        _rewrap_file(document, files, moved)
        yield "files"
    for clinic in clinics:
        _record_moved(clinic.pk, keys=wrapped[clinic.pk], values=moved.values[clinic.pk], files=files[clinic.pk])


def _rewrap_keys(clinics: list[Clinic]) -> Counter[UUID]:
    count: Counter[UUID] = Counter()
    for clinic in clinics:
        for key_id in clinic_keys.ids(clinic.pk):
            count[clinic.pk] += clinic_keys.rewrap(clinic.pk, key_id)
    return count


def _rewrap_file(document: Document, files: Counter[UUID], moved: Moved) -> None:
    try:
        files[document.clinic_id] += file_store().rewrap(
            document.vault_name, aad=document.vault_aad, clinic_id=document.clinic_id
        )
    except MissingFile:
        return  # Its pages were destroyed.
    except VaultError as error:
        if error.retryable:
            raise
        moved.broken += 1


def _record_moved(clinic_id: UUID, *, keys: int, values: int, files: int) -> None:
    if not keys + values + files and _is_moved(clinic_id):
        return
    with transaction.atomic():
        record(Verb.KEY_ROTATED, by=None, clinic_id=clinic_id, object_type="clinic_key", count=values + files,
               purpose=Purpose.ADMINISTRATION, reason_code="moved",
               details={"keys": keys, "values": values, "files": files,
                        "key": clinic_keys.current(clinic_id)})  # fmt: skip


def retire(moment: datetime) -> int:
    """Destroys former keys of clinics that were replaced VAULT_RETIRE_DAYS ago and under which nothing is left.

    Whatever a backup still holds under them is unreadable from then on. Returns how many were destroyed.
    """
    count = 0
    due = moment - max(LEAST_AGE, timedelta(days=settings.VAULT_RETIRE_DAYS))
    for clinic in Clinic.objects.order_by("created_at"):
        key_ids = clinic_keys.ids(clinic.pk)
        for key_id, successor in pairwise(key_ids):
            if clinic_keys.made_at(successor) <= due and not _is_in_use(clinic, key_id):
                _destroy(clinic, key_id)
                count += 1
    return count


def destroy_former(clinic: Clinic) -> int:
    """Destroys the former keys of a clinic in which nobody works, without waiting. Raises VaultError if one is in use.

    For the drill, and for a clinic that has left.
    """
    *former, _current = clinic_keys.ids(clinic.pk)
    if any(_is_in_use(clinic, key_id) for key_id in former):
        raise VaultError("Something is still sealed under a former key of the clinic: rotate first.")
    for key_id in former:
        _destroy(clinic, key_id)
    return len(former)


def _is_in_use(clinic: Clinic, key_id: str) -> bool:
    if rotation.count_under(crypto.header_for(clinic.pk, key_id)):
        return True
    return any(_file_key_id(document) == f"{clinic.pk}/{key_id}" for document in clinic.documents.only("clinic"))


def _file_key_id(document: Document) -> str:
    try:
        return file_store().key_id(document.vault_name)
    except MissingFile:
        return ""


def _destroy(clinic: Clinic, key_id: str) -> None:
    with transaction.atomic():
        record(Verb.KEY_DESTROYED, by=None, clinic_id=clinic.pk, object_type="clinic_key",
               purpose=Purpose.ADMINISTRATION, reason_code="retired",
               details={"key": key_id, "fingerprint": clinic_keys.fingerprint(clinic.pk, key_id)})  # fmt: skip
        clinic_keys.destroy(clinic.pk, key_id)


def status() -> dict[str, int]:
    """How many values and files are sealed under each key: `CLINIC/ID`, or `older` for what a rotation would move."""
    found: dict[str, int] = {}
    for clinic in Clinic.objects.order_by("created_at"):
        for key_id in clinic_keys.ids(clinic.pk):
            found[f"{clinic.pk}/{key_id}"] = rotation.count_under(crypto.header_for(clinic.pk, key_id))
    heads = rotation.current_heads(Clinic.objects.values_list("pk", flat=True))
    found["to be moved"] = sum(rotation.stale(model, heads).count() for model in rotation.sealed_models())
    return found
