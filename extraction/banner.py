"""Alerts in sentences: of one alert, for the history and for a message; and what a person should know of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

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


def sentence(alert: Alert) -> str:
    """What is wrong, with its figure. Names no person, document or number."""
    return _SENTENCES[alert.kind](alert)


def _precision(alert: Alert) -> str:
    text = _("Precision is below {threshold} in the last three scored extractions; in the newest it is {figure}.")
    return text.format(threshold=share(alert.threshold), figure=share(alert.figure, 1))


def _recall(alert: Alert) -> str:
    text = _("Recall is below {threshold} in the last three scored extractions; in the newest it is {figure}.")
    return text.format(threshold=share(alert.threshold), figure=share(alert.figure, 1))


def _total_time(alert: Alert) -> str:
    text = _("The last three documents took longer than {threshold} s for 20 pages; the newest took {figure}.")
    return text.format(threshold=round(alert.threshold), figure=seconds(alert.figure))


def _model_time(alert: Alert) -> str:
    text = _("The model took over {threshold} s for 20 pages of the last three documents; {figure} of the newest.")
    return text.format(threshold=round(alert.threshold), figure=seconds(alert.figure))


def _health(alert: Alert) -> str:
    text = _("The model server “{name}” failed {count} times in five minutes; the newest look: {state}.")
    return text.format(name=alert.subject, count=int(alert.figure), state=state_words(alert.detail))


def _error_rate(alert: Alert) -> str:
    failed, _slash, asked = alert.detail.partition("/")
    text = _("The model's answers were unusable on {failed} of {asked} pages since yesterday.")
    return text.format(failed=failed, asked=asked)


def _cost(alert: Alert) -> str:
    text = _("This month has cost {figure}, more than {threshold}.")
    return text.format(figure=usd(Decimal(alert.figure), 2), threshold=usd(Decimal(alert.threshold)))


def _journal(alert: Alert) -> str:
    if alert.detail == PLACE:
        return _("A place that keeps the journal's anchors has taken none for a while; it is tried again.")
    texts = {
        "tampered": _("The last verification of the journal found that it was changed. Leave the database as it is."),
        "incomplete": _("The last verification of the journal could not be completed: the journal's page says more."),
        "unverified": _("Nobody has verified the journal for two days. Does the scheduler run?"),
        "broken_chain": _("The journal does not follow from its last anchor: it was changed since. Nothing is signed."),
        "restored": _("A restore lost events of the journal. Until somebody acknowledges it, nothing is signed."),
        "no_key": _("The key that signs the journal's anchors cannot be read."),
    }
    return texts.get(alert.detail, _("The journal's newest events have waited too long for their anchor."))


_SENTENCES: dict[str, Callable[[Alert], str]] = {
    AlertKind.PRECISION: _precision,
    AlertKind.RECALL: _recall,
    AlertKind.TOTAL_TIME: _total_time,
    AlertKind.MODEL_TIME: _model_time,
    AlertKind.HEALTH: _health,
    AlertKind.ERROR_RATE: _error_rate,
    AlertKind.COST: _cost,
    AlertKind.JOURNAL: _journal,
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
