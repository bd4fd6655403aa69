"""Tunes a profile's model on synthetic pages. Exit status: 0 done or stopped, 1 refused or failed, 2 usage."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.corpus.split import HELD_OUT_SEED
from extraction.llm import prompts, running
from extraction.llm.profiles import Profile
from extraction.llm.running import ProgramFailed
from extraction.llm.serving import Launch
from extraction.llm.training import examples
from extraction.llm.training.card import Card
from extraction.llm.training.examples import Made, Recipe
from extraction.management.commands.serve_llm import check_model, check_python, chosen, program

EXAMPLES, RECIPE, LOG, WEIGHTS, CARD = (
    "examples.jsonl",
    "recipe.json",
    "log.jsonl",
    "adapter_model.safetensors",
    "README.md",
)
_ROOM = 1.1
"""An adapter's file has names and shapes besides its values."""
_OF_THE_DATA = ("examples", "seed", "prompt", "longest", "scanned", "medley")
_OF_THE_TRAINING = ("steps", "rank", "rate", "batch_tokens", "accumulate")


class Command(BaseCommand):
    """`manage.py train_adapter --profile P --model-dir DIR --output DIR [--steps N] [--examples N] [--resume] ...`.

    Needs no database. The synthetic corpus is the only source: there is no option for another one.
    """

    help = "Tunes a small model on synthetic pages, in VLLM_PYTHON's environment; see docs/training.md."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--profile", required=True, metavar="P", help="whose model is tuned, such as cpu-small")
        parser.add_argument("--model-dir", type=Path, metavar="DIR", help="the model's folder (P in LLM_MODELS_DIR)")
        parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the adapter goes")
        data = parser.add_argument_group("data")
        data.add_argument("--examples", type=int, default=4000, metavar="N", help="pages to learn from (4000)")
        data.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the pages and of the training (1)")
        data.add_argument(
            "--prompt", default="nam-lines-v4", choices=prompts.versions(), help="what the model is asked"
        )
        data.add_argument("--longest", type=int, default=examples.LONGEST, metavar="N", help="characters of a page")
        data.add_argument(
            "--scanned", type=float, default=0.0, metavar="X", help="share of pages read from pictures, 0..1: slow (0)"
        )
        data.add_argument("--medley", type=float, default=0.6, metavar="X", help="share of pages of no layout (0.6)")
        data.add_argument("--cache", type=Path, metavar="DIR", help="where pages read from pictures are kept")
        training = parser.add_argument_group("training")
        training.add_argument("--start", type=Path, metavar="DIR", help="an adapter of this model to begin with")
        training.add_argument("--steps", type=int, default=1000, metavar="N", help="steps in all (1000)")
        training.add_argument("--rank", type=int, default=16, metavar="R", help="rank of the adapter (16)")
        training.add_argument("--rate", type=float, default=5e-4, metavar="X", help="highest learning rate (0.0005)")
        training.add_argument("--batch-tokens", type=int, default=2048, metavar="N", help="tokens of a batch (2048)")
        training.add_argument("--accumulate", type=int, default=1, metavar="N", help="batches for a step (1)")
        training.add_argument("--save-every", type=int, default=50, metavar="N", help="steps between checkpoints (50)")
        training.add_argument("--hours", type=float, default=0.0, metavar="H", help="stop after so many hours")
        training.add_argument("--resume", action="store_true", help="go on from the last checkpoint")

    def handle(self, *, profile: str, output: Path, **options: Any) -> None:
        tuned = chosen(profile)
        check_options(tuned, options)
        launch = Launch(
            tuned, program(), str((options["model_dir"] or settings.LLM_MODELS_DIR / tuned.name).absolute())
        )
        check_python(launch.python)
        check_model(launch)
        asked = {name: options[name] for name in (*_OF_THE_DATA, *_OF_THE_TRAINING)}
        asked["start"] = fingerprint(options["start"])
        made = self._resumed(output, asked) if options["resume"] else self._begun(output, asked, options["cache"])
        words = trainer_arguments(launch, output.absolute(), options)
        try:
            running.run("lora", words, python=launch.python, tell=self.stdout.write)
        except ProgramFailed as error:
            raise CommandError(str(error)) from None
        self.stdout.write(finish(tuned, output, asked, made))

    def _begun(self, output: Path, asked: dict[str, Any], cache: Path | None) -> dict[str, Any]:
        """Makes the examples; gives what is known of them, which is kept beside them."""
        if (output / RECIPE).exists():
            raise CommandError(f"{output} holds a training already: go on with --resume, or choose another folder.")
        output.mkdir(parents=True, exist_ok=True)
        recipe = Recipe(**{name: asked[name] for name in _OF_THE_DATA})
        try:
            made = examples.write(output / EXAMPLES, recipe, cache=cache)
        except (examples.HeldOut, examples.TooFew) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(described(made))
        kept = {"asked": asked, "sha256": made.sha256, "layouts": dict(sorted(made.layouts.items()))}
        (output / RECIPE).write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
        return kept

    @staticmethod
    def _resumed(output: Path, asked: dict[str, Any]) -> dict[str, Any]:
        """What is known of the examples that are there. Raises CommandError if they are not those asked for."""
        try:
            kept: dict[str, Any] = json.loads((output / RECIPE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise CommandError(f"There is no training in {output} to go on with.") from None
        if other := [name for name, value in asked.items() if kept["asked"].get(name) != value]:
            raise CommandError(f"The training in {output} was begun with another --{other[0].replace('_', '-')}.")
        return kept


def check_options(profile: Profile, options: dict[str, Any]) -> None:
    """Raises CommandError for what cannot be made or served."""
    if profile.quantisation or not profile.adapters:
        raise CommandError(f"{profile.name} cannot be tuned: its weights are quantised, or it takes no adapters.")
    if not 0 < options["rank"] <= profile.adapter_rank:
        raise CommandError(f"{profile.name} serves adapters of rank {profile.adapter_rank} at most.")
    if min(options[name] for name in ("examples", "steps", "batch_tokens", "accumulate", "save_every", "longest")) < 1:
        raise CommandError("Numbers of examples, steps, batches and tokens must be at least 1.")
    if not 0 <= options["scanned"] <= 1 or not 0 <= options["medley"] < 1 or options["hours"] < 0:
        raise CommandError("--scanned and --medley are shares from 0 to 1, and --hours are not negative.")
    if options["seed"] >= HELD_OUT_SEED:
        raise CommandError("Seeds from 1,000,000 on are held out.")


def fingerprint(start: Path | None) -> str:
    """The SHA-256 of the weights that a training begins with; empty where it begins with none. Raises CommandError."""
    if start is None:
        return ""
    try:
        return hashlib.sha256((start / WEIGHTS).read_bytes()).hexdigest()
    except OSError:
        raise CommandError(f"There is no adapter in {start} to begin with.") from None


def trainer_arguments(launch: Launch, output: Path, options: dict[str, Any]) -> list[str]:
    """The options of extraction/llm/programs/lora.py."""
    words = ["--model", launch.model_dir, "--examples", str(output / EXAMPLES), "--output", str(output)]
    words += ["--base", launch.profile.model, "--seed", str(options["seed"]), "--context", str(launch.profile.context)]
    for name in (*_OF_THE_TRAINING, "save_every", "hours"):
        words += [f"--{name.replace('_', '-')}", str(options[name])]
    if options["start"]:
        words += ["--start", str((options["start"] / WEIGHTS).absolute())]
    return [*words, "--resume"] if options["resume"] else words


def described(made: Made) -> str:
    """One line about the examples."""
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(made.left_out.items()))
    return f"{made.examples} examples of {len(made.layouts)} layouts; pages left out: {left_out or 'none'}."


def finish(profile: Profile, output: Path, asked: dict[str, Any], made: dict[str, Any]) -> str:
    """Checks the adapter and writes its card. Raises CommandError."""
    try:
        size = (output / WEIGHTS).stat().st_size
        log = [json.loads(line) for line in (output / LOG).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        raise CommandError("The trainer ended without an adapter or without its log.") from None
    expected = asked["rank"] * profile.architecture.values_per_rank * 2
    if size > _ROOM * expected or not log:
        raise CommandError(f"The adapter has {size:,} bytes, where rank {asked['rank']} takes {expected:,}.")
    card = Card(
        profile=profile.name,
        model=profile.model,
        licence=profile.licence,
        recipe=asked,
        prompt_sha256=prompts.load(asked["prompt"]).sha256,
        examples_sha256=made["sha256"],
        layouts=made["layouts"],
        log=log,
        size=size,
    )
    (output / CARD).write_text(card.text(), encoding="utf-8")
    return f"The adapter and its card are in {output} ({size / 1e6:.1f} MB)."
