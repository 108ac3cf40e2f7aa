"""Faults under a person's eyes: the page comes back by itself, and the command never noticed."""

from __future__ import annotations

import time

import pytest

from tests.browser.conftest import OpenTab
from tests.browser.screen import TROUBLE, Screen
from tests.conftest import MakeDesk
from tests.container.aftermath import COMMAND, Household, ends_clean, healed, household, undisturbed
from tests.container.desk import PORT, RUN_USER, Desk
from tests.container.engine import docker, free_port, wait_until
from tests.container.inside import AS_ROOT, RUNTIME, kill, x_state

HANG_SECONDS = 30.0  # promised
HEAL_SECONDS = 15.0  # the page waits four seconds at most between two tries
# What the log says of what died.
DEATHS = (
    r"^deskgate: warning: \w+: ended with .*; starting it again",
    r"^deskgate: warning: \w+: was stopped by a signal, ",
    r"^(xvnc|wm): (warning|error): ",  # their last lines
    r"^gate: warning: no desktop for a control viewer: ",
)
# Takes memory until a process is gone.
EAT = """
import os, sys
held = []
while os.path.exists(f"/proc/{sys.argv[1]}"):
    held.append(b"x" * (1 << 20))
"""
TOKEN_FILES = ("websockify-tokens.conf", "start.json")
# What a runtime folder may hold → how to fill it.
FILL = {
    "bytes": ("size=256k", f"cat /dev/zero >{RUNTIME}/full"),
    "inodes": ("nr_inodes=40", f"for i in $(seq 40); do : >{RUNTIME}/full$i; done"),
}
PAUSE_SECONDS = 2.0
LONG_PAUSE_SECONDS = 65.0  # the gate gives a viewer up after 60 s of silence
GIVEN = "Given-by-a-person_0123456789-abcdefgh"
# Our start, behind streams that nobody reads.
PREPARE = """
import os, sys
reader, writer = os.pipe()
{streams}
os.execvp("deskgate", ["deskgate", "run", "--", *sys.argv[1:]])
"""
STREAMS = {
    "closed": "for fd in range(5): os.close(fd)",
    "reader-gone": "os.close(reader); os.dup2(writer, 1); os.dup2(writer, 2)",
    "blocked": """
os.set_blocking(writer, False)
try:
    while True: os.write(writer, bytes(4096))
except BlockingIOError:
    os.set_blocking(writer, True)
os.dup2(writer, 1); os.dup2(writer, 2); os.set_inheritable(reader, True)
if os.fork() == 0: os.execvp("sleep", ["sleep", "infinity"])
os.set_inheritable(reader, False)
""",
}


class Sitting:
    """A desk with a command that goes its own way, and a person before it, in a browser."""

    def __init__(self, desk: Desk, screen: Screen, link: str = "") -> None:
        for line in DEATHS:
            desk.allow(line)
        self.desk = desk
        self.screen = screen.open(link or desk.link())
        self.before: Household = household(desk)

    def kill(self, program: str, signal: str = "KILL") -> int:
        """Send a signal to a program; its pid is gone after that."""
        return kill(self.desk, program, signal)

    def cut_off(self) -> None:
        """Wait until the page has noticed."""
        self.screen.page.locator("#screen:not([data-state=connected])").wait_for()

    def outlives(self, *gone: int) -> None:
        """Assert what every fault ends with: a person who has not touched anything can work on."""
        undisturbed(self.desk, self.before, *gone)
        self.screen.connected()
        wait_until(self._moves, HEAL_SECONDS, what="the pointer")
        ends_clean(self.desk)

    def _moves(self) -> bool:
        # Again and again: the page may not have noticed yet that it was cut off.
        self.screen.page.mouse.move(20, 600)
        self.screen.page.mouse.move(123, 621)
        return bool(x_state(self.desk)["pointer"] == [123, 621])


@pytest.fixture
def sitting(request: pytest.FixtureRequest, make_desk: MakeDesk, open_tab: OpenTab) -> Sitting:
    """One that has just begun, as the image's user or as the one that a test asks for."""
    options = ("--user", getattr(request, "param", str(RUN_USER)))
    return Sitting(make_desk(command=COMMAND, options=options).start(), open_tab(*TROUBLE))


# Below root, gate, Xvnc and desktop are three users.
DEADLY = pytest.mark.parametrize(
    ("sitting", "signal"),
    [(str(RUN_USER), "KILL"), (str(RUN_USER), "SEGV"), (str(RUN_USER), "TERM"), ("0", "KILL")],
    indirect=["sitting"],
)


@DEADLY
def test_f1_page_outlives_its_gate(sitting: Sitting, signal: str) -> None:
    """However the gate dies: connected again, without a login or a click."""
    gone = sitting.kill("gate", signal)
    sitting.cut_off()
    sitting.outlives(gone)


@pytest.mark.parametrize("program", ["gate", "xvnc"])
def test_f1_page_outlives_a_program_that_is_stopped(sitting: Sitting, program: str) -> None:
    """SIGSTOP, and nobody continues it: found and replaced within half a minute."""
    stopped = sitting.kill(program, "STOP")
    wait_until(lambda: healed(sitting.desk, stopped), HANG_SECONDS, what=f"another {program}")
    sitting.outlives(stopped)


@DEADLY
def test_f2_page_outlives_its_xvnc(sitting: Sitting, signal: str) -> None:
    """However Xvnc dies: a new one, with its socket and lock, and whoever drew on it."""
    gone = sitting.kill("xvnc", signal), sitting.before.programs["wm"]
    sitting.cut_off()
    sitting.outlives(*gone)


@pytest.mark.parametrize("program", ["gate", "xvnc"])
def test_f5_page_outlives_want_of_memory(
    make_desk: MakeDesk, open_tab: OpenTab, program: str
) -> None:
    """The kernel picks a program when another one takes all: it is named, and it is back."""
    desk = make_desk(command=COMMAND, options=("--memory", "200m")).start()
    sitting = Sitting(desk, open_tab(*TROUBLE))
    gone = sitting.before.programs[program]
    choose = f"echo 1000 >/proc/{gone}/oom_score_adj"
    desk.must("sh", "-c", choose, options=AS_ROOT)
    desk.exec("python3", "-c", EAT, str(gone))  # it may be the next one itself
    wait_until(lambda: f"{program}: ended with signal 9, out of memory" in desk.log, 5)
    sitting.outlives(gone, *([sitting.before.programs["wm"]] if program == "xvnc" else []))


@pytest.mark.parametrize("case", FILL)
def test_f6_page_outlives_a_full_runtime_folder(
    make_desk: MakeDesk, open_tab: OpenTab, case: str
) -> None:
    """A rotation fails and changes nothing; the gate dies and comes back; then there is room."""
    options, fill = FILL[case]
    folder = f"{RUNTIME}:uid={RUN_USER},mode=0700,{options}"
    desk = make_desk(command=COMMAND, options=("--tmpfs", folder)).start()
    sitting = Sitting(desk, open_tab(*TROUBLE))
    desk.allow("^deskgate: warning: cannot write status.json: No space left on device")
    desk.exec("sh", "-c", fill)
    before = {name: desk.must("cat", f"{RUNTIME}/{name}") for name in TOKEN_FILES}
    refused = desk.exec("deskgate", "token", "rotate", "view")
    assert refused.status == 69
    assert "No space left on device" in refused.err
    assert {name: desk.must("cat", f"{RUNTIME}/{name}") for name in TOKEN_FILES} == before
    assert ".new" not in desk.must("ls", "-A", RUNTIME)
    gone = sitting.kill("gate")
    sitting.cut_off()
    sitting.screen.connected()
    desk.must("sh", "-c", f"rm {RUNTIME}/full*")
    desk.must("deskgate", "token", "rotate", "view")
    sitting.outlives(gone)


def test_f11_page_outlives_a_pause(sitting: Sitting, *, exhaustive: bool) -> None:
    """A paused container does nothing, and nothing in it is held against it."""
    docker("pause", sitting.desk.name)
    # Nothing else would happen in it that could be waited for.
    time.sleep(LONG_PAUSE_SECONDS if exhaustive else PAUSE_SECONDS)
    docker("unpause", sitting.desk.name)
    sitting.outlives()


@pytest.mark.parametrize("case", STREAMS)
def test_f14_page_outlives_streams_that_nobody_reads(
    make_desk: MakeDesk, open_tab: OpenTab, case: str
) -> None:
    """Neither gate, conductor nor command wait for the log; it starts, heals and stops."""
    port = free_port()
    desk = make_desk(
        # The near miss is warned about before there is a conductor.
        env={"VNC_TOKEN": GIVEN, "LOG_LEVEL": "debug", "NOVNC_PROT": "8002"},
        options=("--entrypoint", "python3", "-p", f"127.0.0.1:{port}:{PORT}"),
        command=("-c", PREPARE.format(streams=STREAMS[case]), *COMMAND),
    ).launch()
    wait_until(lambda: desk.exec("deskgate", "health").status == 0, 10)
    link = f"http://localhost:{port}/#token={GIVEN}"
    sitting = Sitting(desk, open_tab(*TROUBLE), link)
    sitting.outlives(sitting.kill("gate"))
