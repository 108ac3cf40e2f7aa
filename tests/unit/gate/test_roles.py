"""The two rights, against real Xvnc: what a watcher sends has no effect on X.

Read off the X server by a client of it that sees every event. In each test the same message has
its effect from the control link, or it would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from websockets.exceptions import ConnectionClosed

from deskgate.testing.viewer import Viewer
from tests.container.xclient import X
from tests.messages import (
    EVERY_EXTENSION,
    NOTIFY,
    PEEK,
    REQUEST,
    TEXT,
    capabilities,
    continuous_updates,
    extended,
    fence,
    gii,
    pointer,
    provided,
    set_pixel_format,
    update_request,
    xvp,
)

from .attempts import CLIPBOARDS, KEYS, POINTERS, QEMU_KEYS, SIZES
from .samples import CONTROL, VIEW
from .xvnc import Desktop, dealt_with


def assert_only_control_may(desktop: Desktop, message: bytes, effect: str) -> None:
    with desktop.both() as (watcher, controller):
        before = desktop.witness.state()
        watcher.send(message)
        dealt_with(watcher)
        assert desktop.witness.told() == []
        assert desktop.witness.state() == before
        controller.send(message)
        dealt_with(controller)
        assert effect in " ".join(desktop.witness.told())


@pytest.mark.parametrize(("message", "effect"), KEYS.values(), ids=KEYS)
def test_r1_a_watcher_presses_no_key(desktop: Desktop, message: bytes, effect: str) -> None:
    """KeyEvent."""
    assert_only_control_may(desktop, message, effect)


@pytest.mark.parametrize(("message", "effect"), POINTERS.values(), ids=POINTERS)
def test_r2_a_watcher_has_no_pointer(desktop: Desktop, message: bytes, effect: str) -> None:
    """PointerEvent, also in the longer form for mice of many buttons."""
    assert_only_control_may(desktop, message, effect)


@pytest.mark.parametrize(("message", "effect"), CLIPBOARDS.values(), ids=CLIPBOARDS)
def test_r3_a_watcher_takes_no_selection(desktop: Desktop, message: bytes, effect: str) -> None:
    """ClientCutText, and the extended clipboard's `notify`."""
    assert_only_control_may(desktop, message, effect)


def test_r3_a_watcher_gives_no_text_that_control_was_asked_for(desktop: Desktop) -> None:
    """The extended clipboard's `provide`: asked for when a program pastes."""
    with (
        desktop.both() as (watcher, controller),
        closing(X(desktop.place)) as program,
        ThreadPoolExecutor(1) as pool,
    ):
        controller.send(extended(NOTIFY | TEXT))
        controller.settle()
        pasted = pool.submit(program.paste)
        controller.listen_until(lambda: (REQUEST | TEXT, b"") in controller.extended)
        watcher.send(extended(NOTIFY | TEXT) + provided(b"evil"))
        watcher.settle()
        assert not pasted.done()
        controller.send(provided(b"good"))
        assert pasted.result(5) == b"good"


@pytest.mark.parametrize(("message", "effect"), SIZES.values(), ids=SIZES)
def test_r4_a_watcher_resizes_no_screen(desktop: Desktop, message: bytes, effect: str) -> None:
    """SetDesktopSize."""
    assert_only_control_may(desktop, message, effect)


@pytest.mark.parametrize(("message", "effect"), QEMU_KEYS.values(), ids=QEMU_KEYS)
def test_r5_a_watcher_presses_no_key_of_qemus(
    desktop: Desktop, message: bytes, effect: str
) -> None:
    """QEMU's extended key event."""
    assert_only_control_may(desktop, message, effect)


UNKNOWN = {
    "xvp shutdown": xvp(2),
    "xvp reboot": xvp(3),
    "gii": gii(),
    "file transfer": b"\x07" + bytes(11),
    "type 1": b"\x01" + bytes(7),
    "type 99": b"\x63" + bytes(7),
    "type 254": b"\xfe" + bytes(7),
    "no pixel format": set_pixel_format(7, 3),
}


@pytest.mark.parametrize("message", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("token", [VIEW, CONTROL], ids=["view", "control"])
def test_r6_what_xvnc_does_not_know_ends_its_sender_alone(
    desktop: Desktop, message: bytes, token: str
) -> None:
    """xvp, gii and the rest: nobody can shut down or restart anything by them."""
    with desktop.both() as (watcher, controller), desktop.viewer(token) as sender:
        sender.send(message)
        with pytest.raises(ConnectionClosed) as ended:
            sender.settle()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1011
        assert desktop.witness.told() == []
        watcher.settle()
        controller.send(pointer(5, 6))
        controller.settle()
        assert desktop.witness.told() == ["pointer moved to 5, 6"]


def narrowed(viewer: Viewer) -> bool:
    viewer.pixel_bytes = 2
    return len(viewer.look(0, 0, 4, 4)) == 32


# What a watcher may say, and how it shows that Xvnc took it.
ALLOWED: dict[str, tuple[bytes, Callable[[Viewer], object]]] = {
    "SetPixelFormat": (set_pixel_format(), narrowed),
    "SetEncodings": (EVERY_EXTENSION, lambda viewer: viewer.extended),
    "FramebufferUpdateRequest": (update_request(), Viewer.settle),
    "EnableContinuousUpdates": (
        continuous_updates(on=True) + continuous_updates(on=False),
        lambda viewer: viewer.continuous_ended == 2,  # the first said that Xvnc knows it
    ),
    "ClientFence": (fence(b"a fence"), lambda viewer: (0, b"a fence") in viewer.fences),
    "the extended clipboard's caps": (capabilities(1 << 20), Viewer.settle),
    "its request": (extended(REQUEST | TEXT), Viewer.settle),
    "its peek": (extended(PEEK), lambda viewer: (NOTIFY, b"") in viewer.extended),
    "its provide, unasked": (provided(b"evil"), Viewer.settle),
    "its notice of nothing": (extended(NOTIFY), Viewer.settle),
}


@pytest.mark.parametrize(("message", "taken"), ALLOWED.values(), ids=ALLOWED)
@pytest.mark.parametrize("token", [VIEW, CONTROL], ids=["view", "control"])
def test_r6_what_a_watcher_may_say_changes_nothing_on_x(
    desktop: Desktop, message: bytes, taken: Callable[[Viewer], object], token: str
) -> None:
    """Xvnc takes and answers it, from either link, and X does not hear of it."""
    with desktop.viewer(token) as viewer:
        viewer.send(EVERY_EXTENSION)
        viewer.fence()
        desktop.witness.told()
        viewer.send(message)
        viewer.fence()
        assert taken(viewer)
        assert desktop.witness.told() == []
