"""The RFB 3.8 handshake and VNC's use of DES. Pure: bytes in, bytes out, no socket or chance.

The gate stands between two handshakes: towards Xvnc it is a client (`ClientHandshake`), towards
the viewer a server (`ServerHandshake`). What follows them, from ClientInit on, passes unread.
A control link takes security type 1 (None), or answers VncAuth with the control password where
Xvnc asks everybody. For a view link the gate answers with the second, view-only password: Xvnc
itself then refuses input, clipboard and resizing.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

VERSION = b"RFB 003.008\n"  # RFC 6143, 7.1.1
NONE = 1  # RFC 6143, 7.2.1
VNC_AUTH = 2  # RFC 6143, 7.2.2
CHALLENGE_BYTES = 16
PASSWORD_BYTES = 8  # DES takes no more, and the -rfbauth file has no room for more
MAX_REASON_BYTES = 1024  # of the far end's text, so that a broken server cannot fill memory
# Obfuscates the -rfbauth file (d3des' fixed key, in every VNC since AT&T's). Not a secret.
FIXED_KEY = bytes([23, 82, 107, 6, 35, 78, 88, 7])


class RfbError(ValueError):
    """The far end said something that RFC 6143 does not allow, or refused us."""


class _Step(Enum):
    VERSION = "version"
    TYPES = "types"
    CHALLENGE = "challenge"
    RESULT = "result"
    REASON = "reason"
    DONE = "done"


class ClientHandshake:
    """Our half towards Xvnc, up to SecurityResult.

    Args:
        password: answers VncAuth; None takes security type None alone.
        none_is_fine: take None where it is offered, the password elsewhere. Never for a view
            link: None means every right.
    """

    def __init__(self, password: bytes | None, *, none_is_fine: bool = False) -> None:
        self._password = password
        self._wanted = VNC_AUTH if password is not None else NONE
        self._none_is_fine = none_is_fine
        self._step = _Step.VERSION
        self._buffer = b""

    @property
    def done(self) -> bool:
        """Whether Xvnc waits for ClientInit."""
        return self._step is _Step.DONE

    def feed(self, data: bytes) -> bytes:
        """Take what Xvnc sent and return what to send to it.

        Raises:
            RfbError: no RFB server, or it refuses us.
        """
        self._buffer += data
        reply = b""
        while not self.done:
            step = self._step
            reply += self._advance()
            if self._step is step:
                break
        return reply

    def _take(self, count: int) -> bytes | None:
        if len(self._buffer) < count:
            return None
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _advance(self) -> bytes:
        match self._step:
            case _Step.VERSION:
                return self._read_version()
            case _Step.TYPES:
                return self._read_types()
            case _Step.CHALLENGE:
                return self._read_challenge()
            case _Step.RESULT:
                return self._read_result()
            case _:
                return self._read_reason()

    def _read_version(self) -> bytes:
        version = self._take(len(VERSION))
        if version is None:
            return b""
        if version != VERSION:
            raise RfbError("the RFB server does not speak version 003.008")
        self._step = _Step.TYPES
        return VERSION

    def _read_types(self) -> bytes:
        if not self._buffer:
            return b""
        count = self._buffer[0]
        if count == 0:  # refused before security; a reason follows
            self._take(1)
            self._step = _Step.REASON
            return b""
        types = self._take(1 + count)
        if types is None:
            return b""
        wanted = NONE if self._none_is_fine and NONE in types[1:] else self._wanted
        if wanted not in types[1:]:
            raise RfbError(f"the RFB server does not offer security type {wanted}")
        self._step = _Step.RESULT if wanted == NONE else _Step.CHALLENGE
        return bytes([wanted])

    def _read_challenge(self) -> bytes:
        challenge = self._take(CHALLENGE_BYTES)
        if challenge is None:
            return b""
        self._step = _Step.RESULT
        return answer_challenge(self._password or b"", challenge)

    def _read_result(self) -> bytes:
        result = self._take(4)
        if result is None:
            return b""
        self._step = _Step.DONE if result == bytes(4) else _Step.REASON
        return b""

    def _read_reason(self) -> bytes:
        if len(self._buffer) < 4:
            return b""
        length = min(int.from_bytes(self._buffer[:4], "big"), MAX_REASON_BYTES)
        if len(self._buffer) < 4 + length:
            return b""
        reason = self._buffer[4 : 4 + length].decode("utf-8", "replace")
        raise RfbError(f"the RFB server refused: {reason}")


class ServerHandshake:
    """Our half towards the viewer, up to SecurityResult; offers only None.

    Send `VERSION` first, then what `feed` returns.
    """

    def __init__(self) -> None:
        self._step = _Step.VERSION
        self._buffer = b""
        self.refused: str | None = None  # why; the reply holds it already, then close

    @property
    def done(self) -> bool:
        """Whether the handshake went well and everything else is the relay's."""
        return self._step is _Step.DONE

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take the viewer's bytes; return what to send to it, and what is Xvnc's already."""
        self._buffer += data
        reply = b""
        if self._step is _Step.VERSION and len(self._buffer) >= len(VERSION):
            version, self._buffer = self._buffer[:12], self._buffer[12:]
            if version != VERSION:
                # RFC 6143, 7.1.2: no security types means a reason follows.
                return self._refuse(b"\0", "only RFB 003.008 is served")
            self._step = _Step.TYPES
            reply += bytes([1, NONE])
        if self._step is _Step.TYPES and self._buffer:
            chosen, self._buffer = self._buffer[0], self._buffer[1:]
            if chosen != NONE:
                # RFC 6143, 7.1.3: SecurityResult 1 (failed) and a reason.
                return self._refuse(reply + bytes([0, 0, 0, 1]), "only security type None")
            self._step = _Step.DONE
            reply += bytes(4)
        if self.done:
            rest, self._buffer = self._buffer, b""
            return reply, rest
        return reply, b""

    def _refuse(self, head: bytes, reason: str) -> tuple[bytes, bytes]:
        self._step = _Step.REASON
        self._buffer = b""
        self.refused = reason
        return head + len(reason).to_bytes(4, "big") + reason.encode("ascii"), b""


def obfuscate(password: bytes) -> bytes:
    """Eight bytes of Xvnc's -rfbauth file: first the control password's, then the view one's."""
    return _des(_as_key(FIXED_KEY), _padded(password))


@lru_cache(maxsize=2)  # DES in Python takes 0.3 ms, and each viewer asks for the same two
def deobfuscate(block: bytes) -> bytes:
    """The password in eight bytes of an -rfbauth file."""
    return _des(_as_key(FIXED_KEY), block, decrypt=True).rstrip(b"\0")


def answer_challenge(password: bytes, challenge: bytes) -> bytes:
    """Answer VncAuth (RFC 6143, 7.2.2): two blocks, the password as the key."""
    key = _as_key(_padded(password))
    return _des(key, challenge[:8]) + _des(key, challenge[8:])


def _padded(password: bytes) -> bytes:
    return password[:PASSWORD_BYTES].ljust(PASSWORD_BYTES, b"\0")


def _as_key(raw: bytes) -> bytes:
    """VNC's DES reads each key byte from its lowest bit (RFC 6143 leaves this unsaid)."""
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in raw)


def _des(key: bytes, block: bytes, *, decrypt: bool = False) -> bytes:
    # Late: a control viewer needs no DES, and its tables have a module of their own.
    from deskgate.gate.des import crypt_block

    return crypt_block(key, block, decrypt=decrypt)
