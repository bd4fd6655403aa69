"""What changes a rollout: who may, what the journal says, and what the machine decides by figures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import deployments, standing
from extraction.deployments import CannotRollOut, RefusedAddress
from extraction.llm.health import Health
from extraction.models import Deployment, Finder, Question, Run, RunPage, Status
from extraction.scheduler import Scheduler
from namsite import devservers
from review import actions as review
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, UserFactory
from tests.fakes import vllm
from tests.integration.rollouts import good_answers, state

pytestmark = pytest.mark.django_db

ENDPOINT = "http://10.0.3.51:8000/v1"
WEEK = timedelta(weeks=1)


@pytest.fixture(autouse=True)
def in_service(settings):
    settings.LLM_ENDPOINT = "http://10.0.3.50:8000/v1"
    settings.LLM_ALLOWED_HOSTS = ["10.0.3.51"]


@pytest.fixture
def deployment(admin):
    return begin(admin)


def begin(admin, *, in_shadow=False, **fields):
    arguments = {"endpoints": [ENDPOINT], "model_name": "adapter-2", "prompt_version": "nam-v1"} | fields
    return deployments.start(in_shadow=in_shadow, by=admin, **arguments)


def events():
    return list(Event.objects.filter(verb__startswith="rollout.").order_by("seq"))


# --- Beginning -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_shadow", "share"), [(True, 0), (False, 10)])
def test_a_rollout_begins_in_the_shadow_or_with_one_document_in_ten(admin, in_shadow, share):
    assert begin(admin, in_shadow=in_shadow).share == share
    [event] = events()
    assert (event.verb, event.actor_id, event.clinic_id) == (Verb.ROLLOUT_STARTED, admin.pk, admin.clinic_id)
    assert event.details == {"share": share, "model": "adapter-2", "prompt": "nam-v1"}


@pytest.mark.parametrize(
    "address",
    ["https://api.openai.com/v1", "http://8.8.8.8/v1", "http://10.0.3.52:8000/v1", "http://169.254.169.254/v1"],
)
def test_a_public_address_or_a_host_that_is_not_listed_is_refused(admin, address):
    with pytest.raises(RefusedAddress):
        begin(admin, endpoints=[ENDPOINT, address])
    assert not Deployment.objects.exists()


def test_nothing_is_rolled_out_where_no_model_is_in_service(admin, settings):
    settings.LLM_ENDPOINT = ""
    with pytest.raises(RefusedAddress):
        begin(admin)


def test_an_unknown_prompt_is_refused(admin):
    with pytest.raises(ValueError, match="no prompt"):
        begin(admin, prompt_version="nam-v99")


def test_one_newcomer_is_tried_at_a_time(deployment, admin):
    with pytest.raises(CannotRollOut):
        begin(admin)
    assert len(events()) == 1


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_no_step_is_taken_before_its_time(deployment, admin):
    with pytest.raises(CannotRollOut):
        deployments.go_on(deployment=deployment, by=admin, now=deployment.step_began_at + timedelta(minutes=119))


def test_the_shadow_ends_when_a_person_says_so(admin):
    deployment = begin(admin, in_shadow=True)
    deployments.go_on(deployment=deployment, by=admin, now=timezone.now())
    assert Deployment.objects.get().share == 10


def test_each_step_begins_its_own_waiting_time(deployment, admin):
    later = deployment.step_began_at + timedelta(hours=3)
    deployments.go_on(deployment=deployment, by=admin, now=later)
    after = Deployment.objects.get()
    assert (after.share, after.step_began_at) == (25, later)
    with pytest.raises(CannotRollOut):
        deployments.go_on(deployment=after, by=admin, now=later + timedelta(hours=1))


def test_the_scheduler_goes_on_when_the_figures_are_good(deployment):
    good_answers(deployment, 40)
    good_answers(None, 40)
    deployments.evaluate(deployment.started_at + timedelta(hours=2))
    assert Deployment.objects.get().share == 25
    event = events()[-1]
    assert (event.verb, event.actor_id, event.details["share"]) == (Verb.ROLLOUT_STEPPED, None, 25)


def test_the_scheduler_waits_for_enough_pages(deployment):
    good_answers(deployment, 39)
    good_answers(None, 40)
    deployments.evaluate(deployment.started_at + WEEK)
    assert Deployment.objects.get().share == 10


def test_after_the_last_step_it_is_in_service_and_the_former_one_replaced(deployment, admin):
    Deployment.objects.update(share=100)
    deployments.go_on(deployment=deployment, by=None, now=deployment.started_at + WEEK)
    second = begin(admin)
    Deployment.objects.filter(pk=second.pk).update(share=100)
    deployments.go_on(deployment=second, by=None, now=second.started_at + WEEK)
    assert (state(deployment), state(second)) == (("retired", ""), ("adopted", ""))
    assert events()[-1].verb == Verb.ROLLOUT_ADOPTED


# --- Back ------------------------------------------------------------------------------------------------------------


def test_an_administrator_rolls_back_and_the_journal_says_who(deployment, admin):
    deployments.roll_back(deployment=deployment, by=admin)
    assert state(deployment) == ("rolled_back", "manual")
    event = events()[-1]
    assert (event.verb, event.actor_id, event.reason_code) == (Verb.ROLLOUT_ROLLED_BACK, admin.pk, "manual")


def test_what_is_over_is_rolled_back_stopped_or_gone_on_with_no_more(deployment, admin):
    deployments.stop(deployment=deployment, by=admin)
    later = timezone.now() + WEEK
    for act in (
        lambda: deployments.roll_back(deployment=deployment, by=admin),
        lambda: deployments.stop(deployment=deployment, by=admin),
        lambda: deployments.go_on(deployment=deployment, by=admin, now=later),
    ):
        with pytest.raises(CannotRollOut):
            act()
    assert events()[-1].verb == Verb.ROLLOUT_STOPPED


def bad_rows(fault):
    return {
        "errors": {"error": "schema"},
        "accuracy": {"seen": 0},
        "slow": {"seconds": 3.0},
    }[fault]


@pytest.mark.parametrize("fault", ["errors", "accuracy", "slow"])
def test_the_scheduler_rolls_back_by_itself_and_says_why_in_the_clinics_journal(deployment, admin, fault):
    good_answers(None, 100)
    good_answers(deployment, 30, **bad_rows(fault))
    deployments.evaluate(timezone.now())
    assert state(deployment) == ("rolled_back", fault)
    event = events()[-1]
    assert (event.actor_id, event.clinic_id, event.reason_code) == (None, admin.clinic_id, fault)


@pytest.mark.parametrize(("minutes", "expected"), [((0, 11), "rolled_back"), ((0, 9), "open"), ((11,), "open")])
def test_a_newcomer_is_down_from_its_first_to_its_last_failure(deployment, minutes, expected):
    """Two failures among many answers are few errors; but nothing came through between them."""
    began = timezone.now()
    good_answers(deployment, 100, at=began)
    for minute in minutes:
        good_answers(deployment, 1, at=began + timedelta(minutes=minute + 1), error="timeout")
    deployments.evaluate(began)
    assert state(deployment)[0] == expected


def test_an_answer_between_two_failures_is_no_downtime(deployment):
    began = timezone.now()
    good_answers(deployment, 100, at=began)
    for minute, error in ((1, "timeout"), (2, ""), (30, "timeout")):
        good_answers(deployment, 1, at=began + timedelta(minutes=minute), error=error)
    deployments.evaluate(began)
    assert state(deployment)[0] == "open"


def test_reviewed_pages_count_against_a_newcomer(deployment, staff):
    """What it proposed was wrong, although it agreed with the pattern finder."""
    good_answers(None, 100)
    good_answers(deployment, 30)
    for who, wrong in ((deployment, 3), (None, 0)):
        run = RunFactory(document=DocumentFactory(uploaded_by=staff), finder=Finder.HYBRID)
        for number in range(40):
            RunPageFactory(run=run, number=number + 1, deployment=who, right=3, wrong=wrong)
    deployments.evaluate(timezone.now())
    assert state(deployment) == ("rolled_back", "accuracy")


def test_errors_of_the_distant_past_do_not_count(deployment):
    good_answers(deployment, 30, error="timeout", at=timezone.now())
    good_answers(deployment, 200, at=timezone.now() + timedelta(minutes=1))
    deployments.evaluate(timezone.now())
    assert state(deployment)[0] == "open"


# --- Searching again -------------------------------------------------------------------------------------------------


@pytest.fixture
def answered(deployment, staff):
    """A done run of two pages that the newcomer answered."""
    run = RunFactory(document=DocumentFactory(uploaded_by=staff), finder=Finder.HYBRID)
    for number in (1, 2):
        RunPageFactory(run=run, number=number, deployment=deployment, words={"number": number})
    return run


def test_pages_of_a_rolled_back_model_are_queued_again_and_journalled(answered, deployment, admin):
    deployments.roll_back(deployment=deployment, by=admin)
    deployments.evaluate(timezone.now())
    answered.refresh_from_db()
    assert (answered.status, answered.turn) == (Status.QUEUED, 1)
    assert list(answered.pages.values_list("state", flat=True)) == ["read", "read"]
    event = Event.objects.get(verb=Verb.RUN_QUEUED)
    assert (event.count, event.reason_code, event.actor_id) == (2, "rolled_back", None)


def test_pages_are_queued_again_once(answered, deployment, admin):
    deployments.roll_back(deployment=deployment, by=admin)
    assert [deployments.search_again() for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("end", ["stop", None])
def test_pages_of_a_model_that_was_not_rolled_back_stay(answered, deployment, admin, end):
    if end:
        deployments.stop(deployment=deployment, by=admin)
    assert deployments.search_again() == 0


def test_a_run_that_is_at_work_has_its_turn_when_it_is_done(answered, deployment, admin):
    deployments.roll_back(deployment=deployment, by=admin)
    Run.objects.update(status=Status.FINDING)
    assert deployments.search_again() == 0
    Run.objects.update(status=Status.DONE)
    assert deployments.search_again() == 1


def test_a_signed_off_page_is_not_searched_again(answered, deployment, admin, reviewer):
    review.sign_off(run=answered, page=1, by=reviewer)
    deployments.roll_back(deployment=deployment, by=admin)
    deployments.search_again()
    assert list(answered.pages.order_by("number").values_list("state", flat=True)) == ["found", "read"]


def test_a_reopened_page_is_searched_again(answered, deployment, admin, reviewer):
    review.sign_off(run=answered, page=1, by=reviewer)
    review.reopen(document=answered.document, page=1, by=reviewer)
    deployments.roll_back(deployment=deployment, by=admin)
    deployments.search_again()
    assert set(answered.pages.values_list("state", flat=True)) == {"read"}


def test_a_sign_off_hands_its_score_down(answered, reviewer):
    right, wrong = (FindingFactory(run=answered, page=1) for _ in range(2))
    review.decide(finding=right, value=review.Value(right.value), by=reviewer)
    review.decide(finding=wrong, value=None, reason="not_a_nam", by=reviewer)
    review.add(document=answered.document, page=1, value=review.Value("TREM04121925"), by=reviewer)
    review.sign_off(run=answered, page=1, by=reviewer)
    page = RunPage.objects.get(run=answered, number=1)
    assert (page.right, page.wrong) == (1, 2)


# --- Upkeep ----------------------------------------------------------------------------------------------------------


def test_questions_are_forgotten_after_a_month(deployment):
    now = timezone.now()
    good_answers(deployment, 1, at=now - timedelta(days=31))
    good_answers(deployment, 1, at=now - timedelta(days=29))
    deployments.forget_old_questions(now)
    assert Question.objects.count() == 1


@pytest.mark.queue
def test_the_scheduler_looks_every_thirty_seconds(empty_redis, deployment):
    now = timezone.now()
    waker = Scheduler()
    waker.round(now)
    good_answers(deployment, 3, error="timeout")
    waker.round(now + timedelta(seconds=29))
    assert state(deployment)[0] == "open"
    waker.round(now + timedelta(seconds=30))
    assert state(deployment)[0] == "rolled_back"


def test_a_bad_model_goes_although_the_queue_is_away(deployment):
    good_answers(deployment, 3, error="timeout")
    Scheduler().attempt(timezone.now())
    assert state(deployment)[0] == "rolled_back"


# --- Pages -----------------------------------------------------------------------------------------------------------

FORM = {"endpoints": ENDPOINT, "model_name": "adapter-2", "prompt_version": "nam-v1", "in_shadow": "0"}


@pytest.fixture
def answering(monkeypatch):
    """The newcomer's servers are there."""
    monkeypatch.setattr(deployments.health, "health", lambda server: Health(ok=True, seconds=0.1, detail="ok"))


def page(client):
    return client.get(reverse("extraction:deployments")).content.decode()


def test_the_page_says_what_to_do_where_nothing_is_tried(admin_client):
    assert "Aucun nouveau modèle n’est à l’essai" in page(admin_client)


def test_an_installation_without_a_model_offers_no_form(admin_client, settings):
    settings.LLM_ENDPOINT = ""
    assert "add" not in page(admin_client)


@pytest.mark.usefixtures("answering")
def test_a_newcomer_is_begun_through_the_form(admin_client, admin):
    two = {**FORM, "endpoints": f"{ENDPOINT}\n\n http://10.0.3.51:8001/v1/ \n{ENDPOINT}"}
    assert admin_client.post(reverse("extraction:add-deployment"), two).status_code == 302
    deployment = Deployment.objects.get()
    assert deployment.endpoints == [ENDPOINT, "http://10.0.3.51:8001/v1"]
    assert (deployment.share, deployment.started_by) == (10, admin)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"endpoints": "https://api.openai.com/v1"}, "Cette adresse est refusée"),
        ({"prompt_version": "nam-v99"}, "errorlist"),
        ({"endpoints": " "}, "errorlist"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_begins_nothing(admin_client, change, said):
    answer = admin_client.post(reverse("extraction:add-deployment"), FORM | change)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Deployment.objects.exists()


def test_a_newcomer_whose_server_is_not_there_is_not_begun(admin_client, settings):
    settings.LLM_ALLOWED_HOSTS = ["127.0.0.1"]
    address = f"http://127.0.0.1:{devservers.free_port()}/v1"
    answer = admin_client.post(reverse("extraction:add-deployment"), FORM | {"endpoints": address})
    assert answer.status_code == 400
    assert f"Le serveur à {address} ne répond pas." in answer.content.decode()
    assert not Deployment.objects.exists()


def test_a_newcomer_that_its_server_does_not_serve_is_not_begun(admin_client, settings):
    settings.LLM_ALLOWED_HOSTS = ["127.0.0.1"]
    with vllm.running_vllm(model="adapter-1") as running:
        answer = admin_client.post(reverse("extraction:add-deployment"), FORM | {"endpoints": running.endpoint})
    assert "ne sert pas le modèle" in answer.content.decode()
    assert not Deployment.objects.exists()


@pytest.mark.usefixtures("answering")
def test_a_second_newcomer_is_refused_with_a_sentence(admin_client, deployment):
    answer = admin_client.post(reverse("extraction:add-deployment"), FORM)
    assert answer.status_code == 409
    assert "Un autre nouveau modèle est à l’essai" in answer.content.decode()


def test_figures_stand_beside_the_baselines(admin_client, deployment):
    good_answers(deployment, 38)
    good_answers(deployment, 2, error="timeout")
    good_answers(None, 100, seconds=0.5)
    text = page(admin_client)
    assert all(figure in text for figure in ("5,0\xa0%", "0,0\xa0%", "1,0\xa0s", "0,5\xa0s", ">40<", ">100<"))


def test_the_next_step_is_offered_when_its_time_has_come(admin_client, deployment):
    next_step = reverse("extraction:next-step", args=[deployment.pk])
    assert next_step not in page(admin_client)
    Deployment.objects.update(step_began_at=timezone.now() - timedelta(hours=2))
    assert next_step in page(admin_client)
    admin_client.post(next_step)
    assert Deployment.objects.get().share == 25


def test_the_next_step_cannot_be_forced(admin_client, deployment):
    assert admin_client.post(reverse("extraction:next-step", args=[deployment.pk])).status_code == 409


@pytest.mark.parametrize(("button", "expected"), [("roll-back", "rolled_back"), ("stop-deployment", "stopped")])
def test_one_click_ends_it(admin_client, deployment, button, expected):
    address = reverse(f"extraction:{button}", args=[deployment.pk])
    assert address in page(admin_client)
    admin_client.post(address)
    assert state(deployment)[0] == expected
    assert "adapter-2" in page(admin_client)


def test_the_page_says_why_a_newcomer_was_rolled_back(admin_client, deployment):
    good_answers(deployment, 3, error="timeout")
    deployments.evaluate(timezone.now())
    text = page(admin_client)
    assert "plus d’une question sur vingt a échoué" in text
    assert "100,0\xa0%" in text


def test_what_is_in_service_can_be_rolled_back_too(admin_client, deployment):
    Deployment.objects.update(state="adopted", share=100)
    assert reverse("extraction:roll-back", args=[deployment.pk]) in page(admin_client)


def test_the_administrators_of_every_clinic_see_it(client, deployment):
    client.force_login(UserFactory(role="admin"))
    assert "adapter-2" in page(client)


def test_the_shadows_comparison_is_shown_in_numbers(admin_client, admin):
    deployment = begin(admin, in_shadow=True)
    good_answers(deployment, 10, is_shadow=True, both=7, only_baseline=2, only_newcomer=1)
    assert standing.comparison_of(deployment) == standing.Comparison(70, 20, 10)
    assert "70" in page(admin_client)


def test_the_page_costs_the_same_however_much_was_asked(admin_client, deployment, django_assert_max_num_queries):
    good_answers(deployment, 300)
    with django_assert_max_num_queries(25):
        page(admin_client)
