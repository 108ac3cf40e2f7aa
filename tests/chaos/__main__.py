"""Chaos: faults at random befall one desktop that four people look at, and it has to heal each.

`PYTHONPATH=entrypoint python -m tests.chaos [--seconds 3600] [--faults 200] [--seed N]`, as root
on the engine's machine. Ends with 1 when something was not healed, or is left over.
"""

from __future__ import annotations

import argparse
import os
import random
import sys

from tests.chaos.run import Chaos
from tests.container.desk import RUN_USER


def main() -> int:
    """Run and judge; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--faults", type=int, default=sys.maxsize, help="end after so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--user", default=str(RUN_USER), help="uid that the container starts as")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("only root can hurt what is in a container from outside: run it as root")
    print(f"seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)  # noqa: S311 - no secret
    chaos = Chaos(chance, user=arguments.user)
    broken = chaos.run(seconds=arguments.seconds, faults=arguments.faults)
    print(chaos.told())
    for each in broken:
        print(f"Broken: {each}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
