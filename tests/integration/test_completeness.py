"""No entrance without its event: every address says what it journals, does so, and discloses nothing when it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from typing import NamedTuple

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts import actions as accounts
from audit.declared import Declaration, declaration_of
from audit.models import Event
from extraction import actions, nam, queue
from extraction.models import Document
from namsite.api import api
from namsite.declared import FOREIGN
from review.actions import Value
from review.models import Disagreement, SecondDecision, SecondReview, SignOff
from tests.factories import FindingFactory, HintFactory, UserFactory, agenda_pdf, some_nam

pytestmark = pytest.mark.django_db

FILE = "Quaxbrindle canari 1961.pdf"


class Entrance(NamedTuple):
    """An address with its declaration. `methods` of the API's operations; empty where the view decides."""

    route: str
    name: str
    declared: Declaration | None
    methods: tuple[str, ...] = ()


def pages(resolver: URLResolver | None = None, before: str = "") -> Iterator[Entrance]:
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            name = pattern.name or ""
            if not route.startswith("api/nam/"):
                yield Entrance(route, name, FOREIGN.get(name) or declaration_of(pattern.callback))
        else:
            yield from pages(pattern, route)


def operations() -> Iterator[Entrance]:
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                route = re.sub(r"\{(\w+):(\w+)\}", r"<\1:\2>", f"api{prefix}{path}")
                yield Entrance(
                    route, operation.operation_id, declaration_of(operation.view_func), tuple(operation.methods)
                )


EVERY = [*pages(), *operations()]
DISCLOSING = [each for each in EVERY if each.declared and each.declared.verbs and each.name not in FOREIGN]


def test_there_is_something_to_look_at():
    assert len(EVERY) > 80
    assert len(DISCLOSING) > 40


@pytest.mark.parametrize("entrance", EVERY, ids=lambda each: each.route)
def test_every_entrance_says_what_it_journals(entrance):
    assert entrance.declared is not None, f"{entrance.route} needs @journals(...) or @journals_nothing(reason)"
    assert entrance.declared.verbs or entrance.declared.reason


def test_every_operation_of_the_schema_is_an_entrance():
    listed = {op["operationId"] for path in api.get_openapi_schema()["paths"].values() for op in path.values()}
    assert listed == {each.name for each in operations()}


# --- An installation with something behind every address -------------------------------------------------------------


@pytest.fixture
def ids(staff, reviewer, admin, clinic, monkeypatch):
    """The argument of every address, of things that the clinic's reviewer may see."""
    monkeypatch.setattr(queue, "enqueue_on_commit", lambda _run: None)
    number = some_nam(7)
    lines = ["Agenda du vendredi 3 octobre 2025", f"08:30  Quaxbrindle  {nam.grouped(number)}"]
    done = actions.upload(data=agenda_pdf(lines, lines), file_name=FILE, by=staff)
    run = done.run
    run.status = "done"
    run.save()
    finding = FindingFactory(run=run, value=number)
    HintFactory(run=run, value=number)
    decision = _decided(finding, reviewer)
    others = [UserFactory(clinic=clinic, role="reviewer") for _turn in range(2)]
    disputed = _second_review(run, 2, others, "disputed", others[1])
    begun = _second_review(_another_run(staff), 1, others, "begun", reviewer)
    answer = SecondDecision.objects.create(
        review=disputed, verdict="add", by=others[1], **Value(number).fields(clinic.pk)
    )
    disagreement = Disagreement.objects.create(review=disputed, second=answer)
    token, _text = accounts.create_token(name="essai", days=1, by=reviewer)
    accounts.begin_emergency(document_id=done.document.pk, reason="demande du patient", purpose="audit", by=admin)
    return {
        "document_id": done.document.pk, "run_id": run.pk, "finding_id": finding.pk, "number": 1,
        "decision_id": decision.pk, "review_id": begun.pk, "disagreement_id": disagreement.pk,
        "export_id": _exported(done.document, staff).pk, "token_id": token.pk, "user_id": staff.pk,
    }  # fmt: skip


def _decided(finding, reviewer):
    from review.actions import decide

    return decide(finding=finding, value=Value(finding.value, date(2025, 10, 3), time(8, 30)), reason="", by=reviewer)


def _another_run(staff):
    lines = ["Agenda du samedi 4 octobre 2025", "09:00"]
    run = actions.upload(data=agenda_pdf(lines), file_name=f"2 {FILE}", by=staff).run
    run.status = "done"
    run.save()
    FindingFactory(run=run, value=some_nam(7))
    return run


def _second_review(run, page, others, state, by):
    signed = SignOff.objects.create(document=run.document, page=page, by=others[0])
    return SecondReview.objects.create(
        document=run.document, run=run, page=page, sign_off=signed, cause="sample", state=state, by=by,
        began_at=timezone.now(),
    )  # fmt: skip


def _exported(document, staff):
    from base64 import b64encode

    from review.models import Export

    return Export.objects.create(
        document=document, format="csv", recipient="RAMQ", lines=1, withheld=0, mac=bytes(32), by=staff,
        content=b64encode(f"{some_nam(7)};{FILE}".encode()).decode(),
    )  # fmt: skip


def address(entrance, ids):
    """None for one whose argument nobody has here."""
    names = re.findall(r"<\w+:(\w+)>", entrance.route)
    if not set(names) <= set(ids):
        return None
    return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(ids[found[1]]), entrance.route)


def ask(client, entrance, path):
    """A GET, or a POST where only that is offered."""
    if entrance.methods:
        method = entrance.methods[0].lower()
        extra = {"content_type": "application/json", "data": "{}"} if method == "post" else {}
        return getattr(client, method)(path, **extra)
    answer = client.get(path)
    return client.post(path) if answer.status_code == 405 else answer


@contextmanager
def undone():
    """What is written inside is taken back, so that one entrance leaves nothing for the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def clients(reviewer, admin, staff):
    found = []
    for person in (reviewer, admin, staff):
        client = Client(raise_request_exception=False)
        client.force_login(person)
        found.append(client)
    return found


def reader_of(entrance, path, clients):
    """Who may read what is there by a GET; None where it is only written to."""
    if entrance.methods not in ((), ("GET",)):
        return None
    return next((client for client in clients if client.get(path).status_code == 200), None)


def reached(ids, entrances):
    """The entrances with their addresses, but for those whose argument nobody has here."""
    return [(each, path) for each in entrances if (path := address(each, ids)) is not None]


SECRETS = (some_nam(7), nam.grouped(some_nam(7)), FILE, "Quaxbrindle")


def test_what_is_shown_leaves_an_event_of_its_own(ids, clients):
    shown, silent = set(), set()
    for entrance, path in reached(ids, DISCLOSING):
        with undone():
            before = Event.objects.latest("pk").pk
            if reader_of(entrance, path, clients) is None:
                continue
            shown.add(entrance.name)
            if not Event.objects.filter(pk__gt=before, verb__in=entrance.declared.verbs).exists():
                silent.add(entrance.name)
    assert silent == set()
    assert {"document-detail", "page-image", "finding-crop", "queue", "exports", "download", "compare", "second-detail",
            "disagreement", "results", "journal"} <= shown  # fmt: skip


def test_nothing_is_disclosed_when_the_journal_is_broken(ids, clients, monkeypatch):
    readers = {}
    for entrance, path in reached(ids, DISCLOSING):
        with undone():
            readers[entrance] = reader_of(entrance, path, clients)
    monkeypatch.setattr("audit.record._append", broken)
    telling, open_ones = set(), set()
    for entrance, path in reached(ids, EVERY):
        for client in clients:
            with undone():
                answer = ask(client, entrance, path)
            body = "" if answer.streaming else answer.content.decode("utf-8", "replace")
            is_image = answer.get("Content-Type", "").startswith("image/")
            if is_image or any(secret in body for secret in SECRETS):
                telling.add(entrance.route)
        reader = readers.get(entrance)
        if reader is not None and reader.get(path).status_code != 503:
            open_ones.add(entrance.route)
    assert (telling, open_ones) == (set(), set())


def broken(*_args, **_kwargs):
    raise DatabaseError


def test_the_secrets_are_shown_when_the_journal_is_whole(ids, clients):
    """Otherwise the test above would prove nothing."""
    assert Document.objects.count() == 2
    page = clients[0].get(f"/documents/{ids['document_id']}/").content.decode()
    assert nam.grouped(some_nam(7)) in page
    assert FILE in page
    assert FILE in clients[0].get("/documents/?rows").content.decode()


def test_the_refresh_of_the_list_shows_nothing_without_a_journal(ids, clients, monkeypatch):
    monkeypatch.setattr("audit.record._append", broken)
    answer = clients[0].get("/documents/?rows")
    assert answer.status_code == 503
    assert FILE not in answer.content.decode()
