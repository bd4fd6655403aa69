"""The addresses that pages may be sent to."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from extraction.llm.endpoints import PublicEndpoint, UnresolvedEndpoint, check_endpoint, host_of, is_private

ATTACK = pytest.mark.attack("outbound", "refused")


def resolving_to(*addresses: str) -> Any:
    """A resolver that gives these addresses for every name."""

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return getaddrinfo


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_to(*addresses: str) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", resolving_to(*addresses))

    return set_to


@pytest.mark.parametrize(
    "address",
    [
        "10.0.3.50",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "fd12:3456::1",
        "::ffff:10.0.0.1",
    ],
)
def test_private_and_loopback_addresses_are_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "192.169.0.1",
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "fe80::1%1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.2.1",
        "198.18.0.1",
        "240.0.0.1",
        "2001:db8::1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
    ],
)
def test_every_other_address_is_not_private(address: str) -> None:
    assert not is_private(address)


def test_a_private_endpoint_is_pinned_to_its_address() -> None:
    address = check_endpoint("http://10.0.3.50:8000/v1")
    assert (address.host, address.port, address.pinned) == ("10.0.3.50", 8000, ("10.0.3.50",))


@pytest.mark.parametrize(("url", "port"), [("http://127.0.0.1/v1", 80), ("https://[::1]/v1", 443)])
def test_the_scheme_gives_the_port(url: str, port: int) -> None:
    assert check_endpoint(url).port == port


@ATTACK
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://10.0.0.1/v1", "http:// or https://"),
        ("10.0.0.1:8000/v1", "http:// or https://"),
        ("file:///etc/hosts", "http:// or https://"),
        ("", "http:// or https://"),
        ("http://", "no host"),
        ("http://user:secret@10.0.0.1/v1", "user name or password"),
        ("http://8.8.8.8@10.0.0.1/v1", "user name or password"),
        ("http://10.0.0.1\\@8.8.8.8/v1", "not a plain address"),
        ("http://10.0.0.1\n/v1", "not a plain address"),
        ("http://10.0.0.1 /v1", "not a plain address"),
        ("http://mod\u00e8le.local/v1", "not a plain address"),
        ("http://[10.0.0.1/v1", "not a plain address"),
        ("http://10.0.0.1:99999/v1", "port"),
        ("http://10.0.0.1:eight/v1", "port"),
        ("http://10.0.0.1/v1?key=1", "query"),
        ("http://10.0.0.1/v1#a", "fragment"),
        ("http://8.8.8.8/v1", "not private"),
        ("http://169.254.169.254/latest", "not private"),
        ("http://0.0.0.0:8000/v1", "not private"),
        ("http://[::ffff:8.8.8.8]/v1", "not private"),
    ],
)
def test_an_address_that_is_not_private_or_not_plain_is_refused_with_its_reason(url: str, sentence: str) -> None:
    with pytest.raises(PublicEndpoint, match=sentence):
        check_endpoint(url)


@ATTACK
@pytest.mark.parametrize("disguised", ["http://134744072/v1", "http://0x08080808/v1", "http://8.2056/v1"])
def test_a_public_address_in_another_notation_is_refused(disguised: str) -> None:
    # Whether the resolver knows the notation or not, nothing may be sent there.
    with pytest.raises((PublicEndpoint, UnresolvedEndpoint)):
        check_endpoint(disguised)


@ATTACK
def test_a_name_with_one_public_address_among_private_ones_is_refused(resolver: Any) -> None:
    resolver("10.0.0.7", "203.0.113.9")
    with pytest.raises(PublicEndpoint, match="not private"):
        check_endpoint("http://models.clinic.example/v1")


def test_a_name_with_several_private_addresses_keeps_them_in_order(resolver: Any) -> None:
    resolver("10.0.0.7", "10.0.0.8", "10.0.0.7")
    assert check_endpoint("http://models.clinic.example/v1").pinned == ("10.0.0.7", "10.0.0.8")


def test_a_name_without_an_address_is_unresolved_and_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(UnresolvedEndpoint):
        check_endpoint("http://models.clinic.example/v1")


@pytest.mark.parametrize("listed", ["models.clinic.example", "MODELS.clinic.example.", " models.clinic.example "])
def test_a_listed_host_is_allowed_however_it_is_written(resolver: Any, listed: str) -> None:
    resolver("10.0.0.7")
    assert check_endpoint("http://Models.Clinic.example:8000/v1", [listed]).pinned == ("10.0.0.7",)


@pytest.mark.parametrize(
    "url", ["http://other.clinic.example/v1", "http://10.0.0.7/v1", "http://a.models.clinic.example/v1"]
)
def test_a_host_that_is_not_listed_is_refused_before_it_is_looked_up(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with pytest.raises(PublicEndpoint, match="not in the list"):
        check_endpoint(url, ["models.clinic.example"])


def test_a_refusal_quotes_no_part_of_the_address() -> None:
    with pytest.raises(PublicEndpoint) as refusal:
        check_endpoint("http://user:secret@models.clinic.example/v1")
    assert not any(part in str(refusal.value) for part in ("user:", "secret", "clinic"))


def test_the_host_is_given_as_it_is_compared() -> None:
    assert host_of("http://[FD00::1]:8000/v1") == "fd00::1"


METADATA = "169.254.169.254"


def as_libc_does(host: str, port: int, **_: Any) -> list[Any]:
    """The C library's reading of a host that is a number: decimal, octal, hexadecimal, with fewer than four parts."""
    try:
        address = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        raise socket.gaierror(socket.EAI_NONAME, "unknown") from None
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


@ATTACK
@pytest.mark.parametrize(
    "host",
    ["2852039166", "0251.0376.0251.0376", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "169.254.43518", "169.16689662",
     "0251.254.43518", "134744072", "010.010.010.010", "8.8.2056"],
)  # fmt: skip
def test_a_metadata_or_public_address_in_any_notation_of_the_c_library_is_refused(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", as_libc_does)
    with pytest.raises(PublicEndpoint, match="not private"):
        check_endpoint(f"http://{host}:8000/v1")


@ATTACK
@pytest.mark.parametrize(
    "address",
    [METADATA, "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:8.8.8.8", "fd00:ec2::254", "fd20:ce::254",
     "64:ff9b::808:808", "64:ff9b::a9fe:a9fe", "::8.8.8.8", "2002:808:808::1", "fe80::1", "100.100.100.200",
     "0.0.0.0", "::", "255.255.255.255"],  # noqa: S104 - nothing is bound to it
)  # fmt: skip
def test_a_name_that_leads_to_a_metadata_service_or_outside_is_refused(resolver: Any, address: str) -> None:
    resolver(address)
    with pytest.raises(PublicEndpoint, match="not private"):
        check_endpoint("http://models.clinic.example:8000/v1", ["models.clinic.example"])


@ATTACK
@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1@8.8.8.8/v1",
        "http://10.0.0.1:80@8.8.8.8/v1",
        "http://10.0.0.1%40@8.8.8.8/v1",
        "http://models.clinic.example#@8.8.8.8/v1",
        "http://8.8.8.8/?@10.0.0.1/v1",
        "http://8.8.8.8#@10.0.0.1/v1",
        "http://8.8.8.8\\@10.0.0.1/v1",
        "http://8.8.8.8\t@10.0.0.1/v1",
        "http://10.0.0.1\r\nHost: 8.8.8.8/v1",
        "http://\uff11\uff10.0.0.1/v1",
        "http://10\u30020.0.1/v1",
        "http+unix://%2Frun%2Fdocker.sock/v1",
        "gopher://10.0.0.1:6379/_FLUSHALL",
        "file://10.0.0.1/etc/hosts",
        "//10.0.0.1/v1",
        "http:///v1",
    ],
)
def test_an_address_that_parsers_read_differently_is_nobody_s(resolver: Any, url: str) -> None:
    resolver("10.0.0.1")
    with pytest.raises(PublicEndpoint):
        check_endpoint(url, ["10.0.0.1", "models.clinic.example"])


@ATTACK
@pytest.mark.parametrize("after", ["8.8.8.8", METADATA, "::ffff:8.8.8.8"])
def test_a_name_that_changes_its_address_is_refused_at_the_next_connection(
    monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    answers = iter(["10.0.0.7", after])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, 1, 6, "", (next(answers), port))]
    )
    assert check_endpoint("http://models.clinic.example/v1").pinned == ("10.0.0.7",)
    with pytest.raises(PublicEndpoint, match="not private"):
        check_endpoint("http://models.clinic.example/v1")


@ATTACK
def test_a_name_is_looked_up_once_and_the_answer_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("10.0.0.7" if len(asked) == 1 else "8.8.8.8", port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert check_endpoint("http://models.clinic.example/v1").pinned == ("10.0.0.7",)
    assert asked == ["models.clinic.example"]
