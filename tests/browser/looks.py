"""What every page must be, in both languages, on a telephone and at a desk: without an axe finding, and no wider than
the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, Page

from tests.browser.reviewing import DESK, SECONDS

PHONE = {"width": 390, "height": 844}
VIEWPORTS = {"phone": PHONE, "desk": DESK}
LANGUAGES = ("fr", "en")


@contextmanager
def opened(browser: Browser, url: str, viewport: Any = DESK, language: str = "fr") -> Iterator[Page]:
    """A page of a new browser in this language; whatever the browser complains about fails the test."""
    complaints: list[str] = []
    context = browser.new_context(base_url=url, viewport=viewport)
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": url}])
    context.set_default_timeout(20 * SECONDS)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == [], complaints


def flaws(page: Page) -> list[str]:
    """What is wrong with the page as it is shown, with everything unfolded that does not fold something else; empty if
    all is well."""
    page.locator("details:not([name])").evaluate_all("all => all.forEach(each => each.open = true)")
    found = [str(each["id"]) for each in Axe().run(page).response["violations"]]
    width, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return found + ([f"{width} px wide on {screen}"] if width > screen else [])
