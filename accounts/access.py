"""Getting hold of a clinic's rows: somebody else's rows do not exist (404), and the attempt is journalled."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404

from accounts import tenancy
from accounts.models import User
from audit.record import record_alone
from audit.verbs import Outcome, Verb

M = TypeVar("M", bound=Model)


def get_or_404(own: QuerySet[M], pk: UUID, *, by: User, field: str = "pk") -> M:
    """The row `pk` among the clinic's `own` ones; `field` says what it is known by. Raises Http404 for anything else.

    A row that exists in another clinic is answered like one that does not; only the journal tells them apart.
    """
    found = own.filter(**{field: pk}).first()
    if found is not None:
        return found
    with tenancy.scope(tenancy.EVERY):
        is_elsewhere = own.model._default_manager.filter(**{field: pk}).exists()
    if is_elsewhere:
        record_alone(
            Verb.CROSS_TENANT_DENIED, by=by, outcome=Outcome.DENIED, object_type=own.model._meta.model_name or "",
            object_id=pk,
        )  # fmt: skip
    raise Http404
