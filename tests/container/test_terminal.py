"""`docker run -it … bash` is a normal terminal."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pexpect
import pytest

from tests.conftest import MakeDesk
from tests.container.desk import ONE, Desk, image_of
from tests.container.engine import wait_until

ROWS, COLUMNS = 33, 101
PROMPT = "ready> "
SHELL = ("bash", "--norc", "-i")
# One process group from the first byte on: a key pressed between two commands is the shell's.
SLEEP = "sh -c 'echo sleeping; exec sleep 1000'"
PLAIN = {"TERM": "dumb"}  # no escape sequences around the prompt


def type_to(desk: Desk, *options: str) -> pexpect.spawn[str]:
    """`docker run` at a person's terminal."""
    desk.exists = True
    words = desk.words(*(options or ("--interactive", "--tty")))
    return pexpect.spawn("docker", words, encoding="utf-8", timeout=20, dimensions=(ROWS, COLUMNS))


def status_of(child: pexpect.spawn[str]) -> int | None:
    """The exit status of `docker run`, once it ends."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


class Terminal:
    """A person at a terminal: types a line, reads what comes until the prompt."""

    def __init__(self, desk: Desk) -> None:
        self.child = type_to(desk)
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
        return status_of(self.child)


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
    assert status_of(terminal.child) == 1


def test_command_without_a_shell_hears_interrupt(make_desk: MakeDesk) -> None:
    """^C reaches a command that is not a shell, and its status is 130."""
    desk = make_desk(command=("sh", "-c", "echo begun; exec sleep 1000"))
    child = type_to(desk)
    child.expect("begun\r\n")
    child.sendcontrol("c")
    assert status_of(child) == 130


def test_command_without_a_shell_hears_quit(make_desk: MakeDesk) -> None:
    """^\\ likewise: 131."""
    child = type_to(make_desk(command=("sh", "-c", "echo begun; exec sleep 1000")))
    child.expect("begun\r\n")
    child.sendcontrol("\\")
    assert status_of(child) == 131


def test_suspend_does_not_hang_a_command_without_a_shell(make_desk: MakeDesk) -> None:
    """Nobody could continue it: it hears SIGCONT, and goes on to its end."""
    script = "trap 'echo continued' CONT; echo begun; read line; echo got $line; exit 6"
    child = type_to(make_desk(command=("bash", "-c", script)))
    child.expect("begun\r\n")
    child.sendcontrol("z")
    child.expect("continued\r\n")
    child.sendline("this")
    child.expect("got this\r\n")
    assert status_of(child) == 6


def test_pipeline_in_a_terminal_ends_with_its_last_status(make_desk: MakeDesk) -> None:
    """`docker run -it IMAGE bash -c 'yes | head'`."""
    script = "yes | head -n 2 | cat; echo ${PIPESTATUS[*]}; exit 4"
    child = type_to(make_desk(command=("bash", "-c", script)))
    child.expect("\r\ny\r\ny\r\n141 0 0\r\n")
    assert status_of(child) == 4


def test_python_at_a_terminal(make_desk: MakeDesk) -> None:
    """Its prompt, ^C as KeyboardInterrupt, and the status that it ends with."""
    child = type_to(make_desk(env=PLAIN, command=("python3", "-q")))
    child.expect(">>> ")
    child.sendline("import time; print('slee' + 'ping'); time.sleep(1000)")
    child.expect("sleeping")
    child.sendcontrol("c")
    child.expect("KeyboardInterrupt")
    child.expect(">>> ")
    child.sendline("raise SystemExit(9)")
    assert status_of(child) == 9


FULL_SCREEN = """
import curses
def main(screen):
    key = None
    while key != ord("q"):
        screen.clear()
        screen.addstr(0, 0, "%d rows %d columns, key %s  " % (*screen.getmaxyx(), key))
        screen.refresh()
        key = screen.getch()
curses.wrapper(main)
raise SystemExit(5)
"""


def test_full_screen_program_sees_keys_and_a_new_size(make_desk: MakeDesk) -> None:
    """As an editor does: each key at once, unechoed, and SIGWINCH."""
    child = type_to(make_desk(env={"TERM": "xterm"}, command=("python3", "-c", FULL_SCREEN)))
    child.expect(f"{ROWS} rows {COLUMNS} columns, key None")
    child.send("a")
    child.expect("97")
    child.setwinsize(44, 99)
    for _ in range(20):  # the client may be about to tell the engine of the first size
        child.kill(signal.SIGWINCH)
        if child.expect(["44 rows 99 columns, key 410", pexpect.TIMEOUT], timeout=1) == 0:
            break
    else:
        raise AssertionError("it never heard of the new size")
    child.send("q")
    assert status_of(child) == 5


def test_password_is_not_echoed(make_desk: MakeDesk) -> None:
    """`read -s` switches the echo off, and on again."""
    script = "read -s -p 'Password: ' given; echo; echo ${#given}; stty -a | grep -o '[-]*echo '"
    child = type_to(make_desk(command=("bash", "-c", script)))
    child.expect("Password: ")
    child.sendline("sesame")
    child.expect("\r\n6\r\necho ")
    assert "sesame" not in (child.before or "")
    assert status_of(child) == 0


def test_terminal_without_an_input(make_desk: MakeDesk) -> None:
    """`docker run -t` without -i: it has one, in which nobody types."""
    child = type_to(make_desk(command=("sh", "-c", "tty; stty size; exit 3")), "--tty")
    child.expect(f"/dev/pts/0\r+\n{ROWS} {COLUMNS}\r+\n")
    assert status_of(child) == 3


def test_terminal_is_set_as_without_us(make_desk: MakeDesk) -> None:
    """`stty -a` says the same."""
    words = ["run", "--rm", "--interactive", "--tty", "--entrypoint", "stty", image_of(ONE), "-a"]
    alone: pexpect.spawn[str] = pexpect.spawn(
        "docker", words, encoding="utf-8", timeout=20, dimensions=(ROWS, COLUMNS)
    )
    status_of(alone)
    child = type_to(make_desk(command=("stty", "-a")))
    status_of(child)
    assert (child.before or "").partition("speed")[2] == (alone.before or "").partition("speed")[2]
    assert "isig icanon" in (child.before or "")


def test_attach_comes_and_goes(make_desk: MakeDesk) -> None:
    """A person detaches, comes back with another window, and ends the shell there."""
    desk = make_desk(env=PLAIN, options=("-it",), command=SHELL).start()
    first: pexpect.spawn[str] = pexpect.spawn(
        "docker", ["attach", desk.name], encoding="utf-8", timeout=20
    )
    first.sendline("echo $((40 + 2))")
    first.expect("42\r\n")
    first.sendcontrol("p")
    first.sendcontrol("q")
    first.expect("read escape sequence")
    first.close()
    assert desk.running
    second: pexpect.spawn[str] = pexpect.spawn(
        "docker", ["attach", desk.name], encoding="utf-8", timeout=20, dimensions=(20, 70)
    )
    second.sendline("stty size")
    second.expect("20 70\r\n")
    second.sendline("exit 6")
    assert status_of(second) == 6


@pytest.mark.parametrize(
    "options", [("--init",), ("--user", "0:0", "--env", "PUID=1234")], ids=["init", "another user"]
)
def test_job_control_works_also_for(make_desk: MakeDesk, options: tuple[str, ...]) -> None:
    """Below an init; as a user to whom the terminal has to be given."""
    terminal = Terminal(make_desk(env=PLAIN, options=options, command=SHELL))
    terminal.child.sendline(SLEEP)
    terminal.child.expect("\nsleeping\r\n")
    terminal.child.sendcontrol("z")
    terminal.child.expect("Stopped")
    terminal.child.expect(PROMPT)
    terminal.child.sendline("fg")
    terminal.child.expect("exec sleep 1000'\r\n")
    terminal.child.sendcontrol("c")
    terminal.child.expect(PROMPT)
    assert terminal.type("echo $?; echo seen > $(tty)") == ["130", "seen"]
    assert terminal.end("exit 3") == 3


def test_terminal_is_given_back_to_the_shell_that_called_us(make_desk: MakeDesk) -> None:
    """`deskgate run` typed at a prompt: afterwards it is as it was, with its job control."""
    options = ("--entrypoint", "bash")
    terminal = Terminal(make_desk(env=PLAIN, options=options, command=("--norc", "-i")))
    before = terminal.type("stty -a")
    assert terminal.type("deskgate run -- sh -c 'tty; exit 3'; echo $?")[-2:] == ["/dev/pts/0", "3"]
    terminal.child.sendline(f"deskgate run -- {SLEEP}")
    terminal.child.expect("\nsleeping\r\n")
    terminal.child.sendcontrol("c")
    terminal.child.expect(PROMPT)
    assert terminal.type("echo $?") == ["130"]
    assert terminal.type("stty -a") == before
    terminal.child.sendline(SLEEP)
    terminal.child.expect("\nsleeping\r\n")
    terminal.child.sendcontrol("c")
    terminal.child.expect(PROMPT)
    assert terminal.type("echo hi | deskgate run -- cat 2>/dev/null") == ["hi"]
    assert terminal.end("exit 7") == 7


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


# Variables → the banner's word for a link, as it stands before it.
BANNERS = {
    "a terminal": ({}, "  \x1b[1mcontrol\x1b[0m  http://"),
    "NO_COLOR": ({"NO_COLOR": "1"}, "  control  http://"),
    "dumb": (PLAIN, "  control  http://"),
}


@pytest.mark.parametrize(("env", "word"), BANNERS.values(), ids=BANNERS)
def test_banner_is_in_colours_for_who_wants_them(
    make_desk: MakeDesk, env: dict[str, str], word: str
) -> None:
    """`docker run -t`; in `docker logs` of a desktop without a terminal there never are any."""
    child = type_to(make_desk(env=env, command=("true",)), "--tty")
    assert status_of(child) == 0
    assert word in (child.before or "")
    assert bool(re.search(r"\x1b\[\d+m", child.before or "")) == ("\x1b" in word)
