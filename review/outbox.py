"""What a reviewer's browser keeps until we have it: the key it is sealed with, and whose it is.

The browser seals with AES-256-GCM. The key is the person's, comes with the page and is stored nowhere in the browser:
what lies on a shared computer opens only for the person who made it, after they signed in again.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import uuid4

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.requests import person
from extraction.scheduler import give_up_lease, take_lease
from vault.keys import keyring

View = TypeVar("View", bound=Callable[..., HttpResponse])


def key(user: User) -> str:
    """The 32 bytes that seal the person's outbox, in base64."""
    root = keyring().derive("index.outbox", user.clinic_id)
    return b64encode(hmac.digest(root, str(user.pk).encode(), hashlib.sha256)).decode()


def is_background(request: HttpRequest) -> bool:
    """Whether our own script sends this and waits for a word, not for a page."""
    return request.headers.get("Accept") == "application/json"


def written(request: HttpRequest, page: HttpResponse, sentence: str = "") -> HttpResponse:
    """It is done: `page` with a message, or a word for our own script."""
    if is_background(request):
        return JsonResponse({"message": sentence})
    if sentence:
        messages.success(request, sentence)
    return page


def refused(request: HttpRequest, page: HttpResponse, form: Form) -> HttpResponse:
    """What was typed cannot be taken: `page` with messages, or 422 for our own script."""
    sentences = [str(error) for errors in form.errors.values() for error in errors]
    if is_background(request):
        return JsonResponse({"error": " ".join(sentences)}, status=422)
    for sentence in sentences:
        messages.error(request, sentence)
    return page


def own_only(view: View) -> View:
    """For views that take what was kept: 403 with the code `other_person` when somebody else signed in meanwhile.

    Nobody's decisions may be written under another name; the outbox waits for its own person.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        sender = request.POST.get("person", "")
        if sender and sender != str(person(request).pk):
            sentence = _("Somebody else is signed in now. These decisions wait for the person who made them.")
            return JsonResponse({"code": "other_person", "error": sentence}, status=403)
        return view(request, *args, **kwargs)

    return cast(View, checked)


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Whether nobody else does what is named so, in any process; a process that dies holds it for half a minute."""
    holder = uuid4()
    is_free = take_lease(name, holder, timezone.now())
    try:
        yield is_free
    finally:
        if is_free:
            give_up_lease(name, holder)
