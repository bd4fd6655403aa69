"""The whole job in a real browser: sign in, upload, wait for the worker, review, read the journal."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reviewing import DESK, SECONDS, sign_in, wait_until_ready
from tests.factories import agenda_pdf, some_nam
from tests.installation import PEOPLE, installation

pytestmark = [pytest.mark.browser, pytest.mark.queue]

PHONE = {"width": 360, "height": 740}

AGENDA = agenda_pdf(
    ["Agenda du vendredi 3 octobre 2025", *(f"0{8 + n}:30   NAM : {some_nam(n)}" for n in range(2))],
    ["Agenda du lundi 6 octobre 2025", "Aucun rendez-vous"],
)


@pytest.fixture(scope="module")
def site(tmp_path_factory, redis_server):
    with installation(tmp_path_factory.mktemp("site"), redis_server) as made:
        for name in ("worker", "scheduler", "web"):
            made.start(name)
        yield made


@pytest.fixture
def visit(browser, site):
    """Opens a signed-in page for a role; whatever the browser complains about fails the test."""
    complaints: list[str] = []

    @contextmanager
    def open_page(role: str | None, *, viewport=DESK, language="fr"):
        context = browser.new_context(base_url=site.url, viewport=viewport, accept_downloads=False)
        context.set_default_timeout(20 * SECONDS)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if role:
            sign_in(page, PEOPLE[role])
        if language == "en":
            page.get_by_role("button", name=re.compile("English|EN")).click()
        yield page
        context.close()

    yield open_page
    assert complaints == []


def is_complaint(message) -> bool:
    """Errors, policy violations included; but a refused upload is an answer of 422, and browsers report that too."""
    return message.type == "error" and "status of 422" not in message.text


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/pdf", "buffer": data})


def test_a_staff_member_uploads_and_sees_the_worker_finish(visit):
    with visit("staff") as page:
        upload(page, "Agenda d’octobre.pdf", AGENDA)
        row = page.locator("#documents tbody tr").filter(has_text="Agenda d’octobre.pdf")
        expect(row).to_contain_text("terminé", timeout=60 * SECONDS)
        expect(row).to_contain_text("2 NAM")


def test_a_duplicate_is_announced_and_can_be_opened(visit):
    with visit("staff") as page:
        upload(page, "Copie.pdf", AGENDA)
        link = page.get_by_role("main").locator("a[href^='/documents/']").first
        expect(page.get_by_role("main")).to_contain_text(re.compile("déjà", re.IGNORECASE))
        link.click()
        expect(page.locator("#review")).to_contain_text(grouped(some_nam(0)))


def test_a_refused_file_says_why(visit):
    with visit("staff") as page:
        upload(page, "photo.pdf", b"\x89PNG\r\n\x1a\n not a pdf")
        expect(page.get_by_role("main")).to_contain_text("n’est pas un PDF")


def test_a_reviewer_decides_by_keyboard_and_signs_every_page(visit):
    with visit("reviewer") as page:
        page.locator("#documents tbody tr a").first.click()
        expect(page.locator("figure img, .sheet img").first).to_be_visible()
        expect(page.locator("#review")).to_contain_text(grouped(some_nam(0)))
        wait_until_ready(page)
        for decided in (1, 2):
            page.keyboard.press("Enter")
            expect(confirmed(page)).to_have_count(decided)
        for left in (1, 0):
            page.keyboard.press("z")
            expect(confirmed(page)).to_have_count(left)
        page.keyboard.press("h")
        page.keyboard.type("9 h 45")
        page.keyboard.press("Enter")
        expect(page.locator("#items .item").filter(has_text="09:45")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(confirmed(page)).to_have_count(1)
        page.keyboard.press("PageDown")
        page.wait_for_url(re.compile("page=2"))
        wait_until_ready(page)
        page.keyboard.press("PageUp")
        page.wait_for_url(re.compile("page=1"))
        for number in (1, 2):
            page.get_by_role("button", name=re.compile("signer", re.IGNORECASE)).click()
            if number == 1:
                page.wait_for_url(re.compile("page=2"))
        expect(page.locator("body")).to_contain_text("100")


def test_staff_take_the_numbers_out_as_a_billing_file(visit):
    with visit("staff") as page:
        page.locator("#documents tbody tr a").first.click()
        page.get_by_role("link", name="Exporter").click()
        expect(page.get_by_role("main")).to_contain_text("2 numéros peuvent partir")
        page.get_by_label("Destinataire").fill("Logiciel de facturation")
        page.get_by_label("Pourquoi c’est nécessaire").select_option("claim")
        page.get_by_label("Numéro de permis").fill("1234567")
        page.get_by_label("Secteur").fill("2")
        page.get_by_role("button", name="Produire le fichier").click()
        link = page.locator("#files ~ div a").first
        expect(link).to_contain_text("fichier de facturation")
        rows = page.request.get(link.get_attribute("href")).text().splitlines()
        assert [row.split(";")[:5] for row in rows[1:]] == [
            ["1234567", "0", "2025-10-03", hour, some_nam(n)] for n, hour in enumerate(("09:45", "09:30"))
        ]
        assert {row.count(";") for row in rows} == {25}


def test_an_administrator_reads_in_the_journal_what_happened(visit):
    with visit("admin") as page:
        page.goto("/journal/")
        journal = page.get_by_role("main")
        for line in ("Document téléversé", "NAM confirmé", "Page signée", "Numéros exportés", "Image de page"):
            expect(journal).to_contain_text(line)
        page.locator("select[name=verb]").select_option("nam.confirmed")
        page.get_by_role("main").locator("form button").first.click()
        expect(page.locator("tbody tr")).to_have_count(3)
        assert some_nam(0) not in page.content()


def test_an_administrator_is_kept_out_of_documents(visit):
    with visit("admin") as page:
        page.goto("/documents/")
        expect(page.locator("#documents tbody tr")).not_to_have_count(0)
        assert page.locator("#documents tbody a[href^='/documents/']:not([href$='/emergency/'])").count() == 0


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_scrolls_sideways(visit, viewport, language):
    with visit("reviewer", viewport=viewport, language=language) as page:
        page.goto("/documents/")
        address = page.locator("#documents tbody tr a[href^='/documents/']").first.get_attribute("href")
        for path in ("/documents/", address, f"{address}exports/", "/quality/", "/tokens/"):
            page.goto(path)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, path


def test_the_interface_speaks_english_when_asked(visit):
    with visit("reviewer", language="en") as page:
        expect(page.locator("html")).to_have_attribute("lang", re.compile("^en"))
        expect(page.get_by_role("main")).to_contain_text("Status")


def test_the_api_page_is_served_from_here_alone(visit, site):
    with visit("staff") as page:
        hosts = set()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto("/api/docs")
        expect(page.locator("#swagger-ui")).to_contain_text("/api/nam/upload")
        assert hosts == {site.url.split("/")[2]}


def test_every_page_passes_the_accessibility_rules(visit):
    from axe_playwright_python.sync_playwright import Axe

    with visit("reviewer") as page:
        page.goto("/documents/")
        address = page.locator("#documents tbody tr a[href^='/documents/']").first.get_attribute("href")
        for path in ("/documents/", address, f"{address}exports/", "/quality/", "/tokens/", "/accounts/2fa/"):
            page.goto(path)
            found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
            assert found.violations_count == 0, (path, [v["id"] for v in found.response["violations"]])


def confirmed(page: Page):
    return page.locator("#items .item").filter(has_text="Confirmé")


def grouped(value: str) -> str:
    return f"{value[:4]} {value[4:8]} {value[8:]}"
