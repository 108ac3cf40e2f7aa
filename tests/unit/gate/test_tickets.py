"""Tickets: one use, thirty seconds, never more than the access of who asked for one."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from deskgate.gate import limits
from deskgate.gate.sessions import LIFETIME_SECONDS, Denied, Session
from deskgate.gate.tickets import Ticket, Tickets, find_ticket
from deskgate.tokens import Role, Token, digest_of

from .running import TOKEN_FILE, Gate, close_code, cookie, join, roles_here, wait_until
from .samples import CONTROL, CONTROL_TOKEN, NOW, VIEW, VIEW_TOKEN

TEXT = "5f" * 16
SESSION = Session(token=CONTROL_TOKEN, session_id="a" * 32, issued=int(NOW))
FORM = "Content-Type: application/x-www-form-urlencoded"


def find(
    ticket: Ticket,
    *,
    issued: int = int(NOW),
    text: str = TEXT,
    tokens: tuple[Token, ...] = (CONTROL_TOKEN, VIEW_TOKEN),
    denied: Denied | None = None,
    now: float = NOW,
) -> bool:
    session = ticket.session and replace(ticket.session, issued=issued)
    unspent = {digest_of(TEXT): replace(ticket, session=session)}
    found = find_ticket(unspent, text, tokens=tokens, denied=denied or Denied(), now=now)
    return found is not None


GOOD = Ticket(token=CONTROL_TOKEN, session=SESSION, until=NOW + 30)
CHANGED = Token(name="control", role=Role.VIEW, digest=CONTROL_TOKEN.digest)
DEAD: dict[str, dict[str, Any]] = {
    "another text": {"text": TEXT[:-1]},
    "too old": {"now": NOW + 30},
    "its token is revoked": {"tokens": (VIEW_TOKEN,)},
    "its token has another role": {"tokens": (CHANGED,)},
    "its session is logged out": {"denied": Denied().adding(SESSION)},
    "its session has ended": {"now": NOW + 20, "issued": int(NOW) + 20 - LIFETIME_SECONDS},
}


@pytest.mark.parametrize("case", DEAD)
def test_w5_a_ticket_is_worth_nothing(case: str) -> None:
    """After each of these; before it, it is good."""
    assert find(GOOD, now=NOW + 29.9)
    assert not find(GOOD, **DEAD[case])


def test_a_ticket_ends_with_its_token() -> None:
    """A lent link cannot be stretched by a ticket."""
    ticket = Ticket(token=VIEW_TOKEN, session=None, until=NOW + 7200)
    assert find(ticket, now=NOW + 3599)
    assert not find(ticket, now=NOW + 3600)


def test_each_token_has_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher who asks for ever takes no ticket of the owner's."""
    monkeypatch.setattr(limits, "TICKETS", 2)
    tickets = Tickets()
    tickets.add("owner's", Ticket(token=CONTROL_TOKEN, session=None, until=NOW + 30), NOW)
    for number in range(3):
        ticket = Ticket(token=VIEW_TOKEN, session=None, until=NOW + 30)
        tickets.add(f"watcher's {number}", ticket, NOW)
    kept = [digest_of(text) for text in ("owner's", "watcher's 1", "watcher's 2")]
    assert list(tickets.unspent) == kept
    tickets.add("later", Ticket(token=CONTROL_TOKEN, session=None, until=NOW + 90), NOW + 30)
    assert list(tickets.unspent) == [digest_of("later")]


# On real sockets


def body_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def log_in(gate: Gate, token: str = CONTROL) -> str:
    """The header with which a browser that logged in sends its cookie."""
    body = f"token={token}".encode()
    return cookie(gate.ask(f"POST /login HTTP/1.1\r\n{FORM}\r\nContent-Length: {len(body)}", body))


def new_ticket(gate: Gate, token: str = CONTROL, body: bytes = b"", *headers: str) -> str:
    """Ask for one as a machine does."""
    lines = [f"Authorization: Bearer {token}", f"Content-Length: {len(body)}", *headers]
    answer = gate.ask("POST /api/tickets HTTP/1.1\r\n" + "\r\n".join(lines), body)
    assert answer.startswith(b"HTTP/1.1 201 ")
    return str(body_of(answer)["ticket"])


def test_w5_a_ticket_opens_one_websocket(gate: Gate) -> None:
    """Its address may stand in a log: it is spent by then. It needs no Origin and no cookie."""
    ticket = new_ticket(gate)
    with gate.view(None, path=f"/websockify?ticket={ticket}") as viewer:
        join(viewer)
        assert gate.refuses(target=f"/websockify?ticket={ticket}", token=None) == 401
    assert gate.refuses(target=f"/websockify?ticket={ticket}", token=None) == 401


def test_w5_of_two_that_race_for_one_ticket_one_gets_in(gate: Gate) -> None:
    """Twenty at once."""
    ticket = new_ticket(gate)

    def race(_: int) -> int:
        with gate.socket() as sock:
            head = gate.upgrade(token=None, target=f"/websockify?ticket={ticket}")
            sock.sendall(head + b"\r\n\r\n")
            return int(sock.recv(4096).split(b" ", 2)[1])

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(race, range(20)))[:2] == [101, 401]


def test_w5_a_ticket_has_the_role_of_who_asked(gate: Gate) -> None:
    """And its name."""
    ticket = new_ticket(gate, VIEW)
    with gate.view(None, path=f"/websockify?ticket={ticket}") as viewer:
        join(viewer)
        wait_until(lambda: roles_here(gate) == [Role.VIEW])


def test_s1_a_tickets_viewer_ends_with_its_token(gate: Gate) -> None:
    """Within a second, with 1008."""
    ticket = new_ticket(gate, VIEW)
    with gate.view(None, path=f"/websockify?ticket={ticket}") as viewer:
        join(viewer)
        began = time.monotonic()
        gate.replace_tokens(TOKEN_FILE.split("# name=view")[0])
        assert close_code(viewer) == 1008
        assert time.monotonic() - began < 1


def test_s6_a_logout_ends_the_tickets_of_the_session(gate: Gate) -> None:
    """Spent and unspent."""
    mine = log_in(gate)
    answer = gate.ask(f"POST /api/tickets HTTP/1.1\r\n{mine}\r\nContent-Length: 0")
    again = gate.ask(f"POST /api/tickets HTTP/1.1\r\n{mine}\r\nContent-Length: 0")
    with gate.view(None, path=f"/websockify?ticket={body_of(answer)['ticket']}") as viewer:
        join(viewer)
        gate.ask(f"POST /logout HTTP/1.1\r\n{mine}\r\nContent-Length: 0")
        assert close_code(viewer) == 1008
    spare = body_of(again)["ticket"]
    assert gate.refuses(target=f"/websockify?ticket={spare}", token=None) == 401


def test_a_ticket_logs_a_browser_in_once(gate: Gate) -> None:
    """The link of `#ticket=…`, for whoever must not see the token."""
    body = f"ticket={new_ticket(gate)}".encode()
    head = f"POST /login HTTP/1.1\r\n{FORM}\r\nContent-Length: {len(body)}"
    answer = gate.ask(head, body)
    assert answer.startswith(b"HTTP/1.1 303 ")
    assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{cookie(answer)}") == 200
    assert gate.status(head, body) == 401


def show(gate: Gate, ticket: str, *, framed: bool = False) -> bytes:
    """Log in by a ticket, as our page does."""
    body = f"ticket={ticket}{'&framed=1' if framed else ''}".encode()
    lines = [FORM, "Accept: application/json", f"Content-Length: {len(body)}"]
    return gate.ask("POST /login HTTP/1.1\r\n" + "\r\n".join(lines), body)


def ask_ticket(gate: Gate, header: str) -> str:
    """Ask for one as a page does: by cookie, or by the session that it keeps."""
    answer = gate.ask(f"POST /api/tickets HTTP/1.1\r\n{header}\r\nContent-Length: 0")
    return str(body_of(answer)["ticket"])


@pytest.mark.parametrize("framed", [False, True])
def test_s6_a_logout_ends_also_who_logged_in_by_a_ticket_of_the_session(
    gate: Gate, framed: bool
) -> None:
    """In another browser, in a frame, and at second hand."""
    mine = log_in(gate)
    second = show(gate, ask_ticket(gate, mine), framed=framed)
    theirs = [cookie(second)]
    if framed:
        theirs.append(f"Authorization: Session {body_of(second)['session']}")
    theirs.append(cookie(show(gate, ask_ticket(gate, theirs[-1]))))
    assert [gate.status(f"GET /vnc.html HTTP/1.1\r\n{each}") for each in theirs] == [200] * len(
        theirs
    )
    gate.ask(f"POST /logout HTTP/1.1\r\n{mine}\r\nContent-Length: 0")
    assert {gate.status(f"GET /vnc.html HTTP/1.1\r\n{each}") for each in theirs} == {401}


def test_s4_a_ticket_prolongs_no_session(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has a cookie, stolen perhaps, has it for twelve hours and no longer."""
    mine = log_in(gate)
    now, later = gate.keeper.now(), LIFETIME_SECONDS - 60
    monkeypatch.setattr(gate.keeper, "now", lambda: now + later)
    theirs = cookie(show(gate, ask_ticket(gate, mine)))
    fresh = log_in(gate)
    each = (mine, theirs, fresh)
    assert [gate.status(f"GET /vnc.html HTTP/1.1\r\n{one}") for one in each] == [200, 200, 200]
    monkeypatch.setattr(gate.keeper, "now", lambda: now + LIFETIME_SECONDS + 1)
    assert [gate.status(f"GET /vnc.html HTTP/1.1\r\n{one}") for one in each] == [401, 401, 200]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/vnc.html", "/login"])
def test_h21_fetching_a_page_uses_no_ticket_up(gate: Gate, method: str, path: str) -> None:
    """A preview of links in a chat fetches what it sees; it gets nothing, and takes nothing."""
    ticket = new_ticket(gate)
    assert gate.status(f"{method} {path}?ticket={ticket} HTTP/1.1") == 401
    with gate.view(None, path=f"/websockify?ticket={ticket}"):
        pass


REFUSED: dict[str, tuple[str, bytes, int]] = {
    "nobody": ("POST /api/tickets HTTP/1.1\r\nContent-Length: 0", b"", 401),
    "by GET": (f"GET /api/tickets HTTP/1.1\r\nAuthorization: Bearer {CONTROL}", b"", 405),
    "by a token in the query": (
        f"POST /api/tickets?token={CONTROL} HTTP/1.1\r\nContent-Length: 0",
        b"",
        403,
    ),
    "for too long": (
        f"POST /api/tickets HTTP/1.1\r\nAuthorization: Bearer {CONTROL}\r\nContent-Length: 14",
        b'{"ttl": "601"}',
        400,
    ),
    "with an address that is none": (
        f"POST /api/tickets HTTP/1.1\r\nAuthorization: Bearer {CONTROL}\r\nContent-Length: 28",
        b'{"base_url": "javascript:1"}',
        400,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_no_ticket_for(gate: Gate, case: str) -> None:
    """Each with its own status."""
    head, body, expected = REFUSED[case]
    assert gate.status(head, body) == expected


@pytest.mark.parametrize("origin", ["http://evil.test", "http://localhost:1"])
def test_w3_another_page_gets_no_ticket_by_the_cookie(gate: Gate, origin: str) -> None:
    """Nor could it read one."""
    head = f"POST /api/tickets HTTP/1.1\r\n{log_in(gate)}\r\nContent-Length: 0"
    assert gate.status(head) == 201
    assert gate.status(f"{head}\r\nOrigin: {origin}") == 403


def test_a_ticket_may_live_ten_minutes_and_names_its_link(gate: Gate) -> None:
    """For a link that a person has to open."""
    body = b'{"ttl": "10m", "base_url": "https://desk.example.org/lab"}'
    head = f"Authorization: Bearer {CONTROL}\r\nContent-Length: {len(body)}"
    told = body_of(gate.ask(f"POST /api/tickets HTTP/1.1\r\n{head}", body))
    assert told["expires_in"] == 600
    assert told["url"] == f"https://desk.example.org/lab/#ticket={told['ticket']}"
