"""What a browser would meet on its way → what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deskgate.address import read_link
from deskgate.diagnosis import ERROR, OK, WARNING
from deskgate.journey import Journey, explain

HERE = read_link("http://localhost:8002/#token=5f0c")
THERE = read_link("https://desk.example.org/lab/#token=5f0c")
COOKIE = {"path": "/", "httponly": "", "samesite": "Lax"}
ARRIVED = Journey(
    link=HERE,
    health=200,
    ours=True,
    skew=0.2,
    login=200,
    cookie=COOKIE,
    upgrade=101,
    greeting=True,
)
ABROAD = replace(ARRIVED, link=THERE, cookie={**COOKIE, "path": "/lab/", "secure": ""})
FRAME = {"frame": "https://app.example.org"}
# From where; what is another than on a good way → level, part of what is said, part of the fix.
CASES: dict[str, tuple[Journey, dict[str, Any], str, str, str]] = {
    "not published": (
        ARRIVED,
        {"unreached": "refused"},
        ERROR,
        "nothing listens at localhost port 8002",
        "-p 127.0.0.1:8002:8002",
    ),
    "firewall": (ABROAD, {"unreached": "timeout"}, ERROR, "does not answer", "firewall"),
    "no such name": (ABROAD, {"unreached": "name"}, ERROR, "no host desk.example.org", "DNS"),
    "no route": (ABROAD, {"unreached": "No route"}, ERROR, "cannot be reached", "docker ps"),
    "http on the port": (ABROAD, {"plain_port": True}, ERROR, "speaks plain http", "as http"),
    "certificate": (ABROAD, {"untrusted": "self-signed"}, ERROR, "self-signed", "NOVNC_CERT"),
    "all addresses": (
        ARRIVED,
        {"everywhere": True},
        WARNING,
        "published on all addresses of this machine",
        "-p 127.0.0.1:8002:8002",
    ),
    "plain http elsewhere": (
        ARRIVED,
        {"link": read_link("http://desk:8002/#token=5f")},
        WARNING,
        "plain http beyond this machine",
        "put TLS in front",
    ),
    "https on the port": (
        ARRIVED,
        {"health": None, "ours": False},
        ERROR,
        "speaks no http",
        "as https",
    ),
    "moved": (
        ARRIVED,
        {"health": 301, "ours": False, "moved": "https://desk"},
        ERROR,
        "sends people to https://desk",
        "PUBLIC_URL=https://desk",
    ),
    "a proxy without a gate": (
        ABROAD,
        {"health": 502, "ours": False},
        ERROR,
        "a proxy answers 502",
        "port 8002",
    ),
    "something else": (
        ARRIVED,
        {"health": 404, "ours": False},
        ERROR,
        "not deskgate that answers (status 404)",
        "SUBPATH",
    ),
    "not up": (ARRIVED, {"health": 503}, WARNING, "is not up", "docker logs"),
    "clock": (ARRIVED, {"skew": 3600.0}, WARNING, "3600 s behind this", "NTP"),
    "clock ahead": (ARRIVED, {"skew": -90.0}, WARNING, "90 s ahead of this", "NTP"),
    "old token": (
        ARRIVED,
        {"login": 401, "cookie": None, "upgrade": None},
        ERROR,
        "the token opens nothing",
        "deskgate url",
    ),
    "too many": (
        ARRIVED,
        {"login": 429, "cookie": None, "upgrade": None},
        ERROR,
        "too many wrong tokens",
        "wait",
    ),
    "login from another name": (
        ABROAD,
        {"login": 403, "cookie": None, "upgrade": None},
        ERROR,
        "does not know this address",
        "PUBLIC_URL=https://desk.example.org/lab,",
    ),
    "login changed": (
        ABROAD,
        {"login": 405, "cookie": None, "upgrade": None},
        ERROR,
        "answered by 405",
        "proxy",
    ),
    "cookie lost": (ABROAD, {"cookie": None}, ERROR, "cookie is lost", "Set-Cookie"),
    "cookie of another path": (
        ABROAD,
        {"cookie": {"path": "/desk/", "secure": ""}},
        ERROR,
        "for /desk/, and the page is at /lab/",
        "SUBPATH=/lab/",
    ),
    "https that the gate does not know of": (
        ABROAD,
        {"cookie": COOKIE},
        WARNING,
        "does not know that people come by https",
        "PUBLIC_URL=https://desk.example.org/lab,",
    ),
    "frame refused": (ABROAD, FRAME, ERROR, "may not show the page", "VNC_FRAME_ANCESTORS=https"),
    "frame without a cookie": (
        ABROAD,
        {**FRAME, "ancestors": ["https://app.example.org"]},
        WARNING,
        "browsers send no cookie",
        "over https",
    ),
    "no upgrade": (
        ABROAD,
        {"upgrade": 426},
        ERROR,
        "does not pass the WebSocket on (status 426)",
        "proxy_set_header Upgrade $http_upgrade;",
    ),
    "another origin": (ABROAD, {"upgrade": 403}, ERROR, "another site's", "PUBLIC_URL=https"),
    "full": (ARRIVED, {"upgrade": 503}, ERROR, "no place left", "deskgate status"),
    "silent": (ARRIVED, {"greeting": False}, ERROR, "brings nothing", "deskgate health"),
}


@pytest.mark.parametrize(("good", "changes", "level", "what", "fix"), CASES.values(), ids=CASES)
def test_a_mistake_on_the_way_is_named_with_what_mends_it(
    good: Journey, changes: dict[str, Any], level: str, what: str, fix: str
) -> None:
    """One thing is wrong, and that alone is said."""
    bad = [each for each in explain(replace(good, **changes)) if each.level != OK]
    assert [each.level for each in bad] == [level]
    assert what in bad[0].what
    assert fix in bad[0].fix
    assert "{" not in bad[0].what + bad[0].fix


def test_a_cookie_for_https_is_dropped_on_a_plain_page() -> None:
    """Not on loopback, which browsers take for secure."""
    link, cookie = read_link("http://desk:8002/#token=5f"), {"secure": ""}
    told = [each.what for each in explain(replace(ARRIVED, link=link, cookie=cookie))]
    assert any("browsers drop it" in each for each in told)
    local = read_link("http://[::1]:8002/#token=5f")
    assert [each.level for each in explain(replace(ARRIVED, link=local, cookie=cookie))] == [OK] * 4


FRAMED = {
    **FRAME,
    "ancestors": ["https://app.example.org"],
    "cookie": {"path": "/lab/", "secure": "", "samesite": "None"},
}
FINE: dict[str, tuple[Journey, dict[str, Any], int]] = {
    "here": (ARRIVED, {}, 4),
    "by https": (ABROAD, {}, 5),
    "in a frame": (ABROAD, FRAMED, 6),
    "in a frame, without a login": (
        ABROAD,
        {**FRAMED, "login": None, "cookie": None, "upgrade": None},
        4,
    ),
    "without a token": (ARRIVED, {"login": None, "cookie": None, "upgrade": None}, 2),
    "to a server without a clock": (ARRIVED, {"skew": None}, 4),
    "open to all": (ARRIVED, {"login": None, "cookie": None}, 3),
    "by a form's login": (ARRIVED, {"login": 303}, 4),
}


@pytest.mark.parametrize(("good", "changes", "steps"), FINE.values(), ids=FINE)
def test_a_good_way_is_told_step_by_step(
    good: Journey, changes: dict[str, Any], steps: int
) -> None:
    """So that a person sees how far it was tried."""
    told = explain(replace(good, **changes))
    assert [each.level for each in told] == [OK] * steps
    assert all(each.what and not each.fix for each in told)
