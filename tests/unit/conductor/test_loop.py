"""PID 1's loop, in a process of its own: signals and children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deskgate.programs import Program

from .conducting import Conducted, python, wait_until
from .test_embed import NO_PROGRAMS

SCRIPT = """
import os, select, signal, sys
from deskgate.conductor.embed import Options, load
from deskgate.conductor.foreground import Foreground
from deskgate.conductor.log import Log
from deskgate.conductor.loop import Conductor

log = Log(level="debug", form="text", secrets=[])
options = Options(log, on_output=lambda *_: None, on_error=lambda *_: None)
load(sys.argv[1], options, {})
"""
MAKE = """
conductor = Kind(options, log, levels=[], command=Foreground({command!r}, dict(os.environ)),
                 on_ready=lambda: None, on_change=lambda: True, boot_secret="", tickets=())
sys.exit(conductor.run())
"""


def conduct(folder: Path, kind: str, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a conductor without programs."""
    config = folder / "supervisord.conf"
    config.write_text(NO_PROGRAMS.format(folder=folder))
    words = [sys.executable, "-c", SCRIPT + kind + MAKE.format(command=command), str(config)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        words, env=environ, capture_output=True, text=True, timeout=10, check=False
    )


# Lets the command end just before its announcement is read.
LATE = """
class Kind(Conductor):
    late = False
    def handle_signal(self):
        if self._command.running and not self.late:
            self.late = True
            os.kill(self._command.pid, signal.SIGKILL)
            os.waitid(os.P_PID, self._command.pid, os.WEXITED | os.WNOWAIT)
            select.select([self._wake], [], [], 5)
        super().handle_signal()
"""


def test_an_end_that_comes_while_signals_are_handled_is_not_lost(tmp_path: Path) -> None:
    """Read first and then reaped; the other way round the loop would sleep for ever."""
    done = conduct(tmp_path, LATE, ["sh", "-c", "kill -WINCH $PPID; exec sleep 60"])
    assert done.returncode == 137, done.stderr


REAPER = """
import ctypes
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans are ours, as in PID 1
Kind = Conductor
"""
LISTENING = """
import signal, subprocess, sys, time
subprocess.run(["sh", "-c", "(sleep 0.2 &)"])
signal.signal(signal.SIGCHLD, lambda *_: sys.exit(9))
time.sleep(0.5)
"""


def test_the_end_of_an_orphan_is_not_told_to_the_command(tmp_path: Path) -> None:
    """SIGCHLD is about our children; the command would look for one of its own."""
    done = conduct(tmp_path, REAPER, [sys.executable, "-c", LISTENING])
    assert done.returncode == 0, done.stderr


HEARING = """
import os, signal, sys, time
ours = "KILL STOP CONT CHLD PIPE XFSZ SEGV BUS FPE ILL ABRT TRAP SYS TSTP TTIN TTOU".split()
wanted = signal.valid_signals() - {signal.Signals["SIG" + name] for name in ours}
heard = set()
for sig in wanted:
    signal.signal(sig, lambda number, frame: heard.add(number))
for sig in wanted:
    deadline = time.monotonic() + 5
    os.kill(os.getppid(), sig)
    while sig not in heard and time.monotonic() < deadline:
        time.sleep(0.001)
print(sorted(set(map(int, wanted)) - heard))
sys.exit(3)
"""


def test_every_signal_that_can_be_meant_for_the_command_reaches_it(tmp_path: Path) -> None:
    """`docker kill --signal`: all but those that the kernel keeps, or that are about ourselves."""
    done = conduct(tmp_path, "Kind = Conductor", [sys.executable, "-c", HEARING])
    assert (done.returncode, done.stdout) == (3, "[]\n"), done.stderr


def test_a_stop_ends_the_whole_family_of_the_command(tmp_path: Path) -> None:
    """Children and grandchildren of its group hear SIGTERM with it."""
    mark = tmp_path / "heard"
    child = f"trap 'echo child >>{mark}; exit' TERM; kill -TERM $1; while :; do sleep 0.01; done"
    script = f"trap 'wait; exit 4' TERM; sh -c '{child.replace(chr(39), chr(34))}' sh $PPID & wait"
    done = conduct(tmp_path, "Kind = Conductor", ["bash", "-c", script])
    assert (done.returncode, mark.read_text()) == (4, "child\n"), done.stderr


def test_what_left_its_parent_ends_with_us(tmp_path: Path) -> None:
    """In a session of its own, and deaf to SIGTERM; its pipe to us ends with it."""
    daemon = "trap '' TERM; sleep 60 & wait; sleep 60"
    command = ["sh", "-c", f'setsid sh -c "{daemon}" & exec setsid --fork sh -c "{daemon}"']
    done = conduct(tmp_path, REAPER, command)  # reads both streams to their end
    assert done.returncode == 0, done.stderr


DIES_LATER = "import pathlib, sys, time\nif pathlib.Path({flag!r}).exists(): sys.exit(1)\n"


def test_a_program_that_waits_for_a_dead_one_keeps_nobody_awake(tmp_path: Path) -> None:
    """Its own time to start has come, what it needs is down for seconds: the loop sleeps."""
    flag = tmp_path / "flag"
    base = python(DIES_LATER.format(flag=str(flag)) + "print('ready', flush=True)\nsignal.pause()")
    rows = [
        Program(name="base", command=python("import signal\n" + base[2]), ready="stdout"),
        Program(name="app", command=("sleep", "1000"), needs=("base",)),
    ]
    with Conducted(tmp_path, rows) as conducted:
        wait_until(lambda: conducted.state("app") == "ready")
        old = conducted.signal("app", signal.SIGKILL)
        wait_until(lambda: conducted.is_new("app", old))
        conducted.signal("app", signal.SIGKILL)
        wait_until(lambda: "app: ended with signal 9; starting it again in 0.5 s" in conducted.log)
        flag.touch()
        conducted.signal("base", signal.SIGKILL)
        wait_until(lambda: "base: ended with status 1; starting it again in 1 s" in conducted.log)
        assert conducted.state("app") == "waiting"
        before = cpu_seconds(conducted.process.pid)
        time.sleep(0.5)
        assert cpu_seconds(conducted.process.pid) - before < 0.2


def cpu_seconds(pid: int) -> float:
    """What a process has used so far (proc(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
