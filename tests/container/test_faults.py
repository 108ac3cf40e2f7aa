"""What dies is healed, what hangs is seen, and nobody is left unburied."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import kill, processes, x_client, zombies
from tests.container.viewer import Viewer
from tests.container.web import ask, bearer, log_in

HEAL_SECONDS = 5.0  # a restart at once, and 0.5 s more for what died along


def healed(desk: Desk, program: str, old_pid: int) -> bool:
    """Whether a new process of a program is ready, and all others are."""
    rows = desk.status()
    all_ready = all(row["state"] == "ready" for row in rows.values())
    return all_ready and rows[program]["pid"] not in (None, old_pid)


@pytest.mark.parametrize("program", ["xvnc", "gate", "wm"])
def test_killed_program_is_healed(make_desk: MakeDesk, program: str) -> None:
    """After SIGKILL a viewer gets in again with the session he had; nothing is left behind."""
    desk = make_desk().start()
    desk.allow(r"^deskgate: warning: \w+: ended with .*; starting it again")
    desk.allow(r"^(xvnc|wm): warning: ")  # their last lines
    desk.allow(r"^gate: warning: no desktop for a control viewer: ")
    headers = log_in(desk, desk.token())
    with Viewer(desk, headers=headers) as viewer:
        viewer.settle()
        pid = kill(desk, program)
    wait_until(lambda: healed(desk, program, pid), HEAL_SECONDS, what=f"{program} healed")
    with Viewer(desk, headers=headers) as viewer:
        assert (viewer.width, viewer.height) == (1280, 800)
    assert x_client(desk, "state").status == 0
    assert desk.status()[program]["restarts"] >= 1
    assert desk.exec("deskgate", "health").status == 0
    assert zombies(desk) == []
    assert desk.stop() < 2
    assert desk.exit_status() == 0


def test_window_manager_that_dies_opens_no_second_terminal(make_desk: MakeDesk) -> None:
    """The first one is still there."""
    desk = make_desk().start()
    desk.allow(r"^deskgate: warning: wm: ended with |^wm: warning: ")

    def running(name: str) -> int:
        return sum(each.name == name for each in processes(desk))

    wait_until(lambda: running("xterm") == 1, 10)
    for _ in range(2):
        pid = kill(desk, "wm")
        wait_until(lambda old=pid: healed(desk, "wm", old), HEAL_SECONDS)  # type: ignore[misc]
        for _ in range(8):  # it would be there within 0.2 s; a look takes 0.06 s
            assert running("xterm") == 1


def test_command_survives_the_death_of_a_program(make_desk: MakeDesk) -> None:
    """A command that does not draw goes on, and its status is still the container's."""
    script = 'trap "exit 6" TERM; echo begun; while :; do sleep 0.05; done'
    desk = make_desk(command=("sh", "-c", script)).start()
    desk.allow(r"^deskgate: warning: \w+: ended with |^(xvnc|wm): warning: ")
    for program in ("gate", "xvnc"):
        pid = kill(desk, program)
        wait_until(lambda p=program, old=pid: healed(desk, p, old), HEAL_SECONDS)  # type: ignore[misc]
    desk.stop()
    assert desk.exit_status() == 6


def test_program_that_cannot_live_ends_the_container(make_desk: MakeDesk) -> None:
    """Arguments that Xvnc refuses: its own words are shown, and the status is 69."""
    desk = make_desk(env={"XVNC_ARGS": "-no-such-argument"})
    desk.allow(r"^deskgate: (warning|error): xvnc: ended with ")
    desk.allow(r"^xvnc: warning: ")
    result = desk.run(timeout_seconds=30)
    assert result.status == 69
    assert "no-such-argument" in result.err


@pytest.mark.parametrize("program", ["xvnc", "gate"])
def test_health_sees_a_program_that_hangs(make_desk: MakeDesk, program: str) -> None:
    """SIGSTOP: the process is there, the desktop is not; SIGCONT brings it back."""
    desk = make_desk(options=("--no-healthcheck",)).start()
    desk.allow("^gate: warning: ")
    assert desk.exec("deskgate", "health").status == 0
    kill(desk, program, "STOP")
    sick = desk.exec("deskgate", "health", timeout_seconds=30)
    assert sick.status == 69
    assert sick.err.startswith("deskgate: error: health: ")
    kill(desk, program, "CONT")
    wait_until(lambda: desk.exec("deskgate", "health").status == 0, 10)


@pytest.mark.parametrize("port", [5901, 6001])
def test_health_sees_a_back_door(make_desk: MakeDesk, port: int) -> None:
    """Something that listens on RFB's or X's port, past the gate, is reported."""
    desk = make_desk(env={"VNC_TRANSPORT": "unix"}, options=("--no-healthcheck",)).start()
    assert desk.exec("deskgate", "health").status == 0
    serve = f"import socket, time; s = socket.create_server(('', {port})); time.sleep(1000)"
    desk.must("python3", "-c", serve, options=("--detach",))
    wait_until(lambda: desk.exec("deskgate", "health").status == 69, 5)
    assert str(port) in desk.exec("deskgate", "health").err


def test_orphans_leave_no_zombies(make_desk: MakeDesk) -> None:
    """What the command's children leave behind is collected by PID 1."""
    script = "for i in 1 2 3 4 5 6 7 8; do (sleep 0.1 &) ; done; echo begun; exec sleep 1000"
    desk = make_desk(command=("bash", "-c", script)).start()
    wait_until(lambda: "begun" in desk.output.out, 5)
    alive = "grep -l '^sleep$' /proc/[0-9]*/comm | wc -l"
    wait_until(lambda: desk.must("sh", "-c", alive).strip() == "1", 5)
    assert zombies(desk) == []


def test_five_early_closes_lock_nobody_out(desk: Desk) -> None:
    """Connections that end before the handshake, as naive probes do, do not blacklist."""
    for _ in range(8):
        desk.must("python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 5901))")
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"


def test_desk_without_xvnc_says_so_in_http(make_desk: MakeDesk) -> None:
    """While Xvnc hangs, the open health page answers 503, without detail."""
    desk = make_desk(options=("--no-healthcheck",)).start()
    assert ask(desk, "/healthz").status == 200
    kill(desk, "xvnc", "STOP")
    answer = wait_until(lambda: (a := ask(desk, "/healthz")).status == 503 and a, 10)
    assert answer
    assert len(answer.body) <= 3
