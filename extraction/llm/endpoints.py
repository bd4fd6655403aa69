"""Which addresses the model client may speak to: private ones of named hosts, and no other.

Pages hold health information, so a typing mistake, a changed DNS record or a redirect must never carry one outside.
`check_endpoint` is asked at every connection set-up and by the system checks. It resolves the name once and returns the
addresses, and the client connects to exactly these: a name that answers differently a moment later (DNS rebinding)
changes nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 1918, RFC 4193 and loopback. `ipaddress.is_private` is wider: it takes in documentation, benchmark and other
# ranges that no model server has.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
)
# Cloud metadata services whose address lies in a private range: AWS (with its DNS and time) and Google.
_METADATA = tuple(ipaddress.ip_network(network) for network in ("fd00:ec2::/32", "fd20:ce::254/128"))
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Services that answer questions for anybody. A private link to one has a private address, and is somebody else's
# computer all the same.
_SERVICES = (
    re.compile(r"(.+\.)?(openai\.com|anthropic\.com|mistral\.ai|deepseek\.com|cohere\.com|groq\.com)"),
    re.compile(r"(.+\.)?(googleapis\.com|(openai|cognitiveservices|services\.ai|api\.cognitive)\.[a-z.]*azure\.com)"),
    re.compile(r"(.+\.)?(bedrock|sagemaker)[a-z-]*\.(.+\.)?(amazonaws\.com(\.cn)?|api\.aws)"),
)


class PublicEndpoint(ValueError):
    """An address that pages may not be sent to. Its text is one plain sentence, without the address's credentials."""


class UnresolvedEndpoint(OSError):
    """The endpoint's host name has no address at this moment."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect: `host` is the name for the Host header and the certificate, `pinned` the addresses to use."""

    host: str
    port: int
    pinned: tuple[str, ...]


def check_endpoint(url: str, allowed_hosts: Collection[str] = ()) -> Address:
    """The checked addresses of `url`, in the resolver's order.

    `allowed_hosts` are the names or addresses that may be spoken to; without any, every private address may. Raises
    PublicEndpoint for an address that may not be spoken to, UnresolvedEndpoint when the name does not resolve.
    """
    parts = _parts(url)
    host = _host(parts)
    if allowed_hosts and host not in {plain_host(allowed) for allowed in allowed_hosts}:
        raise PublicEndpoint("The model endpoint's host is not in the list of allowed hosts.")
    port = _port(parts)
    pinned = _resolve(host, port)
    if not all(is_private(address) for address in pinned):
        raise PublicEndpoint("The model endpoint's host has an address that is not private.")
    return Address(host, port, pinned)


def check_is_our_own(url: str) -> None:
    """Raises PublicEndpoint for a public service, by its name: it needs no look-up, and no network."""
    host = _host(_parts(url))
    if any(service.fullmatch(host) for service in _SERVICES):
        raise PublicEndpoint("The model endpoint is a public service: pages go to the clinic's own servers only.")


def host_of(url: str) -> str:
    """The host of an endpoint in the form that `check_endpoint` compares. Raises PublicEndpoint if it has none."""
    return _host(_parts(url))


def plain_host(host: str) -> str:
    """A host name or address as it is compared: lower case, without brackets or a final dot."""
    return host.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")


def is_private(text: str) -> bool:
    """Whether an IP address is private or loopback, and no metadata service. An IPv4-mapped one is unwrapped first."""
    address: IPAddress = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in _METADATA):
        return False
    return any(address in network for network in _PRIVATE)


def _parts(url: str) -> SplitResult:
    # Parsers disagree about spaces, control characters and backslashes, so an address with one is nobody's.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise PublicEndpoint("The model endpoint is not a plain address.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise PublicEndpoint("The model endpoint is not a plain address.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise PublicEndpoint("The model endpoint must start with http:// or https://.")
    if "@" in parts.netloc:
        raise PublicEndpoint("The model endpoint must not hold a user name or password.")
    if parts.query or parts.fragment:
        raise PublicEndpoint("The model endpoint must not hold a query or a fragment.")
    return parts


def _host(parts: SplitResult) -> str:
    host = plain_host(parts.hostname or "")
    if not host:
        raise PublicEndpoint("The model endpoint has no host.")
    return host


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise PublicEndpoint("The model endpoint's port is not a number up to 65535.") from None
    return _DEFAULT_PORTS[parts.scheme] if port is None else port


def _resolve(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnresolvedEndpoint("The model endpoint's host name has no address.") from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise UnresolvedEndpoint("The model endpoint's host name has no address.")
    return addresses
