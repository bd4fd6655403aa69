"""The pages of retention in a real browser: periods, holds, a destroyed document and its certificate."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.looks import LANGUAGES, VIEWPORTS, flaws, opened
from tests.browser.reviewing import sign_in
from tests.installation import NOWHERE, PEOPLE, installation

pytestmark = pytest.mark.browser


# A document that is held, one that was destroyed with its certificate, one that somebody may destroy.
SEED = """
from accounts.models import User
from extraction import storage
from review.retention import actions, certificates
from review.retention.models import AskedReason
from tests.factories import DocumentFactory, RunFactory, RunPageFactory
admin, staff = User.objects.get(role="admin"), User.objects.get(role="staff")
documents = [DocumentFactory(uploaded_by=staff, page_count=1) for _each in range(3)]
for document in documents:
    storage.put(document, b"%PDF-1.7")
    RunPageFactory(run=RunFactory(document=document), words={"lines": []})
held, destroyed, free = documents
actions.place_hold(document=held, reason="Litige 2026-01", by=admin)
actions.destroy_document(document=destroyed, reason=AskedReason.MISTAKE, by=admin)
certificates.issue_due()
print(*[f"/retention/documents/{document.pk}/" for document in documents])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("site"), NOWHERE) as made:
        made.pages = ["/retention/", *made.python(SEED).split()]
        made.start("web")
        yield made


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("viewport", VIEWPORTS)
def test_every_page_passes_axe_and_fits(browser, site, viewport, language):
    with opened(browser, site.url, VIEWPORTS[viewport], language) as page:
        sign_in(page, PEOPLE["admin"])
        for address in site.pages:
            page.goto(address)
            assert page.locator("html").get_attribute("lang").startswith(language)
            assert (address, flaws(page)) == (address, [])


def test_a_hold_keeps_a_document_until_it_is_lifted(browser, site):
    held = site.pages[1]
    with opened(browser, site.url, language="en") as page:
        sign_in(page, PEOPLE["admin"])
        page.goto(held)
        main = page.get_by_role("main")
        expect(main).to_contain_text("Litige 2026-01")
        expect(main.locator("form[action$='/destroy/']")).to_have_count(0)
        main.locator("form[action$='/lift/'] button").click()
        page.goto(held)
        expect(main.locator("form[action$='/destroy/']")).to_have_count(1)
