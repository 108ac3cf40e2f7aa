"""Every variant, started without any setting: secure, and working."""

from __future__ import annotations

import re

from deskgate.testing.viewer import Viewer
from tests.container.desk import PORT, RUN_USER, Desk
from tests.container.engine import wait_until
from tests.container.inside import Listener, listeners, processes, x_state
from tests.container.web import ask, bearer, log_in

HEALTHY_SECONDS = 10.0  # the image asks every 0.25 s while it starts
BANNER = re.compile(
    r"deskgate: the desktop is ready \([0-9.]+ s\)\n"
    r"  control  http://localhost:8002/#token=[0-9a-f]{64}\n"
    r"           keyboard, pointer, copy and paste; until the container stops\n"
    r"  watch    http://localhost:8002/#token=[0-9a-f]{64}\n"
    r"           looking only; until the container stops\n"
    r"  note     plain http: .*\n"
)


def test_start_prints_two_links_and_nothing_else(every_desk: Desk) -> None:
    """A quiet start is the banner on stderr; stdout is the user's."""
    written = every_desk.output
    assert written.stdout == b""
    assert BANNER.match(written.err), written.err


def test_l2_generated_tokens_stand_in_the_output_once(every_desk: Desk) -> None:
    """`docker logs` shows each token exactly once, and both differ."""
    log = every_desk.log
    control, view = every_desk.token("control"), every_desk.token("view")
    assert control != view
    assert [log.count(control), log.count(view)] == [1, 1]


def test_each_credential_gets_a_desktop(every_desk: Desk) -> None:
    """A token in the query, in a header, and a cookie: each ends in ServerInit."""
    token = every_desk.token()
    carriers: dict[str, dict[str, dict[str, str] | str]] = {
        "query": {"target": f"/websockify?token={token}"},
        "bearer": {"headers": bearer(token)},
        "cookie": {"headers": log_in(every_desk, token)},
        "watch": {"headers": bearer(every_desk.token("view"))},
    }
    for carrier, arguments in carriers.items():
        with Viewer(every_desk, **arguments) as viewer:  # type: ignore[arg-type]
            assert (viewer.width, viewer.height, viewer.name) == (1280, 800, "deskgate"), carrier


def test_without_a_token_only_the_401_page(every_desk: Desk) -> None:
    """A file of noVNC, and no other: neither does its address tell that it exists."""
    paths = ("/", "/vnc.html", "/core/rfb.js", "/websockify", "/a-path-that-is-not")
    answers = [ask(every_desk, path) for path in paths]
    assert [answer.status for answer in answers] == [401] * len(paths)
    assert len({answer.body for answer in answers}) == 1
    assert b"noVNC" not in answers[0].body
    shown = ask(every_desk, "/core/rfb.js", headers=bearer(every_desk.token()))
    assert (shown.status, b"class RFB" in shown.body) == (200, True)


def test_c6_only_the_gate_listens_beyond_loopback(every_desk: Desk) -> None:
    """Xvnc's RFB port is on loopback, and X listens on no TCP port."""
    found = listeners(every_desk)
    assert {each.port for each in found if not each.loopback} == {PORT}
    assert {each.port for each in found} == {PORT, 5901}
    assert Listener(5901, True) in found


def test_programs_run_as_the_unprivileged_user(every_desk: Desk) -> None:
    """Nothing in the container is root's, not even PID 1."""
    running = [each for each in processes(every_desk) if each.started_inside]
    assert {"Xvnc", "jwm"} <= {each.name for each in running}
    assert {each.uid for each in running} == {RUN_USER}


def test_engine_sees_it_healthy(every_desk: Desk) -> None:
    """HEALTHCHECK reports what `deskgate health` finds."""
    wait_until(lambda: every_desk.inspect("{{.State.Health.Status}}") == "healthy", HEALTHY_SECONDS)
    assert every_desk.exec("deskgate", "health").status == 0


def test_screen_is_drawn(every_desk: Desk) -> None:
    """Window manager and terminal are on the screen: it has many colours, not one."""
    with Viewer(every_desk, headers=bearer(every_desk.token())) as viewer:

        def colours() -> int:
            screen = viewer.look(0, 0, viewer.width, viewer.height)
            return len({screen[at : at + 3] for at in range(0, len(screen), 4)})

        wait_until(lambda: colours() >= 8, 10, what="a drawn desktop")


def test_pointer_of_a_control_viewer_moves(every_desk: Desk) -> None:
    """What a control viewer does arrives in the X server."""
    with Viewer(every_desk, headers=bearer(every_desk.token())) as viewer:
        viewer.point(321, 123)
        viewer.settle()
        assert x_state(every_desk)["pointer"] == [321, 123]


def test_image_is_what_testinfra_expects(every_desk: Desk) -> None:
    """The files and the user that the image promises."""
    host = every_desk.host
    assert host.user().name == "deskgate"
    assert host.file("/usr/local/bin/deskgate").mode == 0o755
    assert host.file("/opt/deskgate/bin/python").exists
    folder = host.file("/run/deskgate")
    assert (folder.user, folder.mode) == ("deskgate", 0o700)
    modes = {host.file(f"/run/deskgate/{name}").mode for name in folder.listdir()}
    assert modes == {0o600}
