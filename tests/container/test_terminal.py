"""`docker run -it … bash` is a normal terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pexpect
import pytest

from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until

ROWS, COLUMNS = 33, 101
PROMPT = "ready> "
SHELL = ("bash", "--norc", "-i")
# One process group from the first byte on: a key pressed between two commands is the shell's.
SLEEP = "sh -c 'echo sleeping; exec sleep 1000'"
PLAIN = {"TERM": "dumb"}  # no escape sequences around the prompt


class Terminal:
    """A person at a terminal: types a line, reads what comes until the prompt."""

    def __init__(self, desk: Desk) -> None:
        desk.exists = True
        self.child: pexpect.spawn[str] = pexpect.spawn(
            "docker",
            desk.words("--interactive", "--tty"),
            encoding="utf-8",
            timeout=20,
            dimensions=(ROWS, COLUMNS),
        )
        self.child.expect(r"\$ ")
        # The quotes keep the echo of this line from looking like the prompt.
        self.child.sendline("PS1='ready''> '")
        self.child.expect(PROMPT)

    def type(self, line: str) -> list[str]:
        """Type a line and return the lines that follow its echo."""
        self.child.sendline(line)
        return self.read()

    def read(self) -> list[str]:
        """The lines until the next prompt, without the echo of what was typed."""
        self.child.expect(PROMPT)
        return [line for line in (self.child.before or "").splitlines()[1:] if line.strip()]

    def end(self, line: str) -> int | None:
        """Type the last line; returns the exit status of `docker run`."""
        self.child.sendline(line)
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def terminal(make_desk: MakeDesk) -> Iterator[Terminal]:
    """A bash in a fresh container."""
    found = Terminal(make_desk(env=PLAIN, command=SHELL))
    yield found
    found.child.close(force=True)


def test_shell_has_a_terminal_of_the_right_size(terminal: Terminal) -> None:
    """`tty` names one, `stty size` tells the person's window, and it follows a resize."""
    assert re.fullmatch("/dev/(pts/0|console)", terminal.type("tty")[0])
    assert terminal.type("stty size") == [f"{ROWS} {COLUMNS}"]
    terminal.child.setwinsize(44, 144)
    for _ in range(50):  # the client hears of it, tells the engine, and that the kernel
        if terminal.type("stty size") == ["44 144"]:
            break
    assert terminal.type("stty size") == ["44 144"]
    assert terminal.end("exit 7") == 7


def test_interrupt_ends_the_foreground_job_alone(terminal: Terminal) -> None:
    """^C ends a sleep, not the shell, and the shell knows with what."""
    terminal.child.sendline(SLEEP)
    terminal.child.expect("\nsleeping\r\n")
    terminal.child.sendcontrol("c")
    terminal.child.expect(PROMPT)
    assert terminal.type("echo $?") == ["130"]
    assert terminal.end("exit") == 0


def test_job_control_works(terminal: Terminal) -> None:
    """^Z suspends, `jobs` lists, `fg` goes on: there are no complaints about job control."""
    terminal.child.sendline(SLEEP)
    terminal.child.expect("\nsleeping\r\n")
    terminal.child.sendcontrol("z")
    terminal.child.expect("Stopped")
    terminal.child.expect(PROMPT)
    assert "Stopped" in "".join(terminal.type("jobs"))
    terminal.child.sendline("fg")
    terminal.child.expect("exec sleep 1000'\r\n")
    terminal.child.sendcontrol("c")
    terminal.child.expect(PROMPT)
    assert terminal.end("exit 3") == 3


def test_end_of_input_ends_the_shell(terminal: Terminal) -> None:
    """^D leaves, with the status of the last command."""
    terminal.type("false")
    terminal.child.sendeof()
    terminal.child.expect(pexpect.EOF)
    terminal.child.close()
    assert terminal.child.exitstatus == 1


def test_command_without_a_shell_hears_interrupt(make_desk: MakeDesk) -> None:
    """^C reaches a command that is not a shell, and its status is 130."""
    desk = make_desk(command=("sh", "-c", "echo begun; exec sleep 1000"))
    desk.exists = True
    child: pexpect.spawn[str] = pexpect.spawn(
        "docker", desk.words("-it"), encoding="utf-8", timeout=20
    )
    child.expect("begun\r\n")
    child.sendcontrol("c")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_shell_in_a_terminal_stops_on_docker_stop(make_desk: MakeDesk) -> None:
    """An interactive bash ignores SIGTERM; its terminal closing ends it."""
    desk = make_desk(env=PLAIN, command=SHELL)
    terminal = Terminal(desk)
    assert desk.stop() < 2
    terminal.child.close(force=True)


def test_command_in_a_terminal_may_clean_up_on_docker_stop(make_desk: MakeDesk) -> None:
    """It handles SIGTERM, so nothing else is sent after it; the status is its own."""
    script = (
        "trap 'sleep 0.2; echo saved; exit 4' TERM; echo trap set; while :; do sleep 0.05; done"
    )
    desk = make_desk(env=PLAIN, options=("--tty",), command=("bash", "-c", script)).start()
    wait_until(lambda: "trap set" in desk.log, 5)
    assert desk.stop() < 2
    assert desk.exit_status() == 4
    assert "saved" in desk.log
