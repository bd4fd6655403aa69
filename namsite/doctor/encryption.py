"""Whether what is kept is sealed under keys that open, and what is sent goes through TLS.

Whether a disk is encrypted is not to be seen from inside: docs/doctor.md says how to look.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from namsite import row_security
from namsite.checks import is_on_this_host
from namsite.doctor.probes import Outcome, Section, broken, not_used, ok, probe, to_do

GRACE: Final = timedelta(days=14)
"""After VAULT_RENEW_DAYS: the timer comes once a week."""
VERIFYING: Final = ("verify-ca", "verify-full")
LOOSENING: Final = ("ssl_cert_reqs", "ssl_check_hostname")
"""What redis-py takes from an address to verify less than by itself."""


@probe("clinic-keys", Section.ENCRYPTION, needs=("migrations",), seconds=30)
def clinic_keys() -> Outcome:
    """Whether every key of every clinic opens, and none is older than it may be."""
    from accounts.models import Clinic
    from vault import clinic_keys
    from vault.errors import VaultError

    count, shut, old = 0, 0, 0
    due = timezone.now() - timedelta(days=settings.VAULT_RENEW_DAYS) - GRACE
    try:
        for clinic_id in Clinic.objects.values_list("pk", flat=True):
            key_ids = clinic_keys.ids(clinic_id)
            count += len(key_ids)
            shut += sum(not _opens(clinic_id, key_id) for key_id in key_ids)
            old += bool(settings.VAULT_RENEW_DAYS and key_ids and clinic_keys.made_at(key_ids[-1]) < due)
    except VaultError as error:
        return broken(str(error), "Look at VAULT_KEY_DIR or VAULT_S3_KEY_BUCKET (docs/keys.md).")
    if shut:
        return broken(
            f"{shut} of {count} keys of clinics do not open.", "Put back the root key that wrapped them (docs/keys.md)."
        )
    if old:
        return to_do(
            f"{old} clinics have a key older than {settings.VAULT_RENEW_DAYS} days.", "manage.py rotate_keys --due"
        )
    return ok(f"All {count} keys of clinics open.") if count else not_used("Nothing is sealed for a clinic yet.")


def _opens(clinic_id: UUID, key_id: str) -> bool:
    from vault import clinic_keys
    from vault.errors import VaultError, VaultUnavailable

    try:
        clinic_keys.key(clinic_id, key_id)
    except VaultUnavailable:
        raise
    except VaultError:
        return False
    return True


@probe("key-rotation", Section.ENCRYPTION, needs=("migrations",), seconds=30)
def key_rotation() -> Outcome:
    from extraction import rotation

    if rotation.is_unfinished():
        return to_do("Not everything is sealed under the newest keys yet.", "manage.py rotate_keys")
    return ok("Everything is sealed under the newest keys.")


@probe("key-place", Section.ENCRYPTION)
def key_place() -> Outcome:
    if settings.VAULT_KEY_DIR or settings.VAULT_S3_KEY_BUCKET:
        return ok("The wrapped keys lie apart from the documents.")
    sentence = "The wrapped keys lie beside the documents: a backup of these brings back what was destroyed."
    return to_do(sentence, "Set VAULT_KEY_DIR or VAULT_S3_KEY_BUCKET, and move keys/ and clinics/ there.")


@probe("database-tls", Section.ENCRYPTION, needs=("database",))
def database_tls() -> Outcome:
    if connection.vendor != "postgresql":
        return not_used("The database is a file of this host.")
    host = str(connection.get_connection_params().get("host") or "")
    if not host or host.startswith("/") or is_on_this_host(host):
        return not_used("The database is on this host.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        is_encrypted = cursor.fetchone()[0]
    if not is_encrypted:
        return broken("The database is spoken to in clear.", "Add ?sslmode=verify-full to DATABASE_URL.")
    if connection.get_connection_params().get("sslmode") not in VERIFYING:
        return to_do("The database's certificate is not verified.", "Add ?sslmode=verify-full to DATABASE_URL.")
    return ok("The database is spoken to through TLS, and its certificate is verified.")


@probe("redis-tls", Section.ENCRYPTION)
def redis_tls() -> Outcome:
    parts = urlsplit(settings.REDIS_URL)
    if parts.scheme == "unix" or is_on_this_host(parts.hostname or "localhost"):
        return not_used("Redis is on this host.")
    if parts.scheme != "rediss":
        return to_do("Redis is spoken to in clear (identifiers only, and its password).", "Set REDIS_URL to rediss://…")
    if any(name in parse_qs(parts.query) for name in LOOSENING):
        next_step = f"Take {' and '.join(LOOSENING)} out of REDIS_URL."
        return to_do("Redis's certificate is not verified as a whole.", next_step)
    return ok("Redis is spoken to through TLS, and its certificate is verified.")


@probe("model-tls", Section.ENCRYPTION, needs=("migrations",))
def model_tls() -> Outcome:
    """To do and no more: a network may encrypt by itself (a tunnel, a cloud's own hosts), which nobody here can see."""
    from extraction import traffic

    servers = [each.server for each in traffic.watched()]
    urls = [urlsplit(server.runtime if server.is_managed else server.endpoint) for server in servers]
    elsewhere = [url for url in urls if not is_on_this_host(url.hostname or "")]
    if not elsewhere:
        return not_used("No page goes to a model on another host.")
    if any(url.scheme != "https" for url in elsewhere):
        next_step = "Put deploy/nginx/model-server.conf in front of the model, and set LLM_ENDPOINT to https://…"
        return to_do("Pages go to the model server in clear.", next_step)
    return ok("Pages go to the model server through TLS, and its certificate is verified.")


@probe("row-security", Section.ENCRYPTION, needs=("migrations",))
def row_level_security() -> Outcome:
    """Clinics kept apart by PostgreSQL itself, beside our own queries."""
    if connection.vendor != "postgresql":
        return not_used("SQLite has no row-level security.")
    if not settings.ROW_SECURITY:
        sentence = "PostgreSQL does not keep clinics apart; the application alone does."
        return to_do(sentence, "manage.py enable_row_security --role ROLE, then ROW_SECURITY=1 (docs/sign-in.md)")
    problems = list(row_security.problems())
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        return broken(f"{problems[0]}{more}", "manage.py enable_row_security --role ROLE, as the owner of the tables")
    return ok("PostgreSQL keeps clinics apart for the role of this connection.")
