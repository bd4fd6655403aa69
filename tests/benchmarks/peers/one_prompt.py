"""The design of the system before: the whole document in one prompt, the answer a JSON object of at most 10,000 tokens.

An answer that is no such object counts as no NAM found, which is what that system does with it. The wording is our own.
Where the model's context is no longer than that answer, what the document leaves of it is the most that can be said.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import groupby
from typing import Any

MAX_TOKENS = 10_000
SYSTEM = """Tu extrais les numéros d'assurance maladie du Québec (NAM) de documents de clinique. Un NAM compte 12
caractères : 4 lettres suivies de 8 chiffres, avec ou sans espaces. Réponds par un objet JSON seulement :
{"results": [{"nam": "AAAA99999999", "page": 1, "date": "AAAA-MM-JJ", "time": "HH:MM"}]}
Donne tous les NAM du document, avec la page, la date et l'heure de la visite. S'il n'y en a aucun : {"results": []}"""


def question(pages: list[dict[str, Any]]) -> str:
    """The whole document, each page under its number."""
    return "\n\n".join(f"=== Page {page['number']} ===\n{page['text']}" for page in pages)


def parsed(content: str | None, document: str) -> list[list[Any]] | None:
    """[document, page, value] of each result; None for an answer that is not what was asked for."""
    try:
        results = json.loads(content or "")["results"]
        return [[document, int(item["page"]), str(item["nam"])] for item in results]
    except (ValueError, KeyError, TypeError):
        return None


def main() -> None:
    import model_calls
    import openai

    tokens = model_calls.Tokens().count()
    client = openai.OpenAI(base_url=model_calls.endpoint(), api_key=model_calls.api_key())
    longest = MAX_TOKENS if model_calls.context(client) > MAX_TOKENS else None
    values: list[list[Any]] = []
    failed = 0
    pages = json.loads(sys.stdin.readline())["pages"]
    began = time.perf_counter()
    for document, group in groupby(pages, key=lambda page: page["document"]):
        answer = None
        try:
            completion = client.chat.completions.create(
                model=model_calls.model(),
                messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": question(list(group))}],
                response_format={"type": "json_object"},
                max_tokens=longest,
                temperature=0,
            )
            answer = parsed(completion.choices[0].message.content, document)
        except openai.APIStatusError:
            pass  # Longer than the model's context, say: lost like an answer that is cut short.
        failed += answer is None
        values += answer or []
    seconds = time.perf_counter() - began
    name = "one prompt for the whole document"
    print(json.dumps([{"name": name, "values": values, "seconds": seconds, "tokens": tokens.total, "failed": failed}]))


if __name__ == "__main__":
    main()
