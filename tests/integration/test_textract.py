"""The Textract reader against the stand-in, over HTTP, with S3 and KMS from moto."""

import base64
import io
import json
import logging
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import boto3
import httpx
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from django.test import override_settings
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from extraction.errors import ExtractionError, ServiceUnavailable, UnreadableDocument, UnreadablePage
from extraction.page import Page
from extraction.readers import textract
from extraction.readers.textract import PageFailure, ReaderMisconfigured, TextractConfig, TextractReader
from tests.fakes.textract import FakeTextract, Seen, known_words, page_images, running_textract

BUCKET = "textract-pages"
SIZE = (float(letter[0]), float(letter[1]))
PAGES = (
    ("Clinique Exemple", "TREM 0412 1925 08:30", "Rendez-vous 2025-10-03"),
    ("Horaire du matin", "TREM 0412 1925"),
    ("Troisieme page", "Aucun patient ce jour"),
)


def drawn(pages: Sequence[Sequence[str]], *, encrypt: str | None = None) -> bytes:
    """A PDF with these lines of text on its pages."""
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=letter, encrypt=encrypt, invariant=True)
    for lines in pages:
        canvas.setFont("Helvetica", 14)
        for row, text in enumerate(lines):
            canvas.drawString(72, 700 - 40 * row, text)
        canvas.showPage()
    canvas.save()
    return data.getvalue()


PDF = drawn(PAGES)
IMAGES = page_images(PDF)
LOADER = create_loader()
WORDS_FOR = known_words(drawn([*PAGES, []]))
BLANK_IMAGE = page_images(drawn([[]]))[0]


@pytest.fixture(autouse=True)
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "synthetic")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "synthetic")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture(autouse=True)
def service_models_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every boto3 session unpacks botocore's service models again, which would be most of the time of these tests."""
    monkeypatch.setattr("botocore.session.create_loader", lambda _search_path=None: LOADER)


@pytest.fixture
def service() -> Iterator[FakeTextract]:
    with running_textract(words_for=WORDS_FOR, buckets=[BUCKET]) as fake:
        yield fake


Connect = Callable[..., TextractReader]


@pytest.fixture
def connected(service: FakeTextract, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Makes readers whose waiting passes the service's time instead of ours."""
    monkeypatch.setattr(textract, "RETRY_MODE", "standard")
    opened: list[Any] = []

    def connect(**changes: Any) -> TextractReader:
        standard = TextractConfig(bucket=BUCKET, pages_per_second=1000, attempts=1, endpoint_url=service.endpoint_url)
        config = replace(standard, **changes)
        client, s3 = textract.connect(config)
        opened.extend([client, s3])
        return TextractReader(client=client, s3=s3, config=config, clock=lambda: service._now, sleep=service.pass_time)

    yield connect
    for client in opened:
        client.close()


def objects(service: FakeTextract) -> list[str]:
    return [version["Key"] for version in service.s3.list_object_versions(Bucket=BUCKET).get("Versions", [])]


def read_document(
    reader: TextractReader, pdf: bytes = PDF, *, pages: int = 3, run: str = "run-1", blank: Collection[int] = ()
) -> list[Page | PageFailure]:
    return list(reader.read_document(pdf, sizes=[SIZE] * pages, token=run, blank=blank))


def texts(pages: Sequence[Page | PageFailure]) -> list[str | PageFailure]:
    return [page.text if isinstance(page, Page) else page for page in pages]


# --- One page image ------------------------------------------------------------------------------------------------


def test_an_image_is_read_with_words_places_and_confidences(connected: Connect) -> None:
    page = connected().read_image(IMAGES[0], number=7, width=SIZE[0], height=SIZE[1])
    assert page.text == "\n".join(PAGES[0])
    assert (page.number, page.width, page.height, page.reader) == (7, *SIZE, "textract")
    first = next(page.words)
    assert first.confidence == pytest.approx(0.99)
    # "Clinique" was drawn 72 points from the left on a baseline 700 points above the bottom.
    assert first.box.x0 == pytest.approx(72 / SIZE[0], abs=0.003)
    assert first.box.y1 == pytest.approx(1 - 700 / SIZE[1], abs=0.005)


def test_an_image_too_large_as_png_is_read_all_the_same(connected: Connect, service: FakeTextract) -> None:
    with Image.open(io.BytesIO(IMAGES[0])) as image:
        heavy = io.BytesIO()
        image.convert("RGB").resize((1700, 2200)).save(heavy, "PNG", compress_level=0)
    assert len(heavy.getvalue()) > textract.IMAGE_BYTES
    assert connected().read_image(heavy.getvalue(), number=1, width=1, height=1).text == "\n".join(PAGES[0])


def test_no_words_on_a_page_with_ink_is_a_failure_and_not_an_empty_page(connected: Connect) -> None:
    with pytest.raises(UnreadablePage, match="page_unreadable"):
        connected().read_image(BLANK_IMAGE, number=1, width=1, height=1)


def test_no_words_on_a_page_known_to_be_blank_is_an_empty_page(connected: Connect) -> None:
    assert connected().read_image(BLANK_IMAGE, number=1, width=1, height=1, blank=True).lines == ()


@pytest.mark.parametrize(
    ("code", "kind", "ours"),
    [
        ("BadDocumentException", UnreadablePage, "reader_refused"),
        ("AccessDeniedException", ReaderMisconfigured, "reader_misconfigured"),
        ("ExpiredTokenException", ReaderMisconfigured, "reader_misconfigured"),
        ("InternalServerError", ServiceUnavailable, "reader_unavailable"),
        ("ProvisionedThroughputExceededException", ServiceUnavailable, "reader_unavailable"),
    ],
)
def test_a_refused_call_raises_our_error(
    connected: Connect, service: FakeTextract, code: str, kind: type[ExtractionError], ours: str
) -> None:
    service.fail_next(code)
    with pytest.raises(kind, match=ours):
        connected().read_image(IMAGES[0], number=1, width=1, height=1)


def test_one_throttled_call_is_repeated_by_the_client(
    connected: Connect, service: FakeTextract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textract, "RETRY_MODE", "adaptive")
    service.fail_next("ThrottlingException")
    assert connected(attempts=6).read_image(IMAGES[0], number=1, width=1, height=1).text
    assert len(service.called("DetectDocumentText")) == 2


def test_the_brake_keeps_pages_within_the_quota(connected: Connect, service: FakeTextract) -> None:
    service.rates["DetectDocumentText"] = 2
    braked = connected(pages_per_second=2)
    for _ in range(5):
        braked.read_image(IMAGES[0], number=1, width=1, height=1)
    assert service._now == pytest.approx(2.0)


def test_pages_beyond_the_quota_are_unavailable_for_now(connected: Connect, service: FakeTextract) -> None:
    service.rates["DetectDocumentText"] = 0
    with pytest.raises(ServiceUnavailable):
        connected().read_image(IMAGES[0], number=1, width=1, height=1)


def test_no_more_calls_are_under_way_than_allowed() -> None:
    under_way, most, everybody = 0, 0, threading.Barrier(2, timeout=5)
    lock = threading.Lock()

    class Counting:
        def detect_document_text(self, **_: object) -> dict[str, Any]:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            everybody.wait()
            with lock:
                under_way -= 1
            return {"Blocks": []}

    client: Any = Counting()
    reader = TextractReader(client=client, s3=client, config=TextractConfig(pages_per_second=10_000, parallel=2))
    image = {"number": 1, "width": 1.0, "height": 1.0, "blank": True}
    threads = [threading.Thread(target=reader.read_image, args=(IMAGES[0],), kwargs=image) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_service_that_does_not_listen_is_unavailable(connected: Connect) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ServiceUnavailable):
        connected(endpoint_url=address).read_image(IMAGES[0], number=1, width=1, height=1)


def test_missing_credentials_are_for_an_administrator(connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ReaderMisconfigured):
        connected().read_image(IMAGES[0], number=1, width=1, height=1)


def test_failures_say_the_code_and_nothing_of_the_document(
    connected: Connect, service: FakeTextract, caplog: pytest.LogCaptureFixture
) -> None:
    service.fail_next("BadDocumentException")
    with caplog.at_level(logging.INFO, logger="extraction"), pytest.raises(UnreadablePage) as caught:
        connected().read_image(IMAGES[0], number=1, width=1, height=1)
    (record,) = caplog.records
    assert record.getMessage().startswith("DetectDocumentText failed: BadDocumentException (request ")
    assert str(caught.value) == "reader_refused"
    assert caught.value.__suppress_context__


# --- A whole document ----------------------------------------------------------------------------------------------


def test_a_document_is_read_page_by_page_in_order(connected: Connect) -> None:
    pages = read_document(connected())
    assert texts(pages) == ["\n".join(lines) for lines in PAGES]
    assert [page.number for page in pages] == [1, 2, 3]
    assert all(isinstance(page, Page) and (page.width, page.height) == SIZE for page in pages)


def test_results_of_many_answers_are_put_together(connected: Connect, service: FakeTextract) -> None:
    service.page_size, service.rates["GetDocumentTextDetection"] = 3, 5
    assert texts(read_document(connected())) == ["\n".join(lines) for lines in PAGES]
    asked = service.called("GetDocumentTextDetection")
    assert {call["MaxResults"] for call in asked} == {1000}
    assert len([call for call in asked if "NextToken" in call]) > 5


def test_the_document_is_uploaded_under_the_key_and_gone_afterwards(connected: Connect, service: FakeTextract) -> None:
    key = service.kms.create_key()["KeyMetadata"]["KeyId"]
    seen: list[dict[str, Any]] = []
    reader = connected(kms_key_id=key)
    reader._s3.meta.events.register("provide-client-params.s3.PutObject", lambda params, **_: seen.append(params))
    read_document(reader)
    (upload,) = seen
    assert (upload["ServerSideEncryption"], upload["SSEKMSKeyId"]) == ("aws:kms", key)
    assert objects(service) == []


def test_a_versioned_bucket_keeps_no_version_either(connected: Connect, service: FakeTextract) -> None:
    service.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    service.s3.put_object(Bucket=BUCKET, Key="textract/run-1/document.pdf", Body=b"left by a killed worker")
    service.s3.delete_object(Bucket=BUCKET, Key="textract/run-1/document.pdf")
    read_document(connected())
    listed = service.s3.list_object_versions(Bucket=BUCKET)
    assert (listed.get("Versions", []), listed.get("DeleteMarkers", [])) == ([], [])


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("StartDocumentTextDetection", "BadDocumentException"),
        ("GetDocumentTextDetection", "InternalServerError"),
        ("GetDocumentTextDetection", "InvalidJobIdException"),
    ],
)
def test_the_document_is_gone_whatever_happens(
    connected: Connect, service: FakeTextract, operation: str, code: str
) -> None:
    service.fail_next(code, operation=operation)
    with pytest.raises(ExtractionError):
        read_document(connected())
    assert objects(service) == []


def test_only_the_objects_of_this_token_are_deleted(connected: Connect, service: FakeTextract) -> None:
    service.s3.put_object(Bucket=BUCKET, Key="textract/run-10/document.pdf", Body=b"another run")
    read_document(connected(), run="run-1")
    assert objects(service) == ["textract/run-10/document.pdf"]


def test_a_failed_deletion_is_logged_and_does_not_lose_the_pages(
    connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    reader = connected()

    def broken(**_: object) -> None:
        error: Any = {"Error": {"Code": "AccessDenied"}}
        raise ClientError(error, "ListObjectVersions")

    reader._s3.meta.events.register("before-call.s3.ListObjectVersions", broken)
    assert len(read_document(reader)) == 3
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_results_can_be_kept_in_our_bucket_and_are_deleted_too(connected: Connect, service: FakeTextract) -> None:
    key = service.kms.create_key()["KeyMetadata"]["KeyId"]
    assert len(read_document(connected(kms_key_id=key, results_in_bucket=True))) == 3
    (start,) = service.called("StartDocumentTextDetection")
    assert start["OutputConfig"] == {"S3Bucket": BUCKET, "S3Prefix": "textract/run-1/results"}
    assert start["KMSKeyId"] == key
    assert objects(service) == []


def test_the_same_token_finds_its_job_again(connected: Connect, service: FakeTextract) -> None:
    service.fail_next("InternalServerError", operation="GetDocumentTextDetection")
    with pytest.raises(ServiceUnavailable):
        read_document(connected(), run="run-1")
    assert len(read_document(connected(), run="run-1")) == 3
    assert len({call["JobId"] for call in service.called("GetDocumentTextDetection")}) == 1


def test_a_token_used_with_other_parameters_is_spent(connected: Connect) -> None:
    read_document(connected())
    with pytest.raises(ExtractionError, match="internal"):
        read_document(connected(results_in_bucket=True))


def test_results_expire_and_need_a_new_token(connected: Connect, service: FakeTextract) -> None:
    read_document(connected())
    service.pass_time(8 * 24 * 3600)
    with pytest.raises(ExtractionError, match="internal"):
        read_document(connected(), run="run-1")
    assert len(read_document(connected(), run="run-2")) == 3


@pytest.mark.parametrize("token", ["", "é", "run 1", "../run", "x" * 65])
def test_a_token_that_textract_would_refuse_is_refused_first(connected: Connect, token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        read_document(connected(), run=token)


def test_polling_backs_off_and_stays_within_the_quota(connected: Connect, service: FakeTextract) -> None:
    service.polls, service.rates["GetDocumentTextDetection"] = 10, 5
    assert len(read_document(connected())) == 3
    # 1 + 1.5 + 2.25 + ... + 11.4 s, then 15 s each.
    assert 60 < service._now < 100


def test_a_job_that_does_not_end_is_given_up_for_now(connected: Connect, service: FakeTextract) -> None:
    service.polls = 10_000
    with pytest.raises(ServiceUnavailable):
        read_document(connected(job_timeout=120))
    assert service._now <= 121
    assert objects(service) == []


def test_a_full_account_is_waited_for(connected: Connect, service: FakeTextract) -> None:
    service.fail_next(*["LimitExceededException"] * 3, operation="StartDocumentTextDetection")
    assert len(read_document(connected())) == 3
    assert service._now >= 5 + 10 + 20


def test_a_full_account_is_not_waited_for_without_end(connected: Connect, service: FakeTextract) -> None:
    service.jobs_at_once = 0
    with pytest.raises(ServiceUnavailable):
        read_document(connected())
    assert service._now <= 301


def test_pages_that_textract_warns_about_are_failures(connected: Connect, service: FakeTextract) -> None:
    service.end_next_job("PARTIAL_SUCCESS", warnings={"PAGE_NOT_PROCESSED": [2]})
    pages = texts(read_document(connected()))
    assert pages == ["\n".join(PAGES[0]), PageFailure(2, "reader_refused"), "\n".join(PAGES[2])]


@pytest.mark.parametrize("warnings", [{}, {"SOMETHING": []}])
def test_a_partial_success_that_names_no_page_counts_for_none(
    connected: Connect, service: FakeTextract, warnings: dict[str, list[int]]
) -> None:
    service.end_next_job("PARTIAL_SUCCESS", warnings=warnings)
    assert read_document(connected()) == [PageFailure(number, "reader_refused") for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("message", "kind"), [("INTERNAL_ERROR", ServiceUnavailable), ("UNSUPPORTED", UnreadableDocument)]
)
def test_a_failed_job_is_an_error(
    connected: Connect, service: FakeTextract, message: str, kind: type[ExtractionError]
) -> None:
    service.end_next_job("FAILED", message=message)
    with pytest.raises(kind):
        read_document(connected())
    assert objects(service) == []


def test_a_page_without_words_is_a_failure_unless_known_to_be_blank(connected: Connect) -> None:
    pdf = drawn([PAGES[0], [], PAGES[1]])
    unread = read_document(connected(), pdf, run="run-1")
    assert unread[1] == PageFailure(2, "page_unreadable")
    page = read_document(connected(), pdf, run="run-2", blank={2})[1]
    assert isinstance(page, Page)
    assert page.lines == ()


@pytest.mark.parametrize("pages", [2, 4])
def test_another_page_count_than_ours_makes_every_page_unread(connected: Connect, pages: int) -> None:
    read = read_document(connected(), pages=pages)
    assert read == [PageFailure(number, "page_unreadable") for number in range(1, pages + 1)]


def test_a_protected_document_is_refused(connected: Connect) -> None:
    with pytest.raises(UnreadableDocument):
        read_document(connected(), drawn(PAGES, encrypt="secret"))


@pytest.mark.parametrize("bucket", ["", "no-such-bucket"])
def test_a_missing_bucket_is_for_an_administrator(connected: Connect, bucket: str) -> None:
    with pytest.raises(ReaderMisconfigured):
        read_document(connected(bucket=bucket))


def test_a_bucket_in_another_region_receives_nothing(connected: Connect, service: FakeTextract) -> None:
    with closing(boto3.client("s3", region_name="us-east-1", endpoint_url=service.endpoint_url)) as s3:
        s3.create_bucket(Bucket="abroad")
        with pytest.raises(ReaderMisconfigured):
            read_document(connected(bucket="abroad"))
        assert s3.list_object_versions(Bucket="abroad").get("Versions", []) == []


def test_an_unknown_key_is_for_an_administrator(connected: Connect) -> None:
    with pytest.raises(ReaderMisconfigured):
        read_document(connected(kms_key_id="no-such-key", results_in_bucket=True))


# --- From the settings, and with a real engine ---------------------------------------------------------------------


def test_the_reader_of_the_settings_is_made_once(service: FakeTextract) -> None:
    with override_settings(
        AWS_REGION="ca-central-1",
        AWS_ENDPOINT_URL=service.endpoint_url,
        TEXTRACT_BUCKET=BUCKET,
        TEXTRACT_KMS_KEY_ID="",
        TEXTRACT_PAGES_PER_SECOND=50.0,
        TEXTRACT_PARALLEL=3,
        TEXTRACT_ASYNC_PAGES=12,
    ):
        reader = textract.reader()
        assert textract.reader() is reader
        assert (reader.config.parallel, reader.config.takes_whole(12)) == (3, True)
        assert reader.read_image(IMAGES[1], number=2, width=1, height=1).text == "\n".join(PAGES[1])
        assert len(read_document(reader)) == 3
    reader._client.close()
    reader._s3.close()
    textract._reader.cache_clear()


def test_words_of_a_real_engine_come_through() -> None:
    local = pytest.importorskip("extraction.readers.local", exc_type=ImportError)

    def words_for(image: bytes) -> list[Seen]:
        with Image.open(io.BytesIO(image)) as opened:
            page = local.read(np.asarray(opened.convert("RGB")), number=1, width=SIZE[0], height=SIZE[1])
        return [(word.text, tuple(word.box), word.confidence) for word in page.words]

    with running_textract(words_for=words_for) as service:
        config = TextractConfig(pages_per_second=1000, endpoint_url=service.endpoint_url)
        client, s3 = textract.connect(config)
        with closing(client), closing(s3):
            page = TextractReader(client=client, s3=s3, config=config).read_image(
                IMAGES[0], number=1, width=SIZE[0], height=SIZE[1]
            )
    assert "TREM04121925" in page.text.replace(" ", "")


# --- The stand-in is as strict as the service ----------------------------------------------------------------------


@pytest.fixture
def client(service: FakeTextract) -> Iterator[Any]:
    with closing(
        boto3.client(
            "textract",
            region_name="ca-central-1",
            endpoint_url=service.endpoint_url,
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )
    ) as unchecked:
        yield unchecked


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response.get("Error", {}).get("Code"))


def start(client: Any, name: str = "a.pdf", **options: Any) -> Any:
    place = {"S3Object": {"Bucket": BUCKET, "Name": name}}
    return client.start_document_text_detection(DocumentLocation=place, **options)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"Bytes": PDF}, "UnsupportedDocumentException"),
        ({"Bytes": b"GIF89a"}, "UnsupportedDocumentException"),
        ({"Bytes": b"%PDF-1.7 torn"}, "BadDocumentException"),
        ({"Bytes": b"\x89PNG\r\n\x1a\ntorn"}, "BadDocumentException"),
        ({"Bytes": drawn(PAGES[:1], encrypt="secret")}, "UnsupportedDocumentException"),
        ({"Bytes": b"\xff\xd8\xff" + bytes(10 * 1024 * 1024)}, "DocumentTooLargeException"),
        ({"Bytes": IMAGES[0], "S3Object": {"Bucket": BUCKET, "Name": "a.pdf"}}, "InvalidParameterException"),
        ({}, "InvalidParameterException"),
        ({"S3Object": {"Bucket": BUCKET, "Name": "nothing.pdf"}}, "InvalidS3ObjectException"),
    ],
)
def test_the_stand_in_refuses_what_the_synchronous_call_refuses(client: Any, document: Any, code: str) -> None:
    assert code_of(lambda: client.detect_document_text(Document=document)) == code


def test_the_stand_in_reads_a_pdf_of_one_page(client: Any) -> None:
    answer = client.detect_document_text(Document={"Bytes": drawn(PAGES[:1])})
    assert [block["BlockType"] for block in answer["Blocks"]][:4] == ["PAGE", "LINE", "LINE", "LINE"]


@pytest.mark.parametrize("size", [(10_001, 10), (10, 10_001)])
def test_the_stand_in_refuses_images_beyond_ten_thousand_pixels(client: Any, size: tuple[int, int]) -> None:
    data = io.BytesIO()
    Image.new("L", size).save(data, "PNG")
    assert code_of(lambda: client.detect_document_text(Document={"Bytes": data.getvalue()})) == "BadDocumentException"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"ClientRequestToken": "not opaque!"}, "InvalidParameterException"),
        ({"ClientRequestToken": "x" * 65}, "InvalidParameterException"),
        ({"OutputConfig": {"S3Prefix": "x"}}, "InvalidParameterException"),
        ({"KMSKeyId": "no-such-key"}, "InvalidKMSKeyException"),
        ({"name": "nothing.pdf"}, "InvalidS3ObjectException"),
    ],
)
def test_the_stand_in_refuses_what_a_start_refuses(
    client: Any, service: FakeTextract, options: dict[str, Any], code: str
) -> None:
    service.s3.put_object(Bucket=BUCKET, Key="a.pdf", Body=PDF)
    assert code_of(lambda: start(client, **options)) == code


def test_the_stand_in_knows_its_paging_tokens(client: Any, service: FakeTextract) -> None:
    service.polls = 0
    service.s3.put_object(Bucket=BUCKET, Key="a.pdf", Body=PDF)
    jobs = [start(client)["JobId"] for _ in range(2)]
    assert jobs[0] != jobs[1]
    first = client.get_document_text_detection(JobId=jobs[0], MaxResults=2)
    assert len(first["Blocks"]) == 2
    second = client.get_document_text_detection(JobId=jobs[0], MaxResults=5000, NextToken=first["NextToken"])
    assert "NextToken" not in second

    def foreign(job: str, token: str) -> str:
        return code_of(lambda: client.get_document_text_detection(JobId=job, NextToken=token))

    assert foreign(jobs[0], "made-up") == "InvalidParameterException"
    assert foreign(jobs[1], first["NextToken"]) == "InvalidParameterException"
    assert code_of(lambda: client.get_document_text_detection(JobId="0" * 64)) == "InvalidJobIdException"
    assert (
        code_of(lambda: client.get_document_text_detection(JobId=jobs[0], MaxResults=0)) == "InvalidParameterException"
    )


def test_the_stand_in_loses_a_job_whose_document_is_deleted_too_early(client: Any, service: FakeTextract) -> None:
    service.s3.put_object(Bucket=BUCKET, Key="a.pdf", Body=PDF)
    job = start(client)["JobId"]
    service.s3.delete_object(Bucket=BUCKET, Key="a.pdf")
    statuses = [client.get_document_text_detection(JobId=job)["JobStatus"] for _ in range(2)]
    assert statuses == ["IN_PROGRESS", "FAILED"]


def test_the_stand_in_throttles_by_the_second(client: Any, service: FakeTextract) -> None:
    service.rates["DetectDocumentText"] = 1

    def detect() -> Any:
        return client.detect_document_text(Document={"Bytes": IMAGES[0]})

    assert detect()["Blocks"]
    assert code_of(detect) == "ProvisionedThroughputExceededException"
    service.pass_time(1)
    assert detect()["Blocks"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "IncompleteSignatureException"),
        ({"Authorization": "Bearer x"}, "IncompleteSignatureException"),
        (
            {
                "Authorization": "AWS4-HMAC-SHA256 Credential=x/20250101/us-east-1/textract/aws4_request, "
                f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
            },
            "IncompleteSignatureException",
        ),
    ],
)
def test_the_stand_in_wants_a_signature_for_its_region(
    service: FakeTextract, headers: dict[str, str], code: str
) -> None:
    answer = httpx.post(
        service.endpoint_url,
        headers={
            "X-Amz-Target": "Textract.DetectDocumentText",
            "Content-Type": "application/x-amz-json-1.1",
            **headers,
        },
        content=json.dumps({"Document": {"Bytes": base64.b64encode(IMAGES[0]).decode()}}),
    )
    assert (answer.status_code, answer.json()["__type"]) == (400, code)
    assert service.calls == []
