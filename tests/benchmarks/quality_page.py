"""The quality page of a clinic with 10,000 extractions and 50,000 signed pages, on SQLite in a temporary folder.

`python -m tests.benchmarks quality_page` (about a minute, most of it to fill the tables). Seconds are of the processor,
the least of several: other people's work on the machine is not the page's.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.benchmarks import Result

if TYPE_CHECKING:
    from accounts.models import User

RUNS, PAGES = 10_000, 5
TURNS = 7
BATCH = 2_000
BAR = 300.0  # ms


def benchmarks() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        _set_up(folder)
        user = _fill()
        from django.test import Client, override_settings

        client = Client()
        client.force_login(user)
        with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False, MFA_REQUIRED=False):
            if client.get("/quality/").status_code != 200:
                raise RuntimeError("the page does not open")
            yield Result("quality page, 10,000 extractions", _milliseconds(lambda: client.get("/quality/")), "ms", BAR)


def _set_up(folder: str) -> None:
    """Django with a database of its own; nothing of the environment's."""
    os.environ.update(
        ENV_FILE=os.devnull, TESTING="1", DATA_DIR=folder, DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3",
        VAULT_KEYS="k1:dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        VAULT_INDEX_KEY="aW5kZXgtdGVzdHMtb25seS1pbmRleC10ZXN0cy1vbmw=", LLM_ENDPOINT="",
        DJANGO_SETTINGS_MODULE="namsite.settings",
    )  # fmt: skip
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _fill() -> User:
    """A reviewer of a clinic with so many runs, each with signed pages."""
    from django.utils import timezone

    from accounts.models import Clinic, User
    from extraction.models import Document, Run, RunPage
    from review.models import PageScore

    chance, moment = random.Random(2026), timezone.now()  # noqa: S311  (not a secret)
    clinic = Clinic.objects.create(name="Clinique")
    user = User.objects.create_user("r@clinique.example", name="R", role="reviewer", clinic=clinic)
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
    pages = [(run, number) for run in runs for number in range(1, PAGES + 1)]
    RunPage.objects.bulk_create(
        (
            RunPage(run=run, number=n, state="found", reader="local", read_seconds=1, find_seconds=0.1)
            for run, n in pages
        ),
        batch_size=BATCH,
    )
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


def _milliseconds(act: Callable[[], object]) -> float:
    taken = []
    for _turn in range(TURNS):
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return 1000 * min(taken)
