"""A TLS ClientHello written by hand, so that a server can be offered what no client of today offers any more.

RFC 8446 s. 4.1.2 and RFC 5246 s. 7.4.1.2; the numbers are those of IANA's registry "TLS Parameters".
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

SSL3, TLS10, TLS11, TLS12 = 0x0300, 0x0301, 0x0302, 0x0303
X25519, P256, P384 = 0x001D, 0x0017, 0x0018
STRONG = {
    0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256",
    0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
    0xC02F: "ECDHE-RSA-AES128-GCM-SHA256",
    0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
    0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305",
    0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305",
}
_HANDSHAKE, _ALERT, _CLIENT_HELLO, _SERVER_HELLO = 22, 21, 1, 2
_NAME, _GROUPS, _FORMATS, _SIGNATURES, _RENEGOTIATION = 0, 10, 11, 13, 0xFF01
_SCHEMES = (0x0403, 0x0503, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
_RANDOM = 32


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a server agreed to: TLS 1.2's version number and before, the suite, and the compression."""

    version: int
    suite: int
    compression: int


def offer(
    port: int,
    *,
    name: str,
    suites: Sequence[int],
    version: int = TLS12,
    groups: Sequence[int] = (X25519, P256, P384),
    compressions: Sequence[int] = (0,),
) -> Chosen | None:
    """What the server at this port of loopback chooses of an offer; None if it refuses (an alert, or a closed line)."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(_record(_hello(name, suites, version, groups, compressions), version))
        kind, body = _answer(connection)
    if kind in (None, _ALERT):
        return None
    if kind != _HANDSHAKE or body[0] != _SERVER_HELLO:
        raise AssertionError(f"not an answer to a greeting: record {kind}")
    chosen, session = body[4:], 2 + _RANDOM
    after = session + 1 + chosen[session]
    return Chosen(int.from_bytes(chosen[:2]), int.from_bytes(chosen[after : after + 2]), chosen[after + 2])


def _hello(name: str, suites: Sequence[int], version: int, groups: Sequence[int], compressions: Sequence[int]) -> bytes:
    host = name.encode()
    extensions = b"".join(
        (
            _extension(_NAME, _sized(b"\x00" + _sized(host))),
            _extension(_GROUPS, _numbers(groups)),
            _extension(_FORMATS, b"\x01\x00"),
            _extension(_SIGNATURES, _numbers(_SCHEMES)),
            _extension(_RENEGOTIATION, b"\x00"),
        )
    )
    body = b"".join(
        (
            struct.pack(">H", version),
            os.urandom(_RANDOM),
            b"\x00",
            _numbers(suites),
            bytes([len(compressions), *compressions]),
            b"" if version == SSL3 else _sized(extensions),
        )
    )
    return bytes([_CLIENT_HELLO]) + len(body).to_bytes(3) + body


def _record(handshake: bytes, version: int) -> bytes:
    return struct.pack(">BH", _HANDSHAKE, min(version, TLS10)) + _sized(handshake)


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">H", kind) + _sized(body)


def _numbers(values: Sequence[int]) -> bytes:
    return _sized(b"".join(struct.pack(">H", value) for value in values))


def _sized(body: bytes) -> bytes:
    return struct.pack(">H", len(body)) + body


def _answer(connection: socket.socket) -> tuple[int | None, bytes]:
    """The first record's kind and body; (None, b"") where the line is closed without one."""
    try:
        head = _exactly(connection, 5)
        return head[0], _exactly(connection, int.from_bytes(head[3:5]))
    except (EOFError, ConnectionResetError):
        return None, b""


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
