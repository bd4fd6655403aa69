"""What the sandbox refuses, with which code, at what cost; and what it must not refuse."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extraction.errors import UnreadableDocument, UnreadablePage
from extraction.page import Box
from extraction.readers import landlock, pdf
from extraction.readers.pdf import DEFAULT_LIMITS, Limits, inspect, open_pdf
from tests import hostile_pdfs as hostile

SLOWEST = 12.0  # seconds; the sandbox itself stops at ten
ATTACK = pytest.mark.attack("hostile PDFs", "refused")


@pytest.fixture
def peaks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The most memory of each child, in bytes, as the kernel counts it. One that the kernel ended is not among them."""
    found: list[int] = []
    close = pdf._Child.close

    def noting(child: pdf._Child) -> None:
        with contextlib.suppress(FileNotFoundError):
            status = Path(f"/proc/{child._process.pid}/status").read_text()
            found.extend(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
        close(child)

    monkeypatch.setattr(pdf._Child, "close", noting)
    return found


@contextlib.contextmanager
def within_budget(peaks: list[int], seconds: float = SLOWEST) -> Iterator[None]:
    """Fails what takes longer, or more memory in a child process than a document may cost."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds
    assert max(peaks, default=0) <= DEFAULT_LIMITS.memory_bytes


@ATTACK
@pytest.mark.parametrize(
    ("build", "code"),
    [
        (bytes, "empty_file"),
        (hostile.text_file, "not_a_pdf"),
        (hostile.renamed_image, "not_a_pdf"),
        (hostile.renamed_zip, "not_a_pdf"),
        (hostile.late_header, "not_a_pdf"),
        (hostile.cut_to_its_header, "damaged"),
        (hostile.noise_after_header, "damaged"),
        (lambda: hostile.locked(user="user-secret"), "password_protected"),
        (hostile.deep_page_tree, "damaged"),
        (hostile.page_tree_loop, "damaged"),
        (hostile.no_pages, "no_pages"),
        (hostile.huge_page, "page_too_large"),
        (lambda: hostile.page_of(9001, 500), "page_too_large"),
        (hostile.nested_flate, "too_complex"),
        (hostile.single_flate, "too_complex"),
        (hostile.javascript_on_open, "active_content"),
        (hostile.javascript_escaped, "active_content"),
        (hostile.javascript_in_object_stream, "active_content"),
        (hostile.javascript_in_name_tree, "active_content"),
        (hostile.javascript_on_annotation, "active_content"),
        (hostile.launch, "active_content"),
        (hostile.attached_file, "active_content"),
        (hostile.rich_media, "active_content"),
        (hostile.xfa_form, "active_content"),
        (hostile.embedded_file_escaped, "active_content"),
        (hostile.launch_escaped, "active_content"),
        (hostile.script_on_an_event, "active_content"),
        (hostile.rich_media_in_object_stream, "active_content"),
        (hostile.xfa_in_object_stream, "active_content"),
        (hostile.import_data, "active_content"),
        (hostile.eicar, "not_a_pdf"),
        (hostile.eicar_attached, "active_content"),
        (lambda: hostile.plain(pages=5_000), "too_many_pages"),
    ],
)
def test_refuses_with_its_own_code(build: Callable[[], bytes], code: str, peaks: list[int]) -> None:
    data = build()
    with within_budget(peaks), pytest.raises(UnreadableDocument) as refused:
        inspect(data)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


@ATTACK
@pytest.mark.parametrize(
    "build",
    [
        hostile.cross_reference_loop,
        hostile.nested_arrays,
        hostile.many_objects,
        lambda: hostile.many_objects(1_000_000),
        hostile.million_pages_claimed,
        hostile.polyglot_zip,
        hostile.polyglot_html,
    ],
)
def test_survives_structures_without_end(build: Callable[[], bytes], peaks: list[int]) -> None:
    data = build()
    with within_budget(peaks):
        try:
            pages = inspect(data).page_count
        except UnreadableDocument as refused:
            pages, code = 0, refused.code
    assert pages == 1 or code == "too_complex"


@ATTACK
@pytest.mark.parametrize(
    "build", [hostile.jbig2_noise, hostile.jbig2_huge_page, hostile.jpx_huge, hostile.undecodable_picture]
)
def test_a_picture_that_is_not_what_it_says_is_an_unread_page(build: Callable[[], bytes], peaks: list[int]) -> None:
    with within_budget(peaks, 2 * SLOWEST), open_pdf(build()) as document, pytest.raises(UnreadablePage):
        document.render(1)


@ATTACK
def test_a_picture_of_400_million_pixels_is_drawn_small_or_not_at_all(peaks: list[int]) -> None:
    budget = within_budget(peaks, 2 * SLOWEST)
    with budget, open_pdf(hostile.flate_picture()) as document, contextlib.suppress(UnreadablePage):
        assert document.render(1, dpi=100).shape == (1100, 850)


@pytest.mark.parametrize(
    "build",
    [
        hostile.plain,
        hostile.without_its_end,
        hostile.wrong_cross_references,
        hostile.header_after_junk,
        hostile.locked,
        hostile.web_link,
        hostile.words_about_scripts,
        lambda: hostile.page_of(9000, 500),
    ],
)
def test_reads_what_is_odd_or_can_be_repaired(build: Callable[[], bytes]) -> None:
    assert inspect(build()).page_count == 1


def test_refuses_by_size_before_anything_is_parsed() -> None:
    with pytest.raises(UnreadableDocument, match="too_large"):
        inspect(hostile.plain(), Limits(bytes=100))


def test_the_clock_on_the_wall_ends_what_takes_too_long() -> None:
    with pytest.raises(UnreadableDocument, match="too_complex"):
        inspect(hostile.plain(), Limits(wall_seconds=0.005))


def test_refuses_more_pages_than_the_limit() -> None:
    assert inspect(hostile.plain(pages=5), Limits(pages=5)).page_count == 5
    with pytest.raises(UnreadableDocument, match="too_many_pages"):
        inspect(hostile.plain(pages=6), Limits(pages=5))


def test_reports_sizes_as_shown() -> None:
    def turn(document: object) -> None:
        document.pages[0].obj.Rotate = 90  # type: ignore[attr-defined]

    assert inspect(hostile.changed(turn)).sizes == ((792.0, 612.0),)


def test_an_owner_password_does_not_keep_text_from_being_read() -> None:
    with open_pdf(hostile.locked()) as document:
        assert [word.text for word in document.text_layer(1).words][:2] == ["Clinique", "du"]
        assert b"/Encrypt" not in document.unlocked()


def test_what_a_form_field_shows_is_text_of_the_page() -> None:
    with open_pdf(hostile.filled_form("ABCD EFGH")) as document:
        assert {"ABCD", "EFGH"} <= {word.text for word in document.text_layer(1).words}


def test_a_page_that_kills_its_child_costs_that_page_only() -> None:
    limits = Limits(cpu_seconds=1)
    with open_pdf(hostile.one_bomb_among(5, bad=3), limits=limits) as document:
        layers = dict(document.text_layers(range(1, 6)))
        with pytest.raises(UnreadablePage, match="page_unreadable"):
            document.render(3)
        assert document.render(4, dpi=20).shape == (220, 170)
    assert [number for number, layer in layers.items() if layer is None] == [3]
    assert layers[4] is not None
    assert layers[4].words


def test_a_document_that_keeps_killing_children_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_LOST", 2)
    limits = Limits(cpu_seconds=1)
    with open_pdf(hostile.one_bomb_among(2, bad=2), limits=limits) as document:
        for _ in range(2):
            with pytest.raises(UnreadablePage):
                document.text_layer(2)
        started = time.monotonic()
        with pytest.raises(UnreadablePage):
            document.text_layer(1)
        assert time.monotonic() - started < 0.1


def test_a_picture_that_cannot_be_decoded_is_not_an_empty_page() -> None:
    with open_pdf(hostile.undecodable_picture()) as document, pytest.raises(UnreadablePage):
        document.render(1)


def test_draws_within_the_limit_of_pixels() -> None:
    with open_pdf(hostile.page_of(9000, 9000), limits=Limits(pixels=1_000_000)) as document:
        height, width = document.render(1, dpi=200).shape
    assert 0.9e6 < height * width <= 1.01e6


def test_draws_a_part_of_the_page_as_it_is_on_the_whole() -> None:
    with open_pdf(hostile.plain()) as document:
        whole = document.render(1, dpi=100)
        part = document.render(1, dpi=100, box=Box(0.1, 0.1, 0.5, 0.2))
    assert (whole[110:220, 85:425] == part).all()


def test_png_is_the_page_in_the_asked_resolution() -> None:
    with open_pdf(hostile.plain()) as document:
        png = document.png(1, dpi=36)
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) == 306
    assert int.from_bytes(png[20:24]) == 396


def test_a_page_that_does_not_exist_cannot_be_drawn() -> None:
    with open_pdf(hostile.plain()) as document, pytest.raises(UnreadablePage, match="page_image_missing"):
        document.render(2)


def test_the_parsers_never_enter_this_process() -> None:
    code = (
        "import sys; from extraction.readers import choosing; "
        "print([m for m in ('pikepdf', 'pypdfium2', 'cv2', 'rapidocr', 'openvino', 'numpy') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="limits and /proc are Linux's")
def test_the_child_runs_confined() -> None:
    with open_pdf(hostile.plain()) as document:
        child = document._sandbox._child
        assert child is not None
        pid = child._process.pid
        read_limit = resource.prlimit
        assert read_limit(pid, resource.RLIMIT_AS)[0] == DEFAULT_LIMITS.memory_bytes
        assert read_limit(pid, resource.RLIMIT_FSIZE) == (0, 0)
        assert read_limit(pid, resource.RLIMIT_CORE) == (0, 0)
        assert read_limit(pid, resource.RLIMIT_NOFILE)[0] <= 32
        assert read_limit(pid, resource.RLIMIT_CPU)[0] <= DEFAULT_LIMITS.cpu_seconds + 2
        with open(f"/proc/{pid}/environ", "rb") as environment:  # noqa: PTH123 - a file of the kernel
            assert environment.read() == b""
    assert child._process.returncode is not None


needs_landlock = pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock; the other limits hold")
TAKEN_OVER = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("child", sys.argv[1])
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
child.confine(1_000_000_000)
assert child.close_files(checks=True)
try:
    print("done", exec(sys.argv[2], {"os": os, "place": sys.argv[3]}))
except OSError as error:
    print(type(error).__name__)
"""


def taken_over(does: str, place: Path) -> str:
    """What comes of Python code that runs in the child's place, as if a file had taken the parser over."""
    command = [sys.executable, "-I", "-B", "-c", TAKEN_OVER, str(pdf.CHILD), does, str(place)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={}).stdout.strip()


@ATTACK
@needs_landlock
@pytest.mark.parametrize(
    "does",
    [
        "open(place + '/secret').read()",
        "os.listdir(place)",
        "os.unlink(place + '/secret')",
        "os.truncate(place + '/secret', 0)",
        "os.mkdir(place + '/new')",
        "os.symlink('/etc', place + '/new')",
        "open(place + '/new', 'w')",
        "open('/etc/passwd').read()",
        "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
        "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
        "os.execv('/bin/true', ['true'])",
    ],
)
def test_a_parser_that_was_taken_over_touches_no_file(does: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    assert taken_over(does, tmp_path) == "PermissionError"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["secret"]


@needs_landlock
def test_modules_and_fonts_stay_readable() -> None:
    assert taken_over("open(place).read()", Path(os.__file__)) == "done None"
    if Path("/usr/share/fonts").is_dir():
        assert taken_over("os.listdir(place)", Path("/usr/share/fonts")) == "done None"


@needs_landlock
def test_every_child_is_confined_before_a_parser_sees_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    ask = pdf._Child.ask

    def noting(child: pdf._Child, header: dict[str, Any], payload: bytes = b"") -> tuple[dict[str, Any], bytes]:
        answers.append((header, ask(child, header, payload)))
        return answers[-1][1]

    monkeypatch.setattr(pdf._Child, "ask", noting)
    with open_pdf(hostile.plain()) as document:
        document._sandbox.close()
        document.render(1, dpi=36)
    opened = [(header["check"], answer[0]["closed"]) for header, answer in answers if header["do"] == "open"]
    assert opened == [(True, True), (False, True)]


def test_a_kernel_without_landlock_is_said_once_and_files_are_opened(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A child whose `landlock.py` finds none, as on such a kernel."""
    (tmp_path / "pdf_child.py").write_text(pdf.CHILD.read_text())
    (tmp_path / "landlock.py").write_text("def confine(readable): return False\n")
    monkeypatch.setattr(pdf, "CHILD", tmp_path / "pdf_child.py")
    pdf._say_that_files_are_open.cache_clear()
    assert [inspect(hostile.plain()).page_count for _turn in range(2)] == [1, 1]
    assert [record.message for record in caplog.records if "Landlock" in record.message] == [
        "this kernel has no Landlock: the process that opens PDFs may read what this user may read"
    ]


@ATTACK
@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_the_child_has_no_network() -> None:
    with open_pdf(hostile.plain()) as document:
        child = document._sandbox._child
        assert child is not None
        process = Path("/proc") / str(child._process.pid)
        if (process / "ns/net").readlink() == Path("/proc/self/ns/net").readlink():
            pytest.skip("this machine lets nobody make a network namespace; the other limits hold")
        interfaces = [line.split(":")[0].strip() for line in (process / "net/dev").read_text().splitlines()[2:]]
        assert interfaces == ["lo"]
        routes = (process / "net/route").read_text().splitlines()[1:]
        assert routes == []


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_the_child_dies_with_its_parent() -> None:
    code = (
        "import os, sys; from extraction.readers.pdf import open_pdf; from tests import hostile_pdfs as h\n"
        "d = open_pdf(h.plain()); print(d._sandbox._child._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout
    pid = int(shown)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and _is_running(pid):
        time.sleep(0.02)
    assert not _is_running(pid), os.strerror(3)


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:  # noqa: PTH123 - a file of the kernel
            return status.read().rpartition(b")")[2].split()[0] != b"Z"
    except FileNotFoundError:
        return False


def test_no_text_of_the_document_is_in_an_exception() -> None:
    marked = hostile.plain("TREMBLAY-MARQUEUR")[:60]
    with pytest.raises(UnreadableDocument) as refused:
        inspect(marked)
    assert refused.value.args == (refused.value.code,)
    assert refused.value.__cause__ is None
