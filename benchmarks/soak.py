"""The long run: two gates before a real Xvnc, and everything that befalls a gate.

`PYTHONPATH=entrypoint python -m benchmarks.soak [--seconds 3600]`, as root. People come and go,
vanish and stall, try wrong tokens and log out; tokens are replaced; Xvnc is killed and comes
back. One gate lives through it all, so that its memory can tell; the other is killed as well.
A line a minute says what the first holds with nobody there. Ends with 1 when a bound is broken.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.desk import Xvnc, running_xvnc
from benchmarks.house import House, State
from benchmarks.people import People
from benchmarks.proxies import Lab, make_environment

PACE_SECONDS = 0.01  # between two things that happen: about 60 a second do
MINUTE = 60.0
WARM_UP = 0.2  # of the run: caches fill, and the allocator finds its size
JUDGED_SECONDS = 3600.0  # a shorter run says too little about a slope
SLOPE_MIB_PER_HOUR = 1.0
HEAD = ("minute", "events", "PSS, MiB", "own", "RSS", "more files", "tasks", "objects", "faults")
# How often, beside the others.
DEEDS: dict[Callable[[People], None], float] = {
    People.visit: 30,
    People.look: 40,
    People.leave: 10,
    People.vanish: 8,
    People.stall: 1,
    People.ask_on: 10,
    People.try_wrong: 8,
    People.try_right: 8,
    People.log_out: 0.3,  # each is remembered for twelve hours, 0.2 KiB
    People.rotate: 0.08,
}
GATE_DIES, DESK_DIES = 0.03, 0.015  # one a minute, and one in two


def slope_per_hour(samples: Sequence[tuple[float, float]]) -> float:
    """How fast a value grows, by least squares over (seconds, value)."""
    seconds, values = zip(*samples, strict=True)
    return 3600 * statistics.linear_regression(seconds, values).slope


class Soak:
    """One run."""

    def __init__(self, lab: Lab, xvnc: Xvnc, chance: random.Random) -> None:
        self._xvnc = xvnc
        self._chance = chance
        self._steady, self._mortal = (People(House(lab, xvnc.port), chance) for _ in range(2))
        self._began = time.monotonic()
        self.happened: Counter[str] = Counter()
        self.states: list[tuple[float, State]] = []

    @property
    def houses(self) -> tuple[House, House]:
        """Both gates."""
        return self._steady.house, self._mortal.house

    def run(self, seconds: float) -> None:
        """Let things happen, and look at the steady gate each minute."""
        print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
        minutes = 0
        while minutes * MINUTE < seconds:
            minutes += 1
            until = self._began + min(minutes * MINUTE, seconds)
            while time.monotonic() < until:
                self._happen()
                time.sleep(PACE_SECONDS)
            self._look()

    def _happen(self) -> None:
        deeds = [*DEEDS, self._gate_dies, self._desk_dies]
        deed = self._chance.choices(deeds, [*DEEDS.values(), GATE_DIES, DESK_DIES])[0]
        people = self._chance.choice((self._steady, self._mortal))
        self.happened[deed.__name__.strip("_")] += 1
        try:
            deed(people)
        except OSError as error:  # a timeout is one
            people.house.faults[f"{deed.__name__}: {error!r}"] += 1

    def _gate_dies(self, _: People) -> None:
        self._mortal.lose_gate()

    def _desk_dies(self, _: People) -> None:
        self._xvnc.kill()
        for people in (self._steady, self._mortal):
            people.lose_desk()
        self._xvnc.start()

    def _look(self) -> None:
        for people in (self._steady, self._mortal):
            people.go_home()
        state = self._steady.house.measure()
        passed = time.monotonic() - self._began
        self.states.append((passed, state))
        sizes = (f"{mib:.2f}" for mib in (state.pss_mib, state.own_mib, state.rss_mib))
        counts = (state.more_files, state.tasks, state.objects, self.faults().total())
        cells = (f"{passed / MINUTE:.0f}", f"{self.happened.total()}", *sizes, *map(str, counts))
        print(f"| {' | '.join(cells)} |", flush=True)

    def faults(self) -> Counter[str]:
        """Of both gates."""
        return sum((house.faults for house in self.houses), Counter[str]())

    def tally(self) -> Counter[str]:
        """What both answered."""
        return sum((house.tally for house in self.houses), Counter[str]())


def broken_bounds(states: Sequence[tuple[float, State]], faults: Counter[str]) -> list[str]:
    """Say how memory went; return what must not be."""
    broken = [f"{count} times {what}" for what, count in faults.most_common()]
    grown = max(state.more_files for _, state in states)
    if grown > 0:
        broken.append(f"open files grew by {grown}")
    if states[-1][1].tasks > states[0][1].tasks:
        broken.append(f"asyncio's tasks grew to {states[-1][1].tasks}")
    warm = states[int(len(states) * WARM_UP) :]
    if len(warm) > 2:
        own = slope_per_hour([(when, state.own_mib) for when, state in warm])
        rss = slope_per_hour([(when, state.rss_mib) for when, state in warm])
        print(f"\nAfter the warm-up, own memory grew by {own:.2f} MiB an hour, RSS by {rss:.2f}.")
        if max(own, rss) > SLOPE_MIB_PER_HOUR and states[-1][0] >= JUDGED_SECONDS:
            broken.append("memory grew")
    return broken


def main() -> int:
    """Run and judge; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--python", default="/usr/bin/python3", help="interpreter of the gates")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_xvnc(Path(name)) as xvnc:
        python = make_environment(Path(name) / "plain", arguments.python)
        lab = Lab(folder=Path(name), python=python, numpy=None)
        soak = Soak(lab, xvnc, random.Random(arguments.seed))  # noqa: S311 - no secret
        print(f"seed {arguments.seed}, {arguments.seconds:.0f} s\n")
        try:
            soak.run(arguments.seconds)
        finally:
            for house in soak.houses:
                house.kill()
    broken = broken_bounds(soak.states, soak.faults())
    for what, counts in (("Happened", soak.happened), ("Answered", soak.tally())):
        print(f"{what}: {', '.join(f'{count} {each}' for each, count in counts.most_common())}.")
    for each in broken:
        print(f"Broken: {each}")
    print(f"Wrongly let in, refused or told: {soak.faults().total()}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
