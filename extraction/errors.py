"""Why a document, a page or a service could not be used, and what is odd about a page that could: closed codes, each
with one sentence for people.

Nothing in an exception of this module may hold document text, a file name or a number: its text is the code.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    # The file
    "empty_file": _("This file is empty. Choose another file."),
    "not_a_pdf": _("This file is not a PDF. Save it as a PDF and upload it again."),
    "too_large": _("This file is larger than the limit. Split it and upload the parts."),
    "damaged": _("This PDF is damaged or was cut off during transfer. Export it again and upload the new copy."),
    "password_protected": _("This PDF asks for a password. Remove the password and upload it again."),
    "no_pages": _("This PDF has no pages."),
    "too_many_pages": _("This PDF has more pages than the limit. Split it and upload the parts."),
    "page_too_large": _(
        "A page of this PDF is larger than any paper. Print it to a normal page size and upload it again."
    ),
    "active_content": _(
        "This PDF holds scripts or attached files, which are refused. Print it to a new PDF and upload that."
    ),
    "too_complex": _(
        "Reading this PDF takes more memory or time than is allowed. Print it to a new PDF and upload that."
    ),
    # One page
    "page_unreadable": _(
        "This page could not be read. It counts as unread until it is read again or a person signs it off."
    ),
    "page_image_missing": _("This page could not be drawn."),
    # Services
    "reader_unavailable": _("The reading service does not answer. The run tries again by itself."),
    "reader_refused": _("The reading service refused this page."),
    "reader_misconfigured": _(
        "The reading service is not set up correctly. An administrator has to look at its settings."
    ),
    "model_unavailable": _(
        "The model server does not answer. The run tries again by itself, or goes on without it if you choose so."
    ),
    "model_cut_short": _("The model's answer about this page did not come to its end."),
    "model_too_long": _("This page is longer than the model can read at once."),
    "model_no_answer": _("The model gave no answer about this page."),
    "model_bad_reply": _("The model server answered with something unusable for this page."),
    "vault_unavailable": _("The place where documents are kept does not answer. The run tries again by itself."),
    "database_unavailable": _("The database was away for a moment. The run goes on by itself."),
    "internal": _("Something went wrong on our side. Nothing was lost; the run can be started again."),
}

WARNINGS: dict[str, str | Promise] = {
    "invisible_text": _(
        "Invisible text: this page holds text that nobody sees on it. It was left out; go by the picture alone."
    ),
    "addresses_model": _(
        "This page speaks to the model: it holds text that reads like an order to a program. "
        "Compare every number with the picture, and ask where the document comes from."
    ),
}
"""What a reviewer is told of a page, by the codes of `extraction.injection`."""


class ExtractionError(Exception):
    """Something stops the work, and `code` (a key of SENTENCES) says what.

    `retryable` tells whether the same call may succeed later without anybody changing anything.
    """

    retryable = False

    def __init__(self, code: str) -> None:
        if code not in SENTENCES:
            raise ValueError(f"unknown error code {code!r}")
        super().__init__(code)
        self.code = code

    @property
    def sentence(self) -> str:
        """One sentence in the active language: what happened and what to do."""
        return str(SENTENCES[self.code])


class UnreadableDocument(ExtractionError):
    """The file can never be read as it is: refused at upload, and exit status 1 on the command line."""


class UnreadablePage(ExtractionError):
    """One page cannot be read. It is listed as unread; the document is not complete without it."""


class ServiceUnavailable(ExtractionError):
    """A service that the work needs is down or refuses for now. Retryable; exit status 3 on the command line."""

    retryable = True
