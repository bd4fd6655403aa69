"""Where health information lies and goes: the buckets themselves, and not what the settings say of them.

That AWS_REGION, AWS_ENDPOINT_URL and LLM_ENDPOINT are right is for the system checks to say (namsite.E105 to E107).
"""

from __future__ import annotations

from django.conf import settings

from namsite.checks import REGION
from namsite.doctor.probes import Outcome, Section, broken, not_used, ok, probe

BUCKETS = ("VAULT_S3_BUCKET", "VAULT_S3_KEY_BUCKET", "TEXTRACT_BUCKET", "AUDIT_ANCHOR_S3_BUCKET")
KEYS = ("VAULT_KMS_KEY_ID", "VAULT_S3_KMS_KEY_ID", "TEXTRACT_KMS_KEY_ID")
ARN_REGION = 3  # arn:aws:kms:REGION:ACCOUNT:key/ID


@probe("buckets", Section.REGION, seconds=30)
def buckets() -> Outcome:
    """S3's own answer for each bucket: a client follows a bucket to whatever region it is in."""
    from vault.errors import VaultError
    from vault.s3 import region_of

    named = {name: bucket for name in BUCKETS if (bucket := getattr(settings, name))}
    if not named:
        return not_used("No bucket is used: everything lies on this host.")
    try:
        where = {name: region_of(bucket) for name, bucket in named.items()}
    except VaultError as error:
        return broken(str(error), "Make the bucket in ca-central-1, or correct its name.")
    elsewhere = [name for name, region in where.items() if region != REGION]
    if elsewhere:
        sentence = f"Outside of {REGION}: {', '.join(elsewhere)}."
        return broken(sentence, "Stop uploads, and move what lies there: health information stays in Canada.")
    return ok(f"All {len(named)} buckets lie in {REGION}.")


@probe("sagemaker", Section.REGION)
def sagemaker() -> Outcome:
    """Where the questions to SageMaker would go at this moment, a newcomer's too."""
    from extraction import traffic
    from extraction.llm import client
    from extraction.llm.endpoints import PublicEndpoint, UnresolvedEndpoint

    if not traffic.asks_sagemaker():
        return not_used("No page goes to SageMaker.")
    next_step = "Make a VPC endpoint of sagemaker.runtime with private DNS (docs/serving.md, SageMaker)."
    try:
        for each in traffic.watched():
            client.check_address(each.server)
    except (PublicEndpoint, UnresolvedEndpoint) as error:
        return broken(str(error), next_step)
    return ok(f"Questions to SageMaker stay in {REGION}, on private addresses.")


@probe("kms-keys", Section.REGION)
def kms_keys() -> Outcome:
    """A key that is named by its ARN says its region; one that is named otherwise is looked for in AWS_REGION."""
    named = {name: key for name in KEYS if (key := getattr(settings, name))}
    if not named:
        return not_used("No key of KMS is used.")
    elsewhere = [name for name, key in named.items() if key.startswith("arn:") and key.split(":")[ARN_REGION] != REGION]
    if elsewhere:
        return broken(f"Outside of {REGION}: {', '.join(elsewhere)}.", f"Name a key of {REGION}.")
    return ok(f"The keys of KMS are those of {REGION}.")
