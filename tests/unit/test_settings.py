"""Every setting is documented, and an environment that says nothing is safe."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = (ROOT / "namsite" / "settings.py").read_text(encoding="utf-8")
DOCUMENT = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

READ = set(re.findall(r"""\benv(?:\.\w+)?\(\s*["'](\w+)["']""", SOURCE))
DOCUMENTED = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, flags=re.MULTILINE))
# Read by make, the demonstration or the tests, not by the settings.
ELSEWHERE = {"PORT", "CHROMIUM", "DEMO_MODEL", "MODEL_FOLDER"}


def test_every_setting_is_documented():
    assert sorted(READ - DOCUMENTED) == []


def test_nothing_is_documented_that_does_not_exist():
    assert sorted(DOCUMENTED - READ - ELSEWHERE) == []


def test_settings_come_from_the_environment_by_one_way_only():
    assert "os.environ" not in SOURCE
    assert "os.getenv" not in SOURCE


def settled(expression: str, **environment: str) -> str:
    """What a settings expression says in a fresh process whose environment holds only `environment`."""
    done = subprocess.run(
        [sys.executable, "-c", f"from namsite import settings; print(repr({expression}))"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(settings.DEBUG, settings.DEMO, settings.TESTING)", "(False, False, False)"),
        ("(settings.HTTPS, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)", "(True, True, True)"),
        ("settings.SESSION_COOKIE_NAME", "'__Host-session'"),
        ("settings.SECRET_KEY_IS_LASTING", "False"),
        ("(settings.MFA_REQUIRED, settings.SESSION_IDLE, settings.SESSION_ABSOLUTE)", "(True, 900, 43200)"),
        ("settings.VAULT_KEYS", "''"),
        ("settings.LLM_ENDPOINT", "''"),
        ("settings.OCR_READER", "'local'"),
        ("settings.AWS_REGION", "'ca-central-1'"),
        ("settings.DATABASES['default']['ENGINE']", "'django.db.backends.sqlite3'"),
    ],
)
def test_an_empty_environment_is_a_safe_laptop(expression, value):
    assert settled(expression) == value


def test_every_process_without_a_secret_key_gets_another_one():
    assert settled("settings.SECRET_KEY") != settled("settings.SECRET_KEY")


@pytest.mark.parametrize("pool", ["", "1"])
def test_what_the_database_address_asks_for_holds_with_a_pool_too(pool):
    environment = {"DATABASE_URL": "postgres://namsite@db.internal/namsite?sslmode=verify-full", "DATABASE_POOL": pool}
    shown = settled("settings.DATABASES['default']['OPTIONS']['sslmode']", **environment)
    assert shown == "'verify-full'"


def test_a_postgresql_that_went_away_without_a_word_is_noticed():
    shown = settled("settings.DATABASES['default']", DATABASE_URL="postgres://namsite@db.internal/namsite")
    settings = ast.literal_eval(shown)
    assert settings["CONN_HEALTH_CHECKS"]
    options = settings["OPTIONS"]
    assert options["connect_timeout"] <= 10
    assert options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"] <= 30
    assert options["tcp_user_timeout"] <= 30_000


def test_a_network_of_clinics_is_other_variables():
    environment = {
        "DATABASE_URL": "postgres://namsite:password@db.internal/namsite",
        "REDIS_URL": "rediss://:password@redis.internal/0",
        "OCR_READER": "textract",
        "VAULT_S3_BUCKET": "documents",
        "LLM_ENDPOINT": "http://10.0.3.50:8000/v1",
    }
    shown = settled(
        "(settings.DATABASES['default']['ENGINE'], settings.RQ_QUEUES['default']['URL'], settings.OCR_READER)",
        **environment,
    )
    assert shown == "('django.db.backends.postgresql', 'rediss://:password@redis.internal/0', 'textract')"


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "env").write_text("OCR_READER=textract\nAWS_REGION=from-the-file\n")
    shown = settled("(settings.OCR_READER, settings.AWS_REGION)", ENV_FILE=str(tmp_path / "env"), OCR_READER="local")
    assert shown == "('local', 'from-the-file')"
