"""Amazon Textract: page images one by one, or a whole PDF through S3.

`TextractReader.read_image` sends one page image (DetectDocumentText, no storage anywhere). `read_document` serves long
documents: the PDF goes to S3 under SSE-KMS, a job reads it, the answers are collected and every object is deleted
before the first page is handed out. Both raise only the codes of `extraction.errors`; the table ERRORS says which AWS
error becomes which. Set-up, quotas and the opt-out that must precede any real document: docs/textract.md.

Limits: Textract developer guide, "Set quotas in Amazon Textract". Errors: the API reference of the three operations.
"""

from __future__ import annotations

import io
import logging
import re
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from extraction.errors import ExtractionError, ServiceUnavailable, UnreadableDocument, UnreadablePage
from extraction.page import Box, Line, Page, Word
from extraction.readers.rate import TokenBucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_textract import TextractClient

log = logging.getLogger(__name__)

NAME = "textract"
IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_SIDE_PX = 10_000
DOCUMENT_BYTES = 500 * 1024 * 1024
DOCUMENT_PAGES = 3_000
RESULTS_A_CALL = 1_000
# Also slows the client down when AWS throttles, on top of our own brake.
RETRY_MODE: Literal["adaptive", "standard"] = "adaptive"
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


# --- What AWS says, and what it means here -------------------------------------------------------------------------


class ReaderMisconfigured(ExtractionError):
    """Nothing will work until an administrator changes a key, a right or a setting. Not retryable."""

    def __init__(self) -> None:
        super().__init__("reader_misconfigured")


class Outcome(Enum):
    """What a failed call means for the work."""

    REFUSED = "this page or document, never again as it is"
    UNAVAILABLE = "the same call may succeed later"
    MISCONFIGURED = "every call fails until an administrator acts"
    SPENT = "this token cannot be used again; a new attempt with a new token can succeed"


DOCUMENT_CODES: Mapping[str, str] = {
    "BadDocumentException": "damaged",
    "DocumentTooLargeException": "too_large",
    "EntityTooLarge": "too_large",
    "InvalidParameterException": "reader_refused",
    "UnsupportedDocumentException": "reader_refused",
}
"""Errors that are about the document, with the code that a whole document gets; a page image gets `reader_refused`."""

_UNAVAILABLE = (
    # Textract
    *("InternalServerError", "LimitExceededException", "ProvisionedThroughputExceededException", "ThrottlingException"),
    # Any AWS service ("Common errors" of the API references)
    *("InternalFailure", "RequestAbortedException", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable"),
    *("ServiceUnavailableException", "Throttling", "TooManyRequestsException"),
    # S3, and KMS seen through S3
    *("InternalError", "OperationAborted", "SlowDown", "KMS.ThrottlingException", "KMS.KMSInternalException"),
    *("KMS.DependencyTimeoutException", "KMS.KeyUnavailableException"),
)
_MISCONFIGURED = (
    # Textract. An S3 object that Textract cannot reach is a missing right or another region, never the document.
    *("AccessDeniedException", "InvalidKMSKeyException", "InvalidS3ObjectException"),
    # Any AWS service: credentials, clock, endpoint
    *("ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException"),
    *("InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken"),
    *("MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired", "RequestExpired"),
    *("SubscriptionRequiredException", "UnknownOperationException", "UnrecognizedClientException"),
    *("ValidationError", "ValidationException"),
    # S3, and KMS seen through S3
    *("AccessDenied", "AllAccessDisabled", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
    *("InvalidAccessKeyId", "InvalidArgument", "InvalidBucketName", "InvalidRequest", "InvalidToken", "NoSuchBucket"),
    *("PermanentRedirect", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "KMS.DisabledException"),
    *("KMS.AccessDeniedException", "KMS.InvalidKeyUsageException", "KMS.KMSInvalidStateException"),
    *("KMS.NotFoundException",),
)

ERRORS: Mapping[str, Outcome] = {
    **dict.fromkeys(DOCUMENT_CODES, Outcome.REFUSED),
    **dict.fromkeys(_UNAVAILABLE, Outcome.UNAVAILABLE),
    **dict.fromkeys(_MISCONFIGURED, Outcome.MISCONFIGURED),
    "IdempotentParameterMismatchException": Outcome.SPENT,
    "InvalidJobIdException": Outcome.SPENT,
}
"""AWS error code → outcome, for Textract, S3 and the errors that all AWS services share."""

_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429


def failure(code: str, *, status: int = 400, whole: bool) -> ExtractionError:
    """The exception for an AWS error `code` with HTTP `status`; `whole` when a document was sent, not a page image.

    A code that is not in ERRORS counts as retryable if the server takes the blame (5xx, 429) and otherwise as a matter
    for an administrator: calling it the document's fault would hide a fault of ours behind "refused".
    """
    outcome = ERRORS.get(code)
    if outcome is None:
        ours = status < _SERVER_ERROR and status != _TOO_MANY_REQUESTS
        outcome = Outcome.MISCONFIGURED if ours else Outcome.UNAVAILABLE
    if outcome is Outcome.REFUSED:
        return UnreadableDocument(DOCUMENT_CODES[code]) if whole else UnreadablePage("reader_refused")
    if outcome is Outcome.UNAVAILABLE:
        return ServiceUnavailable("reader_unavailable")
    return ReaderMisconfigured() if outcome is Outcome.MISCONFIGURED else ExtractionError("internal")


def local_failure(error: Exception) -> ExtractionError:
    """The exception for an error that botocore raised by itself: no connection, no credentials, no sense."""
    from botocore import exceptions as aws
    from botocore.parsers import ResponseParserError

    if isinstance(error, aws.SSLError | aws.InvalidProxiesConfigError):
        return ReaderMisconfigured()
    passing = (
        *(aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError, aws.ChecksumError),
        *(aws.FlexibleChecksumError, aws.CredentialRetrievalError, aws.MetadataRetrievalError),
        *(aws.CapacityNotAvailableError, ResponseParserError),
    )
    return ServiceUnavailable("reader_unavailable") if isinstance(error, passing) else ReaderMisconfigured()


@contextmanager
def _translated(operation: str, *, whole: bool) -> Iterator[None]:
    """Turns every error of an AWS call into one of ours.

    The log line names the operation, the AWS code and the request id, which is what AWS support asks for. AWS's own
    sentence is left out, and the cause is cut off: botocore quotes the parameters it refuses, and those are the page.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        metadata = error.response.get("ResponseMetadata", {})
        log.warning("%s failed: %s (request %s)", operation, code, metadata.get("RequestId", "unknown"))
        raise failure(code, status=metadata.get("HTTPStatusCode", 400), whole=whole) from None
    except (BotoCoreError, ResponseParserError) as error:
        log.warning("%s failed: %s", operation, type(error).__name__)
        raise local_failure(error) from None


# --- What AWS read, and what it is here ----------------------------------------------------------------------------


class PageFailure(NamedTuple):
    """A page of a whole document that was not read. `code` is a key of `extraction.errors.SENTENCES`."""

    number: int
    code: str


@dataclass(slots=True)
class _PageText:
    """The words and lines of one page as their blocks arrive, in any order and over several answers."""

    words: dict[str, Word] = field(default_factory=dict)
    lines: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, block: Mapping[str, Any]) -> None:
        """Keeps a LINE or a WORD block; PAGE and LAYOUT blocks say nothing that is needed here."""
        kind = block.get("BlockType")
        if kind == "WORD":
            self.words[block["Id"]] = _word(block)
        elif kind == "LINE":
            related = block.get("Relationships", ())
            self.lines.append(tuple(i for r in related if r["Type"] == "CHILD" for i in r["Ids"]))

    def in_order(self) -> tuple[Line, ...]:
        """Lines in Textract's order. A word that no line claims becomes a line of its own: no word is ever lost."""
        free = dict(self.words)
        lines = [Line(tuple(free.pop(i) for i in ids if i in free)) for ids in self.lines]
        lines += [Line((word,)) for word in free.values()]
        return tuple(line for line in lines if line.words)

    def page(self, number: int, size: tuple[float, float], *, blank: bool) -> Page:
        """The page as read. No words on a page that is not known to be blank raise UnreadablePage."""
        lines = self.in_order()
        if not lines and not blank:
            raise UnreadablePage("page_unreadable")
        return Page(number=number, width=size[0], height=size[1], lines=lines, reader=NAME)


def _word(block: Mapping[str, Any]) -> Word:
    """Textract measures from the top left in fractions of the page, and may overshoot its edges by a rounding error."""
    place = block["Geometry"]["BoundingBox"]
    left, top = place["Left"], place["Top"]
    sides = (left, top, left + place["Width"], top + place["Height"])
    box = Box(*(min(1.0, max(0.0, side)) for side in sides))
    return Word(block["Text"], box, min(1.0, max(0.0, block.get("Confidence", 0.0) / 100)))


def _gathered(blocks: Iterable[Mapping[str, Any]]) -> _PageText:
    text = _PageText()
    try:
        for block in blocks:
            text.add(block)
    except (KeyError, TypeError):
        # A word without its text or its place: what else is missing cannot be known, so the page counts as unread.
        raise UnreadablePage("page_unreadable") from None
    return text


@dataclass(slots=True)
class _JobText:
    """What a job found, page by page, with the pages that it warned about."""

    pages: dict[int, _PageText] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    page_count: int | None = None
    doubtful: bool = False

    def add(self, answer: Mapping[str, Any]) -> None:
        """Takes in one answer of GetDocumentTextDetection."""
        self.page_count = answer.get("DocumentMetadata", {}).get("Pages", self.page_count)
        for warning in answer.get("Warnings", ()):
            self.failed.update(warning.get("Pages", ()))
        for block in answer.get("Blocks", ()):
            number = block.get("Page", 1)
            try:
                self.pages.setdefault(number, _PageText()).add(block)
            except (KeyError, TypeError):
                self.failed.add(number)

    def read(self, sizes: Sequence[tuple[float, float]], blank: Container[int]) -> Iterator[Page | PageFailure]:
        """One item per page of `sizes`, in order.

        If Textract counts other pages than we do, numbers cannot be trusted and every page counts as unread: a NAM on
        the wrong page is worse than a page to be read again.
        """
        aligned = self.page_count == len(sizes) and all(1 <= number <= len(sizes) for number in self.pages)
        for number, size in enumerate(sizes, start=1):
            if not aligned:
                yield PageFailure(number, "page_unreadable")
            elif self.doubtful or number in self.failed:
                yield PageFailure(number, "reader_refused")
            else:
                yield self._page(number, size, blank=number in blank)

    def _page(self, number: int, size: tuple[float, float], *, blank: bool) -> Page | PageFailure:
        try:
            return self.pages.get(number, _PageText()).page(number, size, blank=blank)
        except UnreadablePage as error:
            return PageFailure(number, error.code)


# --- The reader ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextractConfig:
    """Where and how fast. Rates are calls per second of this process; times are seconds.

    `parallel` caps the calls under way at once, `async_pages` is the number of pages from which a document goes as a
    whole (0: never). With `results_in_bucket` Textract writes its results into our bucket, under our key, where they
    are deleted with the document; without it AWS keeps them for seven days.
    """

    bucket: str = ""
    kms_key_id: str = ""
    pages_per_second: float = 1.0
    parallel: int = 4
    async_pages: int = 30
    region: str = "ca-central-1"
    endpoint_url: str | None = None
    polls_per_second: float = 5.0
    results_in_bucket: bool = False
    prefix: str = "textract"
    attempts: int = 6
    start_timeout: float = 300.0
    job_timeout: float = 3600.0

    def __post_init__(self) -> None:
        if self.pages_per_second <= 0 or self.polls_per_second <= 0 or self.parallel < 1 or self.attempts < 1:
            raise ValueError("rates must be above zero; at least one call and one attempt must be allowed")

    def takes_whole(self, pages: int) -> bool:
        """Whether a document with so many pages to read goes through S3 in one job."""
        return bool(self.bucket) and 0 < self.async_pages <= pages <= DOCUMENT_PAGES


class TextractReader:
    """Reads through one Textract client. Threads may share it; its brake counts for all of them.

    `client` and `s3` are boto3 clients with retries of their own (`connect` makes them). `clock` and `sleep` are
    exchanged by tests only.
    """

    def __init__(
        self,
        *,
        client: TextractClient,
        s3: S3Client,
        config: TextractConfig,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.config = config
        self._client = client
        self._s3 = s3
        self._clock = clock
        self._sleep = sleep
        self._pages = TokenBucket(config.pages_per_second, clock=clock, sleep=sleep)
        self._polls = TokenBucket(config.polls_per_second, clock=clock, sleep=sleep)
        self._slots = threading.BoundedSemaphore(config.parallel)
        self._bucket_checked = False

    def read_image(self, png: bytes, *, number: int, width: float, height: float, blank: bool = False) -> Page:
        """Reads one page image. `width` and `height` are the page's PDF points as shown.

        `blank` says that the image holds no ink, so that no words are the right answer; otherwise no words raise
        UnreadablePage("page_unreadable"). Also raises UnreadablePage("reader_refused"), ServiceUnavailable,
        ReaderMisconfigured.
        """
        image = within_limits(png)
        with self._slots:
            self._pages.take()
            with _translated("DetectDocumentText", whole=False):
                answer = self._client.detect_document_text(Document={"Bytes": image})
        return _gathered(answer.get("Blocks", ())).page(number, (width, height), blank=blank)

    def read_document(
        self, pdf: bytes, *, sizes: Sequence[tuple[float, float]], token: str, blank: Container[int] = ()
    ) -> Iterator[Page | PageFailure]:
        """Reads a whole PDF in one job and yields each page, or why it was not read, in page order.

        `sizes` holds (width, height) in points of every page, `blank` the numbers of pages known to hold no ink.
        `token` is opaque (a UUID and the attempt, say; 1 to 64 of A-Z a-z 0-9 _ -): the same token with the same
        document finds its job again after a crash, a new attempt takes a new one. All work is done before this
        returns, and by then no object is left in the bucket.
        Raises UnreadableDocument, ServiceUnavailable, ReaderMisconfigured, and ExtractionError("internal") for a token
        that was used for something else.
        """
        if not TOKEN.fullmatch(token):
            raise ValueError("the token must be 1 to 64 letters, digits, hyphens or underscores")
        if len(pdf) > DOCUMENT_BYTES:
            raise UnreadableDocument("too_large")
        if len(sizes) > DOCUMENT_PAGES:
            raise UnreadableDocument("too_many_pages")
        self._check_bucket()
        folder = f"{self.config.prefix}/{token}/"
        try:
            self._upload(pdf, f"{folder}document.pdf")
            text = self._collected(self._started(folder, token))
        finally:
            self._empty(folder)
        return text.read(sizes, blank)

    def check(self) -> None:
        """Asks for the text of a byte that is no image. AWS refuses it, for nothing, once address and rights are right.

        Raises ServiceUnavailable, or ReaderMisconfigured, also for a bucket that may not be used. Takes nothing of the
        quota's brake: it is one call.
        """
        try:
            with _translated("DetectDocumentText", whole=False):
                self._client.detect_document_text(Document={"Bytes": b"-"})
        except UnreadablePage:
            pass
        if self.config.bucket:
            self._check_bucket()

    # The bucket

    def _check_bucket(self) -> None:
        """Refuses a bucket outside the configured region before anything is sent there.

        boto3 follows a bucket to whatever region it is in; health information must not.
        """
        if self._bucket_checked:
            return
        if not self.config.bucket:
            raise ReaderMisconfigured
        with _translated("HeadBucket", whole=True):
            region = self._s3.head_bucket(Bucket=self.config.bucket).get("BucketRegion")
        if region and region != self.config.region:
            log.error("TEXTRACT_BUCKET is in another region than AWS_REGION; nothing was sent")
            raise ReaderMisconfigured
        self._bucket_checked = True

    def _upload(self, pdf: bytes, key: str) -> None:
        encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True}
        if self.config.kms_key_id:
            encryption["SSEKMSKeyId"] = self.config.kms_key_id
        with _translated("PutObject", whole=True):
            self._s3.put_object(
                Bucket=self.config.bucket, Key=key, Body=pdf, ContentType="application/pdf", **encryption
            )

    def _empty(self, folder: str) -> None:
        """Deletes the document and any results, every version of them. Never raises: the outcome stands without it.

        What an outage leaves behind is removed by the bucket's lifecycle rule (docs/textract.md).
        """
        try:
            with _translated("DeleteObjects", whole=True):
                answers = self._s3.get_paginator("list_object_versions").paginate(
                    Bucket=self.config.bucket, Prefix=folder
                )
                errors = sum(self._delete(answer) for answer in answers)
            if errors:
                log.error("%d objects could not be deleted from the Textract bucket", errors)
        except Exception:
            log.exception("objects may be left in the Textract bucket until its lifecycle rule removes them")

    def _delete(self, answer: Mapping[str, Any]) -> int:
        """Deletes the versions that one answer lists. Returns how many refused."""
        listed = [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
        if not listed:
            return 0
        doomed: list[Any] = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]
        deletion = self._s3.delete_objects(Bucket=self.config.bucket, Delete={"Objects": doomed, "Quiet": True})
        return len(deletion.get("Errors", ()))

    # The job

    def _started(self, folder: str, token: str) -> str:
        """Starts the job, or finds the one that this token started. Returns its id.

        LimitExceededException means that too many jobs of the account are under way: that lasts minutes, longer than
        botocore's own retries, so this waits 5, 10, 20, ... 60 s, up to `start_timeout` altogether.
        """
        request = self._start_request(folder, token)
        give_up = self._clock() + self.config.start_timeout
        pause = 5.0
        with _translated("StartDocumentTextDetection", whole=True):
            while True:
                self._pages.take()
                try:
                    return self._client.start_document_text_detection(**request)["JobId"]
                except self._client.exceptions.LimitExceededException:
                    if self._clock() + pause > give_up:
                        raise
                self._sleep(pause)
                pause = min(pause * 2, 60.0)

    def _start_request(self, folder: str, token: str) -> dict[str, Any]:
        """The same request for the same token, whatever worker makes it: Textract compares every parameter."""
        bucket = self.config.bucket
        request: dict[str, Any] = {
            "DocumentLocation": {"S3Object": {"Bucket": bucket, "Name": f"{folder}document.pdf"}},
            "ClientRequestToken": token,
            "JobTag": token,
        }
        if self.config.results_in_bucket:
            request["OutputConfig"] = {"S3Bucket": bucket, "S3Prefix": f"{folder}results"}
            if self.config.kms_key_id:
                request["KMSKeyId"] = self.config.kms_key_id
        return request

    def _collected(self, job: str) -> _JobText:
        """Waits for the job and takes in all of its answers."""
        answer = self._finished(job)
        status = answer["JobStatus"]
        if status == "FAILED":
            raise _job_failure(answer.get("StatusMessage", ""))
        text = _JobText()
        text.add(answer)
        while following := answer.get("NextToken"):
            answer = self._results(job, NextToken=following)
            text.add(answer)
        # A partial success that names no page could mean any page.
        text.doubtful = status == "PARTIAL_SUCCESS" and not text.failed
        return text

    def _finished(self, job: str) -> Mapping[str, Any]:
        """The first answer of the finished job. Asks after 1 s, 1.5 s, 2.25 s, ... 15 s, for `job_timeout` at most."""
        give_up = self._clock() + self.config.job_timeout
        pause = 1.0
        while (answer := self._results(job))["JobStatus"] == "IN_PROGRESS":
            if self._clock() + pause > give_up:
                log.warning("a Textract job is still not done after %.0f s", self.config.job_timeout)
                raise ServiceUnavailable("reader_unavailable")
            self._sleep(pause)
            pause = min(pause * 1.5, 15.0)
        return answer

    def _results(self, job: str, **paging: str) -> Mapping[str, Any]:
        self._polls.take()
        with _translated("GetDocumentTextDetection", whole=True):
            return self._client.get_document_text_detection(JobId=job, MaxResults=RESULTS_A_CALL, **paging)


def _job_failure(message: str) -> ExtractionError:
    """The exception for a FAILED job. AWS documents no list of messages, so only their plain codes are told apart."""
    shown = message if re.fullmatch(r"[A-Z_]{1,64}", message) else "a message that is not a code"
    log.warning("a Textract job failed: %s", shown)
    if message == "INTERNAL_ERROR":
        return ServiceUnavailable("reader_unavailable")
    return UnreadableDocument("reader_refused")


def within_limits(png: bytes) -> bytes:
    """The image as it is, or made to fit Textract's 10 MB and 10,000 pixels a side.

    Colour scans with noise outgrow 10 MB as PNG; as JPEG at quality 92 they do not, and fractions of the page stay what
    they are. Raises UnreadablePage("page_unreadable") for what is no image and "reader_refused" for what cannot fit.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png)) as image:
            if len(png) <= IMAGE_BYTES and max(image.size) <= IMAGE_SIDE_PX:
                return png
            smaller = image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise UnreadablePage("page_unreadable") from None
    smaller.thumbnail((IMAGE_SIDE_PX, IMAGE_SIDE_PX))
    jpeg = io.BytesIO()
    smaller.save(jpeg, "JPEG", quality=92)
    if jpeg.tell() > IMAGE_BYTES:
        raise UnreadablePage("reader_refused")
    return jpeg.getvalue()


# --- From the settings ---------------------------------------------------------------------------------------------


def connect(config: TextractConfig) -> tuple[TextractClient, S3Client]:
    """A Textract and an S3 client with credentials from the environment, as boto3 finds them.

    Six attempts are what AWS advises for Textract; botocore's own default is three.
    """
    from boto3.session import Session
    from botocore.config import Config

    common = Config(
        retries={"mode": RETRY_MODE, "total_max_attempts": config.attempts},
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=config.parallel + 2,
    )
    # A stand-in has no host name per bucket.
    for_s3 = common.merge(Config(s3={"addressing_style": "path"})) if config.endpoint_url else common
    with _translated("set-up", whole=True):
        session = Session(region_name=config.region)
        return (
            session.client("textract", endpoint_url=config.endpoint_url, config=common),
            session.client("s3", endpoint_url=config.endpoint_url, config=for_s3),
        )


def reader() -> TextractReader:
    """The reader that the settings describe; one per process and configuration, so that its brake is shared."""
    return _reader(configuration())


def configuration() -> TextractConfig:
    """What the settings say."""
    from django.conf import settings

    return TextractConfig(
        bucket=settings.TEXTRACT_BUCKET,
        kms_key_id=settings.TEXTRACT_KMS_KEY_ID,
        pages_per_second=settings.TEXTRACT_PAGES_PER_SECOND,
        parallel=settings.TEXTRACT_PARALLEL,
        async_pages=settings.TEXTRACT_ASYNC_PAGES,
        region=settings.AWS_REGION or "ca-central-1",
        endpoint_url=settings.AWS_ENDPOINT_URL or None,
        results_in_bucket=getattr(settings, "TEXTRACT_RESULTS_IN_BUCKET", False),
    )


@lru_cache(maxsize=8)
def _reader(config: TextractConfig) -> TextractReader:
    client, s3 = connect(config)
    return TextractReader(client=client, s3=s3, config=config)
