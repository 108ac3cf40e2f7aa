"""The command's exit status and surroundings, by really running it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deskgate.conductor.foreground import Foreground, exit_status


def settable(mask: str) -> int:
    """A mask of proc(5) without 32 and 33, which are libc's own: posix_spawn(3), by which make
    starts us, leaves them ignored, and no program can change that."""
    return int(mask, 16) & ~(0b11 << 31)


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


FATAL = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1)


@pytest.mark.parametrize("sig", FATAL, ids=lambda sig: sig.name)
def test_a_signal_becomes_128_and_its_number(sig: signal.Signals) -> None:
    """As a shell shows it; sent between fork and exec it must not be lost."""
    assert run(["sleep", "60"], send=sig) == 128 + sig


def test_a_command_that_is_not_there_ends_with_127(capfd: pytest.CaptureFixture[str]) -> None:
    """As in a shell, with one line."""
    assert run(["no-such-command-here"]) == 127
    assert capfd.readouterr().err == "deskgate: error: no-such-command-here: command not found\n"


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
