"""What an entrance (a page, an address of the API) leaves in the journal, said where it is defined.

A test walks every address and fails for one that says nothing: nobody can add a disclosure and forget its event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from audit.verbs import Verb

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Declaration:
    """The events that a call may leave, of which a successful one leaves at least one; or why it leaves none."""

    verbs: frozenset[Verb] = frozenset()
    reason: str = ""


def journals(*verbs: Verb) -> Callable[[F], F]:
    """For an entrance through which health information is seen or something is changed."""
    return _declaring(Declaration(verbs=frozenset(verbs)))


def journals_nothing(reason: str) -> Callable[[F], F]:
    """For an entrance that shows no health information and changes nothing of anybody's."""
    return _declaring(Declaration(reason=reason))


def _declaring(declaration: Declaration) -> Callable[[F], F]:
    def declare(entrance: F) -> F:
        entrance.journal = declaration  # type: ignore[attr-defined]
        return entrance

    return declare


def declaration_of(entrance: Callable[..., Any]) -> Declaration | None:
    found: Declaration | None = getattr(entrance, "journal", None)
    return found
