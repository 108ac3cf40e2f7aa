"""The command's exit status and surroundings, by really running it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deskgate.conductor.foreground import Foreground, ForkError, exit_status


def settable(mask: str) -> int:
    """A mask of proc(5) without 32 and 33, which are libc's own: posix_spawn(3), by which make
    starts us, leaves them ignored, and no program can change that."""
    return int(mask, 16) & ~(0b11 << 31)


def wait_for(mark: Path) -> None:
    """Wait for a file that a command makes."""
    deadline = time.monotonic() + 5
    while not mark.exists():
        assert time.monotonic() < deadline, f"no {mark.name}"
        time.sleep(0.01)


def run(argv: list[str], *, send: signal.Signals | None = None) -> int:
    """Run a command in the foreground; returns the status that the container would end with."""
    command = Foreground(argv, dict(os.environ))
    assert not command.running
    command.start()
    if send is not None:
        command.signal(send)
    _, status = os.waitpid(command.pid, 0)
    command.ended(status)
    assert not command.running
    assert command.status is not None
    return command.status


def test_every_exit_status_is_passed_on() -> None:
    """All of 0 to 255, also those that mean something to us or to a shell."""
    assert [run(["sh", "-c", f"exit {status}"]) for status in range(256)] == [*range(256)]


HARMLESS = {
    *(signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH),  # ignored
    *(signal.SIGCONT, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
}
FATAL = sorted(signal.valid_signals() - HARMLESS)  # real-time ones as well (signal(7))


@pytest.mark.parametrize("sig", FATAL, ids=lambda sig: getattr(sig, "name", f"SIGRT{sig:d}"))
def test_a_signal_becomes_128_and_its_number(sig: signal.Signals) -> None:
    """As a shell shows it; sent between fork and exec it must not be lost."""
    assert run(["sleep", "60"], send=sig) == 128 + sig


def test_a_core_dump_changes_no_status(tmp_path: Path) -> None:
    """The kernel says so in a bit of its own."""
    script = "ulimit -c 4096 && cd {} && kill -ABRT $$"
    command = Foreground(["sh", "-c", script.format(tmp_path)], dict(os.environ))
    command.start()
    _, status = os.waitpid(command.pid, 0)
    command.ended(status)
    assert command.status == 128 + signal.SIGABRT
    if Path("/proc/sys/kernel/core_pattern").read_text() == "core\n":
        assert os.WCOREDUMP(status), "else nothing was tested"


@pytest.mark.parametrize(
    ("name", "shown"), [("no-such-command", "no-such-command"), ("", "(empty)")]
)
def test_a_command_that_is_not_there_ends_with_127(
    capfd: pytest.CaptureFixture[str], name: str, shown: str
) -> None:
    """As in a shell, with one line."""
    assert run([name]) == 127
    assert capfd.readouterr().err == f"deskgate: error: {shown}: command not found\n"


# What a file holds → the status of running it as `FILE a`; the folder `.` is no program either.
FILES = {
    "script": (b"#!/bin/sh\nexit 7\n", 7),
    "script without its first line": (b'[ "$1" = a ] && exit 8\n', 8),
    "empty": (b"", 0),
    "interpreter that is not there": (b"#!/no/such/interpreter\n", 127),
    "interpreter that is no program": (b"#!/etc/passwd\n", 126),
    "garbage": (b"\x7f\0garbage\n", 126),
    "another machine's program": (b"\x7fELF\2\1\1\0" + bytes(100), 126),
    "folder": (None, 126),
}
SAID = {
    "interpreter that is not there": "the interpreter or loader that it names is not there",
    "interpreter that is no program": "permission denied",
    "garbage": "exec format error",
    "another machine's program": "exec format error",
    "folder": "permission denied",
}


@pytest.mark.parametrize("place", ["named", "in PATH"])
@pytest.mark.parametrize("case", FILES)
def test_a_file_is_run_as_a_shell_would(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str, place: str
) -> None:
    """Its status, or 126 and 127 with one line that says why."""
    holds, status = FILES[case]
    file = tmp_path / "command"
    if holds is None:
        file.mkdir()
    else:
        file.write_bytes(holds)
        file.chmod(0o755)
    name = str(file) if place == "named" else file.name
    command = Foreground([name, "a"], {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    command.start()
    command.ended(os.waitpid(command.pid, 0)[1])
    assert command.status == status
    said = f"deskgate: error: {name}: {SAID[case]}\n" if case in SAID else ""
    assert capfd.readouterr().err == said
    shell = subprocess.run(["bash", "-c", f"{file} a"], stderr=subprocess.DEVNULL, check=False)
    assert shell.returncode == status, "what bash itself does"


def test_a_file_without_the_execute_bit_ends_with_126(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is there, after all."""
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    assert run([str(plain)]) == 126
    assert capfd.readouterr().err == f"deskgate: error: {plain}: permission denied\n"


LOCKED = """
import os, sys
sys.path[:0] = {path!r}
from deskgate.conductor.foreground import execute
if os.getuid() == 0:  # no folder is locked for root
    os.setuid(65534)
execute(["no-such-command"], {{"PATH": {folder!r}}})
"""


def test_a_locked_folder_in_path_hides_nothing_that_is_not_there(tmp_path: Path) -> None:
    """`/root/bin` of a user's PATH: a misspelt command is not found, and not forbidden."""
    tmp_path.chmod(0)
    program = LOCKED.format(path=sys.path, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    tmp_path.chmod(0o700)
    assert done.returncode == 127
    assert done.stderr == b"deskgate: error: no-such-command: command not found\n"


def test_signals_have_their_default_meaning_again() -> None:
    """Whatever was ignored or blocked above: `yes | head` would complain, `nohup` would stay."""
    script = "grep -E '^Sig(Ign|Blk)' /proc/self/status; exit 3"
    code = (
        "import os, signal, sys; from deskgate.conductor.foreground import Foreground;"
        "every = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD};"
        "[signal.signal(each, signal.SIG_IGN) for each in every];"
        f"c = Foreground(['sh', '-c', {script!r}], dict(os.environ)); c.start();"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(c.pid, 0)[1]))"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ)
    assert done.returncode == 3
    found = dict(line.split() for line in done.stdout.splitlines())
    assert {name: settable(mask) for name, mask in found.items()} == {"SigBlk:": 0, "SigIgn:": 0}


def test_the_command_leads_a_group_of_its_own() -> None:
    """So that a signal reaches its children too."""
    command = Foreground(["sh", "-c", "sleep 60 & wait"], dict(os.environ))
    command.start()
    assert command.running
    assert os.getpgid(command.pid) == command.pid
    command.signal(signal.SIGTERM)
    _, status = os.waitpid(command.pid, 0)
    command.ended(status)
    command.signal(signal.SIGTERM)  # gone: nothing happens
    assert exit_status(status) == 143


def test_a_command_stopped_from_its_terminal_is_continued() -> None:
    """Nobody could continue it: there is no shell above. SIGSTOP was meant, and stays."""
    command = Foreground(["sleep", "60"], dict(os.environ))
    command.start()
    command.signal(signal.SIGTSTP)
    _, status = os.waitpid(command.pid, os.WUNTRACED)
    command.stopped(status)
    _, status = os.waitpid(command.pid, os.WCONTINUED)
    assert os.WIFCONTINUED(status)
    command.signal(signal.SIGSTOP)
    _, status = os.waitpid(command.pid, os.WUNTRACED)
    command.stopped(status)
    assert os.waitpid(command.pid, os.WCONTINUED | os.WNOHANG) == (0, 0)
    command.signal(signal.SIGKILL)
    os.waitpid(command.pid, 0)


def test_only_the_command_hears_what_does_not_end_it(tmp_path: Path) -> None:
    """As under the engine alone: a server reloads on SIGHUP, its workers know nothing of it."""
    script = f"(sleep 60; :) & trap ': >{tmp_path}/reloaded' HUP; : >{tmp_path}/set; wait; wait"
    command = Foreground(["bash", "-c", script], dict(os.environ))
    command.start()
    wait_for(tmp_path / "set")
    command.signal(signal.SIGHUP)
    wait_for(tmp_path / "reloaded")
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
    assert len(children) == 1, "the worker lives"
    command.signal(signal.SIGTERM)
    _, status = os.waitpid(command.pid, 0)
    command.ended(status)


def test_a_command_that_became_somebody_else_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """We may not signal it any more; that is no reason to die of it."""

    def refuse(pid: int, sig: int) -> None:
        raise PermissionError

    command = Foreground(["sleep", "60"], dict(os.environ))
    command.start()
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", refuse)
        command.signal(signal.SIGKILL)
    assert command.running
    command.give_up()
    assert (command.running, command.status) == (False, 137)
    os.kill(command.pid, signal.SIGKILL)
    os.waitpid(command.pid, 0)


def test_without_a_process_for_the_command_the_status_is_126(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the limit of pids; and the signals are not left blocked."""

    def no_fork() -> int:
        raise OSError(errno.EAGAIN, "no more processes")

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    command = Foreground(["true"], {})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", no_fork)
        with pytest.raises(
            ForkError,
            match="cannot start true: no more processes are allowed here: raise --pids-limit",
        ):
            command.start()
    assert (command.running, command.status) == (False, 126)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
