"""What is kept, for how long, and which article says so. One table; page, job and certificate read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DataClass(models.TextChoices):
    """In the order in which they are destroyed."""

    FILE = "file", _("PDF and page images")
    WORDS = "words", _("words of the pages")
    FINDINGS = "findings", _("proposals nobody decided on, and hints")
    EXPORTS = "exports", _("exported files")
    DECISIONS = "decisions", _("decided numbers, and the document's name")
    JOURNAL = "journal", _("journal")


@dataclass(frozen=True, slots=True)
class Rule:
    """Days of retention of one class: the least and greatest that may be set and the default, from `begins` on."""

    data_class: DataClass
    least: int
    greatest: int
    default: int
    begins: Promise
    article: str
    reason: Promise


_SETTLED = _("every page is signed off and no second review is open")
_END = "R-22.1 s. 16, 111; P-39.1 s. 23"

RULES: Final = {
    rule.data_class: rule
    for rule in (
        Rule(DataClass.FILE, 1, 365, 14, _SETTLED, _END,
             _("Pages serve the review and are not needed after it. A few days allow for a second look.")),
        Rule(DataClass.WORDS, 1, 365, 14, _SETTLED, "P-39.1 s. 5, 23; R-22.1 s. 16",
             _("The text of whole pages holds more than the numbers. It is needed while pages are read.")),
        Rule(DataClass.FINDINGS, 1, 730, 30, _SETTLED, _END,
             _("Proposals that became no decision have no use once the document is measured.")),
        Rule(DataClass.EXPORTS, 30, 1825, 90, _("the file was made"), _END,
             _("The billing has its own copy. Who received what stays in the journal (R-22.1 s. 265).")),
        Rule(DataClass.DECISIONS, 366, 2557, 366, _("the document was settled and last exported or read by a program"),
             "P-39.1 s. 11; A-2.1 s. 72",
             _("What a decision was based on is kept for at least a year after its use. Counts and scores stay.")),
        Rule(DataClass.JOURNAL, 1827, 36525, 3653, _("the event took place"),
             "P-39.1 s. 3.8, r. 3.1; R-22.1 s. 103, 110",
             _("It proves accesses and destructions, holds no number, and is kept longest. Nothing destroys it.")),
    )
}  # fmt: skip

DOCUMENT_CLASSES: Final = tuple(each for each in DataClass if each != DataClass.JOURNAL)
"""What a document consists of: what is destroyed when a document is."""
