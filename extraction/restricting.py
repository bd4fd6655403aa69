"""Numbers that a person had restricted: masked, and their pages closed, for the roles that the restriction names.

R-22.1 ss. 7 and 8. A restriction is an entry of a register with the number's keyed index (`audit.registers`); this says
what follows from it. Every read of a page or of its numbers asks here. What is closed is the whole page: its image
shows the number and the name beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import NotAllowed
from audit.record import record_alone
from audit.registers import queries
from audit.registers.models import Register
from audit.verbs import Outcome, Verb
from extraction.models import Document, Finding

Indexes = frozenset[bytes]

also_on: list[Callable[[UUID, Indexes], Iterable[int]]] = []
"""Those above this floor who know pages that hold a number without a finding of it: called with a document's id."""


def restricted_indexes(user: User) -> Indexes:
    """The keyed indexes of the numbers that this person's role may not see now; one query where there are none."""
    standing = queries.entries(user, Register.RESTRICTIONS).filter(
        closed_on=None, began_on__lte=timezone.localdate(), subject__isnull=False
    )
    rows = queries.with_content(standing)
    return frozenset(bytes(entry.subject or b"") for entry, content in rows if user.role in content["roles"])


def restricted_pages(user: User, document: Document) -> frozenset[int]:
    """The pages of a document that are closed for this person."""
    indexes = restricted_indexes(user)
    if not indexes:
        return frozenset()
    found = Finding.objects.filter(run__document=document, value_index__in=list(indexes))
    pages = set(found.values_list("page", flat=True))
    for pages_of in also_on:
        pages.update(pages_of(document.pk, indexes))
    return frozenset(pages)


def check_page(user: User, document: Document, page: int) -> None:
    """Raises NotAllowed, and journals the attempt, where the page is closed for this person."""
    if page in restricted_pages(user, document):
        _deny(user, document, page)


def check_all(user: User, document: Document) -> None:
    """The same where a page of the document is closed, for what shows all of them."""
    if restricted_pages(user, document):
        _deny(user, document, None)


def note_masked(user: User, document: Document, count: int) -> None:
    """Journals that `count` numbers of a disclosure were masked for this person."""
    if count:
        record_alone(Verb.RESTRICTED_DENIED, by=user, outcome=Outcome.DENIED, object_type="document",
                     object_id=document.pk, document_id=document.pk, count=count)  # fmt: skip


def _deny(user: User, document: Document, page: int | None) -> None:
    record_alone(Verb.RESTRICTED_DENIED, by=user, outcome=Outcome.DENIED, object_type="document",
                 object_id=document.pk, document_id=document.pk, page=page)  # fmt: skip
    raise NotAllowed(_("A person restricted the access to their information: your role does not open this page."))
