"""A clinic's day: an agenda of 20 pages and 100 NAMs from upload to export, by keyboard, the server killed twice."""

from __future__ import annotations

import json

import pytest

from tests.browser.reviewing import DESK, SECONDS, agenda, open_browser, sign_in, take_agenda
from tests.installation import PEOPLE, installation

pytestmark = [pytest.mark.browser, pytest.mark.queue]

KILLS = (6, 13)
"""Pages on which the web server is killed."""

COUNTED = """
import json
DECIDED = ["nam.confirmed", "nam.corrected", "nam.rejected", "nam.added"]
from audit.models import Event
from review.models import Decision, SignOff
print(json.dumps({
    "decisions": Decision.objects.count(),
    "standing": Decision.objects.filter(undone_at=None).count(),
    "findings": Decision.objects.values("finding").distinct().count(),
    "signed": SignOff.objects.filter(reopened_at=None).count(),
    "sign_offs": SignOff.objects.count(),
    "journalled": Event.objects.filter(verb__in=DECIDED).count(),
    "pages_signed": Event.objects.filter(verb="doc.page_signed").count(),
}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory, redis_server, chromium):
    """The story, and what the database says of it afterwards."""
    with installation(tmp_path_factory.mktemp("agenda"), redis_server) as site, open_browser(chromium) as browser:
        for name in ("worker", "scheduler", "web"):
            site.start(name)
        page = browser.new_context(base_url=site.url, viewport=DESK).new_page()
        page.set_default_timeout(60 * SECONDS)
        sign_in(page, PEOPLE["reviewer"])
        story = take_agenda(page, site, agenda(), kills=KILLS)
        yield story, json.loads(site.python(COUNTED))


def test_no_decision_is_lost_or_doubled(told):
    story, counted = told
    assert story.decisions == 100
    assert {counted[name] for name in ("decisions", "standing", "findings", "journalled")} == {100}


def test_every_page_is_signed_once(told):
    _story, counted = told
    assert (counted["signed"], counted["sign_offs"], counted["pages_signed"]) == (20, 20, 20)


def test_the_export_is_exactly_what_is_printed(told):
    story, _counted = told
    assert story.exported == story.true


def test_a_right_proposal_costs_one_key(told):
    story, _counted = told
    to_the_desk_and_out = 80
    assert story.keys <= story.decisions + 20 + to_the_desk_and_out
    print(f"{story.keys} keys, {story.machine_seconds:.1f} s of {story.total_seconds:.1f} s waiting for the machine")
