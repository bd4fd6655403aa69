"""What each role may do. One table; pages, API and templates all ask it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from audit.record import record_alone
from audit.verbs import Outcome, Verb

P = ParamSpec("P")
R = TypeVar("R")


class Right(StrEnum):
    UPLOAD = "upload"  # add documents, start their runs again
    LIST = "list"  # see which documents there are and how far they are
    READ = "read"  # see page images and numbers
    REVIEW = "review"  # decide, add, sign off
    QUEUE = "queue"  # see which documents wait for a review
    QUALITY = "quality"  # see how well the machine does, in counts
    EMERGENCY = "emergency"  # see the numbers of one document for a while, for a typed reason
    EXPORT = "export"  # take decided numbers out as a file
    JOURNAL = "journal"  # read the journal
    PEOPLE = "people"  # add people, change roles
    MODELS = "models"  # try another model, roll it back
    AVAILABILITY = "availability"  # see how the model server does
    ALERTS = "alerts"  # see every alert, acknowledge it
    RETENTION = "retention"  # see and change how long data is kept, hold it, destroy documents
    COSTS = "costs"  # see what the system costs, change prices
    REGISTERS = "registers"  # keep the statutory registers, answer a person about their own information


RIGHTS: dict[str, frozenset[Right]] = {
    Role.STAFF: frozenset({Right.UPLOAD, Right.LIST, Right.READ, Right.EXPORT}),
    Role.REVIEWER: frozenset(
        {Right.UPLOAD, Right.LIST, Right.READ, Right.EXPORT, Right.REVIEW, Right.QUEUE, Right.QUALITY}
    ),
    # An administrator answers for the system and needs no patient's page for that (need to know, R-22.1, P-39.1 s. 20).
    # In an emergency they may reveal numbers of one document, one by one, for half an hour.
    Role.ADMIN: frozenset(
        {
            Right.LIST,
            Right.QUALITY,
            Right.JOURNAL,
            Right.PEOPLE,
            Right.MODELS,
            Right.AVAILABILITY,
            Right.ALERTS,
            Right.COSTS,
            Right.EMERGENCY,
            Right.REGISTERS,
            Right.RETENTION,
        }
    ),
}

REFUSALS = {
    Right.UPLOAD: _("Your role does not upload documents."),
    Right.LIST: _("Your role does not see documents."),
    Right.READ: _("Your role does not open documents."),
    Right.QUALITY: _("Your role does not see the quality of the results."),
    Right.EMERGENCY: _("Your role has no emergency access."),
    Right.EXPORT: _("Your role does not export numbers."),
    Right.REVIEW: _("Only reviewers decide on proposals."),
    Right.QUEUE: _("Only reviewers see what waits for a review."),
    Right.JOURNAL: _("Only administrators read the journal."),
    Right.PEOPLE: _("Only administrators manage people."),
    Right.MODELS: _("Only administrators change the model."),
    Right.AVAILABILITY: _("Only administrators see how the servers do."),
    Right.ALERTS: _("Only administrators see all alerts."),
    Right.RETENTION: _("Only administrators see to retention."),
    Right.COSTS: _("Only administrators see the costs."),
    Right.REGISTERS: _("Only administrators keep the registers."),
}


class NotAllowed(PermissionDenied):
    """The person's role does not include this. Its text is a sentence for them."""


def has_right(user: User, right: Right) -> bool:
    return user.is_active and right in RIGHTS[user.role]


def rights(user: User) -> dict[str, bool]:
    """Every right by name, for templates."""
    return {right.value: has_right(user, right) for right in Right}


def check_right(user: User, right: Right) -> None:
    """Raises NotAllowed, and journals the refusal, unless `user` may."""
    if not has_right(user, right):
        record_alone(Verb.DENIED, by=user, outcome=Outcome.DENIED, reason_code=str(right))
        raise NotAllowed(str(REFUSALS[right]))


def requires(
    right: Right,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """For views: 403 with a sentence unless the signed-in person has `right`."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            check_right(request.user, right)  # type: ignore[arg-type]  # login is required everywhere
            return view(request, *args, **kwargs)

        return checked

    return decorate


def reviewers_only(action: Callable[P, R]) -> Callable[P, R]:
    """For actions: checks `by` before the action's transaction begins, so that the journal keeps a refusal."""

    @wraps(action)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        check_right(cast(User, kwargs["by"]), Right.REVIEW)
        return action(*args, **kwargs)

    return checked
