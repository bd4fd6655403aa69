"""Serving profiles: what the reviewed file says, and the memory that is computed from it."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from extraction.llm import profiles
from extraction.llm.devices import Gpu, Machine, available_memory, misfit, parse_gpus
from extraction.llm.profiles import GIB, ComputeCapability, Profile, UnknownProfile, profile

ROOT = Path(__file__).resolve().parents[2]
NAMES = list(profiles.profiles())
T4 = Gpu(15360, ComputeCapability(7, 5))
L4 = Gpu(23034, ComputeCapability(8, 9))
V100 = Gpu(16384, ComputeCapability(7, 0))
H100 = Gpu(81559, ComputeCapability(9, 0))


def with_gpus(*gpus: Gpu) -> Machine:
    return Machine(gpus, available=0)


def with_memory(gib: float) -> Machine:
    return Machine((), available=round(gib * GIB))


def smallest(chosen: Profile) -> Machine:
    """The smallest machine that the profile is meant for."""
    device = chosen.device
    if device.compute_capability is None:
        return Machine((), available=device.memory_mib * 1024**2)
    return with_gpus(*[Gpu(device.memory_mib, device.compute_capability)] * device.count)


# The file


@pytest.mark.parametrize(
    "name", ["cpu-small", "llama-3.1-8b", "llama-3.1-8b-awq", "mistral-7b-v0.3", "mistral-7b-v0.3-awq", "qwen-2.5-7b",
             "qwen-2.5-7b-awq", "deepseek-v2.5", "deepseek-v3", "deepseek-r1-distill-llama-8b-w4a16"]
)  # fmt: skip
def test_the_promised_profiles_are_there(name: str) -> None:
    assert profile(name).name == name


def test_an_unknown_profile_is_a_sentence_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownProfile) as raised:
        profile("gpt-4")
    assert str(raised.value).startswith("There is no profile “gpt-4”; there are cpu-small, ")


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_fits_its_own_smallest_device_with_all_its_adapters(name: str) -> None:
    chosen = profile(name)
    assert misfit(chosen, smallest(chosen), adapters=chosen.adapters) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_has_a_licence_a_purpose_and_an_instance(name: str) -> None:
    chosen = profile(name)
    assert chosen.licence
    assert chosen.purpose.endswith(".")
    assert "." in chosen.instance


@pytest.mark.parametrize("name", [name for name in NAMES if profile(name).device.name == "T4"])
def test_nothing_computes_in_bfloat16_on_a_t4(name: str) -> None:
    assert profile(name).dtype == "half"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('revision = "0e9e39f249a16976918f6564b8830bc894c89659"', 'revision = "main"', "40 hexadecimal"),
        ("price_date = 2025-01-21\n", "", "a price has a day"),
        ("context = 8192\nsequences = 8\nadapters", "context = 999_999\nsequences = 8\nadapters", "longer than"),
        ("adapter_rank = 16", "adapter_rank = 17", "a rank that vLLM takes"),
        ("latent_rank = 512", "latent_rank = 512\nkv_heads = 8\nhead_size = 128", "either key-value heads"),
        ("heads = 32\nkv_heads", "kv_heads", "needs their number"),
        (', compute_capability = "7.5"', "", "has a compute capability"),
        ('compute_capability = "7.5"', 'compute_capability = "sm75"', "two numbers"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_its_reason(old: str, new: str, reason: str) -> None:
    text = (resources.files("extraction.llm") / "profiles.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ValueError, match=reason):
        profiles.parse(text.replace(old, new, 1))


def test_the_table_in_the_documentation_is_the_computed_one() -> None:
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    assert "\n".join(profiles.table(profiles.profiles().values())) in page


# Memory


@pytest.mark.parametrize(
    ("name", "gigabytes"),
    [
        ("cpu-small", 0.27),
        ("llama-3.1-8b", 16.06),
        ("llama-3.1-8b-awq", 5.73),  # the size of the files on the hub
        ("mistral-7b-v0.3", 14.50),
        ("qwen-2.5-7b-awq", 5.57),
        ("deepseek-v2.5", 472.0),
        ("deepseek-v3", 673.0),
    ],
)
def test_weights_take_what_their_files_take(name: str, gigabytes: float) -> None:
    assert profile(name).weights_bytes / 1e9 == pytest.approx(gigabytes, abs=0.05)


@pytest.mark.parametrize(
    ("name", "bytes_a_token"),
    [
        ("llama-3.1-8b", 32 * 8 * 128 * 2 * 2),
        ("cpu-small", 30 * 3 * 64 * 2 * 2),
        ("deepseek-v2.5", 60 * (512 + 64) * 2),
        ("deepseek-v3", 61 * (512 + 64) * 2),
    ],
)
def test_a_token_takes_keys_and_values_of_every_layer_or_one_latent_vector(name: str, bytes_a_token: int) -> None:
    one_token = replace(profile(name), context=1, sequences=1)
    assert one_token.cache_bytes == bytes_a_token


def test_the_cache_grows_with_sequences_and_context() -> None:
    chosen = profile("llama-3.1-8b")
    assert replace(chosen, sequences=chosen.sequences * 2).cache_bytes == 2 * chosen.cache_bytes
    assert replace(chosen, context=chosen.context // 2).cache_bytes == chosen.cache_bytes // 2


def test_several_devices_share_the_weights_and_the_cache_by_heads() -> None:
    chosen = profile("llama-3.1-8b")
    pair = replace(chosen, device=replace(chosen.device, count=2))
    assert pair.need().weights == chosen.need().weights // 2
    assert pair.need().cache == chosen.need().cache // 2
    sixteen = replace(chosen, device=replace(chosen.device, count=16))
    assert sixteen.need().cache == chosen.need().cache // 8  # there are 8 key-value heads to share out


def test_a_latent_cache_lies_on_every_device_as_a_whole() -> None:
    chosen = profile("deepseek-v3")
    assert chosen.need().cache == chosen.cache_bytes
    assert chosen.need().weights == pytest.approx(chosen.weights_bytes / 8, abs=1)


def test_a_processor_reserves_its_cache_in_whole_gib() -> None:
    chosen = profile("cpu-small")
    assert 0 < chosen.cache_bytes < GIB
    assert (chosen.cache_gib, chosen.need().cache) == (1, GIB)


def test_adapters_take_memory_only_when_they_are_loaded() -> None:
    chosen = profile("llama-3.1-8b")
    assert chosen.need().adapters == 0
    # 81,920 inputs and outputs of a layer's projections, 32 layers, rank 16, two bytes each.
    assert chosen.need(1).adapters == 81_920 * 32 * 16 * 2
    assert chosen.need(2).total == chosen.need().total + 2 * chosen.need(1).adapters


# Whether it fits


def test_a_v100_is_refused_for_its_generation() -> None:
    assert misfit(profile("llama-3.1-8b-awq"), with_gpus(V100)) == (
        "llama-3.1-8b-awq needs a GPU of compute capability 7.5 or newer (T4), and this one has 7.0."
    )


def test_a_t4_is_refused_for_its_memory_where_it_is_young_enough() -> None:
    half = replace(profile("mistral-7b-v0.3"), dtype="half", device=profile("mistral-7b-v0.3-awq").device)
    assert misfit(half, with_gpus(T4)) == (
        "mistral-7b-v0.3 needs 19.0 GiB of a GPU, and the server may take 13.5 GiB of this one's 15.0 GiB."
    )


def test_deepseek_on_one_gpu_is_refused_for_the_number_of_gpus() -> None:
    assert misfit(profile("deepseek-v2.5"), with_gpus(H100)) == (
        "deepseek-v2.5 needs 8 GPUs (A100 80 GB or H100), and this machine shows 1."
    )


def test_deepseek_v3_does_not_fit_eight_gpus_of_80_gb() -> None:
    assert "of a GPU" in (misfit(profile("deepseek-v3"), with_gpus(*[H100] * 8)) or "")


def test_a_machine_without_gpus_is_refused_in_one_sentence() -> None:
    why = misfit(profile("qwen-2.5-7b"), with_gpus())
    assert why == "qwen-2.5-7b needs a GPU (L4 or A10G), and this machine shows none."


def test_every_gpu_that_is_used_must_fit_and_further_ones_need_not() -> None:
    chosen = profile("llama-3.1-8b")
    assert misfit(chosen, with_gpus(L4, T4)) is None
    assert misfit(chosen, with_gpus(T4, L4)) is not None


def test_a_processor_profile_looks_at_the_memory_that_is_available() -> None:
    assert misfit(profile("cpu-small"), with_memory(4)) is None
    assert misfit(profile("cpu-small"), with_memory(2)) == (
        "cpu-small needs 3.3 GiB of memory, and 2.0 GiB are available."
    )


def test_an_adapter_can_be_what_is_too_much() -> None:
    chosen = profile("llama-3.1-8b-awq")
    full = replace(chosen, sequences=7, memory_share=0.95)
    between = (full.need().total + full.need(2).total) // 2
    card = Gpu(round(between / 0.95 / 1024**2), T4.compute_capability)
    assert misfit(full, with_gpus(card)) is None
    assert misfit(full, with_gpus(card), adapters=2) is not None


# Readings


def test_nvidia_smi_prints_a_line_for_each_gpu() -> None:
    assert parse_gpus("15360, 7.5\n23034, 8.9\n") == (T4, L4)
    assert parse_gpus("") == ()


@pytest.mark.parametrize("text", ["No devices were found\n", "15360, [N/A]\n", "[N/A], 7.5\n"])
def test_anything_else_from_nvidia_smi_is_not_a_gpu(text: str) -> None:
    with pytest.raises(ValueError, match=r"column|point|invalid literal"):
        parse_gpus(text)


def test_generations_are_compared_as_numbers() -> None:
    assert ComputeCapability.parse("10.0") > ComputeCapability.parse("9.0") > ComputeCapability.parse(" 8.9")


def test_available_memory_is_what_the_kernel_says_and_none_where_it_says_nothing() -> None:
    assert available_memory("MemTotal: 16 kB\nMemAvailable:   8 kB\n") == 8192
    assert available_memory("MemTotal: 16 kB\n") == 0
