"""The model server that comes with the application: installed once, whole or not at all, and only where it can run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from extraction.llm import installing, profiles, prompts
from extraction.llm.devices import Machine
from extraction.llm.installing import CannotInstall
from extraction.llm.profiles import GIB
from extraction.llm.weights import checksums
from tests.fakes import model_python

PROFILE = profiles.profile("cpu-small")
MACHINE = Machine(gpus=(), available=8 * GIB)
LINUX = "Linux x86_64"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose environment is installed already, with a program that does what it is asked in no time."""
    python, heard = model_python.make(tmp_path)
    place = tmp_path / "model"
    (place / "environment" / "bin").mkdir(parents=True)
    (place / "environment" / "bin" / "python").symlink_to(python)
    (place / "environment" / ".installed").write_text(checksums.digests(installing.LOCK).sha256)
    assert not heard.exists()
    monkeypatch.setattr(installing, "_weights", weights)
    return place


def weights(_profile: object, folder: Path, *_: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  model.safetensors\n")
    return folder


def install(folder: Path, said: list[str] | None = None) -> installing.Installed:
    return installing.install(PROFILE, folder, tell=(said if said is not None else []).append)


def programs(folder: Path) -> list[str]:
    heard = folder.parent / "heard.jsonl"
    return [json.loads(line)["program"] for line in heard.read_text().splitlines()] if heard.exists() else []


def test_what_is_served_has_the_adapter_in_its_weights(folder: Path) -> None:
    installed = install(folder)
    assert installed.model.parent == folder
    assert checksums.has_manifest(installed.model)
    assert programs(folder) == ["merge.py"]


def test_what_is_there_already_is_not_made_again(folder: Path) -> None:
    first = install(folder)
    said: list[str] = []
    assert install(folder, said) == first
    assert (programs(folder), said) == (["merge.py"], [])


def test_another_adapter_gives_another_folder_and_the_old_one_goes(folder: Path, monkeypatch, tmp_path) -> None:
    first = install(folder).model
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"other")
    (adapter / "adapter_config.json").write_text("{}")
    monkeypatch.setattr(installing, "adapter_of", lambda profile: adapter)
    second = install(folder).model
    assert second != first
    assert (second.is_dir(), first.exists()) == (True, False)


def test_a_merge_that_was_broken_off_is_done_again(folder: Path) -> None:
    place = install(folder).model
    place.rename(place.with_name(f"{place.name}.part"))
    assert install(folder).model.is_dir()
    assert not place.with_name(f"{place.name}.part").exists()


def test_a_merge_that_fails_leaves_nothing_that_could_be_served(folder: Path, tmp_path: Path) -> None:
    python, _ = model_python.make(tmp_path, "refusing")
    (folder / "environment" / "bin" / "python").unlink()
    (folder / "environment" / "bin" / "python").symlink_to(python)
    with pytest.raises(CannotInstall, match="The sentence that says why"):
        install(folder)
    assert not [path for path in folder.glob("served-*") if not path.name.endswith(".part")]


def test_packages_that_cannot_be_had_are_said_with_pips_last_line(folder: Path, monkeypatch) -> None:
    (folder / "environment" / ".installed").unlink()
    monkeypatch.setattr(installing, "obstacle", lambda *_, **__: None)
    monkeypatch.setattr(installing, "LOCK", folder / "lock")
    (folder / "lock").write_text("no-such-package-anywhere @ file:///nowhere/at-all\n")
    with pytest.raises(CannotInstall, match=r"cannot be installed: .+"):
        install(folder)
    assert not (folder / "environment" / ".installed").exists()


@pytest.mark.parametrize(
    ("machine", "system", "free", "why"),
    [
        (MACHINE, "Darwin arm64", 100 * GIB, "made for Linux on x86-64, and this is Darwin arm64"),
        (MACHINE, LINUX, GIB, "7 GiB of disk, and 1.0 GiB are free"),
        (replace(MACHINE, available=GIB), LINUX, 100 * GIB, "GiB"),
    ],
)
def test_a_machine_that_cannot_run_it_is_told_why_before_anything_is_installed(machine, system, free, why) -> None:
    assert why in str(installing.obstacle(PROFILE, machine, system=system, free=free))


def test_a_laptop_can_run_it() -> None:
    assert installing.obstacle(PROFILE, MACHINE, system=LINUX, free=20 * GIB) is None


def test_a_profile_that_needs_a_hub_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotInstall):
        installing.install(profiles.profile("llama-3.1-8b"), tmp_path, tell=lambda _: None)


def test_the_adapter_names_a_prompt_that_exists_and_is_small_enough_to_be_kept_with_the_sources() -> None:
    adapter = installing.adapter_of(PROFILE)
    card = (adapter / "README.md").read_text(encoding="utf-8")
    assert prompts.load(installing.prompt_of(adapter)).sha256 in card
    assert (adapter / "adapter_model.safetensors").stat().st_size <= 12_000_000
