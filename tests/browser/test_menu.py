"""The administrators' menu: one line at a desk, two groups that unfold by keyboard, pointer and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.looks import LANGUAGES, VIEWPORTS, flaws, opened
from tests.browser.reviewing import DESK, sign_in
from tests.installation import NOWHERE, PEOPLE, installation

pytestmark = pytest.mark.browser

GROUPS = 2


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("site"), NOWHERE) as made:
        made.start("web")
        yield made


@pytest.fixture
def desk(browser, site):
    with opened(browser, site.url) as page:
        sign_in(page, PEOPLE["admin"])
        yield page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("viewport", VIEWPORTS)
def test_every_group_passes_axe_unfolded_and_fits(browser, site, viewport, language):
    with opened(browser, site.url, VIEWPORTS[viewport], language) as page:
        sign_in(page, PEOPLE["admin"])
        for number in range(GROUPS):
            page.locator(".top summary").nth(number).click()
            expect(page.locator(".top details ul").nth(number)).to_be_visible()
            assert flaws(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_a_desk_the_menu_is_one_line(browser, site, language):
    with opened(browser, site.url, DESK, language) as page:
        sign_in(page, PEOPLE["admin"])
        heights = page.locator(".top, .top nav a, .top summary").evaluate_all(
            "all => all.filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect().height)"
        )
        assert max(heights) < 2 * min(heights)


def test_a_page_is_reached_by_keyboard_alone(desk):
    desk.get_by_text("Système", exact=True).focus()
    desk.keyboard.press("Enter")
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("link", name="Disponibilité")).to_be_focused()
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk).to_have_title("Modèles — Repérage NAM")
    expect(desk.locator(".top summary[aria-current]")).to_have_text("Système")


def test_escape_folds_a_group_and_the_focus_is_on_its_word(desk):
    group = desk.get_by_text("Journal et registres", exact=True)
    group.click()
    desk.get_by_role("link", name="Registres").focus()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("link", name="Registres")).to_be_hidden()
    expect(group).to_be_focused()


def test_a_group_folds_when_another_unfolds_or_somebody_presses_elsewhere(desk):
    desk.get_by_text("Journal et registres", exact=True).click()
    desk.get_by_text("Système", exact=True).click()
    expect(desk.locator(".top details[open]")).to_have_count(1)
    desk.locator("footer").click()
    expect(desk.locator(".top details[open]")).to_have_count(0)


def test_a_group_unfolds_without_a_script(browser, site):
    context = browser.new_context(base_url=site.url, java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    sign_in(page, PEOPLE["admin"])
    page.get_by_text("Système", exact=True).click()
    page.get_by_role("link", name="Coûts").click()
    expect(page).to_have_title("Coûts — Repérage NAM")
    context.close()
