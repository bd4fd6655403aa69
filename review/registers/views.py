"""The registers' pages: what there is and what is due, one register, one entry with its parts, letters and files."""

from __future__ import annotations

from operator import attrgetter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404
from accounts.models import User
from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.registers import actions, queries
from audit.registers.codes import altered
from audit.registers.models import Entry, Register
from audit.verbs import Purpose, Verb
from review.registers import letters
from review.registers.actions import open_with, supplement
from review.registers.books import BOOKS, Book, Part, due, in_words, shown
from review.registers.export import CONTENT_TYPES, export_file
from review.registers.forms import AnswerForm, LookUpForm, PartForm
from review.registers.products import installed
from review.registers.rectification import places


@require_safe
@requires(Right.REGISTERS)
@journals(Verb.REGISTER_VIEWED)
def hub(request: HttpRequest) -> HttpResponse:
    """Every register, with what is open and what is to be done first."""
    user, today = person(request), timezone.localdate()
    counts = dict(
        queries.entries(user).order_by().values_list("register").annotate(open=Count("pk", filter=Q(closed_on=None)))
    )
    waiting = [
        (entry, state)
        for entry, content in queries.with_content(queries.entries(user).filter(closed_on=None))
        if (state := due(entry, content, today)).kind in ("waiting", "partial", "failed")
    ]
    books = [(book, counts.get(book.register, 0)) for book in BOOKS.values()]
    _viewed(user, "all", len(waiting))
    return render(request, "registers/hub.html", {"books": books, "waiting": waiting})


@require_safe
@requires(Right.REGISTERS)
@journals(Verb.REGISTER_VIEWED)
def book_page(request: HttpRequest, register: str) -> HttpResponse:
    """One register, newest first."""
    user, book, today = person(request), _book(register), timezone.localdate()
    fields = book.fields(user)
    rows = [
        (entry, [in_words(fields[name], content.get(name) or "") for name in book.columns], due(entry, content, today))
        for entry, content in queries.with_content(queries.entries(user, book.register))
    ]
    _viewed(user, book.register, len(rows))
    context = {
        "book": book,
        "rows": rows,
        "columns": [fields[name].label for name in book.columns],
        "installed": installed() if book.register == Register.PRODUCTS else (),
    }
    return render(request, "registers/book.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.REGISTERS)
@journals(Verb.REGISTER_OPENED)
def new(request: HttpRequest, register: str) -> HttpResponse:
    """The form of a new entry."""
    user, book = person(request), _book(register)
    part = book.parts[0]
    form = part.form(request.POST if request.method == "POST" else None, by=user)
    if request.method != "POST" or not form.is_valid():
        status = 400 if form.is_bound else 200
        return render(request, "registers/new.html", {"book": book, "part": part, "form": form}, status=status)
    entry = open_with(register=book.register, form=form, by=user)
    messages.success(request, _("Entry %(number)d was made.") % {"number": entry.number})
    return redirect("registers:entry", entry.pk)


@require_safe
@requires(Right.REGISTERS)
@journals(Verb.REGISTER_VIEWED)
def entry_page(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """What an entry says, what is due, its parts as forms, and its earlier versions."""
    user = person(request)
    return _entry(request, get_or_404(queries.entries(user), entry_id, by=user))


@require_POST
@requires(Right.REGISTERS)
@journals(Verb.REGISTER_CORRECTED)
def fill_in(request: HttpRequest, entry_id: UUID, part: str) -> HttpResponse:
    """Supplements or corrects one part of an entry; what stood there before is kept."""
    user = person(request)
    entry = get_or_404(queries.entries(user), entry_id, by=user)
    found = BOOKS[Register(entry.register)].part(part)
    if found is None:
        raise Http404
    form = _form(found, request.POST, user)
    if not form.is_valid():
        return _entry(request, entry, wrong=form, status=400)
    supplement(entry=entry, part=found, form=form, by=user)
    messages.success(request, _("Saved as a new version."))
    return redirect("registers:entry", entry.pk)


def _form(part: Part, data: Any, user: User, **kwargs: Any) -> PartForm:
    """A part of an entry that exists: its number was typed when it was made, and only its index is known since."""
    form = part.form(data, by=user, auto_id=f"{part.code}-%s", **kwargs)
    form.fields.pop("nam", None)
    return form


def _entry(request: HttpRequest, entry: Entry, *, wrong: PartForm | None = None, status: int = 200) -> HttpResponse:
    user, book = person(request), BOOKS[Register(entry.register)]
    prefetch_related_objects([entry], "versions")
    versions = sorted(entry.versions.all(), key=attrgetter("number"), reverse=True)
    content = versions[0].content
    _viewed(user, book.register, 1, entry)
    forms = [
        (part, wrong if isinstance(wrong, part.form) else _form(part, None, user, initial=content))
        for part in book.parts
    ]
    context = {
        "book": book,
        "entry": entry,
        "facts": list(shown(book, content, user)),
        "state": due(entry, content, timezone.localdate()),
        "forms": forms,
        "history": [(version, list(shown(book, version.content, user))) for version in versions],
        "altered": altered(entry),
        "answer_form": AnswerForm(auto_id="answer-%s"),
        "look_up_form": LookUpForm(auto_id="look-up-%s"),
        "content": content,
        "places": places(entry, content),
        "may_destroy": entry.kept_until is not None and entry.kept_until < timezone.localdate(),
    }
    return render(request, "registers/entry.html", context, status=status)


@require_POST
@requires(Right.REGISTERS)
@journals(Verb.REGISTER_DESTROYED)
def destroy(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Removes an entry whose term has passed (409 before)."""
    user = person(request)
    entry = get_or_404(queries.entries(user), entry_id, by=user)
    register = entry.register
    actions.destroy_entry(entry=entry, by=user)
    messages.success(request, _("The entry was destroyed."))
    return redirect("registers:book", register)


@require_safe
@requires(Right.REGISTERS)
@journals(Verb.NOTICE_DRAFTED)
def letter(request: HttpRequest, entry_id: UUID, code: str) -> HttpResponse:
    """A notice or an answer to print, in French, with what the register knows filled in."""
    user = person(request)
    entry = get_or_404(queries.entries(user), entry_id, by=user)
    if code not in {known for known, _title in BOOKS[Register(entry.register)].letters}:
        raise Http404
    record_alone(Verb.NOTICE_DRAFTED, by=user, object_type="entry", object_id=entry.pk, purpose=Purpose.ADMINISTRATION,
                 details={"register": entry.register, "letter": code})  # fmt: skip
    return render(request, letters.template(entry, code), letters.context(entry, by=user))


@require_safe
@requires(Right.REGISTERS)
@journals(Verb.REGISTER_EXPORTED)
def export(request: HttpRequest, register: str, suffix: str) -> HttpResponse:
    """A register as CSV (what is in force) or JSON (with every version)."""
    user, book = person(request), _book(register)
    if suffix not in CONTENT_TYPES:
        raise Http404
    found = queries.entries(user, book.register)
    record_alone(Verb.REGISTER_EXPORTED, by=user, purpose=Purpose.ADMINISTRATION, count=found.count(),
                 object_type="register", details={"register": register, "format": suffix})  # fmt: skip
    data, content_type = export_file(book, found, suffix, by=user)
    answer = HttpResponse(data, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{register}-{timezone.localdate()}.{suffix}"'
    return answer


def _book(register: str) -> Book:
    if register not in BOOKS:
        raise Http404
    return BOOKS[Register(register)]


def _viewed(user: User, register: str, count: int, entry: Entry | None = None) -> None:
    record_alone(Verb.REGISTER_VIEWED, by=user, purpose=Purpose.ADMINISTRATION, count=count, object_type="register",
                 object_id=entry.pk if entry else None, details={"register": str(register)})  # fmt: skip
