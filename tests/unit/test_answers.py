"""The forms of a model's answer: what they say, what they refuse, and that nothing is lost between them."""

from __future__ import annotations

import re
from math import exp
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from extraction.finders.answers import FORMS, MOST_NUMBERS, BriefLines, PrintedLines, PrintedNam, PrintedNams
from extraction.finders.choices import Choice
from extraction.finders.model import probabilities
from extraction.llm import prompts
from extraction.llm.client import Completion, Token

printed = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="|="), min_size=1, max_size=20)
entries = st.lists(
    st.builds(PrintedNam, nam=printed, date=st.none() | printed, time=st.none() | printed), max_size=MOST_NUMBERS
)


def test_every_form_of_a_prompt_file_has_a_schema() -> None:
    assert tuple(FORMS) == prompts.FORMS
    assert all(prompts.load(version).form in FORMS for version in prompts.versions())


@given(entries)
def test_lines_say_again_what_was_said(said: list[PrintedNam]) -> None:
    assert PrintedLines.model_validate_json(PrintedLines.saying(said).text()).entries() == said


@given(entries)
def test_objects_say_again_what_was_said(said: list[PrintedNam]) -> None:
    again = PrintedNams.model_validate_json(PrintedNams.saying(said).text()).entries()
    assert [entry.model_dump() for entry in again] == [entry.model_dump() for entry in said]


def test_a_date_that_repeats_is_said_once() -> None:
    said = [PrintedNam(nam="TREM04121925", date="3 oct.", time=time) for time in ("8:30", "8:45")]
    assert PrintedLines.saying(said).text() == '["TREM04121925|3 oct.|8:30","TREM04121925|=|8:45"]'


def test_a_date_before_which_there_is_none_is_none() -> None:
    assert PrintedLines.model_validate_json('["A|=|8:30"]').entries()[0].date is None


def test_a_bar_in_a_number_stays_in_it() -> None:
    said = [PrintedNam(nam="TREM04|2 |925", date="3 oct.")]
    assert PrintedLines.saying(said).entries() == said


@pytest.mark.parametrize(("date", "time"), [("3|10", None), (None, "8|30"), ("=", None)])
def test_what_a_line_cannot_say_is_refused(date: str | None, time: str | None) -> None:
    with pytest.raises(ValueError, match="cannot say"):
        PrintedLines.saying([PrintedNam(nam="TREM04121925", date=date, time=time)])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TREM04121925", ("TREM04121925", None, None)),
        ("TREM04121925|", ("TREM04121925", None, None)),
        ("||", ("", None, None)),
    ],
)
def test_a_line_with_fewer_fields_has_no_date_or_time(line: str, expected: tuple[str, str | None, str | None]) -> None:
    (entry,) = PrintedLines([line]).entries()
    assert (entry.nam, entry.date, entry.time) == expected


@pytest.mark.parametrize("text", ['{"nams": []}', "[1]", '["' + "9" * 161 + '"]', "null", '["a"'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        PrintedLines.model_validate_json(text)


def test_more_numbers_than_a_page_can_hold_are_refused() -> None:
    with pytest.raises(ValidationError):
        PrintedLines(["A||"] * (MOST_NUMBERS + 1))


def completion(*tokens: tuple[str, float]) -> Completion[PrintedLines]:
    content = "".join(text for text, _ in tokens)
    said = tuple(Token(token=text, logprob=logprob) for text, logprob in tokens)
    return Completion(PrintedLines.model_validate_json(content), content, "stop", 0, len(tokens), said)


def test_a_number_is_as_likely_as_its_tokens_together() -> None:
    said = completion(
        ('["', -9), ("TR", -0.1), ("EM", -0.2), ("04", -0.3), ("||", -9), ('","', -9), ("TR", 0), ('||"]', -9)
    )
    assert probabilities(said, said.answer.written()) == [pytest.approx(exp(-0.6)), 1.0]


def test_a_token_that_holds_the_end_of_a_number_counts_with_it() -> None:
    said = completion(('["T', -1), ("REM|", -2), ('|"]', -4))
    assert probabilities(said, said.answer.written()) == [pytest.approx(exp(-3))]


def test_the_same_number_twice_has_two_likelihoods() -> None:
    said = completion(('["', 0), ("AB", -1), ('||","', 0), ("AB", -2), ('||"]', 0))
    assert probabilities(said, said.answer.written()) == [pytest.approx(exp(-1)), pytest.approx(exp(-2))]


@pytest.mark.parametrize("tokens", [(), (Token(token='["A�', logprob=0), Token(token='�||"]', logprob=0))])
def test_tokens_that_do_not_add_up_to_the_answer_say_nothing(tokens: tuple[Token, ...]) -> None:
    said = Completion(PrintedLines(["A||"]), '["A||"]', "stop", 0, 2, tokens)
    assert probabilities(said, said.answer.written()) == [None]


writable = printed.filter(lambda text: not set(text) & set('"\\'))
chosen = st.builds(
    Choice,
    writable,
    st.lists(writable | st.just(""), min_size=1, max_size=3).map(tuple),
    st.lists(writable | st.just(""), min_size=1, max_size=3).map(tuple),
    st.booleans(),
)


def allows(schema: dict[str, Any], line: str) -> bool:
    return re.search(schema["items"]["pattern"], line) is not None


@given(st.lists(chosen, min_size=1, max_size=4), st.data())
def test_a_line_may_say_any_choice_with_its_own_date_and_time_and_nothing_else(
    choices: list[Choice], data: st.DataObject
) -> None:
    schema = PrintedLines.held_to(choices)
    choice = data.draw(st.sampled_from(choices))
    date, time = data.draw(st.sampled_from(choice.dates)), data.draw(st.sampled_from(choice.times))
    line = f"{choice.number}|{date}|{time}"
    assert allows(schema, line)
    assert not allows(schema, f"{line}=")
    assert not allows(schema, f"={line}")


def test_a_line_says_no_time_of_another_number_and_leaves_none_out_that_it_must_say() -> None:
    schema = PrintedLines.held_to(
        [Choice("A1", ("",), ("8:30",)), Choice("B2", ("3 oct.",), ("", "9:00"), repeats=False)]
    )
    assert [allows(schema, line) for line in ("A1||8:30", "A1|=|8:30", "B2|3 oct.|", "B2|3 oct.|9:00")] == [True] * 4
    assert not any(allows(schema, line) for line in ("A1||9:00", "A1||", "B2||9:00", "B2|=|9:00"))


def test_what_a_json_string_would_escape_is_not_among_the_choices() -> None:
    schema = PrintedLines.held_to([Choice("A1"), Choice("A1", ("", 'B"2')), Choice("A1", ("",), ("", "C\\3"))])
    assert allows(schema, "A1||")
    assert '"' not in schema["items"]["pattern"]


def test_objects_say_a_number_with_what_it_may_have_or_null() -> None:
    schema = PrintedNams.held_to([Choice("A1", ("", "3 oct."), ("8:30",)), Choice("B2")])
    said = {"nam": "A1", "name": "Roy, Anne", "date": None, "time": "8:30"}
    jsonschema.validate({"nams": [said, {"nam": "B2", "name": None, "date": None, "time": None}]}, schema)
    for wrong in ({"nam": "A2"}, {"nam": "B2"}, {"date": "4 oct."}, {"time": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"nams": [said | wrong]}, schema)


def brief(choices: list[Choice], *entries: PrintedNam) -> str:
    return BriefLines.saying(entries, choices).text()


def test_a_brief_answer_says_a_number_by_the_beginning_that_no_other_has() -> None:
    choices = [Choice("TREM 0412 1925"), Choice("TREM 5501 0113"), Choice("STJO04121925")]
    assert brief(choices, *(PrintedNam(nam=choice.number) for choice in choices)) == '["TREM 0","TREM 5","STJO"]'


def test_a_brief_answer_says_the_whole_of_a_number_that_begins_another() -> None:
    choices = [Choice("TREM 0412"), Choice("TREM 0412 1925")]
    assert brief(choices, *(PrintedNam(nam=choice.number) for choice in choices)) == '["TREM 0412","TREM 0412 1"]'


def test_a_brief_answer_says_a_date_and_a_time_only_where_there_is_a_choice() -> None:
    choices = [
        Choice("TREM04121925", ("3 oct.",), ("8:30",)),
        Choice("STJO04121925", ("", "4 oct."), ("8:45",)),
        Choice("LEMI04121925", ("5 oct.",), ("", "9:00")),
    ]
    said = [
        PrintedNam(nam="TREM04121925", date="3 oct.", time="8:30"),
        PrintedNam(nam="STJO04121925", date="3 oct.", time="8:45"),
        PrintedNam(nam="LEMI04121925", date="5 oct.", time="9:00"),
    ]
    assert brief(choices, *said) == '["TREM","STJO|=","LEMI||9:00"]'
    assert BriefLines(["TREM", "STJO|=", "LEMI||9:00"]).entries(choices) == said


def test_a_brief_answer_tells_the_places_of_a_number_apart() -> None:
    choices = [Choice("TREM04121925", ("3 oct.",), ("8:30",)), Choice("TREM04121925", ("3 oct.",), ("9:00",))]
    said = [PrintedNam(nam="TREM04121925", date="3 oct.", time=time) for time in ("9:00", "8:30")]
    assert BriefLines.saying(said, choices).entries(choices) == said


def test_a_brief_answer_reads_a_bar_in_a_number_as_the_numbers() -> None:
    choices = [Choice("TR|M04121925", ("",), ("8:30", "9:00")), Choice("TR|M55010113")]
    assert BriefLines(["TR|M0||9:00"]).entries(choices) == [PrintedNam(nam="TR|M04121925", time="9:00")]
    assert BriefLines(["TR|M0||9:00", "ABCD"]).written(choices) == ["TR|M0", "ABCD"]


def test_a_brief_answer_of_a_server_that_disobeys_is_read_as_lines() -> None:
    (entry,) = BriefLines(["TREM04121925|3 oct.|8:30"]).entries([Choice("STJO04121925")])
    assert entry == PrintedNam(nam="TREM04121925", date="3 oct.", time="8:30")


def test_a_number_that_is_no_choice_cannot_be_said_in_brief() -> None:
    with pytest.raises(ValueError, match="none of the choices"):
        brief([Choice("STJO04121925")], PrintedNam(nam="TREM04121925"))


def test_a_visit_that_is_no_choice_cannot_be_said_in_brief() -> None:
    with pytest.raises(ValueError, match="cannot say"):
        brief([Choice("TREM04121925", ("3 oct.",))], PrintedNam(nam="TREM04121925", date="4 oct."))


@given(st.lists(chosen, min_size=1, max_size=4, unique_by=lambda choice: choice.number), st.data())
def test_a_brief_answer_says_again_what_was_said_and_is_allowed_to(choices: list[Choice], data: st.DataObject) -> None:
    picked = [choice for choice in choices if data.draw(st.booleans())]
    said = [
        PrintedNam(
            nam=choice.number,
            date=data.draw(st.sampled_from(choice.dates)) or None,
            time=data.draw(st.sampled_from(choice.times)) or None,
        )
        for choice in picked
    ]
    answer = BriefLines.saying(said, choices)
    schema = BriefLines.held_to(choices)
    assert answer.entries(choices) == said
    assert all(allows(schema, line) for line in answer.root)
    assert not any(allows(schema, f"{line}|=") or allows(schema, f"={line}") for line in answer.root)
