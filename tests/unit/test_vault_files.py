"""Encrypted files on a directory."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vault import files
from vault.errors import MisconfiguredVault, MissingFile, VaultError, VaultUnavailable
from vault.files import CHUNK_BYTES, EncryptedFileStore, file_store, open_body, seal_body
from vault.keys import reset_keyring
from vault.shelves import Directory

NAME = "6f1d2c3b-0000-4000-8000-00000000000a"
OTHER = "6f1d2c3b-0000-4000-8000-00000000000b"
CLINIC = b"clinic 1"
TEXT = b"%PDF-1.7 TREM04121925"
KEY = bytes(range(32))


def key(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


@pytest.fixture(autouse=True)
def configured(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.VAULT_KEYS = f"k1:{key(1)}"
    settings.VAULT_INDEX_KEY = key(9)
    settings.VAULT_KMS_KEY_ID = ""
    settings.VAULT_S3_BUCKET = ""
    settings.VAULT_DIR = tmp_path / "vault"
    yield
    reset_keyring()
    file_store.cache_clear()


@pytest.fixture
def store() -> EncryptedFileStore:
    return file_store()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "vault"


# Keeping


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_000])
def test_a_file_comes_back_as_it_was(store: EncryptedFileStore, size: int) -> None:
    data = (b"0123456789" * (size // 10 + 1))[:size]
    store.put(NAME, data, aad=CLINIC)
    assert store.get(NAME, aad=CLINIC) == data


def test_the_disk_holds_no_plaintext_and_no_repeated_block(store: EncryptedFileStore, root: Path) -> None:
    store.put(NAME, TEXT * 1000, aad=CLINIC)
    body = (root / "files" / NAME).read_bytes()
    assert TEXT not in body
    assert body[9:25] not in body[25:]


def test_a_second_put_replaces_the_first(store: EncryptedFileStore) -> None:
    store.put(NAME, b"first", aad=CLINIC)
    store.put(NAME, b"second", aad=CLINIC)
    assert store.get(NAME, aad=CLINIC) == b"second"


def test_equal_files_have_unrelated_bodies(store: EncryptedFileStore, root: Path) -> None:
    for name in (NAME, OTHER):
        store.put(name, TEXT, aad=CLINIC)
    assert (root / "files" / NAME).read_bytes()[9:] != (root / "files" / OTHER).read_bytes()[9:]


def test_names_lists_whole_files_and_orphans(store: EncryptedFileStore, root: Path) -> None:
    assert list(store.names()) == []
    store.put(OTHER, TEXT, aad=CLINIC)
    store.put(NAME, TEXT, aad=CLINIC)
    (root / "keys" / OTHER).unlink()
    (root / "files" / ".half-written").touch()
    assert list(store.names()) == [NAME, OTHER]
    assert [store.exists(name) for name in (NAME, OTHER)] == [True, False]


def test_a_put_that_broke_off_halfway_can_be_done_again(
    store: EncryptedFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/secret/path")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(VaultUnavailable) as raised:
            store.put(NAME, TEXT, aad=CLINIC)
    assert "/secret/path" not in str(raised.value)
    assert not store.exists(NAME)
    store.put(NAME, TEXT, aad=CLINIC)
    assert store.get(NAME, aad=CLINIC) == TEXT


def test_a_failed_replacement_leaves_the_old_file_and_no_litter(
    store: EncryptedFileStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(NAME, b"old", aad=CLINIC)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "input/output error")))
        with pytest.raises(VaultUnavailable):
            store.put(NAME, b"new", aad=CLINIC)
    assert store.get(NAME, aad=CLINIC) == b"old"
    assert [entry.name for entry in root.rglob("*") if entry.is_file()] == [NAME, NAME]


def test_a_second_writer_uses_the_key_of_the_first(root: Path) -> None:
    first, second = EncryptedFileStore(Directory(root)), EncryptedFileStore(Directory(root))
    earlier = first._key_for_writing(NAME, CLINIC)
    assert second._key_for_writing(NAME, CLINIC) == earlier


def test_only_the_owner_may_read(store: EncryptedFileStore, root: Path) -> None:
    old = os.umask(0)
    try:
        store.put(NAME, TEXT, aad=CLINIC)
    finally:
        os.umask(old)
    modes = {stat.S_IMODE(entry.stat().st_mode) for entry in (root, root / "keys", root / "files")}
    assert modes == {0o700}
    assert {stat.S_IMODE((root / kind / NAME).stat().st_mode) for kind in ("keys", "files")} == {0o600}


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "dossier.pdf", "g", "a\n", "a" * 129, "a b", "."])
@pytest.mark.parametrize("action", ["put", "get", "delete", "exists", "rewrap"])
def test_any_other_name_is_refused_without_being_shown(store: EncryptedFileStore, action: str, name: str) -> None:
    given: dict[str, Any] = {"put": {"data": b"", "aad": b""}, "get": {"aad": b""}, "rewrap": {"aad": b""}}
    with pytest.raises(VaultError, match="lower-case hexadecimal") as raised:
        getattr(store, action)(name, **given.get(action, {}))
    assert "dossier" not in str(raised.value)


# Destroying


def test_a_deleted_file_is_gone_and_deleting_again_is_no_error(store: EncryptedFileStore, root: Path) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    for _ in range(2):
        store.delete(NAME)
    assert not store.exists(NAME)
    assert [entry for entry in root.rglob("*") if entry.is_file()] == []
    with pytest.raises(MissingFile):
        store.get(NAME, aad=CLINIC)


def test_a_body_from_a_backup_is_unreadable_once_its_key_is_destroyed(store: EncryptedFileStore, root: Path) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    shutil.copytree(root / "files", root / "backup")
    store.delete(NAME)
    shutil.copytree(root / "backup", root / "files", dirs_exist_ok=True)
    with pytest.raises(MissingFile):
        store.get(NAME, aad=CLINIC)
    store.put(OTHER, b"", aad=CLINIC)
    shutil.copy(root / "keys" / OTHER, root / "keys" / NAME)
    with pytest.raises(VaultError):
        store.get(NAME, aad=CLINIC)


# Tampering


@pytest.mark.parametrize("kind", ["keys", "files"])
def test_each_altered_byte_on_the_disk_raises(store: EncryptedFileStore, root: Path, kind: str) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    whole = (root / kind / NAME).read_bytes()
    for position in range(len(whole)):
        altered = bytearray(whole)
        altered[position] ^= 1
        (root / kind / NAME).write_bytes(altered)
        with pytest.raises(VaultError):
            store.get(NAME, aad=CLINIC)


def test_another_clinic_cannot_open_a_file(store: EncryptedFileStore) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    with pytest.raises(VaultError):
        store.get(NAME, aad=b"clinic 2")


@pytest.mark.parametrize("kinds", [("files",), ("keys",), ("keys", "files")])
def test_a_file_put_in_the_place_of_another_raises(
    store: EncryptedFileStore, root: Path, kinds: tuple[str, ...]
) -> None:
    for name in (NAME, OTHER):
        store.put(name, TEXT, aad=CLINIC)
    for kind in kinds:
        shutil.copy(root / kind / NAME, root / kind / OTHER)
    with pytest.raises(VaultError):
        store.get(OTHER, aad=CLINIC)


def chunks(body: bytes) -> list[bytes]:
    size = CHUNK_BYTES + 16
    return [body[start : start + size] for start in range(9, len(body), size)]


@pytest.mark.parametrize(
    "order",
    [[], [0], [0, 1], [1, 0, 2], [0, 2], [1, 2], [0, 1, 2, 2], [0, 1, 1, 2], [2], [2, 1, 0]],
    ids=str,
)
def test_chunks_cut_off_reordered_repeated_or_left_out_raise(order: list[int]) -> None:
    body = seal_body(b"x" * (3 * CHUNK_BYTES), key=KEY, aad=b"a")
    parts = chunks(body)
    assert open_body(body[:9] + b"".join(parts), key=KEY, aad=b"a") == b"x" * (3 * CHUNK_BYTES)
    with pytest.raises(VaultError):
        open_body(body[:9] + b"".join(parts[number] for number in order), key=KEY, aad=b"a")


@pytest.mark.parametrize("extra", [b"\0", bytes(16), bytes(CHUNK_BYTES + 16)], ids=len)
def test_a_lengthened_body_raises(extra: bytes) -> None:
    body = seal_body(b"x" * (CHUNK_BYTES + 5), key=KEY, aad=b"a")
    with pytest.raises(VaultError):
        open_body(body + extra, key=KEY, aad=b"a")


def test_each_cut_raises() -> None:
    body = seal_body(TEXT, key=KEY, aad=b"a")
    for length in range(len(body)):
        with pytest.raises(VaultError):
            open_body(body[:length], key=KEY, aad=b"a")


def test_chunks_of_two_bodies_under_one_key_do_not_mix() -> None:
    one, other = (seal_body(byte * (2 * CHUNK_BYTES), key=KEY, aad=b"a") for byte in (b"x", b"y"))
    with pytest.raises(VaultError):
        open_body(one[:9] + chunks(one)[0] + chunks(other)[1], key=KEY, aad=b"a")


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (
            b"golden",
            hashlib.sha256(bytes.fromhex("0100010203040506074e6b3a00176d5c2534990e7c4453acb19cb7d32d5e8e")).hexdigest(),
        ),
        (bytes(CHUNK_BYTES) + b"golden", "be5fd1ae1622cac930603c791b6953177c1b63dfee6f4d42a23d29ec09b6172b"),
    ],
    ids=["one chunk", "two chunks"],
)
def test_the_format_never_changes_by_accident(data: bytes, digest: str) -> None:
    body = files._seal_body_with_prefix(data, key=KEY, aad=b"0a\0clinic", prefix=bytes(range(8)))
    assert hashlib.sha256(body).hexdigest() == digest
    assert open_body(body, key=KEY, aad=b"0a\0clinic") == data


# Rotation


def test_rewrapping_moves_the_key_and_leaves_the_body(store: EncryptedFileStore, root: Path, settings: Any) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    body = (root / "files" / NAME).read_bytes()
    settings.VAULT_KEYS = f"k2:{key(2)},k1:{key(1)}"
    assert store.get(NAME, aad=CLINIC) == TEXT
    assert [store.rewrap(NAME, aad=CLINIC) for _ in range(2)] == [True, False]
    settings.VAULT_KEYS = f"k2:{key(2)}"
    assert store.get(NAME, aad=CLINIC) == TEXT
    assert (root / "files" / NAME).read_bytes() == body


def test_a_file_under_a_retired_key_raises(store: EncryptedFileStore, settings: Any) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    settings.VAULT_KEYS = f"k2:{key(2)}"
    with pytest.raises(VaultError, match="not in the keyring"):
        store.get(NAME, aad=CLINIC)


def test_rewrapping_does_not_bring_back_a_file_deleted_meanwhile(
    store: EncryptedFileStore, root: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    settings.VAULT_KEYS = f"k2:{key(2)},k1:{key(1)}"
    really_read = Directory.read

    def read_then_deleted(self: Directory, place: str) -> bytes:
        found = really_read(self, place)
        store.delete(NAME)
        return found

    monkeypatch.setattr(Directory, "read", read_then_deleted)
    with pytest.raises(MissingFile):
        store.rewrap(NAME, aad=CLINIC)
    assert list(store.names()) == []


# The store of the settings


def test_without_a_place_there_is_no_store(settings: Any) -> None:
    settings.VAULT_DIR = ""
    with pytest.raises(MisconfiguredVault):
        file_store()


def test_the_store_is_made_once() -> None:
    assert file_store() is file_store()


# What a killed writer leaves


def test_what_a_killed_writer_left_goes_after_an_hour_and_nothing_else(store: EncryptedFileStore, root: Path) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    young, old = root / "files" / ".young", root / "files" / ".old"
    for half in (young, old):
        half.write_bytes(b"half")
    os.utime(old, (0, 0))
    os.utime(root / "files" / NAME, (0, 0))
    store.forget_leftovers()
    assert (young.exists(), old.exists()) == (True, False)
    assert store.get(NAME, aad=CLINIC) == TEXT
