"""How a server does, in words."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from extraction.monitoring import Period

register = template.Library()

STATES: dict[str, str | Promise] = {
    "ok": gettext_lazy("answers"),
    "off": gettext_lazy("no model server is configured"),
    "unknown": gettext_lazy("not known: nobody has looked for three minutes"),
    "refused_address": gettext_lazy("its address is not allowed"),
    "unresolved": gettext_lazy("its name is not known to the network"),
    "unreachable": gettext_lazy("does not answer"),
    "timeout": gettext_lazy("answers too late"),
    "busy": gettext_lazy("too busy to answer"),
    "no_credentials": gettext_lazy("is SageMaker's, and this installation has no credentials of AWS"),
    "unhealthy": gettext_lazy("says that it is not well"),
    "unauthorised": gettext_lazy("does not accept the key"),
    "model_missing": gettext_lazy("does not serve the model that is configured"),
    "bad_reply": gettext_lazy("answers with something unusable"),
}
PERIODS: dict[str, str | Promise] = {
    Period.DAY: gettext_lazy("24 hours"),
    Period.WEEK: gettext_lazy("7 days"),
    Period.MONTH: gettext_lazy("30 days"),
}
_HOUR = 60


@register.filter
def state_words(code: str) -> str:
    """A code of extraction.llm.health.Detail, or of extraction.monitoring."""
    return str(STATES.get(code, code))


@register.filter
def period_words(period: str) -> str:
    return str(PERIODS[period])


@register.filter
def share(value: float | None, places: int = 0) -> str:
    """A ratio in percent with its sign; a dash where there is none."""
    if value is None:
        return "—"
    # Never rounded up to a round 100: one minute of an outage is seen.
    floored = int(value * 100 * 10**places + 1e-9) / 10**places
    return _("{number}%").format(number=number_format(floored, decimal_pos=places))


@register.filter
def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    return _("{number} ms").format(number=number_format(seconds * 1000, decimal_pos=0, force_grouping=True))


@register.filter
def seconds(value: float | None) -> str:
    """Seconds with two decimals."""
    return "—" if value is None else _("{number} s").format(number=number_format(value, decimal_pos=2))


@register.filter
def duration(minutes: int) -> str:
    """Minutes, from an hour on with hours. Never days: a day of work is not one of 24 hours."""
    if minutes < _HOUR:
        return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // _HOUR, minutes=f"{minutes % _HOUR:02}")
