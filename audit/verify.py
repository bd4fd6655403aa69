"""Does the journal still say what was written? Recomputes a chain from its first event to its head, and holds it
against every anchor that is kept of it anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from django.db.models import Max

from audit import anchors, losses, queries
from audit.chain import GENESIS, is_link
from audit.models import Anchor, ChainHead, Event
from audit.notes import NotANote, Note, read
from audit.places import Place, PlaceUnavailable, places
from audit.record import JournalUnavailable, record_alone
from audit.signing import PublicKeys, is_signed, public_keys
from audit.verbs import Outcome, Purpose, Verb

EVERY = timedelta(days=1)
INCOMPLETE_KINDS = frozenset(
    {"missing_head", "unanchored", "late_anchor", "unknown_key", "missing_copy", "unreachable_place"}
)
"""What leaves a question open. Everything else is tampering."""
NEWEST_COPIES = 50
"""That are read of a place where each is a request: a note names its predecessor, so these speak for all of them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a chain, at event `seq`.

    Of the events: changed, gap, broken_link, missing_tail (events cut off the end), missing_head. Of the anchors:
    rewritten (another hash than the anchor's), cut_off (the anchor's event is gone), forged_anchor, forked_anchor (two
    of one number, or one that names another predecessor), missing_anchor, unknown_key, unanchored (no anchor at all),
    late_anchor, missing_copy, unreachable_place.
    """

    clinic_id: UUID
    seq: int
    kind: str
    place: str = ""

    @property
    def is_tampering(self) -> bool:
        return self.kind not in INCOMPLETE_KINDS


@dataclass(slots=True)
class Evidence:
    """The anchors of a chain from everywhere, by number, with what was wrong with them."""

    chain: UUID
    notes: dict[int, Note] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, note: Note, keys: PublicKeys, place: str) -> None:
        key = keys.get(note.key_id)
        if note.chain != self.chain or (key and not is_signed(note.signed_bytes(), note.signature, key)):
            self._doubt("forged_anchor", note.seq, place)
        elif key is None:
            self._doubt("unknown_key", note.seq, place)
        elif self.notes.setdefault(note.number, note).digest() != note.digest():
            self._doubt("forked_anchor", note.seq, place)

    def _doubt(self, kind: str, seq: int, place: str) -> None:
        self.problems.append(Problem(self.chain, seq, kind, place))

    def judged(self) -> Iterator[Problem]:
        """Whether the notes follow each other without a gap. From the first one that is there: see NEWEST_COPIES."""
        yield from self.problems
        numbers = sorted(self.notes)
        for before, after in pairwise(numbers):
            if after != before + 1:
                yield Problem(self.chain, self.notes[after].seq, "missing_anchor")
            elif self.notes[after].previous != self.notes[before].digest():
                yield Problem(self.chain, self.notes[after].seq, "forked_anchor")
        if numbers and numbers[0] != 1:
            yield Problem(self.chain, self.notes[numbers[0]].seq, "missing_anchor")


def chains() -> list[UUID]:
    """Every chain that has events, a head or anchors."""
    known: set[UUID] = set()
    for model in (ChainHead, Event, Anchor):
        known |= set(model.objects.values_list("clinic_id", flat=True).order_by().distinct())
    return sorted(known)


def evidence(chain: UUID, *, every_copy: bool = False) -> Evidence:
    """The anchors of every place and of the table. Places that cannot be asked are problems, not errors.

    The table comes last: it has an anchor before any place does.
    """
    found, keys = Evidence(chain), public_keys()
    before = anchors.newest(chain)
    last = before.number if before is not None else 0
    for place in places():
        _ask(place, found, keys, last, newest=None if every_copy else NEWEST_COPIES)
    elsewhere = dict(found.notes)
    for row in Anchor.objects.filter(clinic_id=chain).order_by("number").iterator():
        found.add(row.note, keys, "")
        elsewhere.pop(row.number, None)
    found.problems += [Problem(chain, note.seq, "missing_anchor") for note in elsewhere.values()]
    return found


def _ask(place: Place, found: Evidence, keys: PublicKeys, last: int, *, newest: int | None) -> None:
    kept = 0
    try:
        for line in place.lines(found.chain, newest=newest):
            kept = max(kept, _take(line, found, keys, place.name))
    except PlaceUnavailable:
        found.problems.append(Problem(found.chain, 0, "unreachable_place", place.name))
        return
    if kept < last and not anchors.is_on_its_way(found.chain, place.name, last):
        found.problems.append(Problem(found.chain, 0, "missing_copy", place.name))


def _take(line: str, found: Evidence, keys: PublicKeys, place: str) -> int:
    """The number of the anchor that a line says it is."""
    try:
        note = read(line)
    except NotANote:
        found.problems.append(Problem(found.chain, 0, "forged_anchor", place))
        return 0
    found.add(note, keys, place)
    return note.number


def verify_chain(clinic_id: UUID, notes: Iterable[Note] = ()) -> Iterator[Problem]:
    """The problems of one chain in their order, held against `notes`; none when it is intact.

    Anchors of events that a restore lost say nothing any more, once a person acknowledged it (`audit.losses`).
    The journal may go on meanwhile: what is judged are the events up to where the head is now.
    """
    gone = losses.of_chain(clinic_id, public_keys())
    signed = {note.seq: note.hash for note in notes if not any(loss.covers(note) for loss in gone)}
    newest = Event.objects.filter(clinic_id=clinic_id).aggregate(seq=Max("seq"))["seq"] or 0
    head = ChainHead.objects.filter(clinic_id=clinic_id).first()
    until = head.seq if head is not None else newest
    previous, expected = GENESIS, 1
    events = Event.objects.filter(clinic_id=clinic_id, seq__lte=until).order_by("seq")
    for event in events.iterator(chunk_size=2000):
        if event.seq != expected:
            yield Problem(clinic_id, expected, "gap")
        elif bytes(event.prev_hash) != previous:
            yield Problem(clinic_id, event.seq, "broken_link")
        if not is_link(bytes(event.prev_hash), event):
            yield Problem(clinic_id, event.seq, "changed")
        if signed.pop(event.seq, event.hash) != bytes(event.hash):
            yield Problem(clinic_id, event.seq, "rewritten")
        previous, expected = bytes(event.hash), event.seq + 1
    if head is None:
        if newest:
            yield Problem(clinic_id, newest, "missing_head")
    elif newest > head.seq or head.seq != expected - 1 or (head.seq and bytes(head.hash) != previous):
        yield Problem(clinic_id, expected, "missing_tail")
    if signed:
        yield Problem(clinic_id, min(signed), "cut_off")


def verify(chain: UUID, moment: datetime, *, every_copy: bool = False) -> list[Problem]:
    """Everything that is wrong with a chain and its anchors. Without a configured key, anchors are not asked for."""
    if not public_keys() and not Anchor.objects.filter(clinic_id=chain).exists():
        return [*verify_chain(chain)]
    kept = evidence(chain, every_copy=every_copy)
    found = [*verify_chain(chain, kept.notes.values()), *kept.judged()]
    return found + list(_lag(chain, kept.notes, moment))


def verified(chain: UUID, moment: datetime, *, every_copy: bool = False) -> list[Problem]:
    """`verify`, and what came out as an event of the chain. One that cannot be written to is a finding, no obstacle."""
    problems = verify(chain, moment, every_copy=every_copy)
    with suppress(JournalUnavailable):
        record_alone(
            Verb.JOURNAL_VERIFIED,
            by=None,
            clinic_id=chain,
            outcome=Outcome.ERROR if problems else Outcome.SUCCESS,
            reason_code=verdict(problems),
            purpose=Purpose.AUDIT,
            count=len(problems),
            details={"first": problems[0].kind} if problems else None,
        )
    return problems


def due(moment: datetime) -> list[UUID]:
    """The chains that were not verified for EVERY; those that lost their head with them."""
    if not any(_is_due(chain, moment) for chain in ChainHead.objects.values_list("clinic_id", flat=True)):
        return []
    return [chain for chain in chains() if _is_due(chain, moment)]


def _is_due(chain: UUID, moment: datetime) -> bool:
    last = queries.latest(chain, Verb.JOURNAL_VERIFIED)
    return last is None or last.at <= moment - EVERY


def _lag(chain: UUID, notes: dict[int, Note], moment: datetime) -> Iterator[Problem]:
    """Events that no anchor speaks of, though one was due long ago."""
    last = notes[max(notes)] if notes else None
    behind = Event.objects.filter(clinic_id=chain, seq__gt=last.seq if last else 0).order_by("seq").first()
    if behind is not None and behind.at < moment - anchors.LATE:
        yield Problem(chain, behind.seq, "late_anchor" if last else "unanchored")


def verdict(problems: Sequence[Problem]) -> str:
    """intact, tampered or incomplete."""
    if any(problem.is_tampering for problem in problems):
        return "tampered"
    return "incomplete" if problems else "intact"
