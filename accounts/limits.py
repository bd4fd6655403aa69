"""How often somebody may: locks that grow with failures, and limits on requests.

Counted in the database, beside what they protect: a lost Redis or an emptied cache opens nothing, and when the counters
cannot be written nobody signs in. What is counted is stored as a keyed digest; no typed address is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.journal import record_at_the_door
from accounts.models import Counter, User
from accounts.requests import person
from audit.origin import current_origin
from audit.verbs import Outcome, Verb

P = ParamSpec("P")

KEPT = timedelta(days=2)
"""Counters older than this are swept; every lock and every limit is shorter."""


class TooManyRequests(Exception):
    """A limit is reached. Pages and the API answer 429 with `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


# --- Locks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lock:
    """After `free` failures the next ones are not looked at for `first` seconds, then twice as long, up to `longest`.

    Failures are forgotten `memory` seconds after the first one. What is tried while it is locked does not count, so
    nobody can keep a person out for ever by going on.
    """

    name: str
    free: int
    first: int
    longest: int
    memory: int

    def until(self, value: str) -> datetime | None:
        """Until when `value` is locked; None when it is not."""
        now = timezone.now()
        row = Counter.objects.filter(pk=_key(self.name, value), locked_until__gt=now).first()
        return row.locked_until if row else None

    def locked(self, values: Iterable[str]) -> set[str]:
        """Those of `values` that are locked, in one query."""
        value_of = {_key(self.name, value): value for value in values}
        rows = Counter.objects.filter(pk__in=value_of, locked_until__gt=timezone.now())
        return {value_of[key] for key in rows.values_list("pk", flat=True)}

    def fail(self, value: str) -> bool:
        """Counts a failure. True when it locks."""
        now = timezone.now()
        with transaction.atomic():
            row = _counter(self.name, value, now)
            if now - row.since > timedelta(seconds=self.memory):
                row.count, row.since = 0, now
            row.count += 1
            over = row.count - self.free
            locks = over >= 0
            if locks:
                row.locked_until = now + timedelta(seconds=min(self.first * 2 ** min(over, 20), self.longest))
            row.save()
        return locks

    def clear(self, value: str) -> bool:
        """Forgets the failures. True when there was a lock."""
        rows = Counter.objects.filter(pk=_key(self.name, value))
        was_locked = rows.filter(locked_until__gt=timezone.now()).exists()
        rows.delete()
        return was_locked


# NIST SP 800-63B, 3.2.2 asks for at most 100 failures in a row of one account; these allow about 35 a day.
ADDRESS = Lock("sign-in.address", free=5, first=30, longest=3600, memory=24 * 3600)
NETWORK = Lock("sign-in.network", free=30, first=30, longest=900, memory=3600)
CODE = Lock("sign-in.code", free=5, first=30, longest=3600, memory=24 * 3600)


# --- Limits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in `seconds` for one person, one network address or one clinic."""

    per: str  # user | ip | clinic
    count: int
    seconds: int


LIMITS: dict[str, tuple[Limit, ...]] = {
    "sign-in": (Limit("ip", 120, 60),),  # a clinic behind one address begins its day together
    "export": (Limit("user", 30, 3600), Limit("ip", 120, 3600), Limit("clinic", 120, 3600)),
    "reveal": (Limit("user", 20, 600), Limit("ip", 40, 600), Limit("clinic", 60, 600)),
    "upload": (Limit("user", 1000, 600), Limit("ip", 2000, 600), Limit("clinic", 3000, 600)),
    "api": (Limit("user", 600, 60), Limit("ip", 1200, 60), Limit("clinic", 2400, 60)),
}


def use(action: str, *, by: User | None) -> None:
    """Counts one `action` of the person, or of a stranger's network address.

    Raises TooManyRequests, and journals the first refusal of each period.
    """
    now = timezone.now()
    for limit, value in _whose(action, by):
        name = f"{action}.{limit.per}"
        with transaction.atomic():
            row = _counter(name, value, now)
            if now - row.since > timedelta(seconds=limit.seconds):
                row.count, row.since = 0, now
            row.count += 1
            row.save()
        if row.count > limit.count:
            if row.count == limit.count + 1:
                record_at_the_door(
                    Verb.LIMIT_REACHED, by=by, outcome=Outcome.DENIED, reason_code=name, count=limit.count
                )
            raise TooManyRequests(max(1, limit.seconds - int((now - row.since).total_seconds())))


ALLAUTH_WINDOW = 60
"""Seconds; every limit of allauth that is in use counts by the minute."""


@transaction.atomic
def note_refusal(page: str, *, by: User | None) -> None:
    """One of allauth's own limits refused a request for `page`: the first refusal of a window is an event.

    The source is the person, or a stranger's network address. Whose account was meant is not looked at.
    """
    now, source = timezone.now(), "user" if by else "ip"
    row = _counter(f"refused.{page}.{source}", str(by.pk) if by else current_origin().ip, now)
    if row.count and now - row.since <= timedelta(seconds=ALLAUTH_WINDOW):
        return
    row.count, row.since = 1, now
    row.save()
    record_at_the_door(Verb.LIMIT_REACHED, by=by, outcome=Outcome.DENIED, reason_code=f"{page}.{source}"[:40])


def limited(
    action: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """For views: each call counts as one `action`; 429 when it is one too many."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            use(action, by=person(request))
            return view(request, *args, **kwargs)

        return counted

    return decorate


def _whose(action: str, by: User | None) -> Iterator[tuple[Limit, str]]:
    values = {"user": str(by.pk) if by else "", "ip": current_origin().ip, "clinic": str(by.clinic_id) if by else ""}
    return ((limit, values[limit.per]) for limit in LIMITS[action] if values[limit.per])


# --- Counters ---------------------------------------------------------------------------------------------------------


def forget_old(moment: datetime) -> None:
    """Removes counters that nothing asks about any more."""
    Counter.objects.filter(since__lt=moment - KEPT).delete()


def _key(name: str, value: str) -> str:
    return salted_hmac(f"accounts.limits.{name}", value, algorithm="sha256").hexdigest()


def _counter(name: str, value: str, now: datetime) -> Counter:
    """The counter's row, locked until the transaction ends."""
    key = _key(name, value)
    Counter.objects.get_or_create(pk=key, defaults={"since": now})
    return Counter.objects.select_for_update().get(pk=key)
