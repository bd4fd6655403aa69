"""Every write to a register, each with its event in the same transaction. Who may is asked above."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Event
from audit.record import Actor, record
from audit.registers.codes import code_of
from audit.registers.models import Entry, Register, Version
from audit.verbs import Purpose, Verb

Content = Mapping[str, Any]


class Kept(Exception):
    """The entry's term has not passed, so it stays. Its text is a sentence for the person."""


@transaction.atomic
def open_entry(
    *,
    register: Register,
    content: Content,
    began_on: date,
    kept_until: date | None = None,
    subject: bytes | None = None,
    by: Actor,
) -> Entry:
    """Makes the next entry of the clinic's register, with its first version."""
    entry = Entry(clinic_id=by.clinic_id, register=register, began_on=began_on, kept_until=kept_until, subject=subject)
    # The journal first: its chain's head is the lock that gives entries their numbers one after the other.
    record(Verb.REGISTER_OPENED, by=by, object_type="entry", object_id=entry.pk, purpose=Purpose.ADMINISTRATION,
           details={"register": str(register), "mac": code_of(entry, 1, content)})  # fmt: skip
    # Counted in the journal, so that the number of a destroyed entry is never given again.
    opened = Event.objects.filter(clinic_id=by.clinic_id, verb=Verb.REGISTER_OPENED, details__register=str(register))
    entry.number = opened.count()
    entry.save(force_insert=True)
    _add_version(entry, 1, content, note="", by=by)
    return entry


@transaction.atomic
def correct_entry(
    *,
    entry: Entry,
    content: Content,
    note: str,
    began_on: date | None = None,
    closed_on: date | None = None,
    kept_until: date | None = None,
    by: Actor,
) -> Version:
    """Adds a version; the earlier ones stay. `note` is a code that says why, such as "corrected" or "answered".

    `closed_on` None opens a closed entry again. A term is only ever prolonged. The event names the changed fields.
    """
    entry = Entry.objects.select_for_update().get(pk=entry.pk, clinic_id=by.clinic_id)
    before = entry.current
    entry.began_on = began_on or entry.began_on
    entry.closed_on = closed_on
    if entry.kept_until is not None and kept_until is not None:
        entry.kept_until = max(entry.kept_until, kept_until)
    entry.save(update_fields=["began_on", "closed_on", "kept_until"])
    said, number = {**before.content, **content}, before.number + 1
    changed = sorted(name for name, value in content.items() if before.content.get(name) != value)
    record(Verb.REGISTER_CORRECTED, by=by, object_type="entry", object_id=entry.pk, reason_code=note,
           purpose=Purpose.ADMINISTRATION, count=len(changed),
           details={"register": entry.register, "version": number, "fields": ",".join(changed),
                    "mac": code_of(entry, number, said)})  # fmt: skip
    return _add_version(entry, number, said, note=note, by=by)


@transaction.atomic
def destroy_entry(*, entry: Entry, by: Actor) -> None:
    """Removes an entry with its versions once its term has passed; its number is not given again.
    Raises Kept before."""
    entry = Entry.objects.select_for_update().get(pk=entry.pk, clinic_id=by.clinic_id)
    if entry.kept_until is None or timezone.localdate() <= entry.kept_until:
        raise Kept(_("This entry must be kept: its term has not passed."))
    record(Verb.REGISTER_DESTROYED, by=by, object_type="entry", object_id=entry.pk, purpose=Purpose.ADMINISTRATION,
           details={"register": entry.register, "number": entry.number})  # fmt: skip
    entry.delete()


def _add_version(entry: Entry, number: int, content: Content, *, note: str, by: Actor) -> Version:
    version = Version(entry=entry, number=number, content=dict(content), note=note, by_id=by.pk,
                      by_name=by.get_full_name()[:150])  # fmt: skip
    version.save(force_insert=True)
    return version
