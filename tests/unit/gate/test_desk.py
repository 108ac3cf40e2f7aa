"""Links to Xvnc that fail, and the ways to it."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from pathlib import Path

import pytest

from deskgate import rfb
from deskgate.gate import limits
from deskgate.gate.config import Target
from deskgate.gate.desk import Desk, DeskAwayError, DeskError, DeskLink
from deskgate.tokens import Role

from . import running
from .running import Gate


def said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capfd.readouterr().err.splitlines() if "no desktop" in line]


def test_a_link_that_nobody_waits_for_any_more_says_nothing() -> None:
    """A client that left during the dial is no error in the log."""
    said: list[object] = []

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: said.append(what))
        link = DeskLink(rfb.ClientHandshake(None))
        link.connection_lost(None)
        del link
        gc.collect()

    asyncio.run(scene())
    assert said == []


def open_desk(desk: Desk) -> None:
    async def scene() -> None:
        link = await desk.open(Role.CONTROL)
        link.transport.abort()

    asyncio.run(scene())


@pytest.mark.parametrize("target", [Target(path="/nonexistent"), Target(host="127.0.0.1", port=1)])
def test_an_unreachable_desktop_is_said(target: Target) -> None:
    """By socket path and by port."""
    with pytest.raises(DeskAwayError, match="cannot be reached"):
        open_desk(Desk(target, "/nonexistent"))


def test_a_desktop_that_can_never_be_reached_is_more_than_away() -> None:
    """No start of Xvnc mends a path that is none."""
    with pytest.raises(DeskError, match="cannot be reached: Not a directory") as found:
        open_desk(Desk(Target(path="/dev/null/rfb.sock"), "/nonexistent"))
    assert not isinstance(found.value, DeskAwayError)


def test_a_desktop_that_hangs_up_is_away() -> None:
    """As Xvnc does that is told to end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hang_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hang_up.start()
        target = Target(host="127.0.0.1", port=listener.getsockname()[1])
        with pytest.raises(DeskAwayError, match="closed the connection"):
            open_desk(Desk(target, "/nonexistent"))
        hang_up.join()


def test_a_desktop_that_is_away_is_no_warning(
    gate: Gate, desk: running.Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """PID 1 has said why; a page that comes back while Xvnc starts again is nobody's mistake."""
    desk.close()
    assert gate.refuses() == 503
    (line,) = said(capfd)
    assert line.startswith("info: no desktop for a control viewer: Xvnc cannot be reached: ")


def test_a_desktop_that_lets_nobody_in_is_a_warning(
    gate: Gate, desk: running.Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is there, and will stay as it is: somebody has to look. Said once, however often asked."""
    desk.types = b"\x01\x10"  # one, which is not ours
    assert [gate.refuses() for _ in range(2)] == [503, 503]
    (line,) = said(capfd)
    assert line.startswith("warning: no desktop for a control viewer: ")


def test_a_silent_desktop_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser gets its 503 in seconds."""
    monkeypatch.setattr(limits, "DIAL_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = Target(host="127.0.0.1", port=listener.getsockname()[1])
        with pytest.raises(DeskError, match="does not answer"):
            open_desk(Desk(target, "/nonexistent"))


def test_a_full_backlog_is_waited_out(tmp_path: Path) -> None:
    """Xvnc's holds five: a unix socket then fails only at the first read (EINVAL, ENOTCONN)."""
    path = str(tmp_path / "rfb.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0)
    fillers = []
    for _ in range(3):
        filler = socket.socket(socket.AF_UNIX)
        filler.setblocking(False)
        filler.connect_ex(path)
        fillers.append(filler)
    desk = running.Desk(listener)
    with pytest.raises(DeskError):
        _open_soon(desk, path, serve=False)
    _open_soon(desk, path, serve=True)
    desk.close()
    for sock in (*fillers, *desk.sockets):
        sock.close()


def _open_soon(desk: running.Desk, path: str, *, serve: bool) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        if serve:
            loop.call_later(0.1, lambda: loop.run_in_executor(None, desk.serve))
        try:
            async with asyncio.timeout(1):
                link = await Desk(Target(path=path), "/nonexistent").open(Role.CONTROL)
            link.transport.abort()
        except TimeoutError:
            raise DeskError("still full") from None
        finally:
            if serve:
                desk.close()

    asyncio.run(scene())
