"""Alerts: raised once, kept while they last, ended; told in the app, by e-mail and to CloudWatch, and acknowledged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import boto3
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone, translation

from audit.models import Event
from audit.verbs import Verb
from extraction import alert_mail, alerts, availability, banner, cloudwatch, costs
from extraction.alerts import Reading, Watchman
from extraction.models import Alert, AlertKind, Finder, Sample
from extraction.scheduler import Scheduler
from review.models import PageScore
from tests.factories import (
    AlertFactory,
    ClinicFactory,
    DocumentFactory,
    RunFactory,
    RunPageFactory,
    UserFactory,
    some_nam,
)

pytestmark = pytest.mark.django_db

PAGE = reverse("extraction:alerts")
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday, noon in Montréal
MINUTE = timedelta(minutes=1)


def open_kinds(clinic=None) -> list[str]:
    found = Alert.objects.filter(ended_at=None)
    return sorted((found if clinic is None else found.filter(clinic=clinic)).values_list("kind", flat=True))


def page_score(run, *, page: int = 1, tp: int, fp: int = 0, fn: int = 0, **more):
    PageScore.objects.create(run=run, clinic=run.document.clinic, page=page, signed_on=NOON.date(), tp=tp, fp=fp, fn=fn,
                             day_right=0, clock_right=0, **more)  # fmt: skip


def scored(staff, tp: int, fp: int = 0, fn: int = 0):
    """A run with one signed page of these counts, newer than those before it."""
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    page_score(run, tp=tp, fp=fp, fn=fn)
    return run


def finished(staff, *, pages: int = 20, seconds: float = 30.0, model: float = 1.0, errors: int = 0):
    """A document that took so long, `model` seconds of it for finding each page."""
    run = RunFactory(
        document=DocumentFactory(uploaded_by=staff, page_count=pages), finder=Finder.HYBRID,
        started_at=NOON - timedelta(hours=1, seconds=seconds), finished_at=NOON - timedelta(hours=1),
    )  # fmt: skip
    for number in range(1, pages + 1):
        code = "model_bad_reply" if number <= errors else ""
        RunPageFactory(run=run, number=number, find_seconds=model, model_error_code=code)
    return run


def looks(states: str) -> None:
    """One look a minute up to noon: + up, - unreachable."""
    for back, mark in enumerate(reversed(states)):
        Sample.objects.create(
            server="main", minute=NOON - back * MINUTE, state="ok" if mark == "+" else "unreachable", seconds=0.02
        )


# --- What calls for one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("others", "kind"), [({"fp": 3}, "precision"), ({"fn": 3}, "recall")])
def test_below_85_percent_is_an_alert_with_the_third_run_and_not_before(staff, clinic, others, kind):
    for _run in range(2):
        scored(staff, tp=16, **others)  # 84.2 %
    alerts.evaluate(NOON)
    assert open_kinds() == []
    scored(staff, tp=16, **others)
    alerts.evaluate(NOON)
    assert open_kinds(clinic) == [kind]
    assert Alert.objects.get().figure == pytest.approx(16 / 19)


@pytest.mark.parametrize("others", [{"fp": 3}, {"fn": 3}])
def test_exactly_85_percent_is_none(staff, others):
    for _run in range(3):
        scored(staff, tp=17, **others)
    alerts.evaluate(NOON)
    assert open_kinds() == []


def test_one_good_run_between_bad_ones_is_none(staff):
    for fp in (5, 0, 5, 5):
        scored(staff, tp=5, fp=fp)
    alerts.evaluate(NOON)
    assert open_kinds() == []


def test_a_run_without_a_proposal_has_no_precision_and_is_passed_over(staff):
    for tp, fp in ((5, 5), (5, 5), (0, 0), (5, 5)):
        scored(staff, tp=tp, fp=fp)
    alerts.evaluate(NOON)
    assert open_kinds() == ["precision"]


def test_a_run_that_tries_another_configuration_alarms_nobody(staff):
    run = scored(staff, tp=9)
    for number in range(3):
        page_score(RunFactory(document=run.document), page=number, tp=1, fp=9, is_reviewed=False)
    alerts.evaluate(NOON)
    assert open_kinds() == []


def test_a_run_counts_with_all_its_pages(staff):
    for _run in range(3):
        run = scored(staff, tp=0, fp=1)
        page_score(run, page=2, tp=9)
    alerts.evaluate(NOON)
    assert open_kinds() == []


@pytest.mark.parametrize(
    ("pages", "seconds", "is_alert"),
    [(20, 60.0, False), (20, 60.5, True), (10, 30.0, False), (10, 30.5, True), (40, 119.0, False)],
)
def test_a_minute_for_twenty_pages_is_the_limit_whatever_the_length(staff, pages, seconds, is_alert):
    for _document in range(3):
        finished(staff, pages=pages, seconds=seconds)
    alerts.evaluate(NOON)
    assert open_kinds() == (["total_time"] if is_alert else [])


@pytest.mark.parametrize(("model", "is_alert"), [(2.25, False), (2.3, True)])
def test_the_model_has_forty_five_seconds_for_twenty_pages(staff, settings, model, is_alert):
    settings.LLM_CONCURRENCY = 1
    for _document in range(3):
        finished(staff, seconds=50, model=model)
    alerts.evaluate(NOON)
    assert open_kinds() == (["model_time"] if is_alert else [])


@pytest.mark.parametrize(
    ("states", "is_alert"), [("+++--", False), ("++---", True), ("---++", True), ("---+++", False)]
)
def test_three_failed_looks_in_five_minutes(settings, states, is_alert):
    settings.LLM_ENDPOINT = "http://127.0.0.1:9/v1"
    looks(states)
    alerts.evaluate(NOON + timedelta(seconds=1))
    assert open_kinds() == (["health"] if is_alert else [])


@pytest.mark.parametrize(("errors", "is_alert"), [(1, False), (2, True)])
def test_more_than_five_percent_of_unusable_answers(staff, errors, is_alert):
    finished(staff, pages=20, errors=errors)
    alerts.evaluate(NOON)
    assert open_kinds() == (["error_rate"] if is_alert else [])


@pytest.mark.parametrize(("total", "is_alert"), [("150.00", False), ("150.01", True)])
def test_a_month_above_150_dollars(clinic, monkeypatch, total, is_alert):
    class Month:
        total = Decimal("0")
        is_dear = False

    Month.total, Month.is_dear = Decimal(total), Decimal(total) > costs.MONTHLY_ALERT
    monkeypatch.setattr("extraction.usage.this_month", lambda *_args, **_more: Month)
    alerts.evaluate(NOON)
    assert open_kinds(clinic) == (["cost"] if is_alert else [])


def test_what_the_servers_of_this_month_cost_is_reckoned(clinic):
    Sample.objects.bulk_create(
        Sample(server="main", minute=NOON - n * MINUTE, state="ok", seconds=0.02) for n in range(15_000)
    )
    alerts.evaluate(NOON)
    alert = Alert.objects.get(kind=AlertKind.COST, clinic=clinic)
    assert alert.figure == pytest.approx(15_000 / 60 * 0.526 + 25, abs=5)


# --- Raised once, ended ----------------------------------------------------------------------------------------------


def wrong(clinic, figure=0.5, kind=AlertKind.RECALL):
    return Reading(kind, figure, is_wrong=True, clinic_id=clinic.pk)


def test_an_alert_is_raised_once_while_it_lasts_and_refreshed(clinic):
    for minutes, figure in ((0, 0.5), (1, 0.6), (2, 0.4)):
        alerts.note([wrong(clinic, figure)], of=[AlertKind.RECALL], moment=NOON + minutes * MINUTE)
    alert = Alert.objects.get()
    assert (alert.raised_at, alert.seen_at, alert.figure) == (NOON, NOON + 2 * MINUTE, 0.4)


def test_an_alert_ends_when_it_is_over_and_comes_again_as_another(clinic):
    alerts.note([wrong(clinic)], of=[AlertKind.RECALL], moment=NOON)
    alerts.note([wrong(clinic)._replace(is_wrong=False)], of=[AlertKind.RECALL], moment=NOON + MINUTE)
    assert Alert.objects.get().ended_at == NOON + MINUTE
    alerts.note([wrong(clinic)], of=[AlertKind.RECALL], moment=NOON + 2 * MINUTE)
    assert Alert.objects.count() == 2


def test_what_was_not_looked_at_does_not_end(clinic):
    alerts.note([wrong(clinic)], of=[AlertKind.RECALL], moment=NOON)
    alerts.note([], of=[AlertKind.COST], moment=NOON + MINUTE)
    assert Alert.objects.get().is_open


def test_each_clinic_has_its_own(clinic):
    other = ClinicFactory()
    alerts.note([wrong(clinic), wrong(other)], of=[AlertKind.RECALL], moment=NOON)
    alerts.note([wrong(other)], of=[AlertKind.RECALL], moment=NOON + MINUTE)
    assert Alert.objects.get(ended_at=None).clinic == other


def test_two_schedulers_that_overlap_raise_it_once(clinic, monkeypatch):
    alerts.note([wrong(clinic)], of=[AlertKind.RECALL], moment=NOON)
    alerts._raise(wrong(clinic), NOON)
    assert Alert.objects.count() == 1


def test_a_watch_is_looked_through_when_it_is_due():
    watchman = Watchman()
    assert watchman.round(NOON)
    assert not watchman.round(NOON + timedelta(seconds=59))
    assert watchman.round(NOON + MINUTE)
    costly = next(each for each in alerts.watches() if AlertKind.COST in each.kinds)
    assert watchman.looked_at[costly] == NOON


def test_a_watch_that_breaks_off_ends_nothing_and_stops_nobody(clinic, staff, monkeypatch, caplog):
    alerts.note([wrong(clinic, kind=AlertKind.COST)], of=[AlertKind.COST], moment=NOON)
    for _run in range(3):
        scored(staff, tp=1, fn=9)

    def broken(*_args):
        raise KeyError("Tremblay")

    monkeypatch.setattr("extraction.usage.this_month", broken)
    alerts.evaluate(NOON)
    assert open_kinds(clinic) == ["cost", "recall"]
    assert "a watch of cost broke off (KeyError)" in caplog.text
    assert "Tremblay" not in caplog.text


def test_the_scheduler_raises_alerts_while_redis_is_away(staff):
    for _run in range(3):
        scored(staff, tp=1, fn=9)
    Scheduler().attempt(timezone.now())
    assert open_kinds() == ["recall"]


# --- In the app ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_has_a_threshold_a_hearer_and_a_sentence(kind):
    alert = AlertFactory(kind=kind, threshold=alerts.THRESHOLDS[kind], detail="2/20", subject="main")
    assert banner.sentence(alert).endswith(".")
    assert kind in banner.HEARERS or kind == AlertKind.HEALTH


def told(user, moment=NOON) -> list[str]:
    with translation.override("en"):
        return [each.replace("\u00a0", " ") for each in banner.banner(user, moment)]


def test_reviewers_and_administrators_hear_of_recall_and_staff_does_not(clinic, staff, reviewer, admin):
    AlertFactory(clinic=clinic, figure=0.8123)
    expected = ["Recall is below 85% in the last three scored extractions; in the newest it is 81.2%."]
    assert (told(reviewer), told(admin), told(staff)) == (expected, expected, [])


def test_costs_are_told_to_administrators_only(clinic, reviewer, admin):
    AlertFactory(clinic=clinic, kind="cost", figure=151.5, threshold=150)
    assert told(admin) == ["This month has cost US$151.50, more than US$150."]
    assert told(reviewer) == []


def test_another_clinics_alert_is_told_to_nobody_here(admin, client):
    other = AlertFactory(clinic=ClinicFactory())
    assert told(admin) == []
    client.force_login(admin)
    assert str(other.pk) not in client.get(PAGE).content.decode()
    assert client.post(reverse("extraction:acknowledge", args=[other.pk])).status_code == 404
    assert Event.objects.filter(verb=Verb.CROSS_TENANT_DENIED, actor_id=admin.pk).count() == 1


def test_what_is_acknowledged_is_told_to_administrators_no_more_and_to_people_who_wait_still(
    clinic, staff, admin, settings
):
    settings.LLM_ENDPOINT = "http://127.0.0.1:9/v1"
    looks("---")
    alerts.evaluate(NOON)
    Alert.objects.update(acknowledged_at=NOON, acknowledged_by=admin)
    assert told(admin) == []
    assert "has not answered since 11:58" in told(staff)[0]


def test_an_administrator_sees_it_on_every_page_and_acknowledges_it(clinic, admin, admin_client):
    alert = AlertFactory(clinic=clinic)
    journal = reverse("review:journal")
    assert "Le rappel est sous" in admin_client.get(journal).content.decode()
    address = reverse("extraction:acknowledge", args=[alert.pk])
    for _turn in range(2):
        assert admin_client.post(address, follow=True).status_code == 200
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.is_open) == (admin, True)
    event = Event.objects.get(verb=Verb.ALERT_ACKNOWLEDGED)
    assert (event.actor_id, event.object_id, event.reason_code) == (admin.pk, alert.pk, "recall")
    assert "Le rappel est sous" not in admin_client.get(journal).content.decode()


def test_the_page_names_the_section_that_says_what_to_do(clinic, admin_client):
    AlertFactory(clinic=clinic)
    page = admin_client.get(PAGE).content.decode().replace("\u00a0", " ")
    assert "Quoi faire : docs/interventions.md, section « Rappel »." in page


def test_a_colleague_of_another_clinic_is_not_named(clinic, admin_client):
    stranger = UserFactory(name="Étienne Étranger")
    AlertFactory(clinic=None, kind="health", subject="main", acknowledged_by=stranger, acknowledged_at=NOON)
    page = admin_client.get(PAGE).content.decode()
    assert "Étranger" not in page
    assert "autre clinique" in page


def test_the_history_is_narrowed_by_kind_and_day(clinic, admin_client):
    AlertFactory(clinic=clinic, kind="precision", raised_at=NOON, ended_at=NOON)
    AlertFactory(clinic=clinic, kind="recall", raised_at=NOON - timedelta(days=9), ended_at=NOON)

    def shown(**query):
        return sorted(alert.kind for alert in admin_client.get(PAGE, query).context["page"])

    assert shown() == ["precision", "recall"]
    assert shown(kind="recall") == ["recall"]
    assert shown(since="2026-11-23") == shown(since="2026-11-23", until="2026-11-23") == ["precision"]
    assert shown(kind="nonsense") == ["precision", "recall"]


# --- By e-mail -------------------------------------------------------------------------------------------------------


@pytest.fixture
def told_by_mail(settings):
    settings.ALERT_EMAILS = ["garde@reseau.example"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return settings


def test_an_alert_is_sent_once_in_both_languages(told_by_mail, clinic):
    AlertFactory(clinic=clinic, raised_at=NOON)
    for minutes in range(3):
        assert alert_mail.send_due(NOON + minutes * MINUTE)
    (message,) = mail.outbox
    assert message.to == ["garde@reseau.example"]
    assert "Le rappel est sous" in message.body
    assert "Recall is below 85" in message.body
    assert "docs/interventions.md, section « Rappel »" in message.body.replace("\u00a0", " ")
    assert "docs/runbooks.md, section “Recall”" in message.body
    assert Alert.objects.get().mailed_at == NOON


def test_no_health_information_is_in_a_message(told_by_mail, staff):
    for _run in range(3):
        run = scored(staff, tp=1, fp=9, fn=9)
        run.document.file_name = "Tremblay 1961.pdf"
        run.document.save()
        finished(staff, seconds=600, errors=20)
    alerts.evaluate(NOON)
    alert_mail.send_due(NOON)
    text = "\n".join(f"{message.subject} {message.body}" for message in mail.outbox)
    assert len(mail.outbox) == 5 - 1  # precision, recall, time, unusable answers
    secrets = ["Tremblay", "agenda.pdf", staff.name, staff.email, *(some_nam(n) for n in range(200))]
    assert not [secret for secret in secrets if secret in text]


def test_a_dead_mail_server_loses_nothing(told_by_mail, clinic, caplog):
    told_by_mail.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    told_by_mail.EMAIL_HOST, told_by_mail.EMAIL_PORT = "127.0.0.1", 1
    AlertFactory(clinic=clinic, raised_at=NOON, ended_at=NOON + MINUTE)
    assert not alert_mail.send_due(NOON)
    assert Alert.objects.get().mailed_at is None
    assert "(ConnectionRefusedError)" in caplog.text
    told_by_mail.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert alert_mail.send_due(NOON + timedelta(days=1))
    assert "Over since" in mail.outbox[0].body


def test_a_mail_server_that_is_set_up_wrongly_stops_nobody(told_by_mail, clinic):
    told_by_mail.EMAIL_BACKEND = "nowhere.EmailBackend"
    AlertFactory(clinic=clinic, raised_at=NOON)
    assert not alert_mail.send_due(NOON)


def test_the_scheduler_tries_again_after_a_pause(told_by_mail, clinic, monkeypatch):
    tried: list[datetime] = []
    monkeypatch.setattr(alert_mail, "send_due", lambda moment: bool(tried.append(moment)))
    scheduler = Scheduler()
    for seconds in (0, 2, 299, 300):
        scheduler.attempt(NOON + timedelta(seconds=seconds))
    assert tried == [NOON, NOON + timedelta(seconds=300)]


def test_nobody_is_told_where_no_address_is_set(settings, clinic):
    settings.ALERT_EMAILS = []
    AlertFactory(clinic=clinic)
    assert alert_mail.send_due(timezone.now())
    assert mail.outbox == []


# --- CloudWatch ------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(settings, moto_endpoint):
    settings.AWS_ENDPOINT_URL = moto_endpoint
    settings.CLOUDWATCH_NAMESPACE = "NAMExtraction"
    client = boto3.client("cloudwatch", region_name="ca-central-1", endpoint_url=moto_endpoint)
    yield client
    found = client.describe_alarms()["MetricAlarms"]
    client.delete_alarms(AlarmNames=[alarm["AlarmName"] for alarm in found])


def value(client, metric, kind, statistic="Maximum"):
    moment = timezone.now()
    points = client.get_metric_statistics(
        Namespace="NAMExtraction", MetricName=metric, Dimensions=[{"Name": "Kind", "Value": kind}], Period=60,
        StartTime=moment - timedelta(hours=1), EndTime=moment + MINUTE, Statistics=[statistic],
    )["Datapoints"]  # fmt: skip
    return max(point[statistic] for point in points) if points else None


def test_open_alerts_and_the_worst_figure_are_sent(watched, clinic):
    AlertFactory(clinic=clinic, kind="recall")
    readings = [wrong(clinic, 0.8), wrong(ClinicFactory(), 0.6), wrong(clinic, 61.0, AlertKind.TOTAL_TIME)]
    assert cloudwatch.publish(readings, timezone.now())
    assert value(watched, "OpenAlerts", "recall") == 1
    assert value(watched, "OpenAlerts", "cost") == 0
    assert value(watched, "WorstFigure", "recall") == 0.6
    assert value(watched, "WorstFigure", "total_time") == 61.0


def test_there_is_an_alarm_for_each_kind_with_what_it_calls(watched, settings, capsys):
    settings.CLOUDWATCH_ALARM_PREFIX = "clinique-"
    settings.CLOUDWATCH_ALARM_ACTIONS = ["arn:aws:sns:ca-central-1:123456789012:garde"]
    for _turn in range(2):
        call_command("put_cloudwatch_alarms")
    found = {alarm["AlarmName"]: alarm for alarm in watched.describe_alarms()["MetricAlarms"]}
    assert set(found) == {f"clinique-{kind.replace('_', '-')}" for kind in AlertKind.values}
    health = found["clinique-health"]
    assert (health["MetricName"], health["TreatMissingData"]) == ("OpenAlerts", "breaching")
    assert health["AlarmActions"] == settings.CLOUDWATCH_ALARM_ACTIONS
    assert "clinique-error-rate" in capsys.readouterr().out


def test_nothing_is_sent_where_no_namespace_is_set(settings, monkeypatch):
    settings.CLOUDWATCH_NAMESPACE = ""
    monkeypatch.setattr(cloudwatch, "_client", lambda: pytest.fail("asked AWS"))
    assert cloudwatch.publish([], NOON)
    with pytest.raises(CommandError, match="CLOUDWATCH_NAMESPACE is not set"):
        call_command("put_cloudwatch_alarms")


def test_another_region_is_refused(watched, settings):
    settings.AWS_REGION = "us-east-1"
    assert not cloudwatch.publish([], NOON)
    with pytest.raises(CommandError, match="ca-central-1"):
        call_command("put_cloudwatch_alarms")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "no address"])
def test_cloudwatch_out_of_reach_is_one_log_line_and_no_reason_to_stop(watched, settings, caplog, address):
    settings.AWS_ENDPOINT_URL = address
    assert not cloudwatch.publish([], NOON)
    assert caplog.text.count("the metrics could not be sent") == 1


def test_thresholds_are_those_of_the_planning_document():
    expected = {
        "precision": 0.85, "recall": 0.85, "total_time": 60, "model_time": 45, "health": 3, "error_rate": 0.05,
        "cost": 150, "journal": 0,
    }  # fmt: skip
    assert {str(kind): value for kind, value in alerts.THRESHOLDS.items()} == pytest.approx(expected)
    assert availability.FAILURES_WITHIN == 5 * MINUTE
