"""What a conductor writes: to stderr alone, a line for each event, and waiting for no reader."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from deskgate.programs import Program

from .conducting import Conducted, python, wait_until

LOUD = "import sys, time\nprint('ready', flush=True)\n{then}\ntime.sleep(1000)\n"
FLOOD = "[print('x' * 100, file=sys.stderr) for _ in range(50000)]"  # 5 MB, of which 1 is kept


def row(then: str = "") -> Program:
    """A program that becomes ready, then says something."""
    command = python(LOUD.format(then=then))
    return Program(name="app", command=command, ready="stdout", essential=True)


ORPHANS = (
    "import subprocess, sys; print('ours')\n"
    "subprocess.run(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do (true &); done'])"
)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_quiet_desktop_says_that_it_is_ready_and_no_more(tmp_path: Path, form: str) -> None:
    """Nothing of eight orphans, of the start or of the end; the command's stdout is its own."""
    command = python(ORPHANS)
    with Conducted(tmp_path, [row()], command=command, form=form) as conducted:
        assert conducted.process.stdout
        assert conducted.process.stdout.read() == b"ours\n"
        assert conducted.process.wait(10) == 0
        first, *said = conducted.log.splitlines()
        if form == "json":
            texts = [json.loads(line)["text"] for line in (first, *said)]
            assert texts == ["ready", "the desktop is ready"]
        else:
            assert first == "app: ready"
            assert said[0].startswith("deskgate: the desktop is ready (")
            assert said[1:] == conducted.banner


def test_a_json_log_holds_nothing_else(tmp_path: Path) -> None:
    """Lines of programs and their deaths, warnings, restarts: each is one object."""
    with Conducted(tmp_path, [row("print('a\\tb', flush=True)")], form="json") as conducted:
        wait_until(lambda: "a\\tb" in conducted.log)
        old = conducted.signal("app", signal.SIGKILL)
        wait_until(lambda: conducted.is_new("app", old))
        conducted.deskgate("restart", "app")
        conducted.end()
        lines = [json.loads(line) for line in conducted.log.splitlines()]
        assert all({"time", "level", "program", "text"} <= line.keys() for line in lines)
        assert {line["program"] for line in lines} == {"app", "deskgate"}
        assert {line["level"] for line in lines} == {"info", "warning"}


def test_each_event_is_one_prefixed_line(tmp_path: Path) -> None:
    """Whatever a program writes: no line of the log is another's."""
    said = "sys.stderr.write('one\\rtwo\\x1b[31m\\n\\ndeskgate: error: forged\\nno end')"
    with Conducted(tmp_path, [row(f"{said}; sys.exit()")]) as conducted:
        wait_until(lambda: "no end" in conducted.log)
        lines = [line for line in conducted.log.splitlines() if line not in conducted.banner]
        assert all(line.startswith(("app: ", "deskgate: ")) for line in lines)
        assert "app: one\\rtwo\\x1b[31m" in lines
        assert "deskgate: error: forged" not in lines


def test_a_reader_who_does_not_read_blocks_nobody(tmp_path: Path) -> None:
    """A full pipe, and 5 MB more: programs write on, restart, answer, and the end is quick."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    done = tmp_path / "done"
    flood = f"{FLOOD}; open({str(done)!r}, 'w')"
    with Conducted(tmp_path, [row(flood)], stderr=writer) as conducted:
        os.close(writer)
        wait_until(done.exists, 20, what="the program's last line")
        assert conducted.deskgate("restart", "app").returncode == 0
        assert "app: " + "x" * 100 + "\n" in conducted.deskgate("logs").stdout
        status, seconds = conducted.end()
        assert status == 0
        assert seconds < 1.5
    os.close(reader)


def test_a_reader_who_has_gone_ends_nobody(tmp_path: Path) -> None:
    """`docker run … | head`: the desktop stays, and so does its command."""
    reader, writer = os.pipe()
    command = (sys.executable, "-c", "import time; time.sleep(0.5)")
    with Conducted(tmp_path, [row(FLOOD)], command=command, stderr=writer) as conducted:
        os.close(writer)
        os.close(reader)
        assert conducted.process.wait(10) == 0
