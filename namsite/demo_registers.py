"""What the demonstration's registers show: an incident, a request and a complaint, invented and said to be.

Written through the forms and actions that an administrator's browser reaches, in French as a clinic of Quebec writes.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from audit.registers import incidents, queries
from audit.registers.clocks import WARN_DAY
from audit.registers.models import Entry, Register
from review.registers import actions
from review.registers.books import BOOKS, Part
from review.registers.forms import PartForm

INVENTED = "Exemple inventé pour la démonstration."


@transaction.atomic
def write(*, nam: str, by: User) -> None:
    """The three entries, once: a clinic whose registers say something keeps what they say. `nam` is of a demonstration
    document, so that the request can be answered from what was found."""
    if queries.entries(by).exists():
        return
    today = timezone.localdate()
    _incident(today - timedelta(days=3), by)
    _request(today - timedelta(days=WARN_DAY + 1), nam, by)
    _complaint(today - timedelta(days=10), by)


def _incident(aware_on: date, by: User) -> None:
    facts = {
        "information": f"{INVENTED} Une page d’agenda : noms, numéros d’assurance maladie et heures de rendez-vous.",
        "circumstances": "Télécopie envoyée au mauvais numéro, puis détruite par la personne qui l’a reçue.",
        "cause": "Deux chiffres inversés à la saisie du numéro.",
        "occurred": f"le {aware_on.isoformat()}, en matinée",
        "aware_on": aware_on.isoformat(),
        "persons": "5",
        "persons_quebec": "5",
        "measures": "Destruction confirmée par écrit; numéros fréquents enregistrés dans le télécopieur.",
    }
    risk = {
        "risk_sensitivity": "Élevée : renseignements de santé.",
        "risk_misuse": "Usurpation d’identité.",
        "risk_consequences": "Atteinte à la vie privée.",
        "risk_likelihood": "Faible : destinataire connu, page détruite.",
        "is_consulted": "on",
        "risk": incidents.OPEN,
    }
    _supplement(_open(Register.INCIDENTS, facts, by), "risk", risk, by)


def _request(received_on: date, nam: str, by: User) -> None:
    data = {
        "nam": nam,
        "kind": "access",
        "received_on": received_on.isoformat(),
        "applicant": "Jeanne Exemple",
        "contact": "Par la poste, au 1, rue de l’Exemple",
        "identity": "Carte et photo présentées à l’accueil",
        "wording": f"{INVENTED} Tout ce que la clinique détient à son sujet, et qui l’a consulté.",
    }
    _open(Register.REQUESTS, data, by)


def _complaint(received_on: date, by: User) -> None:
    data = {
        "received_on": received_on.isoformat(),
        "complainant": "Luc Exemple",
        "contact": "luc@exemple.example",
        "wording": f"{INVENTED} Son rendez-vous a été nommé à voix haute dans la salle d’attente.",
    }
    _open(Register.COMPLAINTS, data, by)


def _open(register: Register, data: dict[str, str], by: User) -> Entry:
    return actions.open_with(register=register, form=_filled(BOOKS[register].parts[0], data, by), by=by)


def _supplement(entry: Entry, code: str, data: dict[str, str], by: User) -> None:
    part = BOOKS[Register(entry.register)].part(code)
    assert part is not None  # noqa: S101  (a name in this file)
    actions.supplement(entry=entry, part=part, form=_filled(part, data, by), by=by)


def _filled(part: Part, data: dict[str, Any], by: User) -> PartForm:
    """A form that an administrator could have sent. Raises ValueError with the names of wrong fields."""
    form = part.form(data, by=by)
    if not form.is_valid():
        raise ValueError(f"The demonstration's registers do not fit their forms: {', '.join(form.errors)}")
    return form
