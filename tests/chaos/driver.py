"""People and programs at work: they upload, decide and sign off over HTTP, and insist until they got an answer.

Whatever the server said yes to stands in the `Ledger`, which is all that the checker knows of what must be there.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.chaos.documents import Known
from tests.chaos.site import Site
from tests.installation import PASSWORD

TIMEOUT = httpx.Timeout(20.0, connect=3.0)
PAUSE = 0.5
TAKEN = (200, 202)
FINAL = (409, 422, 404)
"""Refusals that the outbox of the browser takes for an answer as well."""
AGAIN = 0.1
"""The share of acknowledged decisions that are sent once more, as a browser does that lost the answer."""


@dataclass(frozen=True, slots=True)
class Made:
    """A decision or sign-off that was acknowledged."""

    kind: str
    document: UUID
    page: int
    verdict: str


@dataclass
class Ledger:
    """What the server said yes to."""

    documents: dict[UUID, Known] = field(default_factory=dict)
    made: dict[UUID, Made] = field(default_factory=dict)
    refused: int = 0
    attempts: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        with self.lock:
            self.errors[what] = self.errors.get(what, 0) + 1


class Client:
    """One person: a token for programs, and a session for pages."""

    def __init__(self, site: Site, role: str, ledger: Ledger) -> None:
        self.site = site
        self.address = site.people[role]["address"]
        self.ledger = ledger
        self.http = httpx.Client(base_url=site.url, timeout=TIMEOUT, trust_env=False)
        self.token = {"Authorization": f"Bearer {site.people[role]['token']}"}

    def insist(self, method: str, path: str, is_over: threading.Event, **request: Any) -> httpx.Response | None:
        """Until there is an answer that is not the server's own trouble. None when it is over before."""
        while not is_over.is_set():
            self.ledger.attempts += 1
            try:
                answer = self.http.request(method, path, **request)
            except httpx.HTTPError as error:
                self.ledger.count(type(error).__name__)
            else:
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
                self.ledger.count(str(answer.status_code))
            time.sleep(PAUSE)
        return None

    def sign_in(self, is_over: threading.Event) -> None:
        page = self.insist("GET", "/accounts/login/", is_over)
        if page is None:
            return
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        self.insist("POST", "/accounts/login/", is_over, data={
            "login": self.address, "password": PASSWORD, "csrfmiddlewaretoken": csrf.group(1) if csrf else "",
        }, headers={"Referer": self.site.url})  # fmt: skip

    def tell(self, path: str, is_over: threading.Event, **fields: str) -> httpx.Response | None:
        """A form, as the outbox sends it; signs in anew where the session is gone."""
        while not is_over.is_set():
            token = self.http.cookies.get("csrftoken") or self.http.cookies.get("csrf") or ""
            answer = self.insist("POST", path, is_over, data=fields, headers={
                "Accept": "application/json", "X-CSRFToken": token, "Referer": self.site.url,
            })  # fmt: skip
            if answer is None or answer.status_code in (200, *FINAL):
                return answer
            self.ledger.count(f"form {answer.status_code}")
            self.sign_in(is_over)
        return None


class Uploader(threading.Thread):
    """Uploads one document after another; `pause` between two, and while `is_resting`."""

    def __init__(self, client: Client, documents: Iterator[tuple[Known, bytes]], ledger: Ledger, pause: float) -> None:
        super().__init__(name="uploader", daemon=True)
        self.client, self.documents, self.ledger, self.pause = client, documents, ledger, pause
        self.is_over, self.is_resting, self.is_idle = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        while not self.is_over.is_set():
            if self.is_resting.is_set():
                self.is_idle.set()
                self.is_over.wait(0.1)
                continue
            self.is_idle.clear()
            self.upload(*next(self.documents))
            self.is_over.wait(self.pause)
        self.is_idle.set()

    def upload(self, known: Known, data: bytes) -> None:
        answer = self.client.insist(
            "POST", "/api/nam/upload", self.is_over, headers=self.client.token,
            files={"file": ("document.pdf", data, "application/pdf")},
        )  # fmt: skip
        if answer is None:
            return
        if answer.status_code in TAKEN:
            with self.ledger.lock:
                self.ledger.documents[UUID(answer.json()["documentId"])] = known
        else:
            self.ledger.unexpected.append(f"upload {answer.status_code}: {answer.text[:200]}")


class Reviewer(threading.Thread):
    """Decides on what is done, page by page, and signs pages off."""

    def __init__(self, client: Client, ledger: Ledger, seed: int) -> None:
        super().__init__(name="reviewer", daemon=True)
        self.client, self.ledger = client, ledger
        self.rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.is_over, self.is_resting, self.is_idle = threading.Event(), threading.Event(), threading.Event()
        self.seen: set[str] = set()

    def run(self) -> None:
        self.client.sign_in(self.is_over)
        while not self.is_over.is_set():
            run = None if self.is_resting.is_set() else self._next()
            if run is None:
                if self.is_resting.is_set():
                    self.is_idle.set()
                self.is_over.wait(0.3)
                continue
            self.is_idle.clear()
            self._review(run)
        self.is_idle.set()

    def _next(self) -> dict[str, Any] | None:
        answer = self.client.insist(
            "GET", "/api/nam/runs", self.is_over, params={"status": "done", "limit": 50}, headers=self.client.token
        )
        if answer is None or answer.status_code != 200:
            return None
        fresh = [run for run in answer.json()["runs"] if run["id"] not in self.seen]
        if not fresh:
            return None
        self.seen.add(fresh[-1]["id"])
        return dict(fresh[-1])

    def _review(self, run: dict[str, Any]) -> None:
        answer = self.client.insist(
            "GET", f"/api/nam/runs/{run['id']}/results", self.is_over, headers=self.client.token
        )
        if answer is None or answer.status_code != 200:
            return
        document = UUID(run["documentId"])
        pages: dict[int, list[str]] = {}
        for result in answer.json()["results"]:
            if result["decision"] is None:
                pages.setdefault(result["page"], []).append(result["id"])
        for page, findings in sorted(pages.items())[:2]:
            for finding in findings[:6]:
                self._decide(document, page, finding)
            if self.rng.random() < 0.3:
                self._add(document, page)
            if len(findings) <= 6:
                self._say(f"/documents/{document}/pages/{page}/sign-off/", "sign_off", Made("sign", document, page, ""))

    def _decide(self, document: UUID, page: int, finding: str) -> None:
        verdict = self.rng.choice(("confirm", "confirm", "reject", "correct"))
        fields = {"verdict": verdict}
        if verdict == "reject":
            fields["reason"] = "not_a_nam"
        if verdict == "correct":
            fields |= {"nam": "TREM04121925", "visit_date": "2025-10-03", "visit_time": "08:30"}
        self._say(f"/findings/{finding}/decide/", "decision", Made("decide", document, page, verdict), **fields)

    def _add(self, document: UUID, page: int) -> None:
        made = Made("add", document, page, "add")
        self._say(f"/documents/{document}/pages/{page}/add/", "decision", made, nam="TREM04121925")

    def _say(self, path: str, key: str, made: Made, **fields: str) -> None:
        identity = uuid4()
        sent = fields | {key: str(identity)}
        answer = self.client.tell(path, self.is_over, **sent)
        if answer is None:
            return
        if answer.status_code == 200:
            with self.ledger.lock:
                self.ledger.made[identity] = made
            if self.rng.random() < AGAIN:
                self.client.tell(path, self.is_over, **sent)
        else:
            self.ledger.refused += 1
            if answer.status_code != 409:
                self.ledger.unexpected.append(f"{made.kind} {answer.status_code}: {answer.text[:200]}")
