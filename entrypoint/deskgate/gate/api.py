"""The addresses for machines: status, metrics, links, tokens, a picture. Pure.

A token in a query opens none of them, as it stands in logs. Tokens are managed with the start's
own control token alone, shown as Bearer: whoever else controls can make no link here. (In the
desktop's terminal he can, where that runs as our user.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from deskgate import links
from deskgate.gate import headers, limits, outside, sharing
from deskgate.gate.access import Access, Carrier
from deskgate.gate.answers import json_headers, plain, unavailable
from deskgate.gate.bodies import BadBodyError, base_of, read_body, refuse, seconds_in
from deskgate.gate.credentials import authorized
from deskgate.gate.messages import (
    Answer,
    Change,
    Context,
    Decision,
    Metrics,
    NewTicket,
    Probe,
    Report,
    Request,
    Screenshot,
    TokenChange,
)
from deskgate.gate.targets import Query
from deskgate.tokens import NAME, OWNER, Role

TOKENS = "api/tokens"
EXAMPLE = '{"name": "alice", "role": "view", "ttl": "30m"}'


def decide_api(
    request: Request,
    name: str,
    query: Query,
    access: Access,
    view: outside.Outside,
    context: Context,
) -> Decision:
    """Decide about an address below `api/`, or `metrics`."""
    if access.carrier is Carrier.QUERY:
        return plain(context, 403)
    # Only a cookie comes by itself, from any page the browser shows, which then makes us work.
    if access.carrier is Carrier.COOKIE and not outside.is_from_our_page(
        request, view, context.config, by_script=True
    ):
        return plain(context, 403)
    if name == "api/tickets":
        return _ticket(request, access, context)
    if name == "api/desktop/url":
        return _read_only(request, context) or _url(request, query, access, context)
    if name == "api/me":
        return _read_only(request, context) or _me(access, context)
    if name == TOKENS or name.startswith(f"{TOKENS}/"):
        return _tokens(request, name, access, context)
    if name == sharing.LINKS or name == sharing.LOANS or name.startswith(f"{sharing.LOANS}/"):
        return sharing.decide_sharing(request, name, access, context)
    common = headers.common(context.config)
    looks: Mapping[str, Decision] = {
        "metrics": Metrics(headers=(*common, headers.METRICS, headers.NO_STORE)),
        "api/status": Report(headers=json_headers(context)),
        "api/screenshot.png": Screenshot(headers=(*common, headers.PNG, headers.NO_STORE)),
    }
    if name not in looks:
        return plain(context, 404)
    if access.role is not Role.CONTROL:
        return plain(context, 403)
    return _read_only(request, context) or looks[name]


def _me(access: Access, context: Context) -> Probe:
    """Who asks, and whether there is a desktop: what a page wants to know that was cut off."""
    body = json.dumps({"role": access.role}).encode()
    good = Answer(status=200, headers=json_headers(context), body=body)
    return Probe(good=good, bad=unavailable(context), stranger=False)


def _read_only(request: Request, context: Context) -> Answer | None:
    return plain(context, 405, ("Allow", "GET, HEAD")) if request.method == "POST" else None


def _url(request: Request, query: Query, access: Access, context: Context) -> Answer | Probe:
    """The link of the token that was shown, for whoever embeds the desktop."""
    if access.carrier is not Carrier.BEARER:
        return plain(context, 403)
    try:
        base = base_of(dict(query).get("base_url"), context)
    except BadBodyError as error:
        return refuse(context, 400, str(error))
    (token,) = authorized(request, "bearer")  # else it were no good one
    link = links.full_link(base, token)
    body = json.dumps({"url": link}).encode()
    good = Answer(status=200, headers=json_headers(context), body=body)
    return Probe(good=good, bad=unavailable(context), stranger=False)


def _ticket(request: Request, access: Access, context: Context) -> Answer | NewTicket:
    if request.method != "POST":
        return plain(context, 405, ("Allow", "POST"))
    if access.token is None:  # nobody needs one
        return plain(context, 404)
    try:
        body = read_body(request, {"ttl", "base_url"}, example='{"ttl": "1m"}')
        seconds = seconds_in(body) or limits.TICKET_SECONDS
        if seconds > limits.TICKET_SECONDS_AT_MOST:
            raise BadBodyError("ttl: give at most 10m")
        base = base_of(body.get("base_url"), context)
    except BadBodyError as error:
        return refuse(context, 400, str(error))
    return NewTicket(access=access, base=base, seconds=seconds, headers=json_headers(context))


def _tokens(request: Request, name: str, access: Access, context: Context) -> Answer | TokenChange:
    owner = access.token is not None and access.token.name == OWNER
    if not owner or access.role is not Role.CONTROL or access.carrier is not Carrier.BEARER:
        return plain(context, 403)
    which, _, action = name.removeprefix(TOKENS).removeprefix("/").partition("/")
    answered = json_headers(context)
    if which and action not in {"rotate", "revoke"}:
        return plain(context, 404)
    if request.method != "POST":
        if which:
            return plain(context, 405, ("Allow", "POST"))
        return TokenChange(change=Change.LIST, headers=answered)
    try:
        body = read_body(request, {"name", "role", "ttl", "base_url"}, example=EXAMPLE)
        base, seconds = base_of(body.get("base_url"), context), seconds_in(body)
        if not which:
            return TokenChange(
                change=Change.ADD,
                headers=answered,
                base=base,
                name=_name(body),
                role=_role(body),
                seconds=seconds,
            )
    except BadBodyError as error:
        return refuse(context, 400, str(error))
    change = Change(action)
    return TokenChange(change=change, headers=answered, base=base, name=which, seconds=seconds)


def _name(body: Mapping[str, str]) -> str:
    if not NAME.fullmatch(body.get("name", "")):
        raise BadBodyError("name: give up to 64 letters, digits and . _ - such as alice")
    return body["name"]


def _role(body: Mapping[str, str]) -> Role:
    try:
        return Role(body.get("role", Role.VIEW))
    except ValueError:
        raise BadBodyError("role: give control or view") from None
