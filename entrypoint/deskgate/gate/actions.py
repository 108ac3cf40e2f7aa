"""What comes before a decision (a request) and what it sets off: files, counts, questions."""

from __future__ import annotations

import json
import os
import time

import h11

from deskgate.gate import log, metrics, pages
from deskgate.gate.answers import plain, too_many, unavailable
from deskgate.gate.desk import DeskAwayError, DeskError, DeskLink
from deskgate.gate.keeper import Keeper
from deskgate.gate.loans import CannotLendError
from deskgate.gate.messages import (
    Answer,
    Context,
    LoanChange,
    Logout,
    Metrics,
    NewTicket,
    Probe,
    Prompt,
    Report,
    Request,
    ServeFile,
    TokenChange,
    Upgrade,
    WrongToken,
)
from deskgate.gate.outside import see
from deskgate.gate.tickets import Ticket
from deskgate.links import once_link
from deskgate.tokens import TICKET_BYTES


def request_of(event: h11.Request, peer: str) -> Request:
    """A parsed head as the policy takes it, still without its body."""
    return Request(
        method=event.method.decode("ascii"),
        target=event.target.decode("ascii"),
        version=event.http_version.decode("ascii"),
        headers=tuple(
            (name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers
        ),
        peer=peer,
    )


def http_date(seconds: float) -> str:
    """Seconds since the epoch as RFC 9110, 5.6.7, wants it. Not in a locale: we set none."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))


def answer(request: Request, decision: Prompt, keeper: Keeper) -> Answer:
    """Carry out a decision that needs no waiting."""
    match decision:
        case ServeFile():
            return _file(request, decision, keeper)
        case WrongToken():
            return _wrong_token(decision, keeper)
        case Report():
            told = {
                "viewers": keeper.by_role(),
                "names": keeper.by_name(),
                "loans": [loan.told for loan in keeper.loans.each],
            }
            return Answer(status=200, headers=decision.headers, body=_json(told))
        case Metrics():
            body = metrics.describe(keeper).encode()
            return Answer(status=200, headers=decision.headers, body=body)
        case NewTicket():
            return _ticket(decision, keeper)
        case LoanChange():
            return _change_loan(decision, keeper)
        case TokenChange():
            from deskgate.gate import changes  # late: few gates are asked for it

            return changes.change_tokens(decision, keeper)
        case Logout():
            keeper.log_out(decision.session)
            return decision.answer
        case _:
            if decision.ticket is not None:
                keeper.tickets.spend(decision.ticket)
            if decision.status in {401, 403}:
                log.debug(f"refused {see(request, keeper.config).client} with {decision.status}")
            return decision


def _wrong_token(decision: WrongToken, keeper: Keeper) -> Answer:
    wait = keeper.failures.charge(decision.client, time.monotonic())
    if wait:
        return too_many(keeper.context(), wait)
    log.debug(f"refused {decision.client}: wrong token")
    return decision.answer


def _ticket(decision: NewTicket, keeper: Keeper) -> Answer:
    token = decision.access.token
    assert token is not None  # noqa: S101 - the policy gives none to nobody
    text, now = os.urandom(TICKET_BYTES).hex(), keeper.now()
    until = now + decision.seconds
    ticket = Ticket(token=token, session=decision.access.session, until=until)
    keeper.tickets.add(text, ticket, now)
    url = once_link(decision.base, text)
    told = {"ticket": text, "url": url, "expires_in": decision.seconds}
    return Answer(status=201, headers=decision.headers, body=_json(told))


def _change_loan(decision: LoanChange, keeper: Keeper) -> Answer:
    status, told = 200, decision.loan.told if decision.loan else {}
    if decision.loan is not None:
        keeper.end_loan(decision.loan, decision.access)
    else:
        try:
            status, told = 201, keeper.lend(decision.access, decision.to).told
        except CannotLendError as error:
            status, told = 409, {"error": str(error)}
    return Answer(status=status, headers=decision.headers, body=_json(told))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _file(request: Request, decision: ServeFile, keeper: Keeper) -> Answer:
    page = keeper.files[decision.name]
    try:
        known, codings = request.words("if-none-match"), request.words("accept-encoding")
        return pages.serve(page, decision.headers, known, codings)
    except OSError as error:  # it was there when we started
        log.warning(f"cannot serve {decision.name}: {error.strerror}")
        return plain(keeper.context(), 404)


async def probe(decision: Probe, keeper: Keeper) -> Answer:
    """Ask Xvnc for its greeting; one answer or the other."""
    return decision.good if await keeper.desk.greets() else decision.bad


async def meet_desk(decision: Upgrade, keeper: Keeper, context: Context) -> DeskLink | Answer:
    """Get through Xvnc's handshake before the upgrade is granted; 503 when it is not up."""
    role = decision.role
    try:
        link = await keeper.desk.open(role)
    except DeskError as error:
        if keeper.trouble != str(error):  # noVNC tries again every second
            say = log.info if isinstance(error, DeskAwayError) else log.warning
            say(f"no desktop for a {role} viewer: {error}")
        keeper.trouble = str(error)
        return unavailable(context)
    keeper.trouble = ""
    return link
