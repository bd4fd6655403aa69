"""The card of an adapter: what it was made from and how, for whoever serves it or makes it again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ROWS = 10
_MEAN_OF = 20
"""Steps: the loss of one batch says little."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says. `log` is the trainer's, an entry a step; `recipe` what was asked for, as options.

    `recipe["start"]` is the SHA-256 of the weights that the training began with, or empty.
    """

    profile: str
    model: str
    licence: str
    recipe: Mapping[str, Any]
    prompt_sha256: str
    examples_sha256: str
    layouts: Mapping[str, int]
    log: Sequence[Mapping[str, Any]]
    size: int

    def text(self) -> str:
        """The README.md beside the adapter."""
        last = self.log[-1]
        layouts = ", ".join(f"{name} {count}" for name, count in sorted(self.layouts.items()))
        return _TEXT.format(
            card=self,
            **self.recipe,
            done=last["step"],
            tokens=last["tokens"],
            hours=last["seconds"] / 3600,
            layout_counts=layouts,
            size_mb=self.size / 1e6,
            losses="\n".join(self._losses()),
            begun_with=self.recipe["start"] or "none",
            command=self._command(),
        )

    def _losses(self) -> list[str]:
        """Rows of step and mean loss, from the first step to the last."""
        count = len(self.log)
        ends = sorted({max(1, round(count * row / _ROWS)) for row in range(_ROWS + 1)})
        rows = []
        for end in ends:
            window = self.log[max(0, end - _MEAN_OF) : end]
            rows.append(f"| {window[-1]['step']} | {sum(entry['loss'] for entry in window) / len(window):.4f} |")
        return rows

    def _command(self) -> str:
        asked = {**self.recipe, "start": "ADAPTER" if self.recipe["start"] else ""}
        options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asked.items() if value != "")
        return f"python manage.py train_adapter --profile {self.profile} --model-dir MODEL --output OUTPUT {options}"


_TEXT = """\
# LoRA adapter for {card.model}

Finds NAMs (numéros d'assurance maladie) on one page of a clinic's document. Made by `manage.py train_adapter`
(docs/training.md) from synthetic documents only: no page, name or number of a real person was used.

| | |
|---|---|
| base model | {card.model} (profile `{card.profile}`) |
| licence of the base model | {card.licence} |
| prompt | `{prompt}` ({card.prompt_sha256}); the server's clients need LLM_PROMPT={prompt} |
| data | {examples} examples, seed {seed}, development layouts only ({card.examples_sha256}) |
| method | LoRA, rank {rank}, all linear layers |
| adapter begun with | {begun_with} |
| steps | {done} of {steps}, {tokens:,} tokens, {hours:.2f} hours |
| size | {size_mb:.1f} MB, bfloat16 |

Examples by layout: {layout_counts}.

## Loss

| step | loss (mean of up to 20 steps) |
|---|---|
{losses}

## Held-out scores

To be filled in by the evaluation: `manage.py evaluate` on held-out documents with this adapter served. Until then
nothing is known about how well it reads.

## How to reproduce

```
{command}
```

The same examples are made from the same seed and version of the corpus; the same machine and libraries give the same
weights.
"""
