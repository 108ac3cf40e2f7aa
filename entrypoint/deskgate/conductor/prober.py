"""One question to one program, over a socket that never waits: is there a sign of life?"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
from typing import Final

from deskgate.signs import ANSWER_BYTES, Sign

# What tells that the program, or its queue of connections, takes nobody.
REFUSED: Final = {errno.ECONNREFUSED, errno.EAGAIN, errno.ENOENT, errno.ECONNRESET, errno.EPIPE}
UNDER_WAY: Final = {0, errno.EINPROGRESS}


class Probe:
    """A connection to a program, until it has answered.

    It stays while there is no answer: a second one would only fill the queue of a program that
    takes none, and Xvnc's holds five.

    Raises:
        OSError: the question cannot even be asked, which says nothing of the program.
    """

    def __init__(self, sign: Sign) -> None:
        self.alive: bool | None = None  # nothing is known yet
        self._sign = sign
        self._untried = list(sign.addresses)
        self._unsent = sign.question
        self._answer = b""
        self._connect()

    def _connect(self) -> None:
        """Begin to connect to the next address."""
        address = self._untried.pop(0)
        unix = isinstance(address, str)
        family = (
            socket.AF_UNIX if unix else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        )
        self._door = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            found = self._door.connect_ex(address)
            if found not in UNDER_WAY | REFUSED:
                raise OSError(found, "cannot connect")
        except OSError:
            self.close()
            raise
        if found in REFUSED:
            self._refused()

    def _refused(self) -> None:
        self.close()
        if self._untried:
            with contextlib.suppress(OSError):  # no IPv6 here: then nobody listens there
                self._connect()
                return
        self.alive = False

    def fileno(self) -> int:
        """What to poll."""
        return self._door.fileno()

    @property
    def mask(self) -> int:
        """What to poll it for."""
        if self.alive is not None:
            return 0
        return select.POLLOUT if self._unsent else select.POLLIN

    def handle(self, events: int) -> None:
        """Go on: ask, or read the answer."""
        if self.alive is not None:
            return
        try:
            if self._unsent:
                self._unsent = self._unsent[self._door.send(self._unsent) :]
                return
            data = self._door.recv(ANSWER_BYTES - len(self._answer))
        except BlockingIOError:
            return
        except OSError:
            self._refused()
            return
        self._answer += data
        self.alive = self._sign.shows_life(self._answer) if data else False
        if self.alive is not None:
            self.close()

    def close(self) -> None:
        """End the connection."""
        self._door.close()
