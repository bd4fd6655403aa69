"""Redis on another host is believed only with a certificate for its name: what docs/tls.md promises of REDIS_URL.

The bundled server has no TLS, so something that ends it stands in front.
"""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache.backends.redis import RedisCache
from redis import ConnectionError as RedisUnreachable
from redis import Redis

from tests.proxies import sign


class _End(socketserver.BaseRequestHandler):
    """Carries what arrives through TLS to the server behind, and back, until one side is done."""

    server: Any

    def handle(self) -> None:
        try:
            secure = self.server.tls.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):  # A client that does not believe us hangs up.
            return
        with secure, socket.create_connection(self.server.behind) as plain:
            while True:
                ready = [secure] if secure.pending() else select.select([secure, plain], [], [], 5)[0]
                for side, other in ((secure, plain), (plain, secure)):
                    if side in ready:
                        data = side.recv(65536)
                        if not data:
                            return
                        other.sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False


@pytest.fixture
def address(tmp_path: Path, redis_server: str) -> Iterator[str]:
    """`rediss://…` of a server whose certificate is for "localhost" and signed by itself."""
    sign(tmp_path / "site", "localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "site.pem", tmp_path / "site.key")
    behind = urlsplit(redis_server)
    with _Server(("127.0.0.1", 0), _End) as server:
        server.tls, server.behind = tls, (behind.hostname, behind.port)  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"rediss://:{behind.password}@{{host}}:{server.server_address[1]}/0"
        server.shutdown()
        thread.join()


def test_a_certificate_for_the_name_from_the_given_authority_is_believed(address: str, tmp_path: Path) -> None:
    url = f"{address.format(host='localhost')}?ssl_ca_certs={tmp_path / 'site.pem'}"
    with Redis.from_url(url) as redis:
        assert redis.ping()
    cache = RedisCache(url, {})
    cache.set("a", "b")
    assert cache.get("a") == "b"
    cache._cache.get_client().connection_pool.disconnect()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("host", "query"), [("localhost", ""), ("127.0.0.1", "?ssl_ca_certs={folder}/site.pem")], ids=["signer", "name"]
)
def test_another_signer_or_another_name_is_not(address: str, tmp_path: Path, host: str, query: str) -> None:
    url = address.format(host=host) + query.format(folder=tmp_path)
    with Redis.from_url(url) as redis, pytest.raises(RedisUnreachable, match=r"(?i)certificate"):
        redis.ping()
