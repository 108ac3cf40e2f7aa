"""The end: by level of need, within the engine's patience, whatever programs do."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from deskgate.conductor import stopping
from deskgate.programs import Program

from .conducting import Conducted, python, wait_until
from .test_embed import finish, loaded, spawn

# Says when it hears SIGTERM, and how it goes on.
HEARS = """
import signal, sys, time
def hear(*_):
    print('term', file=sys.stderr, flush=True)
    {then}
signal.signal(signal.SIGTERM, hear)
print('ready', flush=True)
while True:
    time.sleep(1000)
"""
DIES = python(HEARS.format(then="sys.exit()"))
STUBBORN = python(HEARS.format(then="pass"))
SHORT = {  # the budget of the real one, a fifth as long
    "deskgate.conductor.loop.BUDGET_SECONDS": 1.8,
    "deskgate.conductor.loop.COMMAND_SECONDS": 1.0,
    "deskgate.conductor.loop.KILL_SECONDS": 0.1,
    "deskgate.conductor.budget.KILL_SECONDS": 0.1,
    "deskgate.conductor.budget.REPEAT_SECONDS": 0.2,
}


def three_levels(command: tuple[str, ...]) -> list[Program]:
    """Two programs on each of three levels."""
    return [
        Program(name=f"{kind}{level}", command=command, ready="stdout", needs=needs, essential=True)
        for level, needs in ((1, ()), (2, ("a1", "b1")), (3, ("a2", "b2")))
        for kind in "ab"
    ]


def heard(conducted: Conducted) -> list[str]:
    """Who heard SIGTERM, in that order."""
    return [line.split(":")[0] for line in conducted.log.splitlines() if line.endswith(": term")]


def test_programs_that_behave_stop_at_once_and_in_order(tmp_path: Path) -> None:
    """Three levels within half a second; nobody loses what it needs before it has ended."""
    with Conducted(tmp_path, three_levels(DIES)) as conducted:
        status, seconds = conducted.wait_ready().end()
        assert status == 0
        assert seconds < 0.5
        levels = [name[1] for name in heard(conducted)]
        assert levels == ["3", "3", "2", "2", "1", "1"]


def test_stubborn_programs_stop_within_the_budget(tmp_path: Path) -> None:
    """Each level is asked, asked again and killed; those that want more do not starve the rest."""
    rows = three_levels(STUBBORN)
    seconds = {row.name: 60 for row in rows}
    with Conducted(tmp_path, rows, seconds=seconds, changes=SHORT) as conducted:
        status, taken = conducted.wait_ready().end()
        assert status == 0
        assert 1.2 < taken < 2.3
        assert all(heard(conducted).count(name) >= 2 for name in seconds), conducted.log


def test_a_stubborn_command_leaves_programs_their_share(tmp_path: Path) -> None:
    """It is killed first, and then three stubborn levels; still within the budget."""
    changes = {**SHORT, "deskgate.conductor.budget.REPEAT_SECONDS": 9.0}
    command = python("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.pause()")
    rows = three_levels(STUBBORN)
    with Conducted(tmp_path, rows, command=command, changes=changes) as conducted:
        conducted.wait_ready()
        wait_until(lambda: ignores_term(conducted.process.pid))
        status, taken = conducted.end()
        assert status == 128 + signal.SIGKILL
        assert 1.0 < taken < 2.3
        levels = [name[1] for name in heard(conducted)]
        assert levels == ["3", "3", "2", "2", "1", "1"]


def ignores_term(parent: int) -> bool:
    """Whether a child of a process ignores SIGTERM by now (proc(5), SigIgn)."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    masks = [
        Path(f"/proc/{child}/status").read_text().partition("SigIgn:")[2] for child in children
    ]
    return any(int(mask.split()[0], 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)


def test_a_program_stops_by_its_own_signal(tmp_path: Path) -> None:
    """`stopsignal=` of a section; to its group or to it alone, as that says."""
    made, _ = loaded(tmp_path, "sleep 60", ["sleep", "60"])
    program = spawn(made)
    program.config.stopsignal = signal.SIGUSR1
    stopping.begin(program, 0.0, 5.0)
    assert os.WTERMSIG(finish(program)) == signal.SIGUSR1


@pytest.mark.parametrize("number", [errno.EPERM, errno.ESRCH])
def test_a_program_that_cannot_be_killed_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It has become another user's: the end goes on without it, and so does what is below."""

    def refuse(pid: int, sig: int) -> None:
        raise OSError(number, os.strerror(number))

    made, _ = loaded(tmp_path, "sleep 60", ["sleep", "60"])
    above, below = spawn(made), spawn(made)
    way_down = stopping.WayDown([[below], [above]], deadline=100.0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", refuse)
        now = 95.0
        while below.farewell is None:
            way_down.step(now)
            now = min(way_down.due())
        assert now < 100.0
        while not way_down.over:
            way_down.step(now)
            now = min(way_down.due(), default=now)
        assert now <= 100.0
    for program in (above, below):
        os.kill(program.pid, signal.SIGKILL)
        finish(program)
