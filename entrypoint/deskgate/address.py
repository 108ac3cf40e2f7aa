"""A link, taken apart: where it leads and what it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from deskgate.errors import UsageError

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link, taken apart.

    Args:
        path: where the gate is below its host, with a slash at both ends.
        token: None when there is none in it.
    """

    scheme: str
    host: str
    port: int
    path: str
    token: str | None = None

    @property
    def origin(self) -> str:
        """As a browser says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{shown}"

    @property
    def base(self) -> str:
        """The address without the token."""
        return self.origin + self.path

    @property
    def local(self) -> bool:
        """Whether it leads to this machine alone."""
        return self.host in LOOPBACK


def read_link(text: str) -> Link:
    """Read a link as the banner prints it; the address alone will do.

    Raises:
        UsageError: it is none, or one that works once.
    """
    example = "give one as the start prints it, such as http://localhost:8002/#token=…"
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise UsageError(f"doctor: cannot use this link: {example}") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise UsageError(f"doctor: cannot use this link: {example}")
    if "ticket" in parse_qs(parts.fragment):
        raise UsageError("doctor: cannot use this link: it works once, and would be used up")
    token = parse_qs(parts.fragment).get("token", [None])[0]
    return Link(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or DEFAULT_PORTS[parts.scheme],
        path=parts.path.rpartition("/")[0] + "/",
        token=token,
    )
