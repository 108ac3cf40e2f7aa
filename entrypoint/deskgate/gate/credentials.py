"""Who a request comes from: Bearer header, token or ticket in the query, or cookie. Pure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from deskgate.gate.access import Access, Carrier
from deskgate.gate.messages import Context, Request
from deskgate.gate.outside import Outside
from deskgate.gate.sessions import (
    Session,
    cookie_name,
    files_key,
    issue_cookie,
    read_cookie,
    set_cookie,
)
from deskgate.gate.tickets import find_ticket
from deskgate.tokens import Role, Token, find_token


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a request's credentials are worth.

    Args:
        access: None when there is no good one.
        wrong: a token or ticket came that is none.
        stale: roles whose cookie counts here, came and is dead, so the answer takes it away.
    """

    access: Access | None
    wrong: bool = False
    stale: tuple[Role, ...] = ()


def check_token(candidate: str, context: Context) -> Token | None:
    """Find the live token that a text is. Only the exact bytes of one pass."""
    return find_token(context.tokens, candidate, context.now)


def check_ticket(candidate: str, context: Context) -> Access | None:
    """The access that a text is a ticket for. Whoever uses it has to spend it."""
    found = find_ticket(
        context.tickets,
        candidate,
        tokens=context.tokens,
        denied=context.denied,
        now=context.now,
    )
    if found is None:
        return None
    key, ticket = found
    return Access(
        role=ticket.token.role,
        carrier=Carrier.TICKET,
        token=ticket.token,
        session=ticket.session,
        ticket=key,
        ends=ticket.token.expires if ticket.session is None else ticket.session.ends,
    )


def identify(
    request: Request,
    query_token: str | None,
    ticket: str | None,
    outside: Outside,
    context: Context,
    *,
    watching: bool = False,
) -> Finding:
    """Find the access a request has.

    What it says most plainly decides, alone: a wrong token is refused even when a good cookie
    comes with it, or a link would seem to work that works for nobody else.

    Args:
        ticket: None where a ticket does not count.
        watching: of two cookies, the one that only watches; otherwise the one that controls.
    """
    if context.config.open:
        return Finding(access=Access(role=Role.CONTROL, carrier=Carrier.NONE))
    bearers = authorized(request, "bearer")
    if bearers:
        token = check_token(bearers[0], context) if len(bearers) == 1 else None
        return _finding(_access(token, Carrier.BEARER))
    kept = authorized(request, "session")
    if kept:
        return Finding(access=_session_access(_session(kept, context), Carrier.PAGE))
    if query_token is not None:
        if not context.config.query_tokens:  # right or wrong: it stands in logs by now
            return Finding(access=None)
        return _finding(_access(check_token(query_token, context), Carrier.QUERY))
    if ticket is not None:
        return _finding(check_ticket(ticket, context))
    # A cookie that does not count here may be a good one elsewhere: it stays.
    roles = (Role.VIEW,) if watching else (Role.CONTROL, Role.VIEW)
    came = {role: cookie_values(request, _name(role, outside, context)) for role in roles}
    for role in roles:
        access = _session_access(_session(came[role], context), Carrier.COOKIE)
        if access is not None and access.role is role:
            return Finding(access=access)
    return Finding(access=None, stale=tuple(role for role in roles if came[role]))


def authorized(request: Request, scheme: str) -> list[str]:
    """What the Authorization headers of a scheme hold; a proxy's own Basic is not for us."""
    shown = [value.partition(" ") for value in request.all("authorization")]
    return [text.strip() for word, _, text in shown if word.lower() == scheme]


def _session_access(session: Session | None, carrier: Carrier) -> Access | None:
    if session is None:
        return None
    token = session.token
    return Access(role=token.role, carrier=carrier, token=token, session=session, ends=session.ends)


def _finding(access: Access | None) -> Finding:
    return Finding(access=access, wrong=access is None)


def _access(token: Token | None, carrier: Carrier) -> Access | None:
    if token is None:
        return None
    return Access(role=token.role, carrier=carrier, token=token, ends=token.expires)


def _session(values: list[str], context: Context) -> Session | None:
    # Two of one name were planted or are leftovers: neither can be told to be ours.
    if len(values) != 1:
        return None
    session = read_cookie(values[0], context.tokens, context.boot_secret, now=context.now)
    return None if session is None or context.denied.holds(session) else session


def cookie_values(request: Request, name: str) -> list[str]:
    """Every value the Cookie headers hold under a name."""
    pairs = [pair.strip() for line in request.all("cookie") for pair in line.split(";")]
    return [pair[len(name) + 1 :] for pair in pairs if pair.startswith(f"{name}=")]


def new_session(token: Token, context: Context, of: Session | None = None) -> str:
    """A new session each time somebody logs in (OWASP ASVS 5.0, 7.2.4).

    Args:
        of: the session that asked for the ticket that was shown. Then that one goes on: else who
            has a cookie could make new ones for ever, past its end and its logout.
    """
    issued, chance = context.now, context.chance
    if of is not None:
        issued, chance = of.issued, bytes.fromhex(of.session_id)
    return issue_cookie(token, context.boot_secret, now=issued, chance=chance)


def new_cookie(
    token: Token, outside: Outside, context: Context, of: Session | None = None
) -> tuple[str, str]:
    """The header that logs a browser in. See `new_session`."""
    return _header(token.role, new_session(token, context, of), outside, context)


def opens_files(key: str, context: Context) -> bool:
    """Whether a text is the key to noVNC's files; looks at every token, as `find_token` does."""
    found = False
    for token in context.tokens:
        expected = files_key(token, context.boot_secret)
        if hmac.compare_digest(expected.encode(), key.encode()) and token.is_live(context.now):
            found = True
    return found


def no_cookie(role: Role, outside: Outside, context: Context) -> tuple[str, str]:
    """The header that takes a role's cookie away."""
    return _header(role, "", outside, context)


def _name(role: Role, outside: Outside, context: Context) -> str:
    config = context.config
    return cookie_name(role, config.cookie_suffix, secure=outside.secure, subpath=config.subpath)


def _header(role: Role, value: str, outside: Outside, context: Context) -> tuple[str, str]:
    config = context.config
    framed = bool(config.frame_ancestors) and (outside.secure or outside.loopback)
    return "Set-Cookie", set_cookie(
        _name(role, outside, context),
        value,
        subpath=config.subpath,
        secure=outside.secure,
        framed=framed,
    )
