"""The desktop's programs by need and readiness, in a conductor of their own, without Xvnc."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from deskgate.errors import Status

from .test_embed import NO_PROGRAMS

# Prints, when it is ready, a line; its status file is the names and states of all programs.
SCRIPT = """
import os, sys
from deskgate.conductor.__main__ import Shell
from deskgate.conductor.embed import Options, load
from deskgate.conductor.foreground import Foreground
from deskgate.conductor.log import Log
from deskgate.conductor.loop import Conductor

config, folder, names, command = sys.argv[1], sys.argv[2], sys.argv[3].split(), sys.argv[4:]
log = Log(level="debug", form="text", secrets=[])
told = {"folder": folder, "began": 0.0, "record": {}, "record_access": None, "banner": [],
        "announcement": {}}
shell = Shell(told, log)
options = Options(log, on_output=shell.output_line, on_error=shell.error_line)
load(config, options, dict.fromkeys(names))
shell.conductor = Conductor(
    options, log, levels=[names], command=Foreground(command, dict(os.environ)),
    on_ready=shell.ready, on_change=shell.changed, boot_secret="", tickets=())
status = shell.conductor.run()
log.drain(1)
os._exit(status)
"""
LINE = re.compile(r"^(\S+): (.*)$", re.MULTILINE)


def conduct(folder: Path, programs: str, command: str = "true") -> subprocess.CompletedProcess[str]:
    """Run these sections, and the command once all is ready; returns the log in `stderr`."""
    config = folder / "supervisord.conf"
    config.write_text(f"{NO_PROGRAMS.format(folder=folder)}\n{programs}")
    pattern = r"^(?:\[program:(?!start\.d)|hook=)(.+?)\]?$"
    names = " ".join(re.findall(pattern, programs, re.MULTILINE))
    words = [sys.executable, "-c", SCRIPT, str(config), str(folder), names, "sh", "-c", command]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "FOLDER": str(folder)}
    return subprocess.run(
        words, env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the programs said, in its order, without what the conductor did."""
    found = LINE.findall(done.stderr)
    return [text for program, text in found if program not in ("deskgate", "supervisor")]


def told(done: subprocess.CompletedProcess[str], name: str) -> list[str]:
    """What the conductor told about a program, at info or above."""
    start = f"{name}: "
    events = [text for program, text in LINE.findall(done.stderr) if program == "deskgate"]
    levelled = [text.partition(": ") for text in events]
    return [
        f"{level}: {text.removeprefix(start)}"
        for level, _, text in levelled
        if level != "debug" and text.startswith(start)
    ]


def test_a_program_starts_when_what_it_needs_is_ready(tmp_path: Path) -> None:
    """By readiness, not by the order of the sections or by being spawned."""
    done = conduct(
        tmp_path,
        """
[program:a]
command=sh -c "echo a; exec sleep 60"
needs=b, unix:%(ENV_FOLDER)s/socket
essential=true
ready=stdout
[program:b]
command=sh -c "sleep 0.3; echo b; exec sleep 60"
ready=stdout
needs=c
[program:c]
command=python3 -c "import socket, time; s = socket.socket(socket.AF_UNIX); time.sleep(0.3); s.bind('socket'); print('c', flush=True); s.listen(); time.sleep(60)"
ready=unix:%(ENV_FOLDER)s/socket
""",  # noqa: E501 - a command line
    )
    assert done.returncode == 0, done.stderr
    assert said(done) == ["c", "b", "a"]


def test_a_one_shot_program_is_ready_when_it_has_ended_well(tmp_path: Path) -> None:
    """It is not started again, and its input ends: nobody writes to it."""
    done = conduct(
        tmp_path,
        """
[program:job]
command=sh -c "cat; sleep 0.2; echo done; exit 2"
ready=exit
exitcodes=0,2
[program:app]
command=sh -c "echo app; exec sleep 60"
needs=job
essential=true
ready=stdout
""",
        command="cat status.json",
    )
    assert said(done) == ["done", "app"]
    assert '"state": "done"' in done.stdout
    assert '"restarts": 0' in done.stdout


FINAL = {
    "fails-its-task": ("ready=exit", "exit 3", "warning: ended with status 3; it stays down"),
    "expected": ("", "exit 0", "info: ended with status 0; it stays down"),
    "listed": ("exitcodes=5", "exit 5", "info: ended with status 5; it stays down"),
    "unwanted": ("autorestart=no", "exit 1", "warning: ended with status 1; it stays down"),
    "killed": ("autorestart=no", "kill -9 $$", "warning: ended with signal 9; it stays down"),
}
AGAIN = {
    "unexpected": ("", "exit 1"),
    "signal": ("exitcodes=9,137", "kill -9 $$"),
    "always": ("autorestart=true", "exit 0"),
}


AFTER_ALL_ENDS = f"""\
count() {{ grep -cE "$1" status.json; }}
until [ "$(count '"restarts": [2-9]')" = {len(AGAIN)} ] &&
    [ "$(count '"state": "(done|failed)"')" = {len(FINAL)} ]; do sleep 0.05; done
"""


def test_an_end_is_final_or_not_as_supervisords_keys_say(tmp_path: Path) -> None:
    """A start follows at once, then after a growing pause; one line for each end."""
    cases = {name: (keys, script) for name, (keys, script, _) in FINAL.items()} | AGAIN
    sections = [
        f'[program:{name}]\ncommand=sh -c "{script}"\n{keys}\n'
        for name, (keys, script) in cases.items()
    ]
    done = conduct(tmp_path, "\n".join(sections), command=AFTER_ALL_ENDS)
    assert done.returncode == 0, done.stderr
    for name, (_, _, line) in FINAL.items():
        assert told(done, name) == [line]
    for name in AGAIN:
        ends = [line.partition("; ")[2] for line in told(done, name)]
        assert ends[:2] == ["starting it again now", "starting it again in 0.5 s"]


ESSENTIAL = {
    "it cannot be started": ("command=/no/such/program", "", 3, "cannot start: can't find command"),
    "it ends at once": ('command=sh -c "exit 4"', "ready=stdout", 3, "ended with status 4"),
    "it ends well and for good": (
        'command=sh -c "exit 0"',
        "ready=stdout",
        1,
        "ended with status 0",
    ),
    "it fails at its one task": ('command=sh -c "exit 9"', "ready=exit", 1, "ended with status 9"),
    "what it needs does not come": (
        "command=true",
        "needs=file:/no/such/file\nready_seconds=1",
        1,
        "file:/no/such/file is not there after 1 s",
    ),
    "it never becomes ready": (
        "command=sleep 60",
        "ready=file:/no/such/file\nready_seconds=1",
        6,
        "ended with signal 9",
    ),
}


@pytest.mark.parametrize(("command", "keys", "lines", "why"), ESSENTIAL.values(), ids=ESSENTIAL)
def test_an_essential_program_that_cannot_live_ends_the_container(
    tmp_path: Path, command: str, keys: str, lines: int, why: str
) -> None:
    """With 69 and one line at level error; the user's command is not started."""
    section = f"[program:p]\n{command}\n{keys}\nessential=true\n"
    done = conduct(tmp_path, section, command="echo started")
    assert (done.returncode, done.stdout) == (Status.UNAVAILABLE, "")
    *tries, last = told(done, "p")
    assert len(tries) + 1 == lines
    assert all(line.startswith("warning: ") for line in tries)
    assert last.startswith(f"error: {why}")
    assert last.endswith("; stopping")


def test_whom_an_essential_program_needs_is_essential_as_well(tmp_path: Path) -> None:
    """Else the container would wait for ever for what cannot start."""
    done = conduct(
        tmp_path,
        """
[program:app]
command=sleep 60
needs=middle
essential=true
[program:middle]
command=sleep 60
needs=base
[program:base]
command=/no/such/program
""",
    )
    assert done.returncode == Status.UNAVAILABLE
    assert told(done, "base")[-1].startswith("error: cannot start: ")


def test_a_program_that_is_not_essential_holds_nobody_up(tmp_path: Path) -> None:
    """The user's command starts without those that fail, wait, or take their time."""
    done = conduct(
        tmp_path,
        """
[program:fails]
command=/no/such/program
[program:waits]
command=sh -c "echo no"
needs=file:/no/such/file
[program:follows]
command=sh -c "echo no"
needs=waits
[program:asleep]
command=sh -c "echo no"
autostart=false
[program:slow]
command=sleep 60
ready=stdout
""",
        command="cat status.json",
    )
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row["state"] for row in json.loads(done.stdout)["programs"]}
    assert rows.pop("fails") in ("waiting", "failed")
    assert rows == {
        "waits": "waiting",
        "follows": "waiting",
        "asleep": "down",
        "slow": "starting",
    }
    assert said(done) == []


HOOKS = """
[program:start.d-20]
hook=start.d/20
command=sh -c "echo second; exit {status}"
needs=start.d/10
ready=exit
essential=true
autorestart=false
[program:start.d-10]
hook=start.d/10
command=sh -c "read x; sleep 0.3; echo first"
ready=exit
essential=true
autorestart=false
[program:a]
command=sh -c "echo program; exec sleep 60"
essential=true
ready=stdout
"""


def test_hooks_come_one_by_one_and_before_everything(tmp_path: Path) -> None:
    """Each is named when it begins; what they say is prefixed with the name."""
    done = conduct(tmp_path, HOOKS.format(status=0), command="echo command")
    assert said(done) == ["first", "second", "program"]
    assert done.stdout == "command\n"
    lines = [re.sub(r"\d+$", "N", line) for line in done.stderr.splitlines()]
    shown = [line for line in lines if re.match(r"deskgate: info: start.d|start.d", line)]
    assert shown == [
        "deskgate: info: start.d/10: started with pid N",
        "start.d/10: first",
        "deskgate: info: start.d/20: started with pid N",
        "start.d/20: second",
    ]


def test_a_hook_that_fails_ends_the_container_before_anything_starts(tmp_path: Path) -> None:
    """With 69 and one line."""
    done = conduct(tmp_path, HOOKS.format(status=3), command="echo command")
    assert (done.returncode, done.stdout) == (Status.UNAVAILABLE, "")
    assert said(done) == ["first", "second"]
    assert told(done, "start.d/20")[1:] == ["error: ended with status 3; stopping"]


def spent_seconds(folder: Path, programs: str, command: str) -> float:
    """The processor's time of a run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = conduct(folder, programs, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_waiting_costs_no_time_of_the_processor(tmp_path: Path) -> None:
    """For a file, and for a program that is not ready again when one that needs it could start."""
    programs = """
[program:waits]
command=true
needs=file:/no/such/file
[program:dies]
command=sh -c "test -e once || { touch once; echo up; sleep 0.3; exit 1; }; exec sleep 60"
ready=stdout
[program:follows]
command=sh -c "exit 1"
needs=dies
"""
    floor = spent_seconds(tmp_path, programs, "true")
    (tmp_path / "once").unlink(missing_ok=True)
    assert spent_seconds(tmp_path, programs, "sleep 2") - floor < 0.4, "of 2 s"
