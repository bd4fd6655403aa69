"""What is there after the chaos, by plain SQL and by the files themselves, past the application's own queries.

`problems` says what was lost, doubled or left readable. What people and programs were told yes to comes from the
`Ledger`; what an undisturbed run finds, from a clinic that no fault ever met (`findings`).
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from tests.chaos.driver import Made

Connection = Any

OVER = ("done", "failed")
EVENT_OF = {"confirm": "nam.confirmed", "correct": "nam.corrected", "reject": "nam.rejected", "add": "nam.added"}


PAGES = """
    SELECT p.run_id, p.number, p.state, p.error_code, p.model_error_code FROM extraction_runpage p
    JOIN extraction_run r ON r.id = p.run_id JOIN extraction_document d ON d.id = r.document_id
    WHERE d.clinic_id = %s ORDER BY 2
"""
FINDINGS = """
    SELECT f.run_id, f.page, f.position, encode(f.value_index, 'hex'), ARRAY[f.x0, f.y0, f.x1, f.y1], f.found_by,
    f.checks, f.confidence FROM extraction_finding f
    JOIN extraction_run r ON r.id = f.run_id JOIN extraction_document d ON d.id = r.document_id
    WHERE d.clinic_id = %s ORDER BY 2, 3
"""
OVER_EVENTS = """
    SELECT r.id, r.status, (SELECT count(*) FROM audit_event e WHERE e.object_id = r.id AND e.verb = 'run.' || r.status)
    FROM extraction_run r WHERE r.status IN ('done', 'failed')
"""
EVENTS = """
    SELECT object_id, verb, count(*) FROM audit_event WHERE clinic_id = %s AND object_id IS NOT NULL GROUP BY 1, 2
"""
UNFINISHED = """
    SELECT count(*) FROM extraction_document d WHERE d.clinic_id = %s AND NOT EXISTS
    (SELECT 1 FROM extraction_run r WHERE r.document_id = d.id AND r.status IN ('done', 'failed'))
"""


class Found(NamedTuple):
    """One finding as it stands: `value` is its keyed index, which is the same for one number in one clinic.

    Places are in hundred-thousandths of the page, as words are kept: a page that was read before its worker was killed
    is searched with those.
    """

    page: int
    position: int
    value: str
    box: tuple[int, int, int, int]
    found_by: tuple[str, ...]
    checks: tuple[tuple[str, bool | None], ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Page:
    """One row of a page. `error` is the reason of an unread page, `model_error` why the model's opinion is missing."""

    number: int
    state: str
    error: str
    model_error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands of one document."""

    status: str
    error: str
    page_count: int
    pages: tuple[Page, ...]
    found: tuple[Found, ...]
    runs: int = 1


def outcomes(connection: Connection, clinic: UUID) -> dict[UUID, Outcome]:
    """Every document of a clinic with its newest run."""
    rows = connection.execute(
        "SELECT d.id, d.page_count, r.id, r.status, r.error_code,"
        " (SELECT count(*) FROM extraction_run o WHERE o.document_id = d.id)"
        " FROM extraction_document d LEFT JOIN LATERAL (SELECT * FROM extraction_run r WHERE r.document_id = d.id"
        " ORDER BY r.created_at DESC LIMIT 1) r ON true WHERE d.clinic_id = %s",
        (clinic,),
    ).fetchall()
    pages = _by_run(connection, PAGES, clinic)
    found = _by_run(connection, FINDINGS, clinic)
    return {
        document: Outcome(
            status or "", error or "", page_count,
            tuple(Page(*row) for row in pages.get(run, ())),
            tuple(_found(row) for row in found.get(run, ())), runs,
        )
        for document, page_count, run, status, error, runs in rows
    }  # fmt: skip


def _by_run(connection: Connection, query: str, clinic: UUID) -> dict[UUID, list[Sequence[Any]]]:
    kept: dict[UUID, list[Sequence[Any]]] = {}
    for run, *row in connection.execute(query, (clinic,)):
        kept.setdefault(run, []).append(row)
    return kept


def _found(row: Sequence[Any]) -> Found:
    page, position, value, box, found_by, checks, confidence = row
    return Found(
        page, position, value, tuple(round(side * 1e5) for side in box), tuple(sorted(found_by)),
        tuple(sorted(checks.items())), round(confidence, 9),
    )  # type: ignore[arg-type]  # fmt: skip


def unfinished(connection: Connection, clinic: UUID) -> int:
    """How many documents of a clinic are neither done nor failed."""
    row = connection.execute(UNFINISHED, (clinic,)).fetchone()
    return int(row[0])


# --- Documents and what was found ------------------------------------------------------------------------------------


def document_problems(
    accepted: Mapping[UUID, str], there: Mapping[UUID, Outcome], calm: Mapping[str, Outcome]
) -> Iterator[str]:
    """`accepted` names the known document behind each upload, `calm` what an undisturbed run makes of it."""
    for document in sorted(set(accepted) - set(there)):
        yield f"document {document} was accepted and is gone"
    for document in sorted(set(there) - set(accepted)):
        yield f"document {document} is there and nobody was told so"
    for document, name in accepted.items():
        if document in there:
            yield from (
                f"document {document} ({name}): {each}" for each in outcome_problems(there[document], calm[name])
            )


def outcome_problems(there: Outcome, calm: Outcome) -> Iterator[str]:
    """One document: over, with a reason if it failed; no page lost or doubled; what was found is what is printed."""
    if there.status not in OVER:
        yield f"is {there.status or 'without a run'}"
        return
    if there.runs != 1:
        yield f"has {there.runs} runs"
    if there.status == "failed":
        if not there.error:
            yield "failed without a reason"
        return
    numbers = Counter(page.number for page in there.pages)
    if numbers != Counter(range(1, there.page_count + 1)):
        yield f"has pages {sorted(numbers.elements())} of {there.page_count}"
    for page in there.pages:
        yield from page_problems(page, there.found, calm.found)


def page_problems(page: Page, there: Iterable[Found], calm: Iterable[Found]) -> Iterator[str]:
    """An unread page has a reason; where the model's opinion is missing, only numbers and places are compared."""
    here = [each for each in there if each.page == page.number]
    expected = [each for each in calm if each.page == page.number]
    if page.state == "unread":
        if not page.error:
            yield f"page {page.number} is unread without a reason"
    elif page.state != "found":
        yield f"page {page.number} is {page.state}"
    elif page.model_error:
        if not are_all(is_same_print, here, expected):
            yield f"page {page.number} differs in numbers or places (without the model: {page.model_error})"
    elif not are_all(is_same, here, expected):
        yield f"page {page.number}: {difference(here, expected)}"


def are_all(same: Callable[[Found, Found], bool], there: Sequence[Found], calm: Sequence[Found]) -> bool:
    return len(there) == len(calm) and all(map(same, there, calm))


def is_same_print(one: Found, other: Found) -> bool:
    """The same number at the same place, which may be rounded to either side."""
    return one.value == other.value and all(abs(a - b) <= 1 for a, b in zip(one.box, other.box, strict=True))


def is_same(one: Found, other: Found) -> bool:
    return is_same_print(one, other) and one._replace(box=other.box) == other


def difference(there: Sequence[Found], calm: Sequence[Found]) -> str:
    """How the findings of a page differ from those of an undisturbed run, by the first that does."""
    if len(there) != len(calm):
        return f"{len(there)} findings, and {len(calm)} in an undisturbed run"
    own, other = next(pair for pair in zip(there, calm, strict=True) if not is_same(*pair))
    fields = (name for name in Found._fields if getattr(own, name) != getattr(other, name))
    return ", ".join(f"{name} {getattr(own, name)} and not {getattr(other, name)}" for name in fields)


# --- Decisions -------------------------------------------------------------------------------------------------------


def decisions(connection: Connection, clinic: UUID) -> dict[UUID, tuple[str, UUID, int]]:
    """Verdict, document and page of every decision and sign-off."""
    rows = connection.execute(
        "SELECT a.id, a.verdict, a.document_id, a.page FROM review_decision a JOIN extraction_document d"
        " ON d.id = a.document_id WHERE d.clinic_id = %s UNION ALL SELECT s.id, '', s.document_id, s.page"
        " FROM review_signoff s JOIN extraction_document d ON d.id = s.document_id WHERE d.clinic_id = %s",
        (clinic, clinic),
    )
    return {identity: (verdict, document, page) for identity, verdict, document, page in rows}


def decision_problems(
    made: Mapping[UUID, Made], there: Mapping[UUID, tuple[str, UUID, int]], events: Counter[tuple[UUID, str]]
) -> Iterator[str]:
    """Each acknowledged one is there once, as it was made, with its one event; and nothing else is."""
    for identity in sorted(set(there) - set(made)):
        yield f"decision {identity} is there and nobody was told so"
    for identity, each in made.items():
        if identity not in there:
            yield f"{each.kind} {identity} was acknowledged and is gone"
            continue
        verdict, document, page = there[identity]
        # A correction to what is proposed is a confirmation.
        if (document, page) != (each.document, each.page) or each.verdict not in (verdict, "correct"):
            yield f"{each.kind} {identity} says something else"
        verb = EVENT_OF[verdict] if verdict else "doc.page_signed"
        if events[identity, verb] != 1:
            yield f"{each.kind} {identity} has {events[identity, verb]} events"


# --- The journal -----------------------------------------------------------------------------------------------------


def events(connection: Connection, clinic: UUID) -> Counter[tuple[UUID, str]]:
    """How many events of each kind speak of each object."""
    rows = connection.execute(EVENTS, (clinic,))
    return Counter({(identity, verb): count for identity, verb, count in rows})


def journal_problems(
    connection: Connection, accepted: Iterable[UUID], kept: Counter[tuple[UUID, str]]
) -> Iterator[str]:
    for clinic, least, most, count in connection.execute(
        "SELECT clinic_id, min(seq), max(seq), count(*) FROM audit_event GROUP BY 1"
    ).fetchall():
        if (least, most) != (1, count):
            yield f"the journal of {clinic} has {count} events from {least} to {most}"
    for document in accepted:
        if kept[document, "doc.uploaded"] != 1:
            yield f"document {document} has {kept[document, 'doc.uploaded']} events of its upload"
    over = connection.execute(OVER_EVENTS).fetchall()
    yield from (f"run {run} has {count} events of being {status}" for run, status, count in over if count != 1)


# --- Files -----------------------------------------------------------------------------------------------------------


def file_problems(there: Iterable[UUID], keys: set[str], bodies: set[str]) -> Iterator[str]:
    """Every document has its body and its key; what has no document is the tidying's business, an hour later."""
    for document in there:
        if str(document) not in keys or str(document) not in bodies:
            yield f"document {document} has no {'key' if str(document) not in keys else 'body'}"


def readable(folders: Iterable[Path], secrets: Iterable[str], *, scratch: Path) -> Iterator[str]:
    """Files in which a number or a name stands as it is printed."""
    patterns = scratch / "patterns"
    patterns.write_text("\n".join(sorted(set(_spellings(secrets)))) + "\n")
    try:
        for folder in folders:
            done = subprocess.run(
                ["grep", "--recursive", "--files-with-matches", "--fixed-strings", "--ignore-case", "--text",
                 "--file", patterns, folder],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            yield from (
                f"{line} holds a number or a name" for line in done.stdout.splitlines() if line != str(patterns)
            )
    finally:
        patterns.unlink()


def _spellings(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        yield secret
        if re.fullmatch(r"[A-Z]{4}\w{8}", secret):
            yield f"{secret[:4]} {secret[4:8]} {secret[8:]}"
