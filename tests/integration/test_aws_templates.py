"""The templates of `deploy/aws/`: clean by cfn-lint, created by moto over HTTP, each rule asserted on what was created.

What moto's CloudFormation does not make or take is asserted on the template; docs/aws.md says which rule is proved
where, and a test compares that with what moto leaves out. No account was asked.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint import api as lint

from extraction import cloudwatch
from extraction.models import AlertKind
from tests import aws_stacks
from tests.aws_stacks import ACCOUNT, FOLDER, MISSING, NAME, REGION, STACKS
from tests.iam import as_list
from tests.integration.test_deploy import commands

ROOT = FOLDER.parents[1]
EVERYWHERE = ("0.0.0.0/0", "::/0")
HOSTS = ("web", "worker", "scheduler", "backup")
GROUPS = ("Balancer", "Web", "Worker", "Scheduler", "Backup", "Model", "Database", "Cache", "Endpoint")
APPLICATION = {"Web", "Worker", "Scheduler"}


@pytest.fixture(scope="module")
def endpoint(moto_endpoint: str) -> Iterator[str]:
    aws_stacks.reset(moto_endpoint)
    for name in STACKS:
        aws_stacks.create(moto_endpoint, name)
    yield moto_endpoint
    aws_stacks.reset(moto_endpoint)


@pytest.fixture(scope="module")
def ids(endpoint: str) -> dict[str, str]:
    """Physical ids by logical name, of all stacks."""
    return {logical: each for name in STACKS for logical, each in aws_stacks.physical(endpoint, name).items()}


@pytest.fixture
def aws(endpoint: str) -> Any:
    return lambda service: aws_stacks.client(service, endpoint)


def flat(value: Any) -> str:
    return json.dumps(value)


# --- The templates themselves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*STACKS, "organisation"])
def test_cfn_lint_finds_nothing(name):
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    config = lint.ManualArgs(regions=[REGION])
    assert [str(match) for match in lint.lint(text, config=config)] == []


def test_cfn_lint_would_find_something():
    text = (FOLDER / "network.yaml").read_text(encoding="utf-8").replace("EnableDnsSupport", "EnableDnsSuport")
    assert lint.lint(text, config=lint.ManualArgs(regions=[REGION])) != []


@pytest.mark.parametrize("name", [*STACKS, "organisation"])
def test_a_template_can_be_given_to_cloudformation_as_it_is(name):
    """A body of more than 51,200 bytes would have to lie in a bucket first."""
    assert (FOLDER / f"{name}.yaml").stat().st_size <= 51_200


def test_moto_makes_everything_but_what_the_table_says(ids):
    unmade = {
        each["Type"]
        for name in STACKS
        for logical, each in aws_stacks.template(name)["Resources"].items()
        if "Condition" not in each and logical not in ids
    }
    with_id_of_its_own = {"AWS::RDS::DBParameterGroup", "AWS::RDS::DBSubnetGroup"}  # Made, and listed without an id.
    conditional = {"AWS::SNS::Subscription", "AWS::Organizations::Policy"}
    assert unmade - with_id_of_its_own - {"AWS::ElasticLoadBalancingV2::Listener"} == MISSING - conditional
    table = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    assert [kind for kind in sorted(MISSING) if f"`{kind}`" not in table] == []


# --- Network ---------------------------------------------------------------------------------------------------------


def test_there_is_no_way_to_the_internet(aws, ids):
    ec2 = aws("ec2")
    ours = [{"Name": "attachment.vpc-id", "Values": [ids["Vpc"]]}]
    assert ec2.describe_internet_gateways(Filters=ours)["InternetGateways"] == []
    assert ec2.describe_nat_gateways()["NatGateways"] == []
    for table in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [ids["Vpc"]]}])["RouteTables"]:
        routes = {each.get("DestinationCidrBlock") for each in table["Routes"]}
        assert routes <= {"10.0.0.0/16", None}
    kinds = {each["Type"] for name in STACKS for each in aws_stacks.template(name)["Resources"].values()}
    assert kinds.isdisjoint({"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP"})


def test_subnets_are_private_and_in_two_zones(aws, ids):
    found = aws("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [ids["Vpc"]]}])["Subnets"]
    zones = {each["SubnetId"]: each["AvailabilityZone"] for each in found}
    assert len(found) == 6
    assert [each["MapPublicIpOnLaunch"] for each in found] == [False] * 6
    for kind in ("HostSubnet", "DataSubnet"):
        assert zones[ids[f"{kind}A"]] != zones[ids[f"{kind}B"]]


def test_every_subnet_uses_the_table_without_a_way_out():
    """moto forgets which subnet a table is for."""
    found = aws_stacks.resources("network", "AWS::EC2::SubnetRouteTableAssociation").values()
    assert {each["RouteTableId"]["Ref"] for each in found} == {"Routes"}
    assert {each["SubnetId"]["Ref"] for each in found} == set(aws_stacks.resources("network", "AWS::EC2::Subnet"))


@pytest.fixture
def endpoints(aws, ids):
    found = aws("ec2").describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [ids["Vpc"]]}])["VpcEndpoints"]
    return {each["ServiceName"].removeprefix(f"com.amazonaws.{REGION}."): each for each in found}


def test_the_endpoints_are_those_of_what_is_called(endpoints, ids):
    assert set(endpoints) == {
        "s3", "textract", "kms", "secretsmanager", "logs", "monitoring", "ssm", "ssmmessages", "sagemaker.runtime",
    }  # fmt: skip
    assert endpoints["s3"]["RouteTableIds"] == [ids["Routes"]]
    for name, each in endpoints.items():
        if name != "s3":
            assert each["VpcEndpointType"] == "Interface"
            assert each["PrivateDnsEnabled"] is True
            assert set(each["SubnetIds"]) == {ids["HostSubnetA"], ids["HostSubnetB"]}
            assert [group["GroupId"] for group in each["Groups"]] == [ids["EndpointGroup"]]


def test_there_is_no_endpoint_of_sagemaker_where_nobody_asks_it(endpoint):
    aws_stacks.create(endpoint, "network", under="own", Name="own", SageMaker="no")
    assert "SageMakerEndpoint" not in aws_stacks.physical(endpoint, "network", under="own")


AMAZONS_OWN = f"arn:aws:s3:::al2023-repos-{REGION}-de612dc2/*"
"""The one bucket of somebody else that may be read: packages of Amazon Linux."""


def test_an_endpoint_lets_through_calls_of_this_account_only(endpoints):
    for name, each in endpoints.items():
        for statement in aws_stacks.document(each["PolicyDocument"])["Statement"]:
            if statement["Resource"] == AMAZONS_OWN:
                assert statement["Action"] == "s3:GetObject"
                continue
            same = statement["Condition"]["StringEquals"]
            assert same["aws:PrincipalAccount"] == ACCOUNT
            if statement["Resource"] != "*":
                assert same["aws:ResourceAccount"] == ACCOUNT
                assert ACCOUNT in flat(statement["Resource"])
            else:
                assert name in ("textract", "monitoring", "ssm", "ssmmessages")


SERVICE = {"cloudwatch": "monitoring", "sagemaker": "sagemaker.runtime"}
"""What the endpoint of a service is called, where it has another name than its actions."""
BEHIND = {"kms:GenerateDataKey"}
"""What S3 asks KMS in a host's name. It comes from S3, not through our endpoint."""


def test_an_endpoint_lets_through_what_a_role_may_do_and_no_more(endpoint, endpoints):
    allowed: dict[str, set[str]] = {}
    for role in (*HOSTS, "model"):
        for statement in aws_stacks.statements(endpoint, f"{NAME}-{role}", "calls"):
            for action in set(as_list(statement["Action"])) - BEHIND:
                service = action.partition(":")[0]
                allowed.setdefault(SERVICE.get(service, service), set()).add(action)
    let_through: dict[str, set[str]] = {}
    for name, one in endpoints.items():
        for statement in aws_stacks.document(one["PolicyDocument"])["Statement"]:
            let_through.setdefault(name, set()).update(as_list(statement["Action"]))
    assert let_through == allowed


# --- Who may speak to whom -------------------------------------------------------------------------------------------


@pytest.fixture
def ingress(aws, ids):
    """(group, port) → names of groups and ranges that may come in."""
    names = {ids[f"{name}Group"]: name for name in GROUPS}
    rules: dict[tuple[str, int], set[str]] = {}
    for group in aws("ec2").describe_security_groups(GroupIds=list(names))["SecurityGroups"]:
        for rule in group["IpPermissions"]:
            assert (rule["IpProtocol"], rule["FromPort"]) == ("tcp", rule["ToPort"])
            sources = {names[each["GroupId"]] for each in rule["UserIdGroupPairs"]}
            sources |= {each["CidrIp"] for each in (*rule["IpRanges"], *rule["Ipv6Ranges"])}
            rules.setdefault((names[group["GroupId"]], rule["FromPort"]), set()).update(sources)
    return rules


def test_what_may_come_in_is_this_and_nothing_else(ingress):
    ssh = {(name, 22): {"10.0.1.0/24"} for name in ("Web", "Worker", "Scheduler", "Backup", "Model")}
    assert ingress == {
        **ssh,
        ("Balancer", 443): {"10.20.0.0/16"},
        ("Web", 443): {"Balancer"},
        ("Model", 8000): APPLICATION,
        ("Database", 5432): APPLICATION | {"Backup"},
        ("Cache", 6379): APPLICATION,
        ("Endpoint", 443): APPLICATION | {"Backup", "Model"},
    }


def egress() -> dict[tuple[str, int], set[str]]:
    """As above, from the template: moto's CloudFormation takes no rule for what goes out."""
    rules: dict[tuple[str, int], set[str]] = {}
    for rule in aws_stacks.resources("network", "AWS::EC2::SecurityGroupEgress").values():
        assert (rule["IpProtocol"], rule["FromPort"]) == ("tcp", rule["ToPort"])
        targets = ("DestinationSecurityGroupId", "DestinationPrefixListId", "CidrIp")
        (target,) = (rule[each]["Ref"].removesuffix("Group") for each in targets if each in rule)
        rules.setdefault((rule["GroupId"]["Ref"].removesuffix("Group"), rule["FromPort"]), set()).add(target)
    return rules


def test_what_may_go_out_is_what_may_come_in_elsewhere_and_s3_and_mail(ingress):
    expected: dict[tuple[str, int], set[str]] = {}
    for (group, port), sources in ingress.items():
        for source in sources & set(GROUPS):
            expected.setdefault((source, port), set()).add(group)
    for name in (*APPLICATION, "Backup", "Model"):
        expected[name, 443].add("S3PrefixList")
    for name in ("Web", "Scheduler"):
        expected[name, 587] = {"MailCidr"}
    assert egress() == expected


def test_a_group_sends_nothing_but_by_a_rule_of_its_own():
    """A group without egress rules would get one to everywhere from CloudFormation."""
    for properties in aws_stacks.resources("network", "AWS::EC2::SecurityGroup").values():
        assert [each["CidrIp"] for each in properties["SecurityGroupEgress"]] == ["127.0.0.1/32"]


@pytest.mark.parametrize("name", STACKS)
def test_no_rule_names_everywhere(name):
    assert not any(f'"{each}"' in flat(aws_stacks.template(name)) for each in EVERYWHERE)


def test_the_clinics_range_cannot_be_everywhere():
    pattern = aws_stacks.template("network")["Parameters"]["ClinicCidr"]["AllowedPattern"]
    assert re.fullmatch(pattern, "10.20.0.0/16")
    assert not re.fullmatch(pattern, "0.0.0.0/0")


# --- Keys, buckets, trail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["VaultKey", "StorageKey", "AnchorKey", "LogKey"])
def test_a_key_rotates(name, aws, ids):
    assert aws("kms").get_key_rotation_status(KeyId=ids[name])["KeyRotationEnabled"] is True


def test_the_vaults_key_is_for_the_hosts_that_use_it(aws, ids):
    policy = aws_stacks.document(aws("kms").get_key_policy(KeyId=ids["VaultKey"], PolicyName="default")["Policy"])
    (deny,) = (each for each in policy["Statement"] if each["Effect"] == "Deny")
    assert {"kms:Decrypt", "kms:Encrypt"} <= set(deny["Action"])
    assert set(deny["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]) == {
        f"arn:aws:iam::{ACCOUNT}:role/{NAME}-{role}" for role in HOSTS
    }


BUCKETS = {
    "documents": "StorageKey",
    "keys": "StorageKey",
    "textract": "StorageKey",
    "anchors": "AnchorKey",
    "releases": "StorageKey",
    "backups": "StorageKey",
    "trail": "LogKey",
}


def test_there_are_no_other_buckets(aws):
    found = {each["Name"] for each in aws("s3").list_buckets()["Buckets"]}
    assert {f"{NAME}-{name}-{ACCOUNT}" for name in BUCKETS} == {each for each in found if each.startswith(f"{NAME}-")}


@pytest.mark.parametrize(("bucket", "key"), BUCKETS.items())
def test_a_bucket_is_encrypted_under_the_key_of_its_kind(bucket, key, aws, ids):
    found = aws("s3").get_bucket_encryption(Bucket=f"{NAME}-{bucket}-{ACCOUNT}")["ServerSideEncryptionConfiguration"]
    (rule,) = found["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].endswith(ids[key])


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_closed_versioned_and_outlives_its_stack(bucket):
    whole = aws_stacks.template("data")["Resources"][f"{bucket.capitalize()}Bucket"]
    properties = whole["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["BucketKeyEnabled"] is True
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    # What Textract has read must be gone when it is deleted (docs/textract.md).
    assert ("VersioningConfiguration" in properties) is (bucket != "textract")
    assert (whole["DeletionPolicy"], whole["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_refuses_what_comes_without_tls(bucket):
    policy = aws_stacks.resources("data")[f"{bucket.capitalize()}Policy"]
    assert policy["Bucket"] == {"Ref": f"{bucket.capitalize()}Bucket"}
    denied = {
        flat(each["Condition"]): each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"
    }
    for condition in ('{"Bool": {"aws:SecureTransport": "false"}}', '{"NumericLessThan": {"s3:TlsVersion": "1.2"}}'):
        assert denied[condition]["Action"] == "s3:*"
        assert denied[condition]["Principal"] == "*"
        assert len(denied[condition]["Resource"]) == 2


@pytest.mark.parametrize("bucket", ["documents", "keys"])
def test_documents_and_keys_are_read_from_inside_only(bucket):
    statements = aws_stacks.resources("data")[f"{bucket.capitalize()}Policy"]["PolicyDocument"]["Statement"]
    (inside,) = (each for each in statements if "StringNotEquals" in each["Condition"])
    assert inside["Effect"] == "Deny"
    assert "S3Endpoint" in flat(inside["Condition"]["StringNotEquals"]["aws:SourceVpce"])


def test_anchors_are_locked_in_compliance_mode():
    bucket = aws_stacks.resources("data")["AnchorsBucket"]
    assert bucket["ObjectLockEnabled"] is True
    retention = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Mode": "COMPLIANCE", "Days": {"Ref": "AnchorDays"}}


def test_the_trail_covers_every_call_and_every_object_and_can_be_verified():
    trail = aws_stacks.resources("data")["Trail"]
    assert (trail["IsLogging"], trail["IsMultiRegionTrail"], trail["EnableLogFileValidation"]) == (True, True, True)
    assert trail["S3BucketName"] == {"Ref": "TrailBucket"}
    assert trail["KMSKeyId"]["Fn::GetAtt"][0] == "LogKey"
    calls, objects = trail["AdvancedEventSelectors"]
    assert calls["FieldSelectors"] == [{"Field": "eventCategory", "Equals": ["Management"]}]
    followed = flat(objects["FieldSelectors"][2]["StartsWith"])
    assert {name for name in BUCKETS if f"{name.capitalize()}Bucket" in followed} == set(BUCKETS) - {"trail"}


# --- Database and queue ----------------------------------------------------------------------------------------------


def test_the_database_is_closed_encrypted_doubled_and_kept_for_35_days(aws, ids):
    (found,) = aws("rds").describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"]
    assert found["StorageEncrypted"] is True
    assert found["KmsKeyId"].endswith(ids["StorageKey"])
    assert (found["PubliclyAccessible"], found["MultiAZ"], found["BackupRetentionPeriod"]) == (False, True, 35)
    subnets = {each["SubnetIdentifier"] for each in found["DBSubnetGroup"]["Subnets"]}
    assert subnets == {ids["DataSubnetA"], ids["DataSubnetB"]}


def test_the_second_database_is_a_parameter():
    assert aws_stacks.resources("data")["Database"]["MultiAZ"] == {"Ref": "MultiAZ"}
    assert aws_stacks.template("data")["Parameters"]["MultiAZ"]["AllowedValues"] == ["true", "false"]


def test_the_database_cannot_be_deleted_and_knows_its_own_password():
    whole = aws_stacks.template("data")["Resources"]["Database"]
    assert whole["DeletionPolicy"] == whole["UpdateReplacePolicy"] == "Snapshot"
    assert whole["Properties"]["DeletionProtection"] is True
    assert whole["Properties"]["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in whole["Properties"]
    assert whole["Properties"]["DBParameterGroupName"] == {"Ref": "DatabaseParameters"}
    assert flat(whole["Properties"]["VPCSecurityGroups"]).count("DatabaseGroup") == 1


def test_the_database_takes_tls_only_and_logs_no_statement(aws):
    (group,) = (
        each["DBParameterGroupName"]
        for each in aws("rds").describe_db_parameter_groups()["DBParameterGroups"]
        if each["Description"].startswith(f"{NAME},")
    )
    found = aws("rds").describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    values = {each["ParameterName"]: each["ParameterValue"] for each in found}
    assert (values["rds.force_ssl"], values["ssl_min_protocol_version"]) == ("1", "TLSv1.2")
    assert (values["log_statement"], values["log_min_error_statement"]) == ("none", "panic")
    assert (values["log_min_duration_statement"], values["log_parameter_max_length_on_error"]) == ("-1", "0")


def test_the_queue_is_encrypted_asks_for_a_password_and_forgets_no_job():
    cache = aws_stacks.resources("data")["Cache"]
    assert cache["Engine"] == "valkey"
    assert (cache["TransitEncryptionEnabled"], cache["TransitEncryptionMode"]) == (True, "required")
    assert cache["AtRestEncryptionEnabled"] is True
    assert cache["KmsKeyId"]["Fn::GetAtt"][0] == "StorageKey"
    assert "resolve:secretsmanager" in flat(cache["AuthToken"])
    assert aws_stacks.resources("data")["CacheParameters"]["Properties"] == {"maxmemory-policy": "noeviction"}


def test_every_secret_is_encrypted_under_a_key_of_ours_and_the_signing_key_under_its_own():
    keys = {
        logical: each["KmsKeyId"]["Fn::GetAtt"][0]
        for logical, each in aws_stacks.resources("data", "AWS::SecretsManager::Secret").items()
    }
    assert keys.pop("AnchorSecret") == "AnchorKey"
    assert set(keys.values()) == {"StorageKey"}


# --- Hosts -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def launched(aws, ids):
    """The data of each created launch template, by the kind of host."""
    logical = {role: f"{role.capitalize()}Template" for role in HOSTS} | {"model": "Template"}
    return {
        role: aws("ec2").describe_launch_template_versions(LaunchTemplateId=ids[name], Versions=["$Latest"])[
            "LaunchTemplateVersions"
        ][0]["LaunchTemplateData"]
        for role, name in logical.items()
    }


@pytest.mark.parametrize("role", [*HOSTS, "model"])
def test_a_host_asks_for_tokens_encrypts_its_disks_and_has_its_own_role_and_group(role, launched, ids):
    data = launched[role]
    options = data["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    for disk in data["BlockDeviceMappings"]:
        assert disk["Ebs"]["Encrypted"] is True
        assert disk["Ebs"]["KmsKeyId"].endswith(ids["StorageKey"])
    assert data["SecurityGroupIds"] == [ids[f"{role.capitalize()}Group"]]
    assert data["IamInstanceProfile"] == {"Name": f"{NAME}-{role}"}


@pytest.mark.parametrize("role", [*HOSTS, "model"])
def test_user_data_checks_its_release_and_holds_no_setting(role, launched):
    text = base64.b64decode(launched[role]["UserData"]).decode()
    assert f'echo "{"0" * 64}  /root/release.tar.gz" | sha256sum --check' in text
    assert text.rstrip().splitlines()[-1].startswith(f"exec /srv/namsite/deploy/aws/boot {role}")
    assert "${" not in text
    assert not re.search(r"SECRET|PASSWORD|VAULT|KEY|DATABASE|arn:", text)
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0


@pytest.mark.parametrize("role", HOSTS)
def test_a_group_spreads_its_hosts_over_both_zones(role, aws, ids):
    (found,) = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[f"{NAME}-{role}"])[
        "AutoScalingGroups"
    ]
    assert set(found["VPCZoneIdentifier"].split(",")) == {ids["HostSubnetA"], ids["HostSubnetB"]}
    assert found["MinSize"] == found["MaxSize"] == {"backup": 1}.get(role, 2)


def test_the_balancer_is_inside_and_passes_tls_on(aws, ids):
    (found,) = aws("elbv2").describe_load_balancers(Names=[NAME])["LoadBalancers"]
    assert (found["Scheme"], found["SecurityGroups"]) == ("internal", [ids["BalancerGroup"]])
    (targets,) = aws("elbv2").describe_target_groups(Names=[f"{NAME}-web"])["TargetGroups"]
    assert (targets["Protocol"], targets["Port"]) == ("TCP", 443)
    assert aws_stacks.resources("hosts")["Balancer"]["Type"] == "network"
    listener = aws_stacks.resources("hosts")["WebListener"]
    assert (listener["Protocol"], listener["Port"], "Certificates" in listener) == ("TCP", 443, False)


def test_what_settings_name_is_what_was_created(aws, ids):
    text = aws("ssm").get_parameter(Name=f"/{NAME}/settings")["Parameter"]["Value"]
    values = dict(line.split("=", 1) for line in text.splitlines())
    buckets = {each["Name"] for each in aws("s3").list_buckets()["Buckets"]}
    assert {values[name] for name in values if name.endswith("_BUCKET")} <= buckets
    assert values["VAULT_KMS_KEY_ID"].endswith(ids["VaultKey"])
    assert values["VAULT_S3_KMS_KEY_ID"].endswith(ids["StorageKey"])
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in values if f"`{name}`" not in documented] == []


def test_textract_takes_the_opt_out():
    """moto does not look at rules; that no role may call it either is shown in test_aws_roles.py."""
    rule = aws_stacks.template("hosts")["Rules"]["OptOutBeforeTextract"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "OcrReader"}, "textract"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "AiServicesOptOut"}, "confirmed"]}
    policies = aws_stacks.resources("organisation", "AWS::Organizations::Policy")
    default = policies["AiServicesOptOut"]["Content"]["services"]["default"]
    assert default["opt_out_policy"]["@@assign"] == "optOut"
    assert policies["AiServicesOptOut"]["Type"] == "AISERVICES_OPT_OUT_POLICY"


def test_the_account_is_kept_in_one_region_without_a_way_out_and_with_its_trail():
    policy = aws_stacks.template("organisation")["Resources"]["GuardRails"]
    assert policy["Condition"] == "IsGuarded"  # The trail has to be made before nobody may change it.
    rails = {each["Sid"]: each for each in policy["Properties"]["Content"]["Statement"]}
    assert {each["Effect"] for each in rails.values()} == {"Deny"}
    assert rails["OnlyMontreal"]["Condition"] == {"StringNotEquals": {"aws:RequestedRegion": REGION}}
    assert {"ec2:CreateInternetGateway", "ec2:CreateNatGateway"} <= set(rails["NoWayOut"]["Action"])
    assert {"cloudtrail:StopLogging", "cloudtrail:DeleteTrail"} <= set(rails["TheTrailStays"]["Action"])


# --- The model server ------------------------------------------------------------------------------------------------


PROFILES = tomllib.loads((ROOT / "extraction" / "llm" / "profiles.toml").read_text(encoding="utf-8"))["profiles"]


def test_a_profile_is_served_by_its_own_kind_of_instance():
    template = aws_stacks.template("model")
    assert template["Parameters"]["Profile"]["AllowedValues"] == list(PROFILES)
    assert {name: each["Type"] for name, each in template["Mappings"]["Instances"].items()} == {
        name: each["instance"] for name, each in PROFILES.items()
    }


def test_the_server_has_the_profiles_instance_and_a_private_address(aws, ids):
    (reservation,) = aws("ec2").describe_instances(InstanceIds=[ids["Server"]])["Reservations"]
    (found,) = reservation["Instances"]
    assert found["InstanceType"] == PROFILES["llama-3.1-8b-awq"]["instance"]
    assert (found["PrivateIpAddress"], found["SubnetId"]) == ("10.0.3.50", ids["ModelSubnet"])
    assert not found.get("PublicIpAddress")
    server = aws_stacks.resources("model")["Server"]
    assert server["LaunchTemplate"]["LaunchTemplateId"] == {"Ref": "Template"}


@pytest.mark.parametrize(
    ("logical", "parameter", "expression", "action"),
    [("StartOfDay", "Start", "cron(30 7 ? * MON-FRI *)", "startInstances"),
     ("EndOfDay", "Stop", "cron(30 18 ? * MON-FRI *)", "stopInstances")],
)  # fmt: skip
def test_the_clock_starts_and_stops_it_on_working_days_of_montreal(logical, parameter, expression, action):
    schedule = aws_stacks.resources("model")[logical]
    assert schedule["ScheduleExpression"] == {"Ref": parameter}
    assert aws_stacks.template("model")["Parameters"][parameter]["Default"] == expression
    assert schedule["ScheduleExpressionTimezone"] == "America/Toronto"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"]["Arn"]["Fn::Sub"].endswith(f":aws-sdk:ec2:{action}")
    assert json.loads(schedule["Target"]["Input"]["Fn::Sub"]) == {"InstanceIds": ["${Server}"]}


def test_the_clock_may_start_and_stop_this_server_and_nothing_else(endpoint, ids):
    start, disk = aws_stacks.statements(endpoint, ids["ClockRole"], "clock")
    assert set(start["Action"]) == {"ec2:StartInstances", "ec2:StopInstances"}
    assert start["Resource"] == f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{ids['Server']}"
    assert (disk["Action"], disk["Condition"]["Bool"]) == ("kms:CreateGrant", {"kms:GrantIsForAWSResource": "true"})


# --- Logs and alarms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*HOSTS, "model"])
def test_the_lines_of_a_host_are_kept_for_a_time_and_encrypted(role, aws):
    (group,) = aws("logs").describe_log_groups(logGroupNamePrefix=f"/{NAME}/{role}")["logGroups"]
    assert group["retentionInDays"] == 400
    assert aws_stacks.resources("data")[f"{role.capitalize()}Logs"]["KmsKeyId"]["Fn::GetAtt"][0] == "LogKey"


def test_the_agent_follows_what_the_units_say_into_the_groups_of_the_stack():
    agent = json.loads((FOLDER / "cloudwatch-agent.json").read_text(encoding="utf-8"))
    (followed,) = agent["logs"]["logs_collected"]["files"]["collect_list"]
    assert followed["file_path"] in (FOLDER / "namsite-journal.service").read_text(encoding="utf-8")
    assert followed["file_path"] in (FOLDER / "journal.logrotate").read_text(encoding="utf-8")
    assert followed["log_group_name"] == "/NAME/ROLE"
    assert "s#/NAME/ROLE#/$NAME/$role#" in (FOLDER / "boot").read_text(encoding="utf-8")
    assert "metrics" not in agent


def test_the_alarms_are_those_of_the_command_and_call_the_stacks_topic(endpoint, aws, ids, settings, monkeypatch):
    """One source: the backup host runs `put_cloudwatch_alarms`; the template has alarms of AWS's own figures only."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    text = aws("ssm").get_parameter(Name=f"/{NAME}/settings")["Parameter"]["Value"]
    values = dict(line.split("=", 1) for line in text.splitlines())
    settings.AWS_ENDPOINT_URL = endpoint
    settings.CLOUDWATCH_NAMESPACE = values["CLOUDWATCH_NAMESPACE"]
    settings.CLOUDWATCH_ALARM_PREFIX = values["CLOUDWATCH_ALARM_PREFIX"]
    settings.CLOUDWATCH_ALARM_ACTIONS = [values["CLOUDWATCH_ALARM_ACTIONS"]]
    cloudwatch.put_alarms()
    made = aws("cloudwatch").describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]
    assert {each["AlarmName"] for each in made} == {f"{NAME}-{kind.replace('_', '-')}" for kind in AlertKind.values}
    assert {each["Namespace"] for each in made} == {"NAMExtraction"}
    assert {action for each in made for action in each["AlarmActions"]} == {ids["Alarms"]}
    assert "put_cloudwatch_alarms" in (FOLDER / "boot").read_text(encoding="utf-8")
    own = aws_stacks.resources("data", "AWS::CloudWatch::Alarm").values()
    assert {each["Namespace"] for each in own} == {"AWS/RDS", "AWS/ElastiCache"}


def test_the_topic_is_encrypted_and_only_alarms_may_speak_to_it(aws, ids):
    found = aws("sns").get_topic_attributes(TopicArn=ids["Alarms"])["Attributes"]
    assert found["TopicArn"] == ids["Alarms"]
    assert aws_stacks.resources("data")["Alarms"]["KmsMasterKeyId"]["Fn::GetAtt"][0] == "LogKey"
    (statement,) = aws_stacks.resources("data")["AlarmsPolicy"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


# --- What makes a host -----------------------------------------------------------------------------------------------


def test_the_shell_reads_boot():
    assert subprocess.run(["sh", "-n", str(FOLDER / "boot")], check=False).returncode == 0


def test_boot_starts_units_that_are_there():
    text = (FOLDER / "boot").read_text(encoding="utf-8")
    started = set(re.findall(r"namsite-[a-z-]+(?:@|\.timer)?", " ".join(re.findall(r"enable --now (.*)", text))))
    units = {each.name for each in (*(ROOT / "deploy" / "systemd").iterdir(), FOLDER / "namsite-journal.service")}
    from_serve_llm = {"namsite-model"}
    assert {each for each in started - from_serve_llm if not {each, f"{each}.service"} & units} == set()


def test_boot_finds_what_it_replaces_in_nginxs_files():
    """A `sed` that finds nothing says nothing."""
    web, model = (
        (ROOT / "deploy" / "nginx" / f"{name}.conf").read_text(encoding="utf-8") for name in ("web", "model-server")
    )
    assert "nam.clinique.example" in web
    assert re.search(r"/etc/nginx/namsite\.pem;.*/etc/nginx/namsite\.key;", web, re.DOTALL)
    assert "listen 10.0.3.50:8443 ssl;" in model
    assert "allow 10.0.3.0/24;" in model
    assert re.search(r"/etc/nginx/model-server\.pem;.*/etc/nginx/model-server\.key;", model, re.DOTALL)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_finds_nothing_wrong_with_the_unit_of_the_lines(tmp_path: Path):
    unit = FOLDER / "namsite-journal.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    secure = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    assert subprocess.run(secure, capture_output=True, check=False).returncode == 0


# --- The guides ------------------------------------------------------------------------------------------------------

GUIDES = [FOLDER / f"GUIDE.{language}.md" for language in ("fr", "en")]


def test_both_guides_give_the_same_commands():
    french, english = map(commands, GUIDES)
    assert len(english) > 50
    assert french == english


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_names_stacks_settings_and_commands_that_there_are(guide):
    text = "\n".join(commands(guide)).replace("\\\n", " ")
    for name, settings in re.findall(r"^stack (\w+)((?: \w+=\S+)*)", text, flags=re.MULTILINE):
        known = aws_stacks.template(name)["Parameters"]
        assert [each for each in re.findall(r" (\w+)=", settings) if each not in known] == []
    asked = {each for name in STACKS for each in required(name)}
    assert {each for each in asked if f"{each}=" not in text} == set()
    names = {path.stem for path in ROOT.glob("*/management/commands/*.py")} | {"migrate", "check"}
    called = set(re.findall(r"(?<!-)\b(?:manage|manage\.py|owner) ([a-z_]+)", text))
    assert called - names == set()


def required(name: str) -> set[str]:
    """Parameters without which a stack cannot be created."""
    return {each for each, what in aws_stacks.template(name)["Parameters"].items() if "Default" not in what}
