"""The figures: each is measured for every contestant in the same breath, in turns.

Each function returns its samples by figure and contestant; `relay` makes the table of them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence

from benchmarks.desk import running_stub
from benchmarks.processes import cpu_between, free_port, timed
from benchmarks.proxies import COMMANDS, OURS, Lab, Proxy, all_running, crowded_gate, running
from benchmarks.rounds import Samples, samples, turns
from benchmarks.viewer import CELL_BYTES, PIXEL_BYTES, UPDATE_HEAD_BYTES, ClosedError, Viewer

CONNECTS = 30  # a round, and so are the numbers below
PRESSES, PRESSES_A_TURN = 2000, 50
BULK_UPDATES, BULK_SIDE = 32, 1448  # of 8 MB each
VIEWERS = (0, 1, 50)
HOUSE = 16  # viewers, as many as the product admits
STALL_SECONDS = 2.0


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and all that it starts meanwhile, on one core.

    Waking another core costs up to 40 us on a virtual machine, several times what a relay takes,
    and whether it happens is the scheduler's mood.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def measure_connects(lab: Lab, desk: int) -> Samples:
    """Milliseconds from connect to ServerInit."""
    found = samples("connect")
    with all_running(lab, desk) as proxies:
        for proxy in proxies.values():
            _come_and_go(proxy)
        for _ in range(CONNECTS):
            for name in turns(lab.names):
                found["connect"][name].append(1000 * _come_and_go(proxies[name]))
    return found


def _come_and_go(proxy: Proxy) -> float:
    began = time.perf_counter()
    viewer = proxy.view()
    took = time.perf_counter() - began
    viewer.close()
    proxy.settle()
    return took


def press(viewer: Viewer) -> None:
    """Press a key and wait until the desktop has drawn it."""
    viewer.press_key()
    viewer.skip(CELL_BYTES)


def measure_key_presses(lab: Lab) -> Samples:
    """Microseconds from a key press to the picture that answers it, and of the proxy's CPU."""
    found = samples("press", "press cpu")
    with one_core(), running_stub() as stub, all_running(lab, stub) as proxies:
        viewers = {name: proxy.view() for name, proxy in proxies.items()}
        for _ in range(PRESSES // PRESSES_A_TURN):
            for name in turns(lab.names):
                viewer = viewers[name]
                press(viewer)  # waking up is not what is measured
                before = proxies[name].cpu_clocks()
                found["press"][name] += [1e6 * timed(press, viewer) for _ in range(PRESSES_A_TURN)]
                spent = cpu_between(before, proxies[name].cpu_clocks())
                found["press cpu"][name].append(1e6 * spent / PRESSES_A_TURN)
        for viewer in viewers.values():
            viewer.close()
    return found


def measure_bulk(lab: Lab, stub: int) -> Samples:
    """MB/s from the desktop to the viewer, and the proxy's CPU seconds for a GB."""
    found = samples("bulk", "bulk cpu")
    with all_running(lab, stub) as proxies:
        for name in turns(lab.names):
            proxy = proxies[name]
            viewer = proxy.view()
            before = proxy.cpu_clocks()
            seconds = timed(_fetch, viewer)
            spent = cpu_between(before, proxy.cpu_clocks())
            found["bulk"][name].append(_bulk_bytes() / 1e6 / seconds)
            found["bulk cpu"][name].append(spent / (_bulk_bytes() / 1e9))
            viewer.close()
    return found


def _bulk_bytes() -> int:
    return BULK_UPDATES * (UPDATE_HEAD_BYTES + BULK_SIDE**2 * PIXEL_BYTES)


def _ask_for_bulk(viewer: Viewer) -> None:
    for _ in range(BULK_UPDATES):
        viewer.ask_for(BULK_SIDE, BULK_SIDE)


def _fetch(viewer: Viewer) -> None:
    _ask_for_bulk(viewer)
    viewer.skip(_bulk_bytes())


def measure_starts(lab: Lab, desk: int) -> Samples:
    """Milliseconds from exec until somebody accepts, and until the first ServerInit."""
    found = samples("listening", "serving")
    for name in turns(lab.names):
        port = free_port()
        words = COMMANDS[name](lab, port, desk)
        began = time.perf_counter()
        proxy = Proxy(name, words, port)
        try:
            proxy.wait()
            found["listening"][name].append(1000 * (time.perf_counter() - began))
            proxy.view().close()
            found["serving"][name].append(1000 * (time.perf_counter() - began))
        finally:
            proxy.stop()
    return found


def measure_memory(lab: Lab, desk: int) -> Samples:
    """MiB of PSS by number of viewers, one contestant at a time: they would share pages."""
    found = samples(*(f"memory {count}" for count in VIEWERS))
    for name in lab.names:
        words = crowded_gate if name == OURS else None
        with running(lab, name, desk, words) as proxy, contextlib.ExitStack() as stack:
            proxy.settle()
            here = 0
            for count in VIEWERS:
                for _ in range(count - here):
                    stack.callback(proxy.view().close)
                here = count
                found[f"memory {count}"][name].append(proxy.pss_mib())
    return found


def measure_neighbours(lab: Lab, stub: int) -> Samples:
    """A full house: 15 press keys in turn while one more is idle, stalls, or takes a flood.

    Microseconds of the 15's key presses, and the MiB that the proxy has more of while one stalls.
    """
    found = samples("idle", "stalls", "floods", "grown")
    for name in turns(lab.names):
        with running(lab, name, stub) as proxy:
            others = [proxy.view() for _ in range(HOUSE - 1)]
            one = proxy.view()
            found["idle"][name] += _presses_of(others)
            before = proxy.pss_mib()
            _ask_for_bulk(one)
            time.sleep(STALL_SECONDS)  # all that can fill has filled long before
            found["stalls"][name] += _presses_of(others)
            found["grown"][name].append(proxy.pss_mib() - before)
            with _drinking(one):
                found["floods"][name] += _presses_of(others)
            for viewer in (*others, one):
                viewer.close()
    return found


def _presses_of(viewers: Sequence[Viewer]) -> list[float]:
    for viewer in viewers:
        press(viewer)
    return [1e6 * timed(press, viewers[turn % len(viewers)]) for turn in range(PRESSES)]


@contextlib.contextmanager
def _drinking(viewer: Viewer) -> Iterator[None]:
    """Another process takes all that comes, and asks for more."""
    process = multiprocessing.get_context("fork").Process(target=_drink, args=(viewer,))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _drink(viewer: Viewer) -> None:
    with contextlib.suppress(ClosedError):
        while True:
            _ask_for_bulk(viewer)
            viewer.skip(_bulk_bytes())
