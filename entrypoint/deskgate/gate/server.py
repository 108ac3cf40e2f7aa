"""HTTP on one connection: h11 parses, the policy decides, this sends. Until a WebSocket begins."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import h11

from deskgate.gate import actions, limits, log, policy
from deskgate.gate.answers import on_the_wire, plain
from deskgate.gate.desk import DeskLink
from deskgate.gate.keeper import Keeper
from deskgate.gate.lines import LineCheck
from deskgate.gate.messages import Answer, Context, Probe, Request, Upgrade
from deskgate.gate.outside import see
from deskgate.tokens import Role

# What h11 keeps of a head that is not whole yet.
HEAD_BYTES = limits.HEADER_BYTES + limits.TARGET_BYTES


class Connection(asyncio.Protocol):
    """One browser connection."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        self._lines = LineCheck()
        self._request: Request | None = None
        self._body = b""
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0  # bytes of the last answer that the client has not taken
        self._lingered: int | None = None  # bytes thrown away since we refused; None before
        self._task: asyncio.Task[None] | None = None
        self._arriving: Role | None = None  # asked for a viewer's place and has none yet
        self._idle = False  # between two requests
        self._silent = True  # nothing came on this connection yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock; the oldest stranger makes room."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]).removeprefix("::ffff:") if address else "unix"
        self._keeper.connections.add(self)
        self._clock(limits.REQUEST_SECONDS, self._too_slow)
        oldest = self._keeper.strangers.add(self)
        if oldest is not None:
            oldest.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._keeper.connections.discard(self)
        self._keeper.strangers.remove(self)
        self._stop_clock()
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    def make_room(self) -> None:
        """Go for a newer stranger."""
        if self._task is None and self._lingered is None:
            self._refuse(503)
        else:
            self._transport.abort()

    # Clocks

    def _clock(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_clock()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _too_slow(self) -> None:
        if self._silent:
            self._transport.close()
        else:
            self._refuse(408)

    def _idled(self) -> None:
        """Nothing new came; go, unless the client is still taking its answer."""
        left = self._transport.get_write_buffer_size()
        if 0 < left < self._waiting:
            self._waiting = left
            self._clock(limits.KEEP_ALIVE_SECONDS, self._idled)
        elif left:
            self._transport.abort()
        else:
            self._transport.close()

    # Reading

    def data_received(self, data: bytes) -> None:
        """Take bytes of requests."""
        if self._lingered is not None:
            self._lingered += len(data)
            if self._lingered > limits.LINGER_BYTES:
                self._transport.abort()
            return
        self._silent = False
        if self._idle:
            self._idle = False
            self._clock(limits.REQUEST_SECONDS, self._too_slow)
        if not self._lines.allows(data):
            self._refuse(400)
            return
        self._http.receive_data(data)
        self._read()

    def _read(self) -> None:
        while self._lingered is None and self._task is None:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(error.error_status_hint)
                return
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body += event.data  # no longer than its Content-Length, checked before
            elif isinstance(event, h11.EndOfMessage):
                self._decide()
            else:  # NEED_DATA or PAUSED
                return

    def _begin(self, event: h11.Request) -> None:
        self._body = b""
        self._request = actions.request_of(event, self._peer)
        refusal = policy.check_head(self._request, self._keeper.context())
        if refusal is not None:
            self._send(refusal)
        elif self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[]))

    # Deciding

    def _decide(self) -> None:
        assert self._request is not None  # noqa: S101 - h11 ends no message it did not begin
        request = self._request = replace(self._request, body=self._body)
        context = self._keeper.context()
        decision = policy.decide(request, context)
        refused = isinstance(decision, Answer) and decision.status >= 400
        if not refused and not isinstance(decision, Probe):
            self._keeper.strangers.remove(self)
        if isinstance(decision, Upgrade | Probe):
            self._stop_clock()
            self._transport.pause_reading()
            self._task = asyncio.ensure_future(self._ask_desk(request, decision, context))
            if isinstance(decision, Upgrade) and not decision.guest:
                # Now, not in the task: requests that come in one go must see each other.
                self._arriving = decision.access.role
                self._keeper.arriving[self._arriving] += 1
            self._task.add_done_callback(self._asked)
        else:
            self._send(actions.answer(request, decision, self._keeper))

    async def _ask_desk(
        self, request: Request, decision: Upgrade | Probe, context: Context
    ) -> None:
        if isinstance(decision, Probe):
            self._resume(await actions.probe(decision, self._keeper))
            return
        met = await actions.meet_desk(decision, self._keeper, context)
        if isinstance(met, Answer):
            self._resume(met)
        else:
            self._switch(request, decision, met)

    def _arrived(self) -> None:
        if self._arriving is not None:
            self._keeper.arriving[self._arriving] -= 1
            self._arriving = None

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._arrived()
        if not task.cancelled() and task.exception() is not None:
            self._transport.abort()  # our bug; asyncio's handler has logged nothing yet
            log.error(f"a request failed: {task.exception()!r}")

    def _resume(self, answer: Answer) -> None:
        self._task = None
        self._send(answer)
        self._transport.resume_reading()
        self._read()

    def _switch(self, request: Request, decision: Upgrade, link: DeskLink) -> None:
        """Say 101 and hand the connection over; nothing here runs for it any more."""
        from deskgate.gate.relay import Viewer  # late: only a viewer needs it

        self._write(h11.InformationalResponse(status_code=101, headers=list(decision.headers)))
        early, _ = self._http.trailing_data
        viewer = Viewer(
            self._transport,
            link,
            access=decision.access,
            client=see(request, self._keeper.config).client,
            guest=decision.guest,
            on_gone=self._keeper.viewers.discard,
        )
        self._keeper.connections.discard(self)
        self._arrived()
        self._keeper.admit(viewer)
        self._transport.set_protocol(viewer)
        self._transport.resume_reading()
        viewer.start(early)

    # Sending

    def _refuse(self, status: int) -> None:
        self._send(plain(self._keeper.context(), status, close=True))

    def _send(self, answer: Answer) -> None:
        headers = on_the_wire(answer, actions.http_date(time.time()))
        with_body = self._request is None or self._request.method != "HEAD"
        try:
            self._write(h11.Response(status_code=answer.status, headers=headers))
            if answer.body and with_body and answer.status not in {204, 304}:
                self._write(h11.Data(data=answer.body))
            self._write(h11.EndOfMessage())
        except h11.LocalProtocolError:
            self._transport.abort()  # the client broke off where no answer can follow
            return
        if answer.close or self._http.our_state is not h11.DONE:
            self._linger()
        else:
            self._http.start_next_cycle()
            self._idle = True
            self._waiting = self._transport.get_write_buffer_size() + 1
            self._clock(limits.KEEP_ALIVE_SECONDS, self._idled)

    def _write(self, event: h11.Event) -> None:
        self._transport.write(self._http.send(event) or b"")

    def _linger(self) -> None:
        """Let the client read the refusal: closing on bytes not yet read would reset it away."""
        self._lingered = 0
        self._clock(limits.LINGER_SECONDS, self._transport.abort)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:  # TLS has no half-closing
            self._transport.close()
