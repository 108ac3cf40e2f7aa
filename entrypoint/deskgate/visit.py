"""A journey to a desktop, as a browser would make it: `deskgate doctor --link`.

Runs where the browser runs, not in the container. The token is sent to nobody but the one whose
certificate is good and who answers as deskgate does.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from deskgate.address import Link
from deskgate.journey import Journey
from deskgate.neighbours import listens_everywhere
from deskgate.probe import GREETING, WEBSOCKET_KEY, socket_tables

SECONDS: Final = 5.0  # for one answer, all of it
BODY_BYTES: Final = 64 * 1024  # of one; our page has a quarter of that
OURS: Final = (b"ok\n", b"no\n")  # what the gate's /healthz says
MOVED: Final = (301, 302, 307, 308)
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
UPGRADE: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": WEBSOCKET_KEY,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer, and what of its body came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask_for_link() -> str:
    """A link from the person, unseen, or from a pipe: an argument would be seen by others."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    from getpass import getpass

    return getpass("link, as the start printed it: ")


def visit(link: Link, *, frame: str = "") -> Journey:
    """Go as far as there is a way.

    Args:
        frame: the origin of a page that wants to show the desktop in a frame.
    """
    seen: dict[str, Any] = {"link": link, "frame": frame}
    seen["unreached"] = _reach(link)
    if not seen["unreached"]:
        seen["everywhere"] = link.local and listens_everywhere(socket_tables(), link.port)
        try:
            _look(link, seen)
        except ssl.SSLCertVerificationError as error:
            seen["untrusted"] = error.verify_message
        except ssl.SSLError:
            seen["plain_port"] = True
        except (OSError, http.client.HTTPException):
            pass  # what is not known by now stays so
    return Journey(**seen)


def _reach(link: Link) -> str:
    try:
        socket.create_connection((link.host, link.port), SECONDS).close()
    except ConnectionRefusedError:
        return "refused"
    except (socket.gaierror, UnicodeError):  # too long a label is none for IDNA
        return "name"
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _look(link: Link, seen: dict[str, Any]) -> None:
    probe = _ask(link, "GET", "healthz")
    seen["health"], seen["ours"] = probe.status, probe.body in OURS
    if probe.status in MOVED and "://" in (there := probe.headers.get("Location", "")):
        seen["moved"] = there.removesuffix("/healthz")
    if not seen["ours"]:
        return
    page = _ask(link, "GET", "")
    seen["skew"] = _skew(page.headers.get("Date", ""))
    policy = page.headers.get("Content-Security-Policy", "")
    directives = [each.split() for each in policy.split(";")]
    ancestors = next((each[1:] for each in directives if each[:1] == ["frame-ancestors"]), [])
    seen["ancestors"] = [each for each in ancestors if each != "'none'"]
    cookie = _log_in(link, seen) if link.token else {}
    if seen.get("login") in (200, 303) or page.status == 200:
        _open(link, cookie, seen)
    if cookie:
        _ask(link, "POST", "logout", headers=cookie)


def _skew(date: str) -> float | None:
    """Seconds that our clock is ahead of who says this; None when it is no date."""
    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _log_in(link: Link, seen: dict[str, Any]) -> dict[str, str]:
    """Trade the token for a cookie; returns the header that carries it."""
    body = urlencode({"token": link.token}).encode()
    answer = _ask(link, "POST", "login", headers=FORM, body=body)
    seen["login"] = answer.status
    # A cookie that is taken away is none.
    pair, *attributes = answer.headers.get("Set-Cookie", "").split(";")
    if not pair.partition("=")[2]:
        return {}
    split = [each.strip().partition("=") for each in attributes]
    seen["cookie"] = {name.lower(): value for name, _, value in split}
    return {"Cookie": pair}


def _open(link: Link, cookie: dict[str, str], seen: dict[str, Any]) -> None:
    answer = _ask(link, "GET", "websockify", headers={**UPGRADE, **cookie}, until=GREETING)
    seen["upgrade"], seen["greeting"] = answer.status, GREETING in answer.body


def _ask(
    link: Link,
    method: str,
    name: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    until: bytes = b"",
) -> Answer:
    """Ask as our own page would.

    Args:
        until: read the bytes behind a 101 until this came.
    """
    if link.scheme == "https":
        context = ssl.create_default_context()
        door: http.client.HTTPConnection = http.client.HTTPSConnection(
            link.host, link.port, timeout=SECONDS, context=context
        )
    else:
        door = http.client.HTTPConnection(link.host, link.port, timeout=SECONDS)
    door.connect()
    # The timeout is for one byte: a drop now and then would keep us for ever.
    patience = threading.Timer(SECONDS, socket.socket.shutdown, (door.sock, socket.SHUT_RDWR))
    patience.daemon = True
    patience.start()
    try:
        sent = {"Origin": link.origin, **(headers or {})}
        door.request(method, link.path + name, body=body, headers=sent)
        response = door.getresponse()
        if response.status != 101:
            data = response.read(BODY_BYTES)
        else:
            data = b""
            while until not in data and len(data) < BODY_BYTES:
                if not (piece := response.fp.read1(4096)):
                    break
                data += piece
        return Answer(status=response.status, headers=response.headers, body=data)
    finally:
        patience.cancel()
        door.close()
