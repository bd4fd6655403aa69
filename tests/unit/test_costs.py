"""The calculator gives every figure of the planning document that is right, and says what the wrong ones should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from extraction import costs, prices
from extraction.costs import HOURS, Hosting, TokenPrices, Workload, break_even, cents, dollars, term
from extraction.prices import Price, PriceBook

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2025, 1, 21)
BOOK = prices.PriceBook(prices.listed())
LIST = BOOK.on(DAY)
GPT4 = LIST.amount("gpt4.extraction")
TOKENS = TokenPrices(LIST.amount("gpt4.prompt"), LIST.amount("gpt4.answer"))


def hosting(instance: str, *, storage: int, hours: str = "eight", transfer: int = 5, switching: int = 0) -> Hosting:
    return Hosting(
        hourly=LIST.hourly(instance),
        hours=HOURS[hours],
        storage=LIST.amount("storage") * storage,
        transfer=Decimal(transfer),
        switching=Decimal(switching),
    )


LLAMA = hosting("g4dn.xlarge", storage=100)
DEEPSEEK = hosting("p3.2xlarge", storage=150, transfer=10)
SCHEDULED = hosting("g4dn.xlarge", storage=100, hours="ten", transfer=0, switching=2)
ALWAYS = hosting("g4dn.xlarge", storage=100, hours="always")
SEEN_BY_GPT4 = TOKENS.extraction(pages=20, page_tokens=500, answer_tokens=1000)


def as_the_document_rounds(amount: Decimal) -> Decimal:
    """It goes on reckoning with the 118 dollars that it rounded to."""
    return dollars(amount)


# --- What is right ---------------------------------------------------------------------------------------------------

RIGHT = [
    ("22 days of 8 to 18 o'clock", HOURS["ten"], "220"),
    ("a full month", HOURS["always"], "730"),
    ("g4dn.xlarge, 176 h", dollars(LLAMA.compute), "93"),
    ("g4dn.2xlarge, 176 h", dollars(hosting("g4dn.2xlarge", storage=0).compute), "132"),
    ("g5.xlarge, 176 h", dollars(hosting("g5.xlarge", storage=0).compute), "177"),
    ("p3.2xlarge, 176 h, in the calculator", dollars(DEEPSEEK.compute), "539"),
    ("100 GB", LLAMA.storage, "20"),
    ("150 GB", DEEPSEEK.storage, "30"),
    ("200 GB", hosting("p3.2xlarge", storage=200).storage, "40"),
    ("Llama 3.1 8B a month", dollars(LLAMA.monthly), "118"),
    ("Llama 3.1 8B an extraction, 500 a month", cents(LLAMA.monthly / 500), "0.24"),
    ("DeepSeek in the calculator", dollars(hosting("p3.2xlarge", storage=200).monthly), "584"),
    ("DeepSeek an extraction, 500 a month", cents(DEEPSEEK.monthly / 500), "1.16"),
    ("g4dn.xlarge, 220 h", dollars(SCHEDULED.compute), "116"),
    ("scheduled, without data transfer", dollars(SCHEDULED.monthly), "138"),
    ("GPT-4, 500", 500 * GPT4, "35"),
    ("GPT-4, 1,000", 1_000 * GPT4, "70"),
    ("GPT-4, 2,000", 2_000 * GPT4, "140"),
    ("GPT-4, 5,000", 5_000 * GPT4, "350"),
    ("GPT-4, 10,000", 10_000 * GPT4, "700"),
    ("growth: the year after 750", term(LLAMA.monthly, GPT4, first_year=Decimal(750), growth=Decimal("0.5")).years[1].extractions, "1125"),  # noqa: E501
    ("90 extractions an hour", Decimal(3600) / 40, "90"),
]  # fmt: skip


@pytest.mark.parametrize(("figure", "reckoned", "written"), RIGHT, ids=[row[0] for row in RIGHT])
def test_a_figure_of_the_planning_document_is_reproduced(figure, reckoned, written):
    assert reckoned == Decimal(written)


@pytest.mark.parametrize(("extractions", "saved"), [(2_000, 22), (5_000, 232), (10_000, 582)])
def test_what_a_server_of_ones_own_saves(extractions, saved):
    (volume,) = costs.by_volume(as_the_document_rounds(LLAMA.monthly), GPT4, [extractions])
    assert dollars(volume.saving) == saved
    (exactly,) = costs.by_volume(LLAMA.monthly, GPT4, [extractions])
    assert dollars(exactly.saving) == saved


@pytest.mark.parametrize("extractions", [500, 1_000])
def test_with_few_extractions_it_is_dearer(extractions):
    (volume,) = costs.by_volume(LLAMA.monthly, GPT4, [extractions])
    assert volume.saving < 0


def test_the_break_even_is_about_1700():
    assert break_even(as_the_document_rounds(LLAMA.monthly), GPT4) == 1_686
    assert break_even(LLAMA.monthly, GPT4) == 1_680


def test_the_break_even_of_the_dear_instance_is_about_8300():
    assert break_even(Decimal(580), GPT4) == 8_286
    assert dollars(10_000 * GPT4 - Decimal(580)) == 120


def test_three_years_as_the_planning_document_counts_them():
    found = term(as_the_document_rounds(LLAMA.monthly), GPT4, first_year=Decimal(750), growth=Decimal("0.5"))
    assert [dollars(year.by_api) for year in found.years] == [630, 945, 1_418]
    assert dollars(found.by_api) == 2_993  # its sum of rounded years is the same
    assert [year.hosted for year in found.years] == [1_416] * 3
    assert found.hosted == 4_248
    assert [2_993 + fine - 4_248 for fine in (10_000, 100_000)] == [8_745, 98_745]


# --- What is wrong ---------------------------------------------------------------------------------------------------
# What is written, what it should be (as docs/costs.md has it), and the arithmetic of the latter.

GROWN = term(LLAMA.monthly, GPT4, first_year=Decimal(500), growth=Decimal("0.5"))

WRONG = [
    ("~$35-70/month", "$35", dollars(500 * GPT4) == 35),
    ("$0.07 per extraction", "$0.36", cents(SEEN_BY_GPT4) == Decimal("0.36")),
    ("Total: ~$115/month", "$118", dollars(LLAMA.monthly) == 118 and dollars(LLAMA.monthly - LLAMA.transfer) == 113),
    ("$3.06/hour × 176 hours = $540", "$539", dollars(DEEPSEEK.compute) == 539),
    ("Total: ~$570/month", "$569", dollars(DEEPSEEK.monthly - DEEPSEEK.transfer) == 569),
    ("Total: $580/month", "$579", dollars(DEEPSEEK.monthly) == 579),
    ("much cheaper ($118 vs $140)", "16%", round((140 - LLAMA.monthly) / 140, 2) == Decimal("0.16")),
    ("$138/month", "$143", dollars(replace(SCHEDULED, transfer=Decimal(5)).monthly) == 143),
    ("Savings: Minimal (~5%)", "17% dearer", round(SCHEDULED.monthly / LLAMA.monthly - 1, 2) == Decimal("0.17")),
    ("176 work hours", "220", HOURS["ten"] == 10 * 22 and HOURS["eight"] == 8 * 22),
    ("Cost: $118/month (fixed)", "$409", dollars(ALWAYS.monthly) == 409),
    ("Year 1: 750 avg/month", "500", [year.extractions for year in GROWN.years] == [500, 750, 1125]),
    ("Total: $2,993", "$1,995", dollars(GROWN.by_api) == 1_995),
    ("$8,745 - $98,745 saved", "$2,238 more", dollars(-GROWN.saving) == 2_238),
    ("8,000+: DeepSeek, cheaper", "$560", 8_000 * GPT4 == 560 and DEEPSEEK.monthly > 560),
    ("< 1,700: OpenAI cheaper", "327", break_even(LLAMA.monthly, SEEN_BY_GPT4) == 327),
    ("g4dn.2xlarge (32GB)", "16 GB", dollars(hosting("g4dn.2xlarge", storage=100).monthly - LLAMA.monthly) == 40),
    ("Llama 3.1 8B on a T4 16 GB", "$202", dollars(hosting("g5.xlarge", storage=100).monthly) == 202),
    ("Self-hosted = $0 per-request cost", "$0.24", cents(LLAMA.monthly / 500) == Decimal("0.24")),
    ("OCR left out", "$15", costs.ocr(pages=Decimal(500 * 20), price=LIST.amount("textract.page")) == 15),
]  # fmt: skip


@pytest.mark.parametrize(("written", "right", "holds"), WRONG, ids=[row[0] for row in WRONG])
def test_the_right_value_of_a_wrong_figure_is_reckoned(written, right, holds):
    assert holds


@pytest.mark.parametrize(("written", "right"), [row[:2] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_figure_is_listed_with_its_right_value(written, right):
    rows = [line for line in (ROOT / "docs" / "costs.md").read_text(encoding="utf-8").splitlines() if written in line]
    assert any(line.startswith("|") and right in line for line in rows)


@pytest.mark.parametrize(("page_tokens", "extraction"), [(500, "0.36"), (1000, "0.66")])
def test_gpt4_by_its_own_token_prices_costs_five_to_nine_times_as_much(page_tokens, extraction):
    assert TOKENS.extraction(pages=20, page_tokens=page_tokens, answer_tokens=1000) == Decimal(extraction)


def test_seven_cents_pay_for_117_tokens_a_page_and_no_answer():
    assert dollars(GPT4 * 1000 / TOKENS.prompt / 20) == 117


def test_the_longest_answer_alone_costs_more_than_seven_cents():
    assert TOKENS.extraction(pages=0, page_tokens=0, answer_tokens=4000) == Decimal("0.24")


# --- The calculator --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extractions", "hours", "said"),
    [
        (500, "eight", "dearer"),
        (1_679, "eight", "dearer"),
        (1_680, "eight", "cheaper"),
        (15_840, "eight", "cheaper"),
        (15_841, "eight", "beyond_capacity"),
        (15_841, "ten", "cheaper"),
    ],
)
def test_advice_by_volume(extractions, hours, said):
    server = replace(LLAMA, hours=HOURS[hours])
    assert costs.advice(Workload(extractions, 20), server, GPT4) == said


def test_shorter_documents_leave_room_for_more():
    assert LLAMA.capacity(10) == 2 * LLAMA.capacity(20) == 31_680


def test_nothing_to_share_a_month_out_to_is_no_price():
    assert LLAMA.per_extraction(0) is None
    assert break_even(LLAMA.monthly, Decimal(0)) is None


def test_an_estimate_holds_the_same_figures():
    work = Workload(500, 20, scanned=Decimal("0.5"), growth=Decimal("0.5"))
    found = costs.estimate(LLAMA, work, flat=GPT4, by_tokens=SEEN_BY_GPT4, textract=LIST.amount("textract.page"))
    assert (found.flat.break_even, found.by_tokens.break_even) == (1_680, 327)
    assert found.ocr == Decimal("7.50")
    assert [dollars(each.monthly) for each in found.by_hours] == [118, 141, 409]
    assert dollars(found.flat.term.by_api) == 1_995
    assert found.total == LLAMA.monthly + Decimal("7.50")


def test_halves_are_rounded_upwards():
    assert (dollars(Decimal("0.5")), cents(Decimal("0.005"))) == (1, Decimal("0.01"))


# --- Prices ----------------------------------------------------------------------------------------------------------


def price(amount: str, day: date, *, name: str = "storage", by: str = "") -> Price:
    return Price(name, Decimal(amount), "month", day, "somewhere", set_by=by)


def test_every_price_of_the_file_has_a_day_and_a_source_in_both_languages():
    assert len(prices.listed()) >= 12
    assert all(each.from_day >= DAY and each.source and each.source_fr for each in prices.listed())


def test_amounts_are_exact():
    assert LIST.amount("instance.g4dn.xlarge") == Decimal("0.526")


@pytest.mark.parametrize(
    ("day", "amount"),
    [(date(2024, 1, 1), "1"), (date(2025, 1, 1), "1"), (date(2025, 6, 1), "2"), (date(2026, 6, 1), "2")],
)
def test_the_price_that_held_on_a_day_counts(day, amount):
    book = PriceBook((price("1", date(2025, 1, 1)), price("2", date(2025, 6, 1))))
    assert book.on(day).amount("storage") == Decimal(amount)


def test_the_clinics_own_price_wins_from_its_day_on():
    book = PriceBook((price("1", date(2025, 1, 1)), price("9", date(2026, 1, 1))), (price("3", date(2025, 6, 1)),))
    assert book.on(date(2025, 5, 31)).amount("storage") == 1
    assert book.on(date(2026, 2, 1)).amount("storage") == 3


def test_of_two_changes_for_one_day_the_later_holds():
    book = PriceBook((price("1", DAY),), (price("3", DAY), price("4", DAY)))
    assert book.on(DAY).amount("storage") == 4


def test_an_unknown_price_is_said_to_be_one():
    with pytest.raises(prices.UnknownPrice):
        LIST.amount("instance.of.nowhere")


@pytest.mark.parametrize(
    "entry",
    [
        'name = "a"\namount = 1\nunit = "hour"\nfrom = 2025-01-01\nsource = ""\nsource_fr = ""',
        'name = "a"\namount = -1\nunit = "hour"\nfrom = 2025-01-01\nsource = "s"\nsource_fr = "s"',
        'name = "a"\namount = 1\nunit = "week"\nfrom = 2025-01-01\nsource = "s"\nsource_fr = "s"',
        'name = "a"\namount = nan\nunit = "hour"\nfrom = 2025-01-01\nsource = "s"\nsource_fr = "s"',
        'name = "a"\namount = 1\nunit = "hour"\nsource = "s"\nsource_fr = "s"',
    ],
)
def test_a_file_that_is_not_made_so_is_refused(entry):
    with pytest.raises((ValueError, KeyError)):
        prices.parse(f"[[price]]\n{entry}\n")
