"""The registers in a real browser: an incident by keyboard alone, and every page
in both languages, on a telephone and at a desk."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from audit.registers.models import Register
from tests.browser.looks import LANGUAGES, VIEWPORTS, flaws, opened
from tests.browser.reviewing import sign_in
from tests.installation import NOWHERE, PEOPLE, installation

pytestmark = pytest.mark.browser


# An entry of each kind, a public policy, and a finding to explain.
SEED = """
from django.utils import timezone
from accounts.models import User
from audit.registers.actions import open_entry
from audit.registers.models import Register
from extraction.finders import confidence
from extraction.finders.proposal import Checks
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, page_of
admin = User.objects.get(role="admin")
today = timezone.localdate()
office = {"in_charge": "Rose Responsable", "title": "Directrice", "email": "prp@erables.example",
          "policy_on": str(today), "policy_by": "Direction", "complaint_contact": "Par écrit", "is_published": True}
open_entry(register=Register.GOVERNANCE, content=office, began_on=today, by=admin)
asked = {"kind": "rectification", "applicant": "Zoé Zzq", "wording": "La date est fausse", "places": [], "sent": []}
request = open_entry(register=Register.REQUESTS, content=asked, began_on=today, by=admin)
known = confidence.score(Checks(True, True, True, True), reading=0.97, found_by=("pattern",), labelled=True)
run = RunFactory(document=DocumentFactory(uploaded_by=User.objects.get(role="staff"), page_count=1))
RunPageFactory(run=run, words=page_of("NAM").to_json())
finding = FindingFactory(run=run, confidence=float(known), witnesses=known.witnesses.to_json())
print(f"/registers/entries/{request.pk}/", f"/registers/findings/{finding.pk}/",
      f"/registers/policy/{admin.clinic_id}/",
      f"/registers/entries/{request.pk}/letters/answer/")
"""
PAGES = ["/registers/"]
PAGES += [f"/registers/{register}/{part}" for register in Register for part in ("", "new/")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("site"), NOWHERE) as made:
        made.pages = PAGES + made.python(SEED).split()
        made.start("web")
        yield made


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("viewport", VIEWPORTS)
def test_every_page_passes_axe_and_fits(browser, site, viewport, language):
    with opened(browser, site.url, VIEWPORTS[viewport], language) as page:
        sign_in(page, PEOPLE["admin"])
        for address in site.pages:
            page.goto(address)
            assert (address, flaws(page)) == (address, [])


def test_an_incident_is_written_down_by_keyboard_alone(browser, site):
    with opened(browser, site.url) as page:
        sign_in(page, PEOPLE["admin"])
        page.goto("/registers/incidents/new/")
        page.locator("[name=information]").focus()
        for words in ("Noms et numéros", "Courriel mal adressé", "", "hier"):
            page.keyboard.type(words)
            page.keyboard.press("Tab")
        page.locator("[name=aware_on]").fill("2026-01-05")
        page.locator("[name=measures]").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/registers/entries/"))
        expect(page.get_by_role("main")).to_contain_text("Courriel mal adressé")
        expect(page.get_by_role("main")).to_contain_text("avec diligence")
