"""What an engine may restrict: each restriction alone works, or one line names the limit."""

from __future__ import annotations

import re

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import READY_SECONDS
from tests.container.engine import wait_until
from tests.container.inside import RUNTIME, x_state
from tests.container.web import bearer

WORKS = {
    "read-only root": ("--read-only", "--tmpfs", "/tmp"),
    "no capability": ("--cap-drop", "ALL"),
    "no new privileges": ("--security-opt", "no-new-privileges"),
    "no /dev/shm": ("--ipc", "none"),
    "64 KiB of shared memory": ("--shm-size", "64k"),
    "64 descriptors": ("--ulimit", "nofile=64:64"),
    "64 MiB of memory": ("--memory", "64m", "--memory-swap", "64m"),
    "48 processes": ("--pids-limit", "48"),
    "a small stack": ("--ulimit", "stack=262144:262144"),
    "no locked memory": ("--ulimit", "memlock=0:0"),
}
# Options → the exit statuses that are right, and what the log then says.
NAMED = {
    "one process": (
        ("--pids-limit", "1"),
        {69},
        "error: deskgate: cannot go on: no more processes are allowed here: raise --pids-limit",
    ),
    "three processes": (
        ("--pids-limit", "3"),
        {69},
        "warning: the limit of 3 processes is reached: raise --pids-limit",
    ),
    "24 MiB of memory": (
        ("--memory", "24m", "--memory-swap", "24m"),
        {69, 137},
        "warning: the memory limit is 24 MiB: a desktop needs 64 or more",
    ),
    "a full /tmp": (
        ("--read-only", "--tmpfs", "/tmp:size=4k"),
        {73},
        "error: runtime folder: cannot write /tmp/deskgate-10001/",
    ),
    "a full runtime folder": (
        ("--tmpfs", "/run/deskgate:uid=10001,mode=700,size=8k"),
        {73},
        "error: runtime folder: cannot write /run/deskgate/",
    ),
    "read-only without a folder": (
        ("--read-only",),
        {73},
        "error: runtime folder: cannot use /run/deskgate (it cannot be written)",
    ),
}


@pytest.mark.parametrize("case", WORKS)
def test_f12_desktop_works_under_a_restriction(make_desk: MakeDesk, case: str) -> None:
    """Picture, input, health and a quick clean stop, without a complaint."""
    desk = make_desk(options=(*WORKS[case], "--no-healthcheck")).start()
    folder = "/tmp/deskgate-10001" if "--read-only" in WORKS[case] else RUNTIME
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        viewer.point(200, 150)
        viewer.settle()
        assert x_state(desk, folder=folder)["pointer"] == [200, 150]
        assert desk.exec("deskgate", "health").status == 0
    assert desk.stop() < 2
    assert desk.exit_status() == 0


def test_f12_desktop_works_without_a_network(make_desk: MakeDesk) -> None:
    """Nobody outside can reach it; inside, everything answers."""
    desk = make_desk(options=("--network", "none"), command=("deskgate", "health"))
    result = desk.run()
    assert (result.status, result.out) == (0, "healthy: :1 behind port 8002 (uid 10001)\n")


def test_f12_a_tenth_of_a_processor_is_enough(make_desk: MakeDesk) -> None:
    """It takes its time: 3.5 s, and 5 s beside a health check every 250 ms."""
    desk = make_desk(options=("--cpus", "0.1")).start()
    wait_until(lambda: desk.inspect("{{.State.Health.Status}}") == "healthy", READY_SECONDS)
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
    assert desk.stop() < 9, "and not by the engine's KILL"
    assert desk.exit_status() == 0


def test_f12_start_time_does_not_grow_with_the_limit_of_descriptors(make_desk: MakeDesk) -> None:
    """Nobody closes every descriptor that there might be; the best of three starts each.

    Measured with a library that tells every program a limit of 2^30: the start takes no longer.
    """
    (most,) = make_desk(command=("sh", "-c", "ulimit -Hn")).run().out.split()

    def seconds(limit: str) -> float:
        return min(ready_seconds(make_desk, limit) for _ in range(3))

    assert seconds(most) < 3 * seconds("64")


def ready_seconds(make_desk: MakeDesk, limit: str) -> float:
    """How long a start took by its own account."""
    command = ("cat", f"{RUNTIME}/status.json")
    desk = make_desk(options=("--ulimit", f"nofile={limit}:{limit}"), command=command)
    (found,) = re.findall(r'"ready_seconds": ([\d.]+)', desk.run().out)
    return float(found)


@pytest.mark.parametrize("case", NAMED)
def test_f12_what_is_too_little_is_named(make_desk: MakeDesk, case: str) -> None:
    """No riddle, no traceback, and a status that tells scripts."""
    options, statuses, said = NAMED[case]
    desk = make_desk(options=options, command=("true",))
    desk.allow(r"^(deskgate|xvnc|wm|gate): (warning|error): ")
    result = desk.run(timeout_seconds=60)
    assert result.status in statuses
    assert f"deskgate: {said}" in result.err


def test_f12_a_command_that_needs_more_processes_is_told_the_limit(make_desk: MakeDesk) -> None:
    """Its own words are `fork: Resource temporarily unavailable`; the status is its own, too."""
    script = "import os, sys\ntry:\n while 1: os.fork() or os._exit(os.read(0, 1) and 1 or 0)\n"
    script += "except OSError: sys.exit(9)"
    desk = make_desk(options=("--pids-limit", "48"), command=("python3", "-c", script))
    desk.allow("^deskgate: warning: the limit of 48 processes is reached: raise --pids-limit$")
    result = desk.run()
    assert result.status == 9
    assert "the limit of 48 processes is reached" in result.err


def test_f12_memory_that_is_used_up_ends_the_command_and_not_the_desktop(
    make_desk: MakeDesk,
) -> None:
    """The kernel kills the largest, and PID 1 lives to tell the status."""
    hog = "x = []\nwhile 1: x.append(bytes([1]) * 1048576)"
    script = f"python3 -c '{hog}'; echo $?; deskgate health; exit 6"
    desk = make_desk(
        options=("--memory", "160m", "--memory-swap", "160m"), command=("sh", "-c", script)
    )
    result = desk.run()
    assert result.status == 6
    assert result.out == "137\nhealthy: :1 behind port 8002 (uid 10001)\n"


def test_f12_little_memory_costs_a_program_and_not_pid_1(make_desk: MakeDesk) -> None:
    """Who goes first is what can be started again."""
    desk = make_desk(command=("cat", *(f"/proc/{pid}/oom_score_adj" for pid in ("1", "self"))))
    assert desk.run().out.split() == ["0", "0"]
    desk = make_desk().start()
    pids = [row["pid"] for row in desk.status().values()]
    files = [f"/proc/{pid}/oom_score_adj" for pid in pids]
    assert desk.must("cat", *files).split() == ["300"] * len(pids)
