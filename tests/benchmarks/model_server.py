"""The real model server with the adapter that comes with the application, on this machine's processor.

Needs what `make test-llm` installs (MODEL_FOLDER names it). Pages are held-out ones as the computer prints them; the
seed's design, one prompt for the whole document, asks the same server in the same run, once in that system's own words
and once in ours, on which the adapter was tuned.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.benchmarks import Result
from tests.benchmarks.measure import ROOT
from tests.benchmarks.peers import one_prompt

FOLDER = Path(os.environ.get("MODEL_FOLDER", ROOT / ".venv" / "model"))
PAGES = 40
LONG = (20, 200)
BESIDE = 3
"""Documents that one prompt is asked about too."""
DOCUMENTS, PAGES_EACH = 5, 8
FIRST_SEED = 1_070_000
SEED_TOKENS = 4_000
"""The seed's limit on an answer."""


def benchmarks() -> Iterator[Result]:
    if not (FOLDER / "environment" / ".installed").is_file():
        print("  The model server is not installed: make test-llm installs it.")
        return
    _set_up()
    from tests.llm.server import started

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with started(FOLDER, log):
            pass  # What is compiled is kept from here on.
        with started(FOLDER, log) as running:
            yield Result("model server, warm start until it answers", running.seconds, "s", bar=60)
            yield from _measured(running)
            yield Result("the same, resident memory of all its processes", resident(running.process), "GB", bar=4.0)


def _measured(running: Any) -> Iterator[Result]:
    pages = held_out(PAGES)
    counters = ("vllm:prefix_cache_hits_total", "vllm:request_success_total")
    before = [running.counter(name) for name in counters]
    ours = asked(running, pages)
    rate = len(pages) / ours["seconds"]
    hits, questions = (running.counter(name) - earlier for name, earlier in zip(counters, before, strict=True))
    name = f"{len(pages)} held-out pages through the model, {running.profile.sequences} at a time"
    yield Result(name, 1 / rate, "s/page", bar=1.0)
    yield Result(
        "the same, tokens of the answers for each number", ours["tokens"] / max(1, ours["numbers"]), "", bar=30
    )
    prefix = running.constant_tokens() * questions
    yield Result("the same, constant beginning of the prompts found in the cache", hits / prefix, "", bar=0.8,
                 higher_is_better=True)  # fmt: skip
    yield Result("the same, F1 of the model alone", ours["f1"], "")
    yield from _beside_one_prompt(running)
    yield from _long(running)
    yield from _five_at_once(running, rate)


def _beside_one_prompt(running: Any) -> Iterator[Result]:
    """Pages a minute and F1 on documents as large as the one prompt still takes: medians of BESIDE documents."""
    seeds = [FIRST_SEED + 10_000 + 200 * number for number in range(BESIDE)]
    count = min(largest(running, seed) for seed in seeds)
    documents = [held_out(count, seed) for seed in seeds]
    ours = [asked(running, document) for document in documents]
    what = f"{BESIDE} documents of {count} pages, as many as one prompt takes"
    yield Result(f"{what}: ours", 60 * count / _median(ours, "seconds"), "pages/min")
    for name, how in HOW.items():
        peers = [whole(running, document, how) for document in documents]
        ratios = [peer["seconds"] / own["seconds"] for own, peer in zip(ours, peers, strict=True)]
        yield Result(f"{what}: one prompt {name}", 60 * count / _median(peers, "seconds"), "pages/min")
        each = ", ".join(f"{ratio:.1f}" for ratio in ratios)
        yield Result(f"  how many times as fast ours is ({each})", statistics.median(ratios), "x", bar=5,
                     higher_is_better=True)  # fmt: skip
        peer_f1 = _median(peers, "f1")
        yield Result(f"  F1, ours beside {peer_f1:.2f}", _median(ours, "f1"), "", bar=peer_f1, higher_is_better=True)


def _median(measured: Sequence[dict[str, Any]], name: str) -> float:
    return statistics.median(each[name] for each in measured)


def _long(running: Any) -> Iterator[Result]:
    for count in LONG:
        document = held_out(count, seed=FIRST_SEED + 20_000)
        ours, peer = asked(running, document), whole(running, document, HOW["in our words"])
        yield Result(f"{count} pages, ours", 60 * count / ours["seconds"], "pages/min")
        yield Result(f"{count} pages, F1, ours", ours["f1"], "")
        yield Result(f"{count} pages, F1, one prompt ({peer['why'] or 'answered'})", peer["f1"], "")


def _five_at_once(running: Any, rate: float) -> Iterator[Result]:
    """How long each of five documents takes when all are worked off at once, beside the server's own rate."""
    documents = [held_out(PAGES_EACH, seed=FIRST_SEED + 30_000 + 100 * number) for number in range(DOCUMENTS)]
    with ThreadPoolExecutor(DOCUMENTS) as pool:
        seconds = [one["seconds"] for one in pool.map(partial(asked, running), documents)]
    predicted = DOCUMENTS * PAGES_EACH / rate
    yield Result(f"{DOCUMENTS} documents of {PAGES_EACH} pages at once, the slowest, beside the server's rate",
                 max(seconds) / predicted, "x", bar=1.2)  # fmt: skip


# What is asked


def held_out(count: int, seed: int = FIRST_SEED) -> list[tuple[Any, Any]]:
    """Pages of all held-out layouts in turn, each with the document that it is the only page of."""
    from extraction.corpus.documents import build
    from extraction.corpus.layouts import HELD_OUT
    from extraction.readers.choosing import read_pages

    layouts = sorted(HELD_OUT)
    made = [build(layouts[n % len(layouts)], seed=seed + n, pages=1) for n in range(count)]
    return [(document, next(iter(read_pages(document.pdf, reader="text_layer"))).page) for document in made]


def asked(running: Any, document: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """Our design: a question a page, as many at a time as the server takes."""
    from extraction.finders.model import ModelFinder
    from extraction.llm import prompts

    finder = ModelFinder(running.server, prompts.load(running.prompt))
    began = time.perf_counter()
    with ThreadPoolExecutor(running.profile.sequences) as pool:
        answers = list(pool.map(lambda pair: finder.find(pair[1]), document))
    seconds = time.perf_counter() - began
    found = [proposal.nam for answer in answers for proposal in answer.proposals]
    tokens = sum(answer.completion_tokens for answer in answers)
    return {"seconds": seconds, "f1": f1(found, document), "tokens": tokens, "numbers": len(found), "why": ""}


def seeds_words(pages: Sequence[tuple[Any, Any]]) -> list[dict[str, str]]:
    numbered = [{"number": number, "text": page.text} for number, (_, page) in enumerate(pages, 1)]
    return [
        {"role": "system", "content": one_prompt.SYSTEM},
        {"role": "user", "content": one_prompt.question(numbered)},
    ]


def our_words(pages: Sequence[tuple[Any, Any]]) -> list[dict[str, str]]:
    from extraction.llm import installing, profiles, prompts
    from namsite.demo import PROFILE

    prompt = prompts.load(installing.prompt_of(installing.adapter_of(profiles.profile(PROFILE))))
    content = "\n".join(prompts.render(page) for _, page in pages)
    return [{"role": "system", "content": prompt.system}, {"role": "user", "content": content}]


HOW: dict[str, Callable[[Sequence[tuple[Any, Any]]], list[dict[str, str]]]] = {
    "in the seed's words": seeds_words,
    "in our words": our_words,
}


def whole(
    running: Any,
    document: Sequence[tuple[Any, Any]],
    how: Callable[[Sequence[tuple[Any, Any]]], list[dict[str, str]]],
) -> dict[str, Any]:
    """The seed's design: all pages in one prompt. What is no JSON, or does not fit, is no number found."""
    messages = how(document)
    room = running.profile.context - running.tokens(messages)
    if room <= 0:
        return {"seconds": float("inf"), "f1": 0.0, "why": "longer than the context"}
    form = {"type": "json_object"} if how is seeds_words else None
    body = {"model": running.server.model, "messages": messages, "temperature": 0, "max_tokens": min(SEED_TOKENS, room)}
    began = time.perf_counter()
    reply = httpx.post(
        f"{running.server.endpoint}/chat/completions",
        json=body | ({"response_format": form} if form else {}),
        timeout=1200,
        trust_env=False,
    )
    seconds = time.perf_counter() - began
    reply.raise_for_status()
    content = reply.json()["choices"][0]["message"]["content"]
    return {"seconds": seconds, "f1": f1(values(content), document), "why": ""}


def values(content: str) -> list[str]:
    """The numbers of an answer in either form."""
    try:
        said = json.loads(content)
        return [str(item["nam"]) if isinstance(item, dict) else str(item).split("|")[0]
                for item in (said["results"] if isinstance(said, dict) else said)]  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return []


def largest(running: Any, seed: int) -> int:
    """The most pages of which both prompts leave room for an answer: a token for every six of the pages."""
    count = 1
    while all(running.tokens(how(held_out(count + 1, seed))) * 7 / 6 < running.profile.context for how in HOW.values()):
        count += 1
    return count


def f1(found: Sequence[str], document: Sequence[tuple[Any, Any]]) -> float:
    from extraction import nam
    from extraction.scoring import score

    true = [(1, item.nam) for each, _ in document for item in each.truth]
    return score([(1, nam.normalise(value)) for value in found], true).f1 or 0.0


def resident(process: subprocess.Popen[bytes]) -> float:
    """Gigabytes of the server's processes; what they share is counted once."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return sum(each.memory_full_info().pss for each in family) / 1e9


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "namsite.settings")
    os.environ.setdefault("TESTING", "1")
    django.setup()
