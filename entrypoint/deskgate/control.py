"""Ask the running desktop's PID 1: `deskgate restart`, `deskgate logs`. Standard library only."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from deskgate.errors import ProgramError, Status
from deskgate.files import CONTROL_SOCKET
from deskgate.running import NotRunningError, runtime_folder


def restart(programs: Sequence[str]) -> int:
    """Restart programs; says when each is ready again."""
    return _show({"do": "restart", "programs": list(programs)})


def logs(programs: Sequence[str], *, follow: bool) -> int:
    """Print the newest lines of the log, of all programs or some."""
    if follow:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ^C is how it ends
    return _show({"do": "logs", "programs": list(programs), "follow": follow})


def _show(request: dict[str, Any]) -> int:
    for frame in _ask(request):
        if "out" in frame:
            print(frame["out"], flush=True)
        if "note" in frame:
            print(f"deskgate: warning: {frame['note']}", file=sys.stderr)
        if "error" in frame:
            print(f"deskgate: error: {frame['error']}", file=sys.stderr)
        if "status" in frame:
            return int(frame["status"])
    if request.get("follow"):
        return Status.OK
    raise ProgramError(f"{request['do']}: the desktop gave no answer; it ended, or answers others")


def _ask(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    path = runtime_folder() / CONTROL_SOCKET
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(str(path))
        except PermissionError:
            hint = "run this as the user that the container was started as"
            raise NotRunningError(f"cannot use {path}: {hint}") from None
        except OSError as error:
            hint = "the desktop has ended, or is about to; see docker logs"
            raise NotRunningError(f"cannot use {path}: {error.strerror or error}: {hint}") from None
        with contextlib.suppress(ConnectionError), door.makefile("rwb") as stream:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            for line in stream:
                yield json.loads(line)
