"""The quality page of a clinic with 10,000 extractions and 50,000 signed pages, on SQLite and on PostgreSQL.

`python -m tests.benchmarks quality_page` (about three minutes, most of it to fill the tables). Each database has a
process of its own, which asks for a month and for a year through Django's test client. The bar is for the processor's
time, the least of several turns: other people's work on the machine is not the page's. SQLite works in Django's
process; that of PostgreSQL's is added, as Linux accounts for it.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.benchmarks import Result, databases
from tests.benchmarks.databases import processor_seconds

if TYPE_CHECKING:
    from accounts.models import User
    from extraction.models import Run
    from review.models import SignOff

RUNS, PAGES = 10_000, 5
TURNS = 7
BATCH = 2_000
WITH_WORDS, WORDS = 1_000, 8_000
"""So many of the documents have the words of their pages, in so many characters; of the others nobody asks."""
SECOND_REVIEWS = 200
"""Open ones, whose pages the reviewer who looks does not see."""
BAR = 300.0  # ms


def benchmarks() -> Iterator[Result]:
    for database, periods in databases.measured("quality_page"):
        for period, (taken, busy) in periods.items():
            yield Result(f"quality page, {RUNS:,} extractions, a {period}, {database}: processor", busy, "ms", bar=BAR)
            yield Result("… by the clock", taken, "ms")


# --- In the process with the database --------------------------------------------------------------------------------


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client, override_settings

    call_command("migrate", verbosity=0)
    user = _fill()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SET max_parallel_workers_per_gather = 0")
    client = Client()
    client.force_login(user)
    with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False, MFA_REQUIRED=False):
        if client.get("/quality/").status_code != 200:
            raise RuntimeError("the page does not open")
        measured = {
            period: _milliseconds(lambda period=period: client.get("/quality/", {"period": period}))
            for period in ("month", "year")
        }
    print(json.dumps(measured))


def _fill() -> User:
    """A reviewer of a clinic with so many runs, each with signed pages."""
    from django.utils import timezone

    from accounts.models import Clinic, User
    from extraction.models import Document, Run, RunPage
    from review.models import PageScore, ReviewedRun, SignOff

    chance, moment = random.Random(2026), timezone.now()  # noqa: S311  (not a secret)
    clinic = Clinic.objects.create(name="Clinique")
    user = User.objects.create_user("r@clinique.example", name="R", role="reviewer", clinic=clinic)
    other = User.objects.create_user("s@clinique.example", name="S", role="reviewer", clinic=clinic)
    common = {"clinic": clinic, "uploaded_by": user, "file_name": "a.pdf", "byte_count": 1, "page_count": PAGES}
    kinds, forms = ("digital", "scan", "fax", "photo"), ("agenda", "list", "")
    documents = [
        Document(content_index=uuid.uuid4().bytes, kind=chance.choice(kinds), form_kind=chance.choice(forms), **common)
        for _run in range(RUNS)
    ]
    Document.objects.bulk_create(documents, batch_size=BATCH)
    began = moment - timedelta(seconds=60)
    runs = [
        Run(document=each, requested_by=user, status="done", started_at=began, finished_at=moment) for each in documents
    ]
    Run.objects.bulk_create(runs, batch_size=BATCH)
    ReviewedRun.objects.bulk_create((ReviewedRun(document=run.document, run=run) for run in runs), batch_size=BATCH)
    pages = [(run, number) for run in runs for number in range(1, PAGES + 1)]
    with_words = set(runs[-WITH_WORDS:])
    words = [chance.randbytes(WORDS // 2).hex()]
    RunPage.objects.bulk_create(
        (
            RunPage(run=run, number=n, state="found", reader=chance.choice(["local", "text_layer"]), find_seconds=0.1,
                    read_seconds=chance.random(), words=words if run in with_words else None)
            for run, n in pages
        ),
        batch_size=BATCH,
    )  # fmt: skip
    signed = [SignOff(document=run.document, page=n, by=other) for run, n in pages]
    SignOff.objects.bulk_create(signed, batch_size=BATCH)
    _open_second_reviews(chance.sample(list(zip((run for run, _n in pages), signed, strict=True)), SECOND_REVIEWS))
    PageScore.objects.bulk_create(
        (
            PageScore(
                run=run, clinic=clinic, page=number, reader=chance.choice(["local", "text_layer"]),
                signed_on=(moment - timedelta(days=chance.randrange(29))).date(), tp=5, fp=chance.randrange(2), fn=0,
                day_right=5, clock_right=4, confusions={"O0": 1} if chance.random() < 0.1 else {},
                calibration={"14": [5, 5, 4.9], "9": [1, 0, 0.6]}, decided=6, agreed=5, timed=5, review_seconds=9.5,
                effort={"confirm/1/0": 4, "at_once/0/0": 1, f"correct/{chance.randrange(2, 9)}/0": 1},
            )
            for run, number in pages
        ),
        batch_size=BATCH,
    )  # fmt: skip
    return user


def _open_second_reviews(pages: list[tuple[Run, SignOff]]) -> None:
    from review.models import SecondReview

    SecondReview.objects.bulk_create(
        SecondReview(document=run.document, run=run, page=signed.page, sign_off=signed, cause="sample")
        for run, signed in pages
    )


def _milliseconds(act: Callable[[], object]) -> tuple[float, float]:
    """By the clock, and of the processor."""
    taken, busy = [], []
    for _turn in range(TURNS):
        began, began_busy = time.perf_counter(), processor_seconds()
        act()
        taken.append(time.perf_counter() - began)
        busy.append(processor_seconds() - began_busy)
    return 1000 * min(taken), 1000 * min(busy)


if __name__ == "__main__":
    main()
