"""Golden pages through the real server over HTTP: what is found, what it costs, and what the server keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest
from pydantic import BaseModel, Field

from extraction import nam, pipeline
from extraction.corpus.documents import CorpusDocument, build
from extraction.corpus.layouts import HELD_OUT
from extraction.corpus.split import HELD_OUT_SEED
from extraction.finders.model import ModelAnswer, ModelFinder
from extraction.llm import client, prompts
from extraction.llm.client import ModelBadReply
from extraction.page import Page
from extraction.pipeline import PageFound, Work
from extraction.readers.choosing import read_pages
from extraction.scoring import Score, score
from tests.llm.server import Running

pytestmark = pytest.mark.llm

PAGES_A_LAYOUT = 3
LEAST_PRECISION, LEAST_RECALL, LEAST_TIMES = 0.98, 0.97, 0.93
"""No adapter may do worse. The present one reaches 0.996, 1.00 and 0.97; other processors round otherwise, so that a
few times of 197 may differ. What is wanted is 0.98, 0.97 and 0.95."""
MOST_TOKENS_A_NUMBER = 30
"""The same for the tokens of an answer: 10 are reached."""
LEAST_CACHED = 0.8


class Remembering:
    """A model finder that asks about each page once and keeps count of what its answers took."""

    def __init__(self, finder: ModelFinder) -> None:
        self.finder, self.prompt = finder, finder.prompt
        self.answers: dict[str, ModelAnswer] = {}

    def find(self, page: Page) -> ModelAnswer:
        if page.text not in self.answers:
            self.answers[page.text] = self.finder.find(page)
        return self.answers[page.text]


@dataclass
class Golden:
    """Held-out pages, and what the finders made of them."""

    pages: list[tuple[CorpusDocument, Page]]
    found: dict[str, list[PageFound]]
    answers: list[ModelAnswer]

    def score(self, name: str) -> Score:
        total = Score()
        for (document, _), page in zip(self.pages, self.found[name], strict=True):
            total += score([(1, each.nam) for each in page.proposals], [(1, item.nam) for item in document.truth])
        return total

    def times(self, name: str) -> tuple[int, int]:
        """Of the numbers found whose visit has a time: how many have the right one, and how many there are."""
        right = known = 0
        for (document, _), page in zip(self.pages, self.found[name], strict=True):
            times = {item.nam: item.time for item in document.truth if item.time is not None}
            for proposal in page.proposals:
                known += proposal.nam in times
                right += proposal.nam in times and proposal.visit_time == times[proposal.nam]
        return right, known


def documents() -> Iterator[CorpusDocument]:
    """Held-out layouts, seeds that nothing was tuned or measured on, as the computer prints them."""
    for number, layout in enumerate(sorted(HELD_OUT)):
        for turn in range(PAGES_A_LAYOUT):
            yield build(layout, seed=HELD_OUT_SEED + 50_000 + 100 * number + turn, pages=1)


@pytest.fixture(scope="module")
def golden(running: Running) -> Golden:
    reads = [(document, next(iter(read_pages(document.pdf, reader="text_layer"))).page) for document in documents()]
    pages = [(document, page) for document, page in reads if page is not None]
    model = Remembering(ModelFinder(running.server, prompts.load(running.prompt)))
    works = {"model": Work(pattern=False, model=model), "hybrid": Work(model=model), "pattern": Work()}  # type: ignore[arg-type]
    found = {}
    for name, work in works.items():
        with ThreadPoolExecutor(running.profile.sequences) as pool:
            found[name] = list(pool.map(partial(pipeline.find, work=work), [page for _, page in pages]))
    return Golden(pages, found, list(model.answers.values()))


def test_every_page_got_an_answer(golden: Golden) -> None:
    assert [page.model_error for page in golden.found["model"]] == [""] * len(golden.pages)
    assert len(golden.pages) == PAGES_A_LAYOUT * len(HELD_OUT)


def test_the_model_alone_finds_the_numbers_of_pages_nobody_showed_it(golden: Golden) -> None:
    scored = golden.score("model")
    assert scored.precision is not None
    assert scored.recall is not None
    assert (scored.precision >= LEAST_PRECISION, scored.recall >= LEAST_RECALL) == (True, True), scored


def test_the_model_alone_finds_the_time_of_the_visit(golden: Golden) -> None:
    right, known = golden.times("model")
    assert right >= LEAST_TIMES * known, (right, known)


def test_no_value_is_proposed_that_is_not_on_the_page(golden: Golden) -> None:
    for (_, page), found in zip(golden.pages, golden.found["model"], strict=True):
        text = nam.normalise(page.text)
        assert all(nam.normalise(proposal.text) in text for proposal in found.proposals if " " not in proposal.text)


def test_both_finders_together_are_not_worse_than_the_pattern_finder(golden: Golden) -> None:
    both, pattern = golden.score("hybrid"), golden.score("pattern")
    assert both.fn <= pattern.fn, (both, pattern)
    assert both.fp <= pattern.fp, (both, pattern)


def test_an_answer_is_short(golden: Golden) -> None:
    numbers = sum(len(answer.proposals) for answer in golden.answers)
    tokens = sum(answer.completion_tokens for answer in golden.answers)
    assert tokens <= MOST_TOKENS_A_NUMBER * numbers, tokens / numbers


def test_the_constant_beginning_of_a_prompt_is_computed_once(running: Running, golden: Golden) -> None:
    """Only whole blocks are kept, and those that are asked at the very beginning find none yet."""
    prefix = running.constant_tokens()
    hits = running.counter("vllm:prefix_cache_hits_total")
    assert hits >= LEAST_CACHED * prefix * len(golden.answers)


def test_nothing_of_a_page_is_in_the_servers_log(running: Running, golden: Golden) -> None:
    log = nam.normalise(running.log.read_text(errors="replace"))
    assert not [item.nam for document, _ in golden.pages for item in document.truth if item.nam in log]


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc"])
def test_the_server_shows_no_documentation_of_itself(running: Running, path: str) -> None:
    assert running.get(path).status == 404


class Count(BaseModel):
    numbers: list[str] = Field(max_length=200)


def test_an_answer_that_does_not_fit_is_an_error_and_no_empty_page(running: Running) -> None:
    with pytest.raises(ModelBadReply) as error:
        client.chat(running.server, [{"role": "user", "content": "Count to 1000."}], Count, max_tokens=2)
    assert error.value.reason == "cut_short"


def test_a_page_that_is_longer_than_the_context_is_an_error_and_no_empty_page(running: Running) -> None:
    words = "Tremblay 2026-01-14 " * running.profile.context
    with pytest.raises(ModelBadReply) as error:
        client.chat(running.server, [{"role": "user", "content": words}], Count, max_tokens=20)
    assert error.value.code == "model_too_long"
