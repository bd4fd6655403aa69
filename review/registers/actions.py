"""What is written about a person's request beside the register itself. Rights are checked outside the transaction, so
that the journal keeps a refusal."""

from __future__ import annotations

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import Right, check_right
from audit.record import record
from audit.registers.actions import correct_entry
from audit.registers.models import Entry, Register, Version
from audit.verbs import Purpose, Verb
from review.policy import Conflict
from review.registers.answers import ANSWERS
from review.registers.transcript import Transcript, places_of, transcript
from vault.index import blind_index, same_index


def answer(*, entry: Entry, nam: str, suffix: str, by: User) -> bytes:
    """The file of everything that is held under the request's NAM. `suffix` is pdf, csv or json.

    Raises Conflict unless `nam` is the number that the request was opened for, NotAllowed.
    """
    found = _own(entry, nam, by)
    with transaction.atomic(), translation.override("fr-ca"):
        record(Verb.PATIENT_ANSWERED, by=by, object_type="entry", object_id=entry.pk, subject=_subject(nam, by),
               count=len(found.held), purpose=Purpose.ADMINISTRATION,
               details={"format": suffix, "documents": len(found.documents)})  # fmt: skip
        return ANSWERS[suffix].write(found, by.clinic.name)


def look_up(*, entry: Entry, nam: str, by: User) -> Version:
    """Writes down for the reviewers on which pages the request's NAM stands, and the files that it left in before.

    Raises Conflict unless `nam` is the number that the request was opened for, NotAllowed.
    """
    found = _own(entry, nam, by)
    places = [[str(document), page] for document, pages in places_of(found.held).items() for page in sorted(pages)]
    sent = [[str(each.export), each.at.isoformat(timespec="seconds"), each.recipient] for each in found.sent]
    with transaction.atomic():
        record(Verb.PATIENT_LOOKED_UP, by=by, object_type="entry", object_id=entry.pk, subject=_subject(nam, by),
               count=len(places), purpose=Purpose.ADMINISTRATION)  # fmt: skip
        return correct_entry(entry=entry, content={"places": places, "sent": sent}, note="places",
                             closed_on=entry.closed_on, by=by)  # fmt: skip


def _own(entry: Entry, nam: str, by: User) -> Transcript:
    """What is held under the NAM of a request."""
    check_right(by, Right.REGISTERS)
    typed = blind_index(nam, clinic_id=by.clinic_id, purpose="nam")
    is_its_own = entry.register == Register.REQUESTS and entry.subject and same_index(entry.subject, typed)
    if not is_its_own or entry.clinic_id != by.clinic_id:
        raise Conflict(_("This is not the number that the request was made for."))
    return transcript(nam, clinic_id=by.clinic_id)


def _subject(nam: str, by: User) -> bytes:
    return blind_index(nam, clinic_id=by.clinic_id, purpose="subject")
