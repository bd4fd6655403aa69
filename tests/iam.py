"""A small strict evaluator of identity policies: does a list of statements allow one call?

Explicit deny wins, everything else is denied unless a statement allows it. What it does not know (NotAction, other
operators, policy variables) raises, so that no template is judged by less than what it says.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One action on one resource, with the condition keys that AWS would know of it."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """`*` is any number of characters, `?` is one."""
    if "${" in pattern:
        raise NotImplementedError(f"a policy variable: {pattern}")
    expression = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL) is not None


def holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Every operator and every key must hold; a key that the request does not have holds for none."""
    known = {key.lower(): value for key, value in context.items()}
    for operator, keys in condition.items():
        for key, wanted in keys.items():
            value = known.get(key.lower())
            patterns = [str(each) for each in as_list(wanted)]
            if operator in ("StringEquals", "Bool"):
                fits = value is not None and value in patterns
            elif operator == "StringLike":
                fits = value is not None and any(like(pattern, value) for pattern in patterns)
            else:
                raise NotImplementedError(f"a condition's operator: {operator}")
            if not fits:
                return False
    return True


def applies(statement: Statement, request: Request) -> bool:
    strange = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
    if strange or statement["Effect"] not in ("Allow", "Deny"):
        raise NotImplementedError(f"a statement with {strange or statement['Effect']}")
    return (
        any(like(action, request.action, ignore_case=True) for action in as_list(statement["Action"]))
        and any(like(resource, request.resource) for resource in as_list(statement["Resource"]))
        and holds(statement.get("Condition", {}), request.context)
    )


def is_allowed(statements: Sequence[Statement], request: Request) -> bool:
    effects = {statement["Effect"] for statement in statements if applies(statement, request)}
    return effects == {"Allow"}


def refused(statements: Sequence[Statement], requests: Iterable[Request]) -> list[Request]:
    return [request for request in requests if not is_allowed(statements, request)]
