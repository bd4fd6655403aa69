"""The queue of a network that fell behind: 100,000 documents wait, on SQLite and on PostgreSQL.

Each database is filled and asked by a process of its own, through Django's test client: the whole answer is timed, with
the journal's event, the file names opened and the page rendered, but without a network or a browser.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from tests.benchmarks import Result, databases

WAITING = 100_000
AT_ONCE = 5_000
TURNS = 200
BAR = 150.0  # milliseconds


def benchmarks() -> Iterator[Result]:
    for database, found in databases.measured("queue"):
        for name, (taken, busy) in found.items():
            yield Result(f"{name}, {WAITING:,} waiting, {database}: median", statistics.median(taken), "ms")
            yield Result("… p95", p95(taken), "ms", bar=BAR)
            yield Result("… p95 of the processor's time in Django", p95(busy), "ms")


def p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


# --- In the process with the database --------------------------------------------------------------------------------


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client, override_settings

    from accounts import actions
    from review.queue import Filter

    call_command("migrate", verbosity=0)
    clinic = actions.create_clinic(name="Réseau")
    reviewer = actions.create_user(clinic=clinic, email="a@b.example", name="A", role="reviewer", password="", by=None)
    fill(reviewer)
    client = Client()
    client.force_login(reviewer)
    marks = deep_marks(reviewer)
    with override_settings(ALLOWED_HOSTS=["*"], MFA_REQUIRED=False):
        head = [f"/queue/?show={chosen}" for chosen in Filter]
        deep = [f"/queue/?show=all&after={mark}" for mark in marks]
        measured = {
            "queue page, every filter": timed(client.get, [head[n % len(head)] for n in range(TURNS)], 200),
            "queue page, far down": timed(client.get, deep, 200),
            "claim next": timed(client.post, ["/queue/claim/"] * TURNS, 302),
        }
    print(json.dumps(measured))


def fill(reviewer: object) -> None:
    """Documents and their tasks as the counting would leave them: some doubtful, few unread, of all ages."""
    from django.db import connection
    from django.utils import timezone

    from extraction.models import Document
    from review.models import ReviewTask
    from review.priority import Left, place

    draw, now = random.Random(2026), timezone.now()  # noqa: S311  (not a secret)
    for first in range(0, WAITING, AT_ONCE):
        documents = Document.objects.bulk_create(
            Document(clinic=reviewer.clinic, uploaded_by=reviewer, file_name=f"agenda {n}.pdf",
                     content_index=n.to_bytes(16, "big"), byte_count=1000, page_count=20)
            for n in range(first, first + AT_ONCE)
        )  # fmt: skip
        made = []
        for document in documents:
            undecided = draw.randint(1, 100)
            doubtful = draw.randint(0, undecided) if draw.random() < 0.4 else 0
            left = Left(20, undecided, doubtful, doubtful // 2, int(draw.random() < 0.03), 0.2 * doubtful)
            since = now - timedelta(minutes=draw.randint(0, 60 * 24 * 90))
            made.append(
                ReviewTask(document=document, clinic=reviewer.clinic, findings=100, pages_open=left.pages,
                           undecided=left.undecided, doubtful=left.doubtful, faint=left.faint, unread=left.unread,
                           expected_errors=left.expected_errors, waiting_since=since, place=place(since, left),
                           counted_at=now)
            )  # fmt: skip
        ReviewTask.objects.bulk_create(made)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def deep_marks(reviewer: object) -> list[str]:
    from extraction.marks import Mark
    from review.queue import Filter, filtered

    places = list(filtered(reviewer, Filter.ALL).values_list("place", "document_id"))
    return [str(Mark(*place)) for place in places[:: WAITING // TURNS]]


def timed(ask: Callable[[str], object], addresses: list[str], status: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each answer after a few that warm up: by the clock, and of this process's processor time.

    The second does not know whether others use the machine; on SQLite it holds the database's work too.
    """
    for address in addresses[:5]:
        ask(address)
    taken, busy = [], []
    for address in addresses:
        began, began_busy = time.perf_counter(), time.process_time()
        answer = ask(address)
        taken.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - began_busy))
        if answer.status_code != status:
            raise RuntimeError(f"{Path(address).name} answered {answer.status_code}")
    return taken, busy


if __name__ == "__main__":
    main()
