"""Whether what runs is what was locked, what is still maintained, and what the database is made for."""

from __future__ import annotations

import platform
import sys
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from importlib import metadata
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from namsite.doctor.probes import Outcome, Section, broken, ok, probe, to_do

LOCK: Final = Path("requirements.txt")
REBOOT: Final = Path("/run/reboot-required")  # Debian and Ubuntu put it there after a kernel or library was replaced
SHOWN: Final = 4
SOON: Final = timedelta(days=180)

PYTHON_ENDS: Final = {(3, 11): date(2027, 10, 31), (3, 12): date(2028, 10, 31), (3, 13): date(2029, 10, 31)}
"""The month in which security fixes end, to its last day: https://devguide.python.org/versions/"""
POSTGRES_ENDS: Final = {
    14: date(2026, 11, 12), 15: date(2027, 11, 11), 16: date(2028, 11, 9), 17: date(2029, 11, 8), 18: date(2030, 11, 14)
}  # fmt: skip
"""The final release of each version: https://www.postgresql.org/support/versioning/"""


@probe("packages", Section.PATCHES)
def packages() -> Outcome:
    """Installed beside locked. It knows no advisories: `make lock LOCK_ARGS=--upgrade` brings what was mended."""
    locked = dict(_locked((settings.BASE_DIR / LOCK).read_text(encoding="utf-8")))
    installed = {canonicalize_name(each.name): each.version for each in metadata.distributions()}
    other = sorted(
        f"{name} {installed[name]} instead of {version}"
        for name, version in locked.items()
        if installed.get(name, version) != version
    )
    missing = sorted(name for name in _needed() if name in locked and name not in installed)
    wrong = [*other, *(f"{name} missing" for name in missing)]
    if wrong:
        shown = ", ".join(wrong[:SHOWN]) + (f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else "")
        command = "pip install --require-hashes --no-deps -r requirements.txt"
        return to_do(f"Not as locked: {shown}.", f".venv/bin/python -m {command}, then restart")
    return ok(f"{len(locked.keys() & installed.keys())} packages are as locked.")


def _locked(text: str) -> Iterator[tuple[NormalizedName, str]]:
    """The name and version of each line that holds for this interpreter."""
    for line in text.splitlines():
        if line.startswith(("#", " ")) or "==" not in line:
            continue
        try:
            requirement = Requirement(line.removesuffix("\\").strip())
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            yield canonicalize_name(requirement.name), next(iter(requirement.specifier)).version


def _needed() -> set[NormalizedName]:
    """What the application itself asks for; tools of development need not be there."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}


@probe("python", Section.PATCHES)
def python() -> Outcome:
    return maintained(f"Python {platform.python_version()}", PYTHON_ENDS.get(sys.version_info[:2]))


@probe("database-version", Section.PATCHES, needs=("database",))
def database_version() -> Outcome:
    version = connection.get_database_version()
    name = f"{connection.display_name} {'.'.join(str(part) for part in version)}"
    if connection.vendor != "postgresql":
        return ok(f"{name} comes with Python.")
    return maintained(name, POSTGRES_ENDS.get(version[0]))


def maintained(name: str, end: date | None) -> Outcome:
    """What is to be said of a version whose security fixes end on a day; None: of which nothing is known here."""
    if end is None:
        return to_do(f"Of {name} it is not known here until when it is maintained.", "See the page of its makers.")
    today = timezone.localdate()
    if today > end:
        return broken(f"{name} has had no security fixes since {end}.", "Move to a version that is maintained.")
    if today > end - SOON:
        return to_do(f"{name} has security fixes until {end}.", "Plan the move to a newer version.")
    return ok(f"{name} has security fixes until {end}.")


@probe("migrations", Section.PATCHES, needs=("database",))
def migrations() -> Outcome:
    """In both directions: after an upgrade the database may be behind, after going back it may be ahead."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    loader = executor.loader
    missing = executor.migration_plan(loader.graph.leaf_nodes())
    if missing:
        sentence = f"The database is behind this version by {len(missing)} migrations."
        return broken(sentence, "manage.py migrate, as the owner of the tables")
    apps = {app for app, _name in loader.disk_migrations}
    replaced = {key for squashed in loader.replacements.values() for key in squashed.replaces}
    known = loader.disk_migrations.keys() | replaced
    ahead = [key for key in loader.applied_migrations if key[0] in apps and key not in known]
    if ahead:
        sentence = f"The database is ahead of this version by {len(ahead)} migrations."
        return broken(sentence, "Install the version that made them, or go back as deploy/GUIDE.en.md says.")
    return ok("The database is as this version wants it.")


@probe("restart", Section.PATCHES)
def restart() -> Outcome:
    if REBOOT.exists():
        return to_do(
            "The host wants a restart: what was patched still runs unpatched.", "Restart it when nobody works."
        )
    return ok("The host asks for no restart.")
