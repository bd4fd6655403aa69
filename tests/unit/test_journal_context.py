"""Every access is administrative (decision 0042): the other context would leave it out of the yearly report."""

from __future__ import annotations

import ast
from pathlib import Path

from accounts.forms import EmergencyForm
from audit.verbs import Purpose

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("namsite", "review", "extraction", "accounts", "audit", "vault")


def test_nothing_says_that_it_is_care() -> None:
    modules = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    naming = [
        path.relative_to(ROOT).as_posix()
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "CARE"
    ]
    assert modules
    assert naming == []


def test_nobody_can_ask_for_emergency_access_in_order_to_treat() -> None:
    offered = {value for value, _label in EmergencyForm().fields["purpose"].choices}
    assert offered == {Purpose.AUDIT, Purpose.ADMINISTRATION}
