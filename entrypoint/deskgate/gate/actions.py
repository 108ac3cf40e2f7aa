"""What comes before a decision (a request) and what it sets off: files, counts, questions."""

from __future__ import annotations

import json
import time

import h11

from deskgate.gate import log, pages
from deskgate.gate.answers import plain, unavailable
from deskgate.gate.desk import DeskError, DeskLink
from deskgate.gate.keeper import Keeper
from deskgate.gate.messages import (
    Answer,
    Context,
    Logout,
    Probe,
    Report,
    Request,
    ServeFile,
    Upgrade,
)
from deskgate.gate.outside import see


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


def answer(
    request: Request, decision: Answer | ServeFile | Report | Logout, keeper: Keeper
) -> Answer:
    """Carry out a decision that needs no waiting."""
    match decision:
        case ServeFile():
            return _file(request, decision, keeper)
        case Report():
            control, view = keeper.count()
            body = json.dumps({"viewers": {"control": control, "view": view}}).encode()
            return Answer(status=200, headers=decision.headers, body=body)
        case Logout():
            keeper.log_out(decision.session)
            return decision.answer
        case _:
            if decision.status in {401, 403}:
                log.debug(f"refused {see(request, keeper.config).client} with {decision.status}")
            return decision


def _file(request: Request, decision: ServeFile, keeper: Keeper) -> Answer:
    page = keeper.files[decision.name]
    try:
        return pages.serve(page, decision.headers, request.words("if-none-match"))
    except OSError as error:  # it was there when we started
        log.warning(f"cannot serve {decision.name}: {error.strerror}")
        return plain(keeper.context(), 404)


async def probe(decision: Probe, keeper: Keeper) -> Answer:
    """Ask Xvnc for its greeting; tell no more than yes or no."""
    good = await keeper.desk.greets()
    status, body = (200, b"ok\n") if good else (503, b"no\n")
    return Answer(status=status, headers=decision.headers, body=body)


async def meet_desk(decision: Upgrade, keeper: Keeper, context: Context) -> DeskLink | Answer:
    """Get through Xvnc's handshake before the upgrade is granted; 503 when it is not up."""
    role = decision.access.role
    try:
        link = await keeper.desk.open(role)
    except DeskError as error:
        if keeper.trouble != str(error):  # noVNC tries again every second
            log.warning(f"no desktop for a {role} viewer: {error}")
        keeper.trouble = str(error)
        return unavailable(context)
    keeper.trouble = ""
    return link
