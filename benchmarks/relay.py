"""Our gate beside stock websockify 0.13, and socat as the raw reference.

`PYTHONPATH=entrypoint python -m benchmarks.relay [--rounds 10]` prints the table that the docs
quote, as root: nobody else may read the gate's memory figures. Everything is measured in one run,
in turns, so that a noisy machine harms all alike. A round takes a minute.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks import figures
from benchmarks.browser import measure_frames, running_browser
from benchmarks.desk import Xvnc, running_stub, running_xvnc, version
from benchmarks.figures import HOUSE, VIEWERS
from benchmarks.processes import run
from benchmarks.proxies import OURS, SOCAT, WEBSOCKIFY, WITH_NUMPY, Lab, make_environment
from benchmarks.rounds import Samples, add
from benchmarks.table import Row, percentile, table

NEIGHBOURS_MS = 10


def measure(lab: Lab, xvnc: Xvnc, stub: int, browser: Browser) -> Iterator[Samples]:
    """One round: each figure once."""
    yield figures.measure_connects(lab, xvnc.port)
    yield figures.measure_key_presses(lab)
    yield figures.measure_bulk(lab, stub)
    yield figures.measure_starts(lab, xvnc.port)
    yield figures.measure_neighbours(lab, stub)
    yield measure_frames(lab, xvnc, browser)


def rows(found: Samples) -> list[Row]:
    """What the table says, with the aims."""

    def at(figure: str, percent: int = 50) -> dict[str, float]:
        return {name: percentile(values, percent) for name, values in found[figure].items()}

    def at_both(figure: str, text: str, aim: float) -> list[Row]:
        return [
            Row(figure=f"{text}, p{percent}", values=at(figure, percent), digits=2, aim=aim)
            for percent in (50, 99)
        ]

    few, many = VIEWERS[1:]
    crowd = at(f"memory {many}")
    each = {
        name: 1024 * (crowd[name] - mib) / (many - few) for name, mib in at(f"memory {few}").items()
    }
    idle, stalls, floods = (at(case, 99) for case in ("idle", "stalls", "floods"))
    waits = {name: (stalls[name] - idle[name]) / 1000 for name in idle}
    return [
        *at_both("connect", "connect to ServerInit, ms", 0.25),
        Row(figure="memory without a viewer, MiB PSS", values=at(f"memory {VIEWERS[0]}")),
        Row(figure=f"memory with {few}", values=at(f"memory {few}")),
        Row(figure=f"memory with {many}", values=crowd, aim=1 / 8),
        Row(figure="memory of one more viewer, KiB PSS", values=each, bound=64),
        Row(figure="CPU for a frame of noVNC, ms", values=at("frame cpu"), digits=3, aim=0.7),
        Row(figure="frames a second meanwhile", values=at("frames")),
        *at_both("press", "key press to picture, us", 1),
        Row(figure="CPU for a key press, us", values=at("press cpu")),
        Row(figure="bulk to the viewer, MB/s", values=at("bulk"), digits=0, aim=1, at_least=True),
        Row(figure="CPU for a GB, s", values=at("bulk cpu"), digits=2, aim=1),
        Row(figure="exec to listening, ms", values=at("listening"), aim=0.6),
        Row(figure="exec to the first ServerInit, ms", values=at("serving")),
        Row(figure=f"key press of {HOUSE - 1} others, p99, us", values=idle, digits=0),
        Row(figure="the same while one stalls", values=stalls, digits=0),
        Row(figure="longer while one stalls, ms", values=waits, digits=2, bound=NEIGHBOURS_MS),
        Row(figure="more memory while one stalls, MiB PSS", values=at("grown"), bound=1),
        Row(figure="the same while one takes a flood", values=floods, digits=0),
    ]


def environments(folder: Path, python: str) -> tuple[Path, Path | None]:
    """The interpreters of the contestants; the second has numpy, where it can be installed."""
    plain = make_environment(folder / "plain", python)
    try:
        return plain, make_environment(folder / "numpy", python, "numpy")
    except subprocess.CalledProcessError:
        say("cannot install numpy: websockify is measured without it alone")
        return plain, None


def say(text: str) -> None:
    """To whoever waits."""
    print(f"relay: {text}", file=sys.stderr)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--python", default="/usr/bin/python3", help="interpreter of all")
    arguments = parser.parse_args()
    found: Samples = {}
    with tempfile.TemporaryDirectory() as name, running_xvnc(Path(name)) as xvnc:
        say("filling two environments")
        python, numpy = environments(Path(name), arguments.python)
        lab = Lab(folder=Path(name), python=python, numpy=numpy)
        add(found, figures.measure_memory(lab, xvnc.port))
        with running_stub() as stub, running_browser() as browser:
            for number in range(arguments.rounds):
                say(f"round {number + 1} of {arguments.rounds}")
                for samples in measure(lab, xvnc, stub, browser):
                    add(found, samples)
        interpreter = run(str(python), "--version")
        peers = [name for name in lab.names if name in (WEBSOCKIFY, WITH_NUMPY)]
        print(f"{interpreter}, {version()}, {arguments.rounds} rounds, loopback, medians\n")
    print(table(rows(found), ours=OURS, peers=peers, others=[SOCAT]))


if __name__ == "__main__":
    main()
