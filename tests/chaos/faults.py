"""What can befall a desktop. Each is over when it returns; what it killed has to be gone then."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.house import House
from tests.container.engine import docker

PROGRAMS: Final = ("gate", "xvnc", "wm")
HEAL_SECONDS: Final = 30.0
FOUND_SECONDS: Final = 40.0  # of these, 30 until it is found
# Returns the pids, on this machine, of those that cannot be there any more.
Inflict = Callable[[House, random.Random], Sequence[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One kind.

    Args:
        weight: how often, beside the others.
        limit_seconds: after which the desktop counts as wedged.
    """

    name: str
    weight: float
    inflict: Inflict
    limit_seconds: float = HEAL_SECONDS


def _ends(program: str, sig: int) -> Inflict:
    def inflict(house: House, chance: random.Random) -> Sequence[int]:
        pid = house.pids()[program]
        house.signal(pid, sig)
        return [pid]

    return inflict


def _all_end(house: House, chance: random.Random) -> Sequence[int]:
    pids = house.pids()
    for program in PROGRAMS:
        house.signal(pids[program], signal.SIGKILL)
    return [pids[program] for program in PROGRAMS]


def _ends_again(house: House, chance: random.Random) -> Sequence[int]:
    """The next one is hit as well, wherever it is in its start."""
    program, seen = chance.choice(PROGRAMS), []
    for _ in range(2):
        if pid := house.pids().get(program):
            house.signal(pid, signal.SIGKILL)
            seen.append(pid)
        time.sleep(chance.uniform(0, 0.2))
    return seen


def _halts(program: str) -> Inflict:
    def inflict(house: House, chance: random.Random) -> Sequence[int]:
        pid = house.pid if program == "PID 1" else house.pids()[program]
        house.signal(pid, signal.SIGSTOP)
        time.sleep(chance.uniform(0, 3))
        house.signal(pid, signal.SIGCONT)
        return []

    return inflict


def _halts_for_good(program: str) -> Inflict:
    def inflict(house: House, chance: random.Random) -> Sequence[int]:
        pid = house.pids()[program]
        house.signal(pid, signal.SIGSTOP)
        return [pid]

    return inflict


def _is_paused(house: House, chance: random.Random) -> Sequence[int]:
    docker("pause", house.desk.name)
    time.sleep(chance.uniform(0, 5))
    docker("unpause", house.desk.name)
    return []


def _is_paused_for_long(house: House, chance: random.Random) -> Sequence[int]:
    """Longer than anybody in it waits for anybody."""
    docker("pause", house.desk.name)
    time.sleep(chance.uniform(35, 70))
    docker("unpause", house.desk.name)
    return []


def _ends_while_paused(house: House, chance: random.Random) -> Sequence[int]:
    """Those who are killed end when the container goes on."""
    docker("pause", house.desk.name)
    killed = _all_end(house, chance)
    time.sleep(chance.uniform(0, 1))
    docker("unpause", house.desk.name)
    return killed


def _loses_children(house: House, chance: random.Random) -> Sequence[int]:
    """The command's, however they stand."""
    for pid in house.sleepers():
        house.signal(pid, signal.SIGKILL)
    return []


def _restarts(house: House, chance: random.Random) -> Sequence[int]:
    house.restart(gently=True)
    return []


def _crashes(house: House, chance: random.Random) -> Sequence[int]:
    house.restart(gently=False)
    return []


def _is_hit_at_its_start(house: House, chance: random.Random) -> Sequence[int]:
    house.start_and_hit(chance.uniform(0, 0.4), chance)
    return []


def _rotates_without_a_gate(house: House, chance: random.Random) -> Sequence[int]:
    killed = _ends("gate", signal.SIGKILL)(house, chance)
    house.rotate()
    return killed


def _rotates(house: House, chance: random.Random) -> Sequence[int]:
    house.rotate()
    return []


FAULTS: Final = (
    Fault(name="SIGKILL: gate", weight=10, inflict=_ends("gate", signal.SIGKILL)),
    Fault(name="SIGKILL: Xvnc", weight=10, inflict=_ends("xvnc", signal.SIGKILL)),
    Fault(name="SIGKILL: window manager", weight=6, inflict=_ends("wm", signal.SIGKILL)),
    Fault(name="SIGKILL: all three", weight=6, inflict=_all_end),
    Fault(name="SIGKILL: twice", weight=8, inflict=_ends_again),
    Fault(name="SIGSEGV: gate", weight=4, inflict=_ends("gate", signal.SIGSEGV)),
    Fault(name="SIGSEGV: Xvnc", weight=4, inflict=_ends("xvnc", signal.SIGSEGV)),
    Fault(name="SIGTERM: gate", weight=4, inflict=_ends("gate", signal.SIGTERM)),
    Fault(name="SIGTERM: Xvnc", weight=4, inflict=_ends("xvnc", signal.SIGTERM)),
    Fault(name="SIGSTOP, SIGCONT: gate", weight=6, inflict=_halts("gate")),
    Fault(name="SIGSTOP, SIGCONT: Xvnc", weight=6, inflict=_halts("xvnc")),
    Fault(name="SIGSTOP, SIGCONT: PID 1", weight=4, inflict=_halts("PID 1")),
    *(
        Fault(
            name=f"SIGSTOP: {name}",
            weight=3,
            inflict=_halts_for_good(program),
            limit_seconds=FOUND_SECONDS,
        )
        for name, program in (("gate", "gate"), ("Xvnc", "xvnc"), ("window manager", "wm"))
    ),
    Fault(name="SIGKILL: the command's children", weight=4, inflict=_loses_children),
    Fault(name="pause", weight=6, inflict=_is_paused),
    Fault(name="pause, a minute", weight=0.5, inflict=_is_paused_for_long),
    Fault(name="token rotated", weight=8, inflict=_rotates),
    Fault(name="token rotated, SIGKILL: gate", weight=4, inflict=_rotates_without_a_gate),
    Fault(name="pause, SIGKILL: all three", weight=4, inflict=_ends_while_paused),
    Fault(name="docker start, SIGKILL: anybody", weight=5, inflict=_is_hit_at_its_start),
    Fault(name="docker restart", weight=5, inflict=_restarts),
    Fault(name="docker kill, start", weight=4, inflict=_crashes),
)
