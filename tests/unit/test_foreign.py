"""The names of other images: each leads to something that exists here."""

from __future__ import annotations

import pytest

from deskgate.foreign import COMMON, PEERS, Foreign, Found, find_foreign
from deskgate.reading import read_settings, variables_of
from deskgate.settings import ROWS

from . import samples

READ_HERE = {name for field in ROWS.values() for name in variables_of(field)}
ALL = [(peer, row) for peer, rows in PEERS.items() for row in rows]
IDS = [f"{peer.partition('/')[0]}-{row.name}" for peer, row in ALL]


@pytest.mark.parametrize(("peer", "row"), ALL, ids=IDS)
def test_a_foreign_name_leads_to_settings_that_take_it(peer: str, row: Foreign) -> None:
    """`ours` are names of rows, or NAME=value with a value that can be read."""
    for each in row.ours:
        name, equals, value = each.partition("=")
        assert name in ROWS
        if equals:
            assert read_settings({name: value, "VNC_AUTH_NONE": "1"}, samples.no_files)
    assert row.ours or row.remark, f"{peer}: {row.name} leads nowhere"


def test_a_peer_has_each_name_once() -> None:
    """Twice would be two answers."""
    for rows in PEERS.values():
        names = [row.name for row in rows]
        assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(("peer", "row"), ALL, ids=IDS)
def test_a_name_that_is_read_here_leads_to_the_setting_that_reads_it(
    peer: str, row: Foreign
) -> None:
    """An alias and this table must not disagree."""
    reads = [name for name, field in ROWS.items() if row.name in variables_of(field)]
    assert not reads or row.ours == tuple(reads)


def test_every_alias_is_somebodys_name() -> None:
    """Those of agent platforms aside: what we read besides our own names comes from a peer."""
    aliases = READ_HERE - ROWS.keys()
    named = {row.name for _, row in ALL}
    assert aliases - named == {"OH_ENABLE_VNC", "SESSION_API_KEY", "OH_SESSION_API_KEYS_0"}


def test_names_that_are_set_are_found_with_all_their_peers() -> None:
    """Sorted; an empty one is not set."""
    environ = {"VNC_PW": "x", "SE_SCREEN_DPI": "96", "WEB_AUDIO": ""}
    assert [(each.row.name, each.peers) for each in find_foreign(environ, READ_HERE)] == [
        ("SE_SCREEN_DPI", ("SeleniumHQ/docker-selenium",)),
        ("VNC_PW", ("accetto/ubuntu-vnc-xfce-g3", "ConSol/docker-headless-vnc-container")),
    ]


def test_names_that_tell_nothing_are_not_found() -> None:
    """What is read here, and what is set everywhere for other reasons."""
    environ = dict.fromkeys((*COMMON, "RESOLUTION", "USER_ID"), "x")
    assert find_foreign(environ, READ_HERE) == []


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        (Foreign("A", ("TZ",)), "set TZ"),
        (Foreign("A", ("TZ", "LANG"), "such as C"), "set TZ and LANG; such as C"),
        (Foreign("A", (), "nothing to do"), "nothing to do"),
    ],
    ids=["a setting", "settings and a remark", "a remark"],
)
def test_the_advice_is_what_to_set_and_what_differs(row: Foreign, advice: str) -> None:
    """Either may be missing."""
    assert Found(("peer",), row).advice == advice
