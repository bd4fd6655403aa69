"""`manage.py serve_llm`: what it refuses, prints and starts. A script stands in for vLLM's interpreter."""

from __future__ import annotations

import configparser
import importlib.util
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from extraction.llm import devices, serving
from extraction.llm.devices import Gpu, Machine
from extraction.llm.profiles import GIB, ComputeCapability, profile, profiles
from extraction.llm.serving import Launch, RefusedAddress, check_host
from extraction.llm.weights import checksums

ROOT = Path(__file__).resolve().parents[2]
KEY = "s3cret-key-of-the-model-server"
AMPLE = Machine((Gpu(81559, ComputeCapability(9, 0)),), available=64 * GIB)

# Writes down how it was called, and ends.
STAND_IN = """\
#!{python}
import json, os, sys
print(json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ)}}))
"""


@pytest.fixture(autouse=True)
def ample_machine(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "this_machine", lambda: AMPLE)
    settings.LLM_API_KEY = KEY
    settings.LLM_MODELS_DIR = tmp_path / "models"
    settings.VLLM_PYTHON = str(stand_in(tmp_path))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], dict[str, str]]]:
    """Every program that would have taken this process's place."""
    calls: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *call: calls.append(call))
    return calls


def stand_in(folder: Path) -> Path:
    script = folder / "python"
    script.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
    script.chmod(0o755)
    return script


def model(folder: Path, *, layers: int = 30, **config: Any) -> Path:
    """A folder that looks like the model of cpu-small, unless told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": layers, **config}), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def adapter(folder: Path, *, rank: int = 16) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": rank}), encoding="utf-8")
    return folder


def serve(*words: str | Path) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("serve_llm", *map(str, words), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refusal(*words: str | Path) -> str:
    """The sentence with which the command refuses."""
    with pytest.raises(CommandError) as raised:
        serve(*words)
    sentence = str(raised.value)
    assert "\n" not in sentence
    return sentence


def manifest_of(folder: Path) -> None:
    found = {name: checksums.digests(folder / name).sha256 for name in checksums.names(folder)}
    (folder / "SHA256SUMS").write_text(checksums.write(found, note="cpu-small"), encoding="utf-8")


# What is printed


def test_print_gives_a_command_that_a_shell_runs_with_the_key_from_its_own_environment(tmp_path: Path) -> None:
    printed = serve("cpu-small", "--print")
    assert KEY not in printed
    done = subprocess.run(
        ["sh", "-c", printed], env={"LLM_API_KEY": "from the shell"}, capture_output=True, text=True, check=True
    )
    called = json.loads(done.stdout)
    assert called["environment"]["VLLM_API_KEY"] == "from the shell"
    assert called["arguments"][:2] == ["-m", "vllm.entrypoints.openai.api_server"]
    assert called["arguments"][called["arguments"].index("--structured-outputs-config") + 1] == '{"backend":"auto"}'


@pytest.mark.parametrize(
    "option",
    [
        "--no-enable-log-requests",
        "--max-log-len 0",
        "--disable-uvicorn-access-log",
        "--disable-fastapi-docs",
        "--generation-config vllm",
        "--max-model-len 8192",
        "--max-num-seqs 6",
        "--dtype half",
        "--gpu-memory-utilization 0.90",
        "--served-model-name hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4",
    ],
)
def test_the_command_has_the_option(option: str) -> None:
    lines = [line.strip(" \\") for line in serve("llama-3.1-8b-awq", "--print").splitlines()]
    assert option in lines


@pytest.mark.parametrize(
    "variable",
    ["VLLM_NO_USAGE_STATS=1", "DO_NOT_TRACK=1", "HF_HUB_OFFLINE=1", "VLLM_LOGGING_LEVEL=WARNING",
     "VLLM_CPU_KVCACHE_SPACE=1", "VLLM_CPU_NUM_OF_RESERVED_CPU=0", "VLLM_USE_AOT_COMPILE=0",
     "VLLM_ENABLE_V1_MULTIPROCESSING=0", "VLLM_XGRAMMAR_CACHE_MB=16"],
)  # fmt: skip
def test_the_environment_has_the_variable(variable: str) -> None:
    assert f"{variable} \\" in serve("cpu-small", "--print").splitlines()


@pytest.mark.parametrize("name", ["cpu-small", "llama-3.1-8b", "deepseek-v3"])
def test_nothing_that_weakens_the_server_is_ever_set(name: str) -> None:
    printed = serve(name, "--print")
    for word in (
        "DEV_MODE",
        "DEBUG_LOG",
        "RUNTIME_LORA",
        "log-outputs",
        "log-error-stack",
        "trust-remote",
        "--api-key",
    ):
        assert word not in printed


def test_printing_needs_neither_the_machine_nor_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "this_machine", lambda: Machine((), available=0))
    assert "deepseek-ai/DeepSeek-V3" in serve("deepseek-v3", "--print")


def test_several_gpus_work_as_one_and_meet_on_this_host() -> None:
    printed = serve("deepseek-v2.5", "--print")
    assert "--tensor-parallel-size 8" in printed
    assert "NCCL_SOCKET_IFNAME=lo" in printed


def test_the_profile_may_be_named_by_an_option_too() -> None:
    assert serve("--profile", "cpu-small", "--print") == serve("cpu-small", "--print")


def test_the_list_has_a_line_for_every_profile() -> None:
    lines = serve("--list").splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == list(profiles())


def test_a_processor_is_given_no_option_of_a_gpu() -> None:
    assert "--gpu" not in serve("cpu-small", "--print")


# Adapters


def test_adapters_switch_lora_on_with_the_rank_of_the_profile(tmp_path: Path) -> None:
    printed = serve("llama-3.1-8b", "--adapter", "nam-1=/srv/a one", "--adapter", "nam-2=/srv/b", "--print")
    words = shlex.split(printed.replace("\\\n", " "))
    start = words.index("--enable-lora")
    assert words[start:] == [
        "--enable-lora", "--max-loras", "2", "--max-lora-rank", "16", "--lora-modules", "nam-1=/srv/a one",
        "nam-2=/srv/b",
    ]  # fmt: skip


def test_without_adapters_lora_stays_off() -> None:
    assert "-lora" not in serve("llama-3.1-8b", "--print")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["deepseek-v3", "--adapter", "a=/a"], "deepseek-v3 allows no adapters."),
        (["cpu-small", *(f"--adapter={n}=/a" for n in "abc")], "cpu-small allows 2 adapters."),
        (["cpu-small", "--adapter", "a=/a", "--adapter", "a=/b"], "Two adapters have the same name."),
    ],
)
def test_adapters_that_a_profile_does_not_allow_are_refused(words: list[str], sentence: str) -> None:
    assert refusal(*words, "--print") == sentence


@pytest.mark.parametrize("text", ["/srv/a", "=/srv/a", "a=", "a b=/srv/a", "../a=/srv/a", "a=/srv/b,c"])
def test_an_adapter_is_a_plain_name_and_a_folder(text: str) -> None:
    assert "an adapter is NAME=DIR" in refusal("cpu-small", "--adapter", text, "--print")


def test_an_adapter_of_a_higher_rank_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path / "model")
    large = adapter(tmp_path / "large", rank=64)
    assert refusal("cpu-small", "--model-dir", folder, "--adapter", f"nam={large}") == (
        "nam has rank 64, and cpu-small allows 16 at most."
    )


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path / "model")
    assert refusal("cpu-small", "--model-dir", folder, "--adapter", f"nam={tmp_path}") == (
        f"There is no adapter in {tmp_path}."
    )


# Where it listens


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "8.8.8.8", "2606:4700::1111", "169.254.169.254", "::ffff:8.8.8.8"])  # noqa: S104
@pytest.mark.parametrize("how", ["--print", "--systemd", "--port=8001"])
def test_a_public_or_wildcard_address_is_refused_however_it_is_asked_for(host: str, how: str) -> None:
    assert refusal("cpu-small", "--host", host, how) == (
        "The model server listens at a loopback or private address only, never at a public one or at all of them."
    )


@pytest.mark.parametrize("host", ["localhost", "models.clinic.example", "10.0.0", ""])
def test_a_name_is_no_address_to_listen_at(host: str) -> None:
    with pytest.raises(RefusedAddress, match="an IP address"):
        check_host(host)


@pytest.mark.parametrize(
    ("host", "plain"),
    [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("10.0.3.50", "10.0.3.50"), ("FD00::1", "fd00::1")],
)
def test_a_private_address_is_taken_in_its_usual_form(host: str, plain: str) -> None:
    assert check_host(host) == plain


def test_a_server_that_others_reach_needs_a_key(settings: Any, tmp_path: Path) -> None:
    settings.LLM_API_KEY = ""
    assert refusal("cpu-small", "--model-dir", model(tmp_path / "m"), "--host", "10.0.3.50") == (
        "A model server that other hosts reach needs a key: set LLM_API_KEY."
    )


def test_a_port_is_a_port() -> None:
    assert refusal("cpu-small", "--port", "70000", "--print") == "A port is a number from 1 to 65535."


# Whether it can be started


def test_a_machine_that_is_too_small_is_refused_before_the_model_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "this_machine", lambda: Machine((), available=GIB))
    assert refusal("cpu-small") == "cpu-small needs 3.3 GiB of memory, and 1.0 GiB are available."
    assert refusal("llama-3.1-8b") == "llama-3.1-8b needs a GPU (L4 or A10G), and this machine shows none."


def test_a_gpu_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    v100 = Machine((Gpu(16384, ComputeCapability(7, 0)),), available=0)
    monkeypatch.setattr(devices, "this_machine", lambda: v100)
    assert "compute capability 7.5 or newer" in refusal("llama-3.1-8b-awq")


def test_a_missing_model_says_how_to_fetch_it(tmp_path: Path) -> None:
    assert refusal("cpu-small") == (
        f"There is no model in {tmp_path / 'models' / 'cpu-small'}; `manage.py fetch_model cpu-small` brings it there."
    )


@pytest.mark.parametrize("config", [{"layers": 32}, {"quantization_config": {"quant_method": "awq"}}])
def test_the_model_of_another_profile_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    folder = model(tmp_path / "model", **config)
    assert refusal("cpu-small", "--model-dir", folder) == f"The model in {folder} is not the one of cpu-small."


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"weightz"), "model.safetensors is not what"),
        (lambda folder: (folder / "model.safetensors").unlink(), "lacks model.safetensors"),
        (lambda folder: (folder / "extra.safetensors").touch(), "holds extra.safetensors"),
    ],
)
def test_a_folder_that_is_not_as_it_was_fetched_is_refused(tmp_path: Path, damage: Any, sentence: str) -> None:
    folder = model(tmp_path / "model")
    manifest_of(folder)
    damage(folder)
    assert sentence in refusal("cpu-small", "--model-dir", folder)


def test_an_interpreter_that_is_not_there_is_refused(settings: Any, tmp_path: Path) -> None:
    settings.VLLM_PYTHON = str(tmp_path / "nothing")
    assert refusal("cpu-small", "--model-dir", model(tmp_path / "m")) == "VLLM_PYTHON names no program that can be run."


def test_an_interpreter_is_looked_for_as_a_shell_does(
    started: list[Any], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings.VLLM_PYTHON = "python"
    serve("cpu-small", "--model-dir", model(tmp_path / "m"))
    assert started[0][0] == str(tmp_path / "python")


def test_an_interpreter_without_vllm_is_refused(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.VLLM_PYTHON = ""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert refusal("cpu-small", "--model-dir", model(tmp_path / "m")) == (
        "vLLM is not installed here: set VLLM_PYTHON to the interpreter of its own environment."
    )


@pytest.mark.parametrize("words", [[], ["gpt-4"]])
def test_no_profile_or_an_unknown_one_lists_those_that_there_are(words: list[str]) -> None:
    assert "cpu-small, llama-3.1-8b" in refusal(*words)


# Starting


def test_the_server_takes_the_place_of_the_command_with_the_key_in_its_environment_only(
    started: list[Any], settings: Any, tmp_path: Path
) -> None:
    folder = model(tmp_path / "model")
    manifest_of(folder)
    serve("cpu-small", "--model-dir", folder, "--adapter", f"nam={adapter(tmp_path / 'nam')}")
    [(program, words, variables)] = started
    assert program == words[0] == settings.VLLM_PYTHON
    assert words[words.index("--model") + 1] == str(folder)
    assert variables["VLLM_API_KEY"] == KEY
    assert not any(KEY in word for word in words)


def test_a_server_of_this_host_alone_needs_no_key(started: list[Any], settings: Any, tmp_path: Path) -> None:
    settings.LLM_API_KEY = ""
    serve("cpu-small", "--model-dir", model(tmp_path / "model"))
    assert "VLLM_API_KEY" not in started[0][2]


def test_the_server_sees_none_of_the_web_applications_secrets(tmp_path: Path) -> None:
    """The real command in a process of its own, which the stand-in takes over."""
    if devices.available_memory(devices.MEMINFO.read_text()) < 4 * GIB:
        pytest.skip("less than 4 GiB are available")
    env = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "secret-of-the-site",
        "VAULT_KEYS": "k1:secret-of-the-vault",
        "DATABASE_URL": "postgres://x:secret-of-the-database@127.0.0.1:9/none",
        "VLLM_SERVER_DEV_MODE": "1",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        "VLLM_DEBUG_LOG_API_SERVER_RESPONSE": "true",
        "LLM_API_KEY": KEY,
        "VLLM_PYTHON": str(stand_in(tmp_path)),
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "serve_llm", "cpu-small", "--model-dir", str(model(tmp_path / "m"))],
        env=env, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    called = json.loads(done.stdout)
    assert "secret-of" not in done.stdout
    assert set(called["environment"]) - {"LC_CTYPE"} == {
        "PATH", "VLLM_NO_USAGE_STATS", "DO_NOT_TRACK", "HF_HUB_OFFLINE", "VLLM_LOGGING_LEVEL", "VLLM_HOST_IP",
        "PYTHONSAFEPATH", "VLLM_CPU_KVCACHE_SPACE", "VLLM_CPU_NUM_OF_RESERVED_CPU", "VLLM_USE_AOT_COMPILE",
        "VLLM_ENABLE_V1_MULTIPROCESSING", "VLLM_XGRAMMAR_CACHE_MB", "VLLM_API_KEY",
    }  # fmt: skip


# The unit


def unit(*words: str | Path) -> dict[str, list[str]]:
    """The [Service] section: every value of each name, in order."""
    printed = serve(*words, "--systemd")
    assert KEY not in printed
    found: dict[str, list[str]] = {}
    body = printed.replace("\\\n", " ").partition("[Service]\n")[2].partition("[Install]")[0]
    for line in body.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_is_as_hardened_as_those_of_the_web_application() -> None:
    ours, theirs = unit("cpu-small"), configparser.ConfigParser(strict=False, interpolation=None)
    theirs.optionxform = str  # type: ignore[assignment, method-assign]
    theirs.read(ROOT / "deploy" / "systemd" / "namsite-web.service")
    own = {"User", "Group", "WorkingDirectory", "Environment", "ExecStart", "RestartSec", "StateDirectory",
           "RuntimeDirectory", "RuntimeDirectoryMode", "RestrictAddressFamilies"}  # fmt: skip
    for_parsers = {"RestrictNamespaces", "SystemCallFilter"}  # Theirs confine the process that opens PDFs.
    for name, value in theirs["Service"].items():
        if name not in own | for_parsers:
            assert ours[name] == [value]
    assert (ours["RestrictNamespaces"], ours["SystemCallFilter"]) == (["yes"], ["@system-service"])


def test_the_unit_lets_the_server_speak_to_this_host_only() -> None:
    assert unit("cpu-small")["IPAddressDeny"] == ["any"]
    assert unit("cpu-small")["IPAddressAllow"] == ["localhost"]


@pytest.mark.parametrize(("host", "network"), [("10.0.3.50", "10.0.3.0/24"), ("fd00:1::7", "fd00:1::/64")])
def test_the_unit_lets_in_the_network_around_a_private_address(host: str, network: str) -> None:
    assert unit("cpu-small", "--host", host)["IPAddressAllow"] == [f"localhost {network}"]


def test_the_unit_reads_model_and_adapters_and_writes_neither(tmp_path: Path) -> None:
    found = unit("cpu-small", "--model-dir", "/srv/a model", "--adapter", "nam=/srv/100%")
    assert found["ReadOnlyPaths"] == ['"/srv/a model" /srv/100%%']
    assert found["WorkingDirectory"] == ["/srv/a model"]
    assert "nam=/srv/100%%" in found["ExecStart"][0]


def test_the_unit_verifies_a_model_that_has_a_list(tmp_path: Path) -> None:
    folder = model(tmp_path / "model")
    assert "ExecStartPre" not in unit("cpu-small", "--model-dir", folder)
    manifest_of(folder)
    assert unit("cpu-small", "--model-dir", folder)["ExecStartPre"] == [
        "/usr/bin/sha256sum --check --quiet --strict SHA256SUMS"
    ]


def test_the_unit_limits_memory_to_what_the_profile_needs_and_a_quarter() -> None:
    need = profile("cpu-small").need().total
    assert unit("cpu-small")["MemoryMax"] == [f"{-(-need * 5 // (4 * GIB))}G"]


def test_the_unit_opens_gpus_only_where_there_are_some() -> None:
    assert unit("cpu-small")["PrivateDevices"] == ["yes"]
    gpu = unit("llama-3.1-8b")
    assert (gpu["DevicePolicy"], gpu["DeviceAllow"]) == (["closed"], ["char-nvidia* rw"])
    assert "PrivateDevices" not in gpu


def test_the_unit_takes_the_key_from_a_file_of_its_own() -> None:
    assert unit("cpu-small")["EnvironmentFile"] == ["/etc/namsite/model-server.env"]


def test_the_unit_runs_the_command_that_print_prints(tmp_path: Path) -> None:
    chosen = profile("cpu-small")
    launch = Launch(chosen, sys.executable, str(tmp_path))
    [start] = [
        line for line in serving.unit(launch, verified=False).replace("\\\n", " ").splitlines() if "ExecStart=" in line
    ]
    assert shlex.split(start.removeprefix("ExecStart=")) == serving.command(launch)
