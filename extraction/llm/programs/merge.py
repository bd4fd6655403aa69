"""Adds a LoRA adapter to the weights of its model, for a server that loads no adapters.

Runs in the model's environment, which has torch and safetensors. A merged weight is W + (alpha / rank) B A, computed in
32 bits and kept in the type of W (LoRA, arXiv:2106.09685, section 4.1). Exit status: 0 done, 1 refused;
`extraction.llm.running` has the contract.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

_PREFIX, _DOWN, _UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
_TEXTS = ("*.json", "*.jinja", "*.txt", "*.model")


class Refused(Exception):
    """The adapter cannot be merged. Its text is one plain sentence."""


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("model", "adapter", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    try:
        merge(asked.model, asked.adapter, asked.output)
    except Refused as refusal:
        say(f"refused: {refusal}")
        return 1
    return 0


def merge(model: Path, adapter: Path, output: Path) -> None:
    """Writes the model's folder anew with the adapter in its weights. Raises Refused."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    changes, scale = read(adapter)
    left = set(changes)
    output.mkdir(parents=True, exist_ok=True)
    for path in sorted(model.glob("*.safetensors")):
        state = {}
        with safe_open(str(path), framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - it is no dictionary
                values = weights.get_tensor(name)
                module = name.removesuffix(".weight")
                if module in changes:
                    down, up = changes[module]
                    values = changed(values, down, up, scale)
                    left.discard(module)
                state[name] = values
            noted = weights.metadata()
        save_file(state, str(output / path.name), metadata=noted)
        (output / path.name).chmod(0o644)
        say(f"{path.name} merged.")
    if left:
        raise Refused("The adapter is of another model: it changes weights that this one does not have.")
    for path in sorted(path for kind in _TEXTS for path in model.glob(kind)):
        shutil.copyfile(path, output / path.name)


def read(adapter: Path) -> tuple[dict[str, list[Any]], float]:
    """The two matrices of every module that the adapter changes, and their scale. Raises Refused."""
    from safetensors.torch import load_file

    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    if (
        config.get("peft_type") != "LORA"
        or config.get("use_dora")
        or config.get("use_rslora")
        or config.get("bias") != "none"
    ):
        raise Refused("Only a plain LoRA adapter can be merged.")
    weights = load_file(str(adapter / "adapter_model.safetensors"))
    down = {name.removesuffix(_DOWN): values for name, values in weights.items() if name.endswith(_DOWN)}
    up = {name.removesuffix(_UP): values for name, values in weights.items() if name.endswith(_UP)}
    if set(down) != set(up) or len(weights) != 2 * len(down):
        raise Refused("Only a plain LoRA adapter can be merged.")
    return {name.removeprefix(_PREFIX): [down[name], up[name]] for name in down}, config["lora_alpha"] / config["r"]


def changed(values: Any, down: Any, up: Any, scale: float) -> Any:
    """The merged weights of one module. Raises Refused if the shapes do not agree."""
    if (up.shape[0], down.shape[1]) != tuple(values.shape):
        raise Refused("The adapter is of another model: its matrices have other sizes.")
    return (values.float() + scale * (up.float() @ down.float())).to(values.dtype).contiguous()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
