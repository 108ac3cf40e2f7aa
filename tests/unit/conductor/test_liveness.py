"""Programs that hang, under a real conductor whose ticks are short."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deskgate.conductor.embed import Process
from deskgate.conductor.liveness import MISSES, STOPPED_TICKS, TICK_SECONDS, Liveness
from deskgate.conductor.log import Log
from deskgate.programs import Program
from deskgate.signs import Sign

from .conducting import Conducted, free_port, python, wait_until
from .test_embed import loaded

TICK = 0.1  # seconds; the tests wait for some of them
SLOW_TICK = 0.3  # where a test has to act between two of them
LIVENESS = "deskgate.conductor.liveness"
FAST = {
    f"{LIVENESS}.TICK_SECONDS": TICK,
    f"{LIVENESS}.EARLY_SECONDS": TICK / 5,
    f"{LIVENESS}.LATE_SECONDS": 5.0,  # this machine may be slow; the real one is tested below
}
SLEEPS = "import time\nprint('ready', flush=True)\ntime.sleep(1000)\n"
# Beats until it is told to hang, by SIGUSR1.
BEATS = """
import signal, sys, time
beats = True
def hang(*_):
    global beats
    beats = False
signal.signal(signal.SIGUSR1, hang)
print('ready', flush=True)
while True:
    time.sleep(0.03)
    if beats:
        print('alive', flush=True)
"""
# Greets each connection until SIGUSR1; then it takes none.
GREETS = """
import signal, socket, sys, time
server = socket.create_server(('127.0.0.1', {port}))
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(1000))
print('ready', flush=True)
while True:
    door, _ = server.accept()
    if {ask!r}:
        door.recv(1000)
    door.sendall({greeting!r})
    door.close()
"""


def test_a_hang_is_found_within_half_a_minute() -> None:
    """The arithmetic of the real times: the rest of a tick, the misses, and a start."""
    assert (MISSES + 1) * TICK_SECONDS + 1 < 30
    assert (STOPPED_TICKS - 1) * TICK_SECONDS >= 10
    assert STOPPED_TICKS * TICK_SECONDS <= 15


@contextmanager
def desktop(folder: Path, script: str, *, live: str, tick: float = TICK) -> Iterator[Conducted]:
    """One program that shows signs of life, and one that shows none."""
    app = Program(name="app", command=python(script), ready="stdout", essential=True, live=live)
    mute = Program(name="mute", command=python(SLEEPS), ready="stdout")
    with Conducted(
        folder, [app, mute], changes={**FAST, f"{LIVENESS}.TICK_SECONDS": tick}
    ) as conducted:
        yield conducted.wait_ready()


@pytest.mark.parametrize("live", ["stdout", "rfb", "http"])
def test_a_program_that_hangs_is_killed_and_started_again(tmp_path: Path, live: str) -> None:
    """Whichever sign it shows; and nobody else is, also who shows none."""
    port, script = free_port(), BEATS
    greeting = {"rfb": b"RFB 003.008\n", "http": b"HTTP/1.1 200 OK\r\n\r\n"}.get(live)
    if greeting:
        script = GREETS.format(port=port, ask=live == "http", greeting=greeting)
        live = {"rfb": f"rfb:127.0.0.1:{port}", "http": f"http:localhost:{port}/"}[live]
    with desktop(tmp_path, script, live=live) as conducted:
        mute, old = conducted.pid("mute"), conducted.pid("app")
        time.sleep(6 * TICK)
        assert conducted.pid("app") == old, conducted.log
        conducted.signal("app", signal.SIGUSR1)
        wait_until(lambda: conducted.is_new("app", old), what="a new one")
        assert "deskgate: warning: app: hangs, without a sign of life for " in conducted.log
        assert "app: ended with signal 9; starting it again now" in conducted.log
        assert "alive" not in conducted.log, "a sign of life is no line for the log"
        assert conducted.pid("mute") == mute


LATE = "import time\ntime.sleep({seconds})\n"


def test_a_program_that_is_only_spawned_has_time_to_come_up(tmp_path: Path) -> None:
    """Without readiness, its first sign of life may take as long as readiness might."""
    port = free_port()
    script = GREETS.format(port=port, ask=False, greeting=b"RFB 003.008\n")
    late = python(LATE.format(seconds=(MISSES + 4) * TICK) + script)
    live = f"rfb:127.0.0.1:{port}"
    rows = [Program(name="app", command=late, ready_seconds=3, live=live)]
    with Conducted(tmp_path, rows, changes=FAST) as conducted:
        old = wait_until(lambda: conducted.state("app") == "ready" and conducted.pid("app"))
        wait_until(lambda: "app: ready" in conducted.log)  # the server's own words
        time.sleep((MISSES + 2) * TICK)
        assert conducted.pid("app") == old, conducted.log
        conducted.signal("app", signal.SIGUSR1)
        wait_until(lambda: conducted.is_new("app", old))


def test_a_program_that_was_stopped_is_killed_and_started_again(tmp_path: Path) -> None:
    """Also one that shows no signs of life; the status tells meanwhile."""
    with desktop(tmp_path, BEATS, live="stdout") as conducted:
        old = conducted.signal("mute", signal.SIGSTOP)
        wait_until(lambda: conducted.state("mute") == "stopped")
        wait_until(lambda: conducted.is_new("mute", old))
        line = "deskgate: warning: mute: was stopped by a signal, and nobody continues it; killing"
        assert line in conducted.log


def test_a_program_that_is_continued_in_time_lives(tmp_path: Path) -> None:
    """A short look by SIGSTOP and SIGCONT costs nobody his program."""
    with desktop(tmp_path, BEATS, live="stdout", tick=SLOW_TICK) as conducted:
        old = {name: conducted.signal(name, signal.SIGSTOP) for name in ("app", "mute")}
        time.sleep((STOPPED_TICKS - 2) * SLOW_TICK)
        for name in old:
            conducted.signal(name, signal.SIGCONT)
        time.sleep((MISSES + 1) * SLOW_TICK)
        assert {name: conducted.pid(name) for name in old} == old, conducted.log


TRACE = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, int(sys.argv[1]), None, None):  # PTRACE_ATTACH, which stops it
    sys.exit(ctypes.get_errno())
print('attached', flush=True)
time.sleep(1000)
"""


def test_a_program_under_a_debugger_is_let_alone(tmp_path: Path) -> None:
    """It stands still because somebody looks at it; when he leaves, it is judged again."""
    with desktop(tmp_path, BEATS, live="stdout") as conducted:
        old = conducted.pid("app")
        with subprocess.Popen([*python(TRACE), str(old)], stdout=subprocess.PIPE) as debugger:
            assert debugger.stdout
            if debugger.stdout.readline() != b"attached\n":
                pytest.skip("nobody may trace here")
            time.sleep((MISSES + STOPPED_TICKS + 1) * TICK)
            assert "killing it" not in conducted.log
            debugger.kill()
        conducted.signal("app", signal.SIGCONT)
        conducted.signal("app", signal.SIGUSR1)
        wait_until(lambda: conducted.is_new("app", old))


class Watched:
    """A program that is really there, judged at times of the test's own."""

    def __init__(self, tmp_path: Path, live: Sign | None) -> None:
        self.options, _ = loaded(tmp_path, "sleep 1000", ["sleep", "1000"])
        ((config,),) = ([*group.process_configs] for group in self.options.process_group_configs)
        config.live = live
        self.process: Process = config.make_process()
        self.process.spawn()
        self.process.history.became_ready(0.0)
        self.log = tmp_path / "log"
        with self.log.open("wb") as file:
            self._fd = os.dup(file.fileno())
        log = Log(level="warning", form="text", secrets=[], fd=self._fd)
        self.liveness = Liveness({"echo": self.process}, log)

    @property
    def killed(self) -> bool:
        """Whether it was killed; its end may come a moment later."""
        return "echo: hangs" in self.log.read_text()

    def close(self) -> int:
        """Collect the program; returns the signal that ended it: ours is SIGTERM."""
        os.close(self._fd)
        os.kill(self.process.pid, signal.SIGTERM)
        return os.WTERMSIG(os.waitpid(self.process.pid, 0)[1])


@pytest.fixture
def beating(tmp_path: Path) -> Iterator[Watched]:
    """A program that should beat, and does when a test says so."""
    watched = Watched(tmp_path, live=Sign(kind="stdout"))
    yield watched
    assert watched.close() == (signal.SIGKILL if watched.killed else signal.SIGTERM)


def test_a_pause_of_any_length_is_no_miss(beating: Watched) -> None:
    """`docker pause` for an hour, again and again: we did not run either, so nobody is judged."""
    beating.liveness.advance(0.0)
    for hour in range(1, 10):
        beating.liveness.advance(hour * 3600.0)
        assert list(beating.liveness.due()) == [hour * 3600.0 + TICK_SECONDS], "nothing made up for"
    assert not beating.killed


def test_every_miss_needs_a_tick_of_its_own(beating: Watched) -> None:
    """However often the loop wakes up between two; the last miss kills."""
    now, ticks = 0.0, 0
    beating.liveness.advance(now)
    while not beating.killed:
        (due,) = beating.liveness.due()
        for part in range(10):
            beating.liveness.advance(now + (due - now) * 0.07 * part)
        beating.liveness.advance(now := due)
        ticks += 1
        assert ticks <= MISSES + 1
    assert ticks == MISSES + 1  # the first one only begins to count


def test_one_wake_up_serves_for_two(beating: Watched) -> None:
    """What wakes the loop shortly before a tick saves it one of its own."""
    beating.liveness.advance(0.0)
    beating.liveness.advance(TICK_SECONDS - 0.5)
    assert list(beating.liveness.due()) == [TICK_SECONDS - 0.5 + TICK_SECONDS]


def test_without_anybody_to_watch_nothing_is_due(beating: Watched) -> None:
    """An idle desktop without signs of life wakes nobody."""
    beating.liveness.advance(0.0)
    beating.process.config.live = None
    beating.liveness.advance(1.0)
    assert list(beating.liveness.due()) == []
