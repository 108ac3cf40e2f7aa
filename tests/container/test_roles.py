"""A watcher watches: nothing that he sends has an effect on X, and the same from control has.

Read off the X server, not off the bytes sent.
"""

from __future__ import annotations

import pytest

from deskgate.testing.viewer import SHIFT, Viewer
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import X_CLIENT, x_client, x_state
from tests.container.web import ask, bearer, log_in
from tests.messages import (
    EVERY_EXTENSION,
    NOTIFY,
    TEXT,
    desktop_size,
    extended,
    key,
    many_buttons,
    pointer,
    qemu_key,
)

SETTLE_SECONDS = 3.0
WORD = "copied by a viewer"
# A message, and the part of the X server's state that shows its effect.
Attempt = tuple[bytes, str]


def assert_only_control_may(desk: Desk, attempt: Attempt) -> None:
    """The watch link's message is without effect; the control link's same message is not."""
    message, part = attempt
    with (
        Viewer(desk, headers=bearer(desk.token("view"))) as watcher,
        Viewer(desk, headers=bearer(desk.token("control"))) as controller,
    ):
        for each in (watcher, controller):
            each.send(EVERY_EXTENSION)
            each.fence()
        before = x_state(desk)
        watcher.send(message)
        watcher.fence()
        assert x_state(desk) == before
        controller.send(message)
        controller.fence()
        wait_until(lambda: x_state(desk)[part] != before[part], SETTLE_SECONDS)
        controller.key(SHIFT, down=False)
        controller.point(10, 10)
        controller.fence()


def test_r1_watcher_presses_no_key(desk: Desk) -> None:
    """KeyEvent."""
    assert_only_control_may(desk, (key(SHIFT), "keys"))


@pytest.mark.parametrize(
    "attempt",
    [
        (pointer(333, 222), "pointer"),
        (pointer(10, 10, 0b10), "buttons"),
        (many_buttons(444, 333, 1 << 7), "pointer"),
    ],
    ids=["movement", "button", "eighth button"],
)
def test_r2_watcher_has_no_pointer(desk: Desk, attempt: Attempt) -> None:
    """PointerEvent; its longer form is known to Xvnc 1.15, which this image has."""
    assert_only_control_may(desk, attempt)


def test_r3_watcher_takes_no_selection(desk: Desk) -> None:
    """The extended clipboard's `notify`; nobody owns a selection before."""
    assert_only_control_may(desk, (extended(NOTIFY | TEXT), "owners"))


def test_r3_watcher_sets_no_clipboard(desk: Desk) -> None:
    """ClientCutText: what an X client pastes is the control viewer's text."""
    with (
        Viewer(desk, headers=bearer(desk.token("view"))) as watcher,
        Viewer(desk, headers=bearer(desk.token("control"))) as controller,
    ):
        controller.cut("Grüße")
        controller.settle()
        watcher.cut(WORD)
        watcher.settle()
        assert x_client(desk, "paste").out == "Grüße"


def test_r4_watcher_resizes_no_screen(desk: Desk) -> None:
    """SetDesktopSize."""
    assert_only_control_may(desk, (desktop_size(1000, 700), "size"))


def test_r5_watcher_presses_no_key_of_qemus(desk: Desk) -> None:
    """QEMU's extended key event."""
    assert_only_control_may(desk, (qemu_key(SHIFT, 0x2A), "keys"))


def test_r10_watcher_gets_no_clipboard(desk: Desk) -> None:
    """What is copied on the desktop goes to control viewers alone."""
    with (
        Viewer(desk, headers=bearer(desk.token("view"))) as watcher,
        Viewer(desk, headers=bearer(desk.token("control"))) as controller,
    ):
        copy = ("python3", "-c", X_CLIENT.decode(), "copy", WORD.encode().hex())
        place = ("-e", "DISPLAY=:1", "-e", "XAUTHORITY=/run/deskgate/Xauthority")
        desk.must(*copy, options=("--detach", *place))

        def heard() -> bool:
            controller.settle()
            watcher.settle()
            return WORD in controller.cut_texts

        wait_until(heard, SETTLE_SECONDS)
        assert watcher.cut_texts == []


def test_r7_watcher_cannot_evict(desk: Desk) -> None:
    """A watcher who asks for a desktop of his own ends nobody's."""
    with Viewer(desk, headers=bearer(desk.token())) as controller:
        with Viewer(desk, headers=bearer(desk.token("view")), shared=False) as watcher:
            watcher.settle()
        assert len(controller.settle()) == 4


def test_r7_gate_offers_no_security_type_but_none(desk: Desk) -> None:
    """Xvnc's internal passwords are between it and the gate: no viewer is asked for one."""
    for role in ("control", "view"):
        with Viewer(desk, headers=bearer(desk.token(role))) as viewer:
            assert viewer.security_types == b"\x01"


def test_watchers_cookie_stays_a_watchers(desk: Desk) -> None:
    """A login with the watch token gives a cookie that controls nothing either."""
    with Viewer(desk, headers=log_in(desk, desk.token("view"))) as watcher:
        before = x_state(desk)["pointer"]
        watcher.point(before[0] + 50, before[1] + 50)
        watcher.settle()
        assert x_state(desk)["pointer"] == before


def test_watcher_may_not_ask_for_the_status(desk: Desk) -> None:
    """The API is control's."""
    assert ask(desk, "/api/status", headers=bearer(desk.token("view"))).status == 403
    assert ask(desk, "/api/status", headers=bearer(desk.token("control"))).status == 200
