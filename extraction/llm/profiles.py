"""Serving profiles: which model is served how, on which device, and how much memory that takes.

`profiles.toml` is the reviewed list. Memory is computed from a model's architecture and never estimated by its name:

    weights   = (parameters - embeddings) x bytes per weight + embeddings x 2 bytes
    cache     = sequences x context x bytes a token
    a token   = layers x 2 (key and value) x key-value heads x head size x 2 bytes, or with latent attention
                layers x (latent rank + rotary head size) x 2 bytes
    adapters  = adapters x rank x layers x (the inputs and outputs of the seven projections of a layer) x 2 bytes
    a device  = weights / devices + cache / parts + adapters + overhead

A model over several devices (tensor parallel) shares its weights out evenly and its cache by key-value heads; a latent
cache has no heads and lies on every device as a whole. On a processor the cache is reserved in whole GiB, because
VLLM_CPU_KVCACHE_SPACE is a whole number. `overhead` is what the server holds besides: CUDA context and graphs or the
processes of the CPU build, and activations of one step. It is an assumption of the profile and not measured.

The cache is counted for every sequence at full length at once. vLLM starts with less, and then makes pages wait.

Sources: vLLM 0.32, `vllm/v1/kv_cache_interface.py` (bytes a token), `vllm/lora/` (what an adapter holds),
`vllm/platforms/cpu.py` (whole GiB); DeepSeek-V2, arXiv:2405.04434, section 2.1 (latent attention).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Literal

GIB = 1024**3
MIB = 1024**2
_HALF_WIDTH = 2
"""Bytes of a value in bfloat16 or half, in which caches, adapters and embeddings are kept."""

REVISION = re.compile("[0-9a-f]{40}")
"""A commit of a repository on the hub."""
ADAPTER_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM's --max-lora-rank takes (`vllm/config/lora.py`)."""


class UnknownProfile(KeyError):
    """There is no profile of this name. Its text is one plain sentence."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a model is made of. Sizes are numbers of values; `embeddings` are counted in `parameters`.

    Either `kv_heads` and `head_size` say what a token leaves in the cache, or `latent_rank` and `rope_head_size` do.
    """

    parameters: int
    embeddings: int
    layers: int
    longest_context: int
    hidden: int = 0
    intermediate: int = 0
    heads: int = 0
    kv_heads: int = 0
    head_size: int = 0
    latent_rank: int = 0
    rope_head_size: int = 0

    def __post_init__(self) -> None:
        if bool(self.kv_heads and self.head_size) == bool(self.latent_rank):
            raise ValueError("an architecture has either key-value heads or a latent rank")
        if self.latent_rank == 0 and not (self.hidden and self.intermediate and self.heads):
            raise ValueError("an architecture with heads needs their number and the sizes of its layers")

    @property
    def values_per_token(self) -> int:
        """Values that one token leaves in the cache of all layers."""
        if self.latent_rank:
            return self.layers * (self.latent_rank + self.rope_head_size)
        return self.layers * 2 * self.kv_heads * self.head_size

    @property
    def values_per_rank(self) -> int:
        """Values of a LoRA adapter for each of its ranks, if it changes all seven projections of every layer."""
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        attention = 2 * (self.hidden + queries) + 2 * (self.hidden + keys)
        return self.layers * (attention + 3 * (self.hidden + self.intermediate))

    def cache_parts(self, devices: int) -> int:
        """Into how many parts the cache is shared out over `devices`."""
        return 1 if self.latent_rank else min(devices, self.kv_heads)


@dataclass(frozen=True, slots=True, order=True)
class ComputeCapability:
    """The generation of an NVIDIA GPU, such as 7.5 for a T4. Ordered: 10.0 comes after 9.0."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> ComputeCapability:
        """Raises ValueError for anything but two numbers with a point between them."""
        major, point, minor = text.strip().partition(".")
        if not (point and major.isdecimal() and minor.isdecimal()):
            raise ValueError("a compute capability is two numbers with a point between them")
        return cls(int(major), int(minor))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class Device:
    """The smallest device that a profile is meant for. `memory_mib` is of each of `count`, as nvidia-smi reports it.

    For a processor `memory_mib` is the machine's, and there is no compute capability.
    """

    kind: Literal["cpu", "gpu"]
    name: str
    count: int
    memory_mib: int
    compute_capability: ComputeCapability | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package that holds a model's weights as one GGUF file.

    `sha256` is that file's; `weights_sha256` is that of the bfloat16 safetensors that it expands to.
    """

    name: str
    version: str
    file: str
    sha256: str
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes on one device. `cache` is what is reserved there."""

    weights: int
    cache: int
    adapters: int
    overhead: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.adapters + self.overhead


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to serve one model.

    `revision` is "" where the installer has to name one. `context` is tokens, prompt and answer together; `sequences`
    how many pages are worked on at a time; `memory_share` the part of a GPU that vLLM may take. `adapters` is how many
    LoRA adapters may be loaded, each of at most `adapter_rank`. `usd_per_hour` is None where no price is known.
    `package` is where the weights can be had besides the hub.
    """

    name: str
    model: str
    revision: str
    licence: str
    purpose: str
    architecture: Architecture
    dtype: Literal["bfloat16", "half"]
    bytes_per_weight: float
    context: int
    sequences: int
    overhead_gib: float
    device: Device
    instance: str
    server: str = "vllm"
    quantisation: str = ""
    adapters: int = 0
    adapter_rank: int = 0
    memory_share: float = 1.0
    usd_per_hour: float | None = None
    price_date: date | None = None
    package: Package | None = None

    def __post_init__(self) -> None:
        if self.revision and REVISION.fullmatch(self.revision) is None:
            raise ValueError("a revision is 40 hexadecimal digits, or empty")
        if self.context > self.architecture.longest_context:
            raise ValueError("the context is longer than the model's")
        if self.adapters and (self.architecture.latent_rank or self.adapter_rank not in ADAPTER_RANKS):
            raise ValueError("adapters need a model with heads and a rank that vLLM takes")
        if (self.usd_per_hour is None) != (self.price_date is None):
            raise ValueError("a price has a day, and a day a price")
        if (self.device.kind == "gpu") != (self.device.compute_capability is not None):
            raise ValueError("a GPU has a compute capability, and a processor none")

    @property
    def on_cpu(self) -> bool:
        return self.device.kind == "cpu"

    @property
    def weights_bytes(self) -> int:
        """Of the whole model, over all devices; about what is downloaded."""
        quantised = self.architecture.parameters - self.architecture.embeddings
        return round(quantised * self.bytes_per_weight) + self.architecture.embeddings * _HALF_WIDTH

    @property
    def cache_bytes(self) -> int:
        """Of `sequences` of full length, over all devices."""
        return self.sequences * self.context * self.architecture.values_per_token * _HALF_WIDTH

    @property
    def cache_gib(self) -> int:
        """The cache in whole GiB, as VLLM_CPU_KVCACHE_SPACE takes it."""
        return math.ceil(self.cache_bytes / GIB)

    def need(self, adapters: int = 0) -> Need:
        """What each device must have free with that many adapters loaded; see the module for the formula."""
        devices = self.device.count
        cache_ = self.cache_gib * GIB if self.on_cpu else self.cache_bytes
        values = adapters * self.adapter_rank * self.architecture.values_per_rank if adapters else 0
        return Need(
            weights=math.ceil(self.weights_bytes / devices),
            cache=math.ceil(cache_ / self.architecture.cache_parts(devices)),
            adapters=values * _HALF_WIDTH,
            overhead=round(self.overhead_gib * GIB),
        )

    def usable(self, memory: int) -> int:
        """The bytes that the server may take of a device with `memory` bytes."""
        return math.floor(memory * self.memory_share)


def profile(name: str) -> Profile:
    """The profile `name`. Raises UnknownProfile."""
    try:
        return profiles()[name]
    except KeyError:
        raise UnknownProfile(f"There is no profile “{name}”; there are {', '.join(profiles())}.") from None


@cache
def profiles() -> Mapping[str, Profile]:
    """Every reviewed profile by its name, in the order of the file."""
    return parse((resources.files(__package__) / "profiles.toml").read_text(encoding="utf-8"))


def table(known: Iterable[Profile]) -> list[str]:
    """The lines of a Markdown table: what each profile serves, what it needs, and on what."""
    rows = [
        "| profile | model | pages at a time | weights | needs on each device | smallest device | instance | USD/h |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in known:
        device, need = each.device, each.need(each.adapters).total
        count = f"{device.count} × " if device.count > 1 else ""
        memory = f"{device.memory_mib * MIB / GIB:.1f} GiB"
        generation = f", {device.compute_capability}" if device.compute_capability else ""
        price = "unknown" if each.usd_per_hour is None else f"{each.usd_per_hour} ({each.price_date})"
        rows.append(
            f"| `{each.name}` | {each.model} | {each.sequences} × {each.context:,} tokens "
            f"| {each.weights_bytes / GIB:.1f} GiB | {need / GIB:.1f} GiB "
            f"| {count}{device.name} ({memory}{generation}) | {each.instance} | {price} |"
        )
    return rows


def parse(text: str) -> dict[str, Profile]:
    """The profiles of a file. Raises ValueError or TypeError for one that is not made as `profiles.toml` is."""
    body = tomllib.loads(text)
    architectures = {name: Architecture(**entry) for name, entry in body["architectures"].items()}
    return {name: _profile(name, entry, architectures) for name, entry in body["profiles"].items()}


def _profile(name: str, entry: Mapping[str, Any], architectures: Mapping[str, Architecture]) -> Profile:
    known = dict(entry)
    architecture = architectures[known.pop("architecture")]
    package = known.pop("package", None)
    return Profile(
        name=name,
        architecture=architecture,
        device=_device(known.pop("device")),
        package=None if package is None else Package(**package),
        **known,
    )


def _device(entry: Mapping[str, Any]) -> Device:
    known = dict(entry)
    capability = known.pop("compute_capability", None)
    return Device(**known, compute_capability=None if capability is None else ComputeCapability.parse(capability))
