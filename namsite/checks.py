"""System checks: what must never be wrong (always), and what must hold in production (`manage.py check --deploy`).

`namsite.E0..` are looked at by every command; `namsite.E1..` and `namsite.W1..` in `--deploy` only.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register  # noqa: A004  (Django's own name)

from extraction.llm import endpoints, sagemaker
from extraction.readers import landlock
from namsite.logs import FORMATTERS

QUEUE_SERIALIZER = "rq.serializers.JSONSerializer"
OCR_READERS = ("local", "textract")
REGION = sagemaker.REGION
PLACES = 2  # of anchors, besides the database
# AWS's own hosts of that region, over a VPC endpoint too (https://docs.aws.amazon.com/general/latest/gr/textract.html).
AWS_HOST = re.compile(rf"([a-z0-9-]+\.)+{REGION}(\.vpce)?\.amazonaws\.com")


# --- Always ----------------------------------------------------------------------------------------------------------


@register
def queues_speak_json(**_: Any) -> list[CheckMessage]:
    """Nothing is ever unpickled: a writer to Redis could otherwise run code in a worker."""
    return [
        Error(f"Queue “{name}” does not use {QUEUE_SERIALIZER}.", id="namsite.E001", hint="Set its SERIALIZER.")
        for name, queue in settings.RQ_QUEUES.items()
        if queue.get("SERIALIZER") != QUEUE_SERIALIZER
    ]


@register
def reader_is_known(**_: Any) -> list[CheckMessage]:
    if settings.OCR_READER in OCR_READERS:
        return []
    return [Error("OCR_READER names no reader.", id="namsite.E002", hint=f"Use one of: {', '.join(OCR_READERS)}.")]


@register
def second_step_is_asked_for(**_: Any) -> list[CheckMessage]:
    """A password alone opens documents only where every document is invented."""
    if settings.MFA_REQUIRED or settings.DEMO or settings.DEBUG or settings.TESTING:
        return []
    return [Error("MFA_REQUIRED is off.", id="namsite.E003", hint="Only a demonstration or a test may switch it off.")]


@register
def log_format_is_known(**_: Any) -> list[CheckMessage]:
    if settings.LOG_FORMAT in FORMATTERS:
        return []
    hint = f"Use one of: {', '.join(FORMATTERS)}."
    return [Error("LOG_FORMAT names no form of log lines.", id="namsite.E004", hint=hint)]


# --- In production ---------------------------------------------------------------------------------------------------


@register(Tags.security, deploy=True)
def is_production(**_: Any) -> Iterator[CheckMessage]:
    """A laptop's settings are not a clinic's."""
    if not settings.SECRET_KEY_IS_LASTING:
        yield Error("SECRET_KEY is not set: every restart would sign everybody out.", id="namsite.E101")
    if not settings.MFA_REQUIRED:
        yield Error("MFA_REQUIRED is off.", id="namsite.E104", hint="Remove MFA_REQUIRED from the environment.")
    for name in ("DEBUG", "DEMO", "TESTING"):
        if getattr(settings, name):
            yield Error(f"{name} is on.", id="namsite.E103", hint=f"Remove {name} from the environment.")
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        yield Info("The database is SQLite: one host only.", id="namsite.I109", hint="Set DATABASE_URL to PostgreSQL.")


@register(Tags.security, deploy=True)
def vault_is_open(**_: Any) -> Iterator[CheckMessage]:
    """The keys are there and are keys."""
    from vault.errors import VaultError, VaultUnavailable
    from vault.keys import keyring

    try:
        keyring()
    except VaultUnavailable:
        yield Warning("The vault's keys could not be unwrapped now: KMS does not answer.", id="namsite.W102")
    except VaultError as error:
        yield Error(str(error), id="namsite.E102")


@register(Tags.security, deploy=True)
def journal_is_anchored(**_: Any) -> Iterator[CheckMessage]:
    """A chain alone cannot show that its end was cut off or that it was computed anew."""
    if not settings.AUDIT_ANCHOR_KEY_FILE and not settings.AUDIT_ANCHOR_PUBLIC_KEYS:
        hint = "Run `manage.py make_anchor_key FILE` and set AUDIT_ANCHOR_KEY_FILE where the scheduler runs."
        yield Error("The journal has no anchors: no key is set.", id="namsite.E113", hint=hint)
    if len(settings.AUDIT_ANCHOR_DIRS) + bool(settings.AUDIT_ANCHOR_S3_BUCKET) < PLACES:
        hint = "Add a bucket with Object Lock (AUDIT_ANCHOR_S3_BUCKET) or a folder of another host (AUDIT_ANCHOR_DIRS)."
        yield Warning("The journal's anchors are kept in one place besides the database.", id="namsite.W110", hint=hint)


@register(Tags.security, deploy=True)
def model_endpoint_is_private(**_: Any) -> Iterator[CheckMessage]:
    """Pages hold health information: the model server stands on the clinic's own network."""
    if not settings.LLM_ENDPOINT:
        return
    from extraction.llm import client

    try:
        if server := client.from_settings():
            client.check_address(server)
    except endpoints.PublicEndpoint as error:
        yield Error(str(error), id="namsite.E105", hint="LLM_ENDPOINT must have a private address (docs/serving.md).")
    except ValueError as error:  # Of the key, the timeout or the concurrency; it quotes none of them.
        yield Error(f"No model can be asked: {error}.", id="namsite.E105", hint="Look at the settings LLM_….")
    except endpoints.UnresolvedEndpoint as error:
        yield Warning(str(error), id="namsite.W105", hint="Run this check where the model server can be reached.")


@register(Tags.security, deploy=True)
def aws_stays_in_canada(**_: Any) -> Iterator[CheckMessage]:
    """Whatever is used of AWS is used in one region, through addresses of that region or private ones."""
    in_use = (
        settings.OCR_READER == "textract"
        or sagemaker.is_named(settings.LLM_ENDPOINT)
        or any(
            getattr(settings, name)
            for name in (
                "VAULT_KMS_KEY_ID",
                "VAULT_S3_BUCKET",
                "TEXTRACT_BUCKET",
                "CLOUDWATCH_NAMESPACE",
                "AUDIT_ANCHOR_S3_BUCKET",
            )
        )
    )
    if not in_use:
        return
    if settings.AWS_REGION != REGION:
        yield Error(f"AWS_REGION is not {REGION}.", id="namsite.E106", hint="Health information stays in Canada.")
    if settings.AWS_ENDPOINT_URL and not _is_aws_here(settings.AWS_ENDPOINT_URL):
        yield Error("AWS_ENDPOINT_URL is neither private nor an AWS address of the region.", id="namsite.E107")


@register(Tags.security, deploy=True)
def textract_learns_nothing(**_: Any) -> Iterator[CheckMessage]:
    """Without the opt-out AWS may keep page content and use it elsewhere; no call tells, so a person does."""
    if settings.OCR_READER == "textract" and not settings.TEXTRACT_OPTED_OUT:
        yield Error(
            "TEXTRACT_OPTED_OUT is not set: AWS may use page content.",
            id="namsite.E110",
            hint="Follow docs/textract.md, step 1, then set it.",
        )


@register(Tags.security, deploy=True)
def signing_key_is_its_own(**_: Any) -> Iterator[CheckMessage]:
    """Whoever may sign sessions must not be able to read documents. The vault's keys are compared by the vault."""
    roots = {key.partition(":")[2] for key in settings.VAULT_KEYS.split(",")} | {settings.VAULT_INDEX_KEY}
    if settings.SECRET_KEY in roots:
        yield Error("SECRET_KEY is a key of the vault.", id="namsite.E111", hint="Use another one.")


def _is_aws_here(url: str) -> bool:
    try:
        host = endpoints.host_of(url)
        if AWS_HOST.fullmatch(host):
            return urlsplit(url).scheme == "https"
        endpoints.check_endpoint(url)
    except (endpoints.PublicEndpoint, endpoints.UnresolvedEndpoint):
        return False
    return True


@register(Tags.security, deploy=True)
def redis_is_closed(**_: Any) -> Iterator[CheckMessage]:
    """Whoever can write to Redis can start jobs: it has a password, or only this host reaches it."""
    parts = urlsplit(settings.REDIS_URL)
    if parts.scheme == "unix" or parts.password or is_on_this_host(parts.hostname or "localhost"):
        return
    yield Error("REDIS_URL has no password and is not on this host.", id="namsite.E108")


@register(Tags.security, deploy=True)
def parsers_reach_no_files(**_: Any) -> Iterator[CheckMessage]:
    """A PDF that takes over its parser finds nothing to read. Asked of this host: workers run on others, perhaps."""
    if not landlock.abi():
        hint = "Use Linux 5.13 or newer with `landlock` among its security modules, and let containers call it."
        yield Info("This kernel has no Landlock: the process that opens PDFs may read this user's files.",
                   id="namsite.I112", hint=hint)  # fmt: skip


def is_on_this_host(host: str) -> bool:
    """Whether a host name or address is this host's own, so that nothing on the way can listen."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
