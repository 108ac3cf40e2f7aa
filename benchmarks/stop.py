"""How long a desktop takes to go, and to come back when a part of it dies: ours beside other ways.

`python -m benchmarks.stop [--rounds 10] [--image deskgate:debian]`, as root.
"""

from __future__ import annotations

from benchmarks.compare import compare
from benchmarks.rounds import Samples, medians, samples, turns
from benchmarks.stacks import STACKS, Bench, running
from benchmarks.table import Row

STOP_SECONDS, HEAL_SECONDS = 0.5, 0.2  # what is aimed at


def measure(bench: Bench) -> Samples:
    """One round."""
    found = samples("stop", "xvnc", "relay")
    for stack in turns(STACKS):
        with running(bench, stack) as container:
            container.first_server_init()
            found["xvnc"][stack].append(container.heal(container.x_server()))
        with running(bench, stack) as container:
            container.first_server_init()
            found["relay"][stack].append(container.heal(container.relay()))
        with running(bench, stack) as container:
            container.first_server_init()
            found["stop"][stack].append(container.stop())
    return found


def rows(found: Samples) -> tuple[list[Row], list[Row]]:
    """What the table says, with the aims; and what of it is drawn, which is all."""
    texts = {
        "stop": ("`docker stop`, s", STOP_SECONDS),
        "xvnc": ("ServerInit after SIGKILL of Xvnc, s", HEAL_SECONDS),
        "relay": ("the same, of gate or websockify, s", HEAL_SECONDS),
    }
    table = [
        Row(figure=text, values=medians(found[figure]), digits=2, compared=True, bound=bound)
        for figure, (text, bound) in texts.items()
    ]
    return table, table


if __name__ == "__main__":
    compare("stop", measure, rows)
