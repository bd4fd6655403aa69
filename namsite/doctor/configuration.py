"""What is configured: Django's system checks with ours (`namsite/checks.py`), and the file that settings come from."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core import checks

from extraction.cloudwatch import EMF
from namsite import settings as source
from namsite.doctor.probes import Outcome, Section, State, broken, not_used, ok, probe, to_do

TOKEN_LENGTH, TOKEN_CHARACTERS = 32, 10
"""Of a token that nobody guesses: how long, and of how many different characters. 128 bits as hexadecimal digits."""


@probe("checks", Section.SETTINGS, seconds=30)
def system_checks() -> Sequence[Outcome]:
    """Everything that `manage.py check --deploy` says. An error is broken, a warning is to do."""
    found = [message for message in checks.run_checks(include_deployment_checks=True) if not message.is_silenced()]
    if not found:
        return [ok("`manage.py check --deploy` has nothing to say.")]
    return [_outcome(message) for message in sorted(found, key=lambda message: -message.level)]


def _outcome(message: checks.CheckMessage) -> Outcome:
    if message.level >= checks.ERROR:
        state = State.BROKEN
    else:
        state = State.TO_DO if message.level >= checks.WARNING else State.OK
    said = " ".join(str(message.msg).split())
    hint = " ".join(str(message.hint or "").split())
    return Outcome(state, said, hint or "See docs/settings.md.", name=message.id or "checks")


@probe("settings-file", Section.SETTINGS)
def settings_file() -> Outcome:
    """Keys stand in it: nobody but the service's user and root may read it."""
    file = Path(source.ENV_FILE)
    if not file.exists() and "ENV_FILE" in os.environ:
        return broken(
            "ENV_FILE names a file that is not there.", "Put the settings there, or name the file that has them."
        )
    if not file.is_file():
        return not_used("Settings come from the environment alone.")
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return broken("Others may read or change the file of settings, and the keys in it.", 'chmod 600 "$ENV_FILE"')
    return ok("The file of settings is closed to others.")


@probe("logs", Section.SETTINGS)
def logs() -> Outcome:
    """The form of log lines, and whether metrics that are to go with them can."""
    if settings.CLOUDWATCH_EMF and (
        settings.LOG_FORMAT != "json" or not logging.getLogger(EMF).isEnabledFor(logging.INFO)
    ):
        return broken(
            "Metrics are to go with the log, which has no place for them.", "Set LOG_FORMAT=json, LOG_LEVEL=INFO"
        )
    if settings.LOG_FORMAT == "json":
        return ok("Log lines are JSON.")
    return not_used("Log lines are for people; LOG_FORMAT=json is for collectors (docs/monitoring.md).")


@probe("metrics", Section.SETTINGS)
def metrics() -> Outcome:
    """Whether /metrics can be reached by those who may, and by nobody who guesses."""
    token = settings.METRICS_TOKEN
    if not token:
        return not_used("METRICS_TOKEN is empty: there is no /metrics.")
    if len(token) < TOKEN_LENGTH or len(set(token)) < TOKEN_CHARACTERS:
        return broken("METRICS_TOKEN can be guessed.", "METRICS_TOKEN=$(openssl rand -hex 32)")
    if not {"127.0.0.1", "*"} & set(settings.ALLOWED_HOSTS):
        return to_do("Who asks for /metrics on this host is refused.", "Add 127.0.0.1 to ALLOWED_HOSTS")
    return ok("/metrics answers whoever has the token.")


@probe("clinics", Section.SETTINGS, needs=("migrations",))
def clinics() -> Outcome:
    """Whether anybody can work here."""
    from accounts.models import Clinic

    count = Clinic.objects.count()
    if not count:
        return to_do("No clinic is open.", "manage.py create_clinic NAME --admin EMAIL")
    return ok(f"{count} clinic{'s' if count > 1 else ''} open, in {settings.TIME_ZONE}.")
