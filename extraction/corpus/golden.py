"""The golden cases and functional tests that the system before this one planned and never built.

Its planning papers name eight golden documents, with thresholds for three of them, and five functional tests with their
numbers of pages and NAMs. They are here under its names, with its thresholds; where it gave none for a degraded case,
those of its photocopies are taken. Documents are made when they are asked for, always the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from extraction.corpus.documents import CorpusDocument, build

SEED = 20_251_021


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A named document and what is expected of it.

    `pages` and `nams` are what it holds; `precision` and `recall` are the least, 0..1, that an extraction must reach.
    """

    name: str
    description: str
    kind: str
    pages: int
    nams: int
    precision: float
    recall: float
    people: int | None = None

    def document(self) -> CorpusDocument:
        return build(self.kind, seed=SEED, pages=self.pages, people=self.people)


def golden_cases() -> list[GoldenCase]:
    """The eight golden documents."""
    return [
        GoldenCase("golden-01-clean-printed", "an agenda as it is printed", "agenda", 3, 15, 0.95, 0.90),
        GoldenCase("golden-02-photocopied", "photocopies of an agenda", "agenda-photocopy", 3, 15, 0.85, 0.80),
        GoldenCase(
            "golden-03-handwritten-mixed", "a register: hand and print", "register-scan", 3, 15, 0.75, 0.70, people=5
        ),
        GoldenCase("golden-04-phone-photo", "photographs of an agenda", "agenda-photo", 3, 15, 0.85, 0.80),
        GoldenCase("golden-05-fax-quality", "an agenda sent by fax", "agenda-fax", 3, 15, 0.85, 0.80),
        GoldenCase("golden-06-edge-cases", "malformed and confusable numbers", "edge", 2, 20, 0.90, 0.90),
        GoldenCase("golden-07-large-volume", "52 pages of an agenda", "agenda", 52, 260, 0.95, 0.90),
        GoldenCase("golden-08-empty-no-nams", "an invoice, and not one NAM", "invoice", 3, 0, 1.0, 1.0),
    ]


def functional_tests() -> list[GoldenCase]:
    """The five functional tests, with the numbers of pages and NAMs that the planning papers give."""
    return [
        GoldenCase("functional-1-clean-printed", "20 printed pages", "agenda", 20, 100, 0.90, 0.90),
        GoldenCase("functional-2-photocopy", "10 photocopied pages", "agenda-photocopy", 10, 50, 0.90, 0.90),
        GoldenCase("functional-3-handwritten", "a register, 5 pages", "register-scan", 5, 20, 0.90, 0.90, people=4),
        GoldenCase("functional-4-edge-cases", "malformed numbers, scanned", "edge-scan", 2, 20, 0.90, 0.90),
        GoldenCase("functional-5-empty", "pages with nothing on them", "empty", 5, 0, 1.0, 1.0),
    ]
