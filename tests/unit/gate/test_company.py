"""Who is here, and what their pages are told of it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import AbstractContextManager
from typing import Any

import pytest
from websockets.sync.client import ClientConnection
from websockets.typing import Subprotocol

from deskgate import rfb
from deskgate.gate import limits
from deskgate.gate.access import Access, Carrier
from deskgate.gate.company import Company
from deskgate.gate.sessions import Session
from deskgate.tokens import Role

from .running import Gate, join, wait_until
from .samples import CONTROL, VIEW, VIEW_TOKEN

NEWS = [Subprotocol("deskgate")]


def page(gate: Gate, token: str) -> AbstractContextManager[ClientConnection]:
    """A viewer as our own page is one."""
    return gate.view(token, subprotocols=NEWS)


def enter(viewer: ClientConnection) -> Any:
    """Its RFB opening; returns the first news, which stand behind the gate's greeting."""
    assert viewer.recv(5) == rfb.VERSION
    told = json.loads(viewer.recv(5))
    viewer.send(rfb.VERSION)
    assert viewer.recv(5) == b"\x01\x01"
    viewer.send(b"\x01")
    assert viewer.recv(5) == bytes(4)
    viewer.send(b"\x01")
    return told


def news(viewer: ClientConnection) -> Any:
    """What it is told next."""
    text = viewer.recv(5)
    assert isinstance(text, str), "news are text messages, RFB is binary"
    return json.loads(text)


def told(role: str, control: int, view: int) -> dict[str, Any]:
    """News of so many others; who watches has no clipboard."""
    clipboard = {"clipboard": "both"} if role == "control" else {}
    return {"role": role, "others": {"control": control, "view": view}, **clipboard}


@pytest.mark.parametrize(("token", "role"), [(CONTROL, "control"), (VIEW, "view")])
def test_a_page_learns_its_role_at_once(gate: Gate, token: str, role: str) -> None:
    """Before RFB's opening is over, so that it never offers what it may not."""
    with page(gate, token) as viewer:
        assert enter(viewer) == told(role, 0, 0)


def test_pages_hear_who_comes_and_goes(gate: Gate) -> None:
    """Each of the others, and not itself; whoever was only greeted is nobody."""
    with page(gate, CONTROL) as first:
        enter(first)
        assert news(first) == told("control", 0, 0)
        with gate.view(CONTROL) as probe:
            assert probe.recv(5) == rfb.VERSION
        with page(gate, VIEW) as second:
            assert enter(second) == told("view", 1, 0)
            assert news(second) == told("view", 1, 0)
            assert news(first) == told("control", 0, 1)
        assert news(first) == told("control", 0, 0)


def test_many_who_come_at_once_are_told_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who joins and leaves all day cannot make the gate talk more than so often."""
    with page(gate, CONTROL) as first:
        enter(first)
        assert news(first) == told("control", 0, 0)
        monkeypatch.setattr(limits, "NEWS_SECONDS", 1.0)
        for _ in range(5):
            with gate.view(VIEW) as watcher:
                join(watcher)
        with gate.view(VIEW) as watcher:
            join(watcher)
            assert news(first) == told("control", 0, 1)


@pytest.mark.parametrize("options", [{}, {"subprotocols": [Subprotocol("binary")]}], ids=str)
def test_who_asks_for_no_news_gets_none(gate: Gate, options: dict[str, Any]) -> None:
    """noVNC's own page would take a text for RFB."""
    with gate.view(CONTROL, **options) as viewer:
        join(viewer)
        with gate.view(VIEW) as other:
            join(other)
            wait_until(lambda: gate.keeper.by_role() == {"control": 1, "view": 1})
        wait_until(lambda: gate.keeper.by_role() == {"control": 1, "view": 0})
        with pytest.raises(TimeoutError):
            viewer.recv(3 * limits.NEWS_SECONDS)


def test_news_come_again_with_each_ping(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script sees no ping; so it can tell a connection that died from one that is quiet."""
    monkeypatch.setattr(limits, "PING_SECONDS", 0.1)
    with page(gate, VIEW) as viewer:
        enter(viewer)
        assert [news(viewer) for _ in range(3)] == [told("view", 0, 0)] * 3


def test_watchers_leave_places_to_who_controls() -> None:
    """And who is only greeted takes none."""
    watching = Counter({(Role.VIEW, False): limits.WATCHERS, (Role.VIEW, True): 3})
    free = limits.VIEWERS - limits.WATCHERS
    assert Company.places(watching) == {Role.CONTROL: free, Role.VIEW: 0}
    controlling = Counter({(Role.CONTROL, False): limits.VIEWERS - 1})
    assert Company.places(controlling) == {Role.CONTROL: 1, Role.VIEW: 1}


def test_who_came_last_stands_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row of the page moves under a finger, however a newcomer's handle sorts."""
    sessions = [
        Session(token=VIEW_TOKEN, session_id=f"{number:032x}", issued=number) for number in range(9)
    ]
    here = [
        Access(role=Role.VIEW, carrier=Carrier.COOKIE, token=VIEW_TOKEN, session=session)
        for session in reversed(sessions)
    ]
    company = Company(began=0.0, clipboard="both")
    monkeypatch.setattr(company, "joined", lambda: here)
    assert company.watching() == sessions
