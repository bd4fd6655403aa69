"""Sessions in the database, each with its person: they are listed, end after silence and age, and are ended at once.

A session is over when nobody acted in it for SESSION_IDLE seconds, or SESSION_ABSOLUTE seconds after the sign-in
(OWASP ASVS 5.0, 7.3.1 and 7.3.2). Both are looked at where a session is read, so no page can forget to ask.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Session, User

SIGN_IN = "sign_in"
"""What a session knows of its own sign-in: label, at (seconds since the epoch), ip, browser."""
SEEN_GRANULARITY = timedelta(seconds=30)

# The part of a User-Agent that a person recognises; the order matters, because browsers name each other.
BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
           ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


class SessionStore(DatabaseStore):
    """Django's store in our table. `row` is the row it was read from."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]  # the stubs leave it out
        if row is not None and is_over(row, timezone.now()):
            Session.objects.filter(pk=row.pk).delete()
            self._session_key = None
            row = None
        self.row = row
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        signed = data.get(SIGN_IN)
        if signed and data.get(SESSION_KEY):
            row.user_id = uuid.UUID(data[SESSION_KEY])
            row.label = uuid.UUID(signed["label"])
            row.signed_in_at = datetime.fromtimestamp(signed["at"], tz=UTC)
            row.last_seen_at = timezone.now()
            row.ip, row.browser = signed["ip"], signed["browser"]
        return row


def is_over(row: Session, moment: datetime) -> bool:
    """Whether a signed-in session has been silent, or has lasted, for too long."""
    if row.signed_in_at is None or row.last_seen_at is None:
        return False
    idle = moment - row.last_seen_at > timedelta(seconds=settings.SESSION_IDLE)
    return idle or moment - row.signed_in_at > timedelta(seconds=settings.SESSION_ABSOLUTE)


def begin(request: HttpRequest, *, ip: str) -> None:
    """Writes the sign-in into the request's session."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    request.session[SIGN_IN] = {
        "label": str(uuid.uuid4()),
        "at": timezone.now().timestamp(),
        "ip": ip or None,
        "browser": browser_of(agent),
    }


def browser_of(agent: str) -> str:
    """ "Firefox, Windows" of a User-Agent; empty when it says neither."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return ", ".join(filter(None, (browser, system)))


def touch(request: HttpRequest) -> None:
    """Notes that the person acted just now; at most once in SEEN_GRANULARITY, which spares a write per request."""
    row = getattr(request.session, "row", None)
    now = timezone.now()
    if row is not None and row.last_seen_at is not None and now - row.last_seen_at > SEEN_GRANULARITY:
        Session.objects.filter(pk=row.pk).update(last_seen_at=now)


def end_all(user: User, *, but: str | None = None) -> int:
    """Ends the person's sessions, except the one with the key `but`, and says how many."""
    ended, _by_model = Session.objects.filter(user=user).exclude(session_key=but or "").delete()
    return ended


def forget_old(moment: datetime) -> None:
    """Removes the rows of sessions that are over, of strangers' too."""
    idle = moment - timedelta(seconds=settings.SESSION_IDLE)
    Session.objects.filter(Q(expire_date__lt=moment) | Q(last_seen_at__lt=idle)).delete()


def of(user: User) -> list[Session]:
    """The person's sessions that are not over, newest first."""
    now = timezone.now()
    return [row for row in Session.objects.filter(user=user).order_by("-signed_in_at") if not is_over(row, now)]
