"""Whether the journal can be believed: verified, anchored, in more than one place, and closed to change."""

from __future__ import annotations

from collections import Counter
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from namsite.doctor.probes import Outcome, Section, broken, not_used, ok, probe, to_do

SAYS: Final = {
    "tampered": "was changed",
    "incomplete": "could not be verified to the end",
    "unverified": "was not verified for two days",
    "broken_chain": "does not follow from its last anchor",
    "restored": "lost events in a restore that nobody acknowledged",
    "no_key": "cannot be anchored without the key",
    "late": "waits too long for its anchor",
}
VERIFYING: Final = ("tampered", "incomplete", "unverified")
REPORT: Final = "Stop, keep everything as it is, and report an incident: docs/journal.md."


@probe("journal", Section.JOURNAL, needs=("migrations",), seconds=30)
def journal() -> Outcome:
    """What the newest verification of each chain found. To verify again is `manage.py audit_verify`."""
    from audit.integrity import chains_in_trouble
    from audit.models import ChainHead

    found = Counter(trouble for _chain, trouble in chains_in_trouble(timezone.now()) if trouble in VERIFYING)
    chains = ChainHead.objects.count()
    if found["tampered"]:
        return broken(f"The journal of {found['tampered']} clinics {SAYS['tampered']}.", REPORT)
    for trouble in ("incomplete", "unverified"):
        if found[trouble]:
            return to_do(f"The journal of {found[trouble]} clinics {SAYS[trouble]}.", "manage.py audit_verify")
    return ok(f"The newest verification of {chains} chains found nothing.") if chains else not_used("No event yet.")


@probe("anchors", Section.JOURNAL, needs=("migrations",), seconds=30)
def anchors() -> Outcome:
    """Whether every chain is signed to within half an hour of now."""
    from audit.integrity import chains_in_trouble, is_late
    from audit.models import ChainHead

    if not settings.AUDIT_ANCHOR_KEY_FILE and not settings.AUDIT_ANCHOR_PUBLIC_KEYS:
        return to_do("The journal is not anchored.", "manage.py make_anchor_key FILE (docs/journal.md)")
    moment = timezone.now()
    trouble = next((why for _chain, why in chains_in_trouble(moment) if why in SAYS and why not in VERIFYING), "")
    if trouble == "broken_chain":
        return broken(f"The journal of a clinic {SAYS[trouble]}.", REPORT)
    if trouble == "restored":
        return broken(f"The journal of a clinic {SAYS[trouble]}.", "manage.py acknowledge_restore (docs/journal.md)")
    if trouble == "no_key":
        return broken(
            f"The journal {SAYS[trouble]}.", "Let the scheduler's user, and nobody else, read AUDIT_ANCHOR_KEY_FILE."
        )
    late = sum(is_late(chain, moment) for chain in ChainHead.objects.values_list("clinic_id", flat=True))
    if late:
        return broken(
            f"The journal of {late} clinics {SAYS['late']}.", "Start the scheduler, or: manage.py anchor_journal"
        )
    return ok("Every chain is anchored.")


@probe("anchor-places", Section.JOURNAL, needs=("migrations",), seconds=20)
def anchor_places() -> Outcome:
    from audit.integrity import places_in_trouble
    from audit.places import places

    if not settings.AUDIT_ANCHOR_KEY_FILE and not settings.AUDIT_ANCHOR_PUBLIC_KEYS:
        return not_used("There are no anchors to keep.")
    count, failing = len(places()), len(places_in_trouble(timezone.now()))
    if failing:
        return broken(f"{failing} of {count} places take no anchors.", "manage.py anchor_journal says which, and why.")
    return ok(f"All {count} places take anchors.")


@probe("journal-role", Section.JOURNAL, needs=("migrations",))
def journal_role() -> Outcome:
    """Whether the role of this connection could change what is written."""
    from audit.triggers import TABLES

    if connection.vendor != "postgresql":
        return not_used("SQLite has no roles; triggers alone keep the journal.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM unnest(%s::text[]) AS each(name)"
            " WHERE has_table_privilege(current_user, each.name, 'UPDATE, DELETE, TRUNCATE')",
            [list(TABLES)],
        )
        count = cursor.fetchone()[0]
    if count:
        return to_do(
            "The role of this connection could change the journal.",
            "manage.py journal_role ROLE --apply (docs/journal.md)",
        )
    return ok("The role of this connection can only add to the journal.")
