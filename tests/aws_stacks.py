"""The stacks of `deploy/aws/`, created by moto's CloudFormation over HTTP, and their templates as plain data.

moto makes what it knows and passes over the rest in silence; MISSING and UNTAKEN say what that is, and a test compares.
What is missing there is asserted on the template itself: docs/aws.md has the table.
"""

from __future__ import annotations

import ast
import copy
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import boto3
import httpx
from botocore.config import Config
from cfnlint.decode import decode

FOLDER: Final = Path(__file__).resolve().parents[1] / "deploy" / "aws"
REGION: Final = "ca-central-1"
NAME: Final = "namsite"
ACCOUNT: Final = "123456789012"  # moto's own
STACKS: Final = ("network", "data", "hosts", "model")
"""In the order in which they are created."""

PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "network": {"ClinicCidr": "10.20.0.0/16", "S3PrefixList": "pl-0123abcd", "SageMaker": "yes"},
    "data": {"AlarmEmail": "ops@clinique.example"},
    "hosts": {
        "SiteName": "nam.clinique.example",
        "ImageId": "ami-12c6146b",
        "Release": "1.0",
        "ReleaseSha256": "0" * 64,
        "OcrReader": "textract",
        "AiServicesOptOut": "confirmed",
        "LlmEndpoint": f"sagemaker://{NAME}-model",
        "SageMaker": "yes",
    },
    "model": {"ImageId": "ami-12c6146b", "Release": "1.0", "ReleaseSha256": "0" * 64},
}

MISSING: Final = frozenset(
    {
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::Alarm",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::VPNGatewayRoutePropagation",
        "AWS::ElastiCache::ParameterGroup",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::Organizations::Policy",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::Scheduler::Schedule",
        "AWS::SecretsManager::Secret",
    }
)
"""Types that moto does not create."""

UNTAKEN: Final = (("data", "Database", "DBParameterGroupName"), ("hosts", "WebListener", ""))
"""(stack, resource, property) that moto cannot take: a parameter group by reference, a balancer that speaks TCP."""


_PATIENT: Final = Config(read_timeout=300, retries={"total_max_attempts": 1})
"""A stack is made within one request, and asking twice would make it twice."""


@lru_cache
def _template(name: str) -> Any:
    template, problems = decode(str(FOLDER / f"{name}.yaml"))
    assert not problems, problems
    return json.loads(json.dumps(template))


def template(name: str) -> dict[str, Any]:
    """A template, its functions in their long form. A copy: whoever has it may change it."""
    return copy.deepcopy(_template(name))


def resources(name: str, kind: str = "") -> dict[str, Any]:
    """Properties by logical name, of one type if it is given."""
    return {
        logical: each.get("Properties", {})
        for logical, each in template(name)["Resources"].items()
        if not kind or each["Type"] == kind
    }


@contextmanager
def unknown_types_in_silence() -> Iterator[None]:
    """moto warns of each type that it does not know, whenever it looks at a stack."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@lru_cache
def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=_PATIENT,
    )


def reset(endpoint: str) -> None:
    """Empties moto, which keeps its state for the whole process."""
    httpx.post(f"{endpoint}/moto-api/reset", timeout=300).raise_for_status()


def create(endpoint: str, name: str, *, under: str = NAME, **parameters: str) -> None:
    """Creates one stack of the installation `under`; of `parameters` those that the stack has replace PARAMETERS."""
    body = template(name)
    for stack, logical, prop in UNTAKEN:
        if stack == name:
            body["Resources"][logical]["Properties"].pop(prop, None) if prop else body["Resources"].pop(logical)
    known = {key: value for key, value in parameters.items() if key in body["Parameters"]}
    chosen = {**PARAMETERS[name], "Name": under, **known}
    with unknown_types_in_silence():
        client("cloudformation", endpoint).create_stack(
            StackName=f"{under}-{name}",
            TemplateBody=json.dumps(body),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in chosen.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )


def physical(endpoint: str, name: str, *, under: str = NAME) -> dict[str, str]:
    """The physical id of each resource that moto created."""
    with unknown_types_in_silence():
        listed = client("cloudformation", endpoint).list_stack_resources(StackName=f"{under}-{name}")
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in listed["StackResourceSummaries"]
        if each.get("PhysicalResourceId", "").strip()
    }


def document(text: Any) -> dict[str, Any]:
    """A policy as moto gives it back: what came through CloudFormation is written as Python writes a dictionary."""
    found = ast.literal_eval(text) if isinstance(text, str) else text
    assert isinstance(found, dict)
    return found


def statements(endpoint: str, role: str, policy: str) -> list[dict[str, Any]]:
    """Of a policy of a created role. moto leaves a None where AWS::NoValue stands."""
    found = client("iam", endpoint).get_role_policy(RoleName=role, PolicyName=policy)
    return [each for each in document(found["PolicyDocument"])["Statement"] if each is not None]
