"""The addresses by which a page shares its desktop: loans of control, and links to watch. Pure.

A loan is between sessions, so it needs one. A link that only watches and ends by itself is all of
the tokens that a cookie can make; the rest takes the token (`api`).
"""

from __future__ import annotations

from deskgate.gate import limits
from deskgate.gate.access import Access
from deskgate.gate.answers import json_headers, plain
from deskgate.gate.bodies import BadBodyError, base_of, read_body, refuse, seconds_in
from deskgate.gate.messages import (
    Answer,
    Change,
    Context,
    Decision,
    LoanChange,
    Request,
    TokenChange,
)
from deskgate.tokens import OWNER, Role

LOANS, LINKS = "api/loans", "api/watch-links"
GUEST = "guest-"


def decide_sharing(request: Request, name: str, access: Access, context: Context) -> Decision:
    """Decide about an address of these; its credential did not stand in a query."""
    if request.method != "POST":
        return plain(context, 405, ("Allow", "POST"))
    if access.token is None:  # everybody controls, and there are no links to make
        return plain(context, 404)
    if name == LINKS:
        return _watch_link(request, access, context)
    if name == LOANS:
        return _lend(request, access, context)
    handle, _, action = name.removeprefix(f"{LOANS}/").partition("/")
    loan = context.loans.named(handle)
    if loan is None or action != "end":
        return plain(context, 404)
    # Who controls, and who borrowed, may end it: it only takes rights away.
    if access.role is not Role.CONTROL and context.loans.to(access.session) != loan:
        return plain(context, 403)
    return LoanChange(access=access, headers=json_headers(context), loan=loan)


def _lend(request: Request, access: Access, context: Context) -> Answer | LoanChange:
    if access.role is not Role.CONTROL or access.session is None:
        return plain(context, 403)
    try:
        body = read_body(request, {"to"}, example='{"to": "0123456789abcdef"}')
        if "to" not in body:
            raise BadBodyError("to: give the id of somebody who watches")
    except BadBodyError as error:
        return refuse(context, 400, str(error))
    return LoanChange(access=access, headers=json_headers(context), to=body["to"])


def _watch_link(request: Request, access: Access, context: Context) -> Answer | TokenChange:
    assert access.token is not None  # noqa: S101 - looked at before
    if access.token.name != OWNER or access.role is not Role.CONTROL:
        return plain(context, 403)
    try:
        body = read_body(request, {"ttl", "base_url"}, example='{"ttl": "1h"}')
        base = base_of(body.get("base_url"), context)
        seconds = seconds_in(body) or limits.WATCH_LINK_SECONDS
        if seconds > limits.WATCH_LINK_SECONDS_AT_MOST:
            raise BadBodyError("ttl: give at most 12h; `deskgate token add` makes longer ones")
    except BadBodyError as error:
        return refuse(context, 400, str(error))
    live = {token.name: token.is_live(context.now) for token in context.tokens}
    spare = {token.name for token in context.tokens if token.role is Role.VIEW}
    for name in (f"{GUEST}{number}" for number in range(1, limits.WATCH_LINKS + 1)):
        if name not in live or (name in spare and not live[name]):
            return TokenChange(
                # The row of one that is over is used again, so that the file does not grow; it
                # keeps its role.
                change=Change.ROTATE if name in live else Change.ADD,
                headers=json_headers(context),
                base=base,
                name=name,
                role=Role.VIEW,
                seconds=seconds,
            )
    return refuse(context, 409, f"there are {limits.WATCH_LINKS} links: revoke one of them")
