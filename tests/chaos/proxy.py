"""A TCP proxy that can be told to misbehave: the network between two hosts of the installation.

One event loop in a thread serves any number of wires. A wire forwards to `target`, which may change while it runs (a
server that was started again), and has one `Mode` at a time; a change concerns what is open as well as what comes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")
Answer = Callable[[bytes], bytes]
"""From the head of a request to a whole HTTP response that ends its connection."""

LOOPBACK = "127.0.0.1"
BLOCK = 64 * 1024
HEAD_SECONDS = 5.0


class Mode(Enum):
    PASS = "forwards"
    STALL = "takes connections and bytes, and hands nothing on"
    CUT = "ends each connection in the middle of what it carries"
    RESET = "answers every byte with a TCP reset"
    REFUSE = "closes each connection at once"
    ANSWER = "answers HTTP by itself"


@dataclass(eq=False)
class Wire:
    """One way from a host to a server. `port` is where the host believes the server to be."""

    name: str
    target: int
    port: int = 0
    mode: Mode = Mode.PASS
    answer: Answer | None = None
    cut_after: int = 200
    """Bytes of an answer that still pass in mode CUT."""
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    passing: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode is Mode.REFUSE:
            return
        if self.mode is Mode.RESET:
            _reset(writer)
            return
        if self.mode is Mode.ANSWER and self.answer is not None:
            writer.write(self.answer(await asyncio.wait_for(_request(reader), HEAD_SECONDS)))
            await writer.drain()
            return
        await self.passing.wait()
        there, back = await asyncio.open_connection(LOOPBACK, self.target)
        self.open.add(back)
        try:
            ways = [
                asyncio.ensure_future(self._pump(reader, back)),
                asyncio.ensure_future(self._pump(there, writer, True)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self.open.discard(back)
            back.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool = False) -> None:
        passed = 0
        while block := await reader.read(BLOCK):
            await self.passing.wait()
            if self.mode is Mode.CUT and is_answer:
                left = self.cut_after - passed
                if left < len(block):
                    writer.write(block[: max(0, left)])
                    await writer.drain()
                    return
            passed += len(block)
            writer.write(block)
            await writer.drain()

    def set_mode(self, mode: Mode, answer: Answer | None = None) -> None:
        """In the loop. What is open stays open under STALL and CUT, and ends under every other change but to PASS."""
        self.mode, self.answer = mode, answer
        if mode is Mode.STALL:
            self.passing.clear()
        else:
            self.passing.set()
        if mode in (Mode.RESET, Mode.REFUSE, Mode.ANSWER):
            self.hang_up()

    def hang_up(self) -> None:
        """In the loop: resets everything that is open, as a router does that forgot its connections."""
        for writer in list(self.open):
            _reset(writer)


async def _request(reader: asyncio.StreamReader) -> bytes:
    """The head of a request, once its body has come too: a client that still sends would not listen."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    if length:
        with suppress(asyncio.IncompleteReadError):
            await reader.readexactly(length)
    return head


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport = writer.transport
    if transport is not None:
        transport.abort()


class Network:
    """Every wire of the installation. A context manager; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self.wires: dict[str, Wire] = {}
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Network:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lay(self, name: str, target: int) -> Wire:
        """A wire to a port of loopback; its own port is free and stays."""
        return self._run(self._lay(name, target))

    def set_mode(self, wire: Wire, mode: Mode, answer: Answer | None = None) -> None:
        self._run(_soon(lambda: wire.set_mode(mode, answer)))

    def hang_up(self, wire: Wire) -> None:
        self._run(_soon(wire.hang_up))

    async def _lay(self, name: str, target: int) -> Wire:
        wire = Wire(name, target)
        wire.passing.set()
        server = await asyncio.start_server(wire.serve, LOOPBACK, 0)
        self._servers.append(server)
        wire.port = server.sockets[0].getsockname()[1]
        self.wires[name] = wire
        return wire

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for wire in self.wires.values():
            wire.hang_up()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


async def _soon(act: Callable[[], None]) -> None:
    act()
