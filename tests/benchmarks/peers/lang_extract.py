"""LangExtract on the same model, a page a document, with its advice: a clear task, examples, and grounded answers.

What it cannot place in the text (`char_interval` None) is kept, as it returns it: that is what a caller gets.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

TASK = """Extract every Quebec health insurance number (NAM, numéro d'assurance maladie) in order of appearance:
4 letters and 8 more characters, nearly always digits, printed as one word or in groups. Use the exact text; do not
paraphrase. Leave out telephone, file, invoice, licence and social insurance numbers, and numbers given as a specimen
or example."""
EXAMPLES = (
    ("08:30  Tremblay, Marie   TREM 5403 1523   514 555-0199", ["TREM 5403 1523"]),
    ("NAM : ROYJ85062018  Facture FACT 2025 1107", ["ROYJ85062018"]),
)
BUFFER, PASSES, WORKERS = 1000, 1, 4
MOST_TOKENS = 800
"""Of an answer about 1,000 characters, which hold twenty numbers at most: small models may go on without an end."""


def values_of(annotated: Any, page: dict[str, Any]) -> list[list[Any]]:
    """[document, page, value] of everything that was extracted from a page."""
    return [[page["document"], page["number"], each.extraction_text] for each in annotated.extractions or []]


def main() -> None:
    import langextract as lx
    import model_calls
    from langextract.factory import ModelConfig

    def example(text: str, numbers: list[str]) -> Any:
        found = [lx.data.Extraction(extraction_class="nam", extraction_text=number) for number in numbers]
        return lx.data.ExampleData(text=text, extractions=found)

    tokens = model_calls.Tokens().count()
    own = {
        "base_url": model_calls.endpoint(),
        "api_key": model_calls.api_key(),
        "temperature": 0,
        "max_output_tokens": MOST_TOKENS,
    }
    config = ModelConfig(model_id=model_calls.model(), provider="openai", provider_kwargs=own)
    values: list[list[Any]] = []
    failed = 0
    pages = json.loads(sys.stdin.readline())["pages"]
    began = time.perf_counter()
    for page in filter(lambda page: page["text"].strip(), pages):
        try:
            annotated = lx.extract(
                page["text"],
                prompt_description=TASK,
                examples=[example(*each) for each in EXAMPLES],
                config=config,
                max_char_buffer=BUFFER,
                extraction_passes=PASSES,
                max_workers=WORKERS,
                show_progress=False,
            )
            values += values_of(annotated, page)
        except lx.exceptions.LangExtractError:
            failed += 1
    seconds = time.perf_counter() - began
    print(json.dumps([
        {"name": "LangExtract", "values": values, "seconds": seconds, "tokens": tokens.total, "failed": failed}
    ]))  # fmt: skip


if __name__ == "__main__":
    main()
