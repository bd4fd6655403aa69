"""The restore drill: a base backup and the log behind it while people work, then the cluster and the files are gone.

    python -m tests.chaos drill [--seconds N]

What is measured: how many seconds of what was acknowledged are lost (RPO), how long it takes until the restored
installation answers (RTO), whether the journal then says what was lost, and whether it verifies once a person
acknowledged it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from uuid import UUID

import psycopg

from namsite import devservers
from tests.chaos.documents import Known, uploads
from tests.chaos.driver import Client, Ledger, Reviewer, Uploader
from tests.chaos.site import LOOPBACK, PEOPLE, Site
from tests.installation import answers, wait_until

RPO_SECONDS = 300.0
RTO_SECONDS = 900.0
FILES_EVERY = 2.0
"""Seconds between two copies of the vault's keys in the drill; in an installation a timer says how many."""

OPTIONS = {
    "wal_level": "replica", "max_wal_senders": "4", "fsync": "on", "synchronous_commit": "on", "wal_keep_size": "256MB",
}  # fmt: skip
"""Of a cluster whose log is received elsewhere."""


@dataclass
class Times:
    """By the clock of this process, in seconds."""

    lost: float = 0.0
    restored: float = 0.0


class Drill:
    """One drill on a running installation."""

    def __init__(self, site: Site, known: list[Known]) -> None:
        self.site, self.known, self.ledger = site, known, Ledger()
        self.accepted: list[tuple[float, UUID]] = []
        self.backup = site.cluster.folder / "backup"
        self.receiver: subprocess.Popen[bytes] | None = None

    def run(self, seconds: float) -> Iterator[str]:
        """Each problem as a sentence."""
        self._begin_backup()
        people = self._people()
        self._work(seconds)
        destroyed = time.monotonic()
        self._destroy()
        for each in people:
            each.is_over.set()
        times = Times(restored=-time.monotonic())
        self._restore()
        times.restored += time.monotonic()
        times.lost = self._seconds_lost(destroyed)
        print(f"lost {times.lost:.1f} s of what was acknowledged (bar {RPO_SECONDS:.0f} s), "
              f"answered again after {times.restored:.1f} s (bar {RTO_SECONDS:.0f} s)")  # fmt: skip
        if times.lost > RPO_SECONDS:
            yield f"{times.lost:.0f} s were lost"
        if times.restored > RTO_SECONDS:
            yield f"the restore took {times.restored:.0f} s"
        yield from self._verify()

    def _begin_backup(self) -> None:
        """The log is received from now on, and the base backup is taken behind its back."""
        self.backup.mkdir(mode=0o700)
        (self.backup / "wal").mkdir(mode=0o700)
        if os.geteuid() == 0:
            for each in (self.backup, self.backup / "wal"):
                os.chown(each, self.site.cluster.user, -1)
        address = ("--host", LOOPBACK, "--port", str(self.site.cluster.port), "--username", "postgres")
        self.site.cluster.run("pg_receivewal", *address, "--slot", "drill", "--create-slot")
        self.receiver = devservers.start(
            [self.site.cluster.binaries / "pg_receivewal", *address, "--slot", "drill", "--synchronous",
             "--directory", self.backup / "wal"],
            user=self.site.cluster.user, folder=self.site.cluster.folder,
        )  # fmt: skip
        self.site.cluster.run(
            "pg_basebackup", *address, "--pgdata", self.backup / "base", "--checkpoint", "fast", "--wal-method", "none"
        )

    def _people(self) -> list[Uploader | Reviewer]:
        people: list[Uploader | Reviewer] = [
            Uploader(Client(self.site, "staff", self.ledger), uploads(self.known), self.ledger, 0.5),
            Reviewer(Client(self.site, "reviewer", self.ledger), self.ledger, 1),
        ]
        for each in people:
            each.start()
        return people

    def _work(self, seconds: float) -> None:
        """People work, the vault's keys are copied, and the journal is anchored where no restore reaches."""
        deadline, seen = time.monotonic() + seconds, 0
        copied = 0.0
        while time.monotonic() < deadline:
            with self.ledger.lock:
                fresh = list(self.ledger.documents)[seen:]
            self.accepted += [(time.monotonic(), document) for document in fresh]
            seen += len(fresh)
            if time.monotonic() - copied > FILES_EVERY:
                copied = time.monotonic()
                shutil.copytree(self.site.folder / "keys", self.backup / "keys", dirs_exist_ok=True)
            time.sleep(0.2)
        self.site.manage("anchor_journal")

    def _destroy(self) -> None:
        """The database's host and the files' disk, with no warning to anybody."""
        for name in ("postgres", "web", "worker-1", "worker-2", "scheduler-web", "scheduler-work"):
            self.site.programs[name].is_wanted = False
            self.site.programs[name].kill()
        for name in ("postgres", "web"):
            process = self.site.programs[name].process
            if process is not None:
                process.wait(30)
        if self.receiver is not None:
            self.receiver.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.receiver.wait(10)
        shutil.rmtree(self.site.cluster.data)
        for each in (self.site.folder / "keys").iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()

    def _restore(self) -> None:
        """What the guide says, step by step."""
        cluster = self.site.cluster
        for part in (self.backup / "wal").glob("*.partial"):  # The newest stretch of the log is not full yet.
            part.rename(part.with_suffix(""))
        shutil.copytree(self.backup / "base", cluster.data)
        (cluster.data / "recovery.signal").touch()
        if os.geteuid() == 0:
            for each in (cluster.data, *cluster.data.rglob("*")):
                os.chown(each, cluster.user, -1)
        cluster.data.chmod(0o700)
        cluster.options |= {
            "restore_command": f"cp {self.backup / 'wal'}/%f %p", "recovery_target_timeline": "latest",
        }  # fmt: skip
        shutil.copytree(self.backup / "keys", self.site.folder / "keys", dirs_exist_ok=True)
        self.site.programs["postgres"].is_wanted = True
        wait_until(self._is_primary, seconds=RTO_SECONDS)
        for name in ("web", "worker-1", "worker-2"):
            self.site.programs[name].is_wanted = True
        wait_until(lambda: answers(self.site.url), seconds=RTO_SECONDS)

    def _is_primary(self) -> bool:
        try:
            with closing(self.site.cluster.connect()) as connection:
                row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        except psycopg.Error:
            return False
        return row is not None and not row[0]

    def _seconds_lost(self, destroyed: float) -> float:
        """From the oldest accepted upload that is not there, or has no key, until the end; 0 where all are."""
        with closing(self.site.cluster.connect()) as connection:
            there = {row[0] for row in connection.execute("SELECT id FROM extraction_document")}
        keys = {each.name for each in (self.site.folder / "keys" / "keys").iterdir()}
        gone = [at for at, document in self.accepted if document not in there or str(document) not in keys]
        print(f"{len(self.accepted)} uploads were accepted, {len(gone)} of them are gone")
        return destroyed - min(gone) if gone else 0.0

    def _verify(self) -> Iterator[str]:
        said = self.site.manage("audit_verify", check=False)
        print(said.strip())
        told = self.site.manage("acknowledge_restore", "--by", PEOPLE["admin"], "--reason", "drill")
        print(told.strip())
        said = self.site.manage("audit_verify", check=False)
        print(said.strip())
        if " 0 problems" not in said:
            yield f"the restored journal does not verify: {said.strip()[-300:]}"
