"""Containers that may do little, and users that the image does not know."""

from __future__ import annotations

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import PORT, Desk
from tests.container.engine import wait_until
from tests.container.inside import Listener, listeners, processes, x_client, x_state, zombies
from tests.container.web import bearer

# All restrictions that an operator may impose together.
HARD = (
    *("--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "31337:0"),
)
# No user of the image, and a root that may do nothing as such.
USERS = {
    "31337:0": (("--user", "31337:0"), 31337),
    "12345:54321": (("--user", "12345:54321"), 12345),
    "root": (("--user", "0:0", "--cap-drop", "ALL"), 0),
}
FOLDERS = {
    "init": (("--init",), "/run/deskgate"),
    "own-folder": (
        ("--tmpfs", "/srv:uid=10001", "-e", "DESKGATE_RUNTIME_DIR=/srv/desk"),
        "/srv/desk",
    ),
}


def works(desk: Desk, folder: str, uid: int) -> None:
    """Assert that the whole desktop works: picture, input, health, and a quick clean stop.

    Its runtime folder is private, and everything runs as one user.
    """
    assert desk.must("stat", "-c", "%a %u", folder).split() == ["700", str(uid)]
    assert {each.uid for each in processes(desk) if each.started_inside} == {uid}
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        viewer.point(200, 150)
        viewer.settle()
        assert x_state(desk, folder=folder)["pointer"] == [200, 150]
    wait_until(lambda: desk.inspect("{{.State.Health.Status}}") == "healthy", 10)
    assert desk.must("deskgate", "url").strip() == desk.printed_link("control")
    assert desk.stop() < 2
    assert desk.exit_status() == 0


@pytest.mark.parametrize("user", USERS)
def test_c1_desktop_works_as_any_user(make_desk: MakeDesk, user: str) -> None:
    """With no entry in passwd, no home, no group of the image's; the folder is below /tmp."""
    options, uid = USERS[user]
    works(make_desk(options=options).start(), f"/tmp/deskgate-{uid}", uid)


def test_c2_desktop_works_under_all_restrictions_at_once(make_desk: MakeDesk) -> None:
    """Read-only, no capability, no new privileges, any user; the engine's own seccomp filter."""
    works(make_desk(options=HARD).start(), "/tmp/deskgate-31337", 31337)


@pytest.mark.parametrize("case", FOLDERS)
def test_desktop_works_in_another_place(make_desk: MakeDesk, case: str) -> None:
    """Below an init, and in a runtime folder that was named."""
    options, folder = FOLDERS[case]
    works(make_desk(options=options).start(), folder, 10001)


def test_c2_hard_restrictions_pass_the_exit_status(make_desk: MakeDesk) -> None:
    """A command runs under all restrictions together, with its own status."""
    result = make_desk(options=HARD, command=("sh", "-c", "id -u; exit 7")).run()
    assert (result.status, result.out) == (7, "31337\n")


def test_under_init_nothing_stays_dead(make_desk: MakeDesk) -> None:
    """With `--init` we are not PID 1, and still collect orphans and pass the status."""
    script = "(sleep 0.05 &); sleep 0.3; exit 8"
    assert make_desk(options=("--init",), command=("bash", "-c", script)).run().status == 8
    desk = make_desk(options=("--init",), command=("bash", "-c", "(sleep 0.05 &); sleep 1000"))
    desk.start()
    alive = "grep -l '^sleep$' /proc/[0-9]*/comm | wc -l"
    wait_until(lambda: desk.must("sh", "-c", alive).strip() == "1", 5)
    assert zombies(desk) == []


def test_puid_without_the_right_to_it_says_so(make_desk: MakeDesk) -> None:
    """Root without capabilities cannot become somebody else."""
    options = ("--user", "0:0", "--cap-drop", "ALL")
    desk = make_desk(env={"PUID": "1234"}, options=options, command=("true",))
    desk.allow("^deskgate: error: PUID: ")
    result = desk.run()
    assert result.status == 78
    assert "SETUID" in result.err


def test_puid_can_open_its_standard_streams(make_desk: MakeDesk) -> None:
    """`echo >/dev/stdout`, as many scripts do, although the pipe was made for root."""
    script = "echo out >/dev/stdout; echo err >/dev/stderr"
    desk = make_desk(env={"PUID": "1234"}, options=("--user", "0:0"), command=("sh", "-c", script))
    result = desk.run()
    assert (result.status, result.out, result.err.splitlines()[-1]) == (0, "out\n", "err")


def test_c6_unix_transport_leaves_no_rfb_port(make_desk: MakeDesk) -> None:
    """`VNC_TRANSPORT=unix`: the gate's port is the only listening one of all."""
    desk = make_desk(env={"VNC_TRANSPORT": "unix"}).start()
    assert listeners(desk) == {Listener(PORT, False)}
    assert desk.must("stat", "-c", "%a %F", "/run/deskgate/rfb.sock") == "600 socket\n"
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
    assert desk.exec("deskgate", "health").status == 0


def test_c6_gate_on_loopback_listens_nowhere_else(make_desk: MakeDesk) -> None:
    """`NOVNC_LISTEN=127.0.0.1` and another port: nothing listens beyond loopback."""
    desk = make_desk(env={"NOVNC_LISTEN": "127.0.0.1", "NOVNC_PORT": "9100"}).start()
    assert {each.port for each in listeners(desk)} == {9100, 5901}
    assert all(each.loopback for each in listeners(desk))
    assert desk.exec("deskgate", "health").status == 0
    assert "localhost:9100" in desk.printed_link("control")
    assert "note" not in desk.log, "loopback alone needs no note on plain http"


def test_c7_other_users_cannot_open_the_display(make_desk: MakeDesk) -> None:
    """The display asks for the cookie, which only its owner can read."""
    desk = make_desk().start()
    refused = desk.exec("cat", "/run/deskgate/Xauthority", options=("--user", "4242:4242"))
    assert refused.status != 0
    desk.must("sh", "-c", "head -c 45 /dev/zero > /tmp/Xauthority")
    with pytest.raises(AssertionError, match="X refuses"):
        x_client(desk, "state", folder="/tmp")
    assert x_client(desk, "state").status == 0
