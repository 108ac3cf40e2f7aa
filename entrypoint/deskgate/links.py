"""Links: the one place that knows what the addresses on the gate look like. Pure.

The token stands in the fragment: it reaches no server, no proxy's log and no Referer. The page
behind `/` trades it for a cookie (security design 3.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:  # the gate makes links without them: 2 ms of its start
    from deskgate.settings import Settings

# Where a supplied token would stand: it is never printed.
PLACEHOLDER = "<your token>"


def base_url(settings: Settings) -> str:
    """The address that people use, with a slash at its end."""
    if settings.public_url:
        path = settings.subpath if settings.public_url.count("/") == 2 else "/"
        return settings.public_url + path
    scheme = "https" if settings.novnc_cert else "http"
    return f"{scheme}://localhost:{settings.novnc_port}{settings.subpath}"


def link(settings: Settings, token: str | None) -> str:
    """The link that opens the desktop.

    Args:
        token: None when the gate asks for none.
    """
    return full_link(base_url(settings), token, stock=settings.novnc_proxy == "websockify")


def full_link(base: str, token: str | None, *, stock: bool = False) -> str:
    """The link below a base address, which ends with a slash.

    Args:
        stock: for stock websockify, which has no page of ours.
    """
    if stock:
        return base + "vnc.html" + stock_query(token or "")
    return base + (f"#token={token}" if token else "")


def once_link(base: str, ticket: str) -> str:
    """The link that works once."""
    return f"{base}#ticket={ticket}"


def stock_query(token: str) -> str:
    """noVNC's own settings: the token travels inside `path`, as noVNC 1.1 and later need it."""
    shown = token if token == PLACEHOLDER else quote(token, safe="")
    return f"?path=websockify%3Ftoken%3D{shown}&autoconnect=1&resize=remote"
