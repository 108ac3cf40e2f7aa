"""What can be waited for, and signs of life: how a program shows that it does not hang. Pure.

`stdout` is a line now and then, `rfb:TARGET` and `http:HOST:PORT/PATH` are an answer to a question.
Both answers show themselves in their first twelve bytes: `RFB 003.008` and a line's end (RFC 6143,
7.1.1), `HTTP/1.1 200` (RFC 9112, 4).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from deskgate.forms import FormError

ANSWER_BYTES: Final = 12
GOOD: Final = {
    "rfb": re.compile(rb"RFB \d{3}\.\d{3}\n"),
    "http": re.compile(rb"HTTP/1\.[01] [23]\d\d"),
}
FORMS: Final = "give stdout, http:HOST:PORT/PATH or rfb:HOST:PORT, such as http:127.0.0.1:80/"
LOCALHOST: Final = ("127.0.0.1", "::1")  # where a program listens that was told `localhost`

# Host and port, or the path of a unix socket.
Address = tuple[str, int] | str


def endpoint(text: str) -> str:
    """What can be waited for: a listening TCP port or unix socket, or a file that is there.

    A host's name would have to be looked up, and that may keep who looks waiting.
    """
    kind, _, where = text.partition(":")
    if kind in ("unix", "file") and re.fullmatch(r"/[^\s\0]+", where):
        return text
    host, _, port = where.rpartition(":")
    if kind == "tcp" and re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536:
        try:
            if host != "localhost":
                ipaddress.ip_address(host.strip("[]"))
            return text
        except ValueError:
            pass
    raise FormError(
        "give tcp:HOST:PORT with an address or localhost, unix:/PATH or file:/PATH, "
        "such as tcp:127.0.0.1:5432"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """One way to see that a program lives.

    Args:
        kind: `stdout`, `rfb` or `http`.
        addresses: whom to ask, until one is there; none for `stdout`.
        question: what to send there first.
    """

    kind: str
    addresses: tuple[Address, ...] = ()
    question: bytes = b""

    @property
    def must_be_asked(self) -> bool:
        """Whether nobody hears of it without a question."""
        return self.kind != "stdout"

    def shows_life(self, answer: bytes) -> bool | None:
        """Whether an answer is one of a program that works; None while more has to come."""
        if len(answer) < ANSWER_BYTES:
            return None
        return GOOD[self.kind].match(answer) is not None


def read_sign(text: str) -> Sign | None:
    """Read a program's `live=`; None when it has none.

    Raises:
        FormError: what is allowed.
    """
    kind, _, where = text.partition(":")
    if text in ("", "stdout"):
        return Sign(kind=kind) if kind else None
    if kind == "rfb" and re.fullmatch(r"unix_socket:/[^\s\0]+", where):
        return Sign(kind=kind, addresses=(where.removeprefix("unix_socket:"),))
    if kind == "rfb":
        return Sign(kind=kind, addresses=_addresses(where))
    authority, slash, path = where.partition("/")
    if kind == "http" and slash and re.fullmatch(r"[!-~]*", path):
        question = f"GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
        return Sign(kind=kind, addresses=_addresses(authority), question=question.encode())
    raise FormError(FORMS)


def _addresses(text: str) -> tuple[Address, ...]:
    try:
        endpoint(f"tcp:{text}")
    except FormError:
        raise FormError(FORMS) from None
    host, _, port = text.rpartition(":")
    hosts = LOCALHOST if host == "localhost" else (host.strip("[]"),)
    return tuple((each, int(port)) for each in hosts)
