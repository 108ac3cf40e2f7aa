"""Programs that hang or are stopped: found and started again; paused ones are nobody's fault."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import docker, wait_until
from tests.container.inside import AS_ROOT, kill, zombies
from tests.container.test_programs import added
from tests.container.web import bearer

FOUND_SECONDS = 30.0  # promised; what was stopped by a signal is found after 10 to 15 s
TOLD_SECONDS = 8.0  # PID 1 hears of it at once; a command that asks takes its time
PAUSE_SECONDS = 11.0  # more than two of PID 1's looks at its programs
HANG_SECONDS = 26.0  # after which one of them would be found to hang
ENGINE_SECONDS = 9.8  # it kills after 10 s
PROGRAMS = ("xvnc", "gate", "wm")
COMMAND = ("sh", "-c", 'trap "exit 6" TERM; echo begun; while :; do sleep 0.05; done')


def allow_deaths(desk: Desk) -> None:
    """What the log says of a program that is killed, of its X clients, and their last words."""
    desk.allow(r"^deskgate: warning: \w+: (was stopped by a signal,|hangs,|ended with) ")
    desk.allow(r"^(xvnc|wm): warning: |^gate: warning: no desktop for ")


def pids_of(desk: Desk) -> dict[str, int]:
    """Each program's process, all of which are ready."""
    rows = desk.status()
    assert {row["state"] for row in rows.values()} == {"ready"}
    return {name: row["pid"] for name, row in rows.items()}


def wait_for(moment: float) -> None:
    """Let time go by: what is waited for is that nothing happens."""
    wait_until(lambda: time.monotonic() > moment, max(1.0, moment - time.monotonic() + 1))


@dataclass(frozen=True)
class Idle:
    """Desktops that nobody looks at, as they were before a pause, and when that ended."""

    desks: list[Desk]
    before: list[tuple[dict[str, int], str]]
    since: float


@pytest.fixture(scope="module", autouse=True)
def idle(make_module_desk: MakeDesk) -> Idle:
    """They have been idle since this module began: their time passes during the other tests."""
    options = ("--no-healthcheck",)  # which may be asking when they are paused
    desks = [
        make_module_desk(env={"VNC_TRANSPORT": each}, options=options).start()
        for each in ("tcp", "unix")
    ]
    before = [(pids_of(desk), desk.log) for desk in desks]
    docker("pause", *(desk.name for desk in desks))
    wait_for(time.monotonic() + PAUSE_SECONDS)
    docker("unpause", *(desk.name for desk in desks))
    return Idle(desks, before, time.monotonic())


@dataclass(frozen=True)
class Struck:
    """A desktop one of whose programs was struck, and until when there has to be another."""

    desk: Desk
    program: str
    old: int
    until: float = field(default_factory=lambda: time.monotonic() + FOUND_SECONDS)

    def heals(self) -> None:
        """Wait until everybody is ready again, and look at it."""
        left = max(0.1, self.until - time.monotonic())
        wait_until(self._is_new, left, what=f"another {self.program}")
        with Viewer(self.desk, headers=bearer(self.desk.token())) as viewer:
            assert viewer.name == "deskgate"

    def _is_new(self) -> bool:
        rows = self.desk.status()
        ready = {row["state"] for row in rows.values()} == {"ready"}
        return ready and rows[self.program]["pid"] != self.old


@pytest.fixture(scope="module")
def stopped(make_module_desk: MakeDesk) -> dict[str, Struck]:
    """A desktop for each program, which all wait for their end together."""
    desks = {program: make_module_desk(command=COMMAND).start() for program in PROGRAMS}
    for desk in desks.values():
        allow_deaths(desk)
    return {
        program: Struck(desk, program, kill(desk, program, "STOP"))
        for program, desk in desks.items()
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_stopped_program_is_started_again(stopped: dict[str, Struck], program: str) -> None:
    """SIGSTOP: within half a minute there is another; the command goes on, and keeps its status."""
    stopped[program].heals()
    desk = stopped[program].desk
    assert f"deskgate: warning: {program}: was stopped by a signal, and nobody" in desk.log
    assert zombies(desk) == []
    assert desk.stop() < 2
    assert desk.exit_status() == 6


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_that_goes_on_is_ready_again(make_desk: MakeDesk, program: str) -> None:
    """SIGSTOP and SIGCONT: whoever asks is told, of the one and of the other."""
    desk = make_desk(command=COMMAND, options=("--no-healthcheck",)).start()
    before = pids_of(desk)
    for signal, state in (("STOP", "stopped"), ("CONT", "ready")):
        kill(desk, program, signal)
        wait_until(lambda s=state: desk.status()[program]["state"] == s, TOLD_SECONDS)  # type: ignore[misc]
    assert pids_of(desk) == before


# Puts a jump to itself where a process goes on, by a debugger that then leaves (ptrace(2)).
HANG = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
ATTACH, GETREGS, POKETEXT, DETACH, RIP = 16, 12, 4, 17, 16
pid, registers = int(sys.argv[1]), (ctypes.c_ulong * 27)()
for request, where, what in ((ATTACH, None, None), (GETREGS, None, registers)):
    assert libc.ptrace(request, pid, where, what) == 0
    os.waitpid(pid, 0) if request == ATTACH else None
assert libc.ptrace(POKETEXT, pid, registers[RIP], 0xFEEB) == 0
assert libc.ptrace(DETACH, pid, None, None) == 0
"""


WEB = """[program:web]
command=python3 -u -c "{script}"
ready=tcp:127.0.0.1:7000
live=http:127.0.0.1:7000/up
"""
# Answers until it is asked for /hang; then it takes no connection any more.
ANSWERS = """
import http.server, time
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.path == '/hang' and time.sleep(1000)
        self.send_response(204 if self.path == '/up' else 404); self.end_headers()
    def log_message(self, *words): pass
http.server.HTTPServer(('127.0.0.1', 7000), Site).serve_forever()
"""


def hang(make_desk: MakeDesk, program: str) -> Struck:
    """A desktop one of whose programs runs in a circle from now on."""
    desk = make_desk(options=("--no-healthcheck",)).start()
    old = desk.status()[program]["pid"]
    hung = desk.exec("python3", "-", str(old), options=AS_ROOT, stdin=HANG.encode())
    assert hung.status == 0, hung.err
    return Struck(desk, program, old)


def hang_web(make_desk: MakeDesk, folder: Path) -> Struck:
    """A desktop with a web server of its owner's, which answers nobody from now on."""
    script = f"exec({ANSWERS!r})".replace('"', '\\"')
    desk = make_desk(options=added(folder, {"web": WEB.format(script=script)})).start()
    wait_until(lambda: desk.status()["web"]["state"] == "ready", 10)
    old = desk.status()["web"]["pid"]
    ask = "import urllib.request as r; r.urlopen('http://127.0.0.1:7000/hang')"
    desk.must("python3", "-c", ask, options=("--detach",))
    return Struck(desk, "web", old)


@pytest.fixture(scope="module")
def hanging(
    make_module_desk: MakeDesk, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Struck]:
    """A desktop for each program, which all are found to hang at about the same time."""
    found = [hang_web(make_module_desk, tmp_path_factory.mktemp("web"))]
    if platform.machine() == "x86_64":  # in whose machine code the jump is
        found += [hang(make_module_desk, program) for program in ("xvnc", "gate")]
    for each in found:
        allow_deaths(each.desk)
    return {each.program: each for each in found}


@pytest.mark.parametrize("program", ["web", "xvnc", "gate"])
def test_hanging_program_is_started_again(hanging: dict[str, Struck], program: str) -> None:
    """Its sign of life is missed, and it is killed; also `live=http:` of an owner's program."""
    if program not in hanging:
        pytest.skip("the jump is in x86_64's machine code")
    hanging[program].heals()
    desk = hanging[program].desk
    assert f"deskgate: warning: {program}: hangs, without a sign of life for 20 s" in desk.log
    desk.stop()


STUBBORN = """[program:{name}]
command=sh -c "trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done"
needs={needs}
ready=stdout
stopwaitsecs=60
"""


def test_three_levels_of_stubborn_programs_stop_within_the_engines_patience(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    """Each is asked more than once and then killed, in the order of need; the status is clean."""
    chain = (("low", "wm"), ("mid", "low"), ("top", "mid"))
    programs = {name: STUBBORN.format(name=name, needs=needs) for name, needs in chain}
    desk = make_desk(options=added(tmp_path, programs)).start()
    wait_until(lambda: {row["state"] for row in desk.status().values()} == {"ready"}, 10)
    assert desk.stop() < ENGINE_SECONDS
    assert desk.exit_status() == 0
    asked = [line.split(":")[0] for line in desk.log.splitlines() if line.endswith(": asked")]
    assert list(dict.fromkeys(asked)) == ["top", "mid", "low"]
    assert min(asked.count(name) for name in programs) >= 2


def test_programs_that_hang_stop_within_the_engines_patience(make_desk: MakeDesk) -> None:
    """Neither the command nor a program hears SIGTERM: the end is ours, not the engine's."""
    command = ("sh", "-c", 'trap "" TERM; echo begun; while :; do sleep 0.05; done')
    desk = make_desk(command=command).start()
    wait_until(lambda: "begun" in desk.output.out, 5)
    for program in ("xvnc", "gate", "wm"):
        kill(desk, program, "STOP")
    assert desk.stop() < ENGINE_SECONDS
    assert desk.exit_status() == 137


def test_idle_and_paused_desktop_lives_on(idle: Idle) -> None:
    """PID 1 looks at programs that work, also after a pause: all live, and no line is logged."""
    wait_for(idle.since + HANG_SECONDS)
    assert [(pids_of(desk), desk.log) for desk in idle.desks] == idle.before
