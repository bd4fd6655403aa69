#!/usr/bin/env python3
"""Checks an exported journal against its anchors, without the application that wrote it.

    python verify.py JOURNAL.jsonl --anchors ANCHORS.jsonl --key ANCHOR.pub [--clinic UUID] [--json]

    JOURNAL.jsonl   what the journal's page exports: a first line that says what it is, then one event a line
    ANCHORS.jsonl   anchors from a place of your own choice, not from who gave you the journal; may be repeated
    ANCHOR.pub      the public keys (PEM); may be repeated
    --clinic        the clinic whose journal you asked for

Exit status: 0 intact, 1 tampered, 2 incomplete (nothing wrong was found, but something stays unproven), 3 usage.

An independent reading of three formats; it shares no line with the application:

    event    hash = SHA-256("nam-audit/vN" + previous hash + canonical JSON of the event without both hashes), N 1 or 2
    anchor   Ed25519 signature of "nam-audit-anchor/v1" + canonical JSON of the anchor without its signature
    export   Ed25519 signature of "nam-audit-export/v1" + canonical JSON of the first line without its signature
    loss     Ed25519 signature of "nam-audit-restore/v1" + canonical JSON of what an audit.restored event says of a
             restore: anchors of the events that it lost are set aside

Canonical JSON is RFC 8785 (keys sorted, no white space, UTF-8). Needs Python 3.11 and `cryptography`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

INTACT, TAMPERED, INCOMPLETE, USAGE = 0, 1, 2, 3
VERSIONS = (1, 2)
GENESIS = "00" * 32
PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)

Object = dict[str, Any]


class Unreadable(ValueError):
    """A file is not of the form that it should have."""


@dataclass
class Findings:
    """What was found, in the order of finding. `tampered` speak of what cannot be so, `open` of what is not proven."""

    tampered: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return TAMPERED if self.tampered else INCOMPLETE if self.open else INTACT


def canonical(body: Object) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def without(body: Object, *names: str) -> Object:
    return {name: value for name, value in body.items() if name not in names}


# --- Files -----------------------------------------------------------------------------------------------------------


def lines(path: Path) -> Iterator[Object]:
    """Every line of a file as an object. Raises Unreadable with the line's number."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                said = json.loads(line, parse_constant=_refuse, object_pairs_hook=_once)
            except (ValueError, RecursionError):
                said = None
            if not isinstance(said, dict):
                raise Unreadable(f"line {number} of {path.name} is no JSON object")
            yield said


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


def _once(pairs: list[tuple[str, Any]]) -> Object:
    """A name that stands twice could show one reader this value and another reader that."""
    if len({name for name, _value in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def public_keys(paths: list[Path]) -> dict[str, Ed25519PublicKey]:
    """Every key by its id: 16 hexadecimal characters of the SHA-256 of the raw key."""
    found = {}
    for path in paths:
        for block in PEM.findall(path.read_bytes()):
            key = load_pem_public_key(block)
            if isinstance(key, Ed25519PublicKey):
                raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
                found[hashlib.sha256(raw).hexdigest()[:16]] = key
    if not found:
        raise Unreadable("there is no Ed25519 public key")
    return found


def is_signed(label: bytes, said: Object, keys: dict[str, Ed25519PublicKey]) -> bool | None:
    """Whether the signature is right; None where its key is not known."""
    key = keys.get(str(said.get("key")))
    if key is None:
        return None
    try:
        signature = base64.b64decode(said["signature"], validate=True)
        key.verify(signature, label + canonical(without(said, "signature")))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return True


# --- Anchors ---------------------------------------------------------------------------------------------------------


def anchors(paths: list[Path], chain: str, keys: dict[str, Ed25519PublicKey], found: Findings) -> list[Object]:
    """The anchors of the chain whose signatures hold, by number. Those of other chains are passed over."""
    good: dict[int, Object] = {}
    others = 0
    for path in paths:
        for said in lines(path):
            signed = is_signed(b"nam-audit-anchor/v1", said, keys)
            if signed is False or (signed and not _is_anchor(said)):
                found.tampered.append(f"anchor {said.get('number')}: its signature is wrong")
            elif signed is None:
                found.open.append(f"anchor {said.get('number')}: signed by a key that is not known here")
            elif said["chain"] != chain:
                others += 1
            elif canonical(good.setdefault(said["number"], said)) != canonical(said):
                found.tampered.append(f"anchor {said['number']}: there are two of this number")
    if others and not good:
        found.tampered.append("every anchor is of another chain")
    ordered = [good[number] for number in sorted(good)]
    _check_order(ordered, found)
    return ordered


def _is_anchor(said: Object) -> bool:
    return (
        isinstance(said.get("chain"), str)
        and type(said.get("number")) is int
        and type(said.get("seq")) is int
        and isinstance(said.get("hash"), str)
        and _is_time(said)
    )


def _check_order(ordered: list[Object], found: Findings) -> None:
    """Each names the one before it. A missing one is no tampering: the next speaks for all that came before."""
    for before, after in pairwise(ordered):
        if after["number"] != before["number"] + 1:
            found.open.append(f"anchor {before['number'] + 1} is missing")
            continue
        digest = hashlib.sha256(b"nam-audit-anchor/v1" + canonical(without(before, "signature"))).hexdigest()
        if after.get("previous") != digest:
            found.tampered.append(f"anchor {after['number']} does not follow from the one before it")


# --- Events ----------------------------------------------------------------------------------------------------------


def link(event: Object) -> str:
    """The hash that an event should have, in hexadecimal; empty where its version is not known."""
    version = event.get("version", 1)
    if type(version) is not int or version not in VERSIONS:
        return ""
    body = canonical(without(event, "prev_hash", "hash"))
    return hashlib.sha256(f"nam-audit/v{version}".encode() + bytes.fromhex(event["prev_hash"]) + body).hexdigest()


def check_events(events: Iterator[Object], head: Object, ordered: list[Object], found: Findings) -> int:
    """Walks the events; returns the number of the last one (one less than the first announced where there is none)."""
    chain, expected = head["chain"], head["first"]
    previous = GENESIS if expected == 1 else head["prev_hash"]
    signed = {anchor["seq"]: anchor["hash"] for anchor in ordered}
    for event in events:
        seq = event.get("seq") if type(event.get("seq")) is int else 0
        if event.get("clinic_id") != chain:
            found.tampered.append(f"event {seq} is of another clinic")
        if seq != expected:
            found.tampered.append(f"event {expected} is missing or out of its place")
        elif event.get("prev_hash") != previous:
            found.tampered.append(f"event {seq} does not follow from the one before it")
        if not _holds(event):
            found.tampered.append(f"event {seq} was changed")
        elif signed.get(seq, event["hash"]) != event["hash"]:
            found.tampered.append(f"event {seq} is not the one that its anchor speaks of: the chain was computed anew")
        previous, expected = str(event.get("hash")), (seq or expected) + 1
    if expected - 1 == head["last"] and previous != head["hash"]:
        found.tampered.append(f"event {head['last']} is not the one that the export was made with")
    return int(expected) - 1


def _holds(event: Object) -> bool:
    try:
        return bool(event["hash"] == link(event))
    except (KeyError, TypeError, ValueError):
        return False


def losses(events: Iterator[Object], chain: str, keys: dict[str, Ed25519PublicKey]) -> list[Object]:
    """What people acknowledged that restores lost, where the signature holds."""
    found = []
    for event in events:
        details = event.get("details")
        if event.get("verb") != "audit.restored" or not isinstance(details, dict):
            continue
        said = details | {"chain": chain, "by": str(event.get("actor_id")), "reason": event.get("reason_code")}
        numbers = all(type(said.get(name)) is int for name in ("first", "last", "first_anchor", "last_anchor"))
        if numbers and is_signed(b"nam-audit-restore/v1", said, keys):
            found.append(said)
    return found


def is_lost(anchor: Object, gone: list[Object]) -> bool:
    return any(
        loss["first_anchor"] <= anchor["number"] <= loss["last_anchor"] and anchor["seq"] >= loss["first"]
        for loss in gone
    )


# --- The whole -------------------------------------------------------------------------------------------------------


def check_end(last: int, head: Object, ordered: list[Object], found: Findings) -> None:
    """Whether the export ends where it should."""
    if last < head["last"]:
        found.tampered.append(f"events {last + 1} to {head['last']} are cut off")
    elif last > head["last"]:
        found.tampered.append(f"there are events behind {head['last']}, where the export ended")
    if not ordered:
        found.open.append("there is no anchor of this chain: nothing shows that it was not computed anew")
        return
    newest = ordered[-1]["seq"]
    if newest < last:
        found.open.append(f"events {newest + 1} to {last}: no anchor speaks of them yet")
    made = datetime.fromisoformat(head["at"])
    gone = [anchor for anchor in ordered if anchor["seq"] > last and datetime.fromisoformat(anchor["at"]) <= made]
    if head["is_to_head"] and gone:
        found.tampered.append(f"events {last + 1} to {gone[-1]['seq']} were anchored before the export and are gone")


def check(journal: Path, anchor_files: list[Path], key_files: list[Path], clinic: str | None) -> tuple[Findings, int]:
    """What was found, and how many events were looked at. Raises Unreadable, OSError."""
    found, keys = Findings(), public_keys(key_files)
    said = lines(journal)
    head = next(said, {})
    if head.get("format") != "nam-audit-export/v1":
        raise Unreadable("the first line does not say that this is an exported journal")
    signed = is_signed(b"nam-audit-export/v1", head, keys)
    if signed is False and head.get("signature"):
        found.tampered.append("the first line was changed: its signature is wrong")
    elif not signed:
        found.open.append("nobody known signed where this export ends")
    if clinic is not None and head.get("chain") != clinic:
        found.tampered.append("this is the journal of another clinic")
    if not _is_head(head):
        found.tampered.append("the first line does not say what it should")
        return found, 0
    ordered = anchors(anchor_files, head["chain"], keys, found)
    try:
        gone = losses(lines(journal), head["chain"], keys)
        ordered = [anchor for anchor in ordered if not is_lost(anchor, gone)]
        last = check_events(said, head, ordered, found)
    except Unreadable as error:
        found.tampered.append(str(error))
        return found, 0
    check_end(last, head, ordered, found)
    return found, last - head["first"] + 1


def _is_head(head: Object) -> bool:
    numbers = type(head.get("first")) is int and type(head.get("last")) is int and type(head.get("is_to_head")) is bool
    return (
        numbers and all(isinstance(head.get(name), str) for name in ("chain", "hash", "prev_hash")) and _is_time(head)
    )


def _is_time(said: Object) -> bool:
    try:
        return datetime.fromisoformat(said["at"]).tzinfo is not None
    except (ValueError, KeyError, TypeError):
        return False


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="verify.py", description="Checks an exported journal against its anchors.")
    parser.add_argument("journal", type=Path)
    parser.add_argument("--anchors", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--key", type=Path, action="append", default=[], metavar="FILE", required=True)
    parser.add_argument("--clinic", metavar="UUID")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    try:
        options = parser.parse_args(arguments)
        found, events = check(options.journal, options.anchors, options.key, options.clinic)
    except SystemExit as stop:
        return USAGE if stop.code else INTACT
    except (OSError, ValueError) as error:
        sys.stderr.write(f"verify.py: {error}\n")
        return USAGE
    word = {INTACT: "intact", TAMPERED: "tampered", INCOMPLETE: "incomplete"}[found.status]
    if options.json:
        report = {"verdict": word, "events": events, "tampered": found.tampered, "open": found.open}
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in [*found.tampered, *found.open, f"{events} events: {word}"]))
    return found.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
