"""A stand-in of a model hub on the loopback interface: trees with checksums, ranges, redirects, and broken connections.

    with running_hub({"config.json": b"{}", "model.safetensors": weights}) as hub:
        hub.endpoint        # "http://127.0.0.1:43121"
        hub.requests        # (path, Range, Authorization) of each request, in order

Files that end in .safetensors are kept "outside git", as on the real hub: their tree entry has the SHA-256, and asking
for them redirects to storage under another name. `cuts` are numbers of bytes after which the next answers break off,
one for each answer that has a file in it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MODEL = "meta-llama/Llama-3.1-8B-Instruct"
REVISION = "0e9e39f249a16976918f6564b8830bc894c89659"

Request = tuple[str, str | None, str | None]


class FakeHub(ThreadingHTTPServer):
    """The running stand-in. `page` is how many entries of a tree it gives at a time."""

    daemon_threads = False

    def __init__(self, files: Mapping[str, bytes], *, token: str, page: int, ranges: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(files)
        self.token = token
        self.page = page
        self.ranges = ranges
        self.cuts: list[int] = []
        self.lies: dict[str, bytes] = {}
        """What is sent in place of a file whose checksum the tree has right."""
        self.requests: list[Request] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def storage(self) -> str:
        return f"http://localhost:{self.server_address[1]}/storage"

    def asked(self, name: str) -> list[Request]:
        """The requests that brought bytes of this file, or tried to."""
        ending = f"/storage/{name}" if name.endswith(".safetensors") else f"/resolve/{REVISION}/{name}"
        return [request for request in self.requests if request[0].endswith(ending)]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are expected here and not worth a line on stderr."""

    def tree(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": "original"}]
        for name, body in self.files.items():
            git = hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
            entry = {"type": "file", "oid": git, "size": len(body), "path": name}
            if name.endswith(".safetensors"):
                lfs = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}
                entry |= {"oid": "1" * 40, "lfs": lfs}
            entries.append(entry)
        return entries


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeHub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden method
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.requests.append((parts.path, self.headers["Range"], self.headers["Authorization"]))
        tree, files = f"/api/models/{MODEL}/tree/{REVISION}", f"/{MODEL}/resolve/{REVISION}/"
        if parts.path.startswith("/storage/"):
            self._send_file(parts.path.removeprefix("/storage/"))
        elif self.server.token and self.headers["Authorization"] != f"Bearer {self.server.token}":
            self._send(401, b"{}")
        elif parts.path == tree:
            self._send_tree(int(parse_qs(parts.query).get("cursor", ["0"])[0]))
        elif parts.path.startswith(files):
            self._send_or_redirect(parts.path.removeprefix(files))
        else:
            self._send(404, b"{}")

    def _send_tree(self, cursor: int) -> None:
        entries, end = self.server.tree(), cursor + self.server.page
        headers = {"Content-Type": "application/json"}
        if end < len(entries):
            url = f"{self.server.endpoint}{urlsplit(self.path).path}?recursive=true&cursor={end}"
            headers["Link"] = f'<{url}>; rel="next"'
        self._send(200, json.dumps(entries[cursor:end]).encode(), headers)

    def _send_or_redirect(self, name: str) -> None:
        if name.endswith(".safetensors"):
            self._send(302, b"", {"Location": f"{self.server.storage}/{name}"})
        else:
            self._send_file(name)

    def _send_file(self, name: str) -> None:
        body = self.server.lies.get(name, self.server.files.get(name))
        if body is None:
            self._send(404, b"{}")
            return
        first = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if not self.server.ranges or self.headers["Range"] is None:
            self._send(200, body, cut=self._cut())
        elif first >= len(body):
            self._send(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        else:
            place = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
            self._send(206, body[first:], place, cut=self._cut())

    def _cut(self) -> int | None:
        return self.server.cuts.pop(0) if self.server.cuts else None

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] = {}, *, cut: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True


@contextmanager
def running_hub(
    files: Mapping[str, bytes], *, token: str = "", page: int = 1000, ranges: bool = True, cuts: Sequence[int] = ()
) -> Iterator[FakeHub]:
    """A stand-in that serves until the block ends; then its port refuses connections and no thread is left."""
    hub = FakeHub(files, token=token, page=page, ranges=ranges)
    hub.cuts = list(cuts)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.05}, name="fake-hub")
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()
