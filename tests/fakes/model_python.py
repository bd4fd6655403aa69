"""An interpreter of the model's environment for tests: a small script that does what programs are asked, in no time.

It keeps the contract of `extraction.llm.running` and nothing else: no torch, no model. `behaviour` is "good", "failing"
(exit status 3), "refusing" (exit status 1 with a sentence), "huge" (an adapter that is too large) or "silent".
"""

from __future__ import annotations

import sys
from pathlib import Path

_SCRIPT = """#!{python}
import json, os, sys
from pathlib import Path

behaviour = {behaviour!r}
isolated, program, words = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
heard = {{"isolated": isolated, "program": program.name, "words": words, "variables": sorted(os.environ)}}
with Path({heard!r}).open("a") as file:
    file.write(json.dumps(heard) + "\\n")
options = dict(zip(words[::2], words[1::2]))
print("working", flush=True)
if behaviour == "failing":
    sys.exit(3)
if behaviour == "refusing":
    print("refused: The sentence that says why.", flush=True)
    sys.exit(1)
output = Path(options["--output"])
output.mkdir(parents=True, exist_ok=True)
if program.name == "lora.py" and behaviour != "silent":
    size = 20_000_000 if behaviour == "huge" else 1000
    (output / "adapter_model.safetensors").write_bytes(b"0" * size)
    (output / "adapter_config.json").write_text(json.dumps({{"r": 16}}))
    steps = range(1, int(options["--steps"]) + 1)
    lines = [json.dumps({{"step": n, "loss": 2 / n, "tokens": 100 * n, "seconds": 1.5 * n}}) for n in steps]
    (output / "log.jsonl").write_text("\\n".join(lines) + "\\n")
if program.name in ("expand.py", "merge.py"):
    (output / "config.json").write_text(json.dumps({{"num_hidden_layers": 30}}))
    (output / "model.safetensors").write_bytes(b"weights")
print("done", flush=True)
"""


def make(folder: Path, behaviour: str = "good") -> tuple[Path, Path]:
    """The interpreter, and the file in which it writes what it was asked, a JSON object a line."""
    heard = folder / "heard.jsonl"
    path = folder / f"python-{behaviour}"
    path.write_text(_SCRIPT.format(python=sys.executable, behaviour=behaviour, heard=str(heard)), encoding="utf-8")
    path.chmod(0o755)
    return path, heard
