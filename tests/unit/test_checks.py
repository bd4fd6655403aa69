"""What the system checks refuse, and that a production as documented passes them."""

from __future__ import annotations

import socket

import pytest
from django.core.checks import run_checks

from extraction.readers import landlock
from vault.errors import VaultUnavailable

PRODUCTION = {
    "SECRET_KEY_IS_LASTING": True,
    "TESTING": False,
    "DEBUG": False,
    "DEMO": False,
    "REDIS_URL": "rediss://:password@redis.internal:6379/0",
    "LLM_ENDPOINT": "http://10.0.3.50:8000/v1",
    "AUDIT_ANCHOR_KEY_FILE": "/etc/namsite/anchor.pem",
    "AUDIT_ANCHOR_DIRS": ["/srv/anchors", "/mnt/other-host/anchors"],
    "TEXTRACT_OPTED_OUT": True,
}


@pytest.fixture
def production(settings, monkeypatch):
    for name, value in PRODUCTION.items():
        setattr(settings, name, value)
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    monkeypatch.setattr(landlock, "abi", lambda: 3)
    return settings


def ids(*, deploy: bool = True) -> set[str]:
    """The ids of our own messages."""
    every = (message.id for message in run_checks(include_deployment_checks=deploy) if message.id)
    return {each for each in every if each.startswith("namsite.")}


def test_a_production_as_documented_passes(production):
    assert ids() == set()


def test_a_kernel_without_landlock_is_said_and_no_obstacle(production, monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    (message,) = (each for each in run_checks(include_deployment_checks=True) if each.id == "namsite.I112")
    assert not message.is_serious()


def test_a_password_alone_is_refused_by_every_command(production):
    production.MFA_REQUIRED = False
    assert ids() == {"namsite.E003", "namsite.E104"}
    assert ids(deploy=False) == {"namsite.E003"}


def test_a_form_of_log_lines_that_nobody_knows_is_refused_by_every_command(settings):
    settings.LOG_FORMAT = "xml"
    assert "namsite.E004" in ids(deploy=False)


def test_a_demonstration_may_do_without_the_second_step(settings):
    settings.MFA_REQUIRED, settings.TESTING, settings.DEMO = False, False, True
    assert "namsite.E003" not in ids(deploy=False)


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("SECRET_KEY_IS_LASTING", False, "namsite.E101"),
        ("VAULT_KEYS", "", "namsite.E102"),
        ("VAULT_KEYS", "k1:bm90LWEta2V5", "namsite.E102"),
        ("VAULT_INDEX_KEY", "", "namsite.E102"),
        ("AUDIT_ANCHOR_KEY_FILE", "", "namsite.E113"),
        ("AUDIT_ANCHOR_DIRS", ["/srv/anchors"], "namsite.W110"),
        ("DEBUG", True, "namsite.E103"),
        ("DEMO", True, "namsite.E103"),
        ("TESTING", True, "namsite.E103"),
        ("LLM_ENDPOINT", "http://8.8.8.8/v1", "namsite.E105"),
        ("LLM_ENDPOINT", "https://user:secret@10.0.3.50/v1", "namsite.E105"),
        ("LLM_ENDPOINT", "https://api.openai.com/v1", "namsite.E105"),
        ("LLM_ENDPOINT", "https://bedrock-runtime.ca-central-1.amazonaws.com/openai/v1", "namsite.E105"),
        ("LLM_ENDPOINT", "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/nam/invocations", "namsite.E105"),
        ("LLM_ENDPOINT", "sagemaker://", "namsite.E105"),
        ("LLM_API_KEY", "clé", "namsite.E105"),
        ("REDIS_URL", "redis://redis.internal:6379/0", "namsite.E108"),
        ("REDIS_URL", "redis://10.0.0.9:6379/0", "namsite.E108"),
    ],
)
def test_a_laptop_s_setting_is_refused_in_production(production, setting, value, expected):
    setattr(production, setting, value)
    assert ids() == {expected}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("LLM_ENDPOINT", ""),
        ("LLM_ENDPOINT", "https://[fd12::5]/v1"),
        ("REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("REDIS_URL", "redis://localhost:6379/0"),
        ("REDIS_URL", "redis://[::1]:6379/0"),
        ("REDIS_URL", "unix:///run/redis.sock?db=0"),
    ],
)
def test_a_private_address_is_accepted(production, setting, value):
    setattr(production, setting, value)
    assert ids() == set()


AWS_USERS = [
    ("OCR_READER", "textract"),
    ("TEXTRACT_BUCKET", "pages"),
    ("VAULT_S3_BUCKET", "documents"),
    ("CLOUDWATCH_NAMESPACE", "NAMExtraction"),
]


@pytest.mark.parametrize(("setting", "value"), AWS_USERS)
def test_aws_outside_canada_is_refused_where_it_is_used(production, setting, value):
    production.AWS_REGION = "us-east-1"
    assert ids() == set()
    setattr(production, setting, value)
    assert ids() == {"namsite.E106"}


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        (None, True),
        ("https://textract.ca-central-1.amazonaws.com", True),
        ("https://vpce-0a1b.textract.ca-central-1.vpce.amazonaws.com", True),
        ("https://10.0.4.7", True),
        ("http://textract.ca-central-1.amazonaws.com", False),
        ("https://textract.us-east-1.amazonaws.com", False),
        ("https://ca-central-1.amazonaws.com.evil.example", False),
        ("https://8.8.8.8", False),
    ],
)
def test_aws_is_spoken_to_in_its_region_or_on_the_private_network(production, monkeypatch, url, accepted):
    def unresolved(*_: object, **__: object) -> None:
        raise socket.gaierror

    if url and "amazonaws" in url:
        monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    production.LLM_ENDPOINT, production.OCR_READER, production.AWS_ENDPOINT_URL = "", "textract", url
    assert ids() == (set() if accepted else {"namsite.E107"})


def test_a_model_server_without_address_is_a_warning(production, monkeypatch):
    def unresolved(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    production.LLM_ENDPOINT = "http://model.internal/v1"
    assert ids() == {"namsite.W105"}


@pytest.mark.parametrize(
    ("region", "url", "expected"),
    [
        ("ca-central-1", "https://10.0.4.9", set()),
        ("ca-central-1", "https://8.8.8.8", {"namsite.E105"}),
        ("us-east-1", "", {"namsite.E105", "namsite.E106"}),
        ("us-east-1", "https://10.0.4.9", {"namsite.E106"}),
        ("ca-central-1", "https://vpce-1.runtime.sagemaker.us-east-1.vpce.amazonaws.com", {"namsite.E105"}),
    ],
)
def test_sagemaker_is_asked_in_canada_on_a_private_address(production, region, url, expected):
    production.LLM_ENDPOINT, production.AWS_REGION, production.SAGEMAKER_ENDPOINT_URL = "sagemaker://nam", region, url
    assert ids() == expected


def test_a_silent_kms_is_a_warning(production, monkeypatch):
    def silent() -> None:
        raise VaultUnavailable("KMS does not answer.")

    monkeypatch.setattr("vault.keys.keyring", silent)
    assert ids() == {"namsite.W102"}


def test_sqlite_is_only_mentioned(production, monkeypatch):
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert ids() == {"namsite.I109"}


def test_no_message_of_the_checks_shows_a_secret(production):
    production.REDIS_URL = "redis://redis.internal/0?token=canary"
    production.LLM_ENDPOINT = "https://user:canary@8.8.8.8/v1"
    production.VAULT_KEYS = "k1:canary"
    assert not any("canary" in str(message) for message in run_checks(include_deployment_checks=True))


def test_a_queue_that_pickles_is_refused_everywhere(settings):
    settings.RQ_QUEUES = {"default": {**settings.RQ_QUEUES["default"]}, "other": {"URL": "redis://127.0.0.1:1"}}
    assert ids(deploy=False) == {"namsite.E001"}


def test_an_unknown_reader_is_refused_everywhere(settings):
    settings.OCR_READER = "crystal ball"
    assert ids(deploy=False) == {"namsite.E002"}


def test_production_checks_stay_out_of_the_way_of_everyday_commands(settings):
    settings.DEBUG, settings.SECRET_KEY_IS_LASTING = True, False
    assert ids(deploy=False) == set()


def test_textract_is_refused_until_somebody_says_that_aws_may_not_use_the_pages(production):
    production.TEXTRACT_OPTED_OUT = False
    assert ids() == set()
    production.OCR_READER = "textract"
    assert ids() == {"namsite.E110"}


def test_the_signing_key_is_no_key_of_the_vault(production):
    production.SECRET_KEY = production.VAULT_INDEX_KEY
    assert ids() == {"namsite.E111"}
