"""Ends: `docker stop`, `docker restart`, and what the exit status then is."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path
from signal import SIGTERM
from typing import Final

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.aftermath import (
    COMMAND,
    STATUS,
    STOP_SECONDS,
    ends_clean,
    household,
    left_running,
    undisturbed,
)
from tests.container.desk import PORT, Desk
from tests.container.engine import docker, free_port, run, wait_until
from tests.container.inside import processes
from tests.container.web import bearer

INSTANTS: Final = 50
START_SECONDS: Final = 0.5  # after which a start is over, on an idle machine
GIVEN: Final = "Given-by-a-person_0123456789-abcdefgh"
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


def hears(pid: int, sig: int) -> bool:
    """Whether a process keeps or handles a signal, as the launcher does from its first line on.

    Until then, for about 20 ms, the kernel drops it (decision 0007).
    """
    about = Path(f"/proc/{pid}/status").read_text()
    masks = dict(re.findall(r"^(Name|SigBlk|SigCgt):\t(.*)$", about, re.MULTILINE))
    ours = masks["Name"] in ("deskgate", "python")  # and not what the engine starts it with
    return ours and bool((int(masks["SigBlk"], 16) | int(masks["SigCgt"], 16)) >> (sig - 1) & 1)


@pytest.mark.parametrize("command", [(), COMMAND], ids=["no-command", "command"])
def test_f10_stop_at_any_instant_of_the_start_is_quick(
    make_desk: MakeDesk, command: tuple[str, ...]
) -> None:
    """One SIGTERM, whatever is half-way: the end within two seconds, and nothing goes on."""
    statuses = {0} if not command else {128 + SIGTERM, STATUS}
    seed = random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)  # noqa: S311 - no secret
    heard = 0
    for _ in range(INSTANTS // 2):
        desk = make_desk(command=command).launch()
        container, pid = desk.inspect("{{.Id}} {{.State.Pid}}").split()
        time.sleep(chance.uniform(0, START_SECONDS))
        if hears(int(pid), SIGTERM):
            heard += 1
        else:
            wait_until(lambda p=int(pid): hears(p, SIGTERM), 5)  # type: ignore[misc]
        took = desk.stop()
        assert took < STOP_SECONDS, f"seed {seed}"
        assert desk.exit_status() in statuses, f"seed {seed}"
        assert list(left_running(container)) == []
    assert heard > INSTANTS // 4


@pytest.mark.parametrize("command", [(), COMMAND], ids=["no-command", "command"])
def test_f10_second_stop_signal_changes_nothing(
    make_desk: MakeDesk, command: tuple[str, ...]
) -> None:
    """As impatient people send it: the status is that of the first."""
    desk = make_desk(command=command).start()
    wait_until(lambda: bool(household(desk).others) == bool(command), 5)
    for _ in range(2):
        run("docker", "kill", "--signal", "TERM", desk.name)  # the second may find it gone
    assert desk.exit_status() == (STATUS if command else 0)


def test_f10_stop_before_the_command_is_no_success(make_desk: MakeDesk) -> None:
    """A command that was never started has not succeeded: the status is SIGTERM's.

    Xvnc writes its display's number elsewhere, so that it is never found ready.
    """
    desk = make_desk(command=("true",), env={"XVNC_ARGS": "-displayfd 2"})
    desk.launch()
    # In the first 20 ms, before Python's first line, a stop is lost (decision 0007).
    wait_until(lambda: "Xvnc" in {each.name for each in processes(desk)}, 10)
    desk.stop()
    assert desk.exit_status() == 143


@pytest.mark.parametrize(("signal", "status"), [("INT", 130), ("QUIT", 131)])
def test_f10_interrupt_before_the_command_ends_the_start(
    make_desk: MakeDesk, signal: str, status: int
) -> None:
    """^C while the desktop does not come up: there is no command yet that could hear it."""
    desk = make_desk(command=("true",), env={"XVNC_ARGS": "-displayfd 2"}).launch()
    wait_until(lambda: "Xvnc" in {each.name for each in processes(desk)}, 10)
    docker("kill", "--signal", signal, desk.name)
    assert desk.exit_status() == status


@pytest.mark.parametrize("signal", ["INT", "QUIT"])
def test_f10_interrupt_without_a_command_is_a_stop(make_desk: MakeDesk, signal: str) -> None:
    """^C of a desktop in the foreground: 0, as it did what it was to do."""
    desk = make_desk().start()
    docker("kill", "--signal", signal, desk.name)
    assert desk.exit_status() == 0


def test_f10_hangup_without_a_command_is_nothing(make_desk: MakeDesk) -> None:
    """There is nobody to tell, and no reason to end."""
    desk = make_desk().start()
    before = household(desk)
    docker("kill", "--signal", "HUP", desk.name)
    undisturbed(desk, before)
    ends_clean(desk, 0)


def test_f10_other_signals_are_the_commands(make_desk: MakeDesk) -> None:
    """What `docker kill` sends passes through, and only the command decides what it means."""
    traps = "".join(f'trap "echo {sig}" {sig}; ' for sig in ("HUP", "INT", "QUIT", "USR1"))
    script = f'{traps}trap "exit 9" USR2; echo trap set; {LOOP}'
    desk = make_desk(command=("sh", "-c", script)).start()
    wait_until(lambda: "trap set" in desk.output.out, 5)
    for sig in ("HUP", "INT", "QUIT", "USR1"):
        docker("kill", "--signal", sig, desk.name)
        wait_until(lambda word=sig: word in desk.output.out, 5)  # type: ignore[misc]
    docker("kill", "--signal", "USR2", desk.name)
    assert desk.exit_status() == 9


def written(desk: Desk) -> set[str]:
    """What is in the container and not in its image."""
    return set(docker("diff", desk.name).out.splitlines())


@pytest.mark.timeout(900)  # fifty of them take three minutes
def test_f11_link_stays_good_however_often_it_is_restarted(
    make_desk: MakeDesk, *, exhaustive: bool
) -> None:
    """With a token of one's own; the other link is new each time. No file is left behind."""
    restarts, port = 50 if exhaustive else 10, free_port()
    desk = make_desk(
        env={"VNC_TOKEN": GIVEN}, options=("-p", f"127.0.0.1:{port}:{PORT}"), command=COMMAND
    ).start()
    tokens, changed = {desk.token("view")}, written(desk)
    for _ in range(restarts):
        desk.restart()
        tokens.add(desk.token("view"))
        with Viewer(desk, headers=bearer(GIVEN), port=port) as viewer:
            assert viewer.name == "deskgate"
        assert written(desk) == changed
        assert household(desk).zombies == ()
    assert len(tokens) == 1 + restarts
    ends_clean(desk)


def test_f11_restart_after_a_kill_works(make_desk: MakeDesk) -> None:
    """SIGKILL of the whole container leaves X's lock behind; the next start removes it."""
    desk = make_desk().start()
    docker("kill", desk.name)
    desk.restart()
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
