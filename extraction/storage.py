"""The bytes of documents, encrypted in the vault's file store and bound to their document and clinic."""

from __future__ import annotations

from extraction.models import Document
from vault.files import file_store


def put(document: Document, data: bytes) -> None:
    file_store().put(document.vault_name, data, aad=document.vault_aad)


def get(document: Document) -> bytes:
    """The PDF. Raises VaultError when it was tampered with or moved."""
    return file_store().get(document.vault_name, aad=document.vault_aad)


def delete(document: Document) -> None:
    file_store().delete(document.vault_name)
