"""What dies is healed, what hangs is seen, and nobody is left unburied."""

from __future__ import annotations

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.aftermath import (
    COMMAND,
    HEAL_SECONDS,
    STATUS,
    STOP_SECONDS,
    ends_clean,
    healed,
    household,
    left_running,
    undisturbed,
)
from tests.container.desk import Desk
from tests.container.engine import docker, wait_until
from tests.container.inside import kill, processes, zombies
from tests.container.web import ask, bearer, log_in

# What a double fork leaves: a session of its own, that goes on after SIGTERM.
DAEMON = "setsid sh -c 'trap : TERM; sleep infinity & wait; sleep infinity' & "


def test_f3_every_child_of_pid_1_is_a_program_that_heals_or_the_command(
    make_desk: MakeDesk,
) -> None:
    """All at once: nobody is left out of what the other tests kill one by one."""
    desk = make_desk(command=COMMAND).start()
    desk.allow(r"^deskgate: warning: \w+: ended with |^(xvnc|wm): (warning|error): ")
    before = household(desk)
    assert (set(before.programs), len(before.others)) == ({"xvnc", "gate", "wm"}, 1)
    headers = log_in(desk, desk.token())
    pids = list(before.programs.values())
    desk.must("python3", "-c", f"import os; [os.kill(pid, 9) for pid in {pids}]")
    undisturbed(desk, before, *pids)
    with Viewer(desk, headers=headers) as viewer:
        assert viewer.name == "deskgate"
    ends_clean(desk)


def test_f3_killed_command_ends_the_container(make_desk: MakeDesk) -> None:
    """Nothing goes on without the command that it was started for."""
    desk = make_desk(command=COMMAND).start()
    container, (command,) = desk.inspect("{{.Id}}"), household(desk).others
    desk.must("python3", "-c", f"import os; os.kill({command.pid}, 9)")
    assert desk.exit_status() == 137
    assert list(left_running(container)) == []


def test_f3_pid_1_cannot_be_killed_from_inside(make_desk: MakeDesk) -> None:
    """The kernel drops it (pid_namespaces(7)); from outside it is the end of everything."""
    desk = make_desk(command=COMMAND).start()
    before, container = household(desk), desk.inspect("{{.Id}}")
    for signal in (9, 19, 11):
        desk.must("python3", "-c", f"import os; os.kill(1, {signal})")
    undisturbed(desk, before)
    docker("kill", desk.name)
    assert desk.exit_status() == 137
    assert list(left_running(container)) == []


# What a command may do to its surroundings → the status at `docker stop`, and how long that takes.
ODD = {
    "double-forks": (f"{DAEMON}{DAEMON}", STATUS, STOP_SECONDS),
    "closes-its-streams": ("exec <&- >&- 2>&-; ", STATUS, STOP_SECONDS),
    # The engine would kill the container after ten seconds, and everything in it unasked.
    "ignores-the-stop": ("trap '' TERM; sleep infinity & wait; ", 137, 9.5),
}


@pytest.mark.parametrize("case", ODD)
def test_f4_odd_command_harms_nobody(make_desk: MakeDesk, case: str) -> None:
    """The desktop heals beside it, and stops in time, with the command's status."""
    script, status, seconds = ODD[case]
    desk = make_desk(command=("sh", "-c", f"{script}{COMMAND[2]}")).start()
    desk.allow(r"^deskgate: warning: gate: ended with ")
    before = household(desk)
    headers = log_in(desk, desk.token())
    undisturbed(desk, before, kill(desk, "gate"))
    with Viewer(desk, headers=headers) as viewer:
        assert viewer.name == "deskgate"
    ends_clean(desk, status, seconds=seconds)


def test_f4_nothing_that_the_command_started_outlives_it(make_desk: MakeDesk) -> None:
    """Where we are not PID 1, no end of a namespace would hide what is left."""
    script = (
        f'deskgate run -- sh -c "{DAEMON} sleep 0.2; exit 5"; echo "status $?"; '
        "for each in /proc/[0-9]*/comm; do read -r name <$each; echo $name; done"
    )
    options = ("--entrypoint", "sh", "--no-healthcheck")
    desk = make_desk(options=options, command=("-c", script))
    assert desk.run().out.splitlines() == ["status 5", "sh"]


def test_f5_command_that_takes_all_memory_ends_the_container(make_desk: MakeDesk) -> None:
    """The status of SIGKILL, and who sent it."""
    eat = "held = []\nwhile True: held.append(bytes(1 << 20))"
    desk = make_desk(command=("python3", "-c", eat), options=("--memory", "200m"))
    desk.allow("^deskgate: warning: the command ended with signal 9, out of memory$")
    result = desk.run()
    assert result.status == 137
    assert "signal 9, out of memory" in result.err


def test_window_manager_that_dies_opens_no_second_terminal(make_desk: MakeDesk) -> None:
    """The first one is still there."""
    desk = make_desk().start()
    desk.allow(r"^deskgate: warning: wm: ended with |^wm: warning: ")

    def running(name: str) -> int:
        return sum(each.name == name for each in processes(desk))

    wait_until(lambda: running("xterm") == 1, 10)
    for _ in range(2):
        pid = kill(desk, "wm")
        wait_until(lambda old=pid: healed(desk, old), HEAL_SECONDS)  # type: ignore[misc]
        for _ in range(8):  # it would be there within 0.2 s; a look takes 0.06 s
            assert running("xterm") == 1


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
