"""Rectifications that persons asked for: where reviewers have to correct, and how far they are.

The truth changes by a reviewer's decision and in no other way; this only leads there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import User
from audit.registers import queries
from audit.registers.models import Entry, Register
from review.models import Decision


@dataclass(frozen=True, slots=True)
class Place:
    """A page that holds the number. It is `is_done` once a decision on it was made or taken back since the request."""

    document: UUID
    page: int
    is_done: bool


@dataclass(frozen=True, slots=True)
class Rectification:
    """One open request, what it asks for in words, and its pages."""

    entry: Entry
    wording: str
    places: list[Place]


def rectifications(user: User) -> list[Rectification]:
    """The clinic's open requests of rectification whose pages were looked up."""
    found = queries.entries(user, Register.REQUESTS).filter(closed_on=None)
    return [
        Rectification(entry, content["wording"], places(entry, content))
        for entry, content in queries.with_content(found)
        if content.get("kind") == "rectification" and "places" in content
    ]


def places(entry: Entry, content: dict[str, Any]) -> list[Place]:
    """The pages of a request, in their order."""
    written = [(UUID(document), int(page)) for document, page in content.get("places", ())]
    since = Q(made_at__gt=entry.opened_at) | Q(undone_at__gt=entry.opened_at)
    own = Decision.objects.filter(since, document__in={document for document, _page in written})
    changed = set(own.filter(document__clinic_id=entry.clinic_id).values_list("document_id", "page"))
    return [Place(document, page, (document, page) in changed) for document, page in written]
