"""The full desktop: Xfce in the place of the small window manager. With --exhaustive alone."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import RUN_USER, Desk
from tests.container.engine import docker, wait_until
from tests.container.test_hardening import HARD
from tests.container.web import ask, bearer
from tests.png import pixels

PARTS: Final = {"xfce4-session", "xfwm4", "xfce4-panel", "xfdesktop", "xfsettingsd", "Thunar"}
SECONDS: Final = 20.0  # until the panel is there: 3 s on an idle machine
COLOURS: Final = 1000  # the picture behind the icons has them; a bare root window has one


@pytest.fixture
def make_xfce(make_desk: MakeDesk, *, exhaustive: bool) -> MakeDesk:
    """Make desks of that variant."""
    if not exhaustive:
        pytest.skip("only with --exhaustive: the image takes a minute to build")

    def make(**arguments: Any) -> Desk:
        return make_desk(variant="xfce", **arguments)

    return make


def running(desk: Desk) -> Counter[tuple[str, int]]:
    """How many processes of each name and user there are."""
    lines = docker("top", desk.name, "-eo", "pid,uid,comm").out.splitlines()[1:]
    return Counter((name, int(uid)) for _, uid, name in (line.split(None, 2) for line in lines))


def complete(desk: Desk, user: int = RUN_USER) -> bool:
    """Whether each part of Xfce runs once, as that user."""
    return all(running(desk)[name, user] == 1 for name in PARTS)


def colours(desk: Desk) -> int:
    """How many the screen has."""
    shot = ask(desk, "/api/screenshot.png", headers=bearer(desk.token()))
    assert shot.status == 200
    return len(set(pixels(shot.body)[2]))


def test_the_whole_desktop_is_on_the_screen(make_xfce: MakeDesk) -> None:
    """Its parts run once each, and quietly; what is seen is more than an empty screen."""
    desk = make_xfce().start()
    wait_until(lambda: complete(desk), SECONDS, what="Xfce's parts")
    wait_until(lambda: colours(desk) > COLOURS, SECONDS, what="the background")
    desk.must("deskgate", "health")


def test_a_session_that_was_killed_is_back_whole(make_xfce: MakeDesk) -> None:
    """With nothing of the old one beside it."""
    desk = make_xfce().start()
    wait_until(lambda: complete(desk), SECONDS, what="Xfce's parts")
    desk.allow("^wm: warning: |^deskgate: warning: wm: ended with status 137; starting it again")
    desk.must("sh", "-c", "kill -9 $(grep -lx xfce4-session /proc/[0-9]*/comm | cut -d/ -f3)")
    wait_until(lambda: desk.status()["wm"]["restarts"] == 1, SECONDS)
    wait_until(lambda: complete(desk), SECONDS, what="Xfce's parts")
    desk.must("deskgate", "restart", "wm")
    wait_until(lambda: complete(desk), SECONDS, what="Xfce's parts")


def test_it_stops_at_once(make_xfce: MakeDesk) -> None:
    """All of its parts together."""
    desk = make_xfce().start()
    wait_until(lambda: complete(desk), SECONDS, what="Xfce's parts")
    assert desk.stop() < 3
    assert desk.exit_status() == 0


def test_it_runs_as_the_users_own(make_xfce: MakeDesk) -> None:
    """Where root started it, and `PUID` says who."""
    desk = make_xfce(options=("--user", "0"), env={"PUID": "1234"}).start()
    wait_until(lambda: complete(desk, 1234), SECONDS, what="Xfce's parts")


def test_it_runs_in_a_hardened_container(make_xfce: MakeDesk) -> None:
    """Read-only, without capabilities, as a user that the image does not know."""
    desk = make_xfce(options=HARD).start()
    wait_until(lambda: complete(desk, 31337), SECONDS, what="Xfce's parts")


def test_a_desktop_that_is_not_there_is_named(make_desk: MakeDesk) -> None:
    """With those that are."""
    done = make_desk(env={"DESKTOP": "xfce"}, command=("true",))
    done.allow("DESKTOP")
    result = done.run()
    assert result.status == 78
    assert 'DESKTOP: cannot use "xfce": not found; installed here: jwm' in result.err
