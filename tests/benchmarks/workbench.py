"""The workbench in a real browser: how soon a key shows, the next page stands there, a decision is acknowledged.

Times are taken inside the page, from the key's own time stamp until the frame after it was painted; one process serves
the web, with SQLite, on this machine. The agenda is the one of `tests/browser/test_agenda.py`, without the kills.
"""

from __future__ import annotations

import io
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, Page
from reportlab.pdfgen import canvas

from extraction import nam
from extraction.corpus.documents import build
from namsite.devservers import EmbeddedRedis
from tests.benchmarks import Result
from tests.browser.reviewing import DESK, Reviewer, agenda, open_browser, sign_in, take_agenda, wait_until_ready
from tests.installation import CHROMIUM, PEOPLE, Installation, installation

FINDINGS, PAGES, TURNS = 100, 200, 20
PAUSE = 1500
"""Milliseconds that a reviewer looks at a page before turning to the next one."""

CLOCK = """
window.paints = [];
window.turns = [];
const painted = (then) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = then;
  channel.port2.postMessage(0);
});
addEventListener("keydown", (event) => {
  painted(() => window.paints.push(performance.now() - event.timeStamp));
  if (event.key !== "PageDown") return;
  const before = document.getElementById("review").dataset.page;
  const look = () => painted(() => {
    const isThere = document.getElementById("review").dataset.page !== before
      && document.getElementById("page-image").complete;
    if (isThere) window.turns.push(performance.now() - event.timeStamp);
    else look();
  });
  look();
}, true);
"""
ACKNOWLEDGED = """() => performance.getEntriesByType("resource")
  .filter((entry) => entry.name.endsWith("/decide/")).map((entry) => entry.duration)"""


def benchmarks() -> Iterator[Result]:
    if CHROMIUM is None:
        print("no Chromium on this machine: the workbench is not measured")
        return
    with site_here() as site, open_browser(CHROMIUM) as browser:
        with page_of(browser, site, crowded_pdf()) as page:
            yield from _results(f"key to paint, page of {FINDINGS} findings", keys(page, "j", FINDINGS - 1), 50)
            page.reload()
            wait_until_ready(page)
            yield from _results("next item painted after Enter", keys(page, "Enter", FINDINGS - 1), 50)
            yield from _results("decision acknowledged", list(page.evaluate(ACKNOWLEDGED)), 500)
        with page_of(browser, site, build("agenda", seed=2026, pages=PAGES).pdf) as page:
            yield from _results(f"next page with its image, document of {PAGES} pages", turns(page), 300)
        with page_of(browser, site, None) as page:
            story = take_agenda(page, site, agenda())
    yield Result("agenda of 20 pages, 100 NAMs: keys from upload to export", story.keys, "keys")
    yield Result("the same: keys a NAM", story.keys / story.decisions, "keys")
    yield Result("the same: upload to export, a reviewer who need not read", story.total_seconds, "s")
    yield Result("the same: of it waiting for the machine", story.machine_seconds, "s")
    yield Result("the same: numbers of the export that are not exactly true", (story.true - story.exported).total(), "",
                 bar=0)  # fmt: skip


def _results(name: str, milliseconds: list[float], bar: float) -> Iterator[Result]:
    yield Result(f"{name}, median", statistics.median(milliseconds), "ms", bar=bar)
    yield Result(f"{name}, p95", statistics.quantiles(milliseconds, n=20)[-1], "ms", bar=bar)


@contextmanager
def site_here() -> Iterator[Installation]:
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedRedis() as redis,
        installation(Path(folder), redis.url) as site,
    ):
        for name in ("worker", "scheduler", "web"):
            site.start(name)
        yield site


@contextmanager
def page_of(browser: Browser, site: Installation, pdf: bytes | None) -> Iterator[Page]:
    """A reviewer's page at the desk of a document, or at the list when there is none."""
    context = browser.new_context(base_url=site.url, viewport=DESK)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.add_init_script(CLOCK)
    sign_in(page, PEOPLE["reviewer"])
    if pdf is not None:
        reviewer = Reviewer(page)
        reviewer.upload(pdf)
        reviewer.open_document()
        wait_until_ready(page)
    yield page
    context.close()


def keys(page: Page, name: str, count: int) -> list[float]:
    """Milliseconds from key to paint, each key after the one before was painted and sent."""
    page.evaluate("() => { window.paints = []; }")
    for number in range(1, count + 1):
        page.keyboard.press(name)
        page.wait_for_function("number => window.paints.length >= number", arg=number)
        if name == "Enter":
            page.wait_for_function("() => !Object.keys(sessionStorage).some((name) => name.startsWith('outbox.'))")
    return list(page.evaluate("() => window.paints"))


def turns(page: Page) -> list[float]:
    """Milliseconds from PageDown until the next page stands there with its image."""
    for number in range(1, TURNS + 1):
        page.wait_for_timeout(PAUSE)
        page.keyboard.press("PageDown")
        page.wait_for_function("number => window.turns.length >= number", arg=number)
    return list(page.evaluate("() => window.turns"))


def _nam(number: int) -> str:
    born = date(1950 + number % 50, 1 + number % 12, 1 + number % 28)
    return nam.compose("Zzq", "Zoé", born, bool(number % 2), nam.SEQUENCE_CHARACTERS[number % 9])


def crowded_pdf() -> bytes:
    """One page with as many numbers as a page can hold, and one beside it."""
    buffer = io.BytesIO()
    drawing = canvas.Canvas(buffer, pagesize=(612, 792), invariant=1)
    drawing.setFont("Helvetica", 8)
    drawing.drawString(60, 760, "Agenda du vendredi 3 octobre 2025")
    for number in range(FINDINGS):
        column, row = divmod(number, FINDINGS // 2)
        drawing.drawString(60 + 280 * column, 740 - 13.5 * row, f"NAM : {_nam(number)}")
    drawing.showPage()
    drawing.drawString(60, 760, "Aucun rendez-vous")
    drawing.showPage()
    drawing.save()
    return buffer.getvalue()
