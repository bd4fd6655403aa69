"""What is installed here, for the register of technological products (R-22.1 s. 107): asked of the machine itself."""

from __future__ import annotations

from importlib import metadata
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from extraction import traffic
from extraction.finders.pattern import RULES_VERSION
from extraction.llm import prompts, sagemaker

PARTS: tuple[tuple[str, str | Promise], ...] = (
    ("django", _("the web application")),
    ("django-allauth", _("sign-in and second factor")),
    ("cryptography", _("encryption of everything that is derived from a page")),
    ("pypdfium2", _("text layers and page images")),
    ("pikepdf", _("checks of uploaded files")),
    ("rapidocr", _("reading of scanned pages, on this infrastructure")),
    ("openvino", _("the engine of that reading")),
    ("rq", _("the queue of extractions")),
)


class Product(NamedTuple):
    """`version` is empty where the machine does not say."""

    name: str
    version: str
    purpose: str | Promise


def installed() -> list[Product]:
    """The parts that see or keep information, with the versions that run now. No host name stands here."""
    own = [
        Product("namsite", RULES_VERSION, _("this software; the version is that of its rules of finding")),
        Product(connection.vendor, "", _("the database")),
    ]
    parts = [Product(name, metadata.version(name), purpose) for name, purpose in PARTS]
    return own + parts + _services()


def _services() -> list[Product]:
    if not settings.LLM_ENDPOINT:
        return suppliers()
    endpoint, model = traffic.in_service()
    version = settings.LLM_PROMPT or prompts.CURRENT
    own = _("the language model, on the clinic's own server, with its prompt")
    hosted = _("the language model, on a supplier's server, with its prompt")
    return [Product(model, version, hosted if sagemaker.is_named(endpoint) else own), *suppliers()]


def suppliers() -> list[Product]:
    """The services outside of the clinic's infrastructure that are sent anything, with their region as the version."""
    asked = (
        (settings.OCR_READER == "textract", "Amazon Textract", _("reading of scanned pages, by a supplier")),
        (traffic.asks_sagemaker(), "Amazon SageMaker", _("hosting of the language model, by a supplier")),
        (settings.VAULT_S3_BUCKET, "Amazon S3", _("storage of the encrypted files, by a supplier")),
        (settings.VAULT_KMS_KEY_ID, "AWS KMS", _("wrapping of the encryption keys, by a supplier")),
        (settings.AUDIT_ANCHOR_S3_BUCKET, "Amazon S3 Object Lock", _("the journal's anchors, without its events")),
        (settings.CLOUDWATCH_NAMESPACE, "Amazon CloudWatch", _("figures for alerts, without any person's data")),
    )
    return [Product(name, settings.AWS_REGION, purpose) for is_used, name, purpose in asked if is_used]


def where_suppliers_work() -> str:
    """Such as "in Canada (region ca-central-1)"; a region elsewhere, which `check --deploy` refuses, by its name."""
    in_canada = settings.AWS_REGION.startswith("ca-")
    words = _("in Canada (region %(region)s)") if in_canada else _("in the region %(region)s")
    return str(words) % {"region": settings.AWS_REGION}
