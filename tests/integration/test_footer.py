"""The footer of every page says where data goes with the settings that hold."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

NOTHING_LEAVES = "Aucune donnée ne quitte l’infrastructure de la clinique."


@pytest.fixture
def footer(client):
    def read(language: str = "fr-ca") -> str:
        client.cookies["django_language"] = language
        page = client.get(reverse("account_login"))
        return " ".join(page.content.decode().partition("<footer")[2].replace("&#x27;", "'").split())

    return read


def test_with_the_local_reader_nothing_leaves(footer, settings):
    settings.OCR_READER = "local"
    assert NOTHING_LEAVES in footer()
    assert "Amazon" not in footer()
    assert "No data leaves the clinic's infrastructure." in footer("en")


def test_with_textract_the_footer_says_who_reads_pages_and_in_which_country(footer, settings):
    settings.OCR_READER = "textract"
    french, english = footer(), footer("en")
    assert NOTHING_LEAVES not in french
    assert "traitent des données au Canada (région ca-central-1) : Amazon Textract (lecture des pages" in french
    assert "No data leaves" not in english
    assert "process data in Canada (region ca-central-1): Amazon Textract (reading of scanned pages" in english


def test_a_region_elsewhere_is_not_said_to_be_canada(footer, settings):
    settings.OCR_READER, settings.AWS_REGION = "textract", "us-east-1"
    assert "dans la région us-east-1" in footer()
    assert "Canada" not in footer()


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("VAULT_S3_BUCKET", "Amazon S3"),
        ("VAULT_KMS_KEY_ID", "AWS KMS"),
        ("AUDIT_ANCHOR_S3_BUCKET", "Object Lock"),
        ("CLOUDWATCH_NAMESPACE", "CloudWatch"),
    ],
)
def test_any_other_service_is_named_too(footer, settings, name, service):
    setattr(settings, name, "made-up")
    assert NOTHING_LEAVES not in footer()
    assert service in footer()
