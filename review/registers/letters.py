"""Notices and letters: French texts of their own under `templates/registers/letters`, filled in from an entry.

They are drafts that a person completes, signs and sends. They are French whatever the language of the screen, because
they go to the CAI, the Minister and to patients of a Quebec clinic.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import User
from audit.registers import queries
from audit.registers.models import Entry, Register


def template(entry: Entry, code: str) -> str:
    """The template of a letter of an entry's register."""
    return f"registers/letters/{entry.register}_{code}.html"


def context(entry: Entry, *, by: User) -> dict[str, Any]:
    """What a letter is filled in with: the entry, what it says, the clinic, who is in charge, and today."""
    return {
        "entry": entry,
        "content": entry.current.content,
        "clinic": by.clinic,
        "office": queries.standing(by.clinic_id, Register.GOVERNANCE),
        "today": timezone.localdate(),
    }
