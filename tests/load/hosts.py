"""One, two and four workers, each on a host of its own: network namespaces that share a bridge with the servers.

The hosts are real ones to the network (own interfaces, own routes, TCP to PostgreSQL and Valkey), and share this
machine's processors; so the reader takes a fixed time and no processor. Needs root.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.benchmarks import Result
from tests.load.site import Done, fixed, site
from tests.pdfs import agenda_pdf

SECONDS = 0.5
"""About what the local reader takes for a scanned page."""
DOCUMENTS, PAGES = 16, 16
BARS = {2: 1.9, 4: 3.6}
NETWORK = "10.213.77"


def results() -> Iterator[Result]:
    if os.geteuid() != 0:
        print("  Left out: hosts of their own (network namespaces) need root.")
        return
    alone = 0.0
    for count in (1, *BARS):
        rate = _pages_a_second(count)
        alone = alone or rate
        yield Result(f"{count} workers on hosts of their own, {DOCUMENTS} × {PAGES} pages of {SECONDS} s", rate,
                     "pages/s")  # fmt: skip
        if count in BARS:
            yield Result("… times as many as one", rate / alone, "×", bar=BARS[count], higher_is_better=True)


def _pages_a_second(count: int) -> float:
    with bridge(count) as (address, hosts), site(address) as made:
        for number, host in enumerate(hosts):
            made.start_worker(number, inside=["ip", "netns", "exec", host], **fixed(made.folder, SECONDS))
        paths = []
        for number in range(DOCUMENTS):
            paths.append(made.folder / f"{number}.pdf")
            paths[-1].write_bytes(agenda_pdf(*([f"Document {number}, page {page}"] for page in range(PAGES))))
        made.upload_directly(*paths)
        return _rate(made.wait_for_all(seconds=300))


def _rate(done: list[Done]) -> float:
    """Pages a second from when the last document was uploaded, so that uploading is not part of it."""
    began = max(each.queued for each in done)
    late = [each for each in done if (each.finished or 0) > began]
    return sum(each.pages for each in late) / (max(each.finished or 0 for each in done) - began)


@contextmanager
def bridge(count: int) -> Iterator[tuple[str, list[str]]]:
    """Yields the address of this host on a new bridge and the names of `count` hosts on it; nothing of it is left."""
    name, address = f"nl{os.getpid() % 100_000}", f"{NETWORK}.1"
    hosts = [f"{name}-{number}" for number in range(1, count + 1)]
    with ExitStack() as stack:
        _ip("link", "add", name, "type", "bridge")
        stack.callback(_ip, "link", "delete", name)
        _ip("address", "add", f"{address}/24", "dev", name)
        _ip("link", "set", name, "up")
        for number, host in enumerate(hosts, start=2):
            _ip("netns", "add", host)
            stack.callback(_ip, "netns", "delete", host)  # Its end of the pair goes with it, and so does the other.
            _ip("link", "add", f"{host}v", "type", "veth", "peer", "name", "eth0", "netns", host)
            _ip("link", "set", f"{host}v", "master", name, "up")
            _ip("-n", host, "address", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                _ip("-n", host, "link", "set", device, "up")
        yield address, hosts


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
