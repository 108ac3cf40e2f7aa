"""What is likely wrong on the way to a desktop, from what a browser would meet there. Pure.

`visit` makes the journey; the rules are in its order, and the first that fails explains the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from deskgate.address import Link
from deskgate.diagnosis import CLOCK_SECONDS, ERROR, OK, UPGRADE_FIX, WARNING, Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Journey:
    """How far it went, and what was seen. What comes after a failure is not known.

    Args:
        link: where to.
        unreached: why no connection came about: `refused`, `timeout`, `name`, or a text.
        untrusted: why the certificate cannot be trusted.
        plain_port: whether a port that was asked for TLS spoke plain http.
        everywhere: whether this machine takes connections at the port on all its addresses.
        health: status of the gate's own probe; None for no HTTP at all.
        ours: whether it is deskgate that answered it.
        moved: where another address was named instead.
        skew: seconds that our clock is ahead of theirs.
        login: status of the answer to the token.
        cookie: attributes of the cookie that it set, in lower case; None without one.
        upgrade: status of the answer to the WebSocket.
        greeting: whether Xvnc's greeting came through it.
        ancestors: who may frame the page.
        frame: the origin that wants to; empty for none.
    """

    link: Link
    unreached: str = ""
    untrusted: str = ""
    plain_port: bool = False
    everywhere: bool = False
    health: int | None = None
    ours: bool = False
    moved: str = ""
    skew: float | None = None
    login: int | None = None
    cookie: Mapping[str, str] | None = None
    upgrade: int | None = None
    greeting: bool = False
    ancestors: Sequence[str] = field(default=())
    frame: str = ""


# What was seen → level, what it means, what to do. Names in braces are the link's.
Table = Mapping[object, tuple[str, str, str]]
PUBLIC: Final = "set PUBLIC_URL={base}, and let the proxy pass Host on"
UNREACHED: Final[Table] = {
    "": (OK, "{host} port {port} takes a connection", ""),
    "refused": (
        ERROR,
        "nothing listens at {host} port {port}",
        "publish the port, -p 127.0.0.1:{port}:8002, and see docker ps: is the container up?",
    ),
    "timeout": (
        ERROR,
        "{host} port {port} does not answer",
        "a firewall drops it, or the address is another machine's: check PUBLIC_URL",
    ),
    "name": (ERROR, "there is no host {host}", "check PUBLIC_URL, and the name in your DNS"),
}
GATEWAY: Final = "name the container and its port 8002 there, in a network that both are in"
GATE: Final[Table] = {
    None: (ERROR, "what answers speaks no http", "open it as https, if the port speaks TLS"),
    502: (ERROR, "a proxy answers 502: it does not reach the gate", GATEWAY),
    503: (ERROR, "a proxy answers 503: it does not reach the gate", GATEWAY),
    504: (ERROR, "a proxy answers 504: it does not reach the gate", GATEWAY),
}
LOGIN: Final[Table] = {
    200: (OK, "the token opens the desktop", ""),
    303: (OK, "the token opens the desktop", ""),
    401: (
        ERROR,
        "the token opens nothing: it has ended, or is another start's",
        "docker exec NAME deskgate url prints the link that works",
    ),
    403: (ERROR, "the gate does not know this address as its own", PUBLIC),
    429: (ERROR, "too many wrong tokens came from here", "wait for a minute"),
}
WEBSOCKET: Final[Table] = {
    403: (ERROR, "the gate takes the page's Origin for another site's", PUBLIC),
    503: (ERROR, "there is no desktop, or no place left", "see deskgate status"),
}


def _look_up(table: Table, key: object, otherwise: tuple[str, str, str], link: Link) -> Finding:
    names = {"host": link.host, "port": link.port, "base": link.base.rstrip("/")}
    level, what, fix = table.get(key, otherwise)
    return Finding(level, what.format(**names), fix.format(**names))


def _reach(seen: Journey) -> Finding:
    otherwise = (ERROR, "{host} port {port} cannot be reached", "see docker ps")
    return _look_up(UNREACHED, seen.unreached, otherwise, seen.link)


def _tls(seen: Journey) -> Finding | None:
    if seen.plain_port:
        what = "the port speaks plain http, the link says https"
        fix = "open it as http, or set NOVNC_CERT and NOVNC_KEY, or put a proxy with TLS there"
        return Finding(ERROR, what, fix)
    if seen.untrusted:
        what = f"a browser does not trust the certificate: {seen.untrusted}"
        fix = "renew it, name this host in it, and give the whole chain in NOVNC_CERT"
        return Finding(ERROR, what, fix)
    return Finding(OK, "the certificate is trusted") if seen.link.scheme == "https" else None


def _plain(seen: Journey) -> Finding | None:
    if seen.link.scheme == "https":
        return None
    if seen.everywhere:
        what = "the port is published on all addresses of this machine, without TLS"
        fix = f"-p 127.0.0.1:{seen.link.port}:8002 keeps it here; or put TLS in front of it"
        return Finding(WARNING, what, fix)
    if seen.link.local:
        return None
    what = "plain http beyond this machine: who is on the way can read all, the token as well"
    return Finding(WARNING, what, "put TLS in front of it, or set NOVNC_CERT and NOVNC_KEY")


def _gate(seen: Journey) -> Finding:
    if seen.moved:
        return Finding(ERROR, f"it sends people to {seen.moved}", f"set PUBLIC_URL={seen.moved}")
    if not seen.ours:
        what = f"it is not deskgate that answers (status {seen.health})"
        fix = "another program has the port, or the proxy shows another path: see SUBPATH"
        return _look_up(GATE, seen.health, (ERROR, what, fix), seen.link)
    if seen.health != 200:
        return Finding(WARNING, "the desktop is not up", "see docker logs and deskgate status")
    return Finding(OK, "deskgate answers")


def _clock(seen: Journey) -> Finding | None:
    if seen.skew is None or abs(seen.skew) <= CLOCK_SECONDS:
        return None
    side = "behind" if seen.skew > 0 else "ahead of"
    what = f"its clock is {abs(seen.skew):.0f} s {side} this machine's"
    return Finding(WARNING, what, "set both by NTP: links with an end go by the clock there")


def _login(seen: Journey) -> Finding | None:
    if seen.login is None:
        return None
    otherwise = (ERROR, f"the login is answered by {seen.login}", "a proxy on the way changes it")
    return _look_up(LOGIN, seen.login, otherwise, seen.link)


def _cookie(seen: Journey) -> Finding | None:
    if seen.login not in (200, 303):
        return None
    if seen.cookie is None:
        return Finding(ERROR, "the cookie is lost on the way", "let the proxy pass Set-Cookie on")
    path, page, base = seen.cookie.get("path", "/"), seen.link.path, seen.link.base.rstrip("/")
    if not page.startswith(path):
        what = f"the cookie is for {path}, and the page is at {page}"
        return Finding(ERROR, what, f"set SUBPATH={page}")
    secure = "secure" in seen.cookie
    if secure and seen.link.scheme == "http" and not seen.link.local:
        what = "the cookie is for https, and the page is http: browsers drop it"
        return Finding(ERROR, what, "open the https address")
    if seen.link.scheme == "https" and not secure:
        what = "the gate does not know that people come by https"
        fix = f"set PUBLIC_URL={base}, or VNC_TRUSTED_PROXIES for X-Forwarded-Proto"
        return Finding(WARNING, what, fix)
    return None


def _frame(seen: Journey) -> Finding | None:
    if not seen.frame:
        return None
    if seen.frame not in seen.ancestors:
        what = f"{seen.frame} may not show the page in a frame"
        return Finding(ERROR, what, f"set VNC_FRAME_ANCESTORS={seen.frame}")
    if seen.cookie is not None and seen.cookie.get("samesite", "").lower() != "none":
        what = "in a frame of another site browsers send no cookie, so only the link works there"
        return Finding(WARNING, what, "serve both pages over https, and set PUBLIC_URL to it")
    return Finding(OK, f"{seen.frame} may show the page in a frame")


def _websocket(seen: Journey) -> Finding | None:
    if seen.upgrade is None:
        return None
    if seen.upgrade == 101 and seen.greeting:
        return Finding(OK, "the desktop comes through its WebSocket")
    if seen.upgrade == 101:
        return Finding(ERROR, "the WebSocket brings nothing", "see deskgate health: is Xvnc up?")
    what = f"a proxy on the way does not pass the WebSocket on (status {seen.upgrade})"
    # Not a template: nginx has braces of its own.
    found = _look_up(WEBSOCKET, seen.upgrade, (ERROR, what, ""), seen.link)
    return found if found.fix else Finding(ERROR, what, UPGRADE_FIX)


RULES: Final[tuple[Callable[[Journey], Finding | None], ...]] = (
    *(_reach, _tls, _plain, _gate, _clock, _login, _cookie, _frame, _websocket),
)


def explain(seen: Journey) -> list[Finding]:
    """What was met on the way, up to where it ended."""
    ended: dict[object, bool] = {
        _reach: bool(seen.unreached),
        _tls: bool(seen.untrusted or seen.plain_port),
        _gate: not seen.ours,
    }
    found = []
    for rule in RULES:
        if finding := rule(seen):
            found.append(finding)
        if ended.get(rule):
            break
    return found
