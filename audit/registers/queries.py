"""Reads of the registers, always of one clinic."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from audit.record import Actor
from audit.registers.clocks import WARN_DAY
from audit.registers.models import Entry, Register, Version


def entries(by: Actor, register: Register | None = None) -> QuerySet[Entry]:
    """The entries of the person's clinic, newest first, of one register or of all."""
    own = Entry.objects.filter(clinic_id=by.clinic_id).order_by("-began_on", "-number")
    return own if register is None else own.filter(register=register)


def with_content(found: QuerySet[Entry]) -> list[tuple[Entry, dict[str, Any]]]:
    """Each entry with what its newest version says, in two queries."""
    rows = list(found)
    newest: dict[UUID, Version] = {}
    for version in Version.objects.filter(entry__in=[entry.pk for entry in rows]).order_by("number"):
        newest[version.entry_id] = version
    return [(entry, newest[entry.pk].content) for entry in rows]


def pressing_requests(clinic_id: UUID, today: date) -> int:
    """How many open requests have come to the day from which their term is warned of."""
    since = today - timedelta(days=WARN_DAY)
    own = Entry.objects.filter(clinic_id=clinic_id, register=Register.REQUESTS, closed_on=None)
    return own.filter(began_on__lte=since).count()


def standing(clinic_id: UUID, register: Register) -> dict[str, Any]:
    """What the newest open entry of a register says; empty while there is none. For registers that hold what is so
    now, such as who is in charge."""
    own = Version.objects.filter(entry__clinic_id=clinic_id, entry__register=register, entry__closed_on=None)
    newest = own.select_related("entry").order_by("-entry__number", "-number").first()
    return dict(newest.content) if newest else {}
