"""The container's limits, as control groups of both versions tell them; and who goes first."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from deskgate.conductor.limits import (
    EXPENDABLE,
    MIB,
    Expendable,
    Killer,
    ProcessLimit,
    ending,
    scarce_memory,
)

# Version → the files of a control group that tell of memory and of processes.
FILES = {
    "1": ("memory/memory.limit_in_bytes", "pids/pids.max", "pids/pids.events"),
    "2": ("memory.max", "pids.max", "pids.events"),
}
# Version → the file that counts the kernel's kills.
KILLS = {
    "1": ("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"),
    "2": ("memory.events", "low 0\nmax 12\noom 4\noom_kill {}\noom_group_kill 9\n"),
}
UNLIMITED = {"1": str(0x7FFFFFFFFFFFF000), "2": "max"}


def write(folder: Path, version: str, *texts: object) -> None:
    """Write a control group's files."""
    for name, text in zip(FILES[version], texts, strict=True):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"{text}\n")


@pytest.mark.parametrize("version", FILES)
def test_the_limit_of_processes_is_named_each_time_that_it_refused_some(
    tmp_path: Path, version: str
) -> None:
    """What was refused before we came is not told."""
    write(tmp_path, version, UNLIMITED[version], 48, "max 3")
    limit = ProcessLimit(tmp_path)
    assert limit.refused() is None
    write(tmp_path, version, UNLIMITED[version], 48, "max 5")
    assert limit.refused() == "the limit of 48 processes is reached: raise --pids-limit"
    assert limit.refused() is None


@pytest.mark.parametrize("version", FILES)
def test_scarce_memory_is_told_before_it_is_used_up(tmp_path: Path, version: str) -> None:
    """The kernel gives no time for it later."""
    write(tmp_path, version, 64 * MIB, "max", "max 0")
    assert scarce_memory(tmp_path) is None
    write(tmp_path, version, 63 * MIB, "max", "max 0")
    assert scarce_memory(tmp_path) == "the memory limit is 63 MiB: a desktop needs 64 or more"
    write(tmp_path, version, UNLIMITED[version], "max", "max 0")
    assert scarce_memory(tmp_path) is None


@pytest.mark.parametrize("version", KILLS)
def test_who_was_killed_for_want_of_memory_is_told_so_once(tmp_path: Path, version: str) -> None:
    """A SIGKILL while the kernel's count rose; those from before are no news."""
    name, text = KILLS[version]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text.format(3))
    killer = Killer(tmp_path)
    assert not killer.struck(signal.SIGKILL)
    (tmp_path / name).write_text(text.format(5))
    assert not killer.struck(signal.SIGKILL << 8)  # a status of 9
    assert not killer.struck(signal.SIGTERM)
    assert killer.struck(signal.SIGKILL)
    assert not killer.struck(signal.SIGKILL)


def test_how_a_process_ended_is_said_in_words() -> None:
    """From what wait(2) tells; a core that was dumped is nothing to tell."""
    assert ending(7 << 8, out_of_memory=False) == "status 7"
    assert ending(signal.SIGKILL, out_of_memory=False) == "signal 9"
    assert ending(signal.SIGKILL, out_of_memory=True) == "signal 9, out of memory"
    assert ending(signal.SIGABRT | 0x80, out_of_memory=False) == "signal 6"


def test_where_no_control_group_is_to_be_seen_nothing_is_told(tmp_path: Path) -> None:
    """Not every engine mounts it."""
    assert scarce_memory(tmp_path) is None
    assert ProcessLimit(tmp_path).refused() is None
    assert not Killer(tmp_path).struck(signal.SIGKILL)


def score(pid: int) -> int:
    """A process's oom_score_adj."""
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_who_is_forked_within_goes_first_when_memory_is_out() -> None:
    """Programs of the desktop are healed; PID 1 is not, and the command is not ours."""
    own = score(os.getpid())
    expendable = Expendable()
    with expendable:
        if (pid := os.fork()) == 0:
            signal.pause()
    try:
        assert score(pid) == min(own + EXPENDABLE, 1000)
        assert score(os.getpid()) == own
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
