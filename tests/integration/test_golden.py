"""The golden cases and functional tests: whoever makes one of them worse hears of it here.

Cases that are read by OCR are held to their first page, which is enough to notice and keeps this suite quick;
`manage.py make_corpus DIR --golden` and `manage.py evaluate DIR` measure all of them whole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from extraction import offline
from extraction.corpus.golden import GoldenCase, functional_tests, golden_cases
from extraction.evaluation import Known, errors

CASES = [*golden_cases(), *functional_tests()]
# What is not right yet, by kind of error, and may only become less. What is not listed is exactly right: every NAM on
# its page with its date and time, and nothing else.
KNOWN_ERRORS = {
    "golden-03-handwritten-mixed": Counter(time=2),
    "golden-04-phone-photo": Counter(time=1),
    "golden-05-fax-quality": Counter(misread=1),
    "functional-3-handwritten": Counter(time=2),
}


def is_printed(case: GoldenCase) -> bool:
    """Whether the document has a text layer: its kind names no degradation."""
    return "-" not in case.kind


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_golden_case_gives_its_exact_result(case):
    document = (case if is_printed(case) else replace(case, pages=1)).document()
    result = offline.extract_document(document.pdf, offline.plan(reader="auto", finder="pattern"))
    assert result.failed_pages == []
    truth = [Known.from_json(item.to_json()) for item in document.truth]
    found = Counter(error.what for error in errors(result.proposals, truth))
    assert found <= KNOWN_ERRORS.get(case.name, Counter())
