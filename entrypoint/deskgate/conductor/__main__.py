"""PID 1 after `deskgate run` has become the conductor: `python -I -m deskgate.conductor FD`."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, Final

from deskgate import files, memory
from deskgate.conductor import control
from deskgate.conductor.embed import Options, Process, load
from deskgate.conductor.foreground import Foreground, exit_status
from deskgate.conductor.limits import Expendable, scarce_memory
from deskgate.conductor.log import Log
from deskgate.conductor.loop import Conductor
from deskgate.errors import DeskgateError, ProgramError, Status
from deskgate.tokens import format_expiry
from deskgate.users import Access, User

BOOT_SECRET_BYTES: Final = 32
LAST_LINES_SECONDS: Final = 0.5  # for a slow reader of the log to take why we ended
PR_SET_CHILD_SUBREAPER: Final = 36  # prctl(2)


def read_handoff(fd: int) -> dict[str, Any]:
    """What `start` told: read once, then gone."""
    with os.fdopen(fd, "rb") as file:
        told: dict[str, Any] = json.load(file)
    return told


def adopt_orphans() -> None:
    """Be the parent of who has lost it; also when we are not PID 1, as with `docker run --init`."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Shell:
    """The conductor's contact with the outside: log, status file, start record."""

    def __init__(self, told: dict[str, Any], log: Log) -> None:
        self._told = told
        self._folder = Path(told["folder"])
        self._log = log
        self._ready_seconds: float | None = None
        self._began = time.time() - (time.monotonic() - told["began"])
        self.conductor: Conductor | None = None
        self._unwritten: set[str] = set()

    def ready(self) -> None:
        """Everything answers: keep the start record and print the banner."""
        self._ready_seconds = time.monotonic() - self._told["began"]
        record = {
            **self._told["record"],
            "ready": format_expiry(time.time()),
            "ready_seconds": round(self._ready_seconds, 3),
        }
        access = self._told["record_access"]
        self._write("start.json", record, access and Access(*access))
        headline = f"deskgate: the desktop is ready ({self._ready_seconds:.1f} s)"
        self.changed()
        seconds = record["ready_seconds"]
        self._log.block(
            [headline, *self._told["banner"]], ready_seconds=seconds, **self._told["announcement"]
        )

    def changed(self) -> bool:
        """Keep the status file current; whether it is."""
        if self.conductor is None:
            return True
        now = time.monotonic()
        return self._write(
            "status.json",
            {
                "pid": os.getpid(),
                "started": format_expiry(self._began),
                "ready_seconds": self._ready_seconds,
                "programs": [
                    _describe(each, now, self._began - self._told["began"])
                    for each in self.conductor.desktop.programs.values()
                ],
            },
        )

    def output_line(self, process: Process, line: str) -> None:
        """A line of a program's standard output."""
        if self.conductor is not None:
            self.conductor.desktop.output_line(process, line)

    def error_line(self, process: Process, line: str) -> None:
        """A line of a program's standard error."""
        if self.conductor is not None:
            self.conductor.desktop.error_line(process, line)

    def _write(self, name: str, data: dict[str, Any], access: Access | None = None) -> bool:
        text = json.dumps(data, indent=1).encode() + b"\n"
        try:
            files.write_private(self._folder / name, text, access)
        except OSError as error:  # a full disk must not end the desktop
            if name not in self._unwritten:
                self._log.event("warning", f"cannot write {name}: {error.strerror}")
            self._unwritten.add(name)
            return False
        self._unwritten.discard(name)
        return True


def _describe(process: Process, now: float, epoch: float) -> dict[str, Any]:
    return {
        "name": process.name,
        "state": _state(process),
        "pid": process.pid or None,
        "since": format_expiry(epoch + process.started_at) if process.pid else None,
        "started_at": process.started_at if process.pid else None,
        "restarts": process.history.restarts,
        "last_exit": process.last_exit,
        "essential": process.config.essential,
    }


def _state(process: Process) -> str:
    if not process.pid:
        return process.rest or "waiting"
    if process.farewell is not None:
        return "stopping"
    if process.suspended:
        return "stopped"
    return "ready" if process.ready else "starting"


def open_door(folder: str, log: Log) -> socket.socket | None:
    """Make the control socket; without one the desktop works as well."""
    try:
        return control.listen(Path(folder, files.CONTROL_SOCKET))
    except OSError as error:
        log.event("warning", f"cannot make {files.CONTROL_SOCKET}: {error.strerror or error}")
        return None


def wait_for(renderer: int) -> None:
    """Wait until the files are written; end with the renderer's status if they cannot be.

    Raises:
        ProgramError: it was killed, and could not say why.
    """
    _, wait_status = os.waitpid(renderer, 0)
    if os.WIFSIGNALED(wait_status):
        reason = f"signal {os.WTERMSIG(wait_status)} ended who writes its files"
        raise ProgramError(f"runtime folder: {reason}")
    if wait_status:
        os._exit(exit_status(wait_status))  # it has said why


def main() -> int:
    """Run the container; returns its exit status."""
    expendable = Expendable()
    memory.lock()
    told = read_handoff(int(sys.argv[1]))
    # supervisor asks for it, and Python would look for one by writing into /tmp, which may be full.
    tempfile.tempdir = told["folder"]
    adopt_orphans()
    log = Log(
        level=told["log_level"],
        form=told["log_format"],
        secrets=told["secrets"],
        colour=told["colour"],
        rewrites=told["rewrites"],
    )
    if said := scarce_memory():
        log.event("warning", said)  # now: the kernel may kill us next
    shell = Shell(told, log)
    try:
        options = Options(
            log,
            on_output=shell.output_line,
            on_error=shell.error_line,
            users={name: User(*user) for name, user in told["users"].items() if user},
            listener=told["listener"],
        )
        options.around_fork = expendable
        wait_for(told["renderer"])
        load(f"{told['folder']}/supervisord.conf", options, told["programs"])
        user = User(*told["command_user"]) if told["command_user"] else None
        words = told["command"]
        command = Foreground(words, told["environment"], user) if words else None
        shell.conductor = Conductor(
            options,
            log,
            levels=told["levels"],
            command=command,
            on_ready=shell.ready,
            on_change=shell.changed,
            boot_secret=os.urandom(BOOT_SECRET_BYTES).hex(),
            tickets=told["tickets"],
            door=open_door(told["folder"], log),
        )
        status = shell.conductor.run()
    except DeskgateError as error:
        for line in error.lines:
            log.event("error", line)
        status = error.status
    except Exception as error:
        # Its text may hold a value of a setting, so only its kind is told.
        log.event("error", f"the conductor has a bug of ours ({type(error).__name__})")
        if told["debug"]:
            traceback.print_exc()
        status = Status.SOFTWARE
    log.drain(LAST_LINES_SECONDS)
    return int(status)


if __name__ == "__main__":
    # No interpreter teardown: it would only delay the container's end.
    exit_code = Status.SOFTWARE.value
    try:
        exit_code = main()
    finally:
        sys.stderr.flush()
        os._exit(exit_code)
