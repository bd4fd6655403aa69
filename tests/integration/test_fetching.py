"""`manage.py fetch_model` against a hub on loopback, against S3 (moto) and against folders."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config
from django.core.management import CommandError, call_command

from extraction.llm.weights import bucket, checksums, fetching
from extraction.llm.weights.checksums import BadWeights
from extraction.llm.weights.hub import Hub
from tests.fakes.hub import MODEL, REVISION, FakeHub, running_hub

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROFILE = "llama-3.1-8b"
REGION = "ca-central-1"
WEIGHTS = bytes(range(256)) * 8192  # two megabytes, so that they come in several pieces
FILES = {"config.json": b'{"num_hidden_layers": 32}\n', "tokenizer.json": b"{}\n", "model.safetensors": WEIGHTS}
LEFT_OUT = {
    "pytorch_model.bin": b"a pickle",
    "modeling.py": b"a program",
    "consolidated.safetensors": b"the same weights again",
    "original/model.safetensors": b"and again",
    ".gitattributes": b"of git",
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSES", (0.0, 0.0))


@pytest.fixture
def hub(settings: Any) -> Iterator[FakeHub]:
    with running_hub(FILES | LEFT_OUT) as server:
        settings.HF_ENDPOINT = server.endpoint
        settings.HF_TOKEN = ""
        yield server


def fetch(to: Path, *options: str, profile: str = PROFILE) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("fetch_model", profile, "--to", str(to), *options, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refusal(to: Path, *options: str, profile: str = PROFILE, status: int = 1) -> str:
    """The sentence with which the command refuses."""
    with pytest.raises(CommandError) as raised:
        fetch(to, *options, profile=profile)
    assert raised.value.returncode == status
    return str(raised.value)


def held(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in checksums.names(folder)}


def listing(files: dict[str, bytes], path: Path) -> Path:
    """A list of checksums as sha256sum writes it."""
    lines = [f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in files.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


# The hub


def test_a_model_comes_whole_with_its_list_and_without_what_is_not_served(hub: FakeHub, tmp_path: Path) -> None:
    said = fetch(tmp_path / "model")
    assert said == f"3 files in {tmp_path / 'model'}, all verified.\n"
    assert held(tmp_path / "model") == FILES
    assert checksums.verify(tmp_path / "model") == 3
    first, *_ = (tmp_path / "model" / "SHA256SUMS").read_text().splitlines()
    assert first == f"# {PROFILE} {MODEL} {REVISION}"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="this machine has no sha256sum")
def test_the_list_is_one_that_sha256sum_reads(hub: FakeHub, tmp_path: Path) -> None:
    fetch(tmp_path)
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_list_of_files_in_several_pages_is_read_to_its_end(hub: FakeHub, tmp_path: Path) -> None:
    hub.page = 2
    fetch(tmp_path)
    assert held(tmp_path) == FILES


def test_a_broken_connection_is_taken_up_where_it_broke(settings: Any, tmp_path: Path) -> None:
    with running_hub({"model.safetensors": WEIGHTS}, cuts=[1_000_000]) as hub:
        settings.HF_ENDPOINT = hub.endpoint
        fetch(tmp_path)
        ranges = [asked for _, asked, _ in hub.asked("model.safetensors")]
    assert held(tmp_path) == {"model.safetensors": WEIGHTS}
    assert ranges == [None, "bytes=1000000-"]


def test_a_run_that_gave_up_is_gone_on_with_by_the_next(settings: Any, tmp_path: Path) -> None:
    with running_hub({"model.safetensors": WEIGHTS}, cuts=[600_000, 0, 0, 0]) as hub:
        settings.HF_ENDPOINT = hub.endpoint
        assert refusal(tmp_path, status=3).startswith("The hub does not answer")
        assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors.part"]
        hub.requests.clear()
        hub.cuts.clear()
        fetch(tmp_path)
        assert [asked for _, asked, _ in hub.asked("model.safetensors")] == ["bytes=600000-"]
    assert held(tmp_path) == {"model.safetensors": WEIGHTS}


def test_a_hub_that_knows_no_ranges_is_asked_for_the_whole_file_again(settings: Any, tmp_path: Path) -> None:
    with running_hub({"model.safetensors": WEIGHTS}, ranges=False, cuts=[700_000]) as hub:
        settings.HF_ENDPOINT = hub.endpoint
        fetch(tmp_path)
    assert held(tmp_path) == {"model.safetensors": WEIGHTS}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_with_a_wrong_checksum_is_removed_and_named(hub: FakeHub, tmp_path: Path, name: str) -> None:
    hub.lies[name] = FILES[name][:-1] + b"?"
    assert refusal(tmp_path) == f"{name} came with a wrong checksum and was removed; fetch it again."
    assert name not in held(tmp_path)
    assert not (tmp_path / f"{name}.part").exists()
    assert not checksums.has_manifest(tmp_path)


def test_a_file_that_goes_on_beyond_its_size_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    hub.lies["config.json"] = FILES["config.json"] + b"more"
    assert "wrong checksum" in refusal(tmp_path)


def test_a_part_that_is_longer_than_the_file_is_begun_anew(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "config.json.part").write_bytes(b"x" * 1000)
    fetch(tmp_path)
    assert held(tmp_path) == FILES


def test_a_verified_file_is_neither_fetched_nor_written_again(hub: FakeHub, tmp_path: Path) -> None:
    fetch(tmp_path)
    before = (tmp_path / "model.safetensors").stat()
    hub.requests.clear()
    fetch(tmp_path)
    after = (tmp_path / "model.safetensors").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert hub.asked("model.safetensors") == []


def test_another_file_of_the_same_name_is_never_overwritten(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"mine")
    assert refusal(tmp_path) == ("config.json is in the folder already and is not this model's; choose another folder.")
    assert (tmp_path / "config.json").read_bytes() == b"mine"


def test_the_token_goes_to_the_hub_and_not_to_its_storage(hub: FakeHub, settings: Any, tmp_path: Path) -> None:
    hub.token = settings.HF_TOKEN = "hf_secret"
    fetch(tmp_path)
    assert {token for _, _, token in hub.asked("config.json")} == {"Bearer hf_secret"}
    assert {token for _, _, token in hub.asked("model.safetensors")} == {None}


def test_a_redirect_that_leaves_encryption_is_not_followed() -> None:
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://hub.example/elsewhere"})

    source = Hub("https://hub.example", MODEL, REVISION, token="hf_secret")
    source._client = httpx.Client(
        transport=httpx.MockTransport(redirect), follow_redirects=True, event_hooks=source._client.event_hooks
    )
    with pytest.raises(BadWeights, match="without encryption"):
        source.files()
    source.close()
    assert asked == [f"https://hub.example/api/models/{MODEL}/tree/{REVISION}?recursive=true"]


def test_a_gated_model_says_what_to_do_and_quotes_no_token(hub: FakeHub, settings: Any, tmp_path: Path) -> None:
    hub.token, settings.HF_TOKEN = "right", "wrong"
    assert refusal(tmp_path) == f"The hub refuses {MODEL}: accept its licence there, and set HF_TOKEN."


def test_a_profile_without_a_pinned_revision_asks_for_one(hub: FakeHub, tmp_path: Path) -> None:
    assert refusal(tmp_path, profile="deepseek-v2.5") == (
        "Say which commit of deepseek-ai/DeepSeek-V2.5 to fetch: --revision with its 40 hexadecimal digits, "
        "not a branch."
    )
    assert hub.requests == []


@pytest.mark.parametrize("revision", ["main", "v1", REVISION[:7], REVISION.upper()])
def test_a_branch_or_a_short_hash_is_no_revision(hub: FakeHub, tmp_path: Path, revision: str) -> None:
    assert "not a branch" in refusal(tmp_path, "--revision", revision)
    assert hub.requests == []


def test_a_revision_that_the_hub_does_not_have_is_a_sentence(hub: FakeHub, tmp_path: Path) -> None:
    assert refusal(tmp_path, "--revision", "a" * 40) == f"The hub has no {MODEL} at revision {'a' * 40}."


def test_a_list_of_ones_own_is_believed_over_the_hub(hub: FakeHub, tmp_path: Path) -> None:
    wrong = listing(FILES | {"tokenizer.json": b"another"}, tmp_path / "list")
    assert "tokenizer.json came with a wrong checksum" in refusal(tmp_path / "model", "--checksums", str(wrong))
    right = listing(FILES, tmp_path / "list")
    fetch(tmp_path / "model", "--checksums", str(right))
    assert held(tmp_path / "model") == FILES


@pytest.mark.parametrize("endpoint", ["http://203.0.113.9", "http://user@10.0.0.1", "ftp://10.0.0.1", "hub"])
def test_a_public_hub_is_only_asked_over_https(settings: Any, tmp_path: Path, endpoint: str) -> None:
    settings.HF_ENDPOINT = endpoint
    assert refusal(tmp_path) == "HF_ENDPOINT must start with https://, or have a private address."


def test_a_hub_that_is_down_is_told_apart_by_the_exit_status(hub: FakeHub, settings: Any, tmp_path: Path) -> None:
    settings.HF_ENDPOINT = "http://127.0.0.1:9"
    assert refusal(tmp_path, status=3) == "The hub does not answer (ConnectError)."


def test_a_name_that_leads_out_of_the_folder_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    outside = listing({"../outside.json": b"{}"}, tmp_path / "list")
    assert "leads out of its folder" in refusal(tmp_path / "model", "--checksums", str(outside))


def test_a_disk_that_is_too_small_is_said_before_anything_comes(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    assert "its disk has 0.0 GiB free" in refusal(tmp_path)
    assert hub.asked("config.json") == []


# Folders


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    for name, body in FILES.items():
        (folder / name).write_bytes(body)
    return folder


def test_a_folder_is_copied_by_its_own_list(share: Path, tmp_path: Path) -> None:
    listing(FILES, share / "SHA256SUMS")
    (share / "notes.txt").write_text("not in the list")
    fetch(tmp_path / "model", "--from", str(share))
    assert held(tmp_path / "model") == FILES


def test_a_folder_without_a_list_needs_one(share: Path, tmp_path: Path) -> None:
    assert refusal(tmp_path / "model", "--from", str(share)) == (
        "The folder to fetch from has no SHA256SUMS; name a list with --checksums."
    )
    fetch(tmp_path / "model", "--from", str(share), "--checksums", str(listing(FILES, tmp_path / "list")))
    assert held(tmp_path / "model") == FILES


def test_a_file_that_is_listed_and_missing_is_named(share: Path, tmp_path: Path) -> None:
    listing(FILES, share / "SHA256SUMS")
    (share / "tokenizer.json").unlink()
    assert refusal(tmp_path / "model", "--from", str(share)) == (
        "tokenizer.json is in the list of checksums and not where the model is to be fetched from."
    )


def test_an_empty_file_is_a_file(share: Path, tmp_path: Path) -> None:
    (share / "empty.txt").touch()
    listing({"empty.txt": b""}, share / "SHA256SUMS")
    fetch(tmp_path / "model", "--from", str(share))
    assert held(tmp_path / "model") == {"empty.txt": b""}


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("https://example.org/model", "from the hub, from s3://bucket/prefix, or from a folder"),
        ("/no/such/folder", "The folder to fetch from does not exist."),
        ("s3://", "A place in S3 is written s3://bucket/prefix."),
    ],
)
def test_a_place_that_is_none_is_refused_with_its_reason(tmp_path: Path, place: str, sentence: str) -> None:
    assert sentence in refusal(tmp_path, "--from", place)


def test_an_unknown_profile_is_a_usage_error(tmp_path: Path) -> None:
    assert refusal(tmp_path, profile="gpt-4", status=2).startswith("There is no profile “gpt-4”")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("not a list\n", "not in the form of sha256sum"),
        ("# only a comment\n", "is empty"),
        (f"{'0' * 64}  /etc/passwd\n", "leads out of its folder"),
        (f"{'0' * 64}  a/../../b\n", "leads out of its folder"),
        (f"{'0' * 64}  a\\b\n", "leads out of its folder"),
        (f"{'0' * 64}  a.part\n", "leads out of its folder"),
    ],
)
def test_a_list_that_is_none_is_refused_with_its_reason(text: str, sentence: str) -> None:
    with pytest.raises(BadWeights, match=sentence):
        checksums.parse(text)


# S3


@pytest.fixture
def s3(moto_endpoint: str, settings: Any) -> Iterator[S3Client]:
    settings.AWS_REGION, settings.AWS_ENDPOINT_URL = REGION, moto_endpoint
    client = boto3.client("s3", region_name=REGION, endpoint_url=moto_endpoint)
    client.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "ca-central-1"})
    for name, body in FILES.items():
        client.put_object(Bucket="models", Key=f"llama/{name}", Body=body)
    client.put_object(Bucket="models", Key="llama-old/model.safetensors", Body=b"of another prefix")
    yield client
    for entry in client.list_objects_v2(Bucket="models")["Contents"]:
        client.delete_object(Bucket="models", Key=entry["Key"])
    client.delete_bucket(Bucket="models")


def test_a_prefix_of_a_bucket_is_fetched_by_its_own_list(s3: S3Client, tmp_path: Path) -> None:
    s3.put_object(Bucket="models", Key="llama/SHA256SUMS", Body=listing(FILES, tmp_path / "list").read_bytes())
    fetch(tmp_path / "model", "--from", "s3://models/llama")
    assert held(tmp_path / "model") == FILES
    assert checksums.verify(tmp_path / "model") == 3


def test_a_bucket_is_asked_only_for_what_a_part_lacks(s3: S3Client, tmp_path: Path) -> None:
    # Bytes that the bucket does not have: they stay only if they were not fetched again, and then the checksum fails.
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors.part").write_bytes(b"?" * 1000)
    given = str(listing(FILES, tmp_path / "list"))
    assert "wrong checksum" in refusal(tmp_path / "model", "--from", "s3://models/llama/", "--checksums", given)
    (tmp_path / "model" / "model.safetensors.part").write_bytes(WEIGHTS[:1000])
    fetch(tmp_path / "model", "--from", "s3://models/llama/", "--checksums", given)
    assert held(tmp_path / "model") == FILES


def test_a_prefix_without_a_list_needs_one(s3: S3Client, tmp_path: Path) -> None:
    assert refusal(tmp_path, "--from", "s3://models/llama") == (
        "The place in S3 has no SHA256SUMS; name a list with --checksums."
    )


def test_a_bucket_that_does_not_exist_is_a_sentence(s3: S3Client, tmp_path: Path) -> None:
    assert refusal(tmp_path, "--from", "s3://no-such-bucket/llama") == ("S3 refuses the model's files (NoSuchBucket).")


def test_s3_out_of_reach_is_told_apart_by_the_exit_status(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AWS_REGION, settings.AWS_ENDPOINT_URL = REGION, "http://127.0.0.1:9"
    monkeypatch.setattr(bucket, "_CONFIG", Config(connect_timeout=1, retries={"total_max_attempts": 1}))
    assert refusal(tmp_path, "--from", "s3://models/llama", status=3) == "S3 does not answer."
