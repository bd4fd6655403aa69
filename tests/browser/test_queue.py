"""Two reviewers in two browsers: taking the next document by one key, losing it, leaving it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.reviewing import wait_until_ready
from tests.installation import NOWHERE, PASSWORD, PEOPLE, installation

pytestmark = pytest.mark.browser

OTHER = "remi@essai.example"
SECONDS = 1000

# Documents as a worker would have left them, without their files: the page images are missing here.
SEED = f"""
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from accounts import actions
from accounts.models import Clinic, User
from review import tasks
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, page_of
actions.create_user(clinic=Clinic.objects.get(), email="{OTHER}", name="Rémi Révision", role="reviewer",
                    password="{PASSWORD}", by=None)
for hours in (2, 1):
    document = DocumentFactory(uploaded_by=User.objects.get(role="staff"), page_count=1)
    run = RunFactory(document=document, finished_at=timezone.now() - timedelta(hours=hours))
    RunPageFactory(run=run, words=page_of("Agenda").to_json())
    FindingFactory(run=run)
    with transaction.atomic():
        tasks.recount(document.pk)
    print(document.pk)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("site"), NOWHERE) as made:
        made.documents = made.python(SEED).split()
        made.start("web")
        yield made


@pytest.fixture
def sign_in(chromium, site):
    """Signs a person in, in a browser context of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])

        def open_page(email):
            context = browser.new_context(base_url=site.url)
            context.set_default_timeout(20 * SECONDS)
            page = context.new_page()
            page.goto("/")
            page.locator("input[name=login]").fill(email)
            page.locator("input[name=password]").fill(PASSWORD)
            page.get_by_role("main").get_by_role("button").first.click()
            page.wait_for_url(re.compile("/documents/$"))
            return page

        yield open_page
        browser.close()


def see_it_freed(page):
    """The farewell of the page before may arrive after the queue was read."""
    for _turn in range(20):
        if page.locator("tr").filter(has_text="personne").count() == 2:
            return
        page.wait_for_timeout(250)
        page.reload()
    pytest.fail("the document was not freed")


def test_a_document_is_claimed_lost_and_left(sign_in, site):
    first, second = site.documents
    mine, theirs = sign_in(PEOPLE["reviewer"]), sign_in(OTHER)

    mine.goto("/queue/")
    wait_until_ready(mine)
    mine.keyboard.press("c")
    mine.wait_for_url(re.compile(first))
    number = mine.locator("[data-decide] [name=nam]")
    number.fill("ABCD 1234 5678")

    theirs.goto("/queue/")
    expect(theirs.locator("tr").filter(has_text="agenda").first).to_contain_text("Reviewer")
    theirs.goto(f"/documents/{first}/")
    expect(theirs.locator("[data-decide]")).to_have_count(0)
    theirs.get_by_role("button", name="Reprendre").click()
    expect(theirs.locator("[data-decide]")).to_have_count(1)

    mine.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the tab is seen again: a heartbeat
    expect(mine.locator("#messages")).to_contain_text("Rémi Révision travaille sur ce document")
    expect(number).to_have_value("ABCD 1234 5678")

    theirs.goto("/queue/")
    see_it_freed(theirs)

    mine.goto(f"/documents/{second}/")
    wait_until_ready(mine)
    mine.keyboard.press("Enter")
    expect(mine.locator("#items .confirm")).to_have_count(1)
    mine.keyboard.press("Control+Enter")
    mine.get_by_role("button", name="Réviser le document suivant").click()
    mine.wait_for_url(re.compile(first))
