"""Pages of the development corpus with the answers that the model finder asks for, to tune a model on.

The corpus is the only source: `document_of` prints a document from a kind and a seed and refuses held-out ones, and
nothing here opens a file of somebody's. Seeds are `FIRST_SEED` or more, so that no document that rules were written on,
or that a development figure is measured on, is trained on.

A page comes from its text layer, mostly made worse by `noise`; a share may come from the local reader, of degraded
documents, which takes seconds a page and is kept on disk. It is asked about as `finders.model` asks, in parts where it
is longer than the prompt is made for: an example is a part. An answer is what stands there as it was read. A part of
which `finders.model` would not keep every value of the answer is left out.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from extraction.corpus.degrade import DEGRADATIONS
from extraction.corpus.documents import CorpusDocument, build
from extraction.corpus.layouts import DEVELOPMENT
from extraction.corpus.split import HELD_OUT_SEED, is_held_out
from extraction.finders.answers import FORMS, PrintedNam
from extraction.finders.choices import Choice, choices
from extraction.finders.location import text_of
from extraction.finders.model import trace
from extraction.finders.telling import messages
from extraction.layout import Layout
from extraction.llm import prompts
from extraction.llm.prompts import Message
from extraction.llm.training import medley, noise
from extraction.llm.training.noise import Wear, Worn
from extraction.llm.training.targets import Spans, Target, targets
from extraction.llm.training.views import View, mirrored, parted
from extraction.page import Page
from extraction.readers.choosing import Reader, read_pages
from extraction.stance import Stance

FIRST_SEED = 100_000
"""Training takes seeds from here to the first held-out one."""
LONGEST = 6_000
"""Characters of a page and its answer. SmolLM2's tokenizer makes one token of 1.6 of them, for it takes every digit by
itself, so that these are 3,700 tokens of a context of 4,096."""
MISPRINTS = 0.05
"""The share of numbers that are printed with a wrong check character: they are to be copied like any other."""
_CLEAN = 0.3
"""The share of text-layer pages that stay as they were typed."""
_MIRRORED = 0.2
"""The share of pages whose columns stand in the opposite order."""
_SHORTEST_PART, _LONGEST_PART = 0.5, 1.6
"""How long the parts of a page are at least and at most, as a share of what the prompt is made for: a model that was
tuned on parts of one length would not do for another, and the end of a page is as long as it happens to be."""
_EMPTY = 0.35
"""The share of parts without numbers that take part. There are more of them than of any other answer."""
_FEW = 0.5
"""The share of documents that hold fewer numbers than their layout usually does, where it leaves a choice."""
_MOST_OF_FEW = 6
_TRIES = 20
"""Documents that are looked at, for each example asked for, before it is given up."""


class HeldOut(ValueError):
    """A document that figures are measured on was asked for. Its text is one plain sentence."""


class TooFew(ValueError):
    """The corpus does not give so many examples with these limits. Its text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made: so many `examples`, each a page or a part of one. Equal recipes make equal examples.

    `prompt` is the version that the model will be asked with, `layouts` those of development that take part (all),
    `longest` the most characters of a page and its answer, `scanned` the share, 0..1, of the layouts' pages that the
    local reader reads from degraded documents, and `medley` the share of all pages that have no layout (see `medley`).
    """

    seed: int
    examples: int
    prompt: str = prompts.CURRENT
    layouts: tuple[str, ...] = tuple(DEVELOPMENT)
    longest: int = LONGEST
    scanned: float = 0.0
    medley: float = 0.0


class Example(NamedTuple):
    """A conversation and how it should go on. `kind` and `seed` name the document, so that it can be looked at."""

    prompt: list[Message]
    completion: str
    kind: str
    seed: int

    def to_json(self) -> str:
        """One line of a file of examples."""
        return json.dumps(self._asdict(), ensure_ascii=False)


@dataclass(slots=True)
class Made:
    """How many examples were made, by layout, and how many pages or parts were left out, by reason."""

    layouts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    sha256: str = ""

    @property
    def examples(self) -> int:
        return self.layouts.total()


def write(path: Path, recipe: Recipe, *, cache: Path | None = None) -> Made:
    """Writes the examples as JSONL, one a line. Raises HeldOut, TooFew or OSError."""
    made, digest = Made(), hashlib.sha256()
    with path.open("w", encoding="utf-8") as file:
        for example in make(recipe, made, cache=cache):
            line = example.to_json() + "\n"
            file.write(line)
            digest.update(line.encode())
    made.sha256 = digest.hexdigest()
    return made


def make(recipe: Recipe, made: Made | None = None, *, cache: Path | None = None) -> Iterator[Example]:
    """The examples of a recipe, always the same ones, layouts in turn; `made` is told what became of each page.

    `cache` is a folder for pages of the local reader. Raises HeldOut, or TooFew.
    """
    made = Made() if made is None else made
    for kind, seed, chance in _sources(recipe):
        if made.examples >= recipe.examples:
            return
        if made.examples + made.left_out.total() >= _TRIES * max(recipe.examples, len(recipe.layouts)):
            raise TooFew("The corpus does not give so many examples; allow longer pages or ask for fewer.")
        document = document_of(kind, seed, people=_people(chance))
        page = _read(document, cache)
        for example in _examples(page, document, recipe, chance) if page else ["unread"]:
            if not isinstance(example, Example):
                made.left_out[example] += 1
            elif made.examples < recipe.examples:
                made.layouts[kind.partition("-")[0]] += 1
                yield example


def document_of(kind: str, seed: int, *, people: int | None = None) -> CorpusDocument:
    """A document of one page to train on. Raises HeldOut for any that figures are measured on."""
    if kind == medley.KIND:
        return medley.medley(seed, people=people, misprints=MISPRINTS)
    if is_held_out(kind, seed):
        raise HeldOut("Held-out documents are never trained on.")
    return build(kind, seed=seed, pages=1, people=people, misprints=MISPRINTS)


def _sources(recipe: Recipe) -> Iterator[tuple[str, int, random.Random]]:
    """Kinds with seeds, every layout once in each round, and a generator of its own for each document."""
    chance = random.Random(f"{recipe.seed}/examples")  # noqa: S311 - repeatable on purpose
    while True:
        for layout in chance.sample(recipe.layouts, len(recipe.layouts)):
            while recipe.medley and chance.random() < recipe.medley:
                seed = chance.randrange(FIRST_SEED, HELD_OUT_SEED)
                yield medley.KIND, seed, random.Random(f"{recipe.seed}/{medley.KIND}/{seed}")  # noqa: S311 - the same
            seed = chance.randrange(FIRST_SEED, HELD_OUT_SEED)
            scanned = chance.random() < recipe.scanned
            kind = f"{layout}-{chance.choice(tuple(DEGRADATIONS))}" if scanned else layout
            yield kind, seed, random.Random(f"{recipe.seed}/{kind}/{seed}")  # noqa: S311 - the same


def _people(chance: random.Random) -> int | None:
    return chance.randint(1, _MOST_OF_FEW) if chance.random() < _FEW else None


def _read(document: CorpusDocument, cache: Path | None) -> Page | None:
    """The page as its reader reads it; None where it cannot."""
    if "-" not in document.kind:
        return _read_by("text_layer", document)
    if cache is None:
        return _read_by("local", document)
    kept = cache / f"{document.kind}-{document.seed}-{hashlib.sha256(document.pdf).hexdigest()[:16]}.json"
    if kept.is_file():
        return Page.from_json(json.loads(kept.read_text(encoding="utf-8")))
    page = _read_by("local", document)
    if page is not None:
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(page.to_json(), ensure_ascii=False), encoding="utf-8")
        # Boxes are kept with five decimals: whoever reads it from the cache must see the same page.
        page = Page.from_json(json.loads(kept.read_text(encoding="utf-8")))
    return page


def _read_by(reader: Reader, document: CorpusDocument) -> Page | None:
    return next(iter(read_pages(document.pdf, reader=reader))).page


def _examples(page: Page, document: CorpusDocument, recipe: Recipe, chance: random.Random) -> Iterator[Example | str]:
    """The examples of a page, or why there is none."""
    view = _seen(page, document, chance)
    if isinstance(view, str):
        yield view
        return
    longest = round(prompts.load(recipe.prompt).longest * chance.uniform(_SHORTEST_PART, _LONGEST_PART))
    for part in parted(view.layout, view.wanted, longest):
        if part.wanted or chance.random() < _EMPTY:
            yield _checked(part, document, recipe)


def _seen(page: Page, document: CorpusDocument, chance: random.Random) -> View | str:
    """A page as it was read, mirrored and misread, or why it cannot be learnt from."""
    stance = Stance.of(page)
    layout = Layout.of(stance.righted(page))
    if not layout.words:
        return "empty"
    wanted = targets(layout, document.truth, shown=stance.put_back)
    if wanted is None:
        return "unlocated"
    view = View(layout, wanted)
    if chance.random() < _MIRRORED:
        view = mirrored(layout, wanted) or view
    if page.is_typed and chance.random() >= _CLEAN:
        misread = noise.worn(view.layout, chance, _wear(chance), apart=_edges(view.wanted))
        if misread is not None:
            view = View(misread.layout, [_moved(target, misread) for target in view.wanted])
    return view


def _checked(view: View, document: CorpusDocument, recipe: Recipe) -> Example | str:
    layout, wanted = view
    entries = [_entry(layout, target) for target in wanted]
    if None in entries:
        return "unlocated"
    kept = [entry for entry in entries if entry]
    prompt, chosen_from = prompts.load(recipe.prompt), choices(layout)
    if not chosen_from:
        return "unasked"
    try:
        answer = FORMS[prompt.form].saying(list(_sayable(kept, chosen_from)), chosen_from)
    except ValueError:
        return "unsayable"
    _, hallucinated = trace(layout, answer.entries(chosen_from))
    if hallucinated:
        return "untraced"
    completion = answer.text()
    asked = messages(prompt, layout)
    if len(asked[-1]["content"]) + len(completion) > recipe.longest:
        return "too long"
    return Example(asked, completion, document.kind, document.seed)


def _sayable(entries: Iterable[PrintedNam], chosen_from: Sequence[Choice]) -> Iterator[PrintedNam]:
    """The entries with the dates and times that an answer may say, where the page leaves it no choice.

    Raises ValueError where there is a choice and what is wanted is none of it, for it was misread: taught to say
    nothing there, a model says nothing where it could.
    """
    by_number = {choice.number: choice for choice in reversed(chosen_from)}
    before = ""
    for entry in entries:
        if (choice := by_number.get(entry.nam)) is None:
            raise ValueError("a number is none of the choices")
        before = _among(entry.date, choice.dates, also=(before,) if before and choice.repeats else ())
        time = _among(entry.time, choice.times)
        yield entry.model_copy(update={"date": before or None, "time": time or None})


def _among(wanted: str | None, choices: Sequence[str], also: Sequence[str] = ()) -> str:
    said = {*choices, *also}
    if (wanted or "") in said:
        return wanted or ""
    if len(said) > 1:
        raise ValueError("a date or a time is none of the choices")
    return choices[0]


def _wear(chance: random.Random) -> Wear:
    """From a good scan to a bad fax."""
    amount = chance.random() ** 2
    return Wear(look_alikes=0.05 * amount, lost_spaces=0.06 * amount, split_words=0.05 * amount)


def _edges(wanted: Sequence[Target]) -> frozenset[int]:
    """The offsets right before and behind every value: glued to other letters it could not be found again."""
    spans = [span for target in wanted for spans in target for span in spans]
    return frozenset(offset for start, end in spans for offset in (start - 1, end))


def _moved(target: Target, misread: Worn) -> Target:
    return Target(*(tuple(misread.span(span) for span in spans) for spans in target))


def _entry(layout: Layout, target: Target) -> PrintedNam | None:
    """The entry as the page prints it now; None where nothing is left of its number."""
    number = _printed(layout, target.nam)
    if number is None:
        return None
    name, date, time = (_printed(layout, spans) for spans in target[1:])
    return PrintedNam(nam=number, name=name, date=date, time=time)


def _printed(layout: Layout, spans: Spans) -> str | None:
    """What the model sees there; None where it sees nothing."""
    return prompts.visible(text_of(layout, spans)) or None
