"""The gate's settings: gate.json, written by the conductor and trusted. Pure; holds no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

UNIX_PREFIX = "unix_socket:"


class ConfigError(ValueError):
    """A gate.json that this gate cannot use. The text names the key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where Xvnc listens: a path of a unix socket, or host and port."""

    path: str | None = None
    host: str = ""
    port: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class GateConfig:
    """What gate.json says.

    Args:
        host: address to listen on; "" is every one, IPv6 too when the kernel has it.
        subpath: where a reverse proxy shows the gate; begins and ends with a slash.
        public_url: the outside URL, when a person gave one.
        links: where printed links begin.
        tokens, more_tokens: our token file, and the person's own.
        hash_tokens: our file holds hashes, not tokens.
        short_tokens: a person's tokens may have half of the usual characters.
        query_tokens: whether a token may stand in a query, where logs see it.
        booted: see `deskgate.clock`.
        open: VNC_AUTH=none: no credential is asked for, Host and Origin are checked instead.
        frame_ancestors: CSP sources that may show the page in a frame.
        trusted_proxies: networks whose X-Forwarded headers count.
        clipboard: which way text may go, as VNC_CLIPBOARD: pages say so, Xvnc holds to it.
        cookie_suffix: tells desktops on one host name apart, as cookies do not know ports
            (RFC 6265bis, 8.5); unless given, eight hex digits.
    """

    host: str
    port: int
    web: str
    subpath: str
    public_url: str | None
    links: str
    tokens: str
    more_tokens: str | None
    hash_tokens: bool
    short_tokens: bool
    query_tokens: bool
    booted: float
    rfb: Target
    rfbauth: str
    open: bool
    frame_ancestors: tuple[str, ...]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    cert: str | None
    key: str | None
    clipboard: str
    cookie_suffix: str


def read_config(text: str, hostname: str) -> GateConfig:
    """Read gate.json.

    Args:
        hostname: of this container; with the port and the subpath it names the cookie.

    Raises:
        ConfigError: something is missing or of the wrong kind.
    """
    try:
        raw: Any = json.loads(text)
    except ValueError:
        raise ConfigError("not JSON") from None
    if not isinstance(raw, dict):
        raise ConfigError("not a JSON object")
    host, port = _listen(raw)
    subpath = _text(raw, "subpath", "/")
    if not (subpath.startswith("/") and subpath.endswith("/")):
        raise ConfigError("subpath: must begin and end with a slash")
    auth = _text(raw, "auth", "token")
    if auth not in {"token", "none"}:
        raise ConfigError("auth: must be token or none")
    clipboard = _text(raw, "clipboard", "both")
    if clipboard not in {"both", "in", "out", "off"}:
        raise ConfigError("clipboard: must be both, in, out or off")
    cert, key = _optional(raw, "cert"), _optional(raw, "key")
    if (cert is None) != (key is None):
        raise ConfigError("cert, key: give both or none")
    return GateConfig(
        host=host,
        port=port,
        web=_text(raw, "web"),
        subpath=subpath,
        public_url=_optional(raw, "public_url"),
        links=_text(raw, "links"),
        tokens=_text(raw, "tokens"),
        more_tokens=_optional(raw, "more_tokens"),
        hash_tokens=_flag(raw, "hash_tokens"),
        short_tokens=_flag(raw, "short_tokens"),
        query_tokens=_flag(raw, "query_tokens"),
        booted=_seconds(raw, "booted"),
        rfb=read_target(_text(raw, "rfb")),
        rfbauth=_text(raw, "rfbauth"),
        open=auth == "none",
        frame_ancestors=_texts(raw, "frame_ancestors"),
        trusted_proxies=_networks(_texts(raw, "trusted_proxies")),
        cert=cert,
        key=key,
        clipboard=clipboard,
        cookie_suffix=_optional(raw, "cookie_suffix") or cookie_suffix(hostname, port, subpath),
    )


def cookie_suffix(hostname: str, port: int, subpath: str) -> str:
    """Name one desktop among those that share a host name in the browser."""
    from hashlib import sha256

    return sha256(f"{hostname}\n{port}\n{subpath}".encode()).hexdigest()[:8]


def read_target(text: str) -> Target:
    """Read `127.0.0.1:5901` or `unix_socket:/run/deskgate/rfb.sock`."""
    if text.startswith(UNIX_PREFIX):
        return Target(path=text.removeprefix(UNIX_PREFIX))
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError("rfb: must be host:port or unix_socket:PATH")
    return Target(host=host.strip("[]"), port=int(port))


def _listen(raw: Mapping[str, Any]) -> tuple[str, int]:
    match raw.get("listen"):
        case [str(host), int(port)]:
            return host, port
    raise ConfigError("listen: must be [host, port]")


def _text(raw: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str):
        raise ConfigError(f"{key}: must be a text")
    return value


def _optional(raw: Mapping[str, Any], key: str) -> str | None:
    return None if raw.get(key) is None else _text(raw, key)


def _flag(raw: Mapping[str, Any], key: str) -> bool:
    value = raw.get(key)
    if not isinstance(value, bool):
        raise ConfigError(f"{key}: must be true or false")
    return value


def _seconds(raw: Mapping[str, Any], key: str) -> float:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{key}: must be a number of seconds")
    return float(value)


def _texts(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = raw.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ConfigError(f"{key}: must be a list of texts")
    return tuple(values)


def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    if not texts:
        return ()
    # Late: 8 ms of every start, and few have a proxy.
    from ipaddress import ip_network

    try:
        return tuple(ip_network(text, strict=False) for text in texts)
    except ValueError:
        raise ConfigError("trusted_proxies: must be addresses or networks") from None
