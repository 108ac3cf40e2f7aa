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


@pytest.mark.parametrize("status", [0, 1, 2, 7, 64, 125, 126, 127, 128, 130, 255])
def test_an_exit_status_is_passed_on(status: int) -> None:
    """Any of 0 to 255."""
    assert run(["sh", "-c", f"exit {status}"]) == status


PASS_ON = """
import sys
sys.path[:0] = {path!r}
from deskgate.conductor.foreground import execute
from deskgate.files import read_environment
execute(["/usr/bin/env", "-0"], read_environment())
"""


def test_e7_the_users_own_variables_are_passed_on_as_bytes() -> None:
    """Also where they are no text in any encoding."""
    given = {b"BROKEN": b"\xff\xfe", b"TWO_LINES": b"a\nb", b"PATH": b"/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", PASS_ON.format(path=sys.path)],
        env=given,
        capture_output=True,
        check=True,
    )
    assert dict(pair.split(b"=", 1) for pair in done.stdout.split(b"\0") if pair) == given


FATAL = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1)


@pytest.mark.parametrize("sig", FATAL, ids=lambda sig: sig.name)
def test_a_signal_becomes_128_and_its_number(sig: signal.Signals) -> None:
    """As a shell shows it; sent between fork and exec it must not be lost."""
    assert run(["sleep", "60"], send=sig) == 128 + sig


@pytest.mark.parametrize(
    ("name", "shown"), [("no-such-command", "no-such-command"), ("", "(empty)")]
)
def test_a_command_that_is_not_there_ends_with_127(
    capfd: pytest.CaptureFixture[str], name: str, shown: str
) -> None:
    """As in a shell, with one line."""
    assert run([name]) == 127
    assert capfd.readouterr().err == f"deskgate: error: {shown}: command not found\n"


def test_a_command_that_cannot_be_run_ends_with_126(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A file without the execute bit; a folder; a file that is no program."""
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    assert run([str(plain)]) == 126
    assert run([str(tmp_path)]) == 126
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\x7f\x00garbage")
    garbage.chmod(0o755)
    assert run([str(garbage)]) == 126
    assert "permission denied" in capfd.readouterr().err


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
    script = (
        f"(sleep 60; :) & trap 'touch {tmp_path}/reloaded' HUP; touch {tmp_path}/set; wait; wait"
    )
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
        with pytest.raises(ForkError, match="cannot start true: no more processes"):
            command.start()
    assert (command.running, command.status) == (False, 126)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
