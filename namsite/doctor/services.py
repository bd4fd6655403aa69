"""What has to be reachable: database, queue and who works it off, files, readers, the model server, mail."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis.exceptions import RedisError

from namsite.doctor.probes import Outcome, Section, broken, not_used, ok, probe, to_do

if TYPE_CHECKING:
    from extraction.llm.health import Detail

SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
SEED: Final = 7

SAYS: Final[dict[Detail, str]] = {
    "ok": "answers and serves the model",
    "refused_address": "has an address that pages may not be sent to",
    "unresolved": "has a name without an address",
    "unreachable": "cannot be reached",
    "timeout": "does not answer in time",
    "busy": "is too busy to answer",
    "no_credentials": "is SageMaker's, and this host has no credentials of AWS",
    "unhealthy": "answers that it is not well",
    "unauthorised": "refuses the key",
    "model_missing": "does not serve the configured model",
    "bad_reply": "answers something that is no answer of a model server",
}


@probe("database", Section.SERVICES)
def database() -> Outcome:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    took = (time.perf_counter() - began) * 1000
    version = ".".join(str(part) for part in connection.get_database_version())
    return ok(f"{connection.display_name} {version} answers ({took:.0f} ms).")


@probe("redis", Section.SERVICES)
def redis() -> Outcome:
    from extraction import queue

    try:
        said = queue.queue().connection.info()
    except RedisError as error:
        return broken(
            f"Redis does not answer ({type(error).__name__}).", "Start it, or set REDIS_URL: uploads wait for it."
        )
    policy = said.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        return to_do(f"Redis forgets jobs when its memory is full ({policy}).", "Set maxmemory-policy to noeviction.")
    return ok(f"Redis {said.get('redis_version', '')} answers, and forgets no job.")


@probe("workers", Section.SERVICES, needs=("redis",))
def workers() -> Outcome:
    from extraction import queue

    alive, waiting = queue.workers_alive(timezone.now()), queue.queue().count
    if not alive:
        return broken(f"No worker lives; {waiting} runs wait.", "systemctl start namsite-worker@1")
    return ok(f"{alive} worker{'s' if alive > 1 else ''}; {waiting} runs wait.")


@probe("scheduler", Section.SERVICES, needs=("migrations",))
def scheduler() -> Outcome:
    from extraction.models import Lease
    from extraction.scheduler import LEASE

    if Lease.objects.filter(name=LEASE, until__gt=timezone.now()).exists():
        return ok("A scheduler works.")
    return broken("No scheduler works: nothing is anchored, destroyed or told.", "systemctl start namsite-scheduler")


@probe("file-store", Section.SERVICES, seconds=30)
def file_store() -> Outcome:
    """Seals an invented file, opens it and destroys it, on the shelves and with the keys that documents use."""
    from vault.errors import VaultError
    from vault.files import file_store

    name, data = str(uuid.uuid4()), b"doctor"
    try:
        file_store().put(name, data, aad=b"doctor")
        try:
            is_same = file_store().get(name, aad=b"doctor") == data
        finally:
            file_store().delete(name)
    except VaultError as error:
        return broken(str(error), "Look at the keys and at VAULT_DIR or VAULT_S3_BUCKET (docs/keys.md).")
    if not is_same:
        return broken("What was stored comes back changed.", "Take no upload; look at the storage's own logs.")
    return ok(f"An invented file was sealed, opened and destroyed in {_place()}.")


def _place() -> str:
    return "the bucket" if settings.VAULT_S3_BUCKET else "the folder"


@probe("local-reader", Section.SERVICES, seconds=60)
def local_reader() -> Outcome:
    """Reads the picture of an invented page, as a worker would."""
    if settings.OCR_READER != "local":
        return not_used("Page images are read by Textract.")
    from extraction import offline
    from extraction.corpus.documents import build

    page = build("agenda", seed=SEED, pages=1)
    found = offline.extract_document(page.pdf, offline.plan(reader="local", finder="pattern"))
    expected, read = {item.nam for item in page.truth}, {proposal.nam for proposal in found.proposals}
    if not expected <= read:
        sentence = f"Of {len(expected)} numbers on an invented page, {len(expected & read)} were read."
        return broken(sentence, "Install what requirements.txt lists again; see docs/local-ocr.md.")
    return ok(f"An invented page was read in {found.total_s:.1f} s, with all of its {len(expected)} numbers.")


@probe("textract", Section.SERVICES, seconds=20)
def textract() -> Outcome:
    """Sends one byte that is no image: AWS refuses it for nothing, once address, rights and clock are right."""
    if settings.OCR_READER != "textract":
        return not_used("Page images are read on this host.")
    from extraction.errors import ExtractionError, ServiceUnavailable
    from extraction.readers.textract import reader

    try:
        reader().check()
    except ServiceUnavailable:
        return broken("Textract does not answer.", "Look at the network and at AWS's own status; runs wait meanwhile.")
    except ExtractionError:
        return broken("Textract refuses this installation.", "See docs/textract.md, step 5: rights, region, bucket.")
    return ok("Textract answers in the configured region.")


@probe("model-server", Section.SERVICES, needs=("migrations",), seconds=30)
def model_server() -> Outcome | Sequence[Outcome]:
    """Each server that pages go to, a newcomer's too."""
    from extraction import traffic
    from extraction.llm.health import health

    servers = traffic.watched()
    if not servers:
        return not_used("LLM_ENDPOINT is empty: numbers are found by pattern alone.")
    looked = [health(each.server) for each in servers]
    failed = [(each.server, seen) for each, seen in zip(servers, looked, strict=True) if not seen.ok]
    if failed:
        server, wrong = failed[0]
        count = f"{len(failed)} of {len(looked)} model servers: one" if len(looked) > 1 else "It"
        command = (
            "aws sagemaker describe-endpoint" if server.is_managed else "systemctl status namsite-model on its host"
        )
        next_step = f"{command}; pages are searched by pattern or wait meanwhile."
        return broken(f"{count} {SAYS[wrong.detail]}.", next_step)
    slowest = max(each.seconds for each in looked)
    subject = "The model server" if len(looked) == 1 else f"Each of {len(looked)} model servers"
    return ok(f"{subject} {SAYS['ok']} ({slowest * 1000:.0f} ms).")


@probe("mail", Section.SERVICES)
def mail() -> Outcome:
    """Whether the mail server lets this installation in. Nothing is sent."""
    from django.core.mail import get_connection

    if settings.EMAIL_BACKEND != SMTP:
        return to_do("No mail is sent: password links and alerts stay in the log.", f"Set EMAIL_BACKEND={SMTP}")
    server = get_connection()
    try:
        server.open()
    except OSError as error:  # Also what smtplib raises.
        return broken(
            f"The mail server does not let us in ({type(error).__name__}).", "Look at EMAIL_HOST and its fellows."
        )
    finally:
        server.close()
    if not settings.ALERT_EMAILS:
        return to_do("The mail server answers, and nobody is told of alerts.", "Set ALERT_EMAILS (docs/alerts.md).")
    return ok("The mail server answers.")
