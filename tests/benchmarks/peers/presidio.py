"""Microsoft Presidio with a recogniser for NAMs, as its documentation builds one: a pattern, and words that support it.

The whole analyzer runs on spaCy's blank French pipeline: the number is found by the pattern alone, and the words around
it need only be told apart. What its trained pipelines add (persons, places) cannot change which NAMs are found.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import spacy
from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.language import Language

ENTITY = "CA_QC_NAM"
SCORE, WITH_CONTEXT = 0.4, 0.5
PATTERN = Pattern("nam", r"\b[A-Za-z]{4}[ -]?\d{4}[ -]?\d{4}\b", SCORE)
CONTEXT = ["nam", "ramq", "assurance", "maladie", "carte", "soleil", "hin"]


@Language.component("lower_case")
def lower_case(doc: Any) -> Any:
    """Context is compared by lemma; without a trained lemmatiser it is the word itself."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class BlankEngine(SpacyNlpEngine):
    """Presidio's engine over a pipeline that is already loaded, as its documentation shows."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "fr", "model_name": "blank"}])
        pipeline = spacy.blank("fr")
        pipeline.add_pipe("lower_case")
        self.nlp = {"fr": pipeline}

    def load(self) -> None:
        """Nothing: it is."""


def recogniser() -> PatternRecognizer:
    return PatternRecognizer(supported_entity=ENTITY, supported_language="fr", patterns=[PATTERN], context=CONTEXT)


def alone() -> Callable[[str], Any]:
    """The recogniser by itself."""
    own = recogniser()
    return lambda text: own.analyze(text, [ENTITY], None)


def with_context() -> Callable[[str], Any]:
    """The whole analyzer, keeping what words around the number support."""
    registry = RecognizerRegistry(supported_languages=["fr"])
    registry.add_recognizer(recogniser())
    engine = AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(), supported_languages=["fr"])
    return lambda text: engine.analyze(text, language="fr", entities=[ENTITY], score_threshold=WITH_CONTEXT)


def run(name: str, analyse: Callable[[str], Any], pages: list[dict[str, Any]]) -> dict[str, Any]:
    values = []
    began = time.perf_counter()
    for page in pages:
        text = page["text"]
        values += [[page["document"], page["number"], text[hit.start : hit.end]] for hit in analyse(text)]
    return {"name": name, "values": values, "seconds": time.perf_counter() - began, "tokens": None, "failed": 0}


def turns(pages: list[dict[str, Any]]) -> None:
    """Searches all pages for each line that arrives, and prints the seconds: for taking turns with another tool."""
    analyse = with_context() if "--with-context" in sys.argv else alone()
    for _line in sys.stdin:
        print(run("", analyse, pages)["seconds"], flush=True)


def main() -> None:
    pages = json.loads(sys.stdin.readline())["pages"]
    if "--turns" in sys.argv:
        turns(pages)
        return
    ways = (("Presidio, pattern recogniser", alone()), ("Presidio, analyzer with context words", with_context()))
    print(json.dumps([run(name, analyse, pages) for name, analyse in ways]))


if __name__ == "__main__":
    main()
