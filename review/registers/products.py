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
from extraction.llm import prompts

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
    found = []
    if settings.LLM_ENDPOINT:
        _endpoint, model = traffic.in_service()
        version = settings.LLM_PROMPT or prompts.CURRENT
        found.append(Product(model, version, _("the language model, on the clinic's own server, with its prompt")))
    if settings.OCR_READER == "textract":
        found.append(Product("Amazon Textract", settings.AWS_REGION, _("reading of scanned pages, by a supplier")))
    if settings.VAULT_S3_BUCKET:
        found.append(Product("Amazon S3", settings.AWS_REGION, _("storage of the encrypted files, by a supplier")))
    if settings.VAULT_KMS_KEY_ID:
        found.append(Product("AWS KMS", settings.AWS_REGION, _("wrapping of the encryption keys, by a supplier")))
    return found
