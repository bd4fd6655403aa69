"""The bytes of documents, encrypted in the vault's file store and bound to their document and clinic."""

from __future__ import annotations

from extraction.models import Document
from vault.files import file_store


def put(document: Document, data: bytes) -> None:
    file_store().put(document.vault_name, data, aad=document.vault_aad, clinic_id=document.clinic_id)


def get(document: Document) -> bytes:
    """The PDF. Raises VaultError when it was tampered with or moved."""
    return file_store().get(document.vault_name, aad=document.vault_aad)


def delete(document: Document) -> None:
    file_store().delete(document.vault_name)


def fingerprint(document: Document) -> str:
    """By which the key of its bytes can be known again; empty where there is none. Raises VaultError."""
    return file_store().fingerprint(document.vault_name, aad=document.vault_aad)


def strays() -> set[str]:
    """Names of stored files that belong to no document: an upload was killed between the file and its row.

    A file of an upload that is under way looks the same; so only what is a stray twice, an hour apart, is one.
    """
    names = set(file_store().names())
    return names - {str(pk) for pk in Document.objects.filter(pk__in=names).values_list("pk", flat=True)}


def forget_leftovers() -> None:
    """Removes what writers left that were killed in the middle of a file."""
    file_store().forget_leftovers()


def forget(names: set[str]) -> None:
    for name in names:
        file_store().delete(name)
