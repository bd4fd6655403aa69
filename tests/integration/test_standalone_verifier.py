"""The verifier that an auditor takes away: one file, run by a bare interpreter, and what it finds."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from audit import signing
from audit.record import record_alone
from audit.verbs import Verb
from tests.exported import CLINIC, OTHER, exported

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "audit" / "standalone" / "verify.py"
INTACT, TAMPERED, INCOMPLETE, USAGE = 0, 1, 2, 3


@pytest.fixture
def export(tmp_path, settings):
    settings.AUDIT_ANCHOR_KEY_FILE = str(tmp_path / "anchor.pem")
    signing.make(tmp_path / "anchor.pem")
    return exported(tmp_path)


def verified(folder, arguments):
    """Runs a copy of the file alone, isolated and without any environment: (exit status, report)."""
    alone = folder / "alone"
    alone.mkdir(exist_ok=True)
    shutil.copy(VERIFIER, alone / "verify.py")
    command = [sys.executable, "-I", str(alone / "verify.py"), *arguments, "--json"]
    done = subprocess.run(command, cwd=alone, env={}, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


def rehash(lines, first):
    """Computes the chain anew from line `first` on, as the format says: who has the database can do that."""
    previous = lines[first - 1]["hash"] if first > 1 else "00" * 32
    for event in lines[first:]:
        event["prev_hash"] = previous
        body = {name: value for name, value in event.items() if name not in ("prev_hash", "hash")}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        label = f"nam-audit/v{event.get('version', 1)}".encode()
        event["hash"] = previous = hashlib.sha256(label + bytes.fromhex(previous) + text).hexdigest()


def test_it_imports_nothing_but_the_standard_library_and_cryptography():
    tree = ast.parse(VERIFIER.read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"cryptography"}


def test_an_untouched_export_is_intact(export, tmp_path):
    status, report = verified(tmp_path, export.arguments())
    assert (status, report["events"], report["verdict"]) == (INTACT, 20, "intact")


def changed(export):
    export.journal[3]["page"] = 99


def deleted(export):
    del export.journal[7]


def truncated(export):
    del export.journal[-3:]


def truncated_with_its_first_line(export):
    del export.journal[-3:]
    export.journal[0] |= {"last": 17, "hash": export.journal[-1]["hash"]}


def computed_anew(export):
    export.journal[3]["page"] = 99
    rehash(export.journal, 4)


def computed_anew_and_reannounced(export):
    computed_anew(export)
    export.journal[0]["hash"] = export.journal[-1]["hash"]


def inserted(export):
    export.journal.insert(5, dict(export.journal[4]))


def reordered(export):
    export.journal[5], export.journal[6] = export.journal[6], export.journal[5]


def added_behind_the_end(export):
    export.journal.append(dict(export.journal[-1], seq=21))
    rehash(export.journal, 21)


def of_an_older_form(export):
    """A version 2 event without its context, computed anew as version 1."""
    for name in ("version", "context"):
        del export.journal[20][name]
    rehash(export.journal, 20)


def forged_anchor(export):
    export.anchors[1]["hash"] = "11" * 32


def anchor_of_another_signature(export):
    export.anchors[1]["signature"] = export.anchors[0]["signature"]


def anchor_of_another_chain(export):
    for anchor in export.anchors:
        anchor["chain"] = str(OTHER)


@pytest.mark.parametrize("attack", [
    changed, deleted, truncated, truncated_with_its_first_line, computed_anew, computed_anew_and_reannounced, inserted,
    reordered, added_behind_the_end, of_an_older_form, forged_anchor, anchor_of_another_signature,
    anchor_of_another_chain,
])  # fmt: skip
def test_it_finds(export, tmp_path, attack):
    attack(export)
    status, report = verified(tmp_path, export.arguments())
    assert status == TAMPERED, report


def test_a_tail_that_was_cut_off_before_the_export_is_found(export, tmp_path, settings):
    """Rows and head were removed in the database; the export is then made and signed as if nothing had been."""
    shorter = exported(tmp_path, count=17)
    shorter.journal[0] = resigned(shorter.journal[0] | {"at": export.journal[0]["at"]})
    shorter.anchors = export.anchors
    status, report = verified(tmp_path, shorter.arguments())
    assert (status, report["tampered"]) == (TAMPERED, ["events 18 to 20 were anchored before the export and are gone"])


def resigned(head):
    import base64

    from audit.chain import canonical_json
    from audit.notes import EXPORT_LABEL

    body = {name: value for name, value in head.items() if name != "signature"}
    signature = signing.private_key().sign(EXPORT_LABEL + canonical_json(body))
    return body | {"signature": base64.b64encode(signature).decode()}


def test_later_anchors_speak_for_an_older_export(export, tmp_path):
    older = exported(tmp_path, count=14)
    older.anchors = export.anchors
    assert verified(tmp_path, older.arguments())[0] == INTACT


def test_swapped_clinics_are_found(export, tmp_path):
    """Another clinic's journal with its own anchors is intact; that it is not the one that was asked for is said."""
    other = exported(tmp_path, OTHER)
    assert verified(tmp_path, [*other.arguments(), "--clinic", str(OTHER)])[0] == INTACT
    assert verified(tmp_path, [*other.arguments(), "--clinic", str(CLINIC)])[0] == TAMPERED
    mixed = exported(tmp_path)
    mixed.journal[1:] = other.journal[1:]
    assert verified(tmp_path, mixed.arguments())[0] == TAMPERED
    mixed = exported(tmp_path)
    mixed.anchors = other.anchors
    assert verified(tmp_path, mixed.arguments())[0] == TAMPERED


def no_anchors(export):
    export.anchors.clear()


def no_newest_anchor(export):
    export.anchors.pop()


def no_signature(export):
    for name in ("key", "signature"):
        export.journal[0].pop(name)


@pytest.mark.parametrize("lack", [no_anchors, no_newest_anchor, no_signature])
def test_what_is_not_proven_is_incomplete(export, tmp_path, lack):
    lack(export)
    assert verified(tmp_path, export.arguments())[0] == INCOMPLETE


def test_a_key_that_is_not_the_signers_proves_nothing(export, tmp_path):
    arguments = export.arguments()
    signing.make(tmp_path / "other.pem")
    arguments[arguments.index("--key") + 1] = str(tmp_path / "other.pem.pub")
    assert verified(tmp_path, arguments)[0] == INCOMPLETE


def test_an_export_is_verified_after_a_key_rotation(export, tmp_path):
    arguments = export.arguments()
    signing.make(tmp_path / "next.pem")
    with (tmp_path / "anchor.pem.pub").open("ab") as keys:
        keys.write((tmp_path / "next.pem.pub").read_bytes())
    assert verified(tmp_path, arguments)[0] == INTACT


@pytest.mark.parametrize("text", ["", "no JSON\n", '{"format": "something else"}\n', '{"a": 1, "a": 2}\n', "[]\n"])
def test_what_is_no_export_is_a_usage_error(export, tmp_path, text):
    arguments = export.arguments()
    (tmp_path / "journal.jsonl").write_text(text)
    assert verified(tmp_path, arguments)[0] == USAGE


@pytest.mark.parametrize("arguments", [[], ["nothing.jsonl", "--key", "nothing.pub"]])
def test_missing_files_are_a_usage_error(tmp_path, arguments):
    assert verified(tmp_path, arguments)[0] == USAGE


@pytest.mark.django_db
def test_the_command_exports_what_it_takes_to_verify(staff, export, tmp_path, settings):
    settings.AUDIT_ANCHOR_DIRS = []
    for _turn in range(3):
        record_alone(Verb.LIST_VIEWED, by=staff, count=3)
    clinic, folder = staff.clinic_id, tmp_path / "out"
    call_command("export_journal", str(clinic), str(folder))
    status, report = verified(
        tmp_path,
        [str(folder / f"{clinic}.jsonl"), "--anchors", str(folder / f"{clinic}.anchors.jsonl"), "--key",
         str(folder / "anchor.pub"), "--clinic", str(clinic)],
    )  # fmt: skip
    assert (status, report["tampered"], report["open"]) == (INTACT, [], [])


# --- At random -------------------------------------------------------------------------------------------------------


def main():
    """The verifier's own `main`, in this process."""
    spec = importlib.util.spec_from_file_location("standalone_verify", VERIFIER)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.main


NAMES = ("page", "count", "verb", "actor_name", "at", "seq", "clinic_id", "subject", "details", "hash", "prev_hash",
         "version", "context", "outcome", "ip")  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 30), st.floats(-9, 9), st.text(max_size=5),
    st.sampled_from(["doc.viewed_page", str(OTHER), "00" * 32, "success", "administration", {"blind": "1"}, {}]),
)  # fmt: skip
PLACE = st.integers(1, 19)


class Tampering(RuleBasedStateMachine):
    """Somebody changes an export, one step after the other; only the untouched one is intact."""

    @initialize()
    def export_anew(self):
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        signing.make(folder / "anchor.pem")
        with override_settings(AUDIT_ANCHOR_KEY_FILE=str(folder / "anchor.pem")):
            self.export = exported(folder)
        self.original = json.dumps(self.export.journal)
        self.main = main()

    def line(self, place):
        return self.export.journal[1 + place % (len(self.export.journal) - 1)] if len(self.export.journal) > 1 else {}

    @rule(place=PLACE, name=st.sampled_from(NAMES), value=VALUES)
    def change(self, place, name, value):
        self.line(place)[name] = value

    @rule(place=PLACE, name=st.sampled_from(NAMES))
    def forget(self, place, name):
        self.line(place).pop(name, None)

    @rule(place=PLACE)
    def delete(self, place):
        del self.export.journal[place : place + 1]

    @rule(place=PLACE)
    def cut_off(self, place):
        del self.export.journal[place:]

    @rule(place=PLACE, other=PLACE)
    def copy(self, place, other):
        self.export.journal.insert(place, dict(self.line(other)))

    @rule(place=PLACE, other=PLACE)
    def swap(self, place, other):
        lines = self.export.journal
        if max(place, other) < len(lines):
            lines[place], lines[other] = lines[other], lines[place]

    @rule(place=PLACE)
    def compute_anew(self, place):
        try:
            rehash(self.export.journal, min(place, len(self.export.journal) - 1))
        except (KeyError, ValueError, TypeError, AttributeError):
            return

    @rule(name=st.sampled_from(["last", "first", "hash", "chain", "is_to_head", "at", "prev_hash"]), value=VALUES)
    def announce(self, name, value):
        self.export.journal[0][name] = value

    @rule()
    def announce_what_is_there(self):
        lines = self.export.journal
        lines[0] |= {"last": len(lines) - 1, "hash": lines[-1].get("hash")}

    @invariant()
    def only_the_untouched_one_is_intact(self):
        if not hasattr(self, "export"):
            return
        is_untouched = json.dumps(self.export.journal) == self.original
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            status = self.main(self.export.arguments())
        assert (status == INTACT) == is_untouched

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()


Tampering.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=12)
TestTampering = Tampering.TestCase
