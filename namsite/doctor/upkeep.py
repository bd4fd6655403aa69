"""What has to happen by itself: destruction in time, alerts that somebody sees, the units and timers of this host, and
how far a rollout of a model is."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.utils import timezone

from namsite.doctor.probes import Outcome, Section, broken, not_used, ok, probe, to_do

SYSTEMD: Final = Path("/run/systemd/system")  # there while systemd runs the host: sd_booted(3)
UNITS: Final = "namsite-*"
OVERDUE: Final = timedelta(days=2)
"""What is due is destroyed once a day."""
ROLLED_BACK: Final = timedelta(days=7)


@probe("retention", Section.UPKEEP, needs=("migrations",), seconds=60)
def retention() -> Outcome:
    """Whether something should have been destroyed two days ago, and no hold keeps it."""
    from accounts.models import Clinic
    from review.retention import due

    moment = timezone.now() - OVERDUE
    clinics = Clinic.objects.values_list("pk", flat=True)
    count = sum(not each.is_held for clinic_id in clinics for each in due.due(clinic_id, moment))
    if count:
        return broken(
            f"{count} destructions are overdue.", "Look at the scheduler's log, or: manage.py apply_retention"
        )
    return ok("Nothing is kept longer than it may be.")


@probe("alerts", Section.UPKEEP, needs=("migrations",))
def alerts() -> Outcome:
    from extraction.models import Alert

    found = Counter(Alert.objects.filter(ended_at=None).values_list("kind", flat=True))
    if found:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items()))
        return to_do(f"Open alerts: {kinds}.", "An administrator sees at /alerts/ what they say (docs/alerts.md).")
    return ok("No alert is open.")


@probe("rollout", Section.UPKEEP, needs=("migrations",))
def rollout() -> Outcome:
    """A newcomer's trial, and whether one was rolled back of late."""
    from extraction.models import Deployment, DeploymentState
    from extraction.standing import tried

    newcomer = tried()
    if newcomer is not None:
        how = "in the shadow" if newcomer.is_shadow else f"with {newcomer.share} per cent of the documents"
        return ok(f"A model is being tried {how}; it is rolled back by itself (docs/rollout.md).")
    since = timezone.now() - ROLLED_BACK
    back = (
        Deployment.objects.filter(state=DeploymentState.ROLLED_BACK, ended_at__gte=since).order_by("-ended_at").first()
    )
    if back is not None:
        return to_do(
            f"A model was rolled back on {back.ended_at:%Y-%m-%d} ({back.end_reason}).",
            "See /models/ and docs/rollout.md.",
        )
    return not_used("No model is being tried.")


@probe("units", Section.UPKEEP)
def units() -> Outcome:
    """The units of this host: none failed, and the timers ran."""
    program = shutil.which("systemctl")
    if program is None or not SYSTEMD.is_dir():
        return not_used("No systemd runs this host.")
    properties = "Id,ActiveState,LastTriggerUSec"
    shown = subprocess.run(  # noqa: S603  (its full path, and words of ours)
        [program, "show", "--property", properties, "--all", UNITS],
        capture_output=True,
        text=True,
        check=False,
        timeout=8,
    )
    return units_outcome(shown.stdout)


def units_outcome(shown: str) -> Outcome:
    """What `systemctl show` says: blocks of `Name=value`, with an empty line between two units."""
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in shown.strip().split("\n\n")]
    found = {block["Id"]: block for block in blocks if block.get("Id")}
    if not found:
        return not_used("No unit of ours is loaded on this host.")
    failed = sorted(name for name, block in found.items() if block.get("ActiveState") == "failed")
    if failed:
        return broken(f"Failed: {', '.join(failed)}.", f"journalctl -u {failed[0]}")
    timers = {name: block for name, block in found.items() if name.endswith(".timer")}
    idle = sorted(name for name, block in timers.items() if block.get("ActiveState") != "active")
    if idle:
        return to_do(f"Not started: {', '.join(idle)}.", f"systemctl enable --now {' '.join(idle)}")
    never = sorted(name for name, block in timers.items() if block.get("LastTriggerUSec") in (None, "", "n/a", "0"))
    if never:
        return to_do(f"Never run yet: {', '.join(never)}.", "systemctl list-timers 'namsite-*' says when they will.")
    last = ", ".join(
        f"{name.removesuffix('.timer')} {block['LastTriggerUSec']}" for name, block in sorted(timers.items())
    )
    return ok(f"{len(found)} units, none failed." + (f" Timers ran last: {last}." if last else ""))
