"""Log lines cannot be forged, and logging cannot stop the gate."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from deskgate.gate import log

LINES = [
    ("plain", "info: plain"),
    ("a\r\nerror: forged", "info: a\\r\\nerror: forged"),
    ("\x1b[31mred", "info: \\x1b[31mred"),
    ("\u2028\u202e", "info: \\u2028\\u202e"),
    ("\ud800", "info: \\ud800"),
    ("x" * 300, "info: " + "x" * log.LINE_CHARACTERS + "…"),
]


@pytest.mark.parametrize(("text", "line"), LINES)
def test_l8_one_event_is_one_line(text: str, line: str) -> None:
    """No line break, no terminal sequence, no flood."""
    assert log.line("info", text) == line


def test_levels_are_written_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """As the conductor reads them."""
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert capfd.readouterr().err == "debug: a\ninfo: b\nwarning: c\nerror: d\n"


def test_a_full_log_pipe_loses_lines_and_stops_nobody() -> None:
    """F14: a log reader that sleeps."""
    reading, writing = os.pipe()
    code = "from deskgate.gate import log; log.prepare(); [log.info('x' * 200) for _ in range(999)]"
    with os.fdopen(reading), os.fdopen(writing, "w") as stderr:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stderr=stderr,
            timeout=20,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert done.returncode == 0


def test_a_closed_stderr_is_no_error() -> None:
    """Nobody to tell."""
    code = "import os; os.close(2); from deskgate.gate import log; log.prepare(); log.info('x')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        timeout=20,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0
