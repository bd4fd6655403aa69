"""The attacks among the tests, and the table of them: `make attack`.

    @pytest.mark.attack("hostile PDFs", "refused")      # what is tried, and what must become of it
    def test_...

Every test with this mark is one attempt (a parametrised one, one for each parameter). "refused" means that nothing came
of it, "detected" that it left a trace that is found. A test that fails is an attack that got through. To add one, mark
its test, or name it in `NAMED`; a new class needs nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent

OUTCOMES = ("refused", "detected")
HEADS = ("tried", *OUTCOMES, "got through", "not run")
CLASS_WIDTH = 34

JOURNAL, CIPHERTEXT, TENANTS = "journal tampering", "ciphertext tampering", "cross-tenant requests"
NAMED: dict[str, dict[str, tuple[str, str]]] = {
    "integration/test_journal.py": {
        "test_a_changed_event_is_reported": (JOURNAL, "detected"),
        "test_a_removed_event_is_reported_as_a_gap": (JOURNAL, "detected"),
        "test_a_cut_off_tail_is_reported": (JOURNAL, "detected"),
        "test_a_chain_without_its_head_is_incomplete": (JOURNAL, "detected"),
        "test_the_database_refuses_to_change_the_journal": (JOURNAL, "refused"),
        "test_the_model_refuses_to_change_the_journal": (JOURNAL, "refused"),
        "test_an_event_that_was_saved_cannot_be_saved_again": (JOURNAL, "refused"),
        "test_audit_verify_tells_by_its_exit_status": (JOURNAL, "detected"),
    },
    "unit/test_vault_crypto.py": {
        "test_each_altered_bit_raises": (CIPHERTEXT, "detected"),
        "test_each_cut_raises": (CIPHERTEXT, "detected"),
        "test_a_lengthened_value_raises": (CIPHERTEXT, "detected"),
        "test_what_was_never_sealed_raises": (CIPHERTEXT, "detected"),
        "test_other_associated_data_raise": (CIPHERTEXT, "detected"),
        "test_a_value_sealed_for_another_purpose_raises": (CIPHERTEXT, "detected"),
        "test_a_wrong_key_of_the_same_name_raises": (CIPHERTEXT, "detected"),
    },
    "unit/test_vault_files.py": {
        "test_each_altered_byte_on_the_disk_raises": (CIPHERTEXT, "detected"),
        "test_another_clinic_cannot_open_a_file": (CIPHERTEXT, "detected"),
        "test_a_file_put_in_the_place_of_another_raises": (CIPHERTEXT, "detected"),
        "test_chunks_cut_off_reordered_repeated_or_left_out_raise": (CIPHERTEXT, "detected"),
        "test_a_lengthened_body_raises": (CIPHERTEXT, "detected"),
        "test_each_cut_raises": (CIPHERTEXT, "detected"),
        "test_chunks_of_two_bodies_under_one_key_do_not_mix": (CIPHERTEXT, "detected"),
        "test_any_other_name_is_refused_without_being_shown": (CIPHERTEXT, "refused"),
    },
    "integration/test_access.py": {
        "test_another_clinics_document_does_not_exist": (TENANTS, "refused"),
        "test_another_clinics_documents_are_not_listed": (TENANTS, "refused"),
        "test_another_clinics_person_cannot_be_changed": (TENANTS, "refused"),
    },
    "integration/test_api.py": {"test_another_clinics_run_does_not_exist": (TENANTS, "refused")},
    "integration/test_exports_api.py": {"test_another_clinics_documents_and_files_do_not_exist": (TENANTS, "refused")},
    "integration/test_queue.py": {"test_another_clinics_documents_do_not_wait_here": (TENANTS, "refused")},
    "integration/test_second_review.py": {
        "test_another_clinics_second_reviews_do_not_exist": (TENANTS, "refused"),
        "test_another_clinics_agreement_is_its_own": (TENANTS, "refused"),
    },
    "integration/test_quality.py": {"test_another_clinic_sees_nothing_of_it": (TENANTS, "refused")},
    "integration/test_alerts.py": {"test_another_clinics_alert_is_told_to_nobody_here": (TENANTS, "refused")},
    "integration/test_cost_page.py": {"test_another_clinics_documents_are_not_counted": (TENANTS, "refused")},
    "integration/test_availability_page.py": {"test_another_clinics_pages_are_not_counted": (TENANTS, "refused")},
}
"""Attacks among tests that are about more than attacks: by file and name. A missing one is an error."""


class AttackTable:
    """Counts what became of the marked tests and prints one line a class."""

    def __init__(self) -> None:
        self.classes: dict[str, tuple[str, str]] = {}
        self.counts: dict[str, Counter[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Marks what is named, and counts what is marked; `-m` then chooses."""
        missing = {(file, name) for file, tests in NAMED.items() for name in tests}
        for item in items:
            file, name = item.path.relative_to(TESTS).as_posix(), getattr(item, "originalname", item.name)
            if name in NAMED.get(file, {}):
                item.add_marker(pytest.mark.attack(*NAMED[file][name]))
                missing.discard((file, name))
        if missing:
            raise pytest.UsageError(f"these attacks are named and not there: {sorted(missing)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        for item in session.items:
            self._count(item)
        return (yield)

    def _count(self, item: pytest.Item) -> None:
        mark = item.get_closest_marker("attack")
        if mark is None:
            return
        name, outcome = mark.args
        if outcome not in OUTCOMES:
            raise pytest.UsageError(f"{item.nodeid}: an attack is {' or '.join(OUTCOMES)}")
        self.classes[item.nodeid] = name, outcome
        self.counts.setdefault(name, Counter())["tried"] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self.classes:
            return
        name, outcome = self.classes[report.nodeid]
        if report.failed:
            self.counts[name]["got through"] += 1
        elif report.skipped:
            self.counts[name]["not run"] += 1
        elif report.when == "call":
            self.counts[name][outcome] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self.lines():
            terminalreporter.write_line(line)

    def lines(self) -> Iterator[str]:
        yield ""
        yield f"{'attack':<{CLASS_WIDTH}}" + "".join(f"{head:>12}" for head in HEADS)
        for name in sorted(self.counts):
            yield f"{name:<{CLASS_WIDTH}}" + "".join(f"{self.counts[name][head]:>12}" for head in HEADS)
        total = sum(self.counts.values(), Counter())
        yield f"{'total':<{CLASS_WIDTH}}" + "".join(f"{total[head]:>12}" for head in HEADS)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(AttackTable(), "attack-table")
