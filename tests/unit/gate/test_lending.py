"""Control on loan, on real sockets: who enters Xvnc by which door, and what ends it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from deskgate import rfb
from deskgate.gate import limits
from deskgate.gate.frames import ROLE_CHANGED
from deskgate.gate.loans import handle_of
from deskgate.testing.viewer import Viewer
from tests.messages import pointer

from .running import (
    TOKEN_FILE,
    Desk,
    Gate,
    body_of,
    close_code,
    cookie,
    join,
    running_gate,
    wait_until,
)
from .samples import CONTROL, VIEW
from .test_company import NEWS, enter, news
from .xvnc import Desktop, dealt_with

NONE, VNC_AUTH = rfb.NONE, rfb.VNC_AUTH  # the door of who controls, and of who watches


class Person:
    """A browser with a session, and its page."""

    def __init__(self, gate: Gate, token: str) -> None:
        self.gate = gate
        form = "Content-Type: application/x-www-form-urlencoded"
        body = f"token={token}".encode()
        head = f"POST /login HTTP/1.1\r\n{form}\r\nContent-Length: {len(body)}"
        self.cookie = cookie(gate.ask(head, body))

    @property
    def headers(self) -> dict[str, str]:
        """What the browser sends with a WebSocket."""
        value = self.cookie.removeprefix("Cookie: ")
        return {"Cookie": value, "Origin": f"http://127.0.0.1:{self.gate.port}"}

    def page(self, **options: Any) -> contextlib.AbstractContextManager[ClientConnection]:
        """Its WebSocket."""
        return self.gate.view(None, additional_headers=self.headers, **options)

    def hand(self) -> Viewer:
        """The same, past ServerInit of a real Xvnc."""
        return Viewer(self.gate, headers=self.headers)

    @contextlib.contextmanager
    def here(self) -> Iterator[ClientConnection]:
        """The same, as a viewer that takes news."""
        with self.page(subprotocols=NEWS) as viewer:
            enter(viewer)
            yield viewer

    def post(self, target: str, **body: str) -> tuple[int, Any]:
        """What its page asks for: status and JSON."""
        data = json.dumps(body).encode() if body else b""
        head = f"POST {target} HTTP/1.1\r\n{self.cookie}\r\nContent-Length: {len(data)}"
        answer = self.gate.ask(head, data)
        told = body_of(answer)
        return int(answer.split(b" ", 2)[1]), json.loads(told) if told[:1] == b"{" else None


def until(viewer: ClientConnection, **expected: Any) -> Any:
    """The next news in which these stand."""
    while True:
        told = news(viewer)
        if all(told.get(name) == value for name, value in expected.items()):
            return told


def door(desk: Desk) -> int:
    """By which door the newest viewer entered Xvnc."""
    return desk.next()[0]


def lend(gate: Gate, desk: Desk) -> tuple[Person, Person, str]:
    """Who lent his control, who has it, and the loan's id; both pages were told to come again."""
    owner, guest = Person(gate, CONTROL), Person(gate, VIEW)
    with owner.here() as control, guest.here() as watch:
        assert (door(desk), door(desk)) == (NONE, VNC_AUTH)
        wait_until(lambda: gate.keeper.by_role() == {"control": 1, "view": 1})
        (watching,) = until(control, others={"control": 0, "view": 1})["watching"]
        status, loan = owner.post("/api/loans", to=watching["id"])
        assert (status, loan) == (201, {"id": watching["id"], "from": "control", "to": "view"})
        assert (close_code(control), close_code(watch)) == (ROLE_CHANGED, ROLE_CHANGED)
    return owner, guest, loan["id"]


@pytest.fixture
def lent(gate: Gate, desk: Desk) -> tuple[Person, Person, str]:
    """See `lend`."""
    return lend(gate, desk)


def test_control_changes_hands_and_comes_back(
    gate: Gate, desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """In Xvnc, where roles are enforced; both sides see it; the log has it by name."""
    owner, guest, loan = lend(gate, desk)
    with owner.here() as watch, guest.here() as control:
        assert (door(desk), door(desk)) == (VNC_AUTH, NONE)
        told = {"id": loan, "from": "control", "to": "view"}
        assert until(control, role="control", borrowed=told)
        assert until(watch, role="view", lent=told, loans=[told], watching=[])
        assert gate.keeper.by_role() == {"control": 1, "view": 1}
        assert owner.post(f"/api/loans/{loan}/end") == (200, told)
        assert (close_code(watch), close_code(control)) == (ROLE_CHANGED, ROLE_CHANGED)
    with owner.here() as control, guest.here() as watch:
        assert (door(desk), door(desk)) == (NONE, VNC_AUTH)
        assert until(control, role="control", lent=None, loans=[])
        assert "borrowed" not in until(watch, role="view")
    log = capfd.readouterr().err
    assert "info: control lent by control to view\n" in log
    assert "info: control viewer view from 127.0.0.1 joined\n" in log
    assert "info: control back from view to control: control ended it\n" in log


def test_a_borrower_gives_control_back(lent: tuple[Person, Person, str], desk: Desk) -> None:
    """Whoever has it need not wait until it is taken."""
    owner, guest, loan = lent
    assert guest.post(f"/api/loans/{loan}/end")[0] == 200
    assert guest.post(f"/api/loans/{loan}/end")[0] == 404
    with owner.here():
        assert door(desk) == NONE


def test_only_the_session_that_was_lent_to_has_control(
    gate: Gate, desk: Desk, lent: tuple[Person, Person, str]
) -> None:
    """Not another of its token, nor that token by itself."""
    other = Person(gate, VIEW)
    with other.here(), gate.view(VIEW) as machine:
        join(machine)
        assert (door(desk), door(desk)) == (VNC_AUTH, VNC_AUTH)
    with Person(gate, CONTROL).here():
        assert door(desk) == NONE, "nor does another of the lender's watch"


def test_a_loan_outlives_a_reload(gate: Gate, desk: Desk, lent: tuple[Person, Person, str]) -> None:
    """Of either side, and the lender may close his page."""
    _, guest, _ = lent
    for _ in range(2):
        with guest.here():
            assert door(desk) == NONE
        wait_until(lambda: not gate.keeper.viewers)


def test_a_loan_ends_when_its_lender_logs_out(
    desk: Desk, lent: tuple[Person, Person, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """At once, for a page that is open."""
    owner, guest, _ = lent
    with guest.here() as control:
        assert door(desk) == NONE
        owner.post("/logout")
        assert close_code(control) == ROLE_CHANGED
    with guest.here():
        assert door(desk) == VNC_AUTH
    assert "control back from view to control: the lender logged out" in capfd.readouterr().err


def test_a_loan_ends_with_its_lenders_token(
    gate: Gate, desk: Desk, lent: tuple[Person, Person, str]
) -> None:
    """Within a second; a revoked owner has lent nothing."""
    _, guest, _ = lent
    with guest.here() as control:
        assert door(desk) == NONE
        gate.replace_tokens(TOKEN_FILE.replace(CONTROL, "another_" * 8))
        assert close_code(control, 1) == ROLE_CHANGED
    assert gate.keeper.loans.each == ()


def test_a_loan_ends_when_nobody_is_there_to_use_it(
    gate: Gate,
    desk: Desk,
    lent: tuple[Person, Person, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the lender would wait for somebody who went home."""
    owner, _, _ = lent
    with owner.here() as watch:
        assert door(desk) == VNC_AUTH
        monkeypatch.setattr(limits, "LOAN_AWAY_SECONDS", 0.1)
        assert close_code(watch) == ROLE_CHANGED
    with owner.here():
        assert door(desk) == NONE


def test_who_comes_back_too_late_watches(
    gate: Gate,
    desk: Desk,
    lent: tuple[Person, Person, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the first moment, though nobody was there meanwhile whom the gate looked after."""
    _, guest, _ = lent
    monkeypatch.setattr(limits, "LOAN_AWAY_SECONDS", 0.1)
    (loan,) = gate.keeper.loans.each
    wait_until(lambda: gate.keeper.now() > loan.seen + 0.2 and not gate.keeper.viewers)
    with guest.here():
        assert door(desk) == VNC_AUTH


def test_a_gate_that_starts_anew_knows_of_no_loan(tmp_path: Path, desk: Desk) -> None:
    """With the same cookies: who lent controls, and who borrowed watches."""
    with running_gate(tmp_path, desk.port) as gate:
        owner, guest = Person(gate, CONTROL), Person(gate, VIEW)
        with owner.here() as control, guest.here():
            assert (door(desk), door(desk)) == (NONE, VNC_AUTH)
            (watching,) = until(control, others={"control": 0, "view": 1})["watching"]
            assert owner.post("/api/loans", to=watching["id"])[0] == 201
        files = {path.name: path.read_text("latin-1") for path in tmp_path.glob("*.*")}
        assert not [name for name, text in files.items() if watching["id"] in text]
    with running_gate(tmp_path, desk.port) as again:
        for person, expected in ((owner, NONE), (guest, VNC_AUTH)):
            person.gate = again
            with person.here():
                assert door(desk) == expected


def test_a_loan_needs_somebody_who_watches(gate: Gate, desk: Desk) -> None:
    """By an id of now; and control that one has."""
    owner = Person(gate, CONTROL)
    assert owner.post("/api/loans", to="0" * 16)[0] == 409
    with Person(gate, VIEW).here(), owner.here() as control:
        (watching,) = until(control, others={"control": 0, "view": 1})["watching"]
    wait_until(lambda: not gate.keeper.viewers)
    status, told = owner.post("/api/loans", to=watching["id"])
    assert (status, told) == (409, {"error": "nobody of this id watches now"})


def test_control_cannot_be_lent_twice(gate: Gate, lent: tuple[Person, Person, str]) -> None:
    """While it is lent, the lender has none."""
    owner, _, _ = lent
    with Person(gate, VIEW).here(), owner.here() as watch:
        (watching,) = until(watch, others={"control": 0, "view": 1})["watching"]
        assert owner.post("/api/loans", to=watching["id"])[0] == 409


def test_who_enters_while_control_goes_is_told_to_come_again(
    gate: Gate, desk: Desk, lent: tuple[Person, Person, str]
) -> None:
    """The gate asked Xvnc for a controller; until it let him in, he was none any more."""
    owner, guest, _ = lent
    held: list[str] = []
    keeper, open_desk = gate.keeper, gate.keeper.desk.open

    async def slowly(role: Any) -> Any:
        link = await open_desk(role)
        if role == "control":
            keeper.end_loan(keeper.loans.each[0], keeper.joined()[0])
            held.append(role)
        return link

    keeper.desk.open = slowly  # type: ignore[method-assign]
    with owner.here() as watch, guest.page() as viewer:
        assert close_code(viewer) == ROLE_CHANGED
        assert close_code(watch) == ROLE_CHANGED
    assert held == ["control"]


def test_hand_over_is_enforced_by_xvnc(desktop: Desktop) -> None:
    """Real Xvnc: the pointer follows who has control, there and back, and nobody else."""
    gate = desktop.gate
    owner, guest = Person(gate, CONTROL), Person(gate, VIEW)

    def only(mover: Person, other: Person, at: int) -> None:
        with mover.hand() as control, other.hand() as watch:
            desktop.witness.told()
            watch.send(pointer(at + 1, at + 1))
            dealt_with(watch)
            assert desktop.witness.told() == []
            control.send(pointer(at, at))
            dealt_with(control)
            assert f"{at}" in " ".join(desktop.witness.told())

    only(owner, guest, 20)
    with owner.hand() as control, guest.hand() as watch:
        wait_until(lambda: gate.keeper.by_role() == {"control": 1, "view": 1})
        (borrower,) = gate.keeper.watching()
        status, loan = owner.post("/api/loans", to=handle_of(borrower))
        assert status == 201
        for viewer in (control, watch):
            with pytest.raises(ConnectionClosed) as closed:
                viewer.settle()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == ROLE_CHANGED
    only(guest, owner, 40)
    owner.post(f"/api/loans/{loan['id']}/end")
    only(owner, guest, 60)
