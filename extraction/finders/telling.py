"""Which rows of a page tell a model something that it is asked. Pure.

It chooses numbers, and dates and times for them; what names numbers ("facture", "NAM") or makes examples of them says
which. Names, addresses and reasons in rows of their own answer nothing, and are a quarter of what it would read. What
it need not know it is not told.
"""

from __future__ import annotations

from extraction.finders.choices import rows_of
from extraction.finders.context import labels_in
from extraction.finders.specimens import WORD
from extraction.layout import Layout
from extraction.llm.prompts import Message, Prompt


def messages(prompt: Prompt, layout: Layout) -> list[Message]:
    """The conversation about a page, as a model is asked and as it is trained, of those rows if the prompt says so."""
    return prompt.messages(layout.page, telling(layout) if prompt.telling else None)


def telling(layout: Layout) -> set[int]:
    """The rows with numbers, dates, times, labels of numbers, or words that make examples."""
    starts = [start for start, _, _ in labels_in(layout)]
    starts += [found.start() for found in WORD.finditer(layout.folded)]
    return rows_of(layout) | {layout.row_at(start) for start in starts}
