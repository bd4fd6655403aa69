"""What a model is tuned on: development documents only, answers verbatim, decoys left out, the same every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extraction import nam
from extraction.corpus.documents import build
from extraction.corpus.layouts import DEVELOPMENT, HELD_OUT
from extraction.corpus.split import HELD_OUT_SEED, is_held_out
from extraction.finders.answers import PrintedLines, PrintedNam, PrintedNams
from extraction.layout import Layout
from extraction.llm import prompts
from extraction.llm.training import examples, medley
from extraction.llm.training.examples import (
    FIRST_SEED,
    Example,
    HeldOut,
    Made,
    Recipe,
    TooFew,
    document_of,
    make,
    write,
)
from extraction.llm.training.targets import targets
from extraction.page import Page
from extraction.readers.choosing import read_pages

COUNT = 45
PROMPT = "nam-lines-v2"


@pytest.fixture(scope="module")
def made() -> list[Example]:
    return list(make(Recipe(seed=7, examples=COUNT, prompt=PROMPT)))


def answer(example: Example) -> list[PrintedNam]:
    return PrintedLines.model_validate_json(example.completion).entries()


def shown(example: Example) -> str:
    """The page as one line of words: bars between cells and ends of lines are spaces to a value."""
    return " ".join(example.prompt[1]["content"].replace(" | ", " ").split())


def of_kind(kind: str, count: int = 12, seed: int = 3, prompt: str = PROMPT) -> list[Example]:
    return list(make(Recipe(seed=seed, examples=count, prompt=prompt, layouts=(kind,))))


def spelt(kind: str, count: int) -> list[PrintedNam]:
    """The entries of answers that have names."""
    return [
        entry
        for example in of_kind(kind, count, prompt="nam-v1")
        for entry in PrintedNams.model_validate_json(example.completion).entries()
    ]


@pytest.mark.parametrize(("kind", "seed"), [("daysheet", 100_000), ("list", HELD_OUT_SEED), ("list-fax", 1_002_026)])
def test_a_held_out_document_is_refused(kind: str, seed: int) -> None:
    with pytest.raises(HeldOut):
        document_of(kind, seed)


def test_a_recipe_with_a_held_out_layout_is_refused() -> None:
    with pytest.raises(HeldOut):
        list(make(Recipe(seed=1, examples=1, layouts=(next(iter(HELD_OUT)),))))


def test_every_example_is_of_development_and_of_the_seeds_of_training(made: list[Example]) -> None:
    assert not any(is_held_out(example.kind, example.seed) for example in made)
    assert all(FIRST_SEED <= example.seed < HELD_OUT_SEED for example in made)
    assert len({example.kind for example in made}) > len(DEVELOPMENT) / 2


def test_the_same_recipe_makes_the_same_examples(made: list[Example]) -> None:
    again = list(make(Recipe(seed=7, examples=12, prompt=PROMPT)))
    assert again == made[:12]
    assert next(make(Recipe(seed=8, examples=1, prompt=PROMPT))) != made[0]


def test_every_value_is_on_the_page_character_by_character(made: list[Example]) -> None:
    values = 0
    for example in made:
        for entry in answer(example):
            for value in (entry.nam, entry.name, entry.date, entry.time):
                if value is not None and f" {value} " not in f" {shown(example)} ":
                    # A number in cells of two lines stands there in pieces; punctuation may follow a value.
                    assert all(piece in shown(example) for piece in value.split()), (example.kind, example.seed)
                values += value is not None
    assert values > 200


def test_misread_numbers_are_answered_as_they_were_misread(made: list[Example]) -> None:
    numbers = [nam.normalise(entry.nam) for example in made for entry in answer(example)]
    assert any(nam.FORMAT.fullmatch(number) is None for number in numbers)
    assert sum(nam.FORMAT.fullmatch(number) is not None for number in numbers) > len(numbers) / 2


def counts_of(example: Example) -> set[int]:
    """How many numbers its document may hold."""
    return {
        len(build(example.kind, seed=example.seed, pages=1, people=people).truth) for people in (None, *range(1, 7))
    }


def test_a_page_has_as_many_entries_as_numbers_and_no_decoy() -> None:
    for example in make(Recipe(seed=7, examples=30, prompt="nam-v1")):
        assert len(PrintedNams.model_validate_json(example.completion).nams) in counts_of(example)


def test_a_long_page_gives_an_example_a_part(made: list[Example]) -> None:
    pages = {(example.kind, example.seed) for example in made}
    assert len(pages) < len(made)
    assert all(len(answer(example)) <= max(counts_of(example)) for example in made)


def test_some_parts_without_numbers_take_part(made: list[Example]) -> None:
    """More would teach little else than the empty answer."""
    assert 0.05 < sum(example.completion == "[]" for example in made) / len(made) < 0.4


def test_some_pages_have_their_columns_in_the_opposite_order() -> None:
    pages = [shown(example) for example in of_kind("list", 40)]
    heads = [page for page in pages if "Acte" in page and "Dossier" in page]
    assert any(page.index("Acte") < page.index("Dossier") for page in heads)
    assert any(page.index("Acte") > page.index("Dossier") for page in heads)


@pytest.mark.parametrize("kind", ["notice", "decoys", "invoice", "statement"])
def test_pages_of_decoys_and_specimens_have_an_empty_answer(kind: str) -> None:
    assert {example.completion for example in of_kind(kind, 4)} == {"[]"}


def test_a_share_of_pages_has_no_layout() -> None:
    kinds = [example.kind for example in make(Recipe(seed=9, examples=30, prompt=PROMPT, medley=0.5))]
    assert 8 <= kinds.count(medley.KIND) <= 24


def test_a_page_of_no_layout_says_where_all_its_numbers_are() -> None:
    unlocated = numbers = 0
    for seed in range(FIRST_SEED, FIRST_SEED + 25):
        document = document_of(medley.KIND, seed)
        page = next(iter(read_pages(document.pdf, reader="text_layer"))).page
        assert page is not None
        found = targets(Layout.of(page), document.truth)
        unlocated += found is None
        numbers += len(document.truth)
    assert unlocated == 0
    assert numbers > 150


def test_pages_of_no_layout_differ_in_what_they_call_a_number() -> None:
    shown = " ".join(
        read.page.text.lower()
        for seed in range(FIRST_SEED, FIRST_SEED + 25)
        for read in read_pages(document_of(medley.KIND, seed).pdf, reader="text_layer")
        if read.page
    )
    assert sum(word in shown for word in ("ramq", "nam", "soleil", "health", "medicare", "ass. maladie", "carte")) >= 4


def test_what_the_page_does_not_say_is_null() -> None:
    entries = spelt("labels", 4)
    assert entries
    assert all(entry.date is None and entry.time is None for entry in entries)
    assert sum(entry.name is not None for entry in entries) > len(entries) / 2


def test_the_prompt_is_the_finders_own(made: list[Example]) -> None:
    document = document_of("list", FIRST_SEED)
    page = next(iter(read_pages(document.pdf, reader="text_layer"))).page
    assert page is not None
    prompt = prompts.load(PROMPT)
    assert prompt.messages(page)[1]["content"] == prompt.question(page)
    assert all(example.prompt[0]["content"] == prompt.system for example in made)


def test_a_name_is_not_taken_from_the_letters_of_a_number() -> None:
    """AUBE 9506 0435 right below "AUBÉ, Émile" has the surname in it."""
    entries = spelt("rooms", 6)
    assert sum(entry.name is not None for entry in entries) > len(entries) / 2
    assert not any(entry.name and nam.normalise(entry.nam)[:4] in entry.name.split()[1:] for entry in entries)


def test_long_pages_are_left_out(made: list[Example]) -> None:
    counted = Made()
    short = list(make(Recipe(seed=7, examples=10, prompt=PROMPT, longest=700), counted))
    assert all(len(example.prompt[1]["content"]) + len(example.completion) <= 700 for example in short)
    assert counted.left_out["too long"] > 0


def test_a_budget_that_no_page_keeps_is_said_and_does_not_last_for_ever() -> None:
    with pytest.raises(TooFew):
        list(make(Recipe(seed=7, examples=1, longest=10, layouts=("invoice",))))


def test_a_page_on_which_a_number_was_not_read_gives_no_answer() -> None:
    document = build("list", seed=FIRST_SEED, pages=1)
    page = next(iter(read_pages(document.pdf, reader="text_layer"))).page
    assert page is not None
    lines = tuple(line for line in page.lines if not document.truth[0].box.holds(line.words[0].box))
    without = Page(1, page.width, page.height, tuple(
        line._replace(words=tuple(w for w in line.words if not document.truth[0].box.holds(w.box))) for line in lines
    ), page.reader)  # fmt: skip
    assert targets(Layout.of(page), document.truth) is not None
    assert targets(Layout.of(without), document.truth) is None


def test_a_file_has_a_line_an_example_and_a_hash_that_repeats(tmp_path: Path) -> None:
    recipe = Recipe(seed=5, examples=6, prompt=PROMPT, layouts=("letter", "invoice"))
    one, other = (write(tmp_path / name, recipe) for name in ("one.jsonl", "other.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [sorted(line) for line in lines] == [["completion", "kind", "prompt", "seed"]] * 6
    assert one.examples == 6
    assert one.sha256 == other.sha256


def test_pages_read_from_pictures_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def read_by(reader: str, document: object) -> Page | None:
        calls.append(reader)
        source = build("letter", seed=document.seed, pages=1, misprints=examples.MISPRINTS)  # type: ignore[attr-defined]
        return next(iter(read_pages(source.pdf, reader="text_layer"))).page

    monkeypatch.setattr(examples, "_read_by", read_by)
    monkeypatch.setattr(examples, "DEGRADATIONS", {"scan": None})
    monkeypatch.setattr(examples, "_people", lambda chance: None)
    recipe = Recipe(seed=2, examples=2, prompt=PROMPT, layouts=("letter",), scanned=1.0)
    first = list(make(recipe, cache=tmp_path))
    reads = len(calls)
    assert calls == ["local"] * reads
    assert list(make(recipe, cache=tmp_path)) == first
    assert len(calls) == reads


def test_what_was_read_in_place_of_a_number_must_be_like_it() -> None:
    document = build("letter", seed=FIRST_SEED, pages=1)
    page = next(iter(read_pages(document.pdf, reader="text_layer"))).page
    assert page is not None
    (item,) = document.truth[:1]
    layout = Layout.of(page)
    (target, *_) = targets(layout, [item]) or ()

    def reread(change: dict[int, str]) -> Layout:
        lines = tuple(
            line._replace(words=tuple(w._replace(text=w.text.translate(change)) for w in line.words))
            for line in page.lines
        )
        return Layout.of(Page(1, page.width, page.height, lines, page.reader))

    misread = targets(reread({ord("0"): "O", ord("5"): "S", ord("1"): "|"}), [item])
    assert misread is not None
    assert misread[0].nam == target.nam
    assert targets(reread({ord(item.nam[0]): "z"}), [item]) is not None
    assert targets(reread(dict.fromkeys(range(ord("0"), ord("Z") + 1), "z")), [item]) is None
