"""Lines on stderr: one per event, in text or JSON, never waiting for a slow reader.

A pipe that nobody reads must not stop the conductor, so lines queue here up to a bound, and what
does not fit is dropped and counted. stderr is shared with the user's command, so it cannot be set
non-blocking: poll(2) tells whether a write of up to PIPE_BUF bytes to a pipe would block. Of a
terminal it tells whether one byte would; so it is opened once more, for writes that never block.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from deskgate import colours
from deskgate.conductor.ring import Ring
from deskgate.errors import printable

LEVELS: Final = ("debug", "info", "warning", "error")
PIPE_BUF: Final = 4096  # bytes that Linux writes to a pipe in one piece (pipe(7))
MAX_QUEUED: Final = 1024 * 1024  # bytes
RING_BYTES: Final = 256 * 1024  # of the newest lines, for `deskgate logs`
MAX_LINE: Final = 3000  # characters of one program line; with its frame it stays within PIPE_BUF
HIDDEN: Final = "(hidden)"
COLUMNS: Final = 80  # of a terminal that does not know yet
ERASE: Final = b"\r\x1b[K"  # the line so far (ECMA-48, 8.3.41)


class Log:
    """Writes lines to a descriptor, and keeps the newest, but never the banner with its links.

    Args:
        colour: paint levels.
        rewrites: it is a terminal that can erase a line.
    """

    def __init__(
        self,
        *,
        level: str,
        form: str,
        secrets: Sequence[str],
        fd: int = 2,
        colour: bool = False,
        rewrites: bool = False,
    ) -> None:
        self._least = LEVELS.index(level)
        self._json = form == "json"
        self._secrets = tuple(secrets)
        self._colour = colour and not self._json
        self.rewrites = rewrites and not self._json
        self._passing = False  # whether the line that stands there is to be erased
        self._fd = _reopened(fd) if os.isatty(fd) else fd
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._dropped = 0
        self.ring = Ring(max_bytes=RING_BYTES)

    def event(self, level: str, text: str, *, program: str = "deskgate") -> None:
        """Say one thing that happened."""
        if LEVELS.index(level) >= self._least:
            text = self._clean(text)
            line = self._format(level, text, program)
            # What we say of a program begins with its name.
            about = text.partition(": ")[:1] if program == "deskgate" else ()
            self.ring.add((program, *about), line.rstrip(b"\n"))
            self._put(self._format(level, text, program, colour=True) if self._colour else line)

    def program_line(self, program: str, line: str, *, level: str = "info") -> None:
        """Pass on one line of a program, under its name.

        A line of ours begins with its level, as in `warning: text`.
        """
        said, colon, rest = line.partition(": ")
        if colon and said in LEVELS:
            level, line = said, rest
        self.event(level, line, program=program)

    def passing(self, text: str) -> None:
        """Say what will soon be of no interest: a terminal shows it until the next line comes."""
        if not self.rewrites:
            self.event("info", text)
        elif LEVELS.index("info") >= self._least and not self._queue:
            columns = os.get_terminal_size(self._fd).columns or COLUMNS
            self._put(f"deskgate: {self._clean(text)}"[: columns - 1].encode())
            self._passing = True

    def block(self, lines: Sequence[str], **fields: object) -> None:
        """Print the banner, at level info: as it is in text, as one event in JSON."""
        if LEVELS.index("info") < self._least:
            return
        if self._json:
            self._put(self._json_line("info", "the desktop is ready", "deskgate", **fields))
        else:
            self._put("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))

    def _clean(self, text: str) -> str:
        """One printable line without a secret."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if len(text) > MAX_LINE:
            text = text[:MAX_LINE] + "…"
        if text.isprintable():
            return text
        return printable(text, kept="\t")

    def _format(self, level: str, text: str, program: str, *, colour: bool = False) -> bytes:
        if self._json:
            return self._json_line(level, text, program)
        middle = (
            f"{colours.level(level, on=colour)}: "
            if program == "deskgate" or level in ("warning", "error")
            else ""
        )
        return f"{program}: {middle}{text}\n".encode("utf-8", "backslashreplace")

    def _json_line(self, level: str, text: str, program: str, **fields: object) -> bytes:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": now, "level": level, "program": program, "text": text, **fields}
        return json.dumps(line).encode() + b"\n"

    def _put(self, data: bytes) -> None:
        if self._passing:
            data, self._passing = ERASE + data, False
        if self._queued + len(data) > MAX_QUEUED:
            self._dropped += 1
            return
        self._queue.append(data)
        self._queued += len(data)
        self.flush()

    def _writable(self, seconds: float = 0.0) -> bool:
        # An error counts: the write then fails, and says that nobody will ever read.
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))

    def drain(self, seconds: float) -> None:
        """Wait so long for a slow reader to take what is queued."""
        if self._passing:
            self._put(b"")
        deadline = time.monotonic() + seconds
        while self._queue and (left := deadline - time.monotonic()) > 0:
            self._writable(left)
            self.flush()

    def flush(self) -> None:
        """Write what can be written without waiting."""
        while self._queue and self._writable():
            data = self._queue[0]
            try:
                written = os.write(self._fd, data[:PIPE_BUF])
            except BlockingIOError:
                return
            except OSError:  # nobody will ever read it
                self._queue.clear()
                self._queued = 0
                return
            self._queued -= written
            if written < len(data):
                self._queue[0] = data[written:]
            else:
                self._queue.popleft()
        if self._dropped and not self._queue:
            dropped, self._dropped = self._dropped, 0
            self.event("warning", f"{dropped} log lines dropped: stderr was not read")

    @property
    def waiting(self) -> bool:
        """Whether lines are waiting for their reader."""
        return bool(self._queue)

    def fileno(self) -> int:
        """What to poll."""
        return self._fd

    @property
    def mask(self) -> int:
        """What to poll it for: to write, while lines wait."""
        return select.POLLOUT if self._queue else 0

    def handle(self, events: int) -> None:
        """Go on writing."""
        self.flush()


def _reopened(terminal: int) -> int:
    """The same terminal with flags of our own; as it is where we may not open it."""
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{terminal}", flags)
    except OSError:
        return terminal
