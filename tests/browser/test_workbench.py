"""The workbench when things go wrong around it: no server, no session, another reviewer, another person."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reviewing import DESK, SECONDS, sign_in, wait_until_ready
from tests.factories import agenda_pdf, some_nam
from tests.installation import PASSWORD, PEOPLE, installation

pytestmark = [pytest.mark.browser, pytest.mark.queue]

DOCUMENTS = count(1)
"""Each test has a document of its own: the same one twice would be announced as a duplicate."""
COLLEAGUE = "collegue@essai.example"
SECOND_REVIEWER = f"""
from accounts import actions
from accounts.models import Clinic
actions.create_user(clinic=Clinic.objects.get(), email="{COLLEAGUE}", name="Camille Collègue", role="reviewer",
                    password={PASSWORD!r}, by=None)
"""
STANDING = """
from review.models import Decision
print(Decision.objects.filter(document_id="{document}", undone_at=None).count(),
      Decision.objects.filter(document_id="{document}").count())
"""
COLLEAGUE_REJECTS = """
from accounts.models import User
from extraction.models import Finding
from review import leases
from review.actions import decide
finding = Finding.objects.filter(run__document_id="{document}", page=1).order_by("position").first()
colleague = User.objects.get(email="collegue@essai.example")
leases.take_over(document=finding.run.document, by=colleague)
decide(finding=finding, value=None, reason="crossed_out", by=colleague)
"""


PRESSED = """
from review.models import Decision
for made in Decision.objects.filter(document_id="{document}", undone_at=None).order_by("made_at"):
    print(made.verdict, made.keys, made.presses)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory, redis_server):
    with installation(tmp_path_factory.mktemp("workbench"), redis_server) as made:
        made.python(SECOND_REVIEWER)
        for name in ("worker", "scheduler", "web"):
            made.start(name)
        yield made


@contextmanager
def signed_in(browser, site, email=PEOPLE["reviewer"], **options):
    context = browser.new_context(base_url=site.url, **{"viewport": DESK, **options})
    context.set_default_timeout(20 * SECONDS)
    page = context.new_page()
    # Playwright begins to intercept with the first route: on a busy machine a request right behind it slipped through.
    page.route("**/nowhere/", lambda route: route.abort())
    sign_in(page, email)
    yield page
    context.close()


@pytest.fixture
def desk(browser, site):
    """A page at a fresh document, ready for the keyboard."""
    with signed_in(browser, site) as page:
        open_fresh_document(page)
        yield page


def open_fresh_document(page: Page) -> None:
    """Of two pages with three NAMs each."""
    number = 10 * next(DOCUMENTS)
    data = agenda_pdf(
        *(
            [f"Agenda du {day} octobre 2025", *(f"0{8 + n}:30   NAM : {some_nam(number + at + n)}" for n in range(3))]
            for day, at in (("vendredi 3", 0), ("lundi 6", 3))
        )
    )
    page.locator("input[type=file]").set_input_files(
        {"name": f"{number}.pdf", "mimeType": "application/pdf", "buffer": data}
    )
    row = page.locator("#documents tbody tr").filter(has_text=f"{number}.pdf")
    expect(row).to_contain_text("terminé", timeout=60 * SECONDS)
    row.locator("th a").click()
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator("#review")).to_be_visible()
    wait_until_ready(page)


def document(page: Page) -> str:
    return str(page.locator("#desk").get_attribute("data-document"))


def decided(page: Page):
    return page.locator("#items .item.decided")


def outbox(page: Page):
    return page.locator("#outbox")


def is_kept(page: Page) -> str | None:
    return page.evaluate("Object.entries(sessionStorage).find(([name]) => name.startsWith('outbox.'))?.[1]")


def wait_until_sent(page: Page) -> None:
    page.wait_for_function("() => !Object.keys(sessionStorage).some((name) => name.startsWith('outbox.'))")


def counts(site, page: Page) -> tuple[int, int]:
    """Decisions that stand, and decisions that were ever written."""
    standing, ever = site.python(STANDING.format(document=document(page))).split()
    return int(standing), int(ever)


def test_decisions_wait_for_a_server_that_is_away_and_arrive_once(desk, site):
    site.kill("web")
    for _each in range(2):
        desk.keyboard.press("Enter")
    expect(decided(desk)).to_have_count(2)
    expect(outbox(desk)).to_contain_text("2 décisions attendent le serveur")
    desk.keyboard.press("z")
    expect(decided(desk)).to_have_count(1)
    site.start("web")
    expect(outbox(desk)).to_contain_text("de nouveau toutes les décisions", timeout=30 * SECONDS)
    expect(decided(desk)).to_have_count(1)
    assert counts(site, desk) == (1, 2)


def test_an_answer_that_is_lost_on_its_way_doubles_nothing(desk, site):
    desk.route("**/decide/", lambda route: (route.fetch(), route.abort()), times=1)
    desk.keyboard.press("Enter")
    wait_until_sent(desk)
    assert counts(site, desk) == (1, 1)


def test_a_reload_loses_nothing_and_nothing_is_readable_at_rest(desk, site):
    desk.route("**/decide/", lambda route: route.abort())
    shown = desk.locator("#items > [aria-current] .item-link .nam").inner_text()
    desk.keyboard.press("Enter")
    desk.wait_for_function("() => Object.keys(sessionStorage).some((name) => name.startsWith('outbox.'))")
    kept = is_kept(desk)
    assert shown.replace(" ", "") not in kept
    assert "decide" not in kept
    desk.once("dialog", lambda dialog: dialog.accept())
    desk.reload()
    ready_count = desk.locator("#items .item.decided.confirm")
    expect(ready_count).to_have_count(1)
    desk.unroute("**/decide/")
    wait_until_sent(desk)
    assert counts(site, desk) == (1, 1)


def test_leaving_with_unsent_decisions_warns(desk):
    desk.route("**/decide/", lambda route: route.abort())
    desk.keyboard.press("Enter")
    asked = []
    desk.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    desk.reload()
    assert asked == ["beforeunload"]
    desk.unroute("**/decide/")
    wait_until_sent(desk)


def test_another_page_of_the_tab_says_what_waits_and_sends_it(desk, site):
    number = document(desk)
    desk.route("**/decide/", lambda route: route.abort())
    for _each in range(2):
        desk.keyboard.press("Enter")
    expect(desk.locator("#waiting")).to_contain_text("2 décisions à envoyer")
    asked = []
    desk.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    desk.get_by_role("link", name="Documents", exact=True).click()
    desk.wait_for_url(re.compile("/documents/$"))
    assert asked == []
    expect(desk.locator("#waiting")).to_contain_text("2 décisions à envoyer")
    desk.unroute("**/decide/")
    wait_until_sent(desk)
    expect(desk.locator("#waiting")).to_contain_text("de nouveau toutes les décisions")
    assert site.python(STANDING.format(document=number)) == "2 2"


def test_what_another_page_cannot_send_leads_back(desk, site):
    desk.route("**/decide/", lambda route: route.abort())
    desk.keyboard.press("d")
    desk.keyboard.type("le jour de la marmotte")
    desk.keyboard.press("Enter")
    desk.wait_for_function("() => Object.keys(sessionStorage).some((name) => name.startsWith('outbox.'))")
    desk.get_by_role("link", name="À réviser", exact=True).click()
    desk.wait_for_url(re.compile("/queue/$"))
    desk.unroute("**/decide/")
    expect(desk.locator("#messages .error")).to_contain_text("Cette date", timeout=30 * SECONDS)
    desk.get_by_role("link", name="Le montrer").click()
    expect(desk.locator("#review")).to_have_attribute("data-page", "1")


def test_signing_out_asks_first_and_the_same_person_finds_it_again(desk, site):
    number = document(desk)
    desk.route("**/decide/", lambda route: route.abort())
    desk.keyboard.press("Enter")
    sign_out = desk.get_by_role("banner").get_by_role("button", name="Se déconnecter")
    sign_out.click()
    question = desk.get_by_role("dialog")
    expect(question).to_contain_text("avant que vos décisions")
    question.get_by_role("button", name="Rester").click()
    expect(question).to_be_hidden()
    sign_out.click()
    question.get_by_role("button", name="quand même").click()
    desk.wait_for_url(re.compile("/accounts/login/"))
    desk.unroute("**/decide/")
    sign_in(desk, PEOPLE["reviewer"])
    wait_until_sent(desk)
    assert site.python(STANDING.format(document=number)) == "1 1"


def test_a_button_that_confirms_at_once_says_what_is_left(desk, site):
    button = desk.locator("[data-confirm-all] button")
    expect(button).to_contain_text("Confirmer les 3 qui passent")
    desk.keyboard.press("Enter")
    expect(button).to_contain_text("Confirmer les 2 qui passent")
    desk.keyboard.press("Enter")
    expect(button).to_contain_text("Confirmer le seul qui passe")
    desk.keyboard.press("z")
    expect(button).to_contain_text("Confirmer les 2 qui passent")
    desk.keyboard.press("c")
    expect(decided(desk)).to_have_count(3)
    expect(button).to_be_hidden()
    assert counts(site, desk) == (3, 4)


def test_a_page_whose_image_never_came_is_not_confirmed_at_once(browser, site):
    with signed_in(browser, site) as page:
        page.route("**/pages/1/image/**", lambda route: (route.fetch(), route.abort()))
        open_fresh_document(page)
        page.keyboard.press("c")
        expect(page.locator("#messages")).to_contain_text("Regardez d’abord la page")
        assert counts(site, page) == (0, 0)
        page.unroute("**/pages/1/image/**")
        page.reload()
        ready(page)
        page.keyboard.press("c")
        expect(decided(page)).to_have_count(3)


def test_a_session_that_expires_loses_no_decision(desk, site):
    desk.context.clear_cookies(name="session")
    desk.keyboard.press("Enter")
    expect(outbox(desk)).to_contain_text("reconnectez-vous")
    desk.keyboard.press("Enter")
    expect(decided(desk)).to_have_count(2)
    with desk.context.expect_page() as opened:
        outbox(desk).get_by_role("link").click()
    tab = opened.value
    tab.locator("input[name=login]").fill(PEOPLE["reviewer"])
    tab.locator("input[name=password]").fill(PASSWORD)
    tab.get_by_role("main").get_by_role("button").first.click()
    tab.wait_for_url(re.compile("/documents/$"))
    tab.close()
    wait_until_sent(desk)
    assert counts(site, desk) == (2, 2)


def test_decisions_wait_for_the_person_who_made_them(desk, site, browser):
    desk.context.clear_cookies(name="session")
    desk.keyboard.press("Enter")
    tab = desk.context.new_page()
    sign_in(tab, COLLEAGUE)
    expect(outbox(desk)).to_contain_text("la personne qui les a prises", timeout=30 * SECONDS)
    assert counts(site, desk) == (0, 0)
    desk.context.clear_cookies(name="session")
    sign_in(tab, PEOPLE["reviewer"])
    wait_until_sent(desk)
    assert counts(site, desk) == (1, 1)


def test_a_colleague_who_was_faster_is_named_and_their_verdict_shown(desk, site):
    site.python(COLLEAGUE_REJECTS.format(document=document(desk)))
    desk.keyboard.press("Enter")
    expect(desk.locator("#messages")).to_contain_text("Camille Collègue")
    expect(desk.locator("#items .item.reject")).to_contain_text("Rejeté")
    expect(desk.locator("#items .item.reject")).to_contain_text("par Camille Collègue")
    assert counts(site, desk) == (1, 1)


def test_what_is_refused_keeps_what_was_typed(desk, site):
    first = desk.locator("#items .item").first
    desk.keyboard.press("d")
    desk.keyboard.type("le jour de la marmotte")
    desk.keyboard.press("Enter")
    expect(desk.locator("#messages .error")).to_contain_text("Cette date")
    desk.get_by_role("button", name="Le montrer").click()
    expect(first.locator("[name=visit_date]")).to_have_value("le jour de la marmotte")
    assert counts(site, desk) == (0, 0)


def test_what_is_typed_survives_the_news_from_the_server(desk):
    desk.keyboard.press("Enter")
    desk.keyboard.press("h")
    desk.keyboard.type("11:4")
    with desk.expect_response(re.compile(r"\?page=1$")):
        pass
    desk.keyboard.type("5")
    expect(desk.locator("#items > [aria-current] [name=visit_time]")).to_have_value("11:45")


def test_an_addition_can_be_taken_back_before_it_is_sent(desk, site):
    desk.route("**/add/", lambda route: route.abort())
    desk.keyboard.press("a")
    desk.keyboard.type(some_nam(2999))
    desk.keyboard.press("Enter")
    expect(desk.locator("#items .item.add")).to_contain_text("Ajouté à la main")
    desk.keyboard.press("Escape")
    desk.keyboard.press("z")
    expect(desk.locator("#items .item.add")).to_have_count(0)
    desk.unroute("**/add/")
    wait_until_sent(desk)
    assert counts(site, desk) == (0, 1)


def test_the_next_page_is_there_without_the_server(desk, site):
    wait_until_ready(desk)
    site.kill("web")
    try:
        desk.keyboard.press("PageDown")
        expect(desk.locator("#review")).to_have_attribute("data-page", "2")
        expect(desk.locator("#items .item")).to_have_count(3)
        assert desk.locator("#page-image").evaluate("image => image.naturalWidth") > 0
        desk.keyboard.press("Enter")
    finally:
        site.start("web")
    wait_until_sent(desk)
    assert counts(site, desk) == (1, 1)


def test_a_decision_says_how_many_keys_it_took_also_when_it_waited(desk, site):
    desk.route("**/decide/", lambda route: route.abort())
    desk.keyboard.press("Enter")
    desk.keyboard.press("h")
    desk.keyboard.type("11:45")
    desk.keyboard.press("Enter")
    desk.keyboard.press("x")
    desk.locator("#items > [aria-current] .rejection button").nth(1).click()
    expect(decided(desk)).to_have_count(3)
    desk.unroute("**/decide/")
    wait_until_sent(desk)
    assert site.python(PRESSED.format(document=document(desk))) == "confirm 1 0\ncorrect 7 0\nreject 1 1"


def test_a_key_can_be_changed_and_every_hint_follows(desk):
    desk.keyboard.press("?")
    desk.locator("[data-remap=edit]").click()
    desk.keyboard.press("m")
    expect(desk.locator("#remapping")).to_contain_text("M")
    expect(desk.locator("#items > [aria-current] [data-hint=edit]")).to_have_text("M")
    desk.locator("#items > [aria-current] .item-link").focus()
    desk.keyboard.press("e")
    expect(desk.locator("#items > [aria-current] [name=nam]")).not_to_be_focused()
    desk.keyboard.press("m")
    expect(desk.locator("#items > [aria-current] [name=nam]")).to_be_focused()
    desk.reload()
    ready(desk)
    expect(desk.locator("#items > [aria-current] [data-hint=edit]")).to_have_text("M")
    desk.keyboard.press("?")
    desk.locator("[data-reset-keys]").click()
    expect(desk.locator("#items > [aria-current] [data-hint=edit]")).to_have_text("E")


@pytest.mark.parametrize(("key", "words"), [("k", "précédent"), ("3", "ne peut pas"), ("F5", "ne peut pas")])
def test_a_key_that_is_taken_is_refused_in_words(desk, key, words):
    desk.keyboard.press("?")
    desk.locator("[data-remap=edit]").click()
    desk.keyboard.press(key)
    expect(desk.locator("#remapping")).to_contain_text(words)
    expect(desk.locator("[data-remap=edit]")).to_have_text("E")


def test_a_turned_page_keeps_its_boxes_on_the_print_and_its_turn(desk):
    upright = place_on_image(desk)
    desk.keyboard.press("r")
    expect(desk.locator(".sheet")).to_have_class(re.compile("turned-1"))
    assert desk.locator(".sheet").bounding_box()["width"] > desk.locator(".sheet").bounding_box()["height"]
    assert place_on_image(desk) == pytest.approx((1 - upright[1], upright[0]), abs=0.01)
    desk.keyboard.press("PageDown")
    expect(desk.locator("#review")).to_have_attribute("data-page", "2")
    expect(desk.locator(".sheet")).not_to_have_class(re.compile("turned"))
    desk.keyboard.press("PageUp")
    expect(desk.locator("#review")).to_have_attribute("data-page", "1")
    expect(desk.locator(".sheet")).to_have_class(re.compile("turned-1"))


def place_on_image(page: Page) -> tuple[float, float]:
    """The middle of the current box as fractions of the image as it is seen."""
    box = page.locator("#overlay rect.current").bounding_box()
    sheet = page.locator(".sheet").bounding_box()
    return (
        (box["x"] + box["width"] / 2 - sheet["x"]) / sheet["width"],
        (box["y"] + box["height"] / 2 - sheet["y"]) / sheet["height"],
    )


@pytest.mark.parametrize("quarters", [0, 1])
def test_a_drawn_box_is_read_and_fills_the_form_while_it_can_be_typed_in(desk, site, quarters):
    printed = desk.locator("#items > [aria-current] .item-link .nam").inner_text()
    for _quarter in range(quarters):
        desk.keyboard.press("r")
    around = desk.locator("#overlay rect.current").bounding_box()
    x, y, width, height = (around[side] for side in ("x", "y", "width", "height"))
    desk.mouse.move(x - 3, y - 2)
    desk.mouse.down()
    desk.mouse.move(x + width + 3, y + height + 2, steps=4)
    desk.mouse.up()
    form = desk.locator("[data-add]")
    expect(form.locator("[name=nam]")).to_be_focused()
    expect(form.locator("[name=nam]")).to_have_value(printed, timeout=20 * SECONDS)
    expect(form.locator(".readings button").first).to_contain_text(printed)
    expect(form.locator("[name=visit_date]")).to_have_value("2025-10-03")
    assert counts(site, desk) == (0, 0)
    desk.keyboard.type(some_nam(2998))
    expect(form.locator("[name=nam]")).to_have_value(some_nam(2998))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_waiting_decisions_pass_the_accessibility_rules(desk, language):
    from axe_playwright_python.sync_playwright import Axe

    if language == "en":
        desk.get_by_role("button", name=re.compile("English|EN")).click()
        ready(desk)
    desk.route("**/decide/", lambda route: route.abort())
    desk.keyboard.press("Enter")
    expect(outbox(desk)).to_contain_text("1 ")
    found = Axe().run(desk, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, [violation["id"] for violation in found.response["violations"]]
    desk.unroute("**/decide/")
    wait_until_sent(desk)
