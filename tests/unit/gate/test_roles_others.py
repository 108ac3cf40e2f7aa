"""What a watcher cannot do to other viewers, nor get from them, against real Xvnc."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from deskgate import rfb
from deskgate.testing.viewer import Viewer
from tests.container.xclient import X
from tests.messages import (
    CAPS,
    NOTIFY,
    PEEK,
    PROVIDE,
    REQUEST,
    TEXT,
    capabilities,
    cut_text,
    extended,
    pointer,
    text_of,
)

from .running import Gate, close_code
from .samples import CONTROL, VIEW
from .xvnc import Desktop, running_xvnc

SECRET = b"copied by control"


def assert_all_live(desktop: Desktop, watcher: Viewer, controller: Viewer) -> None:
    watcher.settle()
    controller.send(pointer(2, 2) + pointer(40, 41))
    controller.settle()
    assert "pointer moved to 40, 41" in desktop.witness.told()


@pytest.mark.parametrize("shared", [0, 2, 255])
@pytest.mark.parametrize("token", [VIEW, CONTROL], ids=["view", "control"])
def test_r7_who_wants_the_desktop_alone_evicts_nobody(
    desktop: Desktop, shared: int, token: str
) -> None:
    """ClientInit with another shared flag than one, from either link."""
    with desktop.both() as (watcher, controller):
        with desktop.viewer(token, shared=shared) as alone:
            alone.settle()
            assert_all_live(desktop, watcher, controller)
        assert_all_live(desktop, watcher, controller)


@pytest.fixture(scope="module")
def unshared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """Xvnc without the argument that the tests above rest on."""
    folder: Path = tmp_path_factory.mktemp("unshared")
    with running_xvnc(folder, without="-AlwaysShared") as desktop:
        yield desktop


def test_r7_without_its_argument_xvnc_would_evict(unshared: Desktop) -> None:
    """So the tests above can fail; a watcher has no such right even then."""
    with unshared.both() as (watcher, controller):
        with unshared.viewer(VIEW, shared=0) as alone:
            alone.settle()
        assert_all_live(unshared, watcher, controller)
        with unshared.viewer(CONTROL, shared=0) as alone:
            alone.settle()
            for evicted in (watcher, controller):
                with pytest.raises(ConnectionClosed):
                    evicted.settle()


OPENINGS = {
    "version 3.3": b"RFB 003.003\n",
    "version 3.7": b"RFB 003.007\n",
    "version 3.889": b"RFB 003.889\n",
    "version 999": b"RFB 999.999\n",
    "version 3.8 of another case": b"rfb 003.008\n",
    "garbage": b"\xff" * 12,
    "zeros": bytes(12),
    "HTTP": b"GET / HTTP/1",
    **{
        f"security type {kind}": rfb.VERSION + bytes((kind,))
        for kind in (0, 2, 5, 16, 18, 19, 30, 255)
    },
}


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
@pytest.mark.parametrize("token", [VIEW, CONTROL], ids=["view", "control"])
def test_r7_another_opening_is_refused_and_evicts_nobody(
    desktop: Desktop, opening: bytes, token: str
) -> None:
    """Followed by ClientInit and a message, glued and whole; the gate refuses with 1002."""
    with desktop.both() as (watcher, controller):
        for rest in (b"\0", b"\x01\0" + pointer(9, 9)):
            with desktop.gate.view(token) as viewer:
                assert viewer.recv(5) == rfb.VERSION
                viewer.send(opening + rest)
                assert close_code(viewer) == 1002
        assert desktop.witness.told() == []
        assert_all_live(desktop, watcher, controller)


def test_r10_a_watcher_gets_no_copied_text(desktop: Desktop) -> None:
    """ServerCutText goes to control alone."""
    with desktop.viewer(VIEW) as watcher, desktop.viewer(CONTROL) as controller:
        for each in (watcher, controller):
            each.settle()
        with desktop.copied(SECRET):
            controller.listen_until(lambda: SECRET.decode() in controller.cut_texts)
            watcher.settle()
            assert watcher.cut_texts == []


def given(viewer: Viewer) -> list[bytes]:
    """What the extended clipboard gave somebody."""
    return [text_of(data) for flags, data in viewer.extended if flags == PROVIDE | TEXT]


def told(viewer: Viewer) -> list[int]:
    """And what else it said, after its `caps`."""
    return [flags for flags, _ in viewer.extended if not flags & (CAPS | PROVIDE)]


@pytest.mark.parametrize("size", [0, 1 << 20], ids=["asked", "unasked"])
def test_r10_a_watcher_gets_nothing_of_the_extended_clipboard(desktop: Desktop, size: int) -> None:
    """Neither at once nor on request; a peek says that there is nothing for him."""
    with desktop.both() as (watcher, controller):
        for each in (watcher, controller):
            each.send(capabilities(size))
            each.fence()
        with desktop.copied(SECRET):
            controller.listen_until(lambda: given(controller) or told(controller))
            for each in (watcher, controller):
                each.send(extended(PEEK) + extended(REQUEST | TEXT))
            controller.listen_until(lambda: SECRET in given(controller))
            controller.listen_until(lambda: NOTIFY | TEXT in told(controller))
            watcher.fence()
            assert (given(watcher), told(watcher), watcher.cut_texts) == ([], [NOTIFY], [])


def test_r10_a_watcher_gets_nothing_that_control_pasted(desktop: Desktop) -> None:
    """Nor a text that came from a control viewer's own machine; a program on the desktop does."""
    with desktop.both() as (watcher, controller), closing(X(desktop.place)) as program:
        controller.send(cut_text(SECRET))
        controller.fence()
        watcher.send(extended(REQUEST | TEXT) + extended(PEEK))
        watcher.fence()
        assert program.paste() == SECRET
        watcher.fence()
        assert (given(watcher), told(watcher), watcher.cut_texts) == ([], [NOTIFY], [])


def test_h4_health_is_xvncs_own_greeting(desktop: Desktop) -> None:
    """And a hundred probes lock nobody out."""
    gate: Gate = desktop.gate
    assert gate.status("GET /healthz HTTP/1.1") == 200
    for _ in range(10):
        gate.keeper.desk._greeted = (0.0, False)
        assert gate.status("GET /healthz HTTP/1.1") == 200
    with desktop.viewer(CONTROL) as controller:
        controller.settle()
