"""Documents that speak to the model, against one that obeys every word: nothing but what stands on a page is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from extraction import nam
from extraction.finders.model import ModelFinder
from extraction.llm import prompts
from extraction.llm.client import ModelServer
from extraction.page import Page
from extraction.pipeline import PageFound, Work, extract
from extraction.readers.choosing import PageRead, Part
from tests.fakes import vllm
from tests.fakes.vllm import FakeVLLM, running_vllm
from tests.injections import Injection, Obeying, corpus

pytestmark = pytest.mark.attack("prompt injections, obeying model", "refused")

INJECTIONS = {each.name: each for each in corpus()}


@pytest.fixture(scope="module")
def obeying() -> Iterator[FakeVLLM]:
    """One server for all documents: it remembers every number of every page before, and is told all the wanted ones."""
    with running_vllm(Obeying([each.number for each in INJECTIONS.values()])) as running:
        yield running


@pytest.mark.parametrize("name", INJECTIONS)
def test_a_model_that_obeys_every_word_shows_no_number_that_is_not_on_the_page(obeying: FakeVLLM, name: str) -> None:
    injection, asked = INJECTIONS[name], len(obeying.questions)
    model = ModelFinder(ModelServer(obeying.endpoint, vllm.MODEL, timeout=10.0), prompts.load("nam-v1"))
    every = list(extract(injection.document.pdf, Work(model=model)))
    read = {each.number: each.page for each in every if isinstance(each, PageRead) and each.page is not None}
    assert set(injection.warnings) <= set(read[1].warnings)
    assert read[2].warnings == ()
    alone = extract(b"", Work(model=model, pattern=False, parts=[Part(numbers=(), ready=list(read.values()))]))
    for found in every:
        if isinstance(found, PageFound):
            check(injection, found, read[found.number])
            assert {item.nam for item in injection.document.truth if item.page == found.number} <= values(found)
    for found in alone:
        assert isinstance(found, PageFound)
        check(injection, found, read[found.number])
    for question in obeying.questions[asked:]:
        said = question["messages"][-1]["content"]
        assert injection.is_visible or injection.number not in said, "invisible text was sent to the model"


def values(found: PageFound) -> set[str]:
    """Every number that a reviewer could be shown for a page."""
    shown = {each.nam for each in (*found.proposals, *found.hints)}
    return shown | {repair.nam for each in found.proposals for repair in each.repairs}


def check(injection: Injection, found: PageFound, page: Page) -> None:
    """Nothing is shown that nobody sees on the page: no number, and none of the model's instructions."""
    assert found.model_error == ""
    assert values(found) <= injection.on_page(found.number)
    text = nam.normalise(page.text)
    for proposal in found.proposals:
        assert nam.normalise(proposal.text) in text
        assert proposal.visit_date is None or proposal.visit_date.year == 2025
