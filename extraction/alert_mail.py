"""Alerts by e-mail, to the addresses of ALERT_EMAILS. Sentences, figures and a clinic's name; never health information.

A message that cannot be sent stays due: the row keeps that nobody was told, and it is tried again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from extraction.banner import runbook, sentence
from extraction.models import Alert

logger = logging.getLogger(__name__)

PAUSE = timedelta(minutes=5)
"""After a failure."""
OLDEST = timedelta(days=30)
"""Alerts from before that are in the history only: whoever sets ALERT_EMAILS later is not told of years."""
MOST_AT_ONCE = 20


def send_due(moment: datetime) -> bool:
    """Sends what nobody was told of yet, oldest first. False where the mail server does not take it."""
    if not settings.ALERT_EMAILS:
        return True
    due = Alert.objects.filter(mailed_at=None, raised_at__gte=moment - OLDEST).select_related("clinic")
    for alert in due.order_by("raised_at")[:MOST_AT_ONCE]:
        try:
            message(alert).send()
        except Exception as error:  # Wrong settings stop no scheduler either; its text may quote an address.
            logger.warning("an alert could not be sent by e-mail (%s); it is tried again", type(error).__name__)
            return False
        Alert.objects.filter(pk=alert.pk).update(mailed_at=moment)
    return True


def message(alert: Alert) -> EmailMessage:
    """The alert in every language of the site, the first one first."""
    parts = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            parts.append(_body(alert))
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("NAM finder: alert ({kind})").format(kind=alert.get_kind_display())
    return EmailMessage(subject, "\n\n".join(parts) + "\n", to=list(settings.ALERT_EMAILS))


def _body(alert: Alert) -> str:
    whose = _("The clinic: {name}").format(name=alert.clinic.name) if alert.clinic else _("The whole installation")
    raised = timezone.localtime(alert.raised_at).strftime("%Y-%m-%d %H:%M")
    lines = [sentence(alert), runbook(alert), whose, _("Noticed: {time}").format(time=raised)]
    if alert.ended_at is not None:
        ended = timezone.localtime(alert.ended_at).strftime("%Y-%m-%d %H:%M")
        lines.append(_("Over since: {time}").format(time=ended))
    return "\n".join(lines)
