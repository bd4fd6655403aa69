"""Adds an adapter to its model's weights, to be served without LoRA. Exit status: 0 done, 1 refused, 2 usage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.llm import installing
from extraction.llm.running import ProgramFailed
from extraction.management.commands.serve_llm import check_python, program


class Command(BaseCommand):
    """`manage.py merge_adapter --model-dir DIR --adapter DIR --output DIR`. Needs no database."""

    help = "Writes a model's folder anew with an adapter in its weights, in VLLM_PYTHON's environment."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model-dir", type=Path, required=True, metavar="DIR", help="the model's folder")
        parser.add_argument("--adapter", type=Path, required=True, metavar="DIR", help="the adapter's folder")
        parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder")

    def handle(self, *, model_dir: Path, adapter: Path, output: Path, **_: Any) -> None:
        python = program()
        check_python(python)
        if not (model_dir / "config.json").is_file():
            raise CommandError(f"There is no model in {model_dir}.")
        if not (adapter / "adapter_config.json").is_file():
            raise CommandError(f"There is no adapter in {adapter}.")
        if output.exists() and any(output.iterdir()):
            raise CommandError(f"{output} is not empty; choose another folder.")
        try:
            count = installing.merge(model_dir, adapter, output, python=python, tell=self.stdout.write)
        except ProgramFailed as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{count} files in {output}.")
