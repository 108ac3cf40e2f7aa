"""The browser's view: forwarded headers, hosts, origins."""

from __future__ import annotations

import pytest

from deskgate.gate.outside import (
    Outside,
    host_is_known,
    host_may_be_a_proxys,
    is_from_our_page,
    origin_is_ours,
    read_authority,
    read_origin,
    see,
)

from .samples import config, request

PROXY = "10.1.2.3"
TRUSTING = config(trusted_proxies=["10.0.0.0/8", "192.0.2.0/24"])
FORWARDED = (
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "desk.test"),
    ("X-Forwarded-For", "198.51.100.9"),
)


def test_h14_forwarded_headers_of_a_stranger_do_not_count() -> None:
    """Else anybody could make the cookie Secure, or name another host."""
    expected = Outside(scheme=None, authority=("localhost", 8002), client="203.0.113.5")
    assert see(request("/", *FORWARDED, peer="203.0.113.5"), TRUSTING) == expected
    assert see(request("/", *FORWARDED, peer="203.0.113.5"), config()) == expected


@pytest.mark.parametrize("peer", [PROXY, f"::ffff:{PROXY}"])
def test_h14_forwarded_headers_of_a_trusted_proxy_count(peer: str) -> None:
    """Also seen through a dual-stack socket."""
    seen = see(request("/", *FORWARDED, peer=peer), TRUSTING)
    assert seen == Outside(scheme="https", authority=("desk.test", None), client="198.51.100.9")
    assert seen.secure


def test_h14_of_many_forwarded_hosts_and_schemes_the_proxys_own_counts() -> None:
    """It adds its word at the end; what stands before it, the client may have made up."""
    forged = (
        ("X-Forwarded-Host", "evil.test, desk.test"),
        ("X-Forwarded-Proto", "http, https"),
    )
    seen = see(request("/", *forged, peer=PROXY), TRUSTING)
    assert (seen.authority, seen.scheme) == (("desk.test", None), "https")


CLIENTS = [
    ((), PROXY),
    (("198.51.100.9",), "198.51.100.9"),
    (("1.1.1.1, 198.51.100.9",), "198.51.100.9"),
    (("198.51.100.9, 10.9.9.9",), "198.51.100.9"),
    (("1.1.1.1", "198.51.100.9, 10.9.9.9, 192.0.2.8"), "198.51.100.9"),
    (("10.9.9.9",), "10.9.9.9"),
    (("evil, 10.9.9.9",), "10.9.9.9"),
    (("\x1b[31m",), PROXY),
    ((", ".join(["1.1.1.1"] * 50 + ["198.51.100.9"]),), "198.51.100.9"),
]


@pytest.mark.parametrize(("lines", "client"), CLIENTS)
def test_h14_the_client_is_the_rightmost_that_is_no_proxy(
    lines: tuple[str, ...], client: str
) -> None:
    """What stands left of it is made up."""
    headers = [("X-Forwarded-For", line) for line in lines]
    assert see(request("/", *headers, peer=PROXY), TRUSTING).client == client


@pytest.mark.parametrize(("word", "scheme"), [("HTTPS", "https"), ("http", "http"), ("ftp", None)])
def test_h14_a_forwarded_scheme_is_one_of_two(word: str, scheme: str | None) -> None:
    """Anything else says nothing."""
    seen = see(request("/", ("X-Forwarded-Proto", word), peer=PROXY), TRUSTING)
    assert seen.scheme == scheme


def test_our_own_certificate_means_https() -> None:
    """Whatever a header says."""
    own = config(cert="/c", key="/k", trusted_proxies=["10.0.0.0/8"])
    assert see(request("/", ("X-Forwarded-Proto", "http"), peer=PROXY), own).scheme == "https"


def test_the_public_url_tells_the_scheme_of_its_own_host_only() -> None:
    """A person on the published port still speaks http."""
    public = config(public_url="https://desk.test/sub/")
    assert see(request(host="desk.test"), public).scheme == "https"
    assert see(request(host="desk.test:443"), public).scheme == "https"
    assert see(request(host="localhost:8002"), public).scheme is None
    assert see(request(host="desk.test@evil"), public).scheme is None


AUTHORITIES = [
    ("localhost", ("localhost", None)),
    ("LocalHost:8002", ("localhost", 8002)),
    ("[::1]:80", ("[::1]", 80)),
    ("", None),
    ("a b", None),
    ("user@host", None),
    ("host:", None),
    ("host:123456", None),
    ("host/path", None),
    ("ho\u017ft", None),  # folds to an s without re.ASCII
]


@pytest.mark.parametrize(("text", "authority"), AUTHORITIES)
def test_h17_an_authority_is_host_and_port_only(
    text: str, authority: tuple[str, int] | None
) -> None:
    """Nothing that two programs could read in two ways."""
    assert read_authority(text) == authority


@pytest.mark.parametrize("text", ["null", "", "http://", "http://a/", "http://a@b", "file://x"])
def test_what_is_no_origin_is_none(text: str) -> None:
    """A sandboxed frame says null."""
    assert read_origin(text) is None


def test_the_public_origin_is_ours_behind_a_proxy_that_renames_the_host() -> None:
    """But only with its own scheme."""
    public = config(public_url="https://desk.test/sub/?x#y")
    seen = see(request(host="inner:8002"), public)
    assert origin_is_ours("https://desk.test", seen, public)
    assert not origin_is_ours("http://desk.test", seen, public)


def test_a_known_scheme_must_match() -> None:
    """A page loaded over http is not the https one: the network could have written it."""
    own = config(cert="/c", key="/k")
    seen = see(request(host="desk.test"), own)
    assert origin_is_ours("https://desk.test", seen, own)
    assert not origin_is_ours("http://desk.test", seen, own)


def test_without_a_host_no_origin_is_ours() -> None:
    """Nothing to compare with."""
    seen = see(request(host=""), config())
    assert not origin_is_ours("http://localhost", seen, config())
    assert not seen.loopback


ORIGINS = {
    "http://localhost:8002": True,
    "https://LOCALHOST:8002": True,
    "http://localhost": False,
    "http://localhost:8003": False,
    "http://localhost:8002.evil.test": False,
    "http://user@localhost:8002": False,
    "null": False,
    "": False,
}


@pytest.mark.parametrize(("origin", "ours"), ORIGINS.items())
def test_an_origin_is_compared_whole(origin: str, ours: bool) -> None:
    """Neither its beginning nor its end is enough."""
    seen = see(request(host="localhost:8002"), config())
    assert origin_is_ours(origin, seen, config()) == ours


POSTS: dict[str, tuple[tuple[tuple[str, str], ...], bool]] = {
    "our page": ((("Origin", "http://localhost:8002"),), True),
    "our form": ((("Origin", "null"), ("Sec-Fetch-Site", "same-origin")), True),
    "a form on plain http": ((("Origin", "null"),), True),
    "a program": ((), True),
    "another site": ((("Origin", "http://evil.test"),), False),
    "another port": ((("Origin", "http://localhost:3000"),), False),
    "two": ((("Origin", "http://localhost:8002"),) * 2, False),
    "hidden by the browser": ((("Origin", "null"), ("Sec-Fetch-Site", "cross-site")), False),
    "a neighbour": ((("Sec-Fetch-Site", "same-site"),), False),
}


@pytest.mark.parametrize(("headers", "ours"), POSTS.values(), ids=POSTS)
def test_a_post_of_another_page_is_known(headers: tuple[tuple[str, str], ...], ours: bool) -> None:
    """As far as browsers tell: only a cookie needs it, and that is no Strict one."""
    asked = request("/login", *headers, method="POST", host="localhost:8002")
    assert is_from_our_page(asked, see(asked, config()), config()) == ours


def test_what_only_our_script_asks_for_comes_from_no_form() -> None:
    """On plain http, another port's page that hides its Origin looks as our own form does."""
    for headers, ours in POSTS.values():
        asked = request("/api/loans", *headers, method="POST", host="localhost:8002")
        hidden = ("Origin", "null") in headers
        found = is_from_our_page(asked, see(asked, config()), config(), by_script=True)
        assert found == (ours and not hidden)


HOSTS = {
    "localhost:1": True,
    "a.localhost": True,
    "192.0.2.1:80": True,
    "[2001:db8::1]": True,
    "public.test:1": True,
    "evil.test": False,
    "public.test.evil": False,
    "": False,
}


@pytest.mark.parametrize(("host", "known"), HOSTS.items())
def test_a_known_host_cannot_be_rebound(host: str, known: bool) -> None:
    """An address is no name, localhost never leaves the machine, PUBLIC_URL's is the person's."""
    public = config(public_url="https://public.test/x")
    assert host_is_known(see(request(host=host), public), public) == known
    unnamed = known and not host.startswith("public")
    assert host_is_known(see(request(host=host), config()), config()) == unnamed


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("a.localhost:1", True),
        ("127.0.0.2", True),
        ("[::1]", True),
        ("a", False),
    ],
)
def test_loopback_hosts_are_secure_without_https(host: str, loopback: bool) -> None:
    """There, browsers take Secure cookies over http."""
    assert see(request(host=host), config()).loopback == loopback


BESIDE = {
    "desk:8002": True,
    "10.0.0.2": True,
    "public.test": True,
    "localhost": True,
    "evil.test": False,
    "user@desk": False,
}


@pytest.mark.parametrize(("host", "allowed"), BESIDE.items())
def test_a_host_beside_a_forwarded_one_is_no_rebound_name(host: str, allowed: bool) -> None:
    """A bare name is a proxy's; without a forwarded Host there is nothing beside it."""
    public = config(public_url="https://public.test/x")
    forwarded = request("/", ("X-Forwarded-Host", "public.test"), host=host)
    assert host_may_be_a_proxys(forwarded, public) == allowed
    assert host_may_be_a_proxys(request("/", host=host), public)
