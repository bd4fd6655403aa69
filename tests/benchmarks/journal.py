"""The journal on PostgreSQL: what one event costs a request, and a page of a journal of many years.

    python -m tests.benchmarks.journal [EVENTS]     another number of events than JOURNAL_EVENTS (in `make bench`)

The database is filled by generate_series, so its hashes are no chain; nothing here verifies. Pages are asked of
Django's test client: the event of the look itself, the integrity state and the rendering are in the time.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Iterator

from tests.benchmarks import Result, databases

EVENTS = int(os.environ.get("JOURNAL_EVENTS", "1000000"))
TURNS = 60
WRITES = 2000
PAGE_BAR, WRITE_BAR = 200.0, 5.0  # milliseconds
PEOPLE, DOCUMENTS, PATIENTS = 40, 50_000, 100_000


def benchmarks(events: int = EVENTS) -> Iterator[Result]:
    for _, found in databases.measured("journal", "--measure", str(events), sqlite=False):
        for name, (taken, busy) in found.items():
            bar = WRITE_BAR if name.startswith("one event") else PAGE_BAR
            yield Result(f"{name}: median", statistics.median(taken), "ms")
            yield Result("… p95", sorted(taken)[int(0.95 * len(taken))], "ms", bar=bar)
            yield Result("… p95 of the processor's time in Django", sorted(busy)[int(0.95 * len(busy))], "ms")


# --- In the process with the database --------------------------------------------------------------------------------


def main(events: int) -> None:
    importlib.import_module("namsite.asgi")  # As it is served, its memory settled before the first question.
    from django.core.management import call_command
    from django.test import Client, override_settings

    from accounts import actions

    call_command("migrate", verbosity=0)
    clinic = actions.create_clinic(name="Réseau")
    admin = actions.create_user(clinic=clinic, email="a@b.example", name="A", role="admin", password="", by=None)
    measured = {f"one event, {WRITES:,} in a row": writes(admin)}
    fill(clinic.pk, events)
    client = Client()
    client.force_login(admin)
    with override_settings(ALLOWED_HOSTS=["*"], MFA_REQUIRED=False):
        for name, ask in questions(client, clinic.pk, events).items():
            measured[f"journal of {events:,}, {name}"] = timed(ask)
    print(json.dumps(measured))


Times = tuple[list[float], list[float]]
"""Milliseconds by the clock, and of this process's processor, which does not know whether others use the machine."""


def writes(admin: object) -> Times:
    """Journalling one disclosure, transaction and all."""
    from audit.record import record_alone
    from audit.verbs import Verb

    taken, busy = [], []
    for _turn in range(WRITES):
        began, began_busy = time.perf_counter(), time.process_time()
        record_alone(Verb.PAGE_VIEWED, by=admin, object_type="document", document_id=uuid.UUID(int=1), page=1)
        taken.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - began_busy))
    return taken, busy


VERBS = (
    ("doc.viewed_page", 50), ("doc.viewed", 20), ("nam.confirmed", 12), ("hssi.list_viewed", 8), ("run.done", 4),
    ("doc.uploaded", 3), ("auth.login_ok", 2), ("hssi.export_downloaded", 0.9), ("authz.denied", 0.09),
    ("authz.role_changed", 0.01),
)  # fmt: skip
"""Per cent of the events, so that there is something very rare, too."""
NOBODYS = "run.done"
"""What the machine does on its own: no person has an event of it, though both have many."""


def fill(clinic: uuid.UUID, events: int) -> None:
    """So many events over five years, by 40 people, about 50,000 documents and 100,000 patients."""
    from django.db import connection

    share, cases = 0.0, []
    for verb, percent in VERBS:
        if verb == NOBODYS:
            nobodys = share, share + percent / 100
        share += percent / 100
        cases.append(f"WHEN draw < {share} THEN '{verb}'")
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM audit_chainhead WHERE clinic_id = %s", [clinic])
        (first,) = cursor.fetchone()
        cursor.execute(
            f"""
            INSERT INTO audit_event (event_id, clinic_id, seq, at, version, verb, outcome, reason_code, purpose,
                context, actor_id, actor_name, role, object_type, document_id, page, subject, details, component,
                request_id, prev_hash, hash)
            SELECT gen_random_uuid(), %(clinic)s, %(first)s + n,
                now() - interval '5 years' + interval '5 years' * n / %(events)s, 2,
                CASE {" ".join(cases)} ELSE 'doc.viewed_page' END, 'success', '', 'billing', 'administration',
                CASE WHEN draw >= {nobodys[0]} AND draw < {nobodys[1]} THEN NULL
                    ELSE md5('p' || (random() * {PEOPLE})::int)::uuid END, 'Personne', 'reviewer', 'document',
                md5('d' || (random() * {DOCUMENTS})::int)::uuid, 1,
                decode(md5('s' || (random() * {PATIENTS})::int), 'hex'), '{{}}', 'web', '', sha256(n::text::bytea),
                sha256((n + 1)::text::bytea)
            FROM (SELECT n, random() AS draw FROM generate_series(1, %(events)s) n) drawn
            """,  # noqa: S608  (only constants of this file)
            {"clinic": clinic, "first": first, "events": events},
        )
        cursor.execute("UPDATE audit_chainhead SET seq = seq + %s WHERE clinic_id = %s", [events, clinic])
        cursor.execute("VACUUM ANALYZE audit_event")


def questions(client: object, clinic: uuid.UUID, events: int) -> dict[str, object]:
    """What an administrator asks; each call is another one of its kind."""
    from django.db import connection

    from review.journal_forms import sealed

    draw = random.Random(2026)  # noqa: S311  (not a secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT actor_id FROM audit_event GROUP BY 1 ORDER BY count(*) DESC LIMIT 10")
        people = [row[0] for row in cursor.fetchall() if row[0]]
        cursor.execute("SELECT document_id, subject FROM audit_event WHERE seq %% 999 = 0 LIMIT 500".replace("%%", "%"))
        rows = cursor.fetchall()
    documents, patients = [row[0] for row in rows if row[0]], [bytes(row[1]) for row in rows if row[1]]

    def get(**query):
        return client.get("/journal/", query)

    def some_period():
        month, year = draw.randint(1, 12), draw.randint(2022, 2025)
        return {"since": f"{year}-{month:02}-01T00:00", "until": f"{year}-{month:02}-28T00:00"}

    return {
        "newest page": get,
        "far down": lambda: get(before=draw.randint(200, events)),
        "a person": lambda: get(actor=draw.choice(people), before=draw.randint(200, events)),
        "a document": lambda: get(document=draw.choice(documents)),
        "a patient": lambda: client.post(
            "/journal/search/", {"subject": sealed(draw.choice(patients), clinic)}
        ),
        "a rare verb": lambda: get(verb="authz.role_changed"),
        "a verb that never was": lambda: get(verb="rollout.stopped"),
        "a kind": lambda: get(category=draw.choice(["doc", "nam", "authz", "admin", "rollout"])),
        "a month": lambda: get(**some_period()),
        "a rare kind in a month": lambda: get(category="authz", **some_period()),
        "a person's verb that never was": lambda: get(actor=draw.choice(people), verb=NOBODYS),
        "a person's verb in a month": lambda: get(actor=draw.choice(people), verb="nam.confirmed", **some_period()),
        "a person's rare kind": lambda: get(actor=draw.choice(people), category="authz"),
    }  # fmt: skip


def timed(ask: object) -> Times:
    taken, busy = [], []
    for turn in range(TURNS + 5):
        began, began_busy = time.perf_counter(), time.process_time()
        answer = ask()
        if answer.status_code != 200:
            raise RuntimeError(f"answered {answer.status_code}")
        if turn >= 5:
            taken.append(1000 * (time.perf_counter() - began))
            busy.append(1000 * (time.process_time() - began_busy))
    return taken, busy


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        main(int(sys.argv[2]))
    else:
        from tests.benchmarks import table

        print(table(list(benchmarks(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))))
