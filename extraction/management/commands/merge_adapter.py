"""Adds an adapter to its model's weights, to be served without LoRA. Exit status: 0 done, 1 refused, 2 usage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.llm import running
from extraction.llm.running import ProgramFailed
from extraction.llm.weights import checksums
from extraction.llm.weights.checksums import MANIFEST
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
        folders = {"--model": model_dir, "--adapter": adapter, "--output": output}
        words = [word for name, folder in folders.items() for word in (name, str(folder.absolute()))]
        try:
            running.run("merge", words, python=python, tell=self.stdout.write)
        except ProgramFailed as error:
            raise CommandError(str(error)) from None
        found = {name: checksums.digests(output / name).sha256 for name in checksums.names(output)}
        (output / MANIFEST).write_text(checksums.write(found, note="merged with an adapter"), encoding="utf-8")
        self.stdout.write(f"{len(found)} files in {output}.")
