"""What this machine has to serve a model with, and whether a profile fits.

The readings come from the kernel (/proc/meminfo) and from NVIDIA's own tool, so that saying no takes neither CUDA nor
torch. Everything else here is computed from their text.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from extraction.llm.profiles import GIB, MIB, ComputeCapability, Profile

MEMINFO = Path("/proc/meminfo")
_QUERY = ("--query-gpu=memory.total,compute_cap", "--format=csv,noheader,nounits")
_SECONDS = 20
"""The first call of nvidia-smi after a start loads the driver, which takes up to ten seconds."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as nvidia-smi shows it."""

    memory_mib: int
    compute_capability: ComputeCapability


@dataclass(frozen=True, slots=True)
class Machine:
    """The visible GPUs in their order, and the bytes of memory that can be had without swapping."""

    gpus: tuple[Gpu, ...]
    available: int


def this_machine() -> Machine:
    """A fresh reading. Without nvidia-smi, or where it fails, there are no GPUs."""
    return Machine(_gpus(), available_memory(MEMINFO.read_text(encoding="ascii")) if MEMINFO.is_file() else 0)


def misfit(profile: Profile, machine: Machine, *, adapters: int = 0) -> str | None:
    """Why the profile cannot run here with that many adapters, in one sentence; None if it can."""
    if profile.on_cpu:
        return _short_of_memory(profile, machine.available, adapters)
    wanted = profile.device.count
    if len(machine.gpus) < wanted:
        return (
            f"{profile.name} needs {_gpu_count(wanted)} ({profile.device.name}), "
            f"and this machine shows {len(machine.gpus) or 'none'}."
        )
    # vLLM takes the first ones that it sees.
    return next((why for gpu in machine.gpus[:wanted] if (why := _too_small(profile, gpu, adapters))), None)


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """The GPUs in what nvidia-smi printed, MiB and compute capability a line. Raises ValueError for other text."""
    gpus = []
    for line in text.splitlines():
        memory, comma, capability = line.partition(",")
        if not comma:
            raise ValueError("nvidia-smi did not print two columns")
        gpus.append(Gpu(int(memory), ComputeCapability.parse(capability)))
    return tuple(gpus)


def available_memory(meminfo: str) -> int:
    """MemAvailable of /proc/meminfo in bytes; 0 if it is not there (https://docs.kernel.org/filesystems/proc.html)."""
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return 0


def _gpus() -> tuple[Gpu, ...]:
    # nvidia-smi does not know the variable by which CUDA hides GPUs, but takes the same list as an option.
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown == "":
        return ()
    which = [] if shown is None else [f"--id={shown}"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program with fixed options
            ["nvidia-smi", *which, *_QUERY],  # noqa: S607 - where the driver puts it differs
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return parse_gpus(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _short_of_memory(profile: Profile, available: int, adapters: int) -> str | None:
    needed = profile.need(adapters).total
    if needed <= available:
        return None
    return f"{profile.name} needs {_gib(needed)} of memory, and {_gib(available)} are available."


def _too_small(profile: Profile, gpu: Gpu, adapters: int) -> str | None:
    least = profile.device.compute_capability
    if least is not None and gpu.compute_capability < least:
        return (
            f"{profile.name} needs a GPU of compute capability {least} or newer ({profile.device.name}), "
            f"and this one has {gpu.compute_capability}."
        )
    needed, memory = profile.need(adapters).total, gpu.memory_mib * MIB
    if needed <= profile.usable(memory):
        return None
    return (
        f"{profile.name} needs {_gib(needed)} of a GPU, "
        f"and the server may take {_gib(profile.usable(memory))} of this one's {_gib(memory)}."
    )


def _gpu_count(number: int) -> str:
    return "a GPU" if number == 1 else f"{number} GPUs"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
