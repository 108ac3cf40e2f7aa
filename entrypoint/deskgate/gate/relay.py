"""One viewer: WebSocket frames on the browser's side, plain RFB on Xvnc's side.

The gate plays RFB's opening towards the viewer (it has with Xvnc, in the viewer's role) and then
passes all on unread. A side that does not take its bytes stops the reading on the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from deskgate import rfb
from deskgate.gate import frames, limits, log
from deskgate.gate.desk import DeskLink
from deskgate.gate.messages import Upgrade
from deskgate.gate.patience import Patience
from deskgate.gate.shortcut import Shortcut
from deskgate.tokens import Token


class Viewer(asyncio.Protocol):
    """The protocol of a browser's connection from the upgrade on, and Xvnc's far side.

    Args:
        upgrade: what it was granted; its access's end is the viewer's.
        client: the person's address, for the log.
        on_joined, on_gone: called once each, when it is a viewer and when it is over.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        link: DeskLink,
        *,
        upgrade: Upgrade,
        client: str,
        on_joined: Callable[[Viewer], None],
        on_gone: Callable[[Viewer], None],
    ) -> None:
        self.access, self.role = upgrade.access, upgrade.role
        self.guest = upgrade.guest
        self._news = "" if upgrade.news else None  # the last; None for who wants none
        self.sent = self.received = 0  # RFB bytes
        self.joined = False  # sent its ClientInit; a health probe never does
        self._browser = transport
        self._link = link
        self._client = client
        self._on_joined = on_joined
        self._on_gone = on_gone
        self._frames = Protocol(Side.SERVER, state=State.OPEN, max_size=limits.MESSAGE_BYTES)
        self._shortcut = Shortcut()
        self._handshake = rfb.ServerHandshake()
        self._fragments: list[bytes] = []
        self._code = 0  # of the close we sent; 0 while the viewer is open
        self._patience = Patience()

    @property
    def name(self) -> str:
        """Who this is, for the log; never the token."""
        return f"{self.role} viewer{self.access.name_beside(self.role)} from {self._client}"

    def start(self, head: bytes) -> None:
        """Begin: send 101's head and our greeting at once."""
        self._browser.set_write_buffer_limits(high=limits.HIGH_WATER_BYTES)
        self._link.far = self
        lost = self._link.transport.is_closing()  # it died since it let us in
        self._browser.write(head if lost else head + frames.binary_frame(rfb.VERSION))
        if lost:
            self.desk_lost()

    # The browser's side

    def data_received(self, data: bytes) -> None:
        """Take frames from the browser."""
        self._patience.heard()
        message = None if self._fragments else self._shortcut.payload(data)
        if message is not None and self._frames.state is State.OPEN:
            self._deliver(message)
            return
        self._frames.receive_data(data)
        # After the opening handshake, all events are frames.
        found = [each for each in self._frames.events_received() if isinstance(each, Frame)]
        self._shortcut.parsed(data, (len(frame.data) for frame in found))
        for frame in found:
            self._take(frame)
        self._flush()

    def _take(self, frame: Frame) -> None:
        if self._code or frame.opcode is Opcode.CLOSE:
            return  # answered by the frame protocol already
        control = frame.opcode in (Opcode.PING, Opcode.PONG)
        if (control or not frame.data) and self._patience.too_many_empty_frames():
            self._fail(frames.POLICY, "too many frames without content")
        elif frame.opcode is Opcode.TEXT:
            self._fail(frames.UNSUPPORTED, "binary messages only")
        elif frame.fin and not control and not self._fragments:
            self._deliver(bytes(frame.data))
        elif not control:
            self._fragments.append(bytes(frame.data))
            if len(self._fragments) > limits.FRAGMENTS:
                self._fail(frames.TOO_BIG, "too many fragments")
            elif frame.fin:
                message = b"".join(self._fragments)
                self._fragments.clear()
                self._deliver(message)

    def _deliver(self, message: bytes) -> None:
        if not self._handshake.done:
            reply, message = self._handshake.feed(message)
            if reply:
                self._browser.write(frames.binary_frame(reply))
            if self._handshake.refused is not None:
                self.close(frames.PROTOCOL_ERROR, self._handshake.refused)
                return
        if message and (self.joined or self._join()):
            # One write a message: up to 1.15, Xvnc loses step when SetDesktopSize is split.
            self.received += len(message)
            self._link.transport.write(message)

    def _join(self) -> bool:
        self.joined = not self.guest
        if self.joined:
            self._on_joined(self)
            log.info(f"{self.name} joined")
        else:
            self.close(frames.TRY_LATER, "no place left")
        return self.joined

    def tell(self, news: str) -> None:
        """Say who is here, to a page that wants to know."""
        if self._news is not None and not self._code:
            self._news = news
            self._browser.write(frames.text_frame(news))

    def _flush(self) -> None:
        """Send what the frame protocol has to say: pongs, pings, close."""
        for chunk in self._frames.data_to_send():
            if chunk:
                self._browser.write(chunk)
            else:
                self._end()
        if self._browser.get_write_buffer_size() > limits.SEND_BUFFER_BYTES:
            self._browser.abort()

    def close(self, code: int, reason: str) -> None:
        """Say why, then end; what is still waiting goes out before."""
        if self._code:
            return
        self._code = code
        if self._frames.state is State.OPEN:
            self._frames.send_close(code, reason)
        self._say(f"{self.name}: closing with {code}, {reason}")
        self._link.transport.abort()
        self._browser.resume_reading()  # it may be held back, and its goodbye with it
        self._flush()
        self._abort_later()

    def _fail(self, code: int, reason: str) -> None:
        """End for a rule that the browser broke: nothing more of it is read (RFC 6455, 7.1.7)."""
        self._code = code
        self._say(f"{self.name}: failing with {code}, {reason}")
        self._frames.fail(code, reason)

    def _end(self) -> None:
        """Both close frames are through, or the browser broke the rules."""
        self._code = self._code or int(self._frames.close_code or frames.PROTOCOL_ERROR)
        self._link.transport.abort()
        if self._browser.can_write_eof():
            self._browser.write_eof()
            self._abort_later()
        else:
            self._browser.close()

    def _abort_later(self) -> None:
        asyncio.get_running_loop().call_later(limits.CLOSE_SECONDS, self._browser.abort)

    def pause_writing(self) -> None:
        """The browser takes no more: stop reading from Xvnc."""
        self._patience.stopped_taking(self._browser.get_write_buffer_size())
        self._link.transport.pause_reading()

    def resume_writing(self) -> None:
        """The browser takes more again."""
        self._patience.takes_again()
        self._link.transport.resume_reading()

    def eof_received(self) -> bool:
        """Half-open is closed."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of Xvnc."""
        self._code = self._code or frames.GOING_AWAY  # nobody is left to tell
        self._link.transport.abort()
        self._say(f"{self.name} left after {self._patience.age:.0f} s")
        self._on_gone(self)

    def _say(self, text: str) -> None:
        # Probes come every few seconds: who never joined is no news.
        (log.info if self.joined else log.debug)(text)

    def abort(self) -> None:
        """End without a goodbye."""
        self._browser.abort()

    # Xvnc's side

    def from_desk(self, data: memoryview) -> None:
        """Pass Xvnc's bytes on as one frame."""
        if not self._code:
            self.sent += len(data)
            self._browser.write(frames.binary_frame(data))

    def desk_lost(self) -> None:
        """Xvnc died or sent us away."""
        self.close(frames.INTERNAL_ERROR, "the desktop went away")

    def pause_desk_writing(self) -> None:
        """Xvnc takes no more: stop reading from the browser."""
        self._browser.pause_reading()

    def resume_desk_writing(self) -> None:
        """Xvnc takes more again."""
        self._browser.resume_reading()

    # Time and tokens

    def keep(self, token: Token | None) -> None:
        """Go on under a re-read token, or end when it is gone or has another role."""
        access = self.access.under(token)
        if access is None:
            self.close(frames.POLICY, "revoked")
        else:
            self.access = access

    def tick(self, now: float) -> None:
        """Look at the clocks.

        Args:
            now: seconds since the epoch, for expiry; all else is by the monotonic clock.
        """
        patience = self._patience
        if self.access.ends is not None and now >= self.access.ends:
            self.close(frames.POLICY, "expired")
        elif patience.dead:
            self._browser.abort()
        elif not self.joined and patience.age >= limits.FIRST_MESSAGE_SECONDS:
            self.close(frames.POLICY, "nothing said")
        elif patience.stalled(self._browser.get_write_buffer_size()):
            self.close(frames.TRY_LATER, "too slow")
        elif not self._code and patience.ping_is_due():
            self._frames.send_ping(b"")
            self._flush()
            self.tell(self._news or "")  # what a page's script can hear, which a ping is not
