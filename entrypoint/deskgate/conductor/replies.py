"""What the conductor answers at its control socket: frames, some at a time.

A request is a JSON object: `do` is `restart` or `logs`, `programs` their names, for `logs` none for
all, and `follow` whether to wait for more. A frame is one as well: `out` is a line for standard
output, `note` a warning, `error` says what cannot be done, and `status`, the last, is what the
asking command ends with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence, Set
from typing import Any, Final, Protocol

from deskgate.conductor.desktop import Desktop
from deskgate.conductor.embed import Process
from deskgate.conductor.ring import Ring
from deskgate.errors import Status, quote

Frame = dict[str, Any]

CHUNK_BYTES: Final = 16 * 1024  # of log lines at a time, which wait for their reader
SLACK_SECONDS: Final = 1.0  # for a start beyond what a program has to become ready


class Reply(Protocol):
    """What one client gets, bit by bit."""

    over: bool

    def more(self, now: float) -> Iterator[Frame]:
        """What there is to say now."""

    def due(self) -> float | None:
        """When there will be something although nothing happens, in monotonic seconds."""


class Refusal:
    """One error, and the end."""

    def __init__(self, text: str, status: Status) -> None:
        self.over = False
        self._frame = {"error": text, "status": int(status)}

    def more(self, now: float) -> Iterator[Frame]:
        """Say it."""
        self.over = True
        yield self._frame

    def due(self) -> float | None:
        """Never."""
        return None


class Tail:
    """`deskgate logs`: the newest lines, of some programs or all, and then those to come."""

    def __init__(self, ring: Ring, names: Set[str], *, follow: bool) -> None:
        self.over = False
        self._ring = ring
        self._names = names
        self._next = ring.first
        self._until = None if follow else ring.end

    def more(self, now: float) -> Iterator[Frame]:
        """Some lines; those that a slow reader missed are counted."""
        if lost := max(0, self._ring.first - self._next):
            self._next += lost
            yield {"note": f"{lost} log lines lost: they were not read in time"}
        end = self._ring.end if self._until is None else self._until
        size = 0
        while self._next < end and size < CHUNK_BYTES:
            line = self._ring.line(self._next)
            self._next += 1
            if not self._names or not self._names.isdisjoint(line.names):
                size += len(line.data)
                yield {"out": line.data.decode()}
        if self._until is not None and self._next >= end:
            self.over = True
            yield {"status": int(Status.OK)}

    def due(self) -> float | None:
        """Never: a new line is an event."""
        return None


class Restart:
    """`deskgate restart`: follows programs until each is ready again, or is not."""

    def __init__(self, desktop: Desktop, names: Sequence[str], now: float) -> None:
        self.over = False
        self._desktop = desktop
        self._began = now
        self._status = Status.OK
        self._waiting = {name: desktop.programs[name] for name in names}
        self._before = {name: each.history.starts for name, each in self._waiting.items()}
        for process in self._waiting.values():
            desktop.restart(process, now)

    def more(self, now: float) -> Iterator[Frame]:
        """A line for each program whose fate is known by now."""
        for name, process in list(self._waiting.items()):
            if process.ready and self._has_started(process):
                yield {"out": f"{name}: ready again after {now - self._began:.2f} s"}
            elif reason := self._why_not(process, now):
                self._status = Status.UNAVAILABLE
                yield {"error": f"{name}: did not become ready: {reason}"}
            else:
                continue
            del self._waiting[name]
        if not self._waiting:
            self.over = True
            yield {"status": int(self._status)}

    def _has_started(self, process: Process) -> bool:
        return process.history.starts > self._before[process.name]

    def _why_not(self, process: Process, now: float) -> str | None:
        started = self._has_started(process)
        if self._desktop.stopping:
            return "the desktop stops"
        if started and process.history.deaths:
            return process.last_exit
        if down := self._desktop.needs.given_up(process):
            return f"it needs {', '.join(down)}, which is down"
        if now < self._deadline(process):
            return None
        if process.pid:
            return "it takes longer" if started else "it does not end"
        return f"it waits for {', '.join(process.config.needs)}"

    def _deadline(self, process: Process) -> float:
        seconds: float = process.config.stopwaitsecs + process.config.ready_seconds
        limited = process.config.ready_seconds > 0
        return self._began + seconds + SLACK_SECONDS if limited else math.inf

    def due(self) -> float | None:
        """When the first of them will have taken too long."""
        first = min((self._deadline(each) for each in self._waiting.values()), default=math.inf)
        return None if first == math.inf else first


def answer(request: bytes, now: float, *, desktop: Desktop, ring: Ring) -> Reply:
    """Begin what a request asks for."""
    try:
        asked = json.loads(request)
        what, names, follow = asked["do"], asked["programs"], asked.get("follow") is True
        readable = what in ("restart", "logs") and all(isinstance(each, str) for each in names)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        readable = False
    if not readable:
        return Refusal("the request cannot be read", Status.USAGE)
    known = {*desktop.programs, *(("deskgate",) if what == "logs" else ())}
    if unknown := [name for name in names if name not in known]:
        there_are = ", ".join(sorted(known))
        text = f"{what}: there is no program {quote(unknown[0])}; there are: {there_are}"
        return Refusal(text, Status.USAGE)
    if what == "logs":
        return Tail(ring, frozenset(names), follow=follow)
    if desktop.stopping:
        return Refusal("restart: the desktop stops", Status.UNAVAILABLE)
    return Restart(desktop, names, now)
