"""The drill of destruction, on a directory and on a versioned bucket, with a real Redis; and that it can fail."""

from __future__ import annotations

import io

import boto3
import pytest
from django.core.management import call_command

from audit.models import Event
from review.retention import destroying, drill
from review.retention.classes import DataClass
from vault.keys import reset_keyring

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.queue]

REGION = "ca-central-1"


@pytest.fixture(autouse=True)
def on_a_directory(settings, tmp_path, empty_redis):
    settings.VAULT_DIR = tmp_path / "bodies"
    settings.VAULT_KEY_DIR = str(tmp_path / "keys")
    yield
    reset_keyring()


@pytest.fixture
def on_a_bucket(settings, moto_endpoint, tmp_path):
    """Two versioned buckets, and keys of clinics wrapped by KMS."""
    s3 = boto3.client("s3", region_name=REGION, endpoint_url=moto_endpoint)
    for bucket in ("drill-bodies", "drill-keys"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    settings.AWS_ENDPOINT_URL = moto_endpoint
    settings.VAULT_S3_BUCKET, settings.VAULT_S3_KEY_BUCKET = "drill-bodies", "drill-keys"
    return s3


def found(looks):
    return {look.place: (look.before[1], look.after[1]) for look in looks}


def test_nothing_is_left_of_a_destroyed_document_anywhere():
    looks = drill.run()
    assert drill.is_passed(looks), found(looks)
    assert found(looks)["database, as it is"] == (0, 0)
    assert found(looks)["queue"] == (0, 0)
    assert all(after == 0 for _before, after in found(looks).values())


def test_nothing_is_left_in_the_versions_of_a_bucket(on_a_bucket):
    looks = drill.run()
    assert drill.is_passed(looks), found(looks)
    for bucket in ("drill-bodies", "drill-keys"):
        left = on_a_bucket.list_object_versions(Bucket=bucket)
        places = {each["Key"] for each in (*left.get("Versions", ()), *left.get("DeleteMarkers", ()))}
        assert {place.split("/")[0] for place in places} <= {"clinics"}


# Not FINDINGS: those of the drill are decided on, and go with their decisions.
@pytest.mark.parametrize("data_class", [each for each in destroying._DESTROY if each != DataClass.FINDINGS])
def test_the_drill_fails_when_a_class_is_forgotten(monkeypatch, data_class):
    if data_class == DataClass.FILE:
        monkeypatch.setattr("extraction.storage.delete", lambda _document: None)
    else:
        monkeypatch.setitem(destroying._DESTROY, data_class, lambda _document, _row: 0)
    assert not drill.is_passed(drill.run())


def test_the_command_says_what_it_found_and_leaves_nobody_who_may_sign_in(django_user_model):
    out = io.StringIO()
    call_command("drill_destruction", stdout=out)
    assert out.getvalue().endswith("nothing is left\n")
    assert not django_user_model.objects.filter(is_active=True).exists()
    assert Event.objects.filter(verb="key.destroyed").exists()
