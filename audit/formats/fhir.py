"""Events as FHIR R4 AuditEvent resources, in a Bundle (https://hl7.org/fhir/R4/auditevent.html).

| ours | FHIR |
|---|---|
| category, verb | `type` (this system's code system), `subtype` |
| what was done | `action`: C create, R read, U update, D delete, E execute |
| `at` | `recorded` |
| `outcome` | `outcome`: 0 success, 4 minor failure (refused), 8 serious failure |
| `purpose`, `context` | `purposeOfEvent` |
| person, role, address | `agent` (`requestor` true); the system itself where nobody acted |
| `component` | `source.observer` |
| document, object, page, count, hash of the chain | `entity` |
| `subject` (keyed index of the NAM) | an `entity` of type Patient: a pseudonym of this clinic, no number |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from audit.chain import written
from audit.models import Event

SYSTEM = "urn:namsite:audit"
"""Of our codes. A URN, because nobody publishes them at an address."""
_OUTCOMES = {"success": "0", "denied": "4", "error": "8"}
_ACTIONS = {
    "C": ("doc.uploaded", "nam.added", "hssi.exported", "_created", "clinic_created", "user_created", "second.asked"),
    "R": ("viewed", "doc.sent_ahead", "api_read", "export_downloaded", "audit.searched", "audit.exported",
          "decisions_learned"),
    "U": ("nam.", "changed", "page_signed", "page_reopened", "second.", "user_", "price_", "acknowledged"),
}  # fmt: skip


def bundle(events: Iterable[Event], moment: datetime) -> bytes:
    entries = [{"fullUrl": f"urn:uuid:{event.event_id}", "resource": resource(event)} for event in events]
    body = {"resourceType": "Bundle", "type": "collection", "timestamp": written(moment), "entry": entries}
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def resource(event: Event) -> dict[str, Any]:
    """One AuditEvent."""
    found = {
        "resourceType": "AuditEvent",
        "id": str(event.event_id),
        "type": _coding("category", event.verb.partition(".")[0]),
        "subtype": [_coding("verb", event.verb)],
        "action": action(event.verb),
        "recorded": written(event.at),
        "outcome": _OUTCOMES[event.outcome],
        "purposeOfEvent": [
            {"coding": [_coding("purpose", event.purpose)]},
            {"coding": [_coding("context", event.context or "administration")]},
        ],
        "agent": [_agent(event)],
        "source": {"observer": {"display": event.component or "system"}},
        "entity": list(_entities(event)),
    }
    return found | ({"outcomeDesc": event.reason_code} if event.reason_code else {})


def action(verb: str) -> str:
    return next((code for code, parts in _ACTIONS.items() if any(part in verb for part in parts)), "E")


def _coding(kind: str, code: str) -> dict[str, str]:
    return {"system": f"{SYSTEM}:{kind}", "code": code}


def _agent(event: Event) -> dict[str, Any]:
    if event.actor_id is None:
        return {"who": {"display": "system"}, "requestor": False}
    agent: dict[str, Any] = {
        "who": {"identifier": {"system": f"{SYSTEM}:user", "value": str(event.actor_id)}, "display": event.actor_name},
        "role": [{"coding": [_coding("role", event.role)]}],
        "requestor": True,
    }
    return agent | ({"network": {"address": event.ip, "type": "2"}} if event.ip else {})


def _entities(event: Event) -> Iterable[dict[str, Any]]:
    if event.document_id is not None:
        details = {"page": event.page, "count": event.count}
        yield _entity("document", str(event.document_id), details)
    if event.object_id is not None and event.object_id != event.document_id:
        yield _entity(event.object_type or "object", str(event.object_id), {})
    if event.subject is not None:
        patient = _entity("subject", bytes(event.subject).hex(), {})
        yield patient | {"type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1"}}
    yield _entity("event", str(event.seq), {"hash": bytes(event.hash).hex()})


def _entity(kind: str, value: str, details: Mapping[str, object]) -> dict[str, Any]:
    what = {"what": {"identifier": {"system": f"{SYSTEM}:{kind}", "value": value}}}
    listed = [{"type": name, "valueString": str(said)} for name, said in details.items() if said is not None]
    return what | ({"detail": listed} if listed else {})
