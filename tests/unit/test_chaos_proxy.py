"""The network of the chaos does what it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import Mode, Network, Wire

PATIENCE = 0.3


@pytest.fixture
def wire() -> Iterator[tuple[Network, Wire]]:
    """To a server that answers each block with the same."""
    with socket.create_server(("127.0.0.1", 0)) as server, Network() as network:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        yield network, network.lay("echo", server.getsockname()[1])


def _echo(server):
    while True:
        try:
            connection, _address = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection):
    with connection:
        try:
            while block := connection.recv(4096):
                connection.sendall(block)
        except OSError:
            return


def call(port):
    opened = socket.create_connection(("127.0.0.1", port), timeout=5)
    opened.settimeout(5)
    return opened


def test_it_passes_bytes_both_ways(wire):
    with call(wire[1].port) as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"


def test_what_is_stalled_comes_through_once_it_passes(wire):
    network, way = wire
    with call(way.port) as client:
        network.set_mode(way, Mode.STALL)
        client.sendall(b"late")
        client.settimeout(PATIENCE)
        with pytest.raises(TimeoutError):
            client.recv(10)
        client.settimeout(5)
        network.set_mode(way, Mode.PASS)
        assert client.recv(10) == b"late"


def test_an_answer_is_cut_in_the_middle(wire):
    network, way = wire
    way.cut_after = 3
    network.set_mode(way, Mode.CUT)
    with call(way.port) as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hel"
        assert client.recv(10) == b""


@pytest.mark.parametrize("mode", [Mode.RESET, Mode.REFUSE])
def test_what_is_open_is_reset(wire, mode):
    network, way = wire
    with call(way.port) as client:
        client.sendall(b"hello")
        client.recv(10)
        network.set_mode(way, mode)
        with pytest.raises(ConnectionResetError):
            client.recv(10)


def test_it_answers_a_request_by_itself(wire):
    network, way = wire
    network.set_mode(way, Mode.ANSWER, lambda head: head.split(b" ")[1])
    with call(way.port) as client:
        client.sendall(b"POST /path HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        assert client.recv(10) == b"/path"
