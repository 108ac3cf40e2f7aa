"""The opening handshake of a WebSocket: which are granted, and what the others are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deskgate.gate.access import Access, Carrier
from deskgate.gate.handshake import decide_websocket
from deskgate.gate.loans import Loan, Loans
from deskgate.gate.messages import Answer, Upgrade
from deskgate.gate.outside import see
from deskgate.gate.sessions import Session
from deskgate.tokens import Role

from .samples import CONTROL_TOKEN, NOW, UPGRADE, VIEW_TOKEN, context, request

COOKIE = Access(role=Role.CONTROL, carrier=Carrier.COOKIE, token=CONTROL_TOKEN)
WATCHING = Access(role=Role.VIEW, carrier=Carrier.COOKIE, token=VIEW_TOKEN)
BEARER = Access(role=Role.CONTROL, carrier=Carrier.BEARER, token=CONTROL_TOKEN)
QUERY = Access(role=Role.CONTROL, carrier=Carrier.QUERY, token=CONTROL_TOKEN)
OPEN = Access(role=Role.CONTROL, carrier=Carrier.NONE)
ORIGIN = ("Origin", "http://localhost:8002")


def ask(
    access: Access,
    *more: tuple[str, str],
    lines: tuple[tuple[str, str], ...] = UPGRADE,
    places: int = 2,
    guests: int = 0,
    **changes: str,
) -> Answer | Upgrade:
    """Ask for a WebSocket with a credential that was found good."""
    given = context(places=places, guests=guests)
    asked = request("/websockify", *lines, *more, **changes)  # type: ignore[arg-type]
    return decide_websocket(asked, access, see(asked, given.config), given)


def status(decision: Answer | Upgrade) -> int:
    """The status that the client gets."""
    return decision.status if isinstance(decision, Answer) else 101


def test_a_granted_handshake_proves_that_it_was_read() -> None:
    """The key and its answer are RFC 6455's own, 1.3."""
    decision = ask(BEARER)
    assert decision == Upgrade(
        access=BEARER,
        role=Role.CONTROL,
        headers=(
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ),
    )


def test_only_a_cookie_needs_our_origin() -> None:
    """It comes by itself, from any page; a token has to be known."""
    assert status(ask(COOKIE, ORIGIN)) == 101
    for origins in ((), (("Origin", "http://evil.test"),), (ORIGIN, ORIGIN)):
        assert status(ask(COOKIE, *origins)) == 403
        assert status(ask(BEARER, *origins)) == 101
        assert status(ask(QUERY, *origins)) == 101


def without(name: str, *values: str) -> tuple[tuple[str, str], ...]:
    """The lines of a good handshake with other values for one, or none."""
    return (
        *((key, value) for key, value in UPGRADE if key != name),
        *((name, value) for value in values),
    )


LINES = {
    "as browsers ask": (UPGRADE, 101),
    "in other case": (without("Upgrade", "WebSocket"), 101),
    "among others": (without("Upgrade", "h2c, websocket"), 101),
    "Connection on two lines": (without("Connection", "keep-alive", "upgrade"), 101),
    "nothing to upgrade to": (without("Upgrade"), 426),
    "something else": (without("Upgrade", "websockets"), 426),
    "not meant for us": (without("Connection", "keep-alive"), 426),
    "no version": (without("Sec-WebSocket-Version"), 426),
    "an old version": (without("Sec-WebSocket-Version", "8"), 426),
    "two versions": (without("Sec-WebSocket-Version", "13", "13"), 426),
    "no key": (without("Sec-WebSocket-Key"), 400),
    "two keys": (without("Sec-WebSocket-Key", *["dGhlIHNhbXBsZSBub25jZQ=="] * 2), 400),
    "a short key": (without("Sec-WebSocket-Key", "c2hvcnQ="), 400),
    "a key that is no base64": (without("Sec-WebSocket-Key", "!" * 24), 400),
    "a key of another script": (without("Sec-WebSocket-Key", "é" * 24), 400),
}


@pytest.mark.parametrize(("lines", "expected"), LINES.values(), ids=LINES)
def test_a_handshake_is_whole_or_refused(lines: tuple[tuple[str, str], ...], expected: int) -> None:
    """RFC 6455, 4.2.1; 426 says what we speak (4.4)."""
    decision = ask(BEARER, lines=lines)
    assert status(decision) == expected
    if expected == 426:
        assert ("Sec-WebSocket-Version", "13") in decision.headers
        assert ("Upgrade", "websocket") in decision.headers


@pytest.mark.parametrize("changes", [{"method": "HEAD"}, {"version": "1.0"}], ids=str)
def test_only_get_of_http_1_1_opens_one(changes: dict[str, str]) -> None:
    """RFC 6455, 4.1: HTTP/1.0 knows no Upgrade, HEAD no answer to go on in."""
    assert status(ask(BEARER, **changes)) == 400  # type: ignore[arg-type]


PROTOCOLS = [
    ((), 101, None),
    (("binary",), 101, "binary"),
    (("base64, binary",), 101, "binary"),
    (("base64", "binary"), 101, "binary"),
    (("deskgate",), 101, "deskgate"),
    (("binary, deskgate",), 101, "deskgate"),
    (("base64",), 400, None),
    (("Binary",), 400, None),
]


@pytest.mark.parametrize(("offered", "expected", "chosen"), PROTOCOLS)
def test_there_are_two_subprotocols(
    offered: tuple[str, ...], expected: int, chosen: str | None
) -> None:
    """None is fine: noVNC asks for none since 1.0. Only our own page's takes news."""
    decision = ask(BEARER, *(("Sec-WebSocket-Protocol", value) for value in offered))
    assert status(decision) == expected
    assert dict(decision.headers).get("Sec-WebSocket-Protocol") == chosen
    assert getattr(decision, "news", False) == (chosen == "deskgate")


def test_each_role_has_its_own_places() -> None:
    """Watchers are kept from the last one (samples: one place less)."""
    assert status(ask(COOKIE, ORIGIN, places=1)) == 101
    assert status(ask(WATCHING, ORIGIN, places=1)) == 503
    assert status(ask(WATCHING, ORIGIN, places=2)) == 101


@pytest.mark.parametrize("access", [COOKIE, QUERY, OPEN, BEARER])
def test_only_a_machine_is_greeted_in_a_full_house(access: Access) -> None:
    """No browser can send a Bearer header; and even machines are bounded."""
    expected = 101 if access is BEARER else 503
    greeted = ask(access, ORIGIN, places=0, guests=1)
    assert status(greeted) == expected
    if isinstance(greeted, Upgrade):
        assert greeted.guest
    assert status(ask(access, ORIGIN, places=0, guests=0)) == 503


def test_control_that_is_lent_is_had_by_who_borrowed_it() -> None:
    """In Xvnc. Places are counted by the tokens, so nobody is kept out by a loan."""
    lender = Session(token=CONTROL_TOKEN, session_id="a" * 32, issued=int(NOW))
    borrower = Session(token=VIEW_TOKEN, session_id="b" * 32, issued=int(NOW))
    loans = Loans((Loan(lender=lender, borrower=borrower, seen=NOW),))
    for access, role in (
        (replace(COOKIE, session=lender), Role.VIEW),
        (replace(WATCHING, session=borrower), Role.CONTROL),
    ):
        given = context(loans=loans)
        asked = request("/websockify", *UPGRADE, ORIGIN)
        decision = decide_websocket(asked, access, see(asked, given.config), given)
        assert isinstance(decision, Upgrade)
        assert (decision.role, decision.access) == (role, access)


def test_who_has_a_place_is_no_guest() -> None:
    """Else a machine could not watch, only be greeted."""
    decision = ask(BEARER, places=1, guests=1)
    assert isinstance(decision, Upgrade)
    assert not decision.guest
