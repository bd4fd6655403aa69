"""A reviewer in a real browser who uses nothing but the keyboard, and counts what that takes."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright  # noqa: A004

from extraction.corpus.documents import CorpusDocument
from extraction.corpus.golden import functional_tests
from tests.installation import PASSWORD, Installation

DESK = {"width": 1366, "height": 768}
SECONDS = 1000

Visit = tuple[str, str | None, str | None]
"""A NAM with its date (YYYY-MM-DD) and time (HH:MM)."""


@contextmanager
def open_browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        )
        yield launched
        launched.close()


def sign_in(page: Page, email: str) -> None:
    page.goto("/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url(re.compile(r"/(documents|journal)/$"))


def wait_until_ready(page: Page) -> None:
    """Its scripts listen (they have run when it is loaded), it has fetched what it fetches by itself, and is painted.

    A network at rest alone says little: on a machine that is busy elsewhere it rests before the scripts are asked for.
    What is pressed before the first paint the browser drops, for nobody could mean a page that they do not see.
    """
    page.wait_for_load_state("load")
    page.wait_for_load_state("networkidle")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    page.evaluate("new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))")


def agenda() -> CorpusDocument:
    """The 20 printed pages with 100 NAMs of the planning papers' first functional test."""
    return functional_tests()[0].document()


def visits(document: CorpusDocument, number: int) -> list[Visit]:
    """What is true of one page, in reading order."""
    return [_visit(item.to_json()) for item in document.truth if item.page == number]


def _visit(row: dict[str, Any]) -> Visit:
    return row["nam"], row["date"], row["time"]


class Keyboard:
    """Presses keys on a page and counts them; a typed character is one. `waited` is seconds spent on the machine."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = 0
        self.waited = 0.0

    def press(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)
            self.keys += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def tab_to(self, selector: str) -> None:
        """Goes forward until something that matches has the focus."""
        for _step in range(300):
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            self.press("Tab")
        raise AssertionError(f"the keyboard does not reach {selector}")

    def wait_for(self, expression: str, *, seconds: float = 60) -> None:
        """Until a JavaScript expression is true."""
        began = time.monotonic()
        self.page.wait_for_function(f"() => {expression}", timeout=seconds * SECONDS)
        self.waited += time.monotonic() - began


CURRENT = """() => {
  const item = document.querySelector("#items > [aria-current][data-undecided]");
  if (!item) return null;
  const form = item.querySelector("[data-decide]").elements;
  return [form.nam.value.replaceAll(" ", ""), form.visit_date.value || null, form.visit_time.value || null];
}"""


class Reviewer:
    """Knows what is printed, and decides accordingly."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.page.on("filechooser", lambda _chooser: None)  # Asked for early: turning it on takes the browser a while.
        self.keyboard = Keyboard(page)
        self.decisions = 0

    def decide_page(self, true: list[Visit], *, after_each: Callable[[int], None] = lambda _count: None) -> None:
        """Decides on every proposal of the page that is open and adds what is missing."""
        missing = list(true)
        for count in range(1, 200):
            proposed = self.page.evaluate(CURRENT)
            if proposed is None:
                break
            printed = next((visit for visit in missing if visit[0] == proposed[0]), None)
            self._decide(tuple(proposed), printed)
            if printed:
                missing.remove(printed)
            after_each(count)
        for visit in missing:
            self._add(visit)

    def _decide(self, proposed: Visit, printed: Visit | None) -> None:
        if printed is None:
            self.keyboard.press("x", "1")
        else:
            for key, ours, theirs in zip("dh", printed[1:], proposed[1:], strict=True):
                if ours != theirs:
                    self.keyboard.press(key)
                    self.keyboard.type(ours or "")
            self.keyboard.press("Enter")
        self.decisions += 1

    def _add(self, visit: Visit) -> None:
        self.keyboard.press("a")
        for part in visit:
            self.keyboard.type(part or "")
            self.keyboard.press("Tab")
        self.keyboard.press("Enter", "Escape")
        self.decisions += 1

    def sign(self) -> None:
        self.keyboard.press("Control+Enter")

    def upload(self, data: bytes) -> None:
        """From the list of documents, until nothing on it is being worked on."""
        before = self.page.locator("#documents tbody th a").count()
        self.page.wait_for_load_state("load")
        self.keyboard.tab_to("input[type=file]")
        with self.page.expect_file_chooser() as chosen:
            self.keyboard.press("Enter")
        chosen.value.set_files({"name": "Agenda.pdf", "mimeType": "application/pdf", "buffer": data})
        is_new = f"document.querySelectorAll('#documents tbody th a').length > {before}"
        self.keyboard.wait_for(f"{is_new} && !document.querySelector('#documents tr[data-active]')", seconds=180)

    def open_document(self) -> None:
        self.keyboard.tab_to("#documents tbody th a")
        self.keyboard.press("Enter")
        self.keyboard.wait_for("document.readyState === 'complete' && document.querySelector('#items')")

    def wait_for_page(self, number: int) -> None:
        self.keyboard.wait_for(_is_page(number))

    def sees_page(self, number: int) -> bool:
        """Whether the page is there at once, because it was fetched ahead."""
        try:
            self.page.wait_for_function(f"() => {_is_page(number)}", timeout=SECONDS)
        except TimeoutError:
            return False
        return True

    def wait_until_sent(self) -> None:
        waits = "Object.keys(sessionStorage).some((name) => name.startsWith('outbox.'))"
        self.keyboard.wait_for(f"!{waits} && !document.querySelector('.signing')")

    def export(self) -> list[dict[str, Any]]:
        """Everything that may leave, as JSON, for the billing program."""
        self.keyboard.tab_to("a[href$='/exports/']")
        self.keyboard.press("Enter")
        self.keyboard.wait_for("document.querySelector('select[name=format]')")
        self.keyboard.tab_to("select[name=format]")
        self.keyboard.press("End", "Tab")
        self.keyboard.type("RAMQ")
        self.keyboard.press("Tab", "ArrowDown", "Shift+Tab", "Enter")
        self.keyboard.wait_for("document.querySelector('#files ~ div a')")
        address = self.page.locator("#files ~ div a").first.get_attribute("href")
        return list(json.loads(self.page.request.get(str(address)).body()))


def _is_page(number: int) -> str:
    return f"document.getElementById('review')?.dataset.page === '{number}'"


@dataclass(frozen=True, slots=True)
class Story:
    """What taking an agenda from upload to export came to."""

    keys: int
    decisions: int
    machine_seconds: float
    total_seconds: float
    exported: Counter[Visit]
    true: Counter[Visit]


def take_agenda(page: Page, site: Installation, document: CorpusDocument, *, kills: tuple[int, ...] = ()) -> Story:
    """From upload to export by keyboard. The web server is killed after two decisions on each page of `kills`.

    It comes back only when the reviewer can do no more without it: they go on meanwhile.
    """
    reviewer = Reviewer(page)
    began = time.monotonic()
    reviewer.upload(document.pdf)
    reviewer.open_document()
    pages = max(item.page for item in document.truth)
    for number in range(1, pages + 1):
        if "web" not in site.processes and not reviewer.sees_page(number):
            site.start("web")
        reviewer.wait_for_page(number)
        killing = number in kills
        reviewer.decide_page(
            visits(document, number),
            after_each=lambda count, killing=killing: site.kill("web") if killing and count == 2 else None,
        )
        reviewer.sign()
    reviewer.wait_until_sent()
    exported = reviewer.export()
    return Story(
        keys=reviewer.keyboard.keys,
        decisions=reviewer.decisions,
        machine_seconds=reviewer.keyboard.waited,
        total_seconds=time.monotonic() - began,
        exported=Counter(map(_visit, exported)),
        true=Counter(_visit(item.to_json()) for item in document.truth),
    )
