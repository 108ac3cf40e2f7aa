"""The standard streams of a start, in processes that were given odd ones."""

from __future__ import annotations

import subprocess
import sys

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
