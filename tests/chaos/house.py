"""The container that suffers, seen and hurt from the engine's machine; root alone can do so."""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import open_files, pss_mib
from tests.container.desk import PORT, Desk
from tests.container.engine import docker, free_port, wait_until
from tests.container.inside import RUNTIME
from tests.container.web import ask_at, bearer

STATUS: Final = 6  # of the command, when it is asked to end
ORPHAN: Final = "sleep"
START_SECONDS: Final = 30.0
REMAIN_SECONDS: Final = 2.0  # for PID 1 to collect the dead
# Its children come and go, some of them orphaned.
COMMAND: Final = (
    *("sh", "-c"),
    f'trap "exit {STATUS}" TERM; while :; do (sleep 0.4 &); sleep 0.5 & wait; done',
)


class House:
    """One container and its tokens.

    Args:
        user: uid that the container starts as; below root, gate, Xvnc and desktop are three users.
        life: goes up when a restart begins, and again when it is over.
        broken: what was never to be, and how often.
    """

    def __init__(self, user: str) -> None:
        self.port = free_port()
        self.control, self.view = secrets.token_hex(32), secrets.token_hex(32)
        self.guest = ""
        self.desk = Desk(
            env={"VNC_TOKEN": self.control, "VNC_VIEW_TOKEN": self.view},
            options=("--user", user, "-p", f"127.0.0.1:{self.port}:{PORT}"),
            command=COMMAND,
        )
        self.life = 0
        self.broken: Counter[str] = Counter()
        self.desk.start()
        self._begin()

    def _begin(self) -> None:
        self.pid = int(self.desk.inspect("{{.State.Pid}}"))
        wait_until(self.is_well, START_SECONDS, what="a desktop that works")
        self.guest = self._token("add", "--name", "guest", "--role", "control")
        self._files = open_files(self.pid)

    def _token(self, *words: str) -> str:
        return self.desk.must("deskgate", "token", *words).strip().partition("#token=")[2]

    # --- what befalls it ---------------------------------------------------------------------

    def restart(self, *, gently: bool) -> None:
        """`docker restart`, or a SIGKILL of PID 1 and a start."""
        self.life += 1
        if gently:
            docker("restart", self.desk.name)
        else:
            docker("kill", self.desk.name)
            docker("start", self.desk.name)
        self._begin()
        self.life += 1

    def start_and_hit(self, after_seconds: float, chance: random.Random) -> None:
        """Start it, and kill anybody in its start: it works in spite of it, or has failed."""
        self.life += 1
        docker("kill", self.desk.name)
        docker("start", self.desk.name)
        self.pid = int(self.desk.inspect("{{.State.Pid}}"))
        time.sleep(after_seconds)
        with contextlib.suppress(OSError):  # it has failed already
            if children := _children(self.pid):
                self.signal(chance.choice(children), signal.SIGKILL)
        wait_until(lambda: self.is_well() or not self.desk.running, START_SECONDS)
        if not self.desk.running:
            if self.desk.exit_status() == 0:
                self.broken["a start that was hit ended with 0"] += 1
            docker("start", self.desk.name)
        self._begin()
        self.life += 1

    def rotate(self) -> None:
        """A new link for the guest; the old one opens nothing any more."""
        old, self.guest = self.guest, self._token("rotate", "guest")
        wait_until(lambda: self._status("/vnc.html", old) == 401, 5, what="the end of the old link")

    def signal(self, pid: int, sig: int) -> None:
        """Send a signal to somebody inside, who may be gone already."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)

    # --- what it is like ---------------------------------------------------------------------

    def programs(self) -> dict[str, dict[str, Any]]:
        """The rows of its status file, as `deskgate status` reads it."""
        path = Path(f"/proc/{self.pid}/root{RUNTIME}/status.json")
        rows: list[dict[str, Any]] = json.loads(path.read_bytes())["programs"]
        return {row["name"]: row for row in rows}

    def states(self) -> dict[str, str]:
        """What the status file says of each program."""
        return {name: f"{row['state']} ({row['pid']})" for name, row in self.programs().items()}

    def pids(self) -> dict[str, int]:
        """On this machine, the pids of the programs and of the command."""
        return {name: pid for pid, name in reversed(self._household()) if name != ORPHAN}

    def _household(self) -> list[tuple[int, str]]:
        """PID 1's children, oldest first; who is neither program nor zombie nor orphan commands."""
        inside = {row["pid"]: name for name, row in self.programs().items()}
        found = []
        for pid in _children(self.pid):
            name, state = _about(pid)
            if state == "Z":
                name = "a zombie"
            elif name != ORPHAN:
                name = inside.get(_pid_inside(pid), "command")
            found.append((pid, name))
        return found

    def sleepers(self) -> list[int]:
        """The command's children, and those that it left to PID 1."""
        orphans = [pid for pid, name in self._household() if name == ORPHAN]
        return [*_children(self.pids()["command"]), *orphans]

    def is_well(self) -> bool:
        """Whether every program is ready, and what is said of them is true."""
        try:
            rows = self.programs()
            told = {row["pid"] for row in rows.values() if row["state"] == "ready"}
            here = {_pid_inside(pid) for pid in _children(self.pid)}
            return len(told) == len(rows) and told <= here and self._status("/readyz") == 200
        except (OSError, KeyError, ValueError):
            return False

    def _status(self, path: str, token: str = "") -> int:
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            return ask_at(url, headers=bearer(token) if token else {}).status
        except OSError:
            return 0

    def look_for_remains(self) -> None:
        """Nobody dead, nobody else, no file more than after the start."""
        kinds = sorted([*self.programs(), "command"])
        try:
            wait_until(lambda: self._kinds() == kinds, REMAIN_SECONDS)
            wait_until(lambda: open_files(self.pid) <= self._files, REMAIN_SECONDS)
        except AssertionError:
            more = open_files(self.pid) - self._files
            self.broken[f"left behind: {self._kinds()}, {more} more files in PID 1"] += 1

    def _kinds(self) -> list[str]:
        return sorted(name for _, name in self._household() if name != ORPHAN)

    def own_mib(self) -> float:
        """What PID 1 holds that is shared with nobody."""
        return pss_mib([self.pid], "Pss_Anon")

    def end(self) -> float:
        """Stop it; how many seconds that took."""
        seconds = self.desk.stop()
        status = self.desk.exit_status()
        if status != STATUS:
            self.broken[f"the container ended with {status}"] += 1
        return seconds

    def remove(self) -> None:
        """Remove the container."""
        docker("rm", "--force", "--volumes", self.desk.name)


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _about(pid: int) -> tuple[str, str]:
    """A process's name and state (proc(5), stat); empty when it is gone."""
    try:
        about = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "", ""
    head, _, tail = about.rpartition(")")
    return head.partition("(")[2], tail.split()[0]


def _pid_inside(pid: int) -> int:
    """A process's pid in its own namespace (proc(5), NSpid); 0 when it is gone."""
    try:
        about = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(about.partition("NSpid:")[2].split("\n")[0].split()[-1])


def gone(pid: int) -> bool:
    """Whether nobody has this pid any more, not even as a zombie."""
    return not Path(f"/proc/{pid}").exists()
