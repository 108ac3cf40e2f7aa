"""How long until a desktop answers, and what memory that takes: ours beside other ways.

`python -m benchmarks.start [--rounds 10] [--image deskgate:debian]`, as root.
"""

from __future__ import annotations

from benchmarks.compare import compare
from benchmarks.rounds import Samples, medians, samples, turns
from benchmarks.stacks import FLOOR, OURS, SCRIPT, STACKS, Bench, run_true, running
from benchmarks.table import Row

# What is aimed at: seconds over the base image's `true`, and MiB.
INIT_SECONDS, TRUE_SECONDS, MEMORY_MIB = 0.5, 0.35, 36


def measure(bench: Bench) -> Samples:
    """One round."""
    found = samples("init", "true", "memory")
    # Not supervisord: it ends with 0 whatever its programs did, and goes on when they have ended.
    for stack in turns([FLOOR, OURS, SCRIPT]):
        found["true"][stack].append(run_true(bench, stack))
    for stack in turns(STACKS):
        with running(bench, stack) as container:
            found["init"][stack].append(container.first_server_init())
            found["memory"][stack].append(container.memory_mib())
    return found


def rows(found: Samples) -> tuple[list[Row], list[Row]]:
    """What the table says, with the aims; and what of it is drawn."""
    init, true, memory = (medians(found[figure]) for figure in ("init", "true", "memory"))

    def over(values: dict[str, float], bound: float) -> Row:
        more = {name: value - true[FLOOR] for name, value in values.items() if name != FLOOR}
        figure = "the same, over the base image's `true`"
        return Row(figure=figure, values=more, digits=2, compared=True, bound=bound)

    first = Row(figure="first ServerInit, s", values=init, digits=2)
    round_trip = Row(figure="`docker run … true`, s", values=true, digits=2)
    takes = "memory of the stack, MiB PSS"
    stack = Row(figure=takes, values=memory, compared=True, bound=MEMORY_MIB)
    table = [first, over(init, INIT_SECONDS), round_trip, over(true, TRUE_SECONDS), stack]
    return table, [first, round_trip, stack]


if __name__ == "__main__":
    compare("start", measure, rows)
