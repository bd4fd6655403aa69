"""What the published policy says, read from what is configured now (P-39.1 s. 3.2, R-22.1 s. 105).

A sentence stands here only where the code or a setting makes it true.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, Role
from accounts.policy import RIGHTS, Right
from audit.registers.models import Register
from review.retention.classes import RULES
from review.retention.due import periods

Words = str | Promise

RIGHT_WORDS: dict[Right, Words] = {
    Right.UPLOAD: _("add documents"),
    Right.LIST: _("see which documents there are"),
    Right.READ: _("read pages and numbers"),
    Right.REVIEW: _("decide on proposed numbers"),
    Right.QUEUE: _("see what waits for a review"),
    Right.QUALITY: _("see the quality of the results, in counts"),
    Right.EXPORT: _("export decided numbers"),
    Right.JOURNAL: _("read the journal"),
    Right.RETENTION: _("set how long data is kept, hold it, destroy documents"),
    Right.EMERGENCY: _("reveal masked numbers of a document in an emergency, with a reason"),
    Right.PEOPLE: _("manage people and roles"),
    Right.MODELS: _("change the model"),
    Right.AVAILABILITY: _("see how the servers do"),
    Right.ALERTS: _("see alerts"),
    Right.COSTS: _("see costs"),
    Right.REGISTERS: _("keep the registers and answer persons about their own information"),
}


class RoleRights(NamedTuple):
    """One role and what it may do, in the order of the rights."""

    role: str
    may: list[Words]


def roles() -> list[RoleRights]:
    """Every role with its rights in words."""
    return [
        RoleRights(str(Role(role).label), [RIGHT_WORDS[right] for right in Right if right in rights])
        for role, rights in RIGHTS.items()
    ]


def registers() -> list[str]:
    """The registers that are kept."""
    return [str(register.label) for register in Register]


class Kept(NamedTuple):
    """A class of data, for how many days it is kept, and from when they are counted."""

    what: str
    days: int
    begins: str


def kept(clinic: Clinic) -> list[Kept]:
    """What the clinic keeps for how long."""
    days = periods(clinic.pk)
    return [Kept(str(rule.data_class.label), days[rule.data_class], str(rule.begins)) for rule in RULES.values()]


def session_hours() -> int:
    """After how many hours a person signs in again."""
    return int(settings.SESSION_ABSOLUTE) // 3600
