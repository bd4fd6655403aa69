"""One document from upload to done where no other host exists, with the kernel counting what was asked of any.

    unshare --net python -m tests.without_network FOLDER

prints an object: what became of the run, and `elsewhere`: packets for which there was no route or nobody listening
(a stub resolver on loopback would pass a name on). The counters are the kernel's, so native code is counted too.
`control` says what three deliberate packets add: a counter that stays still would prove nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from extraction.corpus.documents import build
from namsite.devservers import EmbeddedRedis
from tests.fakes.vllm import MODEL, running_vllm
from tests.installation import PEOPLE, installation

SIOCSIFFLAGS, IFF_UP = 0x8914, 1  # netdevice(7)

UPLOAD = f"""
from pathlib import Path
from accounts.models import User
from extraction import actions
actions.upload(data=Path({{path!r}}).read_bytes(), file_name="a.pdf", by=User.objects.get(email={PEOPLE["staff"]!r}))
"""

STATE = """
import json
from extraction.models import Run
run = Run.objects.get()
print(json.dumps({"status": run.status, "readers": sorted(set(run.pages.values_list("reader", flat=True))),
                  "found_by": sorted({each for found in run.findings.values_list("found_by", flat=True)
                                      for each in found})}))
"""


def raise_loopback() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def packets_elsewhere() -> int:
    """Of this network namespace since it was made: without a route (IPv4, IPv6), or to a closed UDP port."""
    rows = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    counted = {names[0] + name: int(value) for names, values in zip(rows[::2], rows[1::2], strict=True)
               for name, value in zip(names[1:], values[1:], strict=True)}  # fmt: skip
    six = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return counted["Ip:OutNoRoutes"] + counted["Udp:NoPorts"] + int(six["Ip6OutNoRoutes"])


def ask_elsewhere() -> None:
    """Documentation addresses (RFC 5737, RFC 3849), and a name server that is not there."""
    for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family) as asking, contextlib.suppress(OSError):
            asking.connect((address, 443))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"?", ("127.0.0.1", 53))


def work(folder: Path) -> dict[str, Any]:
    document = build("form-scan", seed=8_200, pages=1)
    (folder / "a.pdf").write_bytes(document.pdf)
    answer = {"nams": [{"nam": item.nam, "name": None, "date": None, "time": None} for item in document.truth]}
    with EmbeddedRedis() as redis, running_vllm(lambda _question: answer) as model:
        named = {"LLM_ENDPOINT": model.endpoint, "LLM_MODEL": MODEL}
        with installation(folder, redis.url, **named) as site:
            site.python(UPLOAD.format(path=str(folder / "a.pdf")))
            site.manage("worker", "--burst")
            return json.loads(site.python(STATE)) | {"asked_model": len(model.questions)}


def main(folder: Path) -> None:
    raise_loopback()
    told = work(folder)
    told["elsewhere"] = packets_elsewhere()
    ask_elsewhere()
    told["control"] = packets_elsewhere() - told["elsewhere"]
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
