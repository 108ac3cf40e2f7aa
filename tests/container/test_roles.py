"""A watcher watches: nothing that he sends has an effect on X, and the same from control has.

Read off the X server, not off the bytes sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import X_CLIENT, x_client, x_state
from tests.container.viewer import SHIFT, Viewer
from tests.container.web import ask, bearer, log_in

SETTLE_SECONDS = 3.0
WORD = "copied by a viewer"


def _point(viewer: Viewer) -> None:
    viewer.point(333, 222, buttons=2)


def _key(viewer: Viewer) -> None:
    viewer.key(SHIFT, down=True)


def _cut(viewer: Viewer) -> None:
    viewer.cut(WORD)


def _resize(viewer: Viewer) -> None:
    viewer.resize(1000, 700)


# What a viewer may try, and how the X server's state shows that it worked.
ATTEMPTS: dict[str, tuple[Callable[[Viewer], None], Callable[[dict[str, Any]], object]]] = {
    "pointer": (_point, lambda state: (state["pointer"], state["buttons"])),
    "key": (_key, lambda state: state["keys"]),
    "clipboard": (_cut, lambda state: state["owners"]),
    "size": (_resize, lambda state: state["size"]),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_watcher_changes_nothing(desk: Desk, attempt: str) -> None:
    """The watch link's message is without effect; the control link's same message is not."""
    send, read = ATTEMPTS[attempt]
    with Viewer(desk, headers=bearer(desk.token("view"))) as watcher:
        before = read(x_state(desk))
        send(watcher)
        watcher.settle()
        assert read(x_state(desk)) == before
        with Viewer(desk, headers=bearer(desk.token("control"))) as controller:
            send(controller)
            controller.settle()
            wait_until(lambda: read(x_state(desk)) != before, SETTLE_SECONDS)
            controller.key(SHIFT, down=False)
            controller.point(10, 10)
            controller.settle()


def test_watcher_gets_no_clipboard(desk: Desk) -> None:
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


def test_clipboard_of_a_control_viewer_can_be_pasted(desk: Desk) -> None:
    """Text from a control viewer is what an X client pastes."""
    with Viewer(desk, headers=bearer(desk.token())) as controller:
        controller.cut("Grüße")
        controller.settle()
        assert x_client(desk, "paste").out == "Grüße"


def test_watcher_cannot_evict(desk: Desk) -> None:
    """A watcher who asks for a desktop of his own ends nobody's."""
    with Viewer(desk, headers=bearer(desk.token())) as controller:
        with Viewer(desk, headers=bearer(desk.token("view")), shared=False) as watcher:
            watcher.settle()
        assert len(controller.settle()) == 4


def test_gate_offers_no_security_type_but_none(desk: Desk) -> None:
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
