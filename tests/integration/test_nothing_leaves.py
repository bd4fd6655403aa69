"""A document from its upload to the file that leaves, with every address noted that anything asks the network for."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rq import SimpleWorker

from extraction import queue
from extraction.corpus.documents import build
from extraction.jobs import QuietJob
from extraction.models import Run, Status
from review.models import Export
from tests.fakes import vllm
from tests.fakes.vllm import running_vllm
from tests.installation import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.queue]

ASKED_FOR: list[tuple[str, Any]] = []
_listening: list[bool] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    """Python tells every use of its sockets here, in all threads (PEP 578)."""
    if not _listening:
        return
    if event in {"socket.connect", "socket.sendto"}:
        ASKED_FOR.append((event, arguments[1]))
    elif event == "socket.getaddrinfo":
        ASKED_FOR.append((event, arguments[:2]))


sys.addaudithook(_note)


@contextmanager
def noting_addresses() -> Iterator[list[tuple[str, Any]]]:
    ASKED_FOR.clear()
    _listening.append(True)
    try:
        yield ASKED_FOR
    finally:
        _listening.clear()


def is_of_this_machine(address: Any) -> bool:
    """Loopback, or a socket in the file system."""
    if isinstance(address, str | bytes):
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"


@pytest.mark.attack("outbound", "refused")
def test_from_upload_to_export_nothing_but_this_machine_is_spoken_to(client, reviewer, redis_server, settings):
    document = build("form-scan", seed=8_200, pages=1)
    numbers = [item.nam for item in document.truth]

    def answer(_question: str) -> dict[str, Any]:
        return {"nams": [{"nam": n, "name": None, "date": None, "time": None} for n in numbers]}

    client.force_login(reviewer)
    with running_vllm(answer) as model, noting_addresses() as asked_for:
        settings.LLM_ENDPOINT, settings.LLM_MODEL = model.endpoint, vllm.MODEL
        client.post(reverse("extraction:upload"), {"file": SimpleUploadedFile("a.pdf", document.pdf)})
        SimpleWorker([queue.queue()], connection=queue.queue().connection, job_class=QuietJob,
                     serializer=queue.queue().serializer).work(burst=True)  # fmt: skip
        run = Run.objects.get()
        for finding in run.findings.all():
            typed = {"verdict": "correct", "nam": finding.value, "visit_date": "2025-10-03", "visit_time": "08:30"}
            client.post(reverse("review:decide", args=[finding.pk]), typed)
        client.post(reverse("review:sign-off", args=[run.document_id, 1]))
        form = {"format": "csv", "recipient": "Facturation", "justification": "claim", "failed_checks": "on"}
        client.post(reverse("review:export", args=[run.document_id]), form)
        model_port = model.port
    # Otherwise the rest would prove nothing: the whole way was gone, by OCR, model, review and export.
    assert (run.status, set(run.pages.values_list("reader", flat=True))) == (Status.DONE, {"local"})
    assert any(number in Export.objects.get().data.decode("utf-8-sig") for number in numbers)
    assert ("socket.connect", ("127.0.0.1", model_port)) in asked_for
    elsewhere = [address for _, address in asked_for if not is_of_this_machine(address)]
    assert elsewhere == []


ALONE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]


def why_not_alone() -> str:
    """Why this machine runs nothing in a network of its own; empty where it does."""
    if shutil.which("unshare") is None:
        return "this machine has no unshare (util-linux)"
    tried = subprocess.run([*ALONE, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"this machine lets nobody make a network namespace: {tried.stderr.strip()}"


@pytest.mark.attack("outbound", "refused")
def test_a_run_is_done_where_no_other_host_exists_and_the_kernel_sees_none_asked_for(tmp_path: Path) -> None:
    if why := why_not_alone():
        pytest.skip(why)
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "tests.without_network", str(tmp_path)], cwd=ROOT, env=dict(os.environ),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["status"], told["readers"]) == ("done", ["local"])
    assert told["asked_model"] >= 1
    assert told["elsewhere"] == 0
    assert told["control"] == 3
