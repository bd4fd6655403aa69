"""A stand-in as a process of its own, which can be stopped, frozen and killed.

python -m tests.chaos.services vllm|aws PORT_FILE [PDF]
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

BUCKETS = ("documents",)


def main(which: str, port_file: str, *rest: str) -> None:
    if which == "vllm":
        from tests.fakes.vllm import running_vllm

        with running_vllm() as server:
            _serve(port_file, server.port)
    else:
        from tests.fakes.textract import known_words, running_textract

        with running_textract(words_for=known_words(Path(rest[0]).read_bytes()), buckets=BUCKETS) as textract:
            _serve(port_file, int(textract.endpoint_url.rpartition(":")[2]))


def _serve(port_file: str, port: int) -> None:
    written = Path(port_file)
    part = written.with_suffix(".part")
    part.write_text(str(port))
    part.replace(written)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
