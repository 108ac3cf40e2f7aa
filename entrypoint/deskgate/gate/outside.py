"""How the browser sees the gate: scheme, host, its address, and whether an Origin is ours. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from deskgate.gate.config import GateConfig
from deskgate.gate.messages import Request

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

AUTHORITY = re.compile(
    r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE
)
ORIGIN = re.compile(r"(https?)://([^/?#@\\]+)", re.ASCII | re.IGNORECASE)
DEFAULT_PORTS = {"http": 80, "https": 443}
Authority = tuple[str, int | None]  # host in lower case, port if it is said


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """The browser's view.

    Args:
        scheme: http or https; None when nothing tells.
        authority: host and port of the address bar; None when it makes no sense.
        client: the person's address, for the log.
    """

    scheme: str | None
    authority: Authority | None
    client: str

    @property
    def secure(self) -> bool:
        """Whether the browser surely speaks https."""
        return self.scheme == "https"

    @property
    def loopback(self) -> bool:
        """Whether browsers treat the host as secure without https."""
        host = self.authority[0] if self.authority else ""
        return _is_localhost(host) or host == "[::1]" or host.startswith("127.")


def see(request: Request, config: GateConfig) -> Outside:
    """Work out the browser's view; forwarded headers count only from a trusted proxy."""
    trusted = _is_trusted(request.peer, config)
    host = request.one("host")
    if trusted and (forwarded := request.words("x-forwarded-host")):
        host = forwarded[-1]
    authority = read_authority(host or "")
    scheme: str | None = None
    if config.cert is not None:
        scheme = "https"
    elif trusted and (protos := request.words("x-forwarded-proto")):
        scheme = protos[-1].lower() if protos[-1].lower() in DEFAULT_PORTS else None
    elif (public := read_origin(public_origin(config))) and _same(authority, public[1], public[0]):
        scheme = public[0]
    client = _client(request, config) if trusted else request.peer
    return Outside(scheme=scheme, authority=authority, client=client)


def read_authority(text: str) -> Authority | None:
    """Read `host`, `host:port` or `[v6]:port`; user names and anything else are refused."""
    parts = AUTHORITY.fullmatch(text)
    if parts is None:
        return None
    host, port = parts.groups()
    return host.lower(), int(port) if port else None


def read_origin(text: str) -> tuple[str, Authority] | None:
    """Read an Origin header: scheme and authority. `null` is none."""
    parts = ORIGIN.fullmatch(text)
    authority = read_authority(parts[2]) if parts else None
    return (parts[1].lower(), authority) if parts and authority else None


@lru_cache(maxsize=4)
def _origin_of(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return scheme + separator + re.split(r"[/?#]", rest, maxsplit=1)[0]


def public_origin(config: GateConfig) -> str:
    """The origin of PUBLIC_URL, or an empty text."""
    return _origin_of(config.public_url) if config.public_url else ""


def origin_is_ours(origin: str, outside: Outside, config: GateConfig) -> bool:
    """Whether a page of this Origin is our own.

    Compared whole, after both ports are spelled out: no prefix, suffix or pattern. Cookies and
    SameSite do not tell ports apart, so for a page on another port of the same host this is
    the only thing that keeps it out.
    """
    given = read_origin(origin)
    if given is None:
        return False
    scheme, authority = given
    public = read_origin(public_origin(config))
    if public is not None and scheme == public[0] and _same(authority, public[1], scheme):
        return True
    if outside.scheme not in {None, scheme}:
        return False
    return _same(authority, outside.authority, scheme)


def is_from_our_page(
    request: Request, outside: Outside, config: GateConfig, *, by_script: bool = False
) -> bool:
    """Whether a POST is not from another site's page.

    A form of our own page says `Origin: null`, because of our Referrer-Policy (Fetch standard);
    then only Sec-Fetch-Site, which plain http outside localhost lacks, tells more.

    Args:
        by_script: only our page's script asks for this, and that says its Origin.
    """
    if request.one("sec-fetch-site") in {"cross-site", "same-site"}:
        return False
    origins = request.all("origin")
    if not origins or (origins == ["null"] and not by_script):
        return True
    return len(origins) == 1 and origin_is_ours(origins[0], outside, config)


def host_is_known(outside: Outside, config: GateConfig) -> bool:
    """Whether the Host is an address, localhost or PUBLIC_URL's: against DNS rebinding.

    Needed when no credential is asked for: a rebound name has no cookie, but needs none then.
    """
    if outside.authority is None:
        return False
    return _is_known(outside.authority[0], config)


def host_may_be_a_proxys(request: Request, config: GateConfig) -> bool:
    """Whether the Host itself is none that is rebound, whatever is forwarded beside it.

    A browser behind Docker's proxy comes from the same address as a trusted one, and its page can
    say X-Forwarded-Host, but no other Host. A proxy may say the container's name, without a dot.
    """
    if not request.all("x-forwarded-host"):
        return True
    authority = read_authority(request.one("host") or "")
    return authority is not None and ("." not in authority[0] or _is_known(authority[0], config))


def _is_known(host: str, config: GateConfig) -> bool:
    public = read_origin(public_origin(config))
    if public is not None and host == public[1][0]:
        return True
    return _is_localhost(host) or _address(host.strip("[]")) is not None


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")  # RFC 6761, 6.3


def _same(left: Authority | None, right: Authority | None, scheme: str) -> bool:
    if left is None or right is None:
        return False
    default = DEFAULT_PORTS[scheme]
    return (left[0], left[1] or default) == (right[0], right[1] or default)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    # Late: few gates have a proxy or run without a token.
    from ipaddress import ip_address

    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:1.2.3.4 on a dual-stack socket
    return mapped or address


def _is_trusted(text: str, config: GateConfig) -> bool:
    if not config.trusted_proxies:
        return False
    address = _address(text)
    return address is not None and any(address in network for network in config.trusted_proxies)


def _client(request: Request, config: GateConfig) -> str:
    """The rightmost address that is no trusted proxy: what stands left of it can be made up."""
    client = request.peer
    for word in reversed(request.words("x-forwarded-for")):
        if _address(word) is None:
            break
        client = word
        if not _is_trusted(word, config):
            break
    return client
