"""A model's files on a hub that speaks the API of huggingface.co, or on a mirror of it (HF_ENDPOINT).

Contract
- Only model names, a revision and the installer's token are sent, never anything of a clinic; the token goes to the hub
  alone and not to the storage that it redirects to (httpx drops it there).
- A revision is a commit's 40 digits, so that the same command brings the same files next year.
- Weights are compared with the SHA-256 that the hub keeps for them (Git LFS), small files with the name that git gives
  them. Both come from the tree of that commit: GET /api/models/ID/tree/REV?recursive=true,
  https://huggingface.co/docs/hub/api.
- HTTPS all the way, redirects included, unless the hub itself is asked over HTTP, which must be at a private address.
- Nothing that a Python program would run is fetched: no pickles (.bin, .pt, .pth) and no .py, and no second copy of the
  weights in another format. Adapters and models are safetensors or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from urllib.parse import quote, urljoin, urlsplit

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from extraction.llm import endpoints
from extraction.llm.profiles import REVISION
from extraction.llm.weights.checksums import BadWeights, Digest
from extraction.llm.weights.fetching import Interrupted, Piece, RemoteFile, listed

# In the top folder only: deeper ones hold the same weights in other formats.
WANTED = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja", "*.md", "LICENSE*", "NOTICE*")
UNWANTED = ("consolidated*",)  # Mistral's own format, beside the one that is served

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_MODEL = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_MOST_PAGES = 100
_REFUSED = frozenset({401, 403})
_MISSING = frozenset({404, 410})
_PARTIAL, _PAST_THE_END = 206, 416


class _Lfs(BaseModel):
    oid: str
    size: int


class _Entry(BaseModel):
    """One line of a tree. `oid` is git's name of the file, `lfs` says the true one of a file kept outside git."""

    type: str
    path: str
    oid: str
    size: int = 0
    lfs: _Lfs | None = None


_TREE = TypeAdapter(list[_Entry])


class Hub:
    """A source. `expected`, if given, takes the place of the hub's own checksums and says which files are wanted."""

    def __init__(
        self, base: str, model: str, revision: str, expected: Mapping[str, str] | None = None, *, token: str = ""
    ) -> None:
        if _MODEL.fullmatch(model) is None or REVISION.fullmatch(revision) is None:
            raise BadWeights("A model on a hub is an OWNER/NAME, at a revision of 40 hexadecimal digits.")
        if not (token.isascii() and token.isprintable()):
            raise BadWeights("HF_TOKEN is not a token: it holds characters that no token has.")
        self._base = _checked(base)
        self._model, self._revision, self._expected = model, revision, expected
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=_TIMEOUT,
            follow_redirects=True,
            max_redirects=5,
            event_hooks={"request": [self._stay_encrypted]},
        )

    def close(self) -> None:
        self._client.close()

    def files(self) -> Sequence[RemoteFile]:
        entries = [entry for entry in self._tree() if entry.type == "file"]
        if self._expected is not None:
            return listed(
                {entry.path: entry.lfs.size if entry.lfs else entry.size for entry in entries}, self._expected
            )
        files = [_remote(entry) for entry in entries if _is_wanted(entry.path)]
        if not any(file.name.endswith(".safetensors") for file in files):
            raise BadWeights(f"{self._model} has no weights as safetensors at this revision.")
        return files

    @contextmanager
    def read(self, name: str, start: int) -> Iterator[Piece]:
        address = f"{self._base}/{self._model}/resolve/{self._revision}/{quote(name)}"
        with self._asked(address, start) as reply:
            if reply.status_code == _PAST_THE_END:
                yield Piece(0, iter(()))
                return
            begins = start if start and reply.status_code == _PARTIAL else 0
            if begins and not reply.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise Interrupted("The hub sent another part of a file than was asked for.")
            # As they come: what a chunk of a fixed size had gathered would be lost when the connection breaks.
            yield Piece(begins, reply.iter_raw())

    def _tree(self) -> list[_Entry]:
        entries: list[_Entry] = []
        address = f"{self._base}/api/models/{self._model}/tree/{self._revision}?recursive=true"
        for _ in range(_MOST_PAGES):
            with self._asked(address, 0) as reply:
                body = reply.read()
            try:
                entries += _TREE.validate_json(body)
            except ValidationError:
                raise BadWeights("The hub answered with something that is no list of files.") from None
            following = reply.links.get("next", {}).get("url")
            if following is None:
                return entries
            address = urljoin(address, following)
            if not address.startswith(f"{self._base}/"):
                raise BadWeights("The hub's list of files goes on at another address.")
        raise BadWeights("The hub's list of files has no end.")

    @contextmanager
    def _asked(self, address: str, start: int) -> Iterator[httpx.Response]:
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        try:
            with self._client.stream("GET", address, headers=headers) as reply:
                self._check(reply)
                yield reply
        except httpx.TooManyRedirects:
            raise BadWeights("The hub redirects without end.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Interrupted(f"The hub does not answer ({type(error).__name__}).") from None

    def _check(self, reply: httpx.Response) -> None:
        status = reply.status_code
        if status in _REFUSED:
            raise BadWeights(f"The hub refuses {self._model}: accept its licence there, and set HF_TOKEN.")
        if status in _MISSING:
            raise BadWeights(f"The hub has no {self._model} at revision {self._revision}.")
        if not reply.is_success and status != _PAST_THE_END:
            raise Interrupted(f"The hub cannot answer just now (status {status}).")

    def _stay_encrypted(self, request: httpx.Request) -> None:
        if self._base.startswith("https:") and request.url.scheme != "https":
            raise BadWeights("The hub redirects to an address without encryption.")


def _checked(base: str) -> str:
    if urlsplit(base).scheme == "https":
        return base.rstrip("/")
    try:
        endpoints.check_endpoint(base)
    except (endpoints.PublicEndpoint, endpoints.UnresolvedEndpoint):
        raise BadWeights("HF_ENDPOINT must start with https://, or have a private address.") from None
    return base.rstrip("/")


def _is_wanted(path: str) -> bool:
    return (
        "/" not in path
        and any(fnmatchcase(path, p) for p in WANTED)
        and not any(fnmatchcase(path, p) for p in UNWANTED)
    )


def _remote(entry: _Entry) -> RemoteFile:
    if entry.lfs is None:
        return RemoteFile(entry.path, entry.size, Digest("git", entry.oid.lower()))
    return RemoteFile(entry.path, entry.lfs.size, Digest("sha256", entry.lfs.oid.removeprefix("sha256:").lower()))
