"""Three years of forty clinics in PostgreSQL, for the benchmark `years`: documents and all that follows from each.

One clinic has a third of everything, the others less and less. Of a million documents ten million numbers were
proposed, 100,000 documents wait for their review, the others are signed off; ten million events stand in the journal.
Nothing was destroyed but files and words after two weeks, as a clinic has it that keeps decisions for seven years.

Documents are sealed one by one, because their names are shown. Every other encrypted column repeats one ciphertext of
the right length, which opens in no row; journal hashes are no chain. What is searched for is real: the numbers of
PATIENTS people in each clinic are indexed as the application does it.
"""

# ruff: noqa: S608  (SQL is made of constants of this file)

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

CLINICS, YEARS, PATIENTS = 40, 3, 400
NUMBERS, EVENTS, WAITING = 10, 10, 0.1
"""For each document: numbers, events, and the share that waits for a review."""
PAGES = (1, 1, 2, 2, 3, 3, 4, 8)
KINDS, FORM_KINDS, READERS = (
    ("digital", "scan", "fax", "photo"),
    ("agenda", "list", ""),
    ("text_layer", "local", "textract"),
)
VERBS = (
    ("doc.viewed_page", 45), ("doc.viewed", 18), ("nam.confirmed", 14), ("hssi.list_viewed", 8), ("run.done", 4),
    ("doc.uploaded", 4), ("ai.ocr_called", 3), ("auth.login_ok", 2), ("hssi.export_downloaded", 1.5),
    ("doc.suspect_text", 0.3), ("authz.denied", 0.19), ("authz.role_changed", 0.01),
)  # fmt: skip
"""Per cent of the events."""
MACHINES = ("run.done", "ai.ocr_called", "doc.suspect_text")
"""Events of nobody."""
FILLED = ("extraction_document", "extraction_run", "extraction_runpage", "extraction_finding", "review_decision",
          "review_signoff", "review_pagescore", "review_reviewtask", "review_reviewedrun", "review_secondreview",
          "review_export", "audit_event", "extraction_sample")  # fmt: skip


def main(documents: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    began = time.monotonic()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        # Autovacuum would look through half-filled tables; one VACUUM at the end does it once.
        cursor.execute("ALTER SYSTEM SET autovacuum = off")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off; SELECT setseed(0.2026)")
        clinics = _people(documents)
        with _without_indexes(cursor):
            for name, statement in _statements(documents, clinics, cursor):
                then = time.monotonic()
                cursor.execute(statement)
                _say(name, then)
        then = time.monotonic()
        cursor.execute("DROP TABLE bench_document, bench_number, bench_patient, bench_person")
        cursor.execute("""
            UPDATE audit_chainhead h SET seq = greatest(seq, coalesce(
                (SELECT max(seq) FROM audit_event e WHERE e.clinic_id = h.clinic_id), 0))""")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        cursor.execute("ALTER SYSTEM RESET autovacuum")
        cursor.execute("SELECT pg_reload_conf()")
        _say("vacuum", then)
    print(json.dumps({"documents": documents, "seconds": round(time.monotonic() - began)}))


def _say(name: str, since: float) -> None:
    print(f"  {name}: {time.monotonic() - since:.0f} s", flush=True)


# --- Indexes ---------------------------------------------------------------------------------------------------------


@contextmanager
def _without_indexes(cursor: object) -> Iterator[None]:
    """Drops what a row would be sorted into, primary keys excepted, and makes it again afterwards."""
    cursor.execute(
        """
        SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid), pg_get_constraintdef(k.oid)
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
            LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.contype = 'u'
        WHERE c.relname = ANY(%s) AND NOT x.indisprimary
        """,
        [list(FILLED)],
    )
    indexes = cursor.fetchall()
    for table, name, _definition, constraint in indexes:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}" if constraint else f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 1")
    then = time.monotonic()
    for table, name, definition, constraint in indexes:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}" if constraint else definition)
    _say("indexes", then)


# --- Clinics and people ----------------------------------------------------------------------------------------------


def _people(documents: int) -> list[tuple[uuid.UUID, int]]:
    """Clinics with how many documents each will have, the largest first, and people in proportion."""
    from accounts import actions
    from accounts.models import User

    weights = [1 / (place + 1) ** 0.8 for place in range(CLINICS - 1)]
    counts = [documents // 3, *(int(documents * 2 / 3 * weight / sum(weights)) for weight in weights)]
    counts[0] += documents - sum(counts)
    clinics = [(actions.create_clinic(name=f"Clinique {place}").pk, count) for place, count in enumerate(counts)]
    for place, (clinic, _count) in enumerate(clinics):
        roles = {"admin": 1, "reviewer": 12 if place == 0 else 3, "staff": 20 if place == 0 else 4}
        User.objects.bulk_create(
            User(clinic_id=clinic, email=f"{role}{n}@clinique{place}.example", name=f"{role} {n}", role=role,
                 password="!")
            for role, many in roles.items()
            for n in range(many)
        )  # fmt: skip
    return clinics


# --- Rows ------------------------------------------------------------------------------------------------------------


def _statements(documents: int, clinics: list[tuple[uuid.UUID, int]], cursor: object) -> Iterator[tuple[str, str]]:
    """SQL that fills one table each, in this order, with a name for it."""
    from django.utils import timezone

    until = timezone.now().replace(microsecond=0)
    since = until - timedelta(
        days=365 * YEARS + (until - timedelta(days=365 * YEARS)).weekday()
    )  # A Monday, three years ago.
    _copy_patients(cursor, clinics)
    _copy_documents(cursor, documents, clinics, since, until)
    yield from _of_documents()
    yield from _of_numbers()
    yield from _of_reviews()
    yield "events", _events(documents * EVENTS, since, until)
    yield (
        "samples",
        """
        INSERT INTO extraction_sample (server, minute, state, seconds, running, waiting, cache_use, prefix_hits)
        SELECT 'main', date_trunc('minute', now()) - n * interval '1 minute', 'ok', 0.02, 1, 0, 0.3, 0.5
        FROM generate_series(0, 400 * 1440) n""",
    )


def _sealed(text: str) -> str:
    """One ciphertext of such a text, as SQL. It is bound to no row."""
    from vault import crypto

    return f"'\\x{crypto.seal(text.encode(), aad=b'bench', purpose='field', clinic_id=None).hex()}'::bytea"


def _copy_patients(cursor: object, clinics: list[tuple[uuid.UUID, int]]) -> None:
    from tests.factories import some_nam
    from vault.index import blind_index

    cursor.execute("CREATE UNLOGGED TABLE bench_patient (clinic uuid, p int, nam_index bytea, subject bytea)")
    with cursor.copy("COPY bench_patient FROM STDIN") as copy:
        for clinic, _count in clinics:
            for p in range(PATIENTS):
                indexes = (
                    blind_index(some_nam(p), clinic_id=clinic, purpose=purpose) for purpose in ("nam", "subject")
                )
                copy.write_row((clinic, p, *indexes))
    cursor.execute("""
        CREATE UNLOGGED TABLE bench_person AS
        SELECT clinic_id AS clinic, role, id, name,
            (row_number() OVER (PARTITION BY clinic_id, role ORDER BY id))::int - 1 AS place,
            (count(*) OVER (PARTITION BY clinic_id, role))::int AS many FROM accounts_user""")


def _copy_documents(
    cursor: object, documents: int, clinics: list[tuple[uuid.UUID, int]], since: datetime, until: datetime
) -> None:
    """What all else follows from; in the order of time, so that rows lie as they would after three years."""
    from accounts.models import User
    from extraction.models import Document
    from vault import crypto

    then, draw = time.monotonic(), random.Random(2026)  # noqa: S311  (not a secret)
    people: dict[tuple[uuid.UUID, str], list[uuid.UUID]] = {}
    for clinic, role, pk in User.objects.values_list("clinic_id", "role", "pk"):
        people.setdefault((clinic, role), []).append(pk)
    turn = [place for place, (_clinic, count) in enumerate(clinics) for _document in range(count)]
    draw.shuffle(turn)
    ranks = [0] * len(clinics)
    days = (until - since).days
    name = Document._meta.get_field("file_name")
    cursor.execute(
        "CREATE UNLOGGED TABLE bench_document (n int, k int, size int, clinic uuid, document uuid, by uuid,"
        " reviewer uuid, file_name bytea, at timestamptz, pages int, waits bool, kind text, form_kind text,"
        " reader text)"
    )
    with cursor.copy("COPY bench_document FROM STDIN") as copy:
        for n, place in enumerate(turn):
            clinic, size = clinics[place]
            document = Document(id=uuid.UUID(int=draw.getrandbits(128), version=4))
            sealed = crypto.seal(f"agenda {n}.pdf".encode(), aad=name.aad(document), purpose="field", clinic_id=clinic)
            at = _in_office(since + timedelta(days=days * n / documents), draw)
            # Those that wait are of the last nine months, the newer the likelier.
            waits = n > documents * 0.75 and draw.random() < 4 * WAITING
            copy.write_row((
                n, ranks[place], size, clinic, document.pk, draw.choice(people[clinic, "staff"]),
                draw.choice(people[clinic, "reviewer"]), sealed, min(at, until), draw.choice(PAGES), waits,
                draw.choice(KINDS), draw.choice(FORM_KINDS), draw.choice(READERS),
            ))  # fmt: skip
            ranks[place] += 1
    cursor.execute("ANALYZE bench_document")
    _say("documents drawn and sealed", then)


def _in_office(moment: datetime, draw: random.Random) -> datetime:
    """A minute of a working day near the moment."""
    day = moment.astimezone(UTC).replace(hour=12, minute=0, second=0) - timedelta(days=max(0, moment.weekday() - 4))
    return day + timedelta(minutes=draw.randrange(600), seconds=draw.randrange(60))


def _of_documents() -> Iterator[tuple[str, str]]:
    words = _sealed("x" * 3000)
    yield (
        "document",
        """
        INSERT INTO extraction_document (id, clinic_id, uploaded_by_id, file_name, content_index, byte_count,
            page_count, doctor_licence, doctor_group, sector, kind, form_kind, created_at, file_destroyed_at)
        SELECT document, clinic, by, file_name, decode(md5(n::text), 'hex'), 200000, pages, '', '', '', kind,
            form_kind, at, CASE WHEN NOT waits AND at < now() - interval '20 days' THEN at + interval '20 days' END
        FROM bench_document ORDER BY n""",
    )
    yield (
        "run",
        """
        INSERT INTO extraction_run (id, document_id, requested_by_id, status, error_code, reader, ocr, finder,
            rules_version, model_name, prompt_version, without_model, asked_prompt, attempts, turn, created_at,
            started_at, finished_at)
        SELECT md5('r' || n)::uuid, document, by, CASE WHEN n % 300 = 0 THEN 'failed' ELSE 'done' END,
            CASE WHEN n % 300 = 0 THEN 'damaged' ELSE '' END, 'auto', 'local', 'hybrid', 'rules-9', 'llama',
            'nam-v4', false, '', 1, 0, at, at + interval '2 seconds', at + pages * interval '2 seconds'
        FROM bench_document ORDER BY n""",
    )
    yield (
        "runpage",
        f"""
        INSERT INTO extraction_runpage (id, run_id, number, state, error_code, model_error_code, reader, kind, words,
            read_seconds, find_seconds, hallucinated, "right", wrong)
        SELECT md5('g' || n || '/' || page)::uuid, md5('r' || n)::uuid, page, 'found', '', '', reader, kind,
            CASE WHEN waits OR at > now() - interval '17 days' THEN {words} END, random(), random(), 0,
            CASE WHEN NOT waits THEN 3 END, CASE WHEN NOT waits THEN 0 END
        FROM bench_document, generate_series(1, pages) page WHERE n % 300 > 0 ORDER BY n""",
    )


def _of_numbers() -> Iterator[tuple[str, str]]:
    """Numbers of a clinic's patients, some of whom come much more often than others."""
    value, day, clock = _sealed("ZZQZ50010112"), _sealed("2025-10-03"), _sealed("08:30")
    checks = '{"name": true, "format": true, "birth_date": true, "check_character": true}'
    witnesses = json.dumps({f"witness_{n}": 0.5 for n in range(12)})
    yield (
        "numbers drawn",
        """
        CREATE UNLOGGED TABLE bench_number AS
        SELECT n, page, pos, document, reviewer, at, waits,
            coalesce(nam_index, decode(md5(d.clinic::text || d.p), 'hex')) AS value_index
        FROM (SELECT n, page, pos, clinic, document, reviewer, at, waits,
                  floor(power(random(), 1.3) * size)::int AS p
              FROM bench_document, generate_series(1, pages) page, generate_series(0, 2 + (n + page) % 3 / 2) pos
              WHERE n % 300 > 0) d
            LEFT JOIN bench_patient k ON k.clinic = d.clinic AND k.p = d.p""",
    )
    yield (
        "finding",
        f"""
        INSERT INTO extraction_finding (id, run_id, page, position, value, value_index, printed, visit_date,
            visit_time, x0, y0, x1, y1, found_by, checks, valid, confidence, witnesses)
        SELECT md5('f' || n || '/' || page || '/' || pos)::uuid, md5('r' || n)::uuid, page, pos, {value}, value_index,
            {value}, {day}, {clock}, 0.4, 0.1, 0.6, 0.12, '["pattern", "model"]', '{checks}', true, 0.99,
            '{witnesses}'
        FROM bench_number""",
    )
    yield (
        "decision",
        f"""
        INSERT INTO review_decision (id, verdict, reason, value, value_index, visit_date, visit_time, by_id, made_at,
            document_id, page, finding_id, keys, presses)
        SELECT md5('d' || n || '/' || page || '/' || pos)::uuid, verdict, CASE verdict WHEN 'reject' THEN 'not_a_nam'
                ELSE '' END,
            CASE WHEN verdict <> 'reject' THEN {value} END, CASE WHEN verdict <> 'reject' THEN value_index END,
            CASE WHEN verdict <> 'reject' THEN {day} END, CASE WHEN verdict <> 'reject' THEN {clock} END, reviewer,
            at + interval '1 day' + page * interval '10 seconds' + pos * interval '2 seconds', document, page,
            md5('f' || n || '/' || page || '/' || pos)::uuid, 1, 0
        FROM (SELECT *, CASE WHEN draw < 0.93 THEN 'confirm' WHEN draw < 0.97 THEN 'correct'
                             ELSE 'reject' END AS verdict
              FROM (SELECT *, random() AS draw FROM bench_number WHERE NOT waits) one) two""",
    )


def _of_reviews() -> Iterator[tuple[str, str]]:
    signed = "FROM bench_document, generate_series(1, pages) page WHERE NOT waits AND n % 300 > 0"
    yield (
        "signoff",
        f"""
        INSERT INTO review_signoff (id, document_id, page, by_id, signed_at)
        SELECT md5('o' || n || '/' || page)::uuid, document, page, reviewer, least(at + interval '1 day', now())
        {signed} ORDER BY n""",
    )
    yield (
        "scoregroup",
        """
        INSERT INTO review_scoregroup (clinic_id, reader, rules, model, prompt, kind, form_kind)
        SELECT DISTINCT clinic, reader, 'rules-9', 'llama', 'nam-v4', kind, form_kind FROM bench_document""",
    )
    yield (
        "pagescore",
        f"""
        INSERT INTO review_pagescore (id, run_id, clinic_id, group_id, page, reader, signed_on, tp, fp, fn, day_right,
            clock_right, confusions, calibration, is_reviewed, decided, agreed, timed, review_seconds, effort)
        SELECT md5('c' || n || '/' || page)::uuid, md5('r' || n)::uuid, d.clinic, g.id, page, d.reader,
            least(at + interval '1 day', now())::date, 3, (n % 20 = 0)::int, (n % 30 = 0)::int, 3, 3,
            CASE WHEN n % 10 = 0 THEN '{{"O0": 1}}' ELSE '{{}}' END::jsonb, '{{"14": [3, 3, 2.9]}}', true, 4, 3, 3, 9.5,
            '{{"confirm/1/0": 3}}'
        FROM (SELECT * {signed}) d JOIN review_scoregroup g ON g.clinic_id = d.clinic AND g.reader = d.reader
            AND g.kind = d.kind AND g.form_kind = d.form_kind ORDER BY n""",
    )
    yield (
        "reviewtask",
        """
        INSERT INTO review_reviewtask (document_id, clinic_id, findings, pages_open, undecided, doubtful, faint,
            unread, expected_errors, waiting_since, place, counted_at, scores_due)
        SELECT document, clinic, 3 * pages, CASE WHEN waits THEN pages ELSE 0 END,
            CASE WHEN waits THEN 3 * pages ELSE 0 END, CASE WHEN waits AND n % 5 < 2 THEN 2 ELSE 0 END,
            CASE WHEN waits AND n % 5 < 2 THEN 1 ELSE 0 END, CASE WHEN waits AND n % 33 = 1 THEN 1 ELSE 0 END,
            CASE WHEN waits AND n % 5 < 2 THEN 0.4 ELSE 0.1 END,
            CASE WHEN waits THEN at + interval '1 minute' END,
            CASE WHEN waits THEN at + interval '1 minute' - random() * interval '48 hours' END,
            least(at + interval '25 hours', now()), false
        FROM bench_document ORDER BY n""",
    )
    yield (
        "reviewedrun",
        """
        INSERT INTO review_reviewedrun (document_id, run_id) SELECT document, md5('r' || n)::uuid
        FROM bench_document WHERE NOT waits AND n % 300 > 0 ORDER BY n""",
    )
    yield (
        "secondreview",
        """
        INSERT INTO review_secondreview (id, document_id, run_id, page, sign_off_id, cause, state, drawn_at, by_id,
            began_at, finished_at, closed_at, counts, same)
        SELECT md5('s' || n)::uuid, document, md5('r' || n)::uuid, 1, md5('o' || n || '/1')::uuid, 'sample',
            CASE WHEN is_open THEN 'waiting' ELSE 'closed' END, least(at + interval '1 day', now()),
            CASE WHEN NOT is_open THEN reviewer END, CASE WHEN NOT is_open THEN at + interval '2 days' END,
            CASE WHEN NOT is_open THEN at + interval '2 days' END,
            CASE WHEN NOT is_open THEN at + interval '2 days' END, '{"correct/correct": 3}', 3
        FROM (SELECT *, at > now() - interval '10 days' AS is_open FROM bench_document
              WHERE NOT waits AND n % 300 > 0 AND n % 20 = 3) d""",
    )
    yield (
        "export",
        f"""
        INSERT INTO review_export (id, document_id, format, recipient, justification, lines, withheld, content, mac,
            by_id, made_at)
        SELECT md5('e' || n)::uuid, document, 'ssv', 'Agence', 'claim', 10, 0, {_sealed("x" * 2000)},
            sha256(n::text::bytea), reviewer, least(at + interval '2 days', now())
        FROM bench_document WHERE NOT waits AND n % 300 > 0 AND at > now() - interval '90 days'""",
    )


def _events(events: int, since: datetime, until: datetime) -> str:
    """The chains of all clinics, each as long as its clinic is large: an event is near its document in time, within
    working weeks of five days from 6:30 to 19:30."""
    share, cases = 0.0, []
    for verb, percent in VERBS:
        share += percent / 100
        cases.append(f"WHEN draw < {share} THEN '{verb}'")
    nobodys = ", ".join(f"'{verb}'" for verb in MACHINES)
    weeks = (until - since).days / 7
    documents = events // EVENTS
    return f"""
        INSERT INTO audit_event (event_id, clinic_id, seq, at, version, verb, outcome, reason_code, purpose, context,
            actor_id, actor_name, role, object_type, document_id, page, subject, count, details, component,
            request_id, ip, prev_hash, hash)
        SELECT gen_random_uuid(), e.clinic, 100 + seq, least(e.at, now()), 2, verb, 'success', '', 'billing',
            'administration', who.id, coalesce(who.name, ''), coalesce(who.role, ''), 'document', doc.document, 1,
            CASE WHEN verb = 'nam.confirmed'
                 THEN coalesce(subject, decode(md5('e' || e.clinic || e.p), 'hex')) END, 1,
            CASE verb WHEN 'hssi.export_downloaded' THEN '{{"recipient": "Agence", "justification": "claim"}}'
                WHEN 'ai.ocr_called' THEN '{{"service": "textract"}}' ELSE '{{}}' END::jsonb,
            CASE WHEN verb IN ({nobodys}) THEN 'worker' ELSE 'web' END, md5(seq::text), '10.0.0.1',
            sha256(seq::text::bytea), sha256((seq + 1)::text::bytea)
        FROM (SELECT clinic, seq, size, draw, p, chosen, CASE {" ".join(cases)} ELSE 'doc.viewed_page' END AS verb,
                  least(floor(seq::float / length * size + near * 20), size - 1)::int AS k,
                  timestamptz '{since.date()} 04:00Z' + week * interval '7 days' + floor(day) * interval '1 day'
                      + interval '7.5 hours' + (day - floor(day)) * interval '13 hours' AS at
              FROM (SELECT c.clinic, c.size, c.length, seq, random() AS draw, random() AS near, random() AS chosen,
                        floor(power(random(), 1.3) * size)::int AS p,
                        floor(seq::float / c.length * {weeks}) AS week,
                        (seq::float / c.length * {weeks} - floor(seq::float / c.length * {weeks})) * 5 AS day
                    FROM (SELECT clinic, max(size) AS size, (max(size)::float / {documents} * {events})::int AS length
                          FROM bench_document GROUP BY clinic) c, generate_series(1, c.length) seq) drawn) e
            JOIN bench_document doc ON doc.clinic = e.clinic AND doc.k = e.k
            LEFT JOIN bench_person who ON who.clinic = e.clinic AND verb NOT IN ({nobodys})
                AND who.role = CASE WHEN verb LIKE 'authz%' THEN 'admin'
                                    WHEN verb LIKE 'nam.%' OR chosen < 0.5 THEN 'reviewer' ELSE 'staff' END
                AND who.place = floor(chosen * 997)::int % who.many
            LEFT JOIN bench_patient k ON k.clinic = e.clinic AND k.p = e.p
        ORDER BY e.at"""


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]))
