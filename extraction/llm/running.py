"""Runs a program of `extraction/llm/programs/` in the interpreter that VLLM_PYTHON names.

Contract
- The program is one file, run isolated (`-I`): neither the working directory nor PYTHON* variables say what it imports.
  It sees a few of this machine's variables (`serving.PASSED`), none of the web application's secrets, and no hub.
- What it prints on standard output are lines for a person. Standard error is this process's.
- It ends with 0 when it did its work, and with 1 when it refuses; then a line "refused: ..." holds the sentence that
  says why. Any other end is a failure, and what is on standard error says why.
- An interrupt asks it to stop where it can go on from, and it is waited for.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from importlib import resources

from extraction.llm.serving import PASSED

_SETTINGS = {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}
_REFUSED = "refused: "


class ProgramFailed(Exception):
    """A program did not do its work. Its text is one plain sentence."""


def run(name: str, arguments: Sequence[str], *, python: str, tell: Callable[[str], object]) -> None:
    """Runs the program `name` to its end; `tell` is given every line that it prints. Raises ProgramFailed."""
    with resources.as_file(resources.files("extraction.llm.programs") / f"{name}.py") as script:
        command = [python, "-I", str(script), *arguments]
        try:
            process = subprocess.Popen(  # noqa: S603 - an interpreter that the settings name, and our own file
                command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=_environment(), text=True, bufsize=1
            )
        except OSError:
            raise ProgramFailed("VLLM_PYTHON names no program that can be run.") from None
        with process:
            why = _listen(process, tell)
    if process.returncode == 1 and why:
        raise ProgramFailed(why)
    if process.returncode:
        raise ProgramFailed(f"The program {name}.py failed; what it wrote above says why.")


def _listen(process: subprocess.Popen[str], tell: Callable[[str], object]) -> str:
    """Passes lines on until the program ends; gives the sentence with which it refuses, "" if it does not."""
    why = ""
    assert process.stdout is not None  # noqa: S101 - asked for above
    while True:
        try:
            for line in process.stdout:
                if line.startswith(_REFUSED):
                    why = line.removeprefix(_REFUSED).rstrip()
                else:
                    tell(line.rstrip())
            process.wait()
            return why
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED if name in os.environ} | _SETTINGS
