"""In a real browser, by keyboard: confirming at once, the blind second review, and the third person."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from extraction import actions as extraction
from review import actions, second_review
from review.actions import Value
from review.models import Decision, SecondReview
from tests.factories import FindingFactory, UserFactory, agenda_pdf, some_nam

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


@pytest.fixture
def visit(browser, live_server):
    """Opens an address for a person; whatever the browser complains about fails the test."""
    complaints: list[str] = []

    @contextmanager
    def open_page(person, path, *, viewport=DESK, language="fr-ca"):
        client = Client()
        client.force_login(person)
        context = browser.new_context(base_url=live_server.url, viewport=viewport)
        cookies = {django_settings.SESSION_COOKIE_NAME: client.cookies[django_settings.SESSION_COOKIE_NAME].value,
                   django_settings.LANGUAGE_COOKIE_NAME: language}  # fmt: skip
        context.add_cookies([{"name": name, "value": value, "url": live_server.url} for name, value in cookies.items()])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        yield page
        context.close()

    yield open_page
    assert complaints == []


@pytest.fixture
def run(staff, settings):
    """A page with two sure proposals and a doubtful one."""
    settings.SECOND_REVIEW_SHARE = 100
    lines = ["Agenda du vendredi 3 octobre 2025", *(f"08:30   NAM : {some_nam(n)}" for n in (1, 2, 3))]
    run = extraction.upload(data=agenda_pdf(lines), file_name="Agenda d’octobre.pdf", by=staff).run
    run.status = "done"
    run.save()
    for number in (1, 2, 3):
        top = 0.078 + 0.0227 * number
        FindingFactory(run=run, position=number, value=some_nam(number), confidence=0.6 if number == 3 else 0.995,
                       x0=0.24, x1=0.4, y0=top, y1=top + 0.02)  # fmt: skip
    return run


def desk(run):
    return reverse("review:document-detail", args=[run.document_id])


def test_one_key_confirms_what_passes_every_check(visit, run, reviewer):
    with visit(reviewer, desk(run)) as page:
        page.locator("#page-image").evaluate("image => image.decode()")
        expect(page.get_by_role("button", name=re.compile("Confirmer les 2"))).to_be_visible()
        page.keyboard.press("c")
        expect(page.locator(".item.confirm")).to_have_count(2)
        expect(page.get_by_role("button", name=re.compile("Annuler les 2"))).to_be_visible()
        page.get_by_role("button", name=re.compile("Annuler les 2")).click()
        expect(page.locator(".item.confirm")).to_have_count(0)


@pytest.fixture
def review(run, reviewer):
    """The first review: the doubtful number is corrected."""
    one, two, three = run.findings.order_by("position")
    for finding, value in ((one, Value.of(one)), (two, Value.of(two)), (three, Value(some_nam(77)))):
        actions.decide(finding=finding, value=value, by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    return SecondReview.objects.get()


@pytest.fixture
def second(clinic):
    return UserFactory(clinic=clinic, role="reviewer", name="Simone Seconde")


def test_a_second_review_by_keyboard(visit, review, second):
    with visit(second, desk(review.run)) as page:
        expect(page.locator("#next-step")).to_contain_text("seconde révision")
        expect(page.locator(".item")).to_have_count(0)
        page.locator("#next-step").get_by_role("link").click()
        page.get_by_role("button", name="Commencer").click()
        expect(page.locator(".item")).to_have_count(3)
        for _turn in range(3):
            left = page.locator("[data-undecided]").count()
            page.keyboard.press("Enter")
            expect(page.locator("[data-undecided]")).to_have_count(left - 1)
        page.keyboard.press("z")
        expect(page.locator("[data-undecided]")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator("[data-undecided]")).to_have_count(0)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Seconde révision terminée")).to_be_visible()
    review.refresh_from_db()
    assert (review.state, review.same) == ("disputed", 2)


@pytest.fixture
def disagreement(review, second):
    second_review.begin(review=review, by=second)
    for finding in review.run.findings.all():
        second_review.decide(review=review, finding=finding, value=Value.of(finding), by=second)
    return second_review.finish(review=review, by=second).disagreements.get()


@pytest.fixture
def third(clinic):
    return UserFactory(clinic=clinic, role="reviewer", name="Théo Troisième")


def test_the_third_person_takes_an_answer_by_keyboard(visit, disagreement, third):
    with visit(third, reverse("review:second-list")) as page:
        page.get_by_role("link", name="Voir les deux réponses").click()
        page.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Tranché : c’est ce qui compte désormais")).to_be_visible()
    assert Decision.objects.filter(undone_at=None).count() == 3


@pytest.mark.parametrize("language", ["fr-ca", "en"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_its_pages_pass_axe_and_fit(visit, disagreement, review, third, admin, language, viewport):
    pages = [
        (third, reverse("review:second-list")),
        (third, reverse("review:disagreement", args=[disagreement.pk])),
        (admin, reverse("review:quality")),
    ]
    for person, path in pages:
        with visit(person, path, language=language, viewport=viewport) as page:
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("language", ["fr-ca", "en"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_blind_page_and_the_hidden_one_pass_axe_and_fit(visit, review, second, third, language, viewport):
    second_review.begin(review=review, by=second)
    for person, path in ((second, reverse("review:second-detail", args=[review.pk])), (third, desk(review.run))):
        with visit(person, path, language=language, viewport=viewport) as page:
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
