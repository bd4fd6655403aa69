"""Exported journals without a database: made with the application's own formats, for the stand-alone verifier."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from audit import signing
from audit.chain import GENESIS, link
from audit.formats.lines import Span, write
from audit.models import Event
from audit.notes import Note
from audit.verbs import Verb

BEGAN = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
CLINIC, OTHER = uuid.UUID(int=0xC1), uuid.UUID(int=0xC2)


def events(clinic: uuid.UUID = CLINIC, count: int = 20) -> list[Event]:
    """A chain whose first events are of version 1."""
    made, previous = [], GENESIS
    for seq in range(1, count + 1):
        event = Event(
            event_id=uuid.UUID(int=seq), clinic_id=clinic, seq=seq, at=BEGAN + timedelta(minutes=seq),
            version=1 if seq <= 5 else 2, context="" if seq <= 5 else "administration", verb=Verb.PAGE_VIEWED,
            actor_id=uuid.UUID(int=9), actor_name="Rémi Révision", role="reviewer", page=seq, count=3,
            details={"blind": "1"}, subject=bytes(range(16)), component="web", ip="192.0.2.7",
        )  # fmt: skip
        event.prev_hash = previous
        event.hash = previous = link(previous, event)
        made.append(event)
    return made


def notes(chain: list[Event], *, at: tuple[int, ...] = (8, 14, 20)) -> list[Note]:
    """Anchors behind these events."""
    key = signing.private_key()
    made: list[Note] = []
    for number, seq in enumerate(at, start=1):
        event = chain[seq - 1]
        note = Note(
            chain=event.clinic_id, number=number, seq=seq, hash=event.hash,
            previous=made[-1].digest() if made else GENESIS, at=event.at, key_id=signing.key_id(key.public_key()),
        )  # fmt: skip
        made.append(replace(note, signature=key.sign(note.signed_bytes())))
    return made


@dataclass
class Exported:
    """An export as objects, and the files that a verifier gets."""

    folder: Path
    journal: list[dict[str, Any]]
    anchors: list[dict[str, Any]]

    def arguments(self) -> list[str]:
        """Writes the files; the verifier's arguments for them."""
        for name, lines in (("journal", self.journal), ("anchors", self.anchors)):
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (self.folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        names = ("journal.jsonl", "anchors.jsonl", "anchor.pem.pub")
        journal, anchors, key = (str(self.folder / name) for name in names)
        return [journal, "--anchors", anchors, "--key", key]


def exported(folder: Path, clinic: uuid.UUID = CLINIC, *, count: int = 20) -> Exported:
    """An untouched one. AUDIT_ANCHOR_KEY_FILE names its key."""
    chain = events(clinic, count)
    span = Span(clinic, 1, count, GENESIS, chain[-1].hash, chain[-1].at + timedelta(seconds=1), is_to_head=True)
    return Exported(
        folder,
        [json.loads(line) for line in write(span, chain)],
        [json.loads(note.line()) for note in notes(chain, at=tuple(seq for seq in (8, 14, 20) if seq <= count))],
    )
