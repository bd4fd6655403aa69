"""Alerts in sentences: of one alert, for the history and for a message; and what a person should know of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.policy import Right, has_right
from extraction import alerts, availability, monitoring
from extraction.availability import UP
from extraction.models import Alert, AlertKind, Sample
from extraction.templatetags.health_text import seconds, share, state_words
from extraction.templatetags.money import usd
from extraction.watches import PLACE

HEARERS: dict[str, Right] = {
    AlertKind.PRECISION: Right.QUALITY,
    AlertKind.RECALL: Right.QUALITY,
    AlertKind.TOTAL_TIME: Right.AVAILABILITY,
    AlertKind.MODEL_TIME: Right.AVAILABILITY,
    AlertKind.ERROR_RATE: Right.AVAILABILITY,
    AlertKind.COST: Right.COSTS,
    AlertKind.JOURNAL: Right.JOURNAL,
}
"""Who is told of what. That no model server answers is told to everybody, because their documents wait for it."""
_NO_ANSWER = {"unreachable", "timeout", "unresolved"}


TEXTS: dict[str, dict[str, str]] = {
    AlertKind.PRECISION: {
        "": gettext_noop(
            "Precision is below {threshold} in the last three scored extractions; in the newest it is {figure}."
        )
    },
    AlertKind.RECALL: {
        "": gettext_noop(
            "Recall is below {threshold} in the last three scored extractions; in the newest it is {figure}."
        )
    },
    AlertKind.TOTAL_TIME: {
        "": gettext_noop(
            "The last three documents took longer than {threshold} s for 20 pages; the newest took {figure}."
        )
    },
    AlertKind.MODEL_TIME: {
        "": gettext_noop(
            "The model took over {threshold} s for 20 pages of the last three documents; {figure} of the newest."
        )
    },
    AlertKind.HEALTH: {
        "": gettext_noop("The model server “{name}” failed {count} times in five minutes; the newest look: {state}.")
    },
    AlertKind.ERROR_RATE: {
        "": gettext_noop("The model's answers were unusable on {failed} of {asked} pages since yesterday.")
    },
    AlertKind.COST: {"": gettext_noop("This month has cost {figure}, more than {threshold}.")},
    AlertKind.JOURNAL: {
        PLACE: gettext_noop("A place that keeps the journal's anchors has taken none for a while; it is tried again."),
        "tampered": gettext_noop(
            "The last verification of the journal found that it was changed. Leave the database as it is."
        ),
        "incomplete": gettext_noop(
            "The last verification of the journal could not be completed: the journal's page says more."
        ),
        "unverified": gettext_noop("Nobody has verified the journal for two days. Does the scheduler run?"),
        "broken_chain": gettext_noop(
            "The journal does not follow from its last anchor: it was changed since. Nothing is signed."
        ),
        "restored": gettext_noop(
            "A restore lost events of the journal. Until somebody acknowledges it, nothing is signed."
        ),
        "no_key": gettext_noop("The key that signs the journal's anchors cannot be read."),
        "": gettext_noop("The journal's newest events have waited too long for their anchor."),
    },
}
"""The sentences of each kind, by the alert's detail; "" for any other. Runbooks begin with them."""


def sentence(alert: Alert) -> str:
    """What is wrong, with its figure, in the active language. Names no person, document or number."""
    texts = TEXTS[alert.kind]
    return _(texts.get(alert.detail, texts[""])).format(**_FIGURES[alert.kind](alert))


def runbook(alert: Alert) -> str:
    """Where it stands what to do: the section is named as the kind is."""
    return _("What to do: docs/runbooks.md, section “{kind}”.").format(kind=alert.get_kind_display())


def _ratio(alert: Alert) -> dict[str, str]:
    return {"threshold": share(alert.threshold), "figure": share(alert.figure, 1)}


def _time(alert: Alert) -> dict[str, str]:
    return {"threshold": str(round(alert.threshold)), "figure": seconds(alert.figure)}


def _health(alert: Alert) -> dict[str, str]:
    return {"name": alert.subject, "count": str(int(alert.figure)), "state": state_words(alert.detail)}


def _error_rate(alert: Alert) -> dict[str, str]:
    failed, _slash, asked = alert.detail.partition("/")
    return {"failed": failed, "asked": asked}


def _cost(alert: Alert) -> dict[str, str]:
    return {"threshold": usd(Decimal(alert.threshold)), "figure": usd(Decimal(alert.figure), 2)}


_FIGURES: dict[str, Callable[[Alert], dict[str, str]]] = {
    AlertKind.PRECISION: _ratio,
    AlertKind.RECALL: _ratio,
    AlertKind.TOTAL_TIME: _time,
    AlertKind.MODEL_TIME: _time,
    AlertKind.HEALTH: _health,
    AlertKind.ERROR_RATE: _error_rate,
    AlertKind.COST: _cost,
    AlertKind.JOURNAL: lambda _alert: {},
}


# --- Now -------------------------------------------------------------------------------------------------------------


def banner(user: User, moment: datetime) -> list[str]:
    """What the person should know of now. While all is well this is one query for most people.

    What an administrator acknowledged is told to no administrator any more; people who wait still hear of it.
    """
    open_ones = list(alerts.of_clinic(user).filter(ended_at=None))
    if has_right(user, Right.ALERTS):
        open_ones = [alert for alert in open_ones if alert.acknowledged_at is None]
    of_servers = [alert for alert in open_ones if alert.kind == AlertKind.HEALTH]
    others = [alert for alert in open_ones if alert.kind != AlertKind.HEALTH]
    found = _of_servers(user, of_servers, moment)
    if has_right(user, Right.AVAILABILITY):
        found += _unwatched(moment)
    return found + [sentence(alert) for alert in others if has_right(user, HEARERS[alert.kind])]


def _of_servers(user: User, open_ones: Sequence[Alert], moment: datetime) -> list[str]:
    failing = [alert for alert in open_ones if alert.detail != UP]
    if failing and len(failing) == len(monitoring.servers()):
        return [_all_are_down(user, failing, moment)]
    if not has_right(user, Right.AVAILABILITY):
        return []
    found = [
        _("The model server “{name}” fails since {time}; another one answers.").format(
            name=alert.subject, time=_clock(alert.began_at, moment)
        )
        for alert in failing
    ]
    if len(failing) < len(open_ones):
        found.append(_("The model server answers again, but failed three times in the last five minutes."))
    return found


def _all_are_down(user: User, failing: Sequence[Alert], moment: datetime) -> str:
    since = _clock(min(alert.began_at for alert in failing), moment)
    if {alert.detail for alert in failing} <= _NO_ANSWER:
        text = _("The model server has not answered since {time}; documents wait for it.").format(time=since)
    else:
        text = _("The model server cannot be used since {time}; documents wait for it.").format(time=since)
    if has_right(user, Right.UPLOAD):
        text += " " + _("“Go on without the model” lets one of them continue with the pattern alone.")
    return text


def _unwatched(moment: datetime) -> list[str]:
    """That nobody looks cannot be noticed by the scheduler, which is who should look."""
    newest = Sample.objects.order_by("-minute").values_list("minute", flat=True).first()
    if (newest is not None and newest >= moment - availability.FAILURES_WITHIN) or not monitoring.servers():
        return []
    if newest is None:
        return [_("Nobody has looked at the model server yet. Does the scheduler run?")]
    text = _("Nobody has looked at the model server since {time}. Does the scheduler run?")
    return [text.format(time=_clock(newest, moment))]


def _clock(at: datetime, moment: datetime) -> str:
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localtime(moment).date()
    return local.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M")
