"""What queueing and taking cost with 1,000, 10,000 and 100,000 pages waiting, on PostgreSQL and Valkey.

Half of the pages wait in documents of one page and half in long ones, of ten clinics. The processor's time is that of
this process, of PostgreSQL and of Valkey together, so that it does not know who else uses the machine.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from namsite.devservers import EmbeddedPostgres, EmbeddedRedis
from tests.benchmarks import Result
from tests.benchmarks.measure import ROOT
from tests.load import times
from tests.load.times import SLICE

DEPTHS = tuple(int(depth) for depth in os.environ.get("LOAD_DEPTHS", "1000,10000,100000").split(","))
CLINICS, LONG, TURNS = 10, 1_000, 100
FLAT = 1.3
USERS = ("application", "database", "queue")
NOTED = {
    "upload": "queue a document of 8 pages",
    "dequeue": "dequeue a job",
    "take": "take the slice that has the turn",
    "store": "store a page with five findings",
    "end": "end a slice",
}
Measured = dict[str, float]


def results() -> Iterator[Result]:
    found = _measured()
    for step in next(iter(found.values())):
        for depth, of in found.items():
            yield Result(f"{step}, {int(depth):,} pages waiting: median", of[step]["clock"], "ms")
            yield Result("… processor", of[step]["busy"], "ms")
        least, most = (found[str(depth)][step] for depth in (DEPTHS[0], DEPTHS[-1]))
        yield Result(f"{step}: processor at {DEPTHS[-1]:,} against {DEPTHS[0]:,}", most["busy"] / least["busy"], "×",
                     bar=FLAT)  # fmt: skip
    pages = {depth: _a_page(of) for depth, of in found.items()}
    for depth, milliseconds in pages.items():
        yield Result(f"a page in a slice of {SLICE}, {int(depth):,} pages waiting: processor", milliseconds, "ms")
    ratio = pages[str(DEPTHS[-1])] / pages[str(DEPTHS[0])]
    yield Result(f"a page: processor at {DEPTHS[-1]:,} against {DEPTHS[0]:,}", ratio, "×", bar=FLAT)
    for name, step in NOTED.items():
        times.note(name, found[str(DEPTHS[-1])][step])


def _a_page(of: dict[str, Measured]) -> float:
    """What queue and database cost a page in all: its own part, and its share of its slice."""
    upload, dequeue, take, store, end = (of[step]["busy"] for step in NOTED.values())
    return store + (upload + dequeue + take + end) / SLICE


def _measured() -> dict[str, dict[str, Measured]]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres() as database, EmbeddedRedis() as redis:
        assert database.process is not None
        assert redis.process is not None
        environment = os.environ | {
            "ENV_FILE": os.devnull, "TESTING": "1", "DJANGO_SETTINGS_MODULE": "namsite.settings", "DATA_DIR": folder,
            "SECRET_KEY": "only-a-benchmark", "DATABASE_URL": database.url, "REDIS_URL": redis.url, "LLM_ENDPOINT": "",
            "VAULT_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
            "VAULT_INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
        }  # fmt: skip
        servers = [str(database.process.pid), str(redis.process.pid)]
        done = subprocess.run([sys.executable, "-m", "tests.load.depth", *servers], cwd=ROOT, env=environment,
                              capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, dict[str, Measured]] = json.loads(done.stdout.splitlines()[-1])
    return found


# --- In the process with the database --------------------------------------------------------------------------------


def main(servers: list[int]) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from accounts import actions, tenancy

    tenancy.process_scope = tenancy.EVERY
    call_command("migrate", verbosity=0)
    people = []
    for number in range(CLINICS):
        clinic = actions.create_clinic(name=f"Clinique {number}")
        people.append(
            actions.create_user(
                clinic=clinic, email=f"{number}@b.example", name="A", role="staff", password="", by=None
            )
        )
    found, waiting = {}, 0
    for depth in DEPTHS:
        fill(people, depth - waiting)
        waiting = depth
        found[depth] = steps(people, servers)
    print(json.dumps(found))


def fill(people: list[Any], pages: int) -> None:
    """As uploads would have left them, without their bytes."""
    from django.db import connection

    from extraction import queue, turns
    from extraction.models import ClinicTurn, Run, Slice

    long, short = max(1, pages // 2 // LONG), pages - pages // 2
    for number in range(long):
        turns.lay_out(_runs(people[number % CLINICS], [pages // 2 // long])[0])
    for person in people:
        made = _runs(person, [1] * (short // CLINICS))
        turn, _ = ClinicTurn.objects.get_or_create(clinic_id=person.clinic_id)
        Slice.objects.bulk_create(
            (Slice(run=run, clinic_id=person.clinic_id, first=1, last=1, round=turn.round + 1) for run in made),
            batch_size=5_000,
        )
        for start in range(0, len(made), 1_000):
            queue.queue().enqueue_many([
                queue.queue().prepare_data(queue.JOB, job_id=queue.job_id(run.pk.hex, 0), description="extraction",
                                           result_ttl=0)
                for run in made[start : start + 1_000]
            ])  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    assert Run.objects.exists()


def _runs(person: Any, page_counts: list[int]) -> list[Any]:
    from extraction.models import Document, Run

    documents = Document.objects.bulk_create(
        (Document(clinic_id=person.clinic_id, uploaded_by=person, file_name="a.pdf", content_index=uuid.uuid4().bytes,
                  byte_count=1000, page_count=pages) for pages in page_counts), batch_size=5_000,
    )  # fmt: skip
    return Run.objects.bulk_create(
        (Run(document=document, requested_by=person) for document in documents), batch_size=5_000
    )


def steps(people: list[Any], servers: list[int]) -> dict[str, Measured]:
    """Milliseconds of each step, by the clock and of the processor. What is queued here is taken off again."""
    from django.utils import timezone
    from rq import Queue

    from extraction import actions, claims, queue
    from extraction.jobs import QuietJob
    from extraction.models import Document

    fresh = [_runs(people[n % CLINICS], [8])[0] for n in range(TURNS)]
    documents = list(Document.objects.filter(runs__in=fresh))
    held: list[Any] = []

    def dequeue() -> None:
        found = Queue.dequeue_any([queue.queue()], None, connection=queue.queue().connection, job_class=QuietJob,
                                  serializer=queue.queue().serializer)  # fmt: skip
        assert found is not None
        found[0].delete(remove_from_queue=False)  # As a worker does: to look for it among those that wait takes longer.

    return {
        "queue a document of 8 pages": timed(
            [lambda d=document: actions.start_run(document=d, by=d.uploaded_by) for document in documents], servers
        ),
        "dequeue a job": timed([dequeue] * TURNS, servers),
        "take the slice that has the turn": timed([lambda: held.append(claims.take())] * TURNS, servers),
        "store a page with five findings": timed([lambda claim=claim: store(claim) for claim in held], servers),
        "end a slice": timed([lambda claim=claim: claims.finish(claim) for claim in held], servers),
        "a round of the scheduler's reminders": timed([lambda: claims.enqueue_due(timezone.now())] * 5, servers),
    }


def store(claim: Any) -> None:
    """As a worker does once the page is read and once it is searched."""
    from extraction import claims
    from extraction.finders import pattern
    from extraction.pipeline import PageFound
    from extraction.readers.choosing import PageRead
    from tests.factories import page_of, some_nam

    number = claims.held(claim)[0].first
    page = page_of(*(f"09:{n}0 NAM : {some_nam(n)}" for n in range(5)), number=number)
    claims.store_read(claim, PageRead(number, page, None, 0.1))
    claims.store_found(claim, PageFound(number, tuple(pattern.find(page)), 0.1))


def timed(acts: list[Callable[[], object]], servers: list[int]) -> dict[str, float]:
    """Milliseconds of each: the median by the clock, and the mean of the processor's, by who used it."""
    taken, before = [], _busy(servers)
    for act in acts:
        began = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - began))
    used = [1000 * (after - earlier) / len(acts) for after, earlier in zip(_busy(servers), before, strict=True)]
    return {"clock": statistics.median(taken), "busy": sum(used), **dict(zip(USERS, used, strict=True))}


def _busy(servers: list[int]) -> list[float]:
    """Seconds of processor that this process has used, and the processes of each server."""
    seconds = [time.process_time()]
    for server in servers:
        family = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
        seconds.append(sum(each.cpu_times().user + each.cpu_times().system for each in family))
    return seconds


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]])
