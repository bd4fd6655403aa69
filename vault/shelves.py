"""Shelves: where the vault's objects lie, a directory or a bucket. Whatever lies there was sealed before.

There are two, which may be one: `body_shelf()` holds `files/`, `key_shelf()` holds `keys/` (the wrapped key of each
file) and `clinics/` (the wrapped keys of each clinic). Kept apart, a copy of the bodies opens nothing by itself.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from vault.errors import MisconfiguredVault, MissingFile, VaultUnavailable

LEFT_OVER_AFTER = 3600
"""Seconds; no file takes as long to be written."""


class Shelf(Protocol):
    """Where objects lie. A place is a path such as `files/NAME`. All methods raise VaultUnavailable if they must."""

    def read(self, place: str) -> bytes:
        """The whole object. Raises MissingFile."""

    def write(self, place: str, data: bytes) -> None:
        """The whole object or, if this fails, what was there before."""

    def create(self, place: str, data: bytes) -> bool:
        """As `write`, but only where nothing is yet; False if something was. Of two at once, one gets True."""

    def has(self, place: str) -> bool:
        """Whether something is there."""

    def remove(self, place: str) -> None:
        """Nothing is there afterwards, nor was it an error if nothing was there before."""

    def places(self, prefix: str) -> Iterator[str]:
        """Every place that begins with `prefix`, in no order."""

    def copies(self, place: str) -> int:
        """How many versions of this object are kept, a hidden one or a mark of its deletion included."""

    def forget_leftovers(self) -> None:
        """Removes the halves of objects that killed writers left behind an hour ago or more."""


class Directory:
    """A shelf on a disk with hard links. Directories are 0700, files 0600, and a file is there whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return "<Directory>"

    def read(self, place: str) -> bytes:
        with _disk_trouble_explained():
            return (self._root / place).read_bytes()

    def write(self, place: str, data: bytes) -> None:
        with _disk_trouble_explained(), self._written(place, data) as temporary:
            temporary.replace(self._root / place)

    def create(self, place: str, data: bytes) -> bool:
        with _disk_trouble_explained(), self._written(place, data) as temporary:
            try:
                os.link(temporary, self._root / place)  # Unlike a rename, a link never replaces.
            except FileExistsError:
                return False
        return True

    def has(self, place: str) -> bool:
        with _disk_trouble_explained():
            return (self._root / place).is_file()

    def remove(self, place: str) -> None:
        with _disk_trouble_explained():
            target = self._root / place
            target.unlink(missing_ok=True)
            if target.parent.is_dir():
                _sync(target.parent)

    def places(self, prefix: str) -> Iterator[str]:
        directory = self._root / prefix
        with _disk_trouble_explained():
            found = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
        # What a killed writer left behind begins with a dot, and no name does.
        return (f"{prefix}{name}" for name in found if not name.startswith("."))

    def copies(self, place: str) -> int:
        return int(self.has(place))

    def forget_leftovers(self) -> None:
        before = time.time() - LEFT_OVER_AFTER
        with _disk_trouble_explained():
            for half in self._root.glob("*/.*"):
                with suppress(FileNotFoundError):
                    if half.is_file() and half.stat().st_mtime < before:
                        half.unlink()

    @contextmanager
    def _written(self, place: str, data: bytes) -> Iterator[Path]:
        """`data` in a temporary file beside its place, safely on the disk; gone afterwards unless it was renamed."""
        parent = (self._root / place).parent
        for directory in (self._root, *reversed((self._root / place).relative_to(self._root).parents)):
            (self._root / directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(prefix=".", dir=parent)  # Made with mode 0600.
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield Path(path)
            _sync(parent)
        finally:
            with suppress(FileNotFoundError):
                Path(path).unlink()


def _sync(directory: Path) -> None:
    """A rename or removal is on the disk only once its directory is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_trouble_explained() -> Iterator[None]:
    """Turns what the disk raises into the vault's errors, without the path, which says where secrets lie."""
    try:
        yield
    except FileNotFoundError:
        raise MissingFile("There is no such file in the vault.") from None
    except OSError as error:
        raise VaultUnavailable(f"The vault's directory cannot be used: {error.strerror}.") from None


@lru_cache(maxsize=1)
def body_shelf() -> Shelf:
    """The bucket VAULT_S3_BUCKET if there is one, otherwise the directory VAULT_DIR. Raises MisconfiguredVault."""
    return _shelf(settings.VAULT_S3_BUCKET, settings.VAULT_DIR)


@lru_cache(maxsize=1)
def key_shelf() -> Shelf:
    """VAULT_S3_KEY_BUCKET or VAULT_KEY_DIR; without either, where the bodies are. Raises MisconfiguredVault."""
    if settings.VAULT_S3_KEY_BUCKET or settings.VAULT_KEY_DIR:
        return _shelf(settings.VAULT_S3_KEY_BUCKET, settings.VAULT_KEY_DIR)
    return body_shelf()


def _shelf(bucket: str, directory: str | Path) -> Shelf:
    if bucket:
        from vault.s3 import Bucket

        return Bucket(
            bucket,
            region=settings.AWS_REGION,
            endpoint_url=settings.AWS_ENDPOINT_URL or None,
            kms_key_id=settings.VAULT_S3_KMS_KEY_ID,
        )
    if not directory:
        raise MisconfiguredVault("Neither VAULT_S3_BUCKET nor VAULT_DIR says where files are kept.")
    return Directory(Path(directory))


@receiver(setting_changed)
def _reset_when_settings_change(*, setting: str, **_: Any) -> None:
    """Tests override settings; nothing else sends this signal."""
    if setting.startswith(("VAULT_", "AWS_")):
        body_shelf.cache_clear()
        key_shelf.cache_clear()
