"""What PostgreSQL's row-level security costs: pages of a reviewer with the policies and without, in turns.

Four clinics with 1,000 waiting documents each, one with a page of 100 proposals. The same connection acts once as the
owner of the tables, to whom no policy applies, and once as the application's role; the order changes with each turn, so
that what else the machine does weighs on both.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.benchmarks import Result, databases

if TYPE_CHECKING:
    from accounts.models import User
    from extraction.models import Document

CLINICS, WAITING, PROPOSALS = 4, 1_000, 100
TURNS = 30
ROLE = "namsite_app"


def benchmarks() -> Iterator[Result]:
    for _, pages in databases.measured("row_security", sqlite=False):
        for page, (without, within, alone, together) in pages.items():
            yield Result(f"{page}, without row security: median", statistics.median(without), "ms")
            yield Result("… with it: median", statistics.median(within), "ms")
            yield Result("… with it, of what it was without: processor's time in Django", together / alone, "")


# --- In the process with the database --------------------------------------------------------------------------------


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client, override_settings

    from accounts import tenancy

    tenancy.process_scope = tenancy.EVERY
    call_command("migrate", verbosity=0)
    reviewer, document = _fill()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
    call_command("enable_row_security", role=ROLE, verbosity=0, stdout=sys.stderr)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client()
    client.force_login(reviewer)
    pages = {"queue page": "/queue/?show=all", "review page": f"/documents/{document.pk}/"}
    with override_settings(ALLOWED_HOSTS=["*"], MFA_REQUIRED=False):
        print(json.dumps({name: _in_turns(lambda path=path: client.get(path)) for name, path in pages.items()}))


@contextmanager
def _acting(*, within: bool) -> Iterator[None]:
    from django.db import connection
    from django.test import override_settings

    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}" if within else "RESET ROLE")
    with override_settings(ROW_SECURITY=within):
        yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def _in_turns(ask: Callable[[], object]) -> tuple[list[float], list[float], float, float]:
    """Milliseconds of each answer without and with the policies, and the medians of the processor's time."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    busy: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(TURNS + 3):
        for within in (False, True) if turn % 2 else (True, False):
            with _acting(within=within):
                began, began_busy = time.perf_counter(), time.process_time()
                answer = ask()
                if answer.status_code != 200:
                    raise RuntimeError(f"answered {answer.status_code}")
                if turn >= 3:
                    taken[within].append(1000 * (time.perf_counter() - began))
                    busy[within].append(1000 * (time.process_time() - began_busy))
    return taken[False], taken[True], statistics.median(busy[False]), statistics.median(busy[True])


def _fill() -> tuple[User, Document]:
    """The reviewer of the last clinic, and the document of theirs that has proposals."""
    from django.utils import timezone

    from accounts import actions
    from extraction.models import Document
    from review.models import ReviewTask
    from review.priority import Left, place

    now, left = timezone.now(), Left(1, 100, 0, 0, 0, 1.0)
    for number in range(CLINICS):
        clinic = actions.create_clinic(name=f"Clinique {number}")
        reviewer = actions.create_user(
            clinic=clinic, email=f"a{number}@b.example", name="A", role="reviewer", password="", by=None
        )
        documents = Document.objects.bulk_create(
            Document(clinic=clinic, uploaded_by=reviewer, file_name=f"agenda {n}.pdf",
                     content_index=n.to_bytes(16, "big"), byte_count=1000, page_count=1)
            for n in range(WAITING)
        )  # fmt: skip
        ReviewTask.objects.bulk_create(
            ReviewTask(document=document, clinic=clinic, findings=100, pages_open=1, undecided=100, doubtful=0, faint=0,
                       unread=0, expected_errors=1.0, waiting_since=(since := now - timedelta(minutes=n)),
                       place=place(since, left), counted_at=now)
            for n, document in enumerate(documents)
        )  # fmt: skip
    _propose(documents[0])
    return reviewer, documents[0]


def _propose(document: Document) -> None:
    from tests.factories import FindingFactory, RunFactory, RunPageFactory

    run = RunFactory(document=document, requested_by=document.uploaded_by)
    RunPageFactory(run=run, number=1)
    for position in range(PROPOSALS):
        FindingFactory(run=run, page=1, position=position)


if __name__ == "__main__":
    main()
