"""HTTP on one connection: h11 parses, the policy decides, this sends. Until a WebSocket begins."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import h11

from deskgate.gate import actions, limits, log, policy
from deskgate.gate.answers import on_the_wire, plain
from deskgate.gate.channel import Channel
from deskgate.gate.company import Arrival
from deskgate.gate.desk import DeskLink
from deskgate.gate.keeper import Keeper
from deskgate.gate.lines import has_one_reading
from deskgate.gate.messages import (
    Answer,
    Context,
    Decision,
    Probe,
    Request,
    Screenshot,
    Upgrade,
    WrongToken,
)
from deskgate.gate.outside import see

# What h11 keeps of a head that is not whole yet.
HEAD_BYTES = limits.HEADER_BYTES + limits.TARGET_BYTES


class Connection(Channel):
    """One browser connection."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__()
        self._keeper = keeper
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        self._unread = b""  # of what came, what the parser has not taken
        self._request: Request | None = None
        self._body = b""
        self._task: asyncio.Task[None] | None = None
        self._arriving: Arrival | None = None  # asked for a viewer's place and has none yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock; another stranger makes room."""
        super().connection_made(transport)
        self._keeper.connections.add(self)
        self._clock(limits.REQUEST_SECONDS, self._too_slow)
        goner = self._keeper.strangers.add(self)
        if goner is not None:
            goner.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._keeper.forget(self)
        self._stop_clock()
        if self._task is not None:
            self._task.cancel()

    def make_room(self) -> None:
        """Go for a newer stranger."""
        if self.silent or self.idle or self._over or self._task is not None:
            self._transport.abort()
        else:
            self._refuse(503)

    def _too_slow(self) -> None:
        if self.silent:
            self._transport.close()
        else:
            self._refuse(408)

    # Reading

    def data_received(self, data: bytes) -> None:
        """Take bytes of requests."""
        if self._over:
            self._throw_away(data)
            return
        self.silent = False
        if self.idle:
            self.idle = False
            self._clock(limits.REQUEST_SECONDS, self._too_slow)
        self._unread += data
        self._http.receive_data(data)
        self._read()

    def _read_on(self) -> None:
        if self._task is None and not self._full:
            self._transport.resume_reading()
            self._read()

    def _read(self) -> None:
        while not (self._over or self._full or self._task):
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                # 501 is h11's for a coding that it does not know; with a length it smuggles.
                self._refuse(400 if error.error_status_hint == 501 else error.error_status_hint)
                return
            taken = self._taken()
            if isinstance(event, h11.Request):
                self._begin(event, taken)
            elif isinstance(event, h11.Data):
                self._body += event.data  # no longer than its Content-Length, checked before
            elif isinstance(event, h11.EndOfMessage):
                self._decide()
            else:  # NEED_DATA or PAUSED
                # Not only when the head is whole: another protocol's first line has no end of ours.
                if self._http.their_state is h11.IDLE and not has_one_reading(self._unread):
                    self._refuse(400)
                return

    def _taken(self) -> bytes:
        """The bytes that the last event was made of."""
        rest, _ = self._http.trailing_data
        taken, self._unread = self._unread[: len(self._unread) - len(rest)], rest
        return taken

    def _begin(self, event: h11.Request, head: bytes) -> None:
        self._body = b""
        self._request = actions.request_of(event, self.peer)
        if not has_one_reading(head):
            self._refuse(400)
            return
        refusal = policy.check_head(self._request, self._keeper.context())
        if refusal is not None:
            self._send(refusal)
        elif self._http.they_are_waiting_for_100_continue:
            goes_on = h11.InformationalResponse(status_code=100, headers=[])
            self._transport.write(self._http.send(goes_on) or b"")

    # Deciding

    def _decide(self) -> None:
        assert self._request is not None  # noqa: S101 - h11 ends no message it did not begin
        request = self._request = replace(self._request, body=self._body)
        context = self._keeper.context()
        decision = policy.decide(request, context)
        if _is_known(decision):
            goner = self._keeper.greet(self)
            if goner is not None:
                goner.abort()
        if isinstance(decision, Upgrade | Probe | Screenshot):
            self._stop_clock()
            self._transport.pause_reading()
            self._task = asyncio.ensure_future(self._ask_desk(request, decision, context))
            if isinstance(decision, Upgrade):
                if decision.access.ticket is not None:
                    self._keeper.tickets.spend(decision.access.ticket)
                # Now, not in the task: requests that come in one go must see each other.
                self._arriving = (decision.access.role, decision.guest)
                self._keeper.arriving[self._arriving] += 1
            self._task.add_done_callback(self._asked)
        else:
            self._send(actions.answer(request, decision, self._keeper))

    async def _ask_desk(
        self, request: Request, decision: Upgrade | Probe | Screenshot, context: Context
    ) -> None:
        if isinstance(decision, Probe):
            self._resume(await actions.probe(decision, self._keeper))
            return
        if isinstance(decision, Screenshot):
            from deskgate.gate.screenshot import take  # late: few gates are asked for one

            self._resume(await take(decision, self._keeper))
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
        self._read_on()

    def _switch(self, request: Request, decision: Upgrade, link: DeskLink) -> None:
        """Say 101 and hand the connection over; nothing here runs for it any more."""
        from deskgate.gate.relay import Viewer  # late: only a viewer needs it

        switching = h11.InformationalResponse(status_code=101, headers=list(decision.headers))
        head = self._http.send(switching) or b""
        early, _ = self._http.trailing_data
        viewer = Viewer(
            self._transport,
            link,
            upgrade=decision,
            client=see(request, self._keeper.config).client,
            on_joined=self._keeper.welcome,
            on_gone=self._keeper.gone,
        )
        self._keeper.forget(self)
        self._arrived()
        self._keeper.admit(viewer)
        self._transport.set_protocol(viewer)
        self._transport.resume_reading()
        viewer.start(head)
        self._keeper.tell(viewer)
        # Its token may have been revoked, or its loan ended, while we asked Xvnc.
        self._keeper.look_at(viewer)
        if early:
            viewer.data_received(early)

    # Sending

    def _refuse(self, status: int) -> None:
        self._send(plain(self._keeper.context(), status, close=True))

    def _send(self, answer: Answer) -> None:
        self._keeper.counts.answers[answer.status] += 1
        headers = on_the_wire(answer, actions.http_date(time.time()))
        with_body = self._request is None or self._request.method != "HEAD"
        try:
            pieces = [self._http.send(h11.Response(status_code=answer.status, headers=headers))]
            if answer.body and with_body and answer.status not in {204, 304}:
                pieces.append(self._http.send(h11.Data(data=answer.body)))
            pieces.append(self._http.send(h11.EndOfMessage()))
        except h11.LocalProtocolError:
            self._transport.abort()  # the client broke off where no answer can follow
            return
        # One packet, if it fits.
        self._transport.writelines([piece for piece in pieces if piece])
        if answer.close:
            self._linger()
        elif self._http.our_state is not h11.DONE:
            self._finish()
        else:
            self._http.start_next_cycle()
            self._rest()


def _is_known(decision: Decision) -> bool:
    """Whether the request showed a good credential."""
    if isinstance(decision, Probe):
        return not decision.stranger
    refused = isinstance(decision, Answer) and decision.status >= 400
    return not refused and not isinstance(decision, WrongToken)
