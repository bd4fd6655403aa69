"""Expands a model that a Python package carries in 4 bits (GGUF) to bfloat16 safetensors, which vLLM reads.

Runs in the model's environment, which has transformers, gguf and the package. The same package gives the same weights,
byte for byte. Exit status: 0 done, 1 refused; `extraction.llm.running` has the contract.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

_CHUNK = 1024 * 1024
_OF_A_MACHINE = ("_model_name_or_path", "_name_or_path", "quantization_config", "torch_dtype", "transformers_version")
"""What a configuration says of how it was loaded, and not of the model."""


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("package", "version", "file", "sha256"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--output", type=Path, required=True)
    asked = parser.parse_args()
    try:
        source = found(asked.package, asked.version, asked.file, asked.sha256)
        expand(source, asked.output)
    except Refused as refusal:
        say(f"refused: {refusal}")
        return 1
    return 0


class Refused(Exception):
    """The package is not the one that was reviewed. Its text is one plain sentence."""


def found(package: str, version: str, file: str, sha256: str) -> Path:
    """The file of a package that is installed here. Raises Refused for another version or other bytes."""
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise Refused(f"The package {package} {version} is not installed in the environment of VLLM_PYTHON.") from None
    if distribution.version != version:
        raise Refused(f"{package} is version {distribution.version} here, and {version} was reviewed.")
    path = Path(str(distribution.locate_file(file)))
    if not path.is_file() or digest(path) != sha256:
        raise Refused(f"The weights in {package} {version} are not those that were reviewed.")
    return path


def expand(source: Path, output: Path) -> None:
    """Writes the model and its tokenizer as a folder that transformers and vLLM load."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    torch.set_num_threads(1)
    say("Expanding the weights …")
    folder = {"pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name}
    model = AutoModelForCausalLM.from_pretrained(
        **folder, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    tied = model.config.tie_word_embeddings
    state = {
        name: values.to(torch.bfloat16).contiguous()
        for name, values in sorted(model.state_dict().items())
        if not (tied and name == "lm_head.weight")
    }
    output.mkdir(parents=True, exist_ok=True)
    save_file(state, str(output / "model.safetensors"), metadata={"format": "pt"})
    config = {key: value for key, value in model.config.to_dict().items() if key not in _OF_A_MACHINE}
    write(output / "config.json", config | {"dtype": "bfloat16", "architectures": [type(model).__name__]})
    say("Expanding the tokenizer …")
    AutoTokenizer.from_pretrained(**folder).save_pretrained(str(output))
    path = output / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in settings.items() if key not in {"is_local", "local_files_only"}}
    write(path, kept | {"model_max_length": model.config.max_position_embeddings})


def write(path: Path, body: dict[str, Any]) -> None:
    path.write_text(json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def digest(path: Path) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole.update(chunk)
    return whole.hexdigest()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
