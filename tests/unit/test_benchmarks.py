"""What the benchmarks conclude from their samples, and the viewer that they measure with."""

from __future__ import annotations

import math
import re
import struct
import threading
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import start, stop
from benchmarks.chart import PANEL, chart
from benchmarks.compare import PAGES, ROOT, with_figures
from benchmarks.house import State
from benchmarks.rounds import Samples, add, medians, samples, turns
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
    (Row(figure="f", values={"a": 6, "b": 4}, compared=True), "| f | 6.0 | 4.0 | 1.50 |  |"),
    (Row(figure="f", values={"a": 6, "b": math.inf}, aim=1), "| f | 6.0 | never |  | at most 1 |"),
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


def test_samples_of_all_rounds_are_gathered() -> None:
    """By figure and contestant; who never came in most rounds never comes."""
    found: Samples = {}
    for seconds in (3.0, 1.0, math.inf):
        more = samples("stop")
        more["stop"]["a"].append(1.0)
        more["stop"]["b"].append(seconds)
        more["stop"]["c"] += [seconds, math.inf]
        add(found, more)
    assert medians(found["stop"]) == {"a": 1.0, "b": 3.0, "c": math.inf}
    assert sorted(turns(["a", "b", "c"])) == ["a", "b", "c"]


def test_a_start_is_judged_by_what_it_takes_over_the_base_image() -> None:
    """Both bounds, just met and just missed."""
    floor = {"base image": [0.25]}
    found: Samples = {
        "init": {"deskgate": [0.75], "shell script": [1.25]},
        "true": {"deskgate": [0.625], "shell script": [2.25], **floor},
        "memory": {"deskgate": [36.0], "shell script": [18.0]},
    }
    shown, drawn = start.rows(found)
    lines = table(shown, ours="deskgate", peers=["shell script"], others=["base image"])
    assert lines.splitlines()[2:] == [
        "| first ServerInit, s | 0.75 | 1.25 | – |  |  |",
        "| the same, over the base image's `true` | 0.50 | 1.00 | – | 0.50 | at most 0.5 |",
        "| `docker run … true`, s | 0.62 | 2.25 | 0.25 |  |  |",
        "| the same, over the base image's `true` | 0.38 | 2.00 | – | 0.19 "
        "| at most 0.35 (missed) |",
        "| memory of the stack, MiB PSS | 36.0 | 18.0 | – | 2.00 | at most 36 |",
    ]
    assert drawn == [shown[0], shown[2], shown[4]]


def test_who_is_not_started_again_never_heals() -> None:
    """It has no ratio either."""
    found: Samples = {
        "stop": {"deskgate": [0.25], "shell script": [0.125]},
        "xvnc": {"deskgate": [0.125], "shell script": [math.inf]},
        "relay": {"deskgate": [0.25], "shell script": [math.inf]},
    }
    lines = table(stop.rows(found)[0], ours="deskgate", peers=["shell script"], others=[])
    assert lines.splitlines()[2:] == [
        "| `docker stop`, s | 0.25 | 0.12 | 2.00 | at most 0.5 |",
        "| ServerInit after SIGKILL of Xvnc, s | 0.12 | never |  | at most 0.2 |",
        "| the same, of gate or websockify, s | 0.25 | never |  | at most 0.2 (missed) |",
    ]


PICTURED = [
    Row(figure="`a`, s", values={"us": 1, "them": 4, "floor": 2}, digits=1),
    Row(figure="b & c, s", values={"us": 3, "it": math.inf}, digits=2),
]


def drawn_from(picture: str) -> ElementTree.Element:
    """SVG of ours, parsed."""
    return ElementTree.fromstring(picture)  # noqa: S314


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    """The longest of a panel fills it; what never came is an empty one, and no value none."""
    picture, _ = chart(PICTURED, ours="us", peers=["them", "it"], others=["floor"])
    bars = drawn_from(picture).findall("{*}rect")[1:]
    assert [(bar.get("class"), float(bar.get("width", 0)) / PANEL) for bar in bars] == [
        *(("ours", 0.25), ("bar", 1), ("bar", 0.5)),
        *(("ours", 1), ("never", 1)),
    ]


def test_a_picture_says_what_it_shows() -> None:
    """Each value stands beside its bar, and in a sentence for those who do not see it."""
    picture, said = chart(PICTURED, ours="us", peers=["them", "it"], others=["floor"])
    drawn = drawn_from(picture)
    assert said == ("a, s: us 1.0, them 4.0, it –, floor 2.0. b & c, s: us 3.00, them –, it never.")
    assert drawn.findtext("{*}title") == said
    assert [text.text for text in drawn.findall("{*}text")] == [
        *("a, s", "us", "1.0", "them", "4.0", "it", "–", "floor", "2.0"),
        *("b & c, s", "us", "3.00", "them", "–", "it", "never"),
    ]


def test_headings_fit_their_panels() -> None:
    """13 px a line, 7.5 px a bold character at most, in an unknown font."""
    values = {"deskgate": [1.0], "base image": [1.0]}
    drawn = [
        *start.rows(dict.fromkeys(("init", "true", "memory"), values))[1],
        *stop.rows(dict.fromkeys(("stop", "xvnc", "relay"), values))[1],
    ]
    assert max(len(row.figure.replace("`", "")) for row in drawn) <= PANEL / 7.5


def test_a_run_is_quoted_where_its_picture_is_shown() -> None:
    """Words for the picture and the table below it; other pictures and tables stay."""
    other = "![other](../images/stop.svg)\n\n| other |\n"
    page = "![old](../images/start.svg)\n\n| old |\n| 1 |\n\nText.\n"
    assert with_figures(page + other, "start", "a 1.", "| new |") == (
        "![a 1.](../images/start.svg)\n\n| new |\n\nText.\n" + other
    )
    assert with_figures("![](docs/images/start.svg)\n", "start", "a 1.", "| new |") == (
        "![a 1.](docs/images/start.svg)\n"
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_in_words_what_its_picture_shows(page: str) -> None:
    """The figures of one run: in the picture, beside it, and in the table that is quoted."""
    pictures = re.findall(r"!\[(.*?)\]\((.*?\.svg)\)", (ROOT / page).read_text("utf-8"))
    assert len(pictures) == 2
    quoted = (ROOT / "docs/explanation/benchmarks.md").read_text("utf-8")
    for said, path in pictures:
        drawn = drawn_from(((ROOT / page).parent / path).read_text("utf-8"))
        assert said == drawn.findtext("{*}title")
        for value in re.findall(r"[0-9.]+[0-9]", said):
            assert f"| {value} |" in quoted


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
