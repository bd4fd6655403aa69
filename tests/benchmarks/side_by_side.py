"""Other tools and ours on the same pages, in one run: precision, recall, speed, tokens, invented values.

Every tool that takes text gets the words that our reader read; `ocrmypdf` reads by itself, and its text is searched
with the strict pattern. Tools that ask a model get the one of LLM_ENDPOINT, and are left out where none is set.

`python -m tests.benchmarks.side_by_side FOLDER` measures the documents in each subfolder of FOLDER and prints JSON, for
the accuracy report. `make bench` measures a small corpus of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from extraction import nam
from extraction.page import Page
from extraction.scoring import Score, score
from extraction.stance import Stance
from tests.benchmarks import Result
from tests.benchmarks.measure import manage, peer_program
from tests.benchmarks.scanned import STRICT, peer_command

Place = tuple[str, int]
"""A page: name of its document, number."""
Values = dict[Place, list[str]]
"""The normalised values that a tool returns for each page."""

STRICT_NAME = "strict pattern, our words"
OCRMYPDF_NAME = "ocrmypdf, strict pattern"
NO_ENDPOINT = "needs a model endpoint"
NOT_INSTALLED = "not installed"
ASKING = ("ours: model", "ours: hybrid", "LangExtract", "one prompt for the whole document")


@dataclass(slots=True)
class Tool:
    """What one tool did. Seconds are of all pages; no reading: it took our words. `missing` says why it did not run.

    `texts` is what was searched, where that is not our words.
    """

    name: str
    values: Values = field(default_factory=dict)
    reading: float = 0.0
    finding: float = 0.0
    tokens: int | None = None
    failed: int = 0
    missing: str = ""
    texts: dict[Place, str] = field(default_factory=dict)


@dataclass(slots=True)
class Pages:
    """The pages that everything is measured on: their text, what is true, and the category of each document."""

    texts: dict[Place, str]
    truth: Values
    category: dict[str, str]
    documents: dict[str, Path]

    @property
    def reader_input(self) -> str:
        """What a program of `tests/benchmarks/peers` reads."""
        pages = [{"document": name, "number": number, "text": text} for (name, number), text in self.texts.items()]
        return json.dumps({"pages": pages}) + "\n"


def benchmarks() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        manage("report_accuracy", "--quick", "--corpus-only", "--work", folder)
        rows = measured(Path(folder) / "corpus")
    best = max((row["f1"] or 0 for row in rows if not row["missing"] and not row["name"].startswith("ours")), default=0)
    for row in rows:
        if row["missing"]:
            print(f"  {row['name']}: {row['missing']}")
            continue
        ours = row["name"].startswith("ours")
        yield Result(f"F1, {row['name']}", row["f1"] or 0.0, "", bar=best if ours else None, higher_is_better=True)


def measured(folder: Path) -> list[dict[str, Any]]:
    """A row for each tool on the documents in the subfolders of `folder`, one subfolder a category."""
    pages, ours = read(folder)
    tools = [strict(pages), *presidio(pages), ocrmypdf(pages), *asking_peers(pages), *ours]
    return [row(tool, pages) for tool in tools]


def row(tool: Tool, pages: Pages) -> dict[str, Any]:
    """The figures of one tool, ready for JSON; `categories` has TP, FP, FN of each."""
    total, categories = Score(), defaultdict(Score)
    for place in pages.texts:
        counted = score(
            [(1, value) for value in tool.values.get(place, ())], [(1, value) for value in pages.truth.get(place, ())]
        )
        total += counted
        categories[pages.category[place[0]]] += counted
    count = len(pages.texts)
    return {
        "name": tool.name,
        "missing": tool.missing,
        "pages": count,
        **asdict(total),
        **{key: getattr(total, key) for key in ("precision", "recall", "f1", "precision_interval", "recall_interval")},
        "hallucinated": hallucinated(tool.values, pages.truth, tool.texts or pages.texts),
        "reading": tool.reading / count,
        "finding": tool.finding / count,
        "tokens": None if tool.tokens is None else tool.tokens / count,
        "failed": tool.failed,
        "categories": {name: asdict(each) for name, each in categories.items()},
    }


def hallucinated(values: Values, truth: Values, texts: Mapping[Place, str]) -> int:
    """How many false values do not stand on their page, even if look-alikes (O and 0, I and 1, ...) count as equal."""
    count = 0
    for place, found in values.items():
        false = Counter(found) - Counter(truth.get(place, ()))
        text = folded(texts.get(place, ""))
        count += sum(times for value, times in false.items() if folded(value) not in text)
    return count


def folded(text: str) -> str:
    """Letters and digits only, look-alikes as digits."""
    return nam.normalise(text).translate(str.maketrans("OQDILZASGB", "0001124568"))


# Ours


def read(folder: Path) -> tuple[Pages, list[Tool]]:
    """Every page as our reader reads it, and what our finders make of it."""
    _set_up()
    from extraction.measurement import labelled, measure

    works, counters = _works()
    tools = {name: Tool(f"ours: {name}") for name in works}
    pages = Pages({}, defaultdict(list), {}, {})
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        for document in labelled(part):
            pages.category[document.name], pages.documents[document.name] = part.name, document.pdf
            for known in document.truth:
                pages.truth[document.name, known.page].append(known.nam)
                pages.texts[document.name, known.page] = ""  # It counts even if nobody can read it.
            for name, result in measure(document, works).items():
                pages.texts |= {(document.name, page.number): upright(page).text for page in result.pages}
                _add(tools[name], result)
    for name, counter in counters.items():
        tools[name].tokens = counter.tokens
    if "model" not in tools:
        tools |= {name: Tool(f"ours: {name}", missing=NO_ENDPOINT) for name in ("model", "hybrid")}
    return pages, list(tools.values())


def upright(page: Page) -> Page:
    """The page as our finders get it: righted, where it was scanned on its side or askew."""
    return Stance.of(page).righted(page)


def _add(tool: Tool, result: Any) -> None:
    tool.reading += result.reading_seconds
    tool.finding += result.seconds - result.reading_seconds
    tool.failed += result.model_errors.total()
    for proposal in result.proposals:
        tool.values.setdefault((result.document.name, proposal.page), []).append(proposal.nam)


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "namsite.settings")
    os.environ.setdefault("TESTING", "1")
    os.environ.setdefault("DATA_DIR", tempfile.gettempdir())
    django.setup()


class _Counting:
    """A model finder that counts the tokens of what it is asked for."""

    def __init__(self, finder: Any) -> None:
        self.finder, self.tokens, self._lock = finder, 0, threading.Lock()

    def find(self, page: Any) -> Any:
        answer = self.finder.find(page)
        with self._lock:
            self.tokens += answer.prompt_tokens + answer.completion_tokens
        return answer


def _works() -> tuple[dict[str, Any], dict[str, _Counting]]:
    """The work of each of our finders, and the counters of those that ask a model."""
    from extraction.management.commands.evaluate import ALL, plans

    works = plans(reader="auto", finder=ALL)
    counters = {name: _Counting(work.model) for name, work in works.items() if work.model is not None}
    return {name: replace(work, model=counters.get(name)) for name, work in works.items()}, counters


# The peers


def strict(pages: Pages) -> Tool:
    """Four letters and eight digits, in groups or not: the floor."""
    began = time.perf_counter()
    values = {place: [nam.normalise(hit) for hit in STRICT.findall(text)] for place, text in pages.texts.items()}
    return Tool(STRICT_NAME, values, finding=time.perf_counter() - began)


def presidio(pages: Pages) -> list[Tool]:
    return _program("presidio", pages) or [Tool("Presidio", missing=NOT_INSTALLED)]


def asking_peers(pages: Pages) -> Iterable[Tool]:
    for name, program in ((ASKING[2], "lang_extract"), (ASKING[3], "one_prompt")):
        if not os.environ.get("LLM_ENDPOINT"):
            yield Tool(name, missing=NO_ENDPOINT)
        else:
            yield from _program(program, pages) or [Tool(name, missing=NOT_INSTALLED)]


def _program(name: str, pages: Pages) -> list[Tool]:
    """What a program of the peers' environment says; nothing if it is not installed."""
    command = peer_program(name)
    if command is None:
        return []
    done = subprocess.run(command, input=pages.reader_input, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [Tool(name, missing=f"could not run: {reason[:100]}")]
    return [_told(each) for each in json.loads(done.stdout.splitlines()[-1])]


def _told(told: dict[str, Any]) -> Tool:
    values: Values = {}
    for document, number, value in told["values"]:
        values.setdefault((document, number), []).append(nam.normalise(value))
    return Tool(told["name"], values, finding=told["seconds"], tokens=told["tokens"], failed=told["failed"])


def ocrmypdf(pages: Pages) -> Tool:
    """Its own reading of every document, then the strict pattern."""
    peer = os.environ.get("OCRMYPDF") or shutil.which("ocrmypdf")
    if peer is None or shutil.which("tesseract") is None:
        return Tool(OCRMYPDF_NAME, missing=NOT_INSTALLED)
    tool = Tool(OCRMYPDF_NAME)
    for category in sorted(set(pages.category.values())):
        names = [name for name in pages.documents if pages.category[name] == category]
        with tempfile.TemporaryDirectory() as folder:
            joined = Path(folder) / "joined.pdf"
            places = join([(name, pages.documents[name]) for name in names], joined)
            command, sidecar = peer_command(peer, joined, Path(folder))
            command[1:1] = ["--rotate-pages", "--rotate-pages-threshold", "2"]  # Ours turns pages too.
            began = time.perf_counter()
            done = subprocess.run(command, capture_output=True, check=False)
            tool.reading += time.perf_counter() - began
            tool.failed += done.returncode != 0
            texts = peer_texts(sidecar.read_text() if sidecar.exists() else "", joined)
        tool.texts |= {places[number - 1]: text for number, text in texts.items()}
    began = time.perf_counter()
    tool.values = {place: [nam.normalise(hit) for hit in STRICT.findall(text)] for place, text in tool.texts.items()}
    tool.finding = time.perf_counter() - began
    return tool


def join(documents: Iterable[tuple[str, Path]], target: Path) -> list[Place]:
    """Writes all documents as one PDF, so that a tool's start is paid once; returns which page is which."""
    import pikepdf

    places: list[Place] = []
    with pikepdf.new() as joined:
        for name, pdf in documents:
            with pikepdf.open(pdf) as document:
                joined.pages.extend(document.pages)
                places += [(name, number) for number in range(1, len(document.pages) + 1)]
        joined.save(target)
    return places


def peer_texts(sidecar: str, pdf: Path) -> dict[int, str]:
    """The text of each page: recognised where it was, or else the PDF's own, which `--skip-text` leaves as it is."""
    import pypdfium2

    texts: dict[int, str] = {}
    for part in sidecar.split("\f"):
        skipped = re.fullmatch(r"\[OCR skipped on page\(s\) (\d+)(?:-(\d+))?\]", part.strip())
        if not skipped:
            texts[len(texts) + 1] = part
            continue
        with pypdfium2.PdfDocument(pdf) as document:
            for number in range(int(skipped[1]), int(skipped[2] or skipped[1]) + 1):
                texts[number] = document[number - 1].get_textpage().get_text_bounded()
    return texts


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1])), ensure_ascii=False))
