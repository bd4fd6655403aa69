"""Those above this floor who follow what becomes of runs.

Imports run down only, so they register here when Django starts (`AppConfig.ready`), in every process: web, workers and
scheduler. What a follower gets wrong concerns nobody's run; its chore puts it right within a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from django.db import Error as AnyDatabaseError
from django.db import transaction

logger = logging.getLogger(__name__)

run_changed: list[Callable[[UUID], object]] = []
"""Called with a document's id when a run of it is over, begins, or goes on again, and when its kind is told; in that
transaction."""
people_work_on: list[Callable[[Collection[UUID]], Mapping[UUID, UUID]]] = []
"""Of documents' ids, which run of each people work on; those that are not named have their newest one shown."""
chores: list[Callable[[], object]] = []
"""Called by the scheduler once a minute."""


def tell(document_id: UUID) -> None:
    """A run of this document changed. Call it before the journal is written: the chain's head is the last lock."""
    for follower in run_changed:
        try:
            with transaction.atomic():
                follower(document_id)
        except Exception:
            logger.exception("a follower of runs failed")


def do_chores() -> None:
    """Raises database errors, as everything that the scheduler does."""
    for chore in chores:
        try:
            chore()
        except AnyDatabaseError:
            raise
        except Exception:
            logger.exception("a chore failed")
