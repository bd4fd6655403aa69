"""The drill: a marked document goes through everything, is destroyed, and is then looked for everywhere.

It has a clinic and two people of its own, so that no patient's data is opened. It looks into every cell of every table
(and into what the clinic's keys open), the versions of the file, the queue, the cache, and copies of file and columns
that were taken before. Each place is looked into before and after, so that a search that finds nothing anywhere is
noticed.
"""

from __future__ import annotations

import base64
import binascii
import io
import secrets
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from reportlab.pdfgen import canvas

from accounts import actions as accounts
from accounts.models import Clinic, Role, User
from extraction import actions as extraction
from extraction import nam, queue, rotation, storage
from extraction.jobs import run_extraction
from extraction.models import ACTIVE, Document, Run
from review import actions as review
from review import leases
from review.exports.lines import Selection
from review.retention import actions, certificates
from review.retention.models import AskedReason
from vault import crypto
from vault.errors import VaultError
from vault.fields import Ciphertext
from vault.files import file_store
from vault.rotation import Moved, encrypted, sealed_models
from vault.shelves import body_shelf

CLINIC: Final = "Exercice de destruction"
GIVEN: Final = "Zéphirine"
PATIENCE: Final = 120.0  # seconds for the extraction, which a worker may have taken


@dataclass(frozen=True, slots=True)
class Look:
    """One place: how many things were looked at and how many held a trace, before and after the destruction."""

    place: str
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def is_clean(self) -> bool:
        return self.after[1] == 0


@dataclass(frozen=True, slots=True)
class Canary:
    """What to look for. The name is new each time, so that an earlier drill is not found."""

    name: str
    number: str

    @property
    def traces(self) -> list[bytes]:
        forms = (self.name, self.name.upper(), self.number, nam.grouped(self.number), GIVEN)
        return [form.encode() for form in forms]

    def is_in(self, text: bytes) -> bool:
        return any(trace in form for form in _forms(text) for trace in self.traces)


def run() -> list[Look]:
    """The drill from upload to certificate. Raises VaultError, JournalUnavailable, or RuntimeError if nothing is found
    to destroy."""
    canary = _canary()
    clinic = Clinic.objects.filter(name=CLINIC).first() or accounts.create_clinic(name=CLINIC)
    reviewer, admin = (_person(clinic, role) for role in (Role.REVIEWER, Role.ADMIN))
    try:
        document = _planted(canary, by=reviewer)
        copies = _Copies.of(document)
        places: dict[str, Callable[[], tuple[int, int]]] = {
            "database, as it is": lambda: _count(canary, _cells()),
            "database, opened": lambda: _count(canary, _opened(clinic.pk)),
            "file and its versions": lambda: (2, file_store().copies(document.vault_name)),
            "queue": lambda: _count(canary, _jobs()),
            "cache": lambda: _count(canary, _cached()),
            "copy of the file": lambda: copies.body_opens(document),
            "copy of the database": copies.columns_open,
        }
        before = {place: look() for place, look in places.items()}
        actions.destroy_document(document=document, reason=AskedReason.NOT_NEEDED, by=admin)
        certificates.issue(clinic)
        _end_keys(clinic)
        return [Look(place, before[place], look()) for place, look in places.items()]
    finally:
        accounts.set_active(user=reviewer, active=False, by=admin)
        User.objects.filter(pk=admin.pk).update(is_active=False)


def is_passed(looks: list[Look]) -> bool:
    """Nothing was found after it, and before it everything that must be found was."""
    could_find = {look.place: look.before[1] > 0 for look in looks}
    needed = ("database, opened", "file and its versions", "copy of the file", "copy of the database")
    return all(look.is_clean for look in looks) and all(could_find[place] for place in needed)


# Planting


def _canary() -> Canary:
    name = "Qux" + "".join(secrets.choice("bcdfghjklmnpqrstvwz") for _ in range(9))
    return Canary(name, nam.compose(name, GIVEN, date(1961, 4, 12), True, "3"))


def _person(clinic: Clinic, role: str) -> User:
    email = f"{role}-{secrets.token_hex(6)}@exercice.invalid"
    return accounts.create_user(clinic=clinic, email=email, name="Exercice", role=role, by=None)


def _planted(canary: Canary, *, by: User) -> Document:
    """Uploaded, extracted, decided on, signed off and exported."""
    uploaded = extraction.upload(data=_pdf(canary), file_name=f"{canary.name}.pdf", by=by)
    run = _extracted(uploaded.run)
    document = run.document
    leases.open_page(document=document, by=by)
    for finding in run.findings.all():
        review.decide(finding=finding, value=review.Value.of(finding), by=by)
    review.sign_off(run=run, page=1, by=by)
    request = review.Request(format="csv", recipient="Exercice", selection=Selection(), billing=extraction.Billing(),
                             justification="verification")  # fmt: skip
    review.export(document=document, request=request, by=by)
    return document


def _pdf(canary: Canary) -> bytes:
    buffer = io.BytesIO()
    sheet = canvas.Canvas(buffer, pagesize=(612, 792))
    sheet.setFont("Helvetica", 11)
    sheet.drawString(60, 720, "Agenda du vendredi 3 octobre 2025")
    sheet.drawString(60, 700, f"08:30  {canary.name}, {GIVEN}  {nam.grouped(canary.number)}")
    sheet.save()
    return buffer.getvalue()


def _extracted(run: Run) -> Run:
    run_extraction(str(run.pk))  # Or a worker was faster.
    until = time.monotonic() + PATIENCE
    while run.status in ACTIVE and time.monotonic() < until:
        run.refresh_from_db()
        time.sleep(0.2)
    if not run.findings.exists():
        raise RuntimeError("the drill's document was not read")
    return run


def _end_keys(clinic: Clinic) -> None:
    """What a rotation and VAULT_RETIRE_DAYS do: the keys that copies were sealed under are gone."""
    rotation.renew(clinic)
    for _step in rotation.move_all(Moved()):
        pass
    rotation.destroy_former(clinic)


# Looking


def _count(canary: Canary, texts: Iterator[bytes]) -> tuple[int, int]:
    looked = found = 0
    for text in texts:
        looked += 1
        found += canary.is_in(text)
    return looked, found


def _cells() -> Iterator[bytes]:
    """Every cell of every table, as the database holds it."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  (names of the database)
            for row in iter(cursor.fetchone, None):
                yield from (_bytes(cell) for cell in row if cell is not None)


def _bytes(cell: object) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


def _sealed(clinic_id: UUID) -> Iterator[tuple[Any, Any, bytes]]:
    """Every encrypted cell that is sealed for this clinic, with its field and its row."""
    for model in sealed_models():
        for row in model._default_manager.iterator(chunk_size=500):
            for each in encrypted(model):
                held = row.__dict__[each.attname]
                if isinstance(held, Ciphertext) and crypto.key_id_of(held.sealed).startswith(f"{clinic_id}/"):
                    yield each, row, held.sealed


def _opened(clinic_id: UUID) -> Iterator[bytes]:
    for each, row, sealed in _sealed(clinic_id):
        yield crypto.open(sealed, aad=each.aad(row), purpose="field")


def _jobs() -> Iterator[bytes]:
    """Everything in Redis."""
    redis = queue.queue().connection
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
    }
    for key in map(_bytes, redis.scan_iter()):
        yield key
        held = readers[_bytes(redis.type(key))](key) or b""
        parts = [part for pair in held.items() for part in pair] if isinstance(held, dict) else held
        yield from [parts] if isinstance(parts, bytes) else (_bytes(part) for part in parts)


def _cached() -> Iterator[bytes]:
    """A cache in the database or in Redis was looked into with those; this is one in the memory of the process."""
    held = getattr(cache, "_cache", None)
    for key, value in list(held.items()) if isinstance(held, dict) else ():
        yield key.encode()
        yield value


def _forms(text: bytes) -> Iterator[bytes]:
    """The text, and what it is when it was packed."""
    yield text
    for unpack in (zlib.decompress, lambda packed: base64.b64decode(packed, validate=True)):
        try:
            yield unpack(text)
        except (zlib.error, binascii.Error, ValueError):
            continue


@dataclass(frozen=True, slots=True)
class _Copies:
    """What a backup from before holds: the body of the file, and the sealed cells of the clinic."""

    body: bytes
    cells: list[tuple[bytes, bytes]]

    @classmethod
    def of(cls, document: Document) -> _Copies:
        cells = [(each.aad(row), sealed) for each, row, sealed in _sealed(document.clinic_id)]
        return cls(body_shelf().read(f"files/{document.vault_name}"), cells)

    def body_opens(self, document: Document) -> tuple[int, int]:
        """Puts the copy back for a moment; it opens while its key exists."""
        place = f"files/{document.vault_name}"
        is_there = body_shelf().has(place)
        if not is_there:
            body_shelf().write(place, self.body)
        try:
            return 1, int(storage.get(document).startswith(b"%PDF"))
        except VaultError:
            return 1, 0
        finally:
            if not is_there:
                body_shelf().remove(place)

    def columns_open(self) -> tuple[int, int]:
        found = 0
        for aad, sealed in self.cells:
            try:
                found += bool(crypto.open(sealed, aad=aad, purpose="field"))
            except VaultError:
                continue
        return len(self.cells), found
