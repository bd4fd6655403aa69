"""Events about somebody who is not signed in yet, or not wholly: the database shows such a request no clinic's rows."""

from __future__ import annotations

from typing import Any

from accounts import tenancy
from accounts.models import User
from audit.models import PLATFORM
from audit.record import record_alone
from audit.verbs import Purpose, Verb


def record_at_the_door(verb: Verb, *, by: User | None, **fields: Any) -> None:
    """Appends an event of the sign-in to the chain of the person's clinic; to the platform's when nobody is known."""
    with tenancy.scope(by.clinic_id if by is not None else PLATFORM):
        record_alone(verb, by=by, purpose=Purpose.ADMINISTRATION, **fields)
