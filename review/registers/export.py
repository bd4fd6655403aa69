"""A register as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit.formats.spreadsheet import to_csv
from audit.registers import files, queries
from audit.registers.models import Entry
from review.registers.books import Book, in_words

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def export_file(book: Book, found: QuerySet[Entry], suffix: str, *, by: User) -> tuple[bytes, str]:
    """The bytes and their content type. `suffix` is csv or json."""
    makers: dict[str, Callable[[Book, QuerySet[Entry], User], bytes]] = {"csv": _csv, "json": _json}
    return makers[suffix](book, found, by), CONTENT_TYPES[suffix]


def _csv(book: Book, found: QuerySet[Entry], by: User) -> bytes:
    """One line an entry, as it is in force, with the words of the person's language."""
    fields = book.fields(by)
    head = [_("Number"), _("Since"), _("Closed on"), _("Kept until"), *(str(field.label) for field in fields.values())]
    rows = (
        [entry.number, entry.began_on, entry.closed_on, entry.kept_until,
         *("" if content.get(name) is None else in_words(field, content[name]) for name, field in fields.items())]
        for entry, content in queries.with_content(found)
    )  # fmt: skip
    return to_csv(head, rows)


def _json(book: Book, found: QuerySet[Entry], _by: User) -> bytes:
    """Every entry with every version, by field name."""
    return files.to_json({"register": str(book.register), "entries": [_entry(each) for each in found]})


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.pk),
        "number": entry.number,
        "since": entry.began_on.isoformat(),
        "closed": entry.closed_on and entry.closed_on.isoformat(),
        "kept_until": entry.kept_until and entry.kept_until.isoformat(),
        "versions": [
            {
                "version": version.number,
                "at": version.at.isoformat(timespec="seconds"),
                "by": version.by_name,
                "why": version.note,
                "content": version.content,
            }
            for version in entry.versions.order_by("number")
        ],
    }
