"""What every image built on deskgate has to do: `pytest --pyargs deskgate.testing`.

Of a desk that the tests share, and of such that end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin

import pytest
from websockets.exceptions import InvalidStatus

from deskgate.testing import layers
from deskgate.testing.desk import Desk
from deskgate.testing.engine import docker, wait_until
from deskgate.testing.inside import listeners, processes
from deskgate.testing.plugin import MakeDesk
from deskgate.testing.viewer import CAPS_LOCK, Viewer
from deskgate.testing.web import bearer

ROLES: Final = ("control", "view")
WRONG: Final = "0" * 64
STOP_SECONDS: Final = 5.0  # half of what the engine gives before it kills
KEY_SECONDS: Final = 5.0  # until a key that was pressed shows
KILLED: Final = 137  # 128 + SIGKILL
# Ends with 6 on SIGTERM and with 9 on SIGUSR1, and says when it can hear them.
LISTENS: Final = (
    'trap "exit 6" TERM; trap "exit 9" USR1; echo listening; while :; do sleep 0.1; done'
)
# A link, or a row of the token file: what is left of a start, if a build has one.
LEFT: Final = re.compile(
    rb"[#?&]token(?:=|%3D)[0-9a-f]{64}|^[0-9a-f]{64}: (?:127\.0\.0\.1|unix_socket):", re.MULTILINE
)
FILE_ROW: Final = re.compile(r"^([A-Za-z0-9_-]{16,256}): ", re.MULTILINE)


def view(desk: Desk, target: str = "/websockify", **headers: str) -> Viewer:
    """A viewer that has shaken hands, up to ServerInit."""
    return Viewer(desk, target=target, headers=headers, place=desk.origin)


def turned_away(desk: Desk, target: str = "/websockify", **headers: str) -> bool:
    """Whether a WebSocket is refused as a stranger's."""
    try:
        view(desk, target, **headers).__exit__()
    except InvalidStatus as refused:
        return refused.response.status_code == 401
    return False


def test_desk_is_healthy(desk: Desk) -> None:
    """By `deskgate health`, once all of the image's programs had time to start."""
    wait_until(
        lambda: desk.exec("deskgate", "health").status == 0,
        desk.timeout_seconds,
        what=f"deskgate health, {desk.status()}",
    )


# --- who gets in --------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_printed_link_opens_the_desktop(desk: Desk, role: str) -> None:
    """As a browser follows it: a session for the token, the page by it, and the picture."""
    page, session = desk.enter(desk.token(role))
    with view(desk, urljoin(page, "websockify"), **session) as viewer:
        assert viewer.width > 0


def test_without_a_token_nothing_is_served(desk: Desk) -> None:
    """No page, no file of it, no WebSocket."""
    for path in ("/", "/vnc.html", "/core/rfb.js", "/websockify"):
        assert desk.ask(path).status == 401, path
    assert turned_away(desk)


def test_wrong_token_is_refused(desk: Desk) -> None:
    """One that is made up, and one that is nearly right."""
    refuses(desk, WRONG)
    refuses(desk, desk.token()[:-1])


def refuses(desk: Desk, token: str) -> None:
    """Assert that a token gets neither a page nor the picture."""
    assert desk.ask("/vnc.html", headers=bearer(token)).status == 401
    assert turned_away(desk, **bearer(token))


def test_watch_link_only_looks(desk: Desk) -> None:
    """Its caps lock does nothing: the next one, of the control link, is the first."""
    with view(desk, **bearer(desk.token("view"))) as watching:
        before = watching.lights()
        press(watching)
        with view(desk, **bearer(desk.token("control"))) as acting:
            press(acting)
            wait_until(lambda: watching.lights() != before, KEY_SECONDS, what="a key that shows")
            press(acting)
            wait_until(lambda: watching.lights() == before, KEY_SECONDS, what="the same again")


def press(viewer: Viewer) -> None:
    """Press caps lock, and wait until Xvnc has dealt with it."""
    for down in (True, False):
        viewer.key(CAPS_LOCK, down=down)
    viewer.settle()


def test_only_the_gate_listens_beyond_loopback(desk: Desk) -> None:
    """Whatever else the image starts is for the container alone."""
    gate = int(desk.setting("NOVNC_PORT"))
    assert {each.port for each in listeners(desk) if not each.loopback} <= {gate}


# --- where the tokens are -----------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_log_shows_a_token_in_its_link_alone(desk: Desk, role: str) -> None:
    """Once if it was made at the start, and never if it was given."""
    token = desk.token(role)
    assert desk.ask("/vnc.html", headers=bearer(token)).status == 200
    assert desk.log.count(token) == desk.printed_link(role).count(token)


@pytest.mark.parametrize("role", ROLES)
def test_no_process_shows_a_token(desk: Desk, role: str) -> None:
    """Neither its arguments nor its environment, which other users and crash reports see."""
    found = [each for each in processes(desk, text=desk.token(role)) if each.started_inside]
    assert found
    assert [f"{each.holds} of {each.name}" for each in found if each.holds] == []


def test_no_layer_holds_a_token(desk: Desk) -> None:
    """Nor the image's configuration or history: who has the image would have the desktop."""
    tokens = {token.encode() for token in tokens_of(desk)}
    about = layers.inspect(desk.image)
    told = json.dumps([about["Config"], layers.history(desk.image)]).encode()
    assert not holds(told, tokens), "the image's configuration, or a step that made it"
    assert [each.path for each in layers.entries(about) if holds(each.data, tokens)] == []


def tokens_of(desk: Desk) -> Iterator[str]:
    """All that open this desk."""
    yield from map(desk.token, ROLES)
    if more := desk.setting("VNC_TOKENS_FILE"):
        yield from FILE_ROW.findall(desk.must("cat", more, options=("--user", "0")))


def holds(text: bytes, tokens: set[bytes]) -> bool:
    """Whether a text has a token that opens the desk, or one of an earlier start."""
    return any(token in text for token in tokens) or bool(LEFT.search(text))


# --- the user's command -------------------------------------------------------------------------


def test_command_runs_as_the_images_user(make_desk: MakeDesk) -> None:
    """Or as PUID, if that is set: as if deskgate were not there."""
    desk = make_desk(command=("id", "-u"))
    plain = make_desk(command=("-u",), options=("--entrypoint", "id")).run().out
    wanted = desk.setting("PUID") if plain == "0\n" else ""
    assert desk.run().out == (f"{wanted}\n" if wanted else plain)


def test_gate_and_xvnc_are_not_root(desk: Desk) -> None:
    """The two that strangers talk to."""
    pids = {desk.status()[name]["pid"]: name for name in ("gate", "xvnc")}
    uids = {pids[each.pid]: each.uid for each in processes(desk) if each.pid in pids}
    assert uids.keys() == set(pids.values())
    assert 0 not in uids.values(), uids


STATUSES: Final = {
    "success": ("true", 0),
    "failure": ("exit 7", 7),
    "terminated": ("kill -TERM $$", 143),
    "killed": ("kill -KILL $$", KILLED),
    "not-found": ("exec no-such-program", 127),
    "not-executable": ("exec /etc/passwd", 126),
}


@pytest.mark.parametrize("case", STATUSES)
def test_exit_status_is_the_commands(make_desk: MakeDesk, case: str) -> None:
    """Of `docker run`, also where the command dies of a signal or cannot start."""
    script, status = STATUSES[case]
    assert make_desk(command=("sh", "-c", script)).run().status == status


@pytest.mark.parametrize(("signal", "status"), [("TERM", 6), ("USR1", 9)])
def test_signals_reach_the_command(make_desk: MakeDesk, signal: str, status: int) -> None:
    """Those of `docker stop` and `docker kill`; the command's answer is the container's status."""
    desk = make_desk(command=("sh", "-c", LISTENS)).start()
    wait_until(lambda: "listening" in desk.output.out, desk.timeout_seconds, what="the command")
    docker("kill", "--signal", signal, desk.name)
    assert desk.exit_status() == status


# --- its life -----------------------------------------------------------------------------------


def test_restart_gives_a_link_that_works(make_desk: MakeDesk) -> None:
    """What the first run left behind does not matter."""
    desk = make_desk(command=("sleep", "1000")).start().restart()
    page, session = desk.enter(desk.token())
    with view(desk, urljoin(page, "websockify"), **session) as viewer:
        assert viewer.width > 0


def test_stop_is_quick(make_desk: MakeDesk) -> None:
    """Also with a viewer connected: long before the engine kills it."""
    desk = make_desk(command=("sleep", "1000")).start()
    with view(desk, **bearer(desk.token())):
        assert desk.stop() < STOP_SECONDS
    assert desk.exit_status() != KILLED
