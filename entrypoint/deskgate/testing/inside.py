"""What can be read inside a container: its processes, and who listens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from deskgate.testing.desk import Desk

LISTEN: Final = "0A"  # the state of a listening socket in /proc/net/tcp (proc(5))
# Every capability: the container's own root may not read other users' processes.
AS_ROOT: Final = ("--privileged", "--user", "0")
# deskgate's own Python, whatever the image calls python3: the launcher's first line names it.
PYTHON: Final = ("sh", "-c", 'read -r line <"$(command -v deskgate)"; exec ${line#??} "$@"', "sh")

# Prints each process: pid, parent, state, real uid, name, and the places that hold a text.
PROCESSES: Final = """
import json, os, sys
text, found = sys.stdin.buffer.read(), []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        about = open(f"/proc/{pid}/stat").read()
        name, state, parent = about[about.index("(") + 1:about.rindex(")")], *about[
            about.rindex(")") + 2:].split()[:2]
        uid, gid = os.stat(f"/proc/{pid}/task").st_uid, None
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("Uid:"): uid = int(line.split()[1])
            if line.startswith("Gid:"): gid = int(line.split()[1])
        holds = [f for f in ("cmdline", "environ")
                 if text and text in open(f"/proc/{pid}/{f}", "rb").read()]
    except (FileNotFoundError, ProcessLookupError):
        continue
    ours = int(pid) == os.getpid()
    found.append(dict(pid=int(pid), parent=int(parent), state=state, uid=uid, gid=gid, name=name,
                      holds=holds, ours=ours))
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """One process inside; see proc(5).

    Args:
        holds: `cmdline`, `environ`: which of the two hold the text that was asked for.
        ours: this is the very process that looked.
    """

    pid: int
    parent: int
    state: str
    uid: int
    gid: int
    name: str
    holds: list[str]
    ours: bool

    @property
    def started_inside(self) -> bool:
        """Not by the engine, as `docker exec` and HEALTHCHECK are; PID 1 counts as inside."""
        return self.parent != 0 or self.pid == 1


def processes(desk: Desk, *, text: str = "") -> list[Process]:
    """Every process inside, and whether a text stands in its arguments or environment."""
    found = desk.exec(*PYTHON, "-c", PROCESSES, options=AS_ROOT, stdin=text.encode())
    assert found.status == 0, found.err
    return [Process(**row) for row in json.loads(found.out)]


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket of the container's network namespace."""

    port: int
    loopback: bool


def listeners(desk: Desk) -> set[Listener]:
    """What `ss -ltn` would show; images rarely have it."""
    found = set()
    for line in desk.must("cat", "/proc/net/tcp", "/proc/net/tcp6").splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[3] != LISTEN:
            continue
        address, port = fields[1].split(":")
        loopback = address[-2:] == "7F" if len(address) == 8 else address == "0" * 24 + "01000000"
        found.add(Listener(int(port, 16), loopback))
    return found
