"""One run of chaos: a fault, and then everything has to be well again."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Final

from tests.chaos.faults import FAULTS, HEAL_SECONDS, Fault
from tests.chaos.house import House, gone
from tests.chaos.people import Person, invite, say_goodbye
from tests.chaos.report import Healing, Streaks, table
from tests.container.aftermath import STOP_SECONDS
from tests.container.engine import wait_until

QUIET_SECONDS: Final = 2.0  # the most between two faults, but for who needs a rest
GROWTH_MIB: Final = 1.0  # of PID 1 in one life of the container


class Chaos:
    """The house, its people, and what befalls them.

    Args:
        chance: what, when, for how long.
        user: see `House`.
    """

    def __init__(self, chance: random.Random, *, user: str) -> None:
        self._chance = chance
        self._house = House(user)
        self._people: Sequence[Person] = invite(self._house)
        self._streaks = Streaks()
        self._life = 0
        self._own_mib: list[float] = []  # of this life
        self._grown: list[tuple[int, float]] = []  # faults and growth of each
        self._stop_seconds = 0.0
        self.healings: list[Healing] = []

    def run(self, *, seconds: float, faults: int, quiet: float = QUIET_SECONDS) -> list[str]:
        """Let things happen until time or faults have run out; what must not be."""
        until = time.monotonic() + seconds
        try:
            self._wait_well([], time.monotonic(), HEAL_SECONDS)
            self._look()
            while time.monotonic() < until and len(self.healings) < faults:
                self._happen(self._chance.choices(FAULTS, [each.weight for each in FAULTS])[0])
                rest = self._streaks.rest_seconds(time.monotonic())
                time.sleep(max(rest, self._chance.uniform(0, quiet)))
            self._end_life()
            say_goodbye(self._people)
            self._stop_seconds = self._house.end()
        finally:
            self._house.remove()
        return self._broken()

    def _happen(self, fault: Fault) -> None:
        killed = fault.inflict(self._house, self._chance)
        over = time.monotonic()
        try:
            self._wait_well(killed, over, fault.limit_seconds)
        except AssertionError as error:
            self.healings.append(Healing(fault=fault.name, seconds=None))
            print(f"wedged after {fault.name}: {error}\n{self._house.states()}", flush=True)
            print(self._house.desk.log, flush=True)
            self._house.restart(gently=False)
            self._wait_well([], time.monotonic(), HEAL_SECONDS)
        else:
            took = time.monotonic() - over
            self.healings.append(Healing(fault=fault.name, seconds=took))
            print(f"{len(self.healings)} {fault.name}: {took:.2f} s", flush=True)
        self._look()

    def _wait_well(self, killed: Sequence[int], since: float, limit: float) -> None:
        wait_until(lambda: all(map(gone, killed)), limit, what="the end of who was killed")
        dead = time.monotonic()
        left = limit - (dead - since)
        wait_until(self._house.is_well, left, what="programs that are ready")
        # A look that began when all was ready, and was answered.
        ready = time.monotonic()
        for person in self._people:
            left = limit - (time.monotonic() - since)
            wait_until(lambda p=person: p.saw_at > ready, left, what=f"{person.name}'s return")  # type: ignore[misc]

    def _look(self) -> None:
        if self._house.life != self._life:
            self._end_life()
            self._life, self._streaks = self._house.life, Streaks()
        restarts = {name: row["restarts"] for name, row in self._house.programs().items()}
        self._streaks.look(restarts, time.monotonic())
        self._house.look_for_remains()
        self._own_mib.append(self._house.own_mib())

    def _end_life(self) -> None:
        if self._own_mib:
            grown = self._own_mib[-1] - self._own_mib[0]
            self._grown.append((len(self._own_mib) - 1, grown))
        self._own_mib = []

    # --- what is told ------------------------------------------------------------------------

    def _broken(self) -> list[str]:
        wedged = sum(each.seconds is None for each in self.healings)
        broken = [f"{count} times {what}" for what, count in self._house.broken.most_common()]
        if wedged:
            broken.append(f"{wedged} faults were not healed")
        if self._stop_seconds > STOP_SECONDS:
            broken.append(f"the stop took {self._stop_seconds:.1f} s")
        broken += [f"PID 1 grew by {g:.2f} MiB" for _, g in self._grown if g > GROWTH_MIB]
        return broken

    def told(self) -> str:
        """The table, and what else was measured."""
        faults, grown = max(self._grown, default=(0, 0.0))
        return "\n".join(
            [
                table(self.healings),
                "",
                f"In the longest life of PID 1, {faults} faults, it grew by {grown:.2f} MiB; "
                f"the most in any was {max((g for _, g in self._grown), default=0.0):.2f}.",
                f"People came {sum(person.visits for person in self._people)} times.",
                f"The stop at the end took {self._stop_seconds:.2f} s.",
            ]
        )
