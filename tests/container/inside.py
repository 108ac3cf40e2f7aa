"""What else can be read inside a container: the X server's state, and the dead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from deskgate.testing.engine import Result
from deskgate.testing.inside import AS_ROOT, Listener, Process, listeners, processes
from tests.container.desk import Desk

__all__ = ["AS_ROOT", "Listener", "Process", "listeners", "processes"]

X_CLIENT: Final = (Path(__file__).parent / "xclient.py").read_bytes()
RUNTIME: Final = "/run/deskgate"


def zombies(desk: Desk) -> list[str]:
    """Names of the dead that nobody has collected.

    Not of who came in from outside, as the health check does: those are the engine's to collect.
    """
    return [each.name for each in processes(desk) if each.state == "Z" and each.started_inside]


def x_client(desk: Desk, *words: str, folder: str = RUNTIME) -> Result:
    """Run one command of `xclient.py` inside."""
    place = ("-e", "DISPLAY=:1", "-e", f"XAUTHORITY={folder}/Xauthority")
    found = desk.exec("python3", "-", *words, options=place, stdin=X_CLIENT)
    assert found.status == 0, f"xclient {words}: {found.err}"
    return found


def x_state(desk: Desk, *, folder: str = RUNTIME) -> dict[str, Any]:
    """Pointer, keys, size and selection owners, as the X server has them."""
    state: dict[str, Any] = json.loads(x_client(desk, "state", folder=folder).out)
    return state


def kill(desk: Desk, program: str, signal: str = "KILL") -> int:
    """Send a signal to a program of the desktop; returns its pid."""
    pid = int(desk.status()[program]["pid"])
    desk.must("python3", "-c", f"import os, signal; os.kill({pid}, signal.SIG{signal})")
    return pid
