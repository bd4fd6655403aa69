"""Each role may make the calls that the code makes on its kind of host, and no other.

The code runs against moto and the stand-in of Textract, on stacks that moto created, with the settings that these
stacks hold; every call of botocore is recorded and held against the policies of the created roles. No account was
asked.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from PIL import Image
from redis.exceptions import RedisError
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from accounts.models import Role
from extraction import actions, cloudwatch, deployments, following, jobs, rotation, storage
from extraction.llm.weights.bucket import Bucket as Weights
from extraction.models import Status
from extraction.readers import textract
from extraction.scheduler import Scheduler
from namsite.doctor import region, services
from review.retention.actions import destroy_document
from review.retention.models import AskedReason
from tests import aws_stacks
from tests.aws_calls import Account, Recorder, invoking, of_agents
from tests.aws_stacks import ACCOUNT, FOLDER, NAME, REGION
from tests.factories import ClinicFactory, UserFactory, agenda_pdf, some_nam
from tests.fakes import sagemaker, vllm
from tests.fakes.sagemaker import FakeSageMaker, running_sagemaker
from tests.fakes.textract import running_textract
from tests.iam import Request, applies, as_list, is_allowed, refused
from vault import clinic_keys
from vault.files import file_store
from vault.keys import reset_keyring

pytestmark = pytest.mark.django_db

ROLES = ("web", "worker", "scheduler", "backup", "model")
TYPES: dict[str, Any] = {
    "AUDIT_ANCHOR_S3_DAYS": int,
    "TEXTRACT_OPTED_OUT": lambda text: text == "1",
    "CLOUDWATCH_ALARM_ACTIONS": lambda text: [text],
    "AUDIT_ANCHOR_DIRS": lambda _text: [],
}
"""Of the settings that are no text."""
ANYWHERE = {
    "textract:DetectDocumentText": "Textract knows no resources",
    "textract:GetDocumentTextDetection": "Textract knows no resources",
    "textract:StartDocumentTextDetection": "Textract knows no resources",
    "cloudwatch:PutMetricData": "metrics have no resources; the namespace is a condition",
    "ssm:UpdateInstanceInformation": "as in AmazonSSMManagedInstanceCore: a host does not know its own id yet",
    "ssmmessages:CreateControlChannel": "the service knows no resources",
    "ssmmessages:CreateDataChannel": "the service knows no resources",
    "ssmmessages:OpenControlChannel": "the service knows no resources",
    "ssmmessages:OpenDataChannel": "the service knows no resources",
}
"""The actions that may be allowed on "*", and why AWS wants it so."""

_spec = importlib.util.spec_from_file_location("host_settings", FOLDER / "host_settings.py")
assert _spec is not None
assert _spec.loader is not None
host_settings = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(host_settings)


# --- The account -----------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """The created stacks at `endpoint`, as the application of one host meets them."""

    endpoint: str
    recorder: Recorder

    def client(self, service: str) -> Any:
        return aws_stacks.client(service, self.endpoint)

    def settings(self) -> dict[str, Any]:
        """The common settings of the stack, as text or what `namsite/settings.py` makes of it."""
        text = self.client("ssm").get_parameter(Name=f"/{NAME}/settings")["Parameter"]["Value"]
        lines = host_settings.lines_of(text, "the stack")
        return {name: TYPES.get(name, str)(value) for name, value in lines.items()}

    def finish(self) -> None:
        """What moto's CloudFormation leaves undone and the code needs, and the parameters of the operator."""
        s3 = self.client("s3")
        for each in aws_stacks.resources("data", "AWS::S3::Bucket").values():
            bucket = each["BucketName"]["Fn::Sub"].replace("${Name}", NAME).replace("${AWS::AccountId}", ACCOUNT)
            if each.get("ObjectLockEnabled"):
                s3.delete_bucket(Bucket=bucket)
                s3.create_bucket(
                    Bucket=bucket,
                    ObjectLockEnabledForBucket=True,
                    CreateBucketConfiguration={"LocationConstraint": REGION},
                )
            elif each.get("VersioningConfiguration"):
                s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for name in secrets():
            self.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps({"x.pem": "made up"}))
        for name in ("local", "authority", "anchor-public-keys"):
            self.client("ssm").put_parameter(Name=f"/{NAME}/{name}", Value="EMAIL_HOST=mail", Type="String")


def secrets() -> dict[str, str]:
    """The names of the secrets, with the logical name of their key."""
    found = aws_stacks.resources("data", "AWS::SecretsManager::Secret").values()
    return {each["Name"]["Fn::Sub"].replace("${Name}", NAME): each["KmsKeyId"]["Fn::GetAtt"][0] for each in found}


def account(endpoint: str) -> Account:
    (stack,) = aws_stacks.client("cloudformation", endpoint).describe_stacks(StackName=f"{NAME}-data")["Stacks"]
    keys = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    buckets = {}
    for each in aws_stacks.resources("data", "AWS::S3::Bucket").values():
        rule = each["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        name = each["BucketName"]["Fn::Sub"].replace("${Name}", NAME).replace("${AWS::AccountId}", ACCOUNT)
        buckets[name] = keys[rule["KMSMasterKeyID"]["Fn::GetAtt"][0]]
    return Account(buckets, {name: keys[key] for name, key in secrets().items()})


@pytest.fixture(scope="module")
def patching() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        # moto takes any; the stand-in of SageMaker verifies what is signed with these.
        patch.setenv("AWS_ACCESS_KEY_ID", sagemaker.ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", sagemaker.SECRET_KEY)
        patch.setenv("AWS_SESSION_TOKEN", sagemaker.TOKEN)
        for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_REGION", REGION)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        yield patch


@pytest.fixture(scope="module")
def site(patching: pytest.MonkeyPatch) -> Iterator[Site]:
    printed = enumerate(("TREM", "0412", "1925"), start=1)  # A number, so that there is something to ask about.
    words = [(word, (place / 10, 0.1, place / 10 + 0.09, 0.12), 0.99) for place, word in printed]
    with running_textract(words_for=lambda _image: words) as fake:
        patching.setenv("AWS_ENDPOINT_URL", fake.endpoint_url)
        made = Site(fake.endpoint_url, Recorder(patching))
        aws_stacks.reset(made.endpoint)
        for name in aws_stacks.STACKS:
            aws_stacks.create(made.endpoint, name)
        made.finish()
        yield made
        aws_stacks.reset(made.endpoint)


@pytest.fixture(scope="module")
def model() -> Iterator[FakeSageMaker]:
    """The endpoint that the stacks are for."""
    with running_sagemaker(lambda _question: {"nams": []}, name=f"{NAME}-model") as server:
        yield server


# --- What runs on each kind of host ----------------------------------------------------------------------------------


def scanned(pages: int) -> bytes:
    """A PDF of pictures, which has no text of its own."""
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(300, 300), invariant=True)
    picture = Image.linear_gradient("L")
    for _page in range(pages):
        canvas.drawImage(ImageReader(picture), 20, 20, 250, 250)
        canvas.showPage()
    canvas.save()
    return data.getvalue()


def fresh_process() -> None:
    """Forgets what a process remembers, so that the next one asks AWS itself."""
    reset_keyring()
    clinic_keys.forget()
    file_store.cache_clear()
    textract._reader.cache_clear()


def on_web(site: Site) -> Any:
    """Looks at the model server as before a rollout, uploads two documents of a new clinic, shows one, destroys it."""
    deployments.check_servers([settings.LLM_ENDPOINT], settings.LLM_MODEL)
    clinic = ClinicFactory()
    staff, admin = UserFactory(clinic=clinic), UserFactory(clinic=clinic, role=Role.ADMIN)
    first = actions.upload(data=agenda_pdf([f"NAM : {some_nam(1)}"]), file_name="a.pdf", by=staff)
    runs = [actions.upload(data=scanned(pages), file_name="b.pdf", by=staff).run for pages in (1, 3)]
    fresh_process()
    assert storage.get(first.run.document)
    destroy_document(document=first.run.document, reason=AskedReason.MISTAKE, by=admin)
    return runs


def on_worker(runs: Any) -> None:
    for run in runs:
        jobs.run_extraction(run.pk.hex)
        run.refresh_from_db()
        assert run.status == Status.DONE, run.error_code


def on_scheduler() -> None:
    """Rounds, the daily work, new keys and the end of former ones, and the doctor of its host."""
    scheduler, now = Scheduler(), timezone.now()
    with suppress(RedisError):
        scheduler.round(now)
    scheduler.tidy()
    following.do_chores()
    assert cloudwatch.publish([], now)
    scheduler.upkeep.look(now, lambda: False)
    later = now + timedelta(days=400)
    assert rotation.renew_due(later) == 1
    scheduler.upkeep.keys_done_on = None
    scheduler.upkeep.look(now + timedelta(days=1), lambda: False)
    assert rotation.retire(later)
    for look in (region.buckets, services.file_store, services.textract, services.model_server):
        assert look().state == "ok", look()


def on_backup(settings: dict[str, Any]) -> None:
    call_command("make_keys", "--kms", settings["VAULT_KMS_KEY_ID"], stdout=io.StringIO())
    call_command("put_cloudwatch_alarms", stdout=io.StringIO())


def on_model(site: Site) -> None:
    releases = f"{NAME}-releases-{ACCOUNT}"
    for name in ("SHA256SUMS", "config.json"):
        site.client("s3").put_object(Bucket=releases, Key=f"models/any/{name}", Body=b"{}")
    with site.recorder.by("model"):
        weights = Weights(f"s3://{releases}/models/any", {}, region=REGION, endpoint_url=site.endpoint)
        weights.files()
        with weights.read("config.json", 0):
            pass


BOOT = (FOLDER / "boot").read_text(encoding="utf-8")
USER_DATA = 's3 cp "s3://$RELEASES/releases/namsite-1.0.tar.gz"'


def body_of(function: str) -> str:
    found = re.search(rf"^{function}\(\) \{{\n(.*?)^\}}", BOOT, re.DOTALL | re.MULTILINE)
    assert found is not None, function
    return found[1]


def booted(site: Site, role: str) -> None:
    """Reads what `boot` reads for a role, by its own program; what it does with `aws s3` is in `copied`."""
    text = body_of(role) + (body_of("application") if "application" in body_of(role) else "")
    parameters = [f"/{NAME}/{name}" for name in re.findall(r'--parameter "/\$NAME/([\w-]+)"', text)]
    with site.recorder.by(role):
        if parameters:
            host_settings.parameters(parameters)
        for name in re.findall(r'--secret "\$NAME/([\w-]+)"', text):
            host_settings.secret(f"{NAME}/{name}")


def copied(account: Account, role: str) -> list[Request]:
    """What `aws s3` of user data and of `boot` asks for: cp reads, sync writes, and what is recursive lists first."""
    text = body_of(role) + (body_of("application") if "application" in body_of(role) else "") + USER_DATA
    found: list[Request] = []
    for verb, options, place in re.findall(r's3 (cp|sync)((?: --[\w-]+)*)[^\n]*?"?s3://([^"\s\\]+)', text):
        bucket, _, key = place.partition("/")
        bucket = {"$RELEASES": f"{NAME}-releases-{ACCOUNT}", "%s": f"{NAME}-backups-{ACCOUNT}"}[bucket]
        folder = key if verb == "cp" else f"{key}/"
        if verb == "sync" or "--recursive" in options:
            found.append(Request("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": folder}))
            key = f"{folder}one"
        if verb == "sync":
            found.append(Request("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"))
            found.append(account.kms("GenerateDataKey", account.bucket_keys[bucket], "s3"))
        else:
            found.append(Request("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"))
        found.append(account.kms("Decrypt", account.bucket_keys[bucket], "s3"))
    return found


@pytest.fixture(scope="module")
def requests(
    site: Site,
    model: FakeSageMaker,
    patching: pytest.MonkeyPatch,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, list[Request]]:
    """What each role asks of AWS while it does its work."""
    # A heartbeat comes over a connection of its own, which does not see this transaction.
    patching.setattr(jobs, "BEAT_SECONDS", 3600)
    key = tmp_path_factory.mktemp("anchor") / "anchor.pem"
    chosen = site.settings()
    for name in (
        "ALLOWED_HOSTS",
        "BEHIND_PROXY",
        "ROW_SECURITY",
        "DATA_DIR",
        "STATIC_ROOT",
        "LLM_MODEL",
    ):
        del chosen[name]
    chosen |= {"AWS_ENDPOINT_URL": site.endpoint, "TEXTRACT_ASYNC_PAGES": 2, "AUDIT_ANCHOR_KEY_FILE": str(key),
               "AUDIT_ANCHOR_PUBLIC_KEYS": "", "TEXTRACT_PAGES_PER_SECOND": 1000.0,
               "LLM_MODEL": vllm.MODEL, "SAGEMAKER_ENDPOINT_URL": model.runtime}  # fmt: skip
    call_command("make_anchor_key", str(key), stdout=io.StringIO(), stderr=io.StringIO())
    with override_settings(**chosen):
        out = io.StringIO()
        call_command("make_keys", "--kms", chosen["VAULT_KMS_KEY_ID"], stdout=out)
        roots = dict(line.split("=", 1) for line in out.getvalue().splitlines())
        with override_settings(**roots), django_db_blocker.unblock(), transaction.atomic():
            perform(site, chosen)
            transaction.set_rollback(True)
    fresh_process()
    for role in ROLES:
        booted(site, role)
    known = account(site.endpoint)
    return {
        role: [*(each for call in site.recorder.calls[role] for each in known.requests_of(call)),
               *copied(known, role), *of_agents(role)]
        for role in ROLES
    }  # fmt: skip


def perform(site: Site, chosen: dict[str, Any]) -> None:
    fresh_process()
    with site.recorder.by("web"):
        runs = on_web(site)
    fresh_process()
    with site.recorder.by("worker"):
        on_worker(runs)
    fresh_process()
    with site.recorder.by("scheduler"):
        on_scheduler()
    with site.recorder.by("backup"):
        on_backup(chosen)
    on_model(site)


# --- The policies ----------------------------------------------------------------------------------------------------


def statements_of(name: str) -> list[dict[str, Any]]:
    """The statements of a role's template, by Sid, those of Textract included."""
    (policy,) = aws_stacks.resources("hosts", "AWS::IAM::Role")[f"{name.capitalize()}Role"]["Policies"]
    found = policy["PolicyDocument"]["Statement"]
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in found]


def created(site: Site, role: str) -> list[dict[str, Any]]:
    return aws_stacks.statements(site.endpoint, f"{NAME}-{role}", "calls")


STATEMENTS = [(role, each["Sid"]) for role in ROLES for each in statements_of(role)]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_make_every_call_that_its_host_makes(role, site, requests):
    assert refused(created(site, role), requests[role]) == []


@pytest.mark.parametrize(("role", "sid"), STATEMENTS)
def test_no_statement_can_be_taken_away(role, sid, site, requests):
    rest = [each for each in created(site, role) if each["Sid"] != sid]
    assert refused(rest, requests[role]) != []


@pytest.mark.parametrize(("role", "sid"), STATEMENTS)
def test_a_statement_allows_nothing_that_is_not_called(role, sid, site, requests):
    (statement,) = (each for each in created(site, role) if each["Sid"] == sid)
    for action in as_list(statement["Action"]):
        for resource in as_list(statement["Resource"]):
            narrow = {**statement, "Action": action, "Resource": resource}
            assert any(applies(narrow, each) for each in requests[role]), (action, resource)


@pytest.mark.parametrize("role", ROLES)
def test_actions_are_named_and_anywhere_is_allowed_where_aws_demands_it_only(role, site):
    for statement in created(site, role):
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            assert "*" not in action
            assert action in ANYWHERE or "*" not in as_list(statement["Resource"]), action


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_nothing_in_anothers_place(role, site):
    allowed = created(site, role)
    tries = [
        Request("s3:GetObject", f"arn:aws:s3:::{NAME}-documents-999999999999/files/a"),
        Request("s3:PutObject", f"arn:aws:s3:::{NAME}-trail-{ACCOUNT}/a"),
        Request("s3:DeleteObjectVersion", f"arn:aws:s3:::{NAME}-anchors-{ACCOUNT}/anchors/a"),
        Request("s3:PutObject", f"arn:aws:s3:::{NAME}-releases-{ACCOUNT}/releases/a"),
        Request(
            "kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/another", {"kms:EncryptionContext:application": NAME}
        ),
        Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Another"}),
        invoking(f"{NAME}-another"),
        Request("sagemaker:DescribeEndpoint", invoking(f"{NAME}-model").resource),
        Request("iam:PassRole", "*"),
        Request("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/{NAME}-scheduler"),
    ]
    assert [each for each in tries if is_allowed(allowed, each)] == []


def test_the_owner_of_the_tables_opens_no_key_of_the_vault(site, requests):
    (vault,) = {each.resource for each in requests["web"] if each.action == "kms:Encrypt"}
    opening = Request("kms:Decrypt", vault, {"kms:EncryptionContext:application": NAME})
    assert is_allowed(created(site, "web"), opening)
    assert not is_allowed(created(site, "backup"), opening)
    assert not is_allowed(created(site, "model"), opening)


def test_a_secret_is_read_by_those_whose_it_is(site):
    def readers(name: str) -> set[str]:
        asked = Request("secretsmanager:GetSecretValue",
                        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{NAME}/{name}-aB3xYz")  # fmt: skip
        return {role for role in ROLES if is_allowed(created(site, role), asked)}

    assert readers("application") == {"web", "worker", "scheduler"}
    assert readers("certificate") == {"web"}
    assert readers("anchor") == {"scheduler"}
    assert readers("owner") == {"backup"}
    assert readers("model") == {"model"}
    assert readers("cache") == set()


def test_the_model_is_asked_by_those_who_ask_it(site, requests):
    asked = invoking(f"{NAME}-model")
    assert {role for role in ROLES if is_allowed(created(site, role), asked)} == {"web", "worker", "scheduler"}
    assert {role for role in ROLES if asked in requests[role]} == {"web", "worker", "scheduler"}


def test_without_sagemaker_no_role_may_ask_it(site):
    """An installation whose model is on a host of its own."""
    for name in ("network", "data", "hosts"):
        aws_stacks.create(site.endpoint, name, under="own", Name="own", SageMaker="no")
    for role in ROLES:
        found = aws_stacks.statements(site.endpoint, f"own-{role}", "calls")
        assert not is_allowed(found, invoking("own-model"))
        assert "sagemaker" not in json.dumps(found)


def test_without_the_opt_out_no_role_may_call_textract(site):
    """A second installation beside the first, whose operator has confirmed nothing."""
    for name in ("network", "data", "hosts"):
        aws_stacks.create(site.endpoint, name, under="other", Name="other", AiServicesOptOut="no")
    for role in ROLES:
        assert "textract" not in json.dumps(aws_stacks.statements(site.endpoint, f"other-{role}", "calls"))
    text = site.client("ssm").get_parameter(Name="/other/settings")["Parameter"]["Value"]
    assert "TEXTRACT_OPTED_OUT=0\n" in text
    assert "TEXTRACT_BUCKET=\n" in text


# --- What a host reads -----------------------------------------------------------------------------------------------


def written(site: Site, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["host_settings.py", *words])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.endpoint)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    return int(host_settings.main())


def test_settings_and_secrets_become_one_file_that_nobody_else_reads(site, monkeypatch, tmp_path):
    import environ

    site.client("secretsmanager").create_secret(
        Name="s/a", SecretString='{"SECRET_KEY": "a#b = c", "LOG_LEVEL": "INFO"}'
    )
    site.client("ssm").put_parameter(Name="/s/a", Value="# ours\nLOG_LEVEL=DEBUG\n\nEMAIL_HOST=mail\n", Type="String")
    file = tmp_path / "env"
    assert written(site, monkeypatch, "env", str(file), "--parameter", "/s/a", "--secret", "s/a") == 0
    assert file.stat().st_mode & 0o777 == 0o600

    class Read(environ.Env):
        ENVIRON: Any = {}

    Read.read_env(str(file))
    assert Read.ENVIRON == {"SECRET_KEY": "a#b = c", "LOG_LEVEL": "INFO", "EMAIL_HOST": "mail"}


@pytest.mark.parametrize("value", ["two\nlines", "a'b", "$OTHER", "back\\slash"])
def test_a_value_that_a_file_of_settings_cannot_hold_is_refused_and_not_shown(value, site, monkeypatch, tmp_path):
    name = f"s/{abs(hash(value))}"
    site.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps({"SECRET_KEY": value}))
    said = io.StringIO()
    with redirect_stderr(said):
        assert written(site, monkeypatch, "env", str(tmp_path / "env"), "--secret", name) == 1
    assert "SECRET_KEY" in said.getvalue()
    assert value not in said.getvalue()
    assert list(tmp_path.iterdir()) == []


def test_a_parameter_that_is_not_there_leaves_the_former_file(site, monkeypatch, tmp_path):
    (tmp_path / "env").write_text("FORMER='1'\n")
    assert written(site, monkeypatch, "env", str(tmp_path / "env"), "--parameter", "/nobody/s") == 1
    assert (tmp_path / "env").read_text() == "FORMER='1'\n"


def test_a_secret_of_files_writes_no_file_elsewhere(site, monkeypatch, tmp_path):
    site.client("secretsmanager").create_secret(Name="s/files", SecretString='{"../out.pem": "x"}')
    assert written(site, monkeypatch, "files", str(tmp_path), "--secret", "s/files") == 1
    assert list(tmp_path.iterdir()) == []
