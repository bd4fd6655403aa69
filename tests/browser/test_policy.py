"""Every page in a real browser, for every role and in both languages: nothing asks for what the policy forbids."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.reviewing import SECONDS, sign_in
from tests.factories import agenda_pdf, some_nam
from tests.installation import PEOPLE, installation, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.queue]

AGENDA = agenda_pdf(["Agenda du vendredi 3 octobre 2025", f"08:30  Zoé Zzq  {some_nam(0)}"])
# What the browser says of itself, however the page was made to break its policy.
LISTENING = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) =>
    window.violations.push(`${event.violatedDirective} ${event.blockedURI} on ${location.pathname}`));
"""
PAGES = {
    "staff": ("/documents/", "{document}", "{document}compare/", "{document}exports/", "/tokens/", "/accounts/2fa/",
              "/accounts/password/change/", "/api/docs", "/nowhere/"),
    "reviewer": ("/documents/", "{document}", "{document}compare/", "/queue/", "/second-reviews/", "/quality/"),
    "admin": ("/documents/", "/journal/", "/people/", "/models/", "/alerts/", "/availability/", "/costs/", "/quality/"),
    None: ("/accounts/login/", "/accounts/password/reset/"),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Any:
    with installation(tmp_path_factory.mktemp("site"), redis_server) as made:
        for name in ("worker", "web"):
            made.start(name)
        yield made


@pytest.fixture(scope="module")
def document(site: Any, browser: Any) -> str:
    """The address of a document that was extracted."""
    page = browser.new_context(base_url=site.url).new_page()
    sign_in(page, PEOPLE["staff"])
    page.locator("input[type=file]").set_input_files(
        {"name": "Agenda.pdf", "mimeType": "application/pdf", "buffer": AGENDA}
    )
    link = page.locator("#documents tbody tr a[href^='/documents/']").first
    link.wait_for(timeout=60 * SECONDS)
    wait_until(lambda: site.python(DONE) == "1", seconds=120)
    path = str(link.get_attribute("href")).partition("?")[0]
    page.context.close()
    return path


DONE = "from extraction.models import Run; print(Run.objects.filter(status='done').count())"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("role", PAGES)
def test_no_page_breaks_its_policy(site: Any, browser: Any, document: str, role: str | None, language: str) -> None:
    violations: list[str] = []
    context = browser.new_context(base_url=site.url)
    context.add_init_script(LISTENING)
    page = context.new_page()
    page.on("console", lambda said: violations.append(said.text) if "Content Security Policy" in said.text else None)
    if role:
        sign_in(page, PEOPLE[role])
        if language == "en":
            page.get_by_role("button", name=re.compile("English|EN")).click()
    for path in PAGES[role]:
        page.goto(path.format(document=document))
        page.wait_for_load_state("load")
        page.wait_for_timeout(300)  # scripts that run after the page is there
        violations += page.evaluate("window.violations")
    context.close()
    assert violations == []


@pytest.mark.attack("requests to every address", "refused")
def test_a_script_that_got_into_a_page_does_not_run(site: Any, browser: Any) -> None:
    """What the policy is for: the browser itself runs nothing that is not a file of ours."""
    context = browser.new_context(base_url=site.url)
    context.add_init_script(LISTENING)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.evaluate(
        """() => {
          const image = document.createElement("img");
          image.setAttribute("onerror", "window.ran = true");
          image.setAttribute("src", "data:image/png,broken");
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          const foreign = document.createElement("script");
          foreign.src = "https://evil.example/a.js";
          document.body.append(image, script, foreign);
        }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None
    assert len(page.evaluate("window.violations")) == 3
    context.close()
