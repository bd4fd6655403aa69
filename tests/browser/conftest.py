"""One browser for each module of these tests."""

from __future__ import annotations

import pytest

from tests.browser.reviewing import open_browser


@pytest.fixture(scope="module")
def browser(chromium):
    with open_browser(chromium) as launched:
        yield launched
