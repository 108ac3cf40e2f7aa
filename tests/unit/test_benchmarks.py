"""What the benchmarks conclude from their samples, and the viewer that they measure with."""

from __future__ import annotations

import struct
import threading
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.house import State
from benchmarks.soak import broken_bounds, slope_per_hour
from benchmarks.table import Row, percentile, table
from benchmarks.viewer import PIXEL_BYTES, RefusedError, WebSocketViewer

from .gate.running import receive, running_desk, running_gate
from .gate.samples import CONTROL

HOUR = 3600.0
ROWS = [
    (Row(figure="f", values={"a": 1, "b": 4}, aim=0.25), "| f | 1.0 | 4.0 | 0.25 | at most 0.25 |"),
    (
        Row(figure="f", values={"a": 2, "b": 4}, aim=0.25),
        "| f | 2.0 | 4.0 | 0.50 (missed) | at most 0.25 |",
    ),
    (
        Row(figure="f", values={"a": 2, "b": 4}, aim=1, at_least=True),
        "| f | 2.0 | 4.0 | 0.50 (missed) | at least 1 |",
    ),
    (
        Row(figure="f", values={"a": 65, "b": 4}, bound=64),
        "| f | 65.0 | 4.0 |  | at most 64 (missed) |",
    ),
    (Row(figure="f", values={"a": 64}, bound=64, aim=1), "| f | 64.0 | – |  | at most 64 |"),
    (Row(figure="f", values={"a": 0.126, "b": 4}, digits=2), "| f | 0.13 | 4.00 |  |  |"),
]


@pytest.mark.parametrize(("row", "line"), ROWS)
def test_a_row_shows_the_ratio_and_whether_its_aim_is_met(row: Row, line: str) -> None:
    """Aims compare with a peer, bounds do not."""
    assert table([row], ours="a", peers=["b"], others=[]).splitlines()[2] == line


def test_percentiles_are_of_what_was_measured() -> None:
    """p99 of 1 to 101, and of a single value."""
    assert percentile(list(range(1, 102)), 50) == 51
    assert percentile(list(range(1, 102)), 99) == 100
    assert percentile([7.0], 99) == 7


def minutes(
    count: int, *, mib: float = 0, files: int = 0, tasks: int = 1
) -> list[tuple[float, State]]:
    """An hour in so many looks, with memory that grows by `mib` in it."""
    return [
        (
            HOUR * number / count,
            State(
                pss_mib=17,
                own_mib=12 + mib * number / count,
                rss_mib=24,
                more_files=files if number == count // 2 else 0,
                tasks=tasks if number == count else 1,
                objects=20_000,
            ),
        )
        for number in range(1, count + 1)
    ]


BROKEN = {
    "memory": (minutes(60, mib=1.1), {}, "memory grew"),
    "files, if only once": (minutes(60, files=2), {}, "open files grew by 2"),
    "tasks": (minutes(60, tasks=3), {}, "asyncio's tasks grew to 3"),
    "a wrong decision": (minutes(60), {"a wrong token: 200": 1}, "1 times a wrong token: 200"),
}


@pytest.mark.parametrize(("states", "faults", "said"), BROKEN.values(), ids=BROKEN)
def test_a_soak_that_breaks_a_bound_fails(
    states: list[tuple[float, State]], faults: dict[str, int], said: str
) -> None:
    """Each bound alone; within all of them, nothing is said."""
    assert broken_bounds(states, Counter(faults)) == [said]
    assert broken_bounds(minutes(60, mib=0.9), Counter()) == []


def test_a_short_soak_judges_no_slope() -> None:
    """Half an hour of a warming allocator is no leak."""
    states = minutes(60, mib=3)[:30]
    assert slope_per_hour([(when, state.own_mib) for when, state in states]) == pytest.approx(3)
    assert broken_bounds(states, Counter()) == []


def test_the_viewer_reads_updates_over_frames(tmp_path: Path) -> None:
    """As the gate frames them, which is not as the desktop sent them; and a close code."""
    screen = struct.pack(">HH16xI4s", 1280, 800, 4, b"desk")
    update = struct.pack(">BxHHHHHi", 0, 1, 0, 0, 300, 200, 0) + bytes(300 * 200 * PIXEL_BYTES)

    def serve() -> None:
        _, xvnc = desk.next()
        assert receive(xvnc, 1) == b"\x01"
        xvnc.sendall(screen + b"\x02" + update + b"end")  # 2: Bell
        xvnc.close()

    with running_desk() as desk, running_gate(tmp_path, desk.port) as gate:
        serving = threading.Thread(target=serve)
        serving.start()
        viewer = WebSocketViewer(gate.port, CONTROL)
        viewer.server_init()
        viewer.skip_update()
        assert viewer.read(3) == b"end"
        assert viewer.close_code() == 1011
        viewer.close()
        serving.join(5)
        with pytest.raises(RefusedError) as refused:
            WebSocketViewer(gate.port, CONTROL[:-1])
        assert refused.value.status == 401
