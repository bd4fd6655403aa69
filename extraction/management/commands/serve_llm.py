"""Starts the model server of a profile, or prints how it is started. Exit status: 0 done, 1 refused, 2 usage."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.llm import devices, profiles, serving
from extraction.llm.profiles import Profile
from extraction.llm.serving import Launch
from extraction.llm.weights import checksums

_ADAPTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PORTS = range(1, 65536)

Adapter = tuple[str, Path]


class Command(BaseCommand):
    """`manage.py serve_llm PROFILE [--model-dir DIR] [--adapter NAME=DIR ...] [--host HOST] [--port PORT]`.

    Needs no database. This process becomes the server, so that a signal to it reaches vLLM itself.
    """

    help = "Starts the vLLM server of a profile; docs/serving.md lists the profiles."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("profile", nargs="?", metavar="PROFILE", help=f"one of: {', '.join(profiles.profiles())}")
        parser.add_argument("--profile", dest="named", metavar="NAME", help="the same as an option")
        parser.add_argument(
            "--model-dir", type=Path, metavar="DIR", help="the model's folder (PROFILE in LLM_MODELS_DIR)"
        )
        parser.add_argument(
            "--adapter", type=adapter, action="append", default=[], metavar="NAME=DIR", help="a LoRA adapter to load"
        )
        parser.add_argument("--host", default="127.0.0.1", help="the private address to listen at (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the port to listen at (8000)")
        shown = parser.add_mutually_exclusive_group()
        shown.add_argument("--print", action="store_true", help="print the environment and the command, start nothing")
        shown.add_argument("--list", action="store_true", help="print the profiles with what they need, start nothing")
        shown.add_argument("--systemd", action="store_true", help="print a systemd unit, start nothing")

    def handle(self, *, profile: str | None, named: str | None, **options: Any) -> None:
        if options["list"]:
            self.stdout.write("\n".join(profiles.table(profiles.profiles().values())))
            return
        launch = planned(chosen(profile or named), **options)
        if options["print"]:
            self.stdout.write(serving.printed(launch))
        elif options["systemd"]:
            self.stdout.write(serving.unit(launch, verified=checksums.has_manifest(Path(launch.model_dir))), ending="")
        else:
            self._start(launch)

    def _start(self, launch: Launch) -> None:
        if why := devices.misfit(launch.profile, devices.this_machine(), adapters=len(launch.adapters)):
            raise CommandError(why)
        check_key(launch)
        check_python(launch.python)
        check_model(launch)
        for name, folder in launch.adapters.items():
            check_adapter(name, Path(folder), launch.profile)
        self.stderr.write(f"{launch.profile.model} at http://{_bracketed(launch.host)}:{launch.port}/v1")
        variables = serving.environment(launch, api_key=settings.LLM_API_KEY, around=os.environ)
        os.execve(launch.python, serving.command(launch), variables)  # noqa: S606 - no shell, and that is meant


def planned(
    profile: Profile, *, model_dir: Path | None, adapter: list[Adapter], host: str, port: int, **_: Any
) -> Launch:
    """What is to be started, as far as it can be said without looking at this machine. Raises CommandError."""
    try:
        host = serving.check_host(host)
    except serving.RefusedAddress as error:
        raise CommandError(str(error)) from None
    if port not in _PORTS:
        raise CommandError("A port is a number from 1 to 65535.")
    adapters = {name: str(folder.absolute()) for name, folder in adapter}
    if len(adapters) < len(adapter):
        raise CommandError("Two adapters have the same name.")
    if len(adapters) > profile.adapters:
        raise CommandError(f"{profile.name} allows {profile.adapters or 'no'} adapters.")
    if profile.model in adapters:
        raise CommandError("An adapter must not have the name of the model.")
    folder = model_dir or settings.LLM_MODELS_DIR / profile.name
    return Launch(profile, program(), str(folder.absolute()), host, port, adapters)


def adapter(text: str) -> Adapter:
    """The name and folder in NAME=DIR."""
    name, equals, folder = text.partition("=")
    # vLLM takes anything with a comma for JSON.
    if not (equals and folder and _ADAPTER_NAME.fullmatch(name)) or "," in folder:
        raise ArgumentTypeError("an adapter is NAME=DIR, its name of letters, digits, points, hyphens and underscores")
    return name, Path(folder)


def check_key(launch: Launch) -> None:
    """Raises CommandError for a server that others reach and that asks for nothing."""
    if not (launch.is_local or settings.LLM_API_KEY):
        raise CommandError("A model server that other hosts reach needs a key: set LLM_API_KEY.")


def check_python(python: str) -> None:
    """Raises CommandError if there is no interpreter, or if it is this one and has no vLLM."""
    if shutil.which(python) is None:
        raise CommandError("VLLM_PYTHON names no program that can be run.")
    if python == sys.executable and importlib.util.find_spec("vllm") is None:
        raise CommandError("vLLM is not installed here: set VLLM_PYTHON to the interpreter of its own environment.")


def check_model(launch: Launch) -> None:
    """Raises CommandError for a folder that does not hold the profile's model, whole and as it was fetched."""
    folder, profile = Path(launch.model_dir), launch.profile
    config = _json(folder / "config.json")
    if config is None:
        raise CommandError(f"There is no model in {folder}; `manage.py fetch_model {profile.name}` brings it there.")
    method = (config.get("quantization_config") or {}).get("quant_method", "")
    if (config.get("num_hidden_layers"), method) != (profile.architecture.layers, profile.quantisation):
        raise CommandError(f"The model in {folder} is not the one of {profile.name}.")
    if not checksums.has_manifest(folder):
        return
    try:
        checksums.verify(folder)
    except checksums.BadWeights as error:
        raise CommandError(str(error)) from None


def check_adapter(name: str, folder: Path, profile: Profile) -> None:
    """Raises CommandError for a folder without an adapter, or with one of a higher rank than the profile's."""
    config = _json(folder / "adapter_config.json")
    if config is None:
        raise CommandError(f"There is no adapter in {folder}.")
    rank = config.get("r")
    if not isinstance(rank, int) or rank > profile.adapter_rank:
        raise CommandError(f"{name} has rank {rank}, and {profile.name} allows {profile.adapter_rank} at most.")


def chosen(name: str | None) -> Profile:
    """The profile of this name. Raises CommandError."""
    if name is None:
        raise CommandError(f"Name a profile: {', '.join(profiles.profiles())}.", returncode=2)
    try:
        return profiles.profile(name)
    except profiles.UnknownProfile as error:
        raise CommandError(str(error), returncode=2) from None


def program() -> str:
    """The interpreter of the model's environment."""
    python: str = settings.VLLM_PYTHON or sys.executable
    return shutil.which(python) or python


def _json(path: Path) -> dict[str, Any] | None:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) else None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
