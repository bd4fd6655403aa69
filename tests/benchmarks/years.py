"""A database of years: every page that has to stay quick, at a million documents and ten million numbers and events.

    python -m tests.benchmarks years [--documents 1000000] [--keep FOLDER] [--only WORD]

`years_filled` says what is in it. `make bench` takes 20,000 documents. With `--keep` the filled cluster and its keys
stay in FOLDER (about 26 GB for a million documents) and the next run goes on with them, after migrating; `--only` asks
the questions whose name holds the word.

The application connects as its own role, under row-level security. Pages are asked of Django's test client by people
who are signed in, once in the clinic that has a third of everything and once in one of the small ones: the event of
the look and the rendering are in the time. Each question is asked once with nothing in memory (the server was started
again and its files were dropped from the kernel's cache), then TURNS times. The bar is for the processor's time,
because other people's work on the machine is not the page's; what the clock said stands beside it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from namsite.devservers import CannotStart, EmbeddedPostgres
from tests.benchmarks import Result, databases

DOCUMENTS = int(os.environ.get("YEARS_DOCUMENTS", "20000"))
TURNS, WRITES = int(os.environ.get("YEARS_TURNS", "50")), 1000
BAR, WRITE_BAR = 200.0, 5.0  # milliseconds
ROLE = "namsite_app"
SMALL = 20
"""The place of the small clinic among the forty."""
SERVER = {
    "shared_buffers": "2GB", "work_mem": "16MB", "effective_cache_size": "6GB", "random_page_cost": "1.1",
    "max_wal_size": "8GB", "jit": "off", "wal_level": "minimal", "max_wal_senders": "0",
}  # fmt: skip
"""As docs/database.md advises for a server with 8 GB; the last two only make the filling quicker."""
Times = tuple[list[float], list[float]]
"""Milliseconds by the clock, and of the processor for this process and PostgreSQL's that serves it."""
Ask = Callable[[], Any]


def benchmarks(*options: str) -> Iterator[Result]:
    parser = argparse.ArgumentParser(prog="years")
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", default="")
    asked = parser.parse_args(options)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # An unprivileged user runs PostgreSQL where root runs this.
        try:
            yield from _of(folder, asked.documents, asked.only)
        except CannotStart as reason:
            print(f"years left out: {reason}")


def _of(folder: Path, documents: int, only: str) -> Iterator[Result]:
    known = folder / "filled.json"
    with _server(folder) as server:
        if not known.exists():
            filled = databases.measure("years_filled", (str(documents),), server.url, str(folder))
            known.write_text(json.dumps(filled))
        sizes = databases.measure("years", ("--prepare",), server.url, str(folder))
    filled = json.loads(known.read_text())
    yield Result(f"filling {filled['documents']:,} documents", filled["seconds"] / 60, "min", bar=25)
    for table, megabytes in sizes.items():
        yield Result(f"size of {table}", megabytes, "MB")
    _drop_from_cache(folder / "postgres")
    with _server(folder) as server:
        address = server.url.replace("postgres@", f"{ROLE}@")
        cold = databases.measure("years", ("--measure", "cold", only), address, str(folder), ROW_SECURITY="1")
        warm = databases.measure("years", ("--measure", "warm", only), address, str(folder), ROW_SECURITY="1")
    for name, (taken, busy) in warm.items():
        yield Result(f"{name}: median of the processor's time", statistics.median(busy), "ms")
        yield Result("… p95", _p95(busy), "ms", bar=WRITE_BAR if name.startswith("one event") else BAR)
        yield Result("… by the clock: median", statistics.median(taken), "ms")
        yield Result("… p95", _p95(taken), "ms")
        yield Result("… the first time, nothing in memory", cold[name][0][0], "ms")


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


@contextmanager
def _server(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data=folder / "postgres", settings=SERVER) as server:
        yield server


def _drop_from_cache(folder: Path) -> None:
    """Lets the kernel forget the files, so that they are read from the disk again."""
    for file in folder.rglob("*"):
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


# --- In a process with the database, as the owner of the tables ------------------------------------------------------


def prepare() -> None:
    """Migrates, puts the application's role under the policies, and tells how large the tables are."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        if not cursor.fetchone():
            cursor.execute(f"CREATE ROLE {ROLE} LOGIN")
        call_command("enable_row_security", role=ROLE, verbosity=0, stdout=sys.stderr)
        cursor.execute("CHECKPOINT")
        cursor.execute(
            "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_total_relation_size(oid) > 5e7"
            " ORDER BY pg_total_relation_size(oid) DESC"
        )
        sizes = {}
        for table, rows, indexes in cursor.fetchall():
            sizes[f"{table}, rows"], sizes[f"{table}, indexes"] = rows / 1e6, indexes / 1e6
    print(json.dumps(sizes))


# --- In a process with the database, as the application --------------------------------------------------------------


def measure(mode: str, only: str) -> None:
    importlib.import_module("namsite.asgi")  # As it is served, its memory settled before the first question.
    from django.test import override_settings

    from accounts.models import Clinic

    named = {clinic.name: clinic for clinic in Clinic.objects.all()}
    turns = 1 if mode == "cold" else TURNS
    measured: dict[str, Times] = {}
    with override_settings(ALLOWED_HOSTS=["*"], MFA_REQUIRED=False):
        for size, clinic in (("large", named["Clinique 0"]), ("small", named[f"Clinique {SMALL}"])):
            for name, ask in questions(clinic).items():
                if only in name:
                    measured[f"{size} clinic, {name}"] = _timed(ask, turns, warm_up=mode == "warm")
                    _say(f"{size} clinic, {name}", measured)
            if only in "one event":
                measured[f"one event, {size} clinic"] = _timed(
                    writing(clinic), 1 if mode == "cold" else WRITES, warm_up=mode == "warm"
                )
    print(json.dumps(measured))


def _timed(ask: Ask, turns: int, *, warm_up: bool) -> Times:
    for _turn in range(3 * warm_up):
        ask()
    taken, busy = [], []
    for _turn in range(turns):
        began_busy, began = databases.processor_seconds(), time.perf_counter()
        answer = ask()
        taken.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (databases.processor_seconds() - began_busy))
        if getattr(answer, "status_code", 200) not in (200, 302):
            raise RuntimeError(f"answered {answer.status_code}")
    return taken, busy


def _say(name: str, measured: dict[str, Times]) -> None:
    """For who waits: what was measured last."""
    taken, busy = measured[name]
    print(f"{name}: {_p95(busy):.0f} ms, by the clock {_p95(taken):.0f} ms", file=sys.stderr, flush=True)


def writing(clinic: Any) -> Ask:
    """Journalling one disclosure, transaction and all."""
    from accounts import tenancy
    from accounts.models import User
    from audit.record import record_alone
    from audit.verbs import Verb
    from extraction.models import Document

    reviewer = User.objects.filter(clinic=clinic, role="reviewer").order_by("email")[0]
    with tenancy.scope(clinic.pk):
        document = Document.objects.filter(clinic=clinic).first()

    def ask() -> None:
        with tenancy.scope(clinic.pk):
            record_alone(Verb.PAGE_VIEWED, by=reviewer, object_type="document", document_id=document.pk, page=1)

    return ask


def questions(clinic: Any) -> dict[str, Ask]:
    """What people of a clinic ask; each call is another one of its kind."""
    from django.test import Client

    from accounts.models import User

    clients = {}
    for role in ("reviewer", "admin"):
        clients[role] = Client()
        clients[role].force_login(User.objects.filter(clinic=clinic, role=role).order_by("email")[0])
    draw = random.Random(2026)  # noqa: S311  (not a secret)
    return {
        **_lists(clients["reviewer"], draw),
        **_journal(clients["admin"], clinic, draw),
        **_figures(clients["reviewer"], clients["admin"]),
        **_reports(clients["admin"], draw),
    }


def _lists(reviewer: Any, draw: random.Random) -> dict[str, Ask]:
    from extraction.marks import Mark
    from review.queue import Filter

    def mark(least: int, most: int) -> Mark:
        """Some moment so many days ago: no row is looked up for it, which would warm what is to be read cold."""
        return Mark(datetime.now(UTC) - timedelta(days=draw.uniform(least, most)), uuid.UUID(int=0))

    shows = [str(each) for each in Filter]
    return {
        "documents, first page": lambda: reviewer.get("/documents/"),
        "documents, refreshed rows": lambda: reviewer.get("/documents/?rows=1"),
        "documents, some page": lambda: reviewer.get("/documents/", {"before": mark(1, 1080)}),
        "documents, back from some page": lambda: reviewer.get("/documents/", {"after": mark(1, 1080)}),
        "documents, last page": lambda: reviewer.get("/documents/", {"before": mark(1080, 1094)}),
        "documents up to a day": lambda: reviewer.get("/documents/", {"until": mark(1, 1080).moment.date()}),
        "runs by the API": lambda: reviewer.get("/api/nam/runs"),
        "failed runs by the API": lambda: reviewer.get("/api/nam/runs", {"status": "failed"}),
        "runs by the API, deep": lambda: reviewer.get("/api/nam/runs", {"offset": draw.randint(1000, 10_000)}),
        "queue, head": lambda: reviewer.get("/queue/", {"show": draw.choice(shows)}),
        "queue, far down": lambda: reviewer.get("/queue/", {"show": "all", "after": mark(1, 250)}),
        "claim the next one": lambda: reviewer.post("/queue/claim/"),
        "second reviews": lambda: reviewer.get("/second-reviews/"),
    }


def _journal(admin: Any, clinic: Any, draw: random.Random) -> dict[str, Ask]:
    from accounts import tenancy
    from accounts.models import User
    from audit.models import ChainHead
    from extraction.models import Document
    from tests.benchmarks.years_filled import PATIENTS
    from tests.factories import some_nam

    people = list(User.objects.filter(clinic=clinic).values_list("pk", flat=True))
    last = ChainHead.objects.get(clinic_id=clinic.pk).seq
    with tenancy.scope(clinic.pk):
        documents = list(Document.objects.filter(clinic=clinic).values_list("pk", flat=True)[:500])

    def get(**query: object) -> Any:
        return admin.get("/journal/", query)

    def nam() -> str:
        return some_nam(draw.randrange(PATIENTS))

    def month() -> dict[str, str]:
        first = date.today() - timedelta(days=draw.randint(40, 1000))  # noqa: DTZ011
        return {"since": f"{first}T00:00", "until": f"{first + timedelta(days=30)}T00:00"}

    return {
        "journal": get,
        "journal, far down": lambda: get(before=draw.randint(200, last)),
        "journal of a person": lambda: get(actor=draw.choice(people), before=draw.randint(200, last)),
        "journal of a document": lambda: get(document=draw.choice(documents)),
        "journal of a patient, by NAM": lambda: admin.post("/journal/search/", {"nam": nam()}),
        "journal, a rare verb": lambda: get(verb="authz.role_changed"),
        "journal, a verb that never was": lambda: get(verb="rollout.stopped"),
        "journal, a kind": lambda: get(category=draw.choice(["doc", "nam", "authz", "admin"])),
        "journal of a month": lambda: get(**month()),
        "journal, a rare kind in a month": lambda: get(category="authz", **month()),
        "journal, a person's verb in a month": lambda: get(actor=draw.choice(people), verb="nam.confirmed", **month()),
    }  # fmt: skip


def _figures(reviewer: Any, admin: Any) -> dict[str, Ask]:
    return {
        "quality of a month": lambda: reviewer.get("/quality/", {"period": "month"}),
        "quality of a year": lambda: reviewer.get("/quality/", {"period": "year"}),
        "costs": lambda: admin.get("/costs/"),
        "availability of a month": lambda: admin.get("/availability/", {"period": "month"}),
        "retention": lambda: admin.get("/retention/"),
    }


def _reports(admin: Any, draw: random.Random) -> dict[str, Ask]:
    from tests.benchmarks.years_filled import PATIENTS
    from tests.factories import some_nam

    def report(name: str, days: int) -> Ask:
        def ask() -> Any:
            last = date.today() - timedelta(days=draw.randint(0, 300))  # noqa: DTZ011
            return admin.get("/journal/reports/", {"report": name, "first": last - timedelta(days=days), "last": last})

        return ask

    def consultations(days: int) -> Ask:
        first = date.today() - timedelta(days=days)  # noqa: DTZ011
        return lambda: admin.post(
            "/journal/reports/consultations/", {"nam": some_nam(draw.randrange(PATIENTS)), "first": first}
        )

    return {
        "registers": lambda: admin.get("/registers/"),
        "who consulted a file, a month, by NAM": consultations(30),
        "who consulted a file, three years, by NAM": consultations(3 * 365),
        "communications of a month": report("communications", 30),
        "communications of a year": report("communications", 365),
        "accesses of a month": report("accesses", 30),
        "accesses of a year": report("accesses", 365),
        "unusual accesses of a month": report("anomalies", 30),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--prepare"]:
        prepare()
    else:
        measure(*sys.argv[2:])
