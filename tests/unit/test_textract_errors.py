"""Every way in which AWS says no has one meaning here, and none of them is "no text"."""

import io
from typing import Any

import botocore.exceptions as aws
import botocore.session
import pytest
from botocore.parsers import ResponseParserError
from PIL import Image

from extraction.errors import SENTENCES, ExtractionError, ServiceUnavailable, UnreadableDocument, UnreadablePage
from extraction.readers.textract import (
    ERRORS,
    IMAGE_BYTES,
    Outcome,
    ReaderMisconfigured,
    TextractConfig,
    TextractReader,
    failure,
    local_failure,
    within_limits,
)

OPERATIONS = ("DetectDocumentText", "StartDocumentTextDetection", "GetDocumentTextDetection")


def modelled_codes() -> list[str]:
    model = botocore.session.get_session().get_service_model("textract")
    return sorted({shape.name for name in OPERATIONS for shape in model.operation_model(name).error_shapes})


@pytest.mark.parametrize("code", modelled_codes())
def test_every_error_in_the_service_model_has_an_outcome(code: str) -> None:
    assert code in ERRORS


@pytest.mark.parametrize("code", sorted(ERRORS))
@pytest.mark.parametrize("whole", [False, True])
def test_every_outcome_has_a_sentence_and_only_outages_are_retried(code: str, whole: bool) -> None:
    error = failure(code, whole=whole)
    assert error.code in SENTENCES
    assert error.retryable == (ERRORS[code] is Outcome.UNAVAILABLE)


@pytest.mark.parametrize(
    ("code", "page", "document"),
    [
        ("BadDocumentException", UnreadablePage("reader_refused"), UnreadableDocument("damaged")),
        ("DocumentTooLargeException", UnreadablePage("reader_refused"), UnreadableDocument("too_large")),
        ("UnsupportedDocumentException", UnreadablePage("reader_refused"), UnreadableDocument("reader_refused")),
        ("InvalidParameterException", UnreadablePage("reader_refused"), UnreadableDocument("reader_refused")),
        ("ThrottlingException", ServiceUnavailable("reader_unavailable"), ServiceUnavailable("reader_unavailable")),
        ("LimitExceededException", ServiceUnavailable("reader_unavailable"), ServiceUnavailable("reader_unavailable")),
        ("AccessDeniedException", ReaderMisconfigured(), ReaderMisconfigured()),
        ("InvalidS3ObjectException", ReaderMisconfigured(), ReaderMisconfigured()),
        ("InvalidKMSKeyException", ReaderMisconfigured(), ReaderMisconfigured()),
        ("IdempotentParameterMismatchException", ExtractionError("internal"), ExtractionError("internal")),
        ("InvalidJobIdException", ExtractionError("internal"), ExtractionError("internal")),
    ],
)
def test_a_code_means_the_same_for_a_page_and_a_document_but_for_who_is_to_blame(
    code: str, page: ExtractionError, document: ExtractionError
) -> None:
    for whole, expected in ((False, page), (True, document)):
        error = failure(code, whole=whole)
        assert (type(error), error.code) == (type(expected), expected.code)


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (403, False), (404, False), (429, True), (503, True)])
def test_an_unknown_code_is_retried_only_if_the_server_takes_the_blame(status: int, retryable: bool) -> None:
    assert failure("SomethingNewException", status=status, whole=True).retryable is retryable


@pytest.mark.parametrize(
    "error",
    [
        aws.EndpointConnectionError(endpoint_url="x"),
        aws.ConnectTimeoutError(endpoint_url="x"),
        aws.ReadTimeoutError(endpoint_url="x"),
        aws.ConnectionClosedError(endpoint_url="x"),
        aws.ProxyConnectionError(proxy_url="x"),
        aws.HTTPClientError(error="x"),
        aws.ResponseStreamingError(error="x"),
        aws.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        aws.CredentialRetrievalError(provider="x", error_msg="x"),
        aws.MetadataRetrievalError(error_msg="x"),
        ResponseParserError("x"),
    ],
)
def test_a_lost_connection_or_a_broken_answer_is_retried(error: Exception) -> None:
    assert local_failure(error).code == "reader_unavailable"


@pytest.mark.parametrize(
    "error",
    [
        aws.NoCredentialsError(),
        aws.PartialCredentialsError(provider="x", cred_var="x"),
        aws.ProfileNotFound(profile="x"),
        aws.NoRegionError(),
        aws.ParamValidationError(report="x"),
        aws.InvalidRegionError(region_name="x"),
        aws.SSLError(endpoint_url="x", error=OSError("x")),
        aws.InvalidProxiesConfigError(),
    ],
)
def test_missing_credentials_and_bad_settings_are_for_an_administrator(error: Exception) -> None:
    assert local_failure(error).code == "reader_misconfigured"


class Answering:
    """A Textract client that gives the same answer to every page."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def detect_document_text(self, **_: object) -> dict[str, Any]:
        return self.answer


def png(width: int = 60, height: int = 80) -> bytes:
    data = io.BytesIO()
    Image.new("L", (width, height), "white").save(data, "PNG")
    return data.getvalue()


def word(key: str, text: str, left: float = 0.1, **changes: Any) -> dict[str, Any]:
    box = {"Left": left, "Top": 0.2, "Width": 0.1, "Height": 0.02}
    return {
        "BlockType": "WORD",
        "Id": key,
        "Text": text,
        "Confidence": 98.5,
        "Geometry": {"BoundingBox": box},
    } | changes


def line(*keys: str) -> dict[str, Any]:
    return {"BlockType": "LINE", "Id": "-".join(keys), "Relationships": [{"Type": "CHILD", "Ids": list(keys)}]}


def lines_read(*blocks: dict[str, Any]) -> list[str]:
    client: Any = Answering({"Blocks": list(blocks)})
    reader = TextractReader(client=client, s3=client, config=TextractConfig(pages_per_second=1000))
    page = reader.read_image(png(), number=3, width=612, height=792)
    assert (page.number, page.width, page.height, page.reader) == (3, 612, 792, "textract")
    return [each.text for each in page.lines]


def test_words_stand_in_the_order_of_their_line_whatever_the_order_of_the_blocks() -> None:
    assert lines_read(word("c", "1925"), word("a", "TREM"), line("a", "b", "c"), word("b", "0412")) == [
        "TREM 0412 1925"
    ]


def test_a_word_that_no_line_claims_is_kept() -> None:
    assert lines_read(line("a"), word("a", "TREM"), word("b", "0412")) == ["TREM", "0412"]


def test_a_word_claimed_twice_is_kept_once() -> None:
    assert lines_read(line("a"), line("a"), word("a", "TREM")) == ["TREM"]


@pytest.mark.parametrize("missing", ["Text", "Geometry", "Id"])
def test_a_word_without_its_text_or_place_makes_the_page_unread(missing: str) -> None:
    broken = word("b", "0412")
    del broken[missing]
    with pytest.raises(UnreadablePage, match="page_unreadable"):
        lines_read(line("a", "b"), word("a", "TREM"), broken)


def test_boxes_stay_on_the_page_and_confidences_within_one() -> None:
    overshoot = {"BoundingBox": {"Left": -0.001, "Top": 0.99, "Width": 1.2, "Height": 0.02}}
    client: Any = Answering({"Blocks": [word("a", "TREM", Geometry=overshoot, Confidence=100.2)]})
    reader = TextractReader(client=client, s3=client, config=TextractConfig())
    (read,) = reader.read_image(png(), number=1, width=612, height=792).words
    assert read.box == (0.0, 0.99, 1.0, 1.0)
    assert read.confidence == 1.0


def noise(width: int, height: int) -> bytes:
    """A PNG that does not compress, as the scan of a photograph does not."""
    data = io.BytesIO()
    Image.effect_noise((width, height), 90).convert("RGB").save(data, "PNG", compress_level=0)
    return data.getvalue()


def test_an_image_within_the_limits_is_sent_untouched() -> None:
    assert within_limits(png()) == png()


def test_an_image_beyond_ten_megabytes_is_sent_as_jpeg_of_the_same_shape() -> None:
    large = noise(2000, 1800)
    assert len(large) > IMAGE_BYTES
    smaller = within_limits(large)
    assert len(smaller) <= IMAGE_BYTES
    with Image.open(io.BytesIO(smaller)) as image:
        assert (image.format, image.size) == ("JPEG", (2000, 1800))


def test_an_image_beyond_ten_thousand_pixels_is_scaled_down() -> None:
    with Image.open(io.BytesIO(within_limits(png(20_000, 50)))) as image:
        assert image.size == (10_000, 25)


@pytest.mark.parametrize("data", [b"", b"no image", png()[:40]])
def test_what_is_no_image_is_an_unreadable_page(data: bytes) -> None:
    with pytest.raises(UnreadablePage, match="page_unreadable"):
        within_limits(data)


@pytest.mark.parametrize(
    ("bucket", "async_pages", "pages", "whole"),
    [("b", 30, 29, False), ("b", 30, 30, True), ("b", 0, 500, False), ("", 30, 500, False), ("b", 30, 3001, False)],
)
def test_long_documents_go_as_a_whole_if_there_is_a_bucket(
    bucket: str, async_pages: int, pages: int, whole: bool
) -> None:
    assert TextractConfig(bucket=bucket, async_pages=async_pages).takes_whole(pages) is whole


@pytest.mark.parametrize("setting", ["pages_per_second", "polls_per_second", "parallel", "attempts"])
def test_a_configuration_that_lets_nothing_through_is_refused(setting: str) -> None:
    nothing: dict[str, Any] = {setting: 0}
    with pytest.raises(ValueError, match="above zero"):
        TextractConfig(**nothing)
