"""What a register's forms write, and what is written about a person's request beside the register itself.

Rights to a request are checked outside the transaction, so that the journal keeps a refusal.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import Right, check_right
from audit.record import record
from audit.registers.actions import correct_entry, open_entry
from audit.registers.models import Entry, Register, Version
from audit.verbs import Purpose, Verb
from review.policy import Conflict
from review.registers.answers import ANSWERS
from review.registers.books import Part, kept_until
from review.registers.forms import PartForm
from review.registers.transcript import Transcript, places_of, transcript
from vault.index import blind_index, same_index


def open_with(*, register: Register, form: PartForm, by: User) -> Entry:
    """Makes an entry of what a valid form of the register's first part says, for the register's term."""
    return open_entry(
        register=register,
        content=form.content,
        began_on=form.began_on,
        kept_until=kept_until(register, form.began_on),
        subject=form.subject,
        by=by,
    )


def supplement(*, entry: Entry, part: Part, form: PartForm, by: User) -> Version:
    """Adds a version with what a valid form of a part says."""
    began = form.began_on if form.began else None
    return correct_entry(
        entry=entry,
        content=form.content,
        note=part.code,
        began_on=began,
        closed_on=form.cleaned_data[form.closes] if form.closes else entry.closed_on,
        kept_until=kept_until(Register(entry.register), began) if began else None,
        by=by,
    )


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
