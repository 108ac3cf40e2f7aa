"""Ends: `docker stop`, `docker restart`, and what the exit status then is."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDesk
from tests.container.engine import docker, wait_until
from tests.container.inside import processes
from tests.container.viewer import Viewer
from tests.container.web import bearer

STOP_SECONDS = 2.0  # the most a stop may take
LOOP = "while :; do sleep 0.05; done"


def test_stop_is_quick_and_clean(make_desk: MakeDesk) -> None:
    """Without a command the container ends with 0, with a viewer connected."""
    desk = make_desk().start()
    with Viewer(desk, headers=bearer(desk.token())):
        assert desk.stop() < STOP_SECONDS
    assert desk.exit_status() == 0


COMMANDS = {
    "dies-of-it": (("sleep", "1000"), 143),
    "handles-it": (("sh", "-c", f'trap "exit 5" TERM; echo trap set; {LOOP}'), 5),
    "has-children": (("sh", "-c", "sleep 1000 & sleep 1000"), 143),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_stop_ends_with_the_commands_own_status(make_desk: MakeDesk, case: str) -> None:
    """The command hears SIGTERM first, and its status is the container's."""
    command, status = COMMANDS[case]
    desk = make_desk(command=command).start()
    if "trap set" in " ".join(command):
        wait_until(lambda: "trap set" in desk.output.out, 5)
    assert desk.stop() < STOP_SECONDS
    assert desk.exit_status() == status


def test_stop_during_the_start_is_quick(make_desk: MakeDesk) -> None:
    """A stop that comes before PID 1 has a handler, or finds programs half-way, is not lost."""
    for _ in range(8):
        desk = make_desk().launch()
        assert desk.stop() < STOP_SECONDS
        assert desk.exit_status() == 0


def test_stop_before_the_command_is_no_success(make_desk: MakeDesk) -> None:
    """A command that was never started has not succeeded: the status is SIGTERM's.

    Xvnc writes its display's number elsewhere, so that it is never found ready.
    """
    desk = make_desk(command=("true",), env={"XVNC_ARGS": "-displayfd 2"})
    desk.launch()
    # In the first 20 ms, before Python's first line, a stop is lost (decision 0007).
    wait_until(lambda: "Xvnc" in {each.name for each in processes(desk)}, 10)
    desk.stop()
    assert desk.exit_status() == 143


def test_interrupt_before_the_command_ends_the_start(make_desk: MakeDesk) -> None:
    """^C while the desktop does not come up: there is no command yet that could hear it."""
    desk = make_desk(command=("true",), env={"XVNC_ARGS": "-displayfd 2"}).launch()
    wait_until(lambda: "Xvnc" in {each.name for each in processes(desk)}, 10)
    docker("kill", "--signal", "INT", desk.name)
    assert desk.exit_status() == 130


def test_stop_signal_reaches_the_command(make_desk: MakeDesk) -> None:
    """Other signals of `docker kill` pass through as well."""
    script = f'trap "echo usr1" USR1; trap "echo hup; exit 9" HUP; echo trap set; {LOOP}'
    desk = make_desk(command=("sh", "-c", script)).start()
    wait_until(lambda: "trap set" in desk.output.out, 5)
    docker("kill", "--signal", "USR1", desk.name)
    wait_until(lambda: "usr1" in desk.output.out, 5)
    docker("kill", "--signal", "HUP", desk.name)
    assert desk.exit_status() == 9


def test_restart_works_ten_times_in_a_row(make_desk: MakeDesk) -> None:
    """Leftovers of the last run are in nobody's way; each start has tokens of its own."""
    desk = make_desk().start()
    tokens = {desk.token()}
    for _ in range(10):
        desk.restart()
        tokens.add(desk.token())
        with Viewer(desk, headers=bearer(desk.token())) as viewer:
            assert viewer.name == "deskgate"
    assert len(tokens) == 11


def test_restart_after_a_kill_works(make_desk: MakeDesk) -> None:
    """SIGKILL of the whole container leaves X's lock behind; the next start removes it."""
    desk = make_desk().start()
    docker("kill", desk.name)
    desk.restart()
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
