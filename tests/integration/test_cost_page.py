"""What the system costs: the calculator, prices that an administrator changes, and what was really used."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import actions, prices, usage
from extraction.models import DayUse, Finder, PriceChange, Run, Sample
from tests.factories import DocumentFactory, RunFactory, RunPageFactory

pytestmark = pytest.mark.django_db

PAGE = reverse("extraction:costs")
CHANGE = reverse("extraction:change-price")
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
NEW = {
    "name": "instance.g4dn.xlarge",
    "amount": "0.584",
    "from_day": "2026-01-01",
    "source": "AWS price list, ca-central-1",
}


def text(answer) -> str:
    return answer.content.decode().replace("\u00a0", " ")


# --- The calculator --------------------------------------------------------------------------------------------------


def test_the_page_begins_with_the_planning_documents_assumptions(admin_client):
    page = text(admin_client.get(PAGE))
    assert "117,58 $ US" in page
    assert "0,24 $ US" in page
    assert "1 680" in page


def test_english_writes_money_its_own_way(admin_client, settings):
    admin_client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "US$117.58" in text(admin_client.get(PAGE))


def test_what_is_typed_is_reckoned_with(admin_client):
    typed = {
        "extractions": 2000, "pages": 20, "instance": "g5.xlarge", "hours": "ten", "storage": 150, "scanned": 100,
        "growth": 0, "page_tokens": 500, "answer_tokens": 1000, "switching": "on",
    }  # fmt: skip
    page = text(admin_client.get(PAGE, typed))
    assert "258,32 $ US" in page  # 1.006 × 220 + 30 + 5 + 2
    assert "60,00 $ US" in page  # 2,000 × 20 × 0.0015


def test_a_link_may_name_one_assumption_only(admin_client):
    page = text(admin_client.get(PAGE, {"hours": "always"}))
    assert "408,98 $ US" in page
    assert "errorlist" not in page


def test_what_cannot_be_reckoned_with_is_said_and_the_first_assumptions_stay(admin_client):
    answer = admin_client.get(PAGE, {"extractions": "-3"})
    assert answer.status_code == 200
    assert "errorlist" in text(answer)
    assert "117,58 $ US" in text(answer)


@pytest.mark.parametrize(
    ("extractions", "said"), [(500, "coûte plus cher"), (2000, "ne coûte pas plus"), (20000, "un deuxième")]
)
def test_the_first_line_advises_by_volume(admin_client, extractions, said):
    typed = {
        "extractions": extractions, "pages": 20, "instance": "g4dn.xlarge", "hours": "eight", "storage": 100,
        "scanned": 0, "growth": 50, "page_tokens": 500, "answer_tokens": 1000,
    }  # fmt: skip
    assert said in text(admin_client.get(PAGE, typed))


def test_no_extraction_at_all_is_no_error(admin_client):
    typed = {
        "extractions": 0, "pages": 1, "instance": "g4dn.xlarge", "hours": "always", "storage": 0, "scanned": 0,
        "growth": 0, "page_tokens": 0, "answer_tokens": 0,
    }  # fmt: skip
    assert admin_client.get(PAGE, typed).status_code == 200


# --- Prices ----------------------------------------------------------------------------------------------------------


def test_an_administrator_changes_a_price_and_the_page_reckons_with_it(admin_client):
    assert admin_client.post(CHANGE, NEW)["Location"] == PAGE
    page = text(admin_client.get(PAGE))
    assert "127,78 $ US" in page  # 0.584 × 176 + 25
    assert "AWS price list, ca-central-1" in page
    assert "Ada Admin" in page


def test_the_change_is_journalled_with_what_was_before(admin_client, admin):
    admin_client.post(CHANGE, NEW)
    event = Event.objects.get(verb=Verb.PRICE_CHANGED)
    assert (event.actor_id, event.object_id) == (admin.pk, PriceChange.objects.get().pk)
    assert event.details == {
        "price": "instance.g4dn.xlarge", "before": "0.526", "after": "0.584", "from": "2026-01-01"
    }  # fmt: skip


def test_no_price_is_changed_when_the_journal_is_broken(admin_client, monkeypatch):
    from django.db import DatabaseError

    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr("audit.record._append", broken)
    assert admin_client.post(CHANGE, NEW).status_code == 503
    assert not PriceChange.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "-1"}, {"amount": "a lot"}, {"amount": "NaN"}, {"name": "gold"}, {"source": ""}, {"from_day": "soon"}],
)
def test_a_price_that_is_none_is_refused_in_the_form(admin_client, wrong):
    answer = admin_client.post(CHANGE, NEW | wrong)
    assert answer.status_code == 400
    assert "errorlist" in text(answer)
    assert not PriceChange.objects.exists()


def test_a_price_of_another_clinic_does_not_count(admin_client, outsider):
    actions.change_price(name="storage", amount=Decimal(99), from_day=date(2026, 1, 1), source="elsewhere", by=outsider)
    page = text(admin_client.get(PAGE))
    assert "117,58 $ US" in page
    assert "elsewhere" not in page


def test_an_unknown_price_cannot_be_changed(admin):
    with pytest.raises(prices.UnknownPrice):
        actions.change_price(name="gold", amount=Decimal(1), from_day=date(2026, 1, 1), source="s", by=admin)


def test_a_changed_price_that_the_file_no_longer_has_is_left_alone(admin):
    PriceChange.objects.create(
        clinic=admin.clinic, name="gone", amount=Decimal(1), from_day=date(2026, 1, 1), source="s", set_by=admin
    )
    assert "gone" not in prices.book(admin.clinic_id).on(date(2026, 2, 1))


# --- What was really used --------------------------------------------------------------------------------------------


def months(clinic, **more):
    assumed = {"instance": "g4dn.xlarge", "fixed": Decimal(25), "moment": NOON} | more
    return usage.months(clinic.pk, prices.book(clinic.pk), **assumed)


def run_of(person, moment: datetime, *readers: str, **fields):
    run = RunFactory(document=DocumentFactory(uploaded_by=person), **{"finder": Finder.HYBRID} | fields)
    Run.objects.filter(pk=run.pk).update(created_at=moment)
    for number, reader in enumerate(readers, start=1):
        RunPageFactory(run=run, number=number, reader=reader, state="found" if reader else "unread")
    return run


def hours(count: int, begins: datetime, state: str = "ok") -> None:
    Sample.objects.bulk_create(
        Sample(server="main", minute=begins + timedelta(minutes=minute), state=state, seconds=0.01)
        for minute in range(60 * count)
    )


def test_documents_and_pages_are_counted_in_their_month(clinic, staff):
    run_of(staff, NOON, "text_layer", "textract", "textract", "")
    run_of(staff, NOON, "textract", finder=Finder.PATTERN)
    run_of(staff, NOON, "local", status="failed")
    run_of(staff, datetime(2026, 11, 1, 3, 59, tzinfo=UTC), "textract")  # October in Montréal
    november, october = months(clinic)
    assert (november.extractions, november.pages) == (2, 5)
    assert (november.textract_pages, november.model_pages) == (3, 4)
    assert (october.extractions, october.textract_pages) == (1, 1)


def test_textract_costs_by_the_page(clinic, staff):
    run_of(staff, NOON, "textract", "textract")
    assert months(clinic)[0].textract_cost == Decimal("0.003")


def test_hours_are_those_in_which_something_answered(clinic):
    hours(10, datetime(2026, 11, 2, 14, 0, tzinfo=UTC))
    hours(1, datetime(2026, 11, 3, 14, 0, tzinfo=UTC), state="model_missing")  # it runs and is paid for
    hours(5, datetime(2026, 11, 4, 14, 0, tzinfo=UTC), state="unreachable")
    november = months(clinic)[0]
    assert november.server_hours == 11
    assert november.server_cost == 11 * Decimal("0.526")
    assert november.total == november.server_cost + 25


def test_a_month_without_a_server_pays_nothing_fixed(clinic, staff):
    run_of(staff, NOON, "text_layer")
    assert months(clinic)[0].total == 0


def test_a_month_is_reckoned_with_the_price_that_held_in_it(clinic, admin):
    hours(1, datetime(2026, 10, 5, 14, 0, tzinfo=UTC))
    hours(1, datetime(2026, 11, 5, 14, 0, tzinfo=UTC))
    actions.change_price(
        name="instance.g4dn.xlarge", amount=Decimal(1), from_day=date(2026, 11, 1), source="s", by=admin
    )
    november, october = months(clinic)
    assert (november.server_cost, october.server_cost) == (1, Decimal("0.526"))


def test_a_month_above_150_dollars_is_marked(clinic, admin_client):
    hours(300, datetime(2026, 11, 1, 14, 0, tzinfo=UTC))
    assert months(clinic)[0].is_dear
    assert not months(clinic, fixed=Decimal(-10))[0].is_dear


def test_another_clinics_documents_are_not_counted(clinic, outsider):
    run_of(outsider, NOON, "textract")
    assert months(clinic)[0].extractions == 0


def test_months_before_the_first_use_are_not_listed(clinic, staff):
    run_of(staff, datetime(2026, 9, 10, 14, 0, tzinfo=UTC), "local")
    assert [month.begins.month for month in months(clinic)] == [11, 10, 9]


def test_the_year_turns():
    begins = usage.beginnings(datetime(2027, 1, 15, 12, 0, tzinfo=UTC))
    assert [f"{each:%Y-%m}" for each in begins[:4]] == ["2027-02", "2027-01", "2026-12", "2026-11"]


# --- Days that are kept ----------------------------------------------------------------------------------------------

LONG_AGO = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def use_of(clinic, day: date):
    (use,) = usage.use_by_day(clinic.pk, day, day + timedelta(days=1))
    return use.extractions, use.pages, use.textract_pages


def test_a_day_that_is_over_is_counted_once(clinic, staff, django_assert_num_queries):
    run_of(staff, LONG_AGO, "textract", "local")
    assert use_of(clinic, LONG_AGO.date()) == (1, 2, 1)
    with django_assert_num_queries(1):
        assert use_of(clinic, LONG_AGO.date()) == (1, 2, 1)


def test_a_day_without_use_is_kept_too(clinic):
    use_of(clinic, LONG_AGO.date())
    assert DayUse.objects.get(clinic=clinic).extractions == 0


def test_today_is_counted_at_each_look(clinic, staff):
    today = timezone.localdate()
    run_of(staff, timezone.now(), "local")
    assert use_of(clinic, today) == (1, 1, 0)
    run_of(staff, timezone.now(), "local")
    assert use_of(clinic, today) == (2, 2, 0)


def test_a_day_on_which_something_still_runs_is_not_kept(clinic, staff):
    run_of(staff, LONG_AGO, "local", status="waiting")
    assert use_of(clinic, LONG_AGO.date()) == (0, 1, 0)
    assert not DayUse.objects.exists()


def test_a_run_that_goes_on_makes_its_day_count_again(clinic, staff):
    run = run_of(staff, LONG_AGO, "local", "")
    assert use_of(clinic, LONG_AGO.date()) == (1, 1, 0)
    actions.retry(run=run, by=staff)
    RunPageFactory(run=run, number=2, reader="textract")
    Run.objects.filter(pk=run.pk).update(status="done")
    assert use_of(clinic, LONG_AGO.date()) == (1, 2, 1)


def test_another_clinics_use_is_not_counted(clinic, outsider):
    run_of(outsider, LONG_AGO, "local")
    assert use_of(clinic, LONG_AGO.date()) == (0, 0, 0)
