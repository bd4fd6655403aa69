"""A strict stand-in for Amazon Textract, with S3 and KMS beside it, all spoken to over HTTP on loopback.

It answers DetectDocumentText, StartDocumentTextDetection and GetDocumentTextDetection in the AWS JSON 1.1 protocol. S3,
KMS and everything else on the same address is moto. What the service refuses is refused here, with the same error code:
parameters against botocore's model, signatures, sizes, page counts, media types, quotas, spent tokens, expired jobs.
Where AWS documents no code for a case, the comment says so.

    with running_textract(words_for=known_words(pdf)) as textract:
        client = boto3.client("textract", endpoint_url=textract.endpoint_url, ...)

Its clock only moves when `pass_time` is called, so that quotas and expiry are tested without waiting.
"""

from __future__ import annotations

import base64
import io
import json
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import uuid4

import boto3
import botocore.session
import pypdfium2
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from PIL import Image
from pypdfium2 import raw
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from botocore.model import Shape
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

Seen = tuple[str, tuple[float, float, float, float], float]
"""A word as an OCR engine sees it: text, (x0, y0, x1, y1) in fractions of the image, confidence 0..1."""
WordsFor = Callable[[bytes], Sequence[Seen]]
"""PNG or JPEG bytes → the words on it, line by line from left to right."""

REGION: Literal["ca-central-1"] = "ca-central-1"
MEGABYTE = 1024 * 1024
SYNCHRONOUS_BYTES = 10 * MEGABYTE
JOB_BYTES = 500 * MEGABYTE
JOB_PAGES = 3_000
IMAGE_SIDE_PX = 10_000
PDF_SIDE_POINTS = 9_000
RESULTS_A_CALL = 1_000
RESULTS_KEPT_S = 7 * 24 * 3600
STATUS = {"InternalServerError": 500, "ThrottlingException": 500, "ServiceUnavailable": 503}
"""HTTP status per error where the API reference does not say 400."""

_SIGNATURE = re.compile(
    rf"AWS4-HMAC-SHA256 Credential=[^/\s]+/\d{{8}}/{REGION}/textract/aws4_request, ?"
    r"SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, ?Signature=[0-9a-f]{64}"
)
# pdfium is not safe for threads.
_pdfium = threading.Lock()


class Refusal(Exception):
    """An error answer. `code` is the AWS error code."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message


# --- Documents -----------------------------------------------------------------------------------------------------


def media_type(document: bytes) -> str:
    """By its first bytes, as the service does: names and content types are not looked at."""
    for magic, name in (
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"%PDF-", "pdf"),
        (b"II*\x00", "tiff"),
        (b"MM\x00*", "tiff"),
    ):
        if document.startswith(magic):
            return name
    raise Refusal("UnsupportedDocumentException", "Request has unsupported document format")


def page_images(document: bytes) -> list[bytes]:
    """Every page as a PNG or, for an image, the image itself."""
    kind = media_type(document)
    if kind == "pdf":
        return _pdf_images(document)
    try:
        with Image.open(io.BytesIO(document)) as image:
            # AWS names no code for an image beyond its limits; BadDocumentException points to them.
            if max(image.size) > IMAGE_SIDE_PX:
                raise Refusal("BadDocumentException", "image exceeds 10000 pixels on a side")
            image.load()
            if kind != "tiff":
                return [document]
            return [_png_of_frame(image, frame) for frame in range(getattr(image, "n_frames", 1))]
    except (OSError, SyntaxError, ValueError):
        raise Refusal("BadDocumentException", "the image cannot be decoded") from None


def _png_of_frame(image: Image.Image, frame: int) -> bytes:
    image.seek(frame)
    png = io.BytesIO()
    image.convert("RGB").save(png, "PNG")
    return png.getvalue()


def _pdf_images(document: bytes) -> list[bytes]:
    with _pdfium:
        try:
            pdf = pypdfium2.PdfDocument(document)
        except pypdfium2.PdfiumError as error:
            protected = error.err_code == raw.FPDF_ERR_PASSWORD
            raise Refusal("UnsupportedDocumentException" if protected else "BadDocumentException") from None
        try:
            # A document protected by an owner's password alone opens in pdfium, and is still refused by Textract.
            if raw.FPDF_GetSecurityHandlerRevision(pdf) != -1:
                raise Refusal("UnsupportedDocumentException", "the document is protected")
            if pdf.get_formtype() in (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND):
                raise Refusal("UnsupportedDocumentException", "XFA forms are not supported")
            if any(max(page.get_size()) > PDF_SIDE_POINTS for page in pdf):
                raise Refusal("BadDocumentException", "a page exceeds 9000 points")
            return [_png_of_page(page) for page in pdf]
        finally:
            pdf.close()


def _png_of_page(page: Any) -> bytes:
    png = io.BytesIO()
    page.render(scale=100 / 72, grayscale=True).to_pil().save(png, "PNG")
    return png.getvalue()


def known_words(pdf: bytes) -> WordsFor:
    """An OCR engine that knows the answer: it recognises the pages of `pdf` and says what their text layer says.

    An image is taken for the page that looks most like it, whatever its resolution and compression.
    """
    pages = [(_thumbnail(png), words) for png, words in zip(page_images(pdf), _text_layers(pdf), strict=True)]

    def words_for(image: bytes) -> list[Seen]:
        seen = _thumbnail(image)
        return min(pages, key=lambda page: sum(abs(a - b) for a, b in zip(page[0], seen, strict=True)))[1]

    return words_for


def _thumbnail(image: bytes) -> bytes:
    with Image.open(io.BytesIO(image)) as full:
        return full.convert("L").resize((64, 64), Image.Resampling.BOX).tobytes()


def _text_layers(document: bytes) -> list[list[Seen]]:
    with _pdfium:
        pdf = pypdfium2.PdfDocument(document)
        try:
            return [_text_layer(page) for page in pdf]
        finally:
            pdf.close()


def _text_layer(page: Any) -> list[Seen]:
    width, height = page.get_size()
    layer = page.get_textpage()
    text = layer.get_text_range()
    words: list[Seen] = []
    for match in re.finditer(r"\S+", text):
        sides = [layer.get_charbox(i) for i in range(*match.span())]
        x0, y0 = min(s[0] for s in sides) / width, 1 - max(s[3] for s in sides) / height
        x1, y1 = max(s[2] for s in sides) / width, 1 - min(s[1] for s in sides) / height
        words.append((match.group(), (x0, y0, x1, y1), 0.99))
    return words


# --- Blocks --------------------------------------------------------------------------------------------------------


def blocks_of(words: Sequence[Seen], *, page: int) -> list[dict[str, Any]]:
    """PAGE, then its LINEs, then their WORDs: the order and the relationships of the service."""
    lines = _lines(words)
    word_blocks = [[_block("WORD", [word], page) for word in line] for line in lines]
    line_blocks = [
        _block("LINE", line, page, children=[child["Id"] for child in children])
        for line, children in zip(lines, word_blocks, strict=True)
    ]
    whole: Seen = ("", (0.0, 0.0, 1.0, 1.0), 1.0)
    page_block = _block("PAGE", [whole], page, children=[line["Id"] for line in line_blocks])
    return [page_block, *line_blocks, *(word for children in word_blocks for word in children)]


def _lines(words: Sequence[Seen]) -> list[list[Seen]]:
    """Words that stand at the same height and further right than the one before are of its line."""
    lines: list[list[Seen]] = []
    for word in words:
        box = word[1]
        previous = lines[-1][-1][1] if lines else None
        if previous and previous[1] < (box[1] + box[3]) / 2 < previous[3] and box[0] >= previous[2]:
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


def _block(kind: str, words: Sequence[Seen], page: int, *, children: Sequence[str] = ()) -> dict[str, Any]:
    x0, y0 = min(w[1][0] for w in words), min(w[1][1] for w in words)
    x1, y1 = max(w[1][2] for w in words), max(w[1][3] for w in words)
    block: dict[str, Any] = {
        "BlockType": kind,
        "Id": str(uuid4()),
        "Page": page,
        "Geometry": {
            "BoundingBox": {"Left": x0, "Top": y0, "Width": x1 - x0, "Height": y1 - y0},
            "Polygon": [{"X": x, "Y": y} for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))],
            "RotationAngle": 0.0,
        },
    }
    if kind != "PAGE":
        block |= {"Text": " ".join(w[0] for w in words), "Confidence": 100 * min(w[2] for w in words)}
    if kind == "WORD":
        block["TextType"] = "PRINTED"
    if children:
        block["Relationships"] = [{"Type": "CHILD", "Ids": list(children)}]
    return block


# --- The service ---------------------------------------------------------------------------------------------------


@dataclass
class _Job:
    request: dict[str, Any]
    started: float
    polls_left: int
    status: str = "IN_PROGRESS"
    message: str = ""
    warnings: list[dict[str, Any]] = field(default_factory=list)
    pages: int = 0
    blocks: list[dict[str, Any]] = field(default_factory=list)
    results_key: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Ending:
    status: str
    message: str
    warnings: list[dict[str, Any]]


class FakeTextract:
    """The running stand-in, as a test steers it and looks into it.

    `rates` caps calls per second and operation, `jobs_at_once` the jobs under way, `polls` is how many times a job
    answers IN_PROGRESS, `page_size` how many blocks an answer holds at most (the service: 1,000).
    """

    def __init__(
        self,
        *,
        words_for: WordsFor,
        rates: Mapping[str, float] | None = None,
        jobs_at_once: int = 100,
        polls: int = 1,
        page_size: int = RESULTS_A_CALL,
    ) -> None:
        self.words_for = words_for
        self.rates = dict(rates or {})
        self.jobs_at_once = jobs_at_once
        self.polls = polls
        self.page_size = min(page_size, RESULTS_A_CALL)
        self.endpoint_url = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._model = botocore.session.get_session().get_service_model("textract")
        self._lock = threading.RLock()
        self._now = 0.0
        self._recent: dict[str, list[float]] = {}
        self._script: deque[tuple[str, str | None]] = deque()
        self._endings: deque[_Ending] = deque()
        self._jobs: dict[str, _Job] = {}
        self._tokens: dict[str, str] = {}
        self._pages: dict[str, tuple[str, int]] = {}
        self._operations = {
            "DetectDocumentText": self._detect,
            "StartDocumentTextDetection": self._start,
            "GetDocumentTextDetection": self._get,
        }

    # What a test may do

    def fail_next(self, *codes: str, operation: str | None = None) -> None:
        """The next calls (of `operation`, or of any) are answered with these error codes, one each."""
        self._script.extend((code, operation) for code in codes)

    def end_next_job(
        self, status: str, *, message: str = "", warnings: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        """The next job ends like this. Pages named in `warnings` (code → pages) yield no blocks."""
        listed: list[dict[str, Any]] = [
            {"ErrorCode": code, **({"Pages": list(pages)} if pages else {})} for code, pages in (warnings or {}).items()
        ]
        self._endings.append(_Ending(status, message, listed))

    def pass_time(self, seconds: float) -> None:
        """Moves the service's clock: quotas refill, results older than seven days expire."""
        with self._lock:
            self._now += seconds

    def called(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of every accepted or refused call of an operation."""
        return [params for name, params in self.calls if name == operation]

    @cached_property
    def s3(self) -> S3Client:
        """A client of the S3 beside it."""
        return cast("S3Client", self._client("s3"))

    @cached_property
    def kms(self) -> KMSClient:
        """A client of the KMS beside it."""
        return cast("KMSClient", self._client("kms"))

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="stand-in",
            aws_secret_access_key="stand-in",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    # HTTP

    def answer(self, request: Request) -> Response:
        """One call: what the service would say to it."""
        request_id = str(uuid4())
        try:
            body, status = self._called(request), 200
        except Refusal as refusal:
            status = STATUS.get(refusal.code, 400)
            body = {"__type": refusal.code, "Code": refusal.code, "Message": refusal.message or refusal.code}
        return Response(
            json.dumps(body),
            status=status,
            content_type="application/x-amz-json-1.1",
            headers={"x-amzn-RequestId": request_id},
        )

    def _called(self, request: Request) -> dict[str, Any]:
        operation = request.headers["X-Amz-Target"].removeprefix("Textract.")
        if not _SIGNATURE.fullmatch(request.headers.get("Authorization", "")):
            raise Refusal("IncompleteSignatureException")
        if "X-Amz-Date" not in request.headers:
            raise Refusal("IncompleteSignatureException")
        if operation not in self._operations:
            raise Refusal("UnknownOperationException")
        if request.method != "POST" or request.headers.get("Content-Type") != "application/x-amz-json-1.1":
            raise Refusal("UnknownOperationException")
        params = self._params(operation, request.get_data())
        with self._lock:
            self.calls.append((operation, params))
            self._scripted(operation)
            self._throttle(operation)
        if operation == "DetectDocumentText":
            return self._detect(params)  # Reading takes time and shares nothing: pages may be read side by side.
        with self._lock:
            return self._operations[operation](params)

    def _params(self, operation: str, body: bytes) -> dict[str, Any]:
        try:
            params = json.loads(body)
        except ValueError:
            raise Refusal("SerializationException") from None
        shape = cast("Shape", self._model.operation_model(operation).input_shape)
        report = ParamValidator().validate(params, shape)
        if report.has_errors() or any(_violations(params, shape)):
            raise Refusal("InvalidParameterException", "Request has invalid parameters")
        return cast("dict[str, Any]", params)

    def _scripted(self, operation: str) -> None:
        for index, (code, only) in enumerate(self._script):
            if only in (None, operation):
                del self._script[index]
                raise Refusal(code)

    def _throttle(self, operation: str) -> None:
        rate = self.rates.get(operation)
        if rate is None:
            return
        recent = [at for at in self._recent.get(operation, []) if self._now - at < 1 - 1e-6]
        if len(recent) >= rate:
            raise Refusal("ProvisionedThroughputExceededException", "Provisioned rate exceeded")
        self._recent[operation] = [*recent, self._now]

    # Operations

    def _detect(self, params: dict[str, Any]) -> dict[str, Any]:
        document = params["Document"]
        if ("Bytes" in document) == ("S3Object" in document):
            raise Refusal("InvalidParameterException", "give either Bytes or S3Object")
        data = _decoded(document["Bytes"]) if "Bytes" in document else self._object(document["S3Object"])
        if len(data) > SYNCHRONOUS_BYTES:
            raise Refusal("DocumentTooLargeException")
        images = page_images(data)
        if len(images) != 1:
            raise Refusal("UnsupportedDocumentException", "Request has unsupported document format")
        return {
            "DocumentMetadata": {"Pages": 1},
            "Blocks": blocks_of(self.words_for(images[0]), page=1),
            "DetectDocumentTextModelVersion": "1.0",
        }

    def _start(self, params: dict[str, Any]) -> dict[str, Any]:
        token = params.get("ClientRequestToken")
        if token in self._tokens:
            job_id = self._tokens[token]
            if self._jobs[job_id].request != params:
                raise Refusal("IdempotentParameterMismatchException")
            return {"JobId": job_id}
        self._check_start(params)
        job_id = secrets.token_hex(32)
        self._jobs[job_id] = _Job(params, self._now, self.polls)
        if token:
            self._tokens[token] = job_id
        return {"JobId": job_id}

    def _check_start(self, params: dict[str, Any]) -> None:
        place = params["DocumentLocation"].get("S3Object", {})
        data = self._object(place)
        if len(data) > (JOB_BYTES if media_type(data) in ("pdf", "tiff") else SYNCHRONOUS_BYTES):
            raise Refusal("DocumentTooLargeException")
        if "KMSKeyId" in params and not self._key_exists(params["KMSKeyId"]):
            raise Refusal("InvalidKMSKeyException")
        if sum(job.status == "IN_PROGRESS" for job in self._jobs.values()) >= self.jobs_at_once:
            raise Refusal("LimitExceededException", "Open jobs exceed maximum concurrent job limit")

    def _get(self, params: dict[str, Any]) -> dict[str, Any]:
        job_id = params["JobId"]
        job = self._jobs.get(job_id)
        if job is None or self._now - job.started > RESULTS_KEPT_S:
            raise Refusal("InvalidJobIdException", "Request has invalid Job Id")
        if job.status == "IN_PROGRESS":
            if job.polls_left:
                job.polls_left -= 1
                return {"JobStatus": "IN_PROGRESS"}
            self._finish(job_id, job)
        if job.results_key:
            self._object(dict(zip(("Bucket", "Name"), job.results_key, strict=True)))
        return self._page_of_results(job_id, job, params)

    def _page_of_results(self, job_id: str, job: _Job, params: dict[str, Any]) -> dict[str, Any]:
        start = 0
        if "NextToken" in params:
            owner, start = self._pages.get(params["NextToken"], ("", 0))
            if owner != job_id:
                raise Refusal("InvalidParameterException", "Request has invalid pagination token")
        # "If you specify a value greater than 1,000, a maximum of 1,000 results is returned."
        end = start + min(params.get("MaxResults", RESULTS_A_CALL), self.page_size)
        answer: dict[str, Any] = {
            "DocumentMetadata": {"Pages": job.pages},
            "JobStatus": job.status,
            "Blocks": job.blocks[start:end],
            "DetectDocumentTextModelVersion": "1.0",
        }
        if job.message:
            answer["StatusMessage"] = job.message
        if job.warnings:
            answer["Warnings"] = job.warnings
        if end < len(job.blocks):
            following = secrets.token_urlsafe(48)
            self._pages[following] = (job_id, end)
            answer["NextToken"] = following
        return answer

    def _finish(self, job_id: str, job: _Job) -> None:
        """Reads the document now: one that was deleted while its job ran is lost, as it is with the service."""
        ending = self._endings.popleft() if self._endings else _Ending("SUCCEEDED", "", [])
        job.status, job.message, job.warnings = ending.status, ending.message, ending.warnings
        if job.status == "FAILED":
            return
        try:
            images = page_images(self._object(job.request["DocumentLocation"]["S3Object"]))
        except Refusal:
            images = []
        if not 1 <= len(images) <= JOB_PAGES:
            # AWS documents no list of messages of failed jobs.
            job.status, job.message = "FAILED", "INVALID_DOCUMENT"
            return
        failed = {page for warning in job.warnings for page in warning.get("Pages", ())}
        job.pages = len(images)
        for number, image in enumerate(images, start=1):
            job.blocks += blocks_of([] if number in failed else self.words_for(image), page=number)
        self._write_results(job_id, job)

    def _write_results(self, job_id: str, job: _Job) -> None:
        """With OutputConfig the results live in the customer's bucket, and are gone when they are deleted there."""
        output = job.request.get("OutputConfig")
        if not output:
            return
        name = f"{output.get('S3Prefix', 'textract_output')}/{job_id}/1"
        encryption: dict[str, Any] = {}
        if key := job.request.get("KMSKeyId"):
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
        self.s3.put_object(Bucket=output["S3Bucket"], Key=name, Body=json.dumps(job.blocks).encode(), **encryption)
        job.results_key = (output["S3Bucket"], name)

    def _object(self, place: Mapping[str, str]) -> bytes:
        if not {"Bucket", "Name"} <= set(place):
            raise Refusal("InvalidParameterException")
        try:
            return self.s3.get_object(Bucket=place["Bucket"], Key=place["Name"])["Body"].read()
        except ClientError:
            raise Refusal("InvalidS3ObjectException", "Unable to get object metadata from S3.") from None

    def _key_exists(self, key: str) -> bool:
        try:
            return self.kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"]
        except ClientError:
            return False


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refusal("SerializationException") from None


def _violations(value: Any, shape: Any) -> Iterator[str]:
    """What botocore's own validator lets pass and the service does not: upper limits and patterns of strings."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _violations(member, shape.members[name])
    elif shape.type_name == "string":
        if len(value) > shape.metadata.get("max", len(value)):
            yield shape.name
        if not re.fullmatch(shape.metadata.get("pattern", ".*"), value, re.DOTALL):
            yield shape.name


# --- The server ----------------------------------------------------------------------------------------------------


class _QuietHandler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Requests are in `calls`; the terminal is for failures."""


@contextmanager
def running_textract(
    *,
    words_for: WordsFor,
    rates: Mapping[str, float] | None = None,
    jobs_at_once: int = 100,
    polls: int = 1,
    page_size: int = RESULTS_A_CALL,
    buckets: Iterable[str] = (),
) -> Iterator[FakeTextract]:
    """Runs the stand-in on a free loopback port, with empty S3 and KMS and the given `buckets` (in ca-central-1)."""
    fake = FakeTextract(words_for=words_for, rates=rates, jobs_at_once=jobs_at_once, polls=polls, page_size=page_size)
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("Textract."):
            return fake.answer(Request(environ))(environ, start_response)
        return cast("Iterable[bytes]", moto(environ, start_response))

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    fake.endpoint_url = f"http://127.0.0.1:{server.server_port}"
    try:
        _prepare(fake, buckets)
        yield fake
    finally:
        fake.s3.close()
        fake.kms.close()
        server.shutdown()
        thread.join()
        server.server_close()


def _prepare(fake: FakeTextract, buckets: Iterable[str]) -> None:
    """moto keeps its state per process, so another test's objects have to go first."""
    from moto.backends import get_backend

    services: tuple[Literal["s3", "kms"], ...] = ("s3", "kms")
    for service in services:
        get_backend(service).reset()
    for bucket in buckets:
        fake.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
