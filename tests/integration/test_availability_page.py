"""How the model server does: for monitors, in one sentence for people who wait, and on the administrator's page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from extraction import alerts, banner, monitoring
from extraction.llm import starting
from extraction.llm.starting import Starting
from extraction.models import Deployment, Finder, PageState, Sample, Status
from extraction.monitoring import Period
from tests.factories import DocumentFactory, RunFactory, RunPageFactory, SampleFactory, UserFactory

pytestmark = pytest.mark.django_db

HEALTH = "/llm/health"
PAGE = reverse("extraction:availability")
ALERTS = reverse("extraction:alerts")
DOCUMENTS = reverse("extraction:document-list")
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday, noon in Montréal
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def model(settings):
    """A model server is configured; nobody ever asks it here."""
    settings.LLM_ENDPOINT = "http://127.0.0.1:9/v1"


@pytest.fixture
def no_model(settings):
    """Nobody looks at a model server, and nobody needs to."""
    settings.LLM_ENDPOINT = ""


def this_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)


def samples(states: str, until: datetime = NOON, server: str = "main") -> None:
    """One sample a minute up to `until`: + up, - unreachable, m another model, a blank for none."""
    names = {"+": "ok", "-": "unreachable", "m": "model_missing"}
    Sample.objects.bulk_create(
        [
            Sample(server=server, minute=until - back * MINUTE, state=names[mark], seconds=0.02)
            for back, mark in enumerate(reversed(states))
            if mark != " "
        ]
    )


def sentences(user, moment: datetime = NOON, language: str = "fr-ca") -> list[str]:
    """What the person is told once the scheduler has looked."""
    alerts.evaluate(moment)
    with translation.override(language):
        return [sentence.replace("\u00a0", " ") for sentence in banner.banner(user, moment)]


# --- For monitors ----------------------------------------------------------------------------------------------------


def test_a_stranger_hears_a_code_and_seconds_and_nothing_else(client):
    SampleFactory(minute=this_minute(), seconds=0.0123)
    answer = client.get(HEALTH)
    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "state": "ok", "seconds": 0.012}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("state", ["timeout", "unreachable", "unauthorised", "model_missing", "bad_reply"])
def test_a_sick_server_is_503_with_its_code(client, state):
    SampleFactory(minute=this_minute(), state=state)
    answer = client.get(HEALTH)
    assert (answer.status_code, answer.json()["state"]) == (503, state)


@pytest.mark.usefixtures("no_model")
def test_without_a_model_all_is_well(client):
    answer = client.get(HEALTH)
    assert (answer.status_code, answer.json()) == (200, {"status": "not_configured", "state": "off"})


def test_an_old_sample_says_nothing_of_now(client):
    SampleFactory(minute=this_minute() - 4 * MINUTE)
    answer = client.get(HEALTH)
    assert (answer.status_code, answer.json()) == (503, {"status": "unhealthy", "state": "unknown"})


def test_the_newest_sample_counts(client):
    SampleFactory(minute=this_minute() - MINUTE, state="timeout")
    SampleFactory(minute=this_minute())
    assert client.get(HEALTH).status_code == 200


def test_nobody_who_asks_makes_this_process_ask_the_server(client, monkeypatch):
    monkeypatch.setattr("extraction.llm.client.get", lambda *_args, **_more: pytest.fail("asked the model server"))
    SampleFactory(minute=this_minute())
    assert client.get(HEALTH).status_code == 200


def test_of_two_servers_the_sick_one_is_told():
    samples("+", server="main")
    samples("-", server="second")
    assert monitoring.condition(["main", "second"], NOON).state == "unreachable"
    assert monitoring.condition(["main"], NOON).state == "ok"
    assert monitoring.condition(["main", "third"], NOON).state == "unknown"


# --- In one sentence -------------------------------------------------------------------------------------------------


def test_all_is_well_in_one_query(staff, django_assert_num_queries):
    samples("+++++")
    with django_assert_num_queries(1):
        assert banner.banner(staff, NOON) == []


def test_three_failures_in_five_minutes_are_told_with_their_beginning(admin):
    samples("+++---")
    assert sentences(admin) == ["Le serveur du modèle ne répond pas depuis 11:58 ; les documents attendent."]


@pytest.mark.parametrize(("step", "told"), [("loading", False), ("impossible", False), ("ready", True)])
def test_a_server_that_is_said_to_be_starting_is_not_told_to_be_down(staff, settings, tmp_path, step, told):
    settings.LLM_STATE_FILE = str(tmp_path / "state")
    starting.write(tmp_path / "state", Starting(step))
    samples("---")
    assert bool(sentences(staff)) is told


def test_people_who_upload_hear_what_they_can_do(staff):
    samples("+---")
    (sentence,) = sentences(staff)
    assert "« Continuer sans le modèle »" in sentence


def test_two_failures_are_not_told_yet(staff, admin):
    samples("+++--")
    assert sentences(staff) == sentences(admin) == []


def test_an_outage_since_yesterday_names_the_day(admin):
    samples("+", until=NOON - timedelta(days=1))
    samples("-----")
    samples("-", until=NOON - timedelta(days=1) + MINUTE)
    assert "depuis 2026-11-22 12:01" in sentences(admin)[0]


def test_an_outage_without_a_good_sample_before_it_began_with_the_first(admin):
    samples("---")
    assert "depuis 11:58" in sentences(admin)[0]


def test_a_server_that_answers_but_cannot_be_used_is_told_so(admin):
    samples("+mmm")
    assert sentences(admin, language="en") == ["The model server cannot be used since 11:58; documents wait for it."]


def test_what_is_over_is_not_told_to_people_who_wait(staff, admin):
    samples("---+")
    assert sentences(staff) == []
    assert sentences(admin, language="en") == [
        "The model server answers again, but failed three times in the last five minutes."
    ]


def deployed(state, *hosts):
    return Deployment.objects.create(
        endpoints=[f"http://{host}/v1" for host in hosts], model_name="nam-2", prompt_version="nam-v1", state=state,
        share=10, started_by=UserFactory(), started_at=NOON, step_began_at=NOON,
    )  # fmt: skip


def test_one_server_of_two_concerns_administrators_only(staff, admin):
    deployed("adopted", "10.0.3.51:8000", "10.0.3.52:8000")
    samples("+++++", server="10.0.3.51:8000")
    samples("---", server="10.0.3.52:8000")
    assert sentences(staff) == []
    assert sentences(admin, language="en") == [
        "The model server “10.0.3.52:8000” fails since 11:58; another one answers."
    ]


def test_a_newcomer_and_what_was_replaced_alarm_nobody(client, staff, admin):
    deployed("adopted", "10.0.3.51:8000")
    deployed("open", "10.0.3.60:8000")
    samples("+++++", server="10.0.3.51:8000")
    samples("-----", server="10.0.3.60:8000")
    samples("---", server="main")
    assert sentences(staff) == sentences(admin) == []
    assert monitoring.servers() == ["10.0.3.51:8000"]
    assert monitoring.servers(tried=True) == ["10.0.3.51:8000", "10.0.3.60:8000"]


def test_what_is_in_service_is_told_and_not_what_the_settings_name(admin_client):
    deployed("adopted", "10.0.3.51:8000")
    samples("+", until=this_minute(), server="10.0.3.51:8000")
    body = admin_client.get(HEALTH).json()
    assert (body["status"], body["endpoint"], body["model"]) == ("healthy", "http://10.0.3.51:8000/v1", "nam-2")


def test_a_scheduler_that_stopped_is_told_to_administrators(staff, admin):
    assert sentences(admin, language="en") == ["Nobody has looked at the model server yet. Does the scheduler run?"]
    samples("+", until=NOON - 10 * MINUTE)
    assert sentences(admin, language="en") == [
        "Nobody has looked at the model server since 11:50. Does the scheduler run?"
    ]
    assert sentences(staff) == []


def finished(clinic_staff, *, pages: int = 20, seconds: float = 30, errors: int = 0, **run):
    """A document that the model saw and that took so long."""
    made = RunFactory(
        document=DocumentFactory(uploaded_by=clinic_staff, page_count=pages),
        finder=Finder.HYBRID,
        **{"started_at": NOON - timedelta(hours=1, seconds=seconds), "finished_at": NOON - timedelta(hours=1)} | run,
    )
    for number in range(1, pages + 1):
        code = "model_bad_reply" if number <= errors else ""
        RunPageFactory(run=made, number=number, model_error_code=code, read_seconds=0.5, find_seconds=1.0)
    return made


@pytest.mark.usefixtures("no_model")
def test_more_than_five_percent_of_unusable_answers_are_told(admin, staff):
    finished(staff, errors=2)
    assert sentences(admin, language="en") == ["The model's answers were unusable on 2 of 20 pages since yesterday."]


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(("pages", "errors"), [(20, 1), (10, 5)])
def test_fewer_or_of_few_pages_are_not(admin, staff, pages, errors):
    finished(staff, pages=pages, errors=errors)
    assert sentences(admin) == []


@pytest.mark.usefixtures("no_model")
def test_another_clinics_pages_are_not_counted(admin, outsider):
    finished(outsider, errors=20)
    assert sentences(admin) == []


@pytest.mark.usefixtures("no_model")
def test_three_slow_documents_in_a_row_are_told(admin, staff):
    for _document in range(3):
        finished(staff, seconds=61)
    assert sentences(admin, language="en") == [
        "The last three documents took longer than 60 s for 20 pages; the newest took 61.00 s."
    ]


@pytest.mark.usefixtures("no_model")
def test_a_document_that_waited_is_not_slow(admin, staff):
    for _document in range(3):
        finished(staff, seconds=3600, turn=1)
    assert sentences(admin) == []


def test_the_document_list_shows_the_sentence_and_administrators_a_way_on(client, staff, admin):
    samples("---", until=this_minute())
    alerts.evaluate(timezone.now())
    client.force_login(staff)
    page = client.get(DOCUMENTS).content.decode()
    assert "ne répond pas depuis" in page
    assert ALERTS not in page
    client.force_login(admin)
    told = re.search(r'<p class="message warning">.*?</p>', client.get(DOCUMENTS).content.decode(), re.S)[0]
    assert f'href="{ALERTS}"' in told


# --- The page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", ["day", "week", "month", "nonsense", ""])
def test_the_page_opens_for_every_period(admin_client, period):
    samples("++--+ +", until=this_minute())
    answer = admin_client.get(PAGE, {"period": period})
    assert answer.status_code == 200
    assert b"<svg" in answer.content
    assert b"style=" not in answer.content


@pytest.mark.usefixtures("no_model")
def test_the_page_opens_without_any_sample(admin_client):
    answer = admin_client.get(PAGE)
    assert answer.status_code == 200
    assert "Aucun serveur de modèle n’est configuré" in answer.content.decode()


def test_every_chart_says_in_words_what_it_shows(admin_client):
    samples("+++", until=this_minute())
    Sample.objects.update(running=1, waiting=0, cache_use=0.5, prefix_hits=0.5)
    page = admin_client.get(PAGE).content.decode()
    assert page.count("<svg") == page.count("</title>") - 1 == page.count("</desc>") == 4


def test_coordinates_are_not_written_the_french_way(admin_client):
    samples("+" * 7, until=this_minute())
    page = admin_client.get(PAGE).content.decode()
    assert re.findall(r' (?:x|y|width|height|y1|y2)="[^"]*,[^"]*"', page) == []


def test_the_page_shows_the_pace_of_documents_beside_their_budget(admin_client, staff, settings):
    settings.LLM_CONCURRENCY = 4
    ends = timezone.now() - timedelta(minutes=2)
    finished(staff, started_at=ends - timedelta(seconds=61), finished_at=ends)
    page = admin_client.get(PAGE).content.decode().replace("\u00a0", " ")
    assert "1 document de votre clinique dans cette période, dont 1 au-delà de son temps prévu." in page
    assert re.findall(r"\d,\d\d s", page) == [
        "0,50 s", "0,50 s",  # reading
        "0,25 s", "0,25 s", "1,50 s", "2,25 s",  # finding, its target and alert
        "3,05 s", "3,05 s", "2,25 s", "3,00 s",  # all of it
    ]  # fmt: skip


def test_wrong_settings_are_no_reason_to_show_no_page(admin_client, settings):
    settings.LLM_API_KEY = "clé"
    assert admin_client.get(PAGE).status_code == admin_client.get(DOCUMENTS).status_code == 200
    assert admin_client.get(HEALTH).json()["state"] == "unknown"


def test_an_unknown_server_is_not_shown(admin_client):
    samples("+", until=this_minute(), server="elsewhere")
    assert admin_client.get(PAGE, {"server": "elsewhere"}).context["overview"].server == "main"


def test_a_day_is_24_hours_and_a_week_seven_whole_days():
    moment = datetime(2026, 11, 23, 17, 20, tzinfo=UTC)
    assert monitoring.bounds(Period.DAY, moment) == (
        moment.replace(minute=0) - timedelta(hours=23),
        moment.replace(hour=18, minute=0),
    )
    begins, ends = (timezone.localtime(bound) for bound in monitoring.bounds(Period.WEEK, moment))
    assert (begins.isoformat(), ends.isoformat()) == ("2026-11-17T00:00:00-05:00", "2026-11-24T00:00:00-05:00")


def test_an_overview_counts_working_hours_and_lists_their_outages():
    samples("+" * 50 + "-" * 6 + "+" * 4)
    samples("-" * 5, until=NOON - timedelta(hours=10))
    found = monitoring.overview("main", Period.DAY, NOON)
    assert (found.uptime.up, found.uptime.down) == (53, 6)  # the newest minute is not over
    assert [outage.minutes for outage in found.outages] == [6]
    assert found.at_night == 1


def test_an_overview_costs_one_query(django_assert_num_queries):
    samples("+" * 100)
    with django_assert_num_queries(1):
        monitoring.overview("main", Period.MONTH, NOON)


def test_the_time_of_the_model_is_shared_out_over_pages_asked_side_by_side(settings, admin, staff):
    settings.LLM_CONCURRENCY = 4
    finished(staff, pages=20)
    (timing,) = monitoring.timings(admin.clinic_id, NOON - timedelta(days=1))
    assert (timing.pages, timing.total, timing.reading, timing.model) == (20, 30, 10, 5)


def test_pages_that_the_model_never_saw_are_not_counted(admin, staff):
    finished(staff, pages=20, errors=0, without_model=True)
    made = finished(staff, pages=2)
    made.pages.filter(number=2).update(state=PageState.READ)
    assert monitoring.model_errors(admin.clinic_id, NOON - timedelta(days=1)).asked == 1


def test_a_run_that_is_not_done_has_no_time_yet(admin, staff):
    finished(staff, status=Status.FAILED)
    assert monitoring.timings(admin.clinic_id, NOON - timedelta(days=1)) == []
