"""What each register asks for, in which parts, and what its list shows. The pages are the same for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.registers.clocks import Term, answer_term, incident_kept_until, training_due
from audit.registers.incidents import Step, steps_left
from audit.registers.models import Entry, Register
from review.registers import forms

Words = str | Promise


class Part(NamedTuple):
    """One form of an entry. `code` names it in addresses, and is the note of the versions that it makes."""

    code: str
    title: Words
    form: type[forms.PartForm]


@dataclass(frozen=True, slots=True)
class Book:
    """One register: `parts` in the order in which they are filled in, `columns` of its list by field name."""

    register: Register
    lead: Words
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    letters: tuple[tuple[str, Words], ...] = ()

    @property
    def title(self) -> str:
        return str(self.register.label)

    def part(self, code: str) -> Part | None:
        return next((part for part in self.parts if part.code == code), None)

    def fields(self, by: User) -> dict[str, Any]:
        """Every field of every part, unbound, by name."""
        return {name: field for part in self.parts for name, field in part.form(by=by).fields.items() if name != "nam"}


BOOKS = {
    book.register: book
    for book in (
        Book(
            Register.INCIDENTS,
            _("Every incident, whether its risk is serious or not. It is kept five years from the day on which the "
              "clinic became aware of it, and corrections keep what was said before."),
            (
                Part("facts", _("What happened"), forms.IncidentForm),
                Part("risk", _("Risk of serious injury"), forms.RiskForm),
                Part("notices", _("Notices"), forms.NoticesForm),
                Part("end", _("End"), forms.IncidentEndForm),
            ),
            ("information", "risk"),
            (
                ("cai", _("Notice to the CAI")),
                ("minister", _("Notice to the Minister")),
                ("person", _("Notice to a person concerned")),
            ),
        ),
        Book(
            Register.REQUESTS,
            _("What persons ask about the information that the clinic holds on them. The answer is due in writing "
              "within 30 days; silence is a refusal."),
            (
                Part("request", _("The request"), forms.RequestForm),
                Part("outcome", _("The answer"), forms.OutcomeForm),
            ),
            ("kind", "applicant"),
            (("answer", _("Letter of the answer")),),
        ),
        Book(
            Register.COMPLAINTS,
            _("Complaints about the protection of personal information, and what became of them."),
            (
                Part("complaint", _("The complaint"), forms.ComplaintForm),
                Part("answer", _("The answer"), forms.ComplaintEndForm),
            ),
            ("wording",),
        ),
        Book(
            Register.RESTRICTIONS,
            _("Persons who restricted the access to their information. Their numbers are masked and their pages closed "
              "for the roles that are named; attempts are in the journal."),
            (
                Part("restriction", _("The restriction"), forms.RestrictionForm),
                Part("lift", _("Lifting it"), forms.RestrictionEndForm),
            ),
            ("roles",),
        ),
        Book(
            Register.GOVERNANCE,
            _("Who is in charge of the protection of personal information, the privacy impact assessment, and the "
              "policy that is published."),
            (
                Part("in-charge", _("Person in charge"), forms.InChargeForm),
                Part("efvp", _("Privacy impact assessment (EFVP)"), forms.AssessmentForm),
                Part("policy", _("Policy"), forms.PolicyForm),
            ),
            ("in_charge", "efvp"),
        ),
        Book(
            Register.UNDERTAKINGS,
            _("When each person was trained and signed their undertaking. Training is due at first and every year."),
            (Part("undertaking", _("Training and undertaking"), forms.UndertakingForm),),
            ("person", "trained_on", "undertaking_on"),
        ),
        Book(
            Register.PRODUCTS,
            _("The technological products and services in use. What this software knows of itself stands first."),
            (
                Part("product", _("The product"), forms.ProductForm),
                Part("end", _("End of use"), forms.ProductEndForm),
            ),
            ("name", "supplier", "place"),
        ),
    )
}  # fmt: skip

STEPS: dict[Step, Words] = {
    Step.MEASURES: _("take measures and write them down"),
    Step.FACTORS: _("fill in the risk worksheet"),
    Step.DECISION: _("decide on the risk of serious injury"),
    Step.NOTICE_CAI: _("send the notice to the CAI"),
    Step.NOTICE_MINISTER: _("send the notice to the Minister"),
    Step.NOTICE_PERSONS: _("notify the persons concerned"),
}


class Due(NamedTuple):
    """What an entry asks for now: a style (as run states have), a mark, and words."""

    kind: str
    mark: str
    words: str


_URGENCIES = {"calm": ("idle", "○"), "warn": ("waiting", "◷"), "urgent": ("partial", "!"), "overdue": ("failed", "✕")}


def due(entry: Entry, content: Mapping[str, Any], today: date) -> Due:
    """What is to be done about an entry."""
    if not entry.is_open:
        return Due("done", "✓", gettext("closed"))
    if entry.register == Register.REQUESTS:
        return _of_request(answer_term(entry.began_on, today))
    if entry.register == Register.INCIDENTS:
        return _of_incident(entry, content, today)
    if entry.register == Register.UNDERTAKINGS:
        return _of_person(content, today)
    return Due("working", "◐", gettext("open") if entry.register == Register.COMPLAINTS else gettext("in force"))


def _of_request(term: Term) -> Due:
    kind, mark = _URGENCIES[term.urgency]
    words = (
        gettext("day %(day)d of 30: answer by %(last)s")
        if term.left >= 0
        else gettext("day %(day)d: was due by %(last)s")
    )
    return Due(kind, mark, words % {"day": term.day, "last": term.due_on.isoformat()})


def _of_incident(entry: Entry, content: Mapping[str, Any], today: date) -> Due:
    days = (today - entry.began_on).days
    known = ngettext(
        "known for %(days)d day, to be handled promptly", "known for %(days)d days, to be handled promptly", days
    ) % {"days": days}
    left = steps_left(content)
    if not left:
        return Due("working", "◐", gettext("nothing is left to do: close it"))
    return Due("partial", "!", f"{known} — {STEPS[left[0]]}")


def _of_person(content: Mapping[str, Any], today: date) -> Due:
    trained = content.get("trained_on")
    until = training_due(date.fromisoformat(trained) if trained else None)
    if until is None or until <= today or not content.get("undertaking_on"):
        missing = gettext("training is due") if until is None or until <= today else gettext("undertaking is missing")
        return Due("partial", "!", missing)
    return Due("done", "✓", gettext("next training by %(day)s") % {"day": until.isoformat()})


def kept_until(register: Register, began_on: date) -> date | None:
    """How long an entry must be kept; None where no term is known, and it is kept for good."""
    return incident_kept_until(began_on) if register == Register.INCIDENTS else None


def shown(book: Book, content: Mapping[str, Any], by: User) -> Iterator[tuple[str, str, str]]:
    """Name, label and value in words of every field that was filled in."""
    for name, field in book.fields(by).items():
        value = content.get(name)
        if value not in (None, "", []):
            yield name, str(field.label), in_words(field, value)
    if content.get("risk_decided_by"):
        yield "risk_decided_by", gettext("Decided by"), f"{content['risk_decided_by']}, {content['risk_decided_on']}"


def in_words(field: Any, value: Any) -> str:
    """A value as a person reads it: the words of a choice, yes or no."""
    choices = dict(getattr(field, "choices", ()))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(str(choices.get(each, each)) for each in value)
    return str(choices.get(value, value))
