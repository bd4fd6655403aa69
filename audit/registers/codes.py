"""Whether a register's versions still say what the journal says was written.

Their columns may be sealed anew by a rotation, so the database alone cannot tell that the words are the same. The event
of each version holds a keyed code of them, and events are chained and anchored (decision 0043).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from audit.models import Event
from audit.registers.models import Entry
from audit.verbs import Verb
from vault.index import content_mac


def code_of(entry: Entry, number: int, content: Mapping[str, Any]) -> str:
    """The keyed code of what version `number` of an entry says: 64 hexadecimal digits, other ones in another place."""
    said = [str(entry.pk), number, dict(content)]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return content_mac(digest, clinic_id=entry.clinic_id, purpose="register").hex()


def altered(entry: Entry) -> set[int]:
    """The numbers of versions that say something else than what was written. Those from before codes cannot be told."""
    codes = _codes(entry)
    return {
        version.number
        for version in entry.versions.all()
        if (code := codes.get(version.number)) and code != code_of(entry, version.number, version.content)
    }


def _codes(entry: Entry) -> dict[int, str]:
    verbs = (Verb.REGISTER_OPENED, Verb.REGISTER_CORRECTED)
    events = Event.objects.filter(clinic_id=entry.clinic_id, verb__in=verbs, object_id=entry.pk)
    told: list[dict[str, Any]] = list(events.values_list("details", flat=True))
    return {each.get("version", 1): each["mac"] for each in told if "mac" in each}
