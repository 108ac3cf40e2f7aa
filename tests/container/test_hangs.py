"""Programs that hang or are stopped: found and started again; paused ones are nobody's fault."""

from __future__ import annotations

import platform
import time
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
COMMAND = ("sh", "-c", 'trap "exit 6" TERM; echo begun; while :; do sleep 0.05; done')


def is_new(desk: Desk, program: str, old: int) -> bool:
    """Whether a program is ready in another process, and everybody else is ready too."""
    rows = desk.status()
    return {row["state"] for row in rows.values()} == {"ready"} and rows[program]["pid"] != old


def allow_deaths(desk: Desk) -> None:
    """What the log says of a program that is killed, of its X clients, and their last words."""
    desk.allow(r"^deskgate: warning: \w+: (was stopped by a signal,|hangs,|ended with) ")
    desk.allow(r"^(xvnc|wm): warning: |^gate: warning: no desktop for ")


@pytest.mark.parametrize("program", ["xvnc", "gate", "wm"])
def test_stopped_program_is_started_again(make_desk: MakeDesk, program: str) -> None:
    """SIGSTOP: within half a minute there is another; the command goes on, and keeps its status."""
    desk = make_desk(command=COMMAND).start()
    allow_deaths(desk)
    old = kill(desk, program, "STOP")
    wait_until(lambda: is_new(desk, program, old), FOUND_SECONDS, what=f"another {program}")
    assert f"deskgate: warning: {program}: was stopped by a signal, and nobody" in desk.log
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
    assert zombies(desk) == []
    assert desk.stop() < 2
    assert desk.exit_status() == 6


@pytest.mark.parametrize("program", ["xvnc", "gate", "wm"])
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


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the jump is in its machine code")
@pytest.mark.parametrize("program", ["xvnc", "gate"])
def test_hanging_program_is_started_again(make_desk: MakeDesk, program: str) -> None:
    """It runs, in a circle: its sign of life is missed, and it is killed."""
    desk = make_desk(options=("--no-healthcheck",)).start()
    allow_deaths(desk)
    old = desk.status()[program]["pid"]
    hung = desk.exec("python3", "-", str(old), options=AS_ROOT, stdin=HANG.encode())
    assert hung.status == 0, hung.err
    wait_until(lambda: is_new(desk, program, old), FOUND_SECONDS, what=f"another {program}")
    assert f"deskgate: warning: {program}: hangs, without a sign of life for 20 s" in desk.log
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"


def test_idle_and_paused_desktop_lives_on(make_desk: MakeDesk) -> None:
    """PID 1 looks at programs that work, also after a pause: all live, and no line is logged."""
    both = [make_desk(env={"VNC_TRANSPORT": each}).start() for each in ("tcp", "unix")]
    before = [(pids_of(desk), desk.log) for desk in both]
    docker("pause", *(desk.name for desk in both))
    seconds_pass(PAUSE_SECONDS)
    docker("unpause", *(desk.name for desk in both))
    seconds_pass(HANG_SECONDS)
    assert [(pids_of(desk), desk.log) for desk in both] == before


def pids_of(desk: Desk) -> dict[str, int]:
    """Each program's process, all of which are ready."""
    rows = desk.status()
    assert {row["state"] for row in rows.values()} == {"ready"}
    return {name: row["pid"] for name, row in rows.items()}


def seconds_pass(seconds: float) -> None:
    """Let time go by: what is waited for is that nothing happens."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > until, seconds + 1)


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


def test_web_server_that_hangs_is_started_again(make_desk: MakeDesk, tmp_path: Path) -> None:
    """`live=http:` of a program of the owner's."""
    script = f"exec({ANSWERS!r})".replace('"', '\\"')
    desk = make_desk(options=added(tmp_path, {"web": WEB.format(script=script)})).start()
    allow_deaths(desk)
    wait_until(lambda: desk.status()["web"]["state"] == "ready", 10)
    old = desk.status()["web"]["pid"]
    ask = "import urllib.request as r; r.urlopen('http://127.0.0.1:7000/hang')"
    desk.must("python3", "-c", ask, options=("--detach",))
    wait_until(lambda: is_new(desk, "web", old), FOUND_SECONDS, what="another web")
    assert "deskgate: warning: web: hangs, without a sign of life for 20 s" in desk.log


def test_programs_that_hang_stop_within_the_engines_patience(make_desk: MakeDesk) -> None:
    """Neither the command nor a program hears SIGTERM: the end is ours, not the engine's."""
    command = ("sh", "-c", 'trap "" TERM; echo begun; while :; do sleep 0.05; done')
    desk = make_desk(command=command).start()
    wait_until(lambda: "begun" in desk.output.out, 5)
    for program in ("xvnc", "gate", "wm"):
        kill(desk, program, "STOP")
    assert desk.stop() < ENGINE_SECONDS
    assert desk.exit_status() == 137
