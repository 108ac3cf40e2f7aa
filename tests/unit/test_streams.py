"""The standard streams of a start, in processes that were given odd ones."""

from __future__ import annotations

import subprocess
import sys

import pexpect
import pytest

from deskgate import streams

COMPLETE = """
import os, sys
from deskgate import streams
for fd in {closed}: os.close(fd)
streams.complete()
opened = os.open("/proc/self/status", os.O_RDONLY)
kept = [fd for fd in range(3) if os.get_inheritable(fd) and fd not in {closed}]
null = [fd for fd in {closed} if os.get_inheritable(fd) and os.fstat(fd).st_rdev == {null}]
sys.exit(0 if opened > 2 and sorted(kept + null) == [0, 1, 2] else 1)
"""
SAY = """
import os
from deskgate import streams
reader, writer = os.pipe()
{prepare}
streams.say("a line")
"""
# What nobody reads.
UNREAD = {
    "closed": "os.close(2)",
    "reader-gone": "os.close(reader); os.dup2(writer, 2)",
    "full": """
os.set_blocking(writer, False)
try:
    while True: os.write(writer, bytes(4096))
except BlockingIOError:
    os.set_blocking(writer, True)
os.dup2(writer, 2)
""",
}


def python(script: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script in an interpreter of its own, as our imports are here."""
    words = [sys.executable, "-c", script]
    environ = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(words, env=environ, capture_output=True, timeout=10, check=False)


@pytest.mark.parametrize("closed", [[], [0], [2], [0, 1], [1, 2], [0, 1, 2]], ids=str)
def test_closed_streams_are_opened_and_open_ones_kept(closed: list[int]) -> None:
    """So that no file of ours gets the number of one of them."""
    null = "os.stat(os.devnull).st_rdev"
    assert python(COMPLETE.format(closed=closed, null=null)).returncode == 0


@pytest.mark.parametrize("case", UNREAD)
def test_a_line_that_nobody_reads_holds_nobody_up(case: str) -> None:
    """It is lost."""
    assert python(SAY.format(prepare=UNREAD[case])).returncode == 0


def test_a_line_is_said_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """Whole, whatever is in it."""
    streams.say("Grüße \udcff")
    assert capfd.readouterr() == ("", "Grüße \\udcff\n")


# Variables → how the level of a line looks on a terminal.
ON_A_TERMINAL = {
    "a terminal": ({"TERM": "xterm"}, "\x1b[33mwarning\x1b[0m"),
    "NO_COLOR": ({"TERM": "xterm", "NO_COLOR": "1"}, "warning"),
    "dumb": ({"TERM": "dumb"}, "warning"),
}


@pytest.mark.parametrize(("environ", "level"), ON_A_TERMINAL.values(), ids=ON_A_TERMINAL)
def test_a_level_has_a_colour_on_a_terminal(environ: dict[str, str], level: str) -> None:
    """Unless somebody does not want it, or the terminal has none."""
    script = "from deskgate import streams; streams.tell('warning', 'careful')"
    path = {"PYTHONPATH": ":".join(sys.path)}
    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable, ["-c", script], env={**path, **environ}, encoding="utf-8"
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.before == f"deskgate: {level}: careful\r\n"


def test_a_level_has_no_colour_elsewhere(capfd: pytest.CaptureFixture[str]) -> None:
    """In a file, or `docker logs`."""
    streams.tell("error", "no")
    assert capfd.readouterr() == ("", "deskgate: error: no\n")


def test_a_line_of_ours_is_one_and_steers_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """A program's name in the status may be a program's own words, where one user runs all."""
    streams.tell("error", "health: a\x1b[2J\nb cannot live")
    assert capfd.readouterr().err == "deskgate: error: health: a\\x1b[2J\\nb cannot live\n"
