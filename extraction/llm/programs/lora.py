"""Tunes a model on examples by LoRA: a self-contained program for the model's environment (torch, transformers, peft).

What it does
- LoRA on every linear layer but the output head, without dropout. The loss counts the answers only, and logits are
  computed for their tokens only. Each of these tokens weighs the same, whatever batch it is in: with a mean over every
  batch, the three tokens of a page without numbers outweighed a full page's by far, and every page was answered so.
- Batches hold examples of similar length, as many as `--batch-tokens` allow with padding. Which examples make the batch
  of a step follows from the seed alone.
- It begins with an adapter that changes nothing, or with what another one learnt (`--start`).
- Adam with a linear warm-up and a cosine to a tenth; bfloat16 on a GPU or processor that has it, else float32.
- Every `--save-every` steps the adapter, Adam's moments and the step are written, whole or not at all. Nothing else
  has a state, so `--resume` goes on as if there had been no break. The same machine gives the same weights.
- It stops after `--hours` or on SIGINT, having written all that; what it has learnt by then is an adapter too.

It writes into `--output`: adapter_model.safetensors (bfloat16), adapter_config.json, log.jsonl (a line a step) and
checkpoint.safetensors. No pickle is written or read. Exit status: 0 done or stopped, 1 refused;
`extraction.llm.running` has the contract.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
WEIGHTS, CONFIG, LOG, CHECKPOINT = (
    "adapter_model.safetensors",
    "adapter_config.json",
    "log.jsonl",
    "checkpoint.safetensors",
)
POOL = 64
"""Batches are cut out of so many times the examples of a usual batch, sorted by length."""
WARM_UP = 0.05
LEAST_RATE = 0.1
"""The learning rate at the end, as a part of the highest."""
MOST_NORM = 1.0
LONG = 640
"""Tokens. On a processor plain attention is a sixth faster below, and twice as slow at 1,024 tokens."""
IGNORED = -100


class Refused(Exception):
    """The training cannot be done as asked. Its text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One example as tokens, of which those from `answer` on are learnt."""

    tokens: list[int]
    answer: int


@dataclass(slots=True)
class Stop:
    """Whether to stop after the step that is being done."""

    deadline: float = math.inf
    asked: bool = False

    def ask(self, *_: object) -> None:
        self.asked = True

    @property
    def now(self) -> bool:
        return self.asked or time.monotonic() >= self.deadline


@dataclass(slots=True)
class Progress:
    """What was done so far, over all sittings."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)


def main() -> int:
    asked = arguments().parse_args()
    stop = Stop(time.monotonic() + asked.hours * 3600 if asked.hours else math.inf)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop.ask)
    try:
        train(asked, stop)
    except Refused as refusal:
        say(f"refused: {refusal}")
        return 1
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    for name in ("model", "examples", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--base", required=True, help="the model's name, for the adapter's configuration")
    parser.add_argument("--start", type=Path, help="the adapter_model.safetensors to begin with")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=5e-4, help="the highest learning rate")
    parser.add_argument("--context", type=int, default=4096, help="longer examples are left out, in tokens")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--accumulate", type=int, default=1, help="batches for a step")
    parser.add_argument("--save-every", type=int, default=50)
    parser.add_argument("--hours", type=float, default=0.0, help="stop after so many hours (0: never)")
    parser.add_argument("--stop-at", type=int, default=0, help="stop after this step (0: after the last)")
    parser.add_argument("--resume", action="store_true")
    return parser


def train(asked: argparse.Namespace, stop: Stop) -> None:
    """All of it. Raises Refused."""
    import torch
    from transformers import AutoTokenizer

    torch.manual_seed(asked.seed)
    tokenizer = AutoTokenizer.from_pretrained(str(asked.model), local_files_only=True)
    examples = read(asked.examples, tokenizer, asked.context)
    trainer = Trainer(asked, usual_answer(examples, asked))
    progress = restored(asked, trainer) if asked.resume else begun(asked, trainer)
    mean = sum(len(example.tokens) for example in examples) // len(examples)
    kind = f"{'bfloat16' if trainer.half else 'float32'} on {trainer.device}"
    say(f"{len(examples)} examples of {mean} tokens on average, {trainer.size:,} weights to tune, {kind}")
    plan = batches([len(example.tokens) for example in examples], asked.seed, asked.batch_tokens)
    for _ in range(progress.step * asked.accumulate):
        next(plan)
    began, before = time.monotonic(), progress.step
    end = min(asked.steps, asked.stop_at or asked.steps)
    while progress.step < end and not stop.now:
        trainer.step([[examples[i] for i in next(plan)] for _ in range(asked.accumulate)], progress)
        report(asked, stop, progress, (time.monotonic() - began) / (progress.step - before))
        if progress.step % asked.save_every == 0:
            save(asked, trainer, progress)
    if progress.step == 0:
        raise Refused("Stopped before the first step: nothing was learnt.")
    save(asked, trainer, progress)
    export(asked, trainer)
    how = "done." if progress.step == asked.steps else "stopped; --resume goes on."
    say(f"Step {progress.step} of {asked.steps}: {how}")


def read(path: Path, tokenizer: Any, context: int) -> list[Tokens]:
    """The examples as tokens, as the server would build the prompt. Raises Refused if none is short enough."""
    found = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            example = json.loads(line)
            text = tokenizer.apply_chat_template(example["prompt"], tokenize=False, add_generation_prompt=True)
            prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
            answer = tokenizer(example["completion"], add_special_tokens=False)["input_ids"]
            tokens = [*prompt, *answer, tokenizer.eos_token_id]
            if len(tokens) <= context:
                found.append(Tokens(tokens, len(prompt)))
    if not found:
        raise Refused("No example is short enough for the model.")
    return found


def batches(lengths: Sequence[int], seed: int, budget: int) -> Iterator[list[int]]:
    """Batches of indexes without end, every example once in each epoch."""
    for epoch in range(sys.maxsize):
        chance = random.Random(f"{seed}/{epoch}")  # noqa: S311 - repeatable on purpose
        order = chance.sample(range(len(lengths)), len(lengths))
        size = max(1, budget * len(lengths) // sum(lengths)) * POOL
        cut = []
        for start in range(0, len(order), size):
            cut += packed(
                sorted(order[start : start + size], key=lambda index: (lengths[index], index)), lengths, budget
            )
        chance.shuffle(cut)
        yield from cut


def usual_answer(examples: Sequence[Tokens], asked: argparse.Namespace) -> float:
    """How many tokens are learnt in a usual step."""
    learnt = sum(len(example.tokens) - example.answer for example in examples)
    whole = sum(len(example.tokens) for example in examples)
    return float(asked.batch_tokens * asked.accumulate * learnt / whole)


def packed(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Examples in the order of their length, cut so that none of the padded batches has more tokens than `budget`."""
    cut: list[list[int]] = [[]]
    for index in order:
        if cut[-1] and lengths[index] * (len(cut[-1]) + 1) > budget:
            cut.append([])
        cut[-1].append(index)
    return cut


def machine(torch: Any) -> tuple[str, bool]:
    """Where to compute, and whether in bfloat16."""
    if torch.cuda.is_available():
        return "cuda", torch.cuda.is_bf16_supported()
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "cpu", False
    return "cpu", "avx512_bf16" in flags or "amx_bf16" in flags


class Trainer:
    """The model with its adapter and Adam. `trained` are the adapter's weights by their names, in 32 bits.

    `usual` is how many tokens are learnt in a usual step: what the losses of all tokens of a step are divided by.
    """

    def __init__(self, asked: argparse.Namespace, usual: float) -> None:
        import torch

        self.torch: Any = torch
        self.asked = asked
        self.usual = usual
        self.device, self.half = machine(torch)
        self.model = self._adapted()
        self.trained = {name: weights for name, weights in self.model.named_parameters() if weights.requires_grad}
        self.adam = torch.optim.AdamW(list(self.trained.values()), lr=asked.rate, weight_decay=0.0)

    @property
    def size(self) -> int:
        return sum(weights.numel() for weights in self.trained.values())

    def _adapted(self) -> Any:
        """The model with an adapter that changes nothing yet, and whose weights alone are tuned."""
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(
            str(self.asked.model),
            dtype=self.torch.bfloat16 if self.half else self.torch.float32,
            local_files_only=True,
        )
        config = LoraConfig(
            r=self.asked.rank,
            lora_alpha=2 * self.asked.rank,
            lora_dropout=0.0,
            target_modules=MODULES,
            bias="none",
            task_type="CAUSAL_LM",
        )
        tuned = get_peft_model(model, config)
        for weights in tuned.parameters():
            if weights.requires_grad:
                weights.data = weights.data.float()
        return tuned.to(self.device).train()

    def step(self, group: Sequence[Sequence[Tokens]], progress: Progress) -> None:
        """One step of Adam on a group of batches. What is noted is the mean loss of their answers' tokens."""
        torch, began = self.torch, time.monotonic()
        learnt = sum(len(example.tokens) - example.answer for batch in group for example in batch)
        total = 0.0
        for batch in group:
            tokens, labels = padded(batch)
            with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.half):
                loss = self._summed_loss(self._tensor(tokens), self._tensor(labels))
            (loss / self.usual).backward()
            total += loss.item() / learnt
        torch.nn.utils.clip_grad_norm_(list(self.trained.values()), MOST_NORM)
        for options in self.adam.param_groups:
            options["lr"] = self.asked.rate * schedule(progress.step, self.asked.steps)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        progress.step += 1
        progress.tokens += sum(len(example.tokens) for batch in group for example in batch)
        progress.seconds += time.monotonic() - began
        progress.losses.append(total)

    def _tensor(self, rows: list[list[int]]) -> Any:
        return self.torch.tensor(rows, device=self.device)

    def _summed_loss(self, tokens: Any, labels: Any) -> Any:
        """The cross entropy of all labels, added up."""
        base = self.model.get_base_model()
        if self.device == "cpu":
            base.set_attn_implementation("eager" if tokens.shape[1] < LONG else "sdpa")
        hidden = base.model(input_ids=tokens, use_cache=False).last_hidden_state
        learnt = labels != IGNORED
        logits = base.lm_head(hidden[learnt]).float()
        return self.torch.nn.functional.cross_entropy(logits, labels[learnt], reduction="sum")


def padded(batch: Sequence[Tokens]) -> tuple[list[list[int]], list[list[int]]]:
    """Tokens, and what is to be said next after each. Padding stands behind, where a causal model does not look."""
    longest = max(len(example.tokens) for example in batch)
    tokens, labels = [], []
    for example in batch:
        padding = longest - len(example.tokens)
        tokens.append(example.tokens + [0] * padding)
        labels.append([IGNORED] * (example.answer - 1) + example.tokens[example.answer :] + [IGNORED] * (padding + 1))
    return tokens, labels


def schedule(done: int, steps: int) -> float:
    """The part of the highest learning rate that the step after `done` has."""
    warm = max(1, round(WARM_UP * steps))
    if done < warm:
        return (done + 1) / warm
    share = (done - warm) / max(1, steps - warm)
    return LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * share)) / 2


def report(asked: argparse.Namespace, stop: Stop, progress: Progress, seconds_a_step: float) -> None:
    """A line for the log, and now and then one for whoever looks on."""
    entry = {
        "step": progress.step,
        "loss": round(progress.losses[-1], 5),
        "rate": asked.rate * schedule(progress.step - 1, asked.steps),
        "tokens": progress.tokens,
        "seconds": round(progress.seconds, 2),
    }
    with (asked.output / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")
    if progress.step % 10 and 3 < progress.step < asked.steps:  # noqa: PLR2004 - the first ones, then every tenth
        return
    left = min((asked.steps - progress.step) * seconds_a_step, max(0.0, stop.deadline - time.monotonic()))
    recent = progress.losses[-10:]
    try:
        say(
            f"step {progress.step}/{asked.steps}  loss {sum(recent) / len(recent):.3f}  "
            f"{progress.tokens / progress.seconds:.0f} tokens/s  {seconds_a_step:.1f} s a step  "
            f"{left / 60:.0f} min left"
        )
    except OSError:
        stop.ask()  # Nobody listens any more: what was learnt is kept.


def fingerprint(asked: argparse.Namespace) -> str:
    """What a training must have in common with the one it goes on with."""
    same = {
        name: getattr(asked, name)
        for name in ("base", "steps", "rank", "seed", "rate", "context", "batch_tokens", "accumulate")
    }
    same["examples"] = hashlib.sha256(asked.examples.read_bytes()).hexdigest()
    same["model"] = hashlib.sha256((asked.model / "config.json").read_bytes()).hexdigest()
    same["start"] = hashlib.sha256(asked.start.read_bytes()).hexdigest() if asked.start else ""
    same["sizes"] = sorted(path.stat().st_size for path in asked.model.glob("*.safetensors"))
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def begun(asked: argparse.Namespace, trainer: Trainer) -> Progress:
    """Nothing yet, or what another adapter learnt. Raises Refused where a training is, or if it is of another kind."""
    output = asked.output
    if (output / CHECKPOINT).exists() or (output / WEIGHTS).exists():
        raise Refused("The folder holds a training already: go on with --resume, or choose another one.")
    if asked.start:
        start(asked.start, trainer)
    output.mkdir(parents=True, exist_ok=True)
    (output / LOG).unlink(missing_ok=True)
    return Progress()


def start(path: Path, trainer: Trainer) -> None:
    """Begins with the weights of an adapter. Raises Refused unless it has the very same ones to tune."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as state:
        names = {name: name.replace(".default", "") for name in trainer.trained}
        if set(names.values()) != set(state.keys()):
            raise Refused("The adapter to begin with tunes other weights.")
        for name, weights in trainer.trained.items():
            begun_with = state.get_tensor(names[name])
            if begun_with.shape != weights.shape:
                raise Refused("The adapter to begin with has another rank, or is of another model.")
            weights.data.copy_(begun_with)


def save(asked: argparse.Namespace, trainer: Trainer, progress: Progress) -> None:
    """Writes the checkpoint in place of the last one."""
    state = {}
    for name, weights in trainer.trained.items():
        moments = trainer.adam.state[weights]
        state[f"{name}/weights"] = weights
        state |= {f"{name}/mean": moments["exp_avg"], f"{name}/square": moments["exp_avg_sq"]}
    noted = {"step": str(progress.step), "tokens": str(progress.tokens), "seconds": str(progress.seconds)}
    part = asked.output / f"{CHECKPOINT}.part"
    store(part, state, noted | {"mark": fingerprint(asked)})
    part.replace(asked.output / CHECKPOINT)


def restored(asked: argparse.Namespace, trainer: Trainer) -> Progress:
    """Puts the checkpoint's state back. Raises Refused if there is none, or if it is of another training."""
    import torch
    from safetensors import safe_open

    path = asked.output / CHECKPOINT
    if not path.is_file():
        raise Refused("There is no checkpoint to go on from.")
    with safe_open(str(path), framework="pt") as state:
        noted = state.metadata()
        if noted["mark"] != fingerprint(asked):
            raise Refused("The checkpoint is of a training with other examples, another model or other options.")
        done = int(noted["step"])
        for name, weights in trainer.trained.items():
            weights.data.copy_(state.get_tensor(f"{name}/weights"))
            mean, square = (state.get_tensor(f"{name}/{kind}").to(weights.device) for kind in ("mean", "square"))
            trainer.adam.state[weights] = {"step": torch.tensor(float(done)), "exp_avg": mean, "exp_avg_sq": square}
    log = asked.output / LOG
    kept = [line for line in log.read_text(encoding="utf-8").splitlines() if json.loads(line)["step"] <= done]
    log.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
    losses = [json.loads(line)["loss"] for line in kept]
    return Progress(done, int(noted["tokens"]), float(noted["seconds"]), losses)


def export(asked: argparse.Namespace, trainer: Trainer) -> None:
    """Writes the adapter as vLLM and peft load it."""
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(trainer.model, save_embedding_layers=False)
    short = {name: values.to(trainer.torch.bfloat16) for name, values in sorted(state.items())}
    store(asked.output / WEIGHTS, short, {"format": "pt"})
    trainer.model.peft_config["default"].save_pretrained(str(asked.output))
    path = asked.output / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {"target_modules": sorted(config["target_modules"]), "inference_mode": True}
    config |= {"base_model_name_or_path": asked.base}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def store(path: Path, state: dict[str, Any], noted: dict[str, str]) -> None:
    """Writes tensors as a file that others may read."""
    from safetensors.torch import save_file

    save_file({name: values.detach().contiguous().cpu() for name, values in state.items()}, str(path), metadata=noted)
    path.chmod(0o644)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
