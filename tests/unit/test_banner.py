"""What a start prints, and what it records for machines."""

from __future__ import annotations

import json

import pytest

from deskgate.banner import banner, start_record

from . import samples


def test_the_banner_shows_both_links_and_what_is_not_protected() -> None:
    """Each generated token once."""
    lines = banner(samples.plan_of())
    assert lines == [
        f"  control  http://localhost:8002/#token={samples.CONTROL}",
        f"  watch    http://localhost:8002/#token={samples.VIEW}",
        "  note     plain http: publish the port on 127.0.0.1, or put TLS in front of it",
    ]


def test_the_banner_never_shows_a_supplied_token() -> None:
    """It says where to put it instead."""
    lines = banner(samples.plan_of({"VNC_TOKEN": samples.GIVEN}))
    assert lines[0] == "  control  http://localhost:8002/#token=<your token>"
    assert samples.GIVEN not in "\n".join(lines)


def test_the_banner_never_shows_a_supplied_token_to_stock_websockify() -> None:
    """The same in the other form of link."""
    plan = samples.plan_of({"VNC_TOKEN": samples.GIVEN, "NOVNC_PROXY": "websockify"})
    assert "token%3D<your token>&" in banner(plan)[0]


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
    assert not any("note" in line for line in banner(samples.plan_of(environ)))


def test_the_banner_tells_when_the_links_end() -> None:
    """VNC_TOKEN_TTL."""
    assert "  until    2030-01-01T12:00:00Z" in banner(samples.plan_of({"VNC_TOKEN_TTL": "12h"}))


def test_the_banner_says_that_an_open_desktop_is_open() -> None:
    """VNC_AUTH=none."""
    lines = banner(samples.plan_of({"VNC_AUTH": "none", "VNC_AUTH_NONE": "yes"}))
    assert lines == [
        "  control  http://localhost:8002/",
        "  note     VNC_AUTH=none: whoever reaches the port has the desktop",
    ]


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
    lines = banner(plan)
    assert lines[0] == f"  control  http://localhost:8002/#ticket={samples.CHANCE.tickets[0]}"
    assert lines[1] == f"  watch    http://localhost:8002/#ticket={samples.CHANCE.tickets[1]}"
    assert "once" in lines[2]
    assert samples.VIEW not in "\n".join(lines)
    assert start_record(plan)["links"]["view"]["url"].endswith(f"#token={samples.VIEW}")


def test_where_only_hashes_are_kept_the_record_holds_no_token() -> None:
    """VNC_TOKEN_HASH: the banner is the one place that shows them."""
    plan = samples.plan_of({"VNC_TOKEN_HASH": "true"})
    assert samples.CONTROL not in json.dumps(start_record(plan))
    assert samples.CONTROL in "\n".join(banner(plan))


def test_the_start_record_of_an_open_desktop_has_one_link() -> None:
    """Nobody is held to watching there."""
    record = start_record(samples.plan_of({"VNC_AUTH": "none", "VNC_AUTH_NONE": "yes"}))
    assert record["links"] == {"control": {"url": "http://localhost:8002/", "expires": None}}
