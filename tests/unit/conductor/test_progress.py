"""A start that takes long says whom it waits for."""

from __future__ import annotations

import os
import pty
from dataclasses import replace
from pathlib import Path

import pytest

from deskgate import streams
from deskgate.conductor.progress import describe
from deskgate.programs import Program

from .conducting import Conducted, python, wait_until

SLOW = "import time; time.sleep(3.4); print('ready', flush=True); time.sleep(1000)"
# The same, until a person has seen enough.
WAITS = """
import os, time
while not os.path.exists({flag!r}): time.sleep(0.02)
print('ready', flush=True)
time.sleep(1000)
"""
ROWS = [
    Program(name="slow", command=python(SLOW), ready="stdout", essential=True),
    Program(name="next", command=python(SLOW), ready="spawn", essential=True, needs=("slow",)),
]
# What each does → the line.
STATES = {
    "one": ([("xvnc", "starting")], "xvnc starting"),
    "several alike": (
        [("gate", "waiting"), ("xvnc", "starting"), ("wm", "waiting")],
        "xvnc starting; gate, wm waiting",
    ),
    "for something outside": (
        [("app", "waiting for tcp:127.0.0.1:5432")],
        "app waiting for tcp:127.0.0.1:5432",
    ),
}


@pytest.mark.parametrize(("states", "told"), STATES.values(), ids=STATES)
def test_the_line_tells_whom_the_start_waits_for(states: list[tuple[str, str]], told: str) -> None:
    """Those who do the same, together."""
    assert describe(2.9, states) == f"still starting after 2 s: {told}"


def test_a_log_gets_a_line_now_and_then(tmp_path: Path) -> None:
    """One within the first five seconds, and none after the start."""
    with Conducted(tmp_path, ROWS) as conducted:
        conducted.wait_ready()
        wait_until(lambda: "is ready" in conducted.log)
        said = [line for line in conducted.log.splitlines() if "still starting" in line]
        assert said == ["deskgate: info: still starting after 3 s: slow starting; next waiting"]


def test_a_quick_start_says_nothing(tmp_path: Path) -> None:
    """It takes 0.4 s."""
    row = Program(name="app", command=python("import time; time.sleep(9)"), ready="spawn")
    with Conducted(tmp_path, [row]) as conducted:
        wait_until(lambda: "is ready" in conducted.log)
        assert "still starting" not in conducted.log


def test_a_terminal_gets_the_line_anew_each_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its place; the banner takes that of the last one."""
    monkeypatch.setattr(streams, "is_capable", lambda: True)
    person, ours = pty.openpty()
    flag = tmp_path / "flag"
    slow = replace(ROWS[0], command=python(WAITS.format(flag=str(flag))))
    with Conducted(tmp_path, [slow, *ROWS[1:]], stderr=ours):
        said = b""
        while b"is ready" not in said:
            said += os.read(person, 4096)
            if b"after 3 s" in said:
                flag.touch()
    os.close(ours)
    os.close(person)
    told = "deskgate: still starting after {} s: slow starting; next waiting"
    lines = said.decode().partition("is ready")[0].split("\r\x1b[K")
    assert lines[:-1] == [told.format(at + 1) for at in range(len(lines) - 1)]
    assert len(lines) > 3
