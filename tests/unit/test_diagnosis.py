"""What is seen inside → what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deskgate.diagnosis import (
    ERROR,
    OK,
    WARNING,
    Inside,
    diagnose,
    read_answers,
    read_version,
)

NOW = 1_893_456_000.0  # 2030
WELL = Inside(running=True, now=NOW, came=2, novnc=(1, 6, 0))
# What is another than in a good container → level, a part of what is said, a part of the fix.
CASES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "bad setting": ({"problems": ["DISPLAY: no"]}, ERROR, "DISPLAY: no", "deskgate check"),
    "unknown setting": ({"warnings": ["VNC_PW is"]}, WARNING, "VNC_PW is", "take it away"),
    "no /tmp": ({"folders": {"/tmp": "it is not there"}}, ERROR, "/tmp cannot", "--tmpfs /tmp"),
    "clock years behind": ({"now": 1000.0}, ERROR, "years behind", "set-ntp"),
    "clock set": ({"clock_moved": -7200.0}, WARNING, "set -7200 s since", "restart"),
    "old noVNC": ({"novnc": (1, 3, 0)}, WARNING, "noVNC 1.3.0 of NOVNC_WEB is old", "unset"),
    "old noVNC below a path": (
        {"novnc": (1, 5, 0), "subpath": "/desk/"},
        WARNING,
        "below /desk/ it finds no WebSocket",
        "1.6 or newer",
    ),
    "program given up": ({"failed": ["wm"]}, ERROR, "wm cannot live", "deskgate logs wm"),
    "ill": ({"ill": "health: X refuses"}, ERROR, "X refuses", "deskgate status"),
    "upgrade kept back": ({"answers": {426: 3}}, ERROR, "3 times a WebSocket came", "nginx"),
    "another name": (
        {"answers": {403: 1}},
        WARNING,
        "once a request was refused, as it did not come from a page at http://localhost:8002",
        "set PUBLIC_URL",
    ),
    "another name than PUBLIC_URL": (
        {"answers": {403: 2}, "public_url": "http://desk"},
        WARNING,
        "from a page at http://desk",
        "VNC_TRUSTED_PROXIES",
    ),
    "wrong tokens": ({"answers": {429: 5}}, WARNING, "5 times somebody", "VNC_TRUSTED_PROXIES"),
    "proxy that nobody trusts": (
        {"public_url": "https://desk"},
        WARNING,
        "PUBLIC_URL is https",
        "name it",
    ),
    "frame over plain http": (
        {"ancestors": ["https://app"], "public_url": "http://desk"},
        WARNING,
        "no cookie in a frame",
        "over https",
    ),
    "on all addresses": (
        {"strangers": ["203.0.113.5"]},
        ERROR,
        "203.0.113.5 from another network speaks plain http",
        "-p 127.0.0.1:8002:8002",
    ),
    "nobody came": ({"came": 0}, WARNING, "nobody has come in", "docker port NAME"),
}


@pytest.mark.parametrize(("changes", "level", "what", "fix"), CASES.values(), ids=CASES)
def test_a_mistake_is_named_with_what_mends_it(
    changes: dict[str, Any], level: str, what: str, fix: str
) -> None:
    """One thing is wrong, and that alone is said."""
    bad = [each for each in diagnose(replace(WELL, **changes)) if each.level != OK]
    assert [each.level for each in bad] == [level]
    assert what in bad[0].what
    assert fix in bad[0].fix


FINE: dict[str, dict[str, Any]] = {
    "as it starts": {},
    "nothing is known of noVNC, nor of viewers": {"novnc": None, "came": None},
    "a clock that drifts": {"clock_moved": 5.0},
    "TLS of its own, and people from everywhere": {"secure": True, "strangers": ["203.0.113.5"]},
    "a proxy that is trusted": {"public_url": "https://desk", "proxies": ["172.17.0.1"]},
    "a frame over https": {"ancestors": ["https://app"], "secure": True},
    "a frame on localhost": {"ancestors": ["http://localhost:3000"]},
    "not started yet": {"running": False, "came": None},
}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
def test_what_is_well_is_let_alone(changes: dict[str, Any]) -> None:
    """Who is warned of nothing in particular stops reading."""
    assert [each for each in diagnose(replace(WELL, **changes)) if each.level != OK] == []


def test_errors_come_first() -> None:
    """Then warnings, then what is well."""
    seen = replace(WELL, came=0, failed=["wm"], warnings=["w"])
    levels = [each.level for each in diagnose(seen)]
    assert levels == [ERROR, WARNING, WARNING, OK, OK]


def test_metrics_tell_answers_and_viewers() -> None:
    """In the text format of Prometheus."""
    metrics = (
        "# TYPE deskgate_viewers_total counter\n"
        'deskgate_viewers_total{role="control"} 2\n'
        'deskgate_viewers_total{role="view"} 1\n'
        'deskgate_answers_total{status="200"} 7\n'
        'deskgate_answers_total{status="426"} 3\n'
    )
    assert read_answers(metrics) == ({200: 7, 426: 3}, 3)


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.3.0", (1, 3, 0)), ("1.6", (1, 6)), ("1.7.0-beta", (1, 7, 0)), ("new", None)],
)
def test_a_version_is_compared_by_its_numbers(text: str, version: tuple[int, ...] | None) -> None:
    """Of three parts or two."""
    assert read_version(text) == version
