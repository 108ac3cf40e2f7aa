"""What a start prints, and what it records for machines."""

from __future__ import annotations

import json
import re

import pytest

from deskgate import qr
from deskgate.banner import announce, banner, start_record
from deskgate.plan import Plan

from . import samples


def plain(plan: Plan) -> list[str]:
    """The lines without colours."""
    return banner(plan, colour=False)


def test_the_banner_shows_both_links_what_they_allow_and_what_is_not_protected() -> None:
    """Each generated token once; a link ends its line, so that a click finds it."""
    assert plain(samples.plan_of()) == [
        f"  control  http://localhost:8002/#token={samples.CONTROL}",
        "           keyboard, pointer, copy and paste; until the container stops",
        f"  watch    http://localhost:8002/#token={samples.VIEW}",
        "           looking only; until the container stops",
        "  note     plain http: publish the port on 127.0.0.1, or put TLS in front of it",
    ]


def test_the_banner_is_the_same_in_colours_but_for_them() -> None:
    """No link is within an escape sequence."""
    coloured = "\n".join(banner(samples.plan_of(), colour=True))
    assert coloured.count("\x1b[0m") == 5
    assert f"\x1b[0m  http://localhost:8002/#token={samples.VIEW}\n" in coloured
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == "\n".join(plain(samples.plan_of()))


ALLOWS = {
    "both": "keyboard, pointer, copy and paste",
    "in": "keyboard, pointer, paste",
    "out": "keyboard, pointer, copy",
    "off": "keyboard, pointer",
}


@pytest.mark.parametrize("clipboard", ALLOWS)
def test_the_banner_promises_the_clipboard_that_there_is(clipboard: str) -> None:
    """VNC_CLIPBOARD."""
    lines = plain(samples.plan_of({"VNC_CLIPBOARD": clipboard}))
    assert lines[1] == f"           {ALLOWS[clipboard]}; until the container stops"


def test_the_banner_never_shows_a_supplied_token() -> None:
    """It says where to put it instead."""
    lines = plain(samples.plan_of({"VNC_TOKEN": samples.GIVEN}))
    assert lines[0] == "  control  http://localhost:8002/#token=<your token>"
    assert lines[1].endswith("; until you change your token")
    assert samples.GIVEN not in "\n".join(lines)


def test_the_banner_never_shows_a_supplied_token_to_stock_websockify() -> None:
    """The same in the other form of link."""
    plan = samples.plan_of({"VNC_TOKEN": samples.GIVEN, "NOVNC_PROXY": "websockify"})
    assert "token%3D<your token>&" in plain(plan)[0]


@pytest.mark.parametrize(
    "environ",
    [
        {"NOVNC_LISTEN": "127.0.0.1"},
        {"NOVNC_CERT": "/c", "NOVNC_KEY": "/k"},
        {"PUBLIC_URL": "https://h"},
    ],
    ids=str,
)
def test_the_banner_has_no_note_where_nothing_is_in_clear(environ: dict[str, str]) -> None:
    """A warning that is always there is read by nobody."""
    assert not any("note" in line for line in plain(samples.plan_of(environ)))


def test_the_banner_tells_when_the_links_end() -> None:
    """VNC_TOKEN_TTL: when, and how long that is from the start on."""
    lines = plain(samples.plan_of({"VNC_TOKEN_TTL": "12h"}))
    assert lines[3] == "           looking only; for 12h, until 2030-01-01T12:00:00Z"


def test_the_banner_says_that_an_open_desktop_is_open() -> None:
    """VNC_AUTH=none."""
    assert plain(samples.plan_of({"VNC_AUTH": "none", "VNC_AUTH_NONE": "yes"})) == [
        "  control  http://localhost:8002/",
        "           keyboard, pointer, copy and paste; for anybody",
        "  note     VNC_AUTH=none: whoever reaches the port has the desktop",
    ]


def test_stock_websockify_serves_its_pages_to_anybody() -> None:
    """The note says so; there is no watch link."""
    lines = plain(samples.plan_of({"NOVNC_PROXY": "websockify", "NOVNC_LISTEN": "127.0.0.1"}))
    assert [line[:11].strip() for line in lines] == ["control", "", "note"]
    assert "pages to anybody" in lines[2]


def test_a_qr_code_holds_the_control_link() -> None:
    """VNC_QR, where a phone can open it: it follows the notes."""
    plan = samples.plan_of({"VNC_QR": "1", "PUBLIC_URL": "https://desk.example.org"})
    lines = plain(plan)
    link = f"https://desk.example.org/#token={samples.CONTROL}"
    assert lines[4:] == qr.draw(link, colour=False)
    assert len(lines[4:]) > 10
    assert banner(plan, colour=True)[4:] == qr.draw(link, colour=True)


NO_QR = {
    "localhost": ({}, "a phone cannot open localhost; set PUBLIC_URL to what it can open"),
    "a token of theirs": (
        {"VNC_TOKEN": samples.GIVEN, "PUBLIC_URL": "https://desk.example.org"},
        "a token of yours is not printed; deskgate url --qr shows it",
    ),
}


@pytest.mark.parametrize(("environ", "why"), NO_QR.values(), ids=NO_QR)
def test_a_qr_code_that_opens_nothing_is_not_drawn(environ: dict[str, str], why: str) -> None:
    """The note says what to do instead."""
    lines = plain(samples.plan_of({"VNC_QR": "1", **environ}))
    assert lines[4] == f"  note     no QR code: {why}"
    assert len(lines) <= 6


def test_machines_are_told_what_people_are() -> None:
    """Links as they may be printed, what they allow and their ends; the notes."""
    plan = samples.plan_of({"VNC_TOKEN": samples.GIVEN, "VNC_TOKEN_TTL": "1h"})
    lasts, end = "for 1h, until 2030-01-01T01:00:00Z", "2030-01-01T01:00:00Z"
    assert json.loads(json.dumps(announce(plan))) == {
        "links": {
            "control": {
                "url": "http://localhost:8002/#token=<your token>",
                "allows": "keyboard, pointer, copy and paste",
                "lasts": lasts,
                "expires": end,
            },
            "view": {
                "url": f"http://localhost:8002/#token={samples.VIEW}",
                "allows": "looking only",
                "lasts": lasts,
                "expires": end,
            },
        },
        "notes": ["plain http: publish the port on 127.0.0.1, or put TLS in front of it"],
    }


def test_the_start_record_is_for_machines() -> None:
    """Links, expiry, port and display, as JSON."""
    record = start_record(samples.plan_of({"VNC_TOKEN_TTL": "1h"}))
    assert json.loads(json.dumps(record)) == {
        "version": 1,
        "port": 8002,
        "listen": "",
        "tls": False,
        "proxy": "gate",
        "auth": "token",
        "hashed": False,
        "booted": samples.NOW - 1000,
        "display": ":1",
        "rfb": "127.0.0.1:5901",
        "listener_uid": None,
        "links": {
            "control": {
                "url": f"http://localhost:8002/#token={samples.CONTROL}",
                "expires": "2030-01-01T01:00:00Z",
            },
            "view": {
                "url": f"http://localhost:8002/#token={samples.VIEW}",
                "expires": "2030-01-01T01:00:00Z",
            },
        },
    }


def test_the_start_record_knows_the_gate_of_three_users() -> None:
    """Whoever asks the gate can tell it from another program on its port."""
    for proxy, uid in (("gate", 0), ("websockify", 63002)):
        plan = samples.plan_of({"NOVNC_PROXY": proxy}, place=samples.SPLIT_PLACE)
        assert start_record(plan)["listener_uid"] == uid


def test_printed_links_may_be_good_for_one_use() -> None:
    """VNC_LINK=once: for whoever has others read his logs; the record keeps the tokens."""
    plan = samples.plan_of({"VNC_LINK": "once", "VNC_TOKEN": samples.GIVEN})
    lines = plain(plan)
    assert lines[0] == f"  control  http://localhost:8002/#ticket={samples.CHANCE.tickets[0]}"
    assert lines[2] == f"  watch    http://localhost:8002/#ticket={samples.CHANCE.tickets[1]}"
    assert lines[3].endswith("; works once, within 10 minutes; then deskgate url --once")
    assert samples.VIEW not in "\n".join(lines)
    assert start_record(plan)["links"]["view"]["url"].endswith(f"#token={samples.VIEW}")


def test_where_only_hashes_are_kept_the_record_holds_no_token() -> None:
    """VNC_TOKEN_HASH: the banner is the one place that shows them."""
    plan = samples.plan_of({"VNC_TOKEN_HASH": "true"})
    assert samples.CONTROL not in json.dumps(start_record(plan))
    assert samples.CONTROL in "\n".join(plain(plan))


def test_the_start_record_of_an_open_desktop_has_one_link() -> None:
    """Nobody is held to watching there."""
    record = start_record(samples.plan_of({"VNC_AUTH": "none", "VNC_AUTH_NONE": "yes"}))
    assert record["links"] == {"control": {"url": "http://localhost:8002/", "expires": None}}
