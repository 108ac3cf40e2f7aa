"""What has to be true after every fault: what was there is there, and nobody else.

The command of a desk that is to suffer one is COMMAND. The test ends with `undisturbed`, after
which a person has to be back, and `ends_clean`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import Process, processes

STATUS: Final = 6  # of the command, when it is asked to end
COMMAND: Final = ("sh", "-c", f'trap "exit {STATUS}" TERM; sleep infinity & wait')
HEAL_SECONDS: Final = 5.0  # a restart at once, and 0.5 s more for what died along
STOP_SECONDS: Final = 2.0  # the most that a stop of what behaves may take
COLLECT_SECONDS: Final = 2.0  # for PID 1 to collect the dead


@dataclass(frozen=True, kw_only=True, slots=True)
class Household:
    """Who lives in a container.

    Args:
        programs: name → pid; of those that are down, none.
        others: children of PID 1 that are no program; the command, if there is one.
        zombies: the dead that nobody has collected.
    """

    programs: dict[str, int]
    others: tuple[Process, ...]
    zombies: tuple[Process, ...]


def household(desk: Desk) -> Household:
    """Look once."""
    found: dict[str, Any] = json.loads(desk.must("deskgate", "status", "--json"))
    programs = {row["name"]: row["pid"] for row in found["programs"] if row["pid"]}
    inside = [each for each in processes(desk) if each.started_inside]
    dead = tuple(each for each in inside if each.state == "Z")
    others = tuple(
        each
        for each in inside
        if each.parent == found["pid"] and each.pid not in programs.values() and each not in dead
    )
    return Household(programs=programs, others=others, zombies=dead)


def healed(desk: Desk, *gone: int) -> bool:
    """Whether every program is ready, with none of the processes that are said to be gone."""
    rows = desk.status().values()
    return all(row["state"] == "ready" and row["pid"] not in gone for row in rows)


def undisturbed(desk: Desk, before: Household, *gone: int) -> None:
    """Assert that the desktop heals; that the command never noticed; that nobody is left behind.

    Args:
        before: as it was before the fault.
        gone: pids that died in it.
    """
    wait_until(lambda: healed(desk, *gone), HEAL_SECONDS, what=f"healed: {desk.status()}")
    wait_until(lambda: not household(desk).zombies, COLLECT_SECONDS, what="no zombies")
    after = household(desk)
    assert after.programs.keys() == before.programs.keys()
    assert [each.pid for each in after.others] == [each.pid for each in before.others]
    assert desk.exec("deskgate", "health").status == 0


def ends_clean(desk: Desk, status: int = STATUS, *, seconds: float = STOP_SECONDS) -> None:
    """Stop it; assert that it obeys, with which status, and that nothing of it goes on."""
    container = desk.inspect("{{.Id}}")
    assert desk.stop() < seconds
    assert desk.exit_status() == status
    assert list(left_running(container)) == []


def left_running(container: str) -> Iterator[str]:
    """Names of a container's processes, seen from the engine's machine (cgroups(7))."""
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and container in (process / "cgroup").read_text():
                yield (process / "comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
