"""Certificates of destruction: what was destroyed, by which rule, with the fingerprints of the keys, signed.

A certificate is JSON: `body`, `signature` and `public_key` (base64). The signature is of the body's canonical form
(keys sorted, no white space, UTF-8), under the clinic's own key. Each body holds the hash of the one before, so that a
missing certificate shows. It names no patient, no number and no file.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Clinic, User
from audit.chain import canonical_json
from audit.record import record, record_alone
from audit.verbs import Purpose, Verb
from review.retention.classes import RULES, DataClass
from review.retention.models import Certificate, Destruction
from vault import signing

VERSION = "nam-destruction/v1"
PURPOSE = "destruction"


def issue_due() -> list[Certificate]:
    """One certificate for each clinic with destructions that have none. Raises JournalUnavailable."""
    waiting = Destruction.objects.filter(done_at__isnull=False, certificate=None).order_by()
    return [
        issue(clinic) for clinic in Clinic.objects.filter(pk__in=waiting.values("clinic").distinct()).order_by("pk")
    ]


@transaction.atomic
def issue(clinic: Clinic) -> Certificate:
    """The clinic's next certificate, of everything that was destroyed since the last one."""
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    rows = list(
        Destruction.objects.select_for_update(of=("self",))
        .filter(clinic=clinic, done_at__isnull=False, certificate=None)
        .select_related("by")
        .order_by("done_at", "pk")
    )
    last = Certificate.objects.filter(clinic=clinic).order_by("-number").first()
    body = canonical_json(_body(clinic, rows, last))
    certificate = Certificate.objects.create(
        clinic=clinic, number=last.number + 1 if last else 1, issued_at=timezone.now(), body=body.decode(),
        signature=signing.sign(body, clinic_id=clinic.pk, purpose=PURPOSE),
        public_key=signing.public_key(clinic.pk, PURPOSE),
    )  # fmt: skip
    Destruction.objects.filter(pk__in=[row.pk for row in rows]).update(certificate=certificate)
    record(Verb.CERTIFICATE_ISSUED, by=None, clinic_id=clinic.pk, object_type="certificate", object_id=certificate.pk,
           count=len(rows), purpose=Purpose.ADMINISTRATION,
           details={"number": certificate.number, "sha256": hashlib.sha256(body).hexdigest()})  # fmt: skip
    return certificate


def _body(clinic: Clinic, rows: list[Destruction], last: Certificate | None) -> dict[str, Any]:
    return {
        "version": VERSION,
        "clinic": {"id": str(clinic.pk), "name": clinic.name},
        "number": last.number + 1 if last else 1,
        "previous": hashlib.sha256(last.body.encode()).hexdigest() if last else None,
        "issued_at": timezone.now().isoformat(timespec="seconds"),
        "destroyed": [_group(each, rows) for each in sorted({_rule(row) for row in rows}, key=str)],
    }


def _rule(row: Destruction) -> tuple[str, str, int | None, str | None]:
    return row.data_class, row.reason or row.why, row.days, row.by.name if row.by is not None else None


def _group(rule: tuple[str, str, int | None, str | None], rows: Iterable[Destruction]) -> dict[str, Any]:
    """What one rule destroyed of one class."""
    own = [row for row in rows if _rule(row) == rule]
    data_class, why, days, who = rule
    times = [row.done_at for row in own if row.done_at is not None]
    return {
        "class": data_class, "why": why, "days": days, "asked_by": who, "article": RULES[DataClass(data_class)].article,
        "documents": len({row.document_id for row in own}), "items": sum(row.count for row in own),
        "from": min(times).isoformat(timespec="seconds"), "to": max(times).isoformat(timespec="seconds"),
        "keys_destroyed": sorted(row.fingerprint for row in own if row.fingerprint),
    }  # fmt: skip


def as_file(certificate: Certificate) -> bytes:
    """The certificate as it is downloaded."""
    held = {
        "body": json.loads(certificate.body),
        "signature": b64encode(bytes(certificate.signature)).decode(),
        "public_key": b64encode(bytes(certificate.public_key)).decode(),
    }
    return json.dumps(held, indent=2, ensure_ascii=False).encode()


def taken(certificate: Certificate, *, by: User) -> bytes:
    """The file, once the journal holds who took it."""
    record_alone(Verb.CERTIFICATE_TAKEN, by=by, object_type="certificate", object_id=certificate.pk,
                 purpose=Purpose.AUDIT)  # fmt: skip
    return as_file(certificate)


def is_valid(file: bytes, *, public_key: bytes | None = None) -> bool:
    """Whether a downloaded certificate is exactly what was signed with `public_key` (None: this installation's)."""
    try:
        held = json.loads(file)
        body = held["body"]
        known = public_key or signing.public_key(UUID(body["clinic"]["id"]), PURPOSE)
        signature = b64decode(held["signature"], validate=True)
        return body["version"] == VERSION and signing.is_signed(canonical_json(body), signature, public_key=known)
    except (ValueError, KeyError, TypeError):
        return False
