"""The gate's rules: what a request gets, from the request, tokens, settings and time. Pure.

The order is the point. What is said before the credential is looked at is the same for every
path, so that nobody without one learns which paths exist.
"""

from __future__ import annotations

import json

from deskgate.gate import api, credentials, headers, limits, outside, targets
from deskgate.gate.access import Access, Carrier
from deskgate.gate.answers import json_headers, page_headers, plain, plain_headers, unauthorised
from deskgate.gate.handshake import decide_websocket
from deskgate.gate.messages import (
    Answer,
    Context,
    Decision,
    Logout,
    Probe,
    Request,
    ServeFile,
    WrongToken,
)
from deskgate.gate.sessions import files_key
from deskgate.tokens import Role

READ = "GET, HEAD"
KEY_MARK = "~"  # before a key in a path, for pages that no cookie follows
CODE = (".js", ".css")  # all that such a page has to load
METHODS = ("GET", "HEAD", "POST")
VERSIONS = ("1.0", "1.1")  # h11 takes any, and asks for one Host only in 1.1
PROBES = ("healthz", "readyz")
FORM = "application/x-www-form-urlencoded"
# What noVNC starts with; a person may change these in its panel.
DEFAULTS = {"autoconnect": True, "resize": "remote", "reconnect": True, "reconnect_delay": 1000}
# What no link may change: another server is not ours to point at (the CSP refuses it too).
MANDATORY = {"host": "", "port": 0, "path": "websockify"}
# A watcher cannot resize the screen: scaled, all of it fits into any window.
WATCHING = {"view_only": True, "resize": "scale"}


def decide(request: Request, context: Context) -> Decision:
    """Decide about one whole request."""
    config = context.config
    if (refusal := check_head(request, context)) is not None:
        return refusal
    try:
        target = targets.read_target(request.target)
        tokens = target.tokens
    except targets.BadTargetError:
        return plain(context, 400, close=True)
    place = None if target.path is None else targets.place_of(target.path, config.subpath)
    name = None if place is None else place.name
    if name in PROBES and request.method != "POST":
        return _health(context)
    view = outside.see(request, config)
    if config.open and not _open_allows(request, view, context):
        return plain(context, 403)
    if len(tokens) + len(target.tickets) > 1:
        return plain(context, 400, close=True)
    if place is not None and name == "login" and request.method == "POST":
        return _login(request, tokens, place, view, context)
    if name is not None and name.startswith(KEY_MARK) and request.method != "POST":
        key, _, file = name.removeprefix(KEY_MARK).partition("/")
        if file.endswith(CODE) and file in context.files and credentials.opens_files(key, context):
            return ServeFile(name=file, headers=headers.common(context.config))
    finding = credentials.identify(
        request,
        tokens[0] if tokens else None,
        # A page that is only fetched, by a preview of links say, must not use a ticket up.
        target.tickets[0] if target.tickets and name == "websockify" else None,
        view,
        context,
        watching=place is not None and place.watching,
    )
    if finding.access is None:
        cookies = tuple(credentials.no_cookie(role, view, context) for role in finding.stale)
        answer = unauthorised(context, cookies)
        return WrongToken(answer=answer, client=view.client) if finding.wrong else answer
    if place is None:
        return plain(context, 400, close=True)
    return _route(request, place, target.query, finding.access, view, context)


def check_head(request: Request, context: Context) -> Answer | None:
    """Refuse what is wrong with a request's head, before its body is read."""
    if request.method not in METHODS:
        return plain(context, 405, ("Allow", ", ".join(METHODS)), close=True)
    if len(request.target) > limits.TARGET_BYTES:
        return plain(context, 414, close=True)
    size = sum(len(name) + len(value) + 4 for name, value in request.headers)
    if size > limits.HEADER_BYTES or len(request.headers) > limits.HEADER_COUNT:
        return plain(context, 431, close=True)
    malformed = request.version not in VERSIONS or not request.target.startswith("/")
    # No client of ours chunks a body; with a length beside it, it is a smuggling attempt.
    if malformed or request.all("transfer-encoding"):
        return plain(context, 400, close=True)
    length = request.one("content-length") or "0"
    if not length.isdecimal() or int(length[:20]) > limits.BODY_BYTES:
        return plain(context, 413, close=True)
    return None


def _health(context: Context) -> Probe:
    answered = plain_headers(context)
    return Probe(
        good=Answer(status=200, headers=answered, body=b"ok\n"),
        bad=Answer(status=503, headers=answered, body=b"no\n"),
        stranger=True,
    )


def _open_allows(request: Request, view: outside.Outside, context: Context) -> bool:
    """Without a credential, only the Host and the Origin keep other sites' pages out."""
    if not outside.host_is_known(view, context.config):
        return False
    if not outside.host_may_be_a_proxys(request, context.config):
        return False
    origins = request.all("origin")
    if not origins:
        return not request.all("upgrade")  # a browser's WebSocket always says its Origin
    return len(origins) == 1 and outside.origin_is_ours(origins[0], view, context.config)


def _login(
    request: Request,
    query_tokens: list[str],
    place: targets.Place,
    view: outside.Outside,
    context: Context,
) -> Answer | WrongToken:
    if not outside.is_from_our_page(request, view, context.config):
        return plain(context, 403)
    kind = (request.one("content-type") or "").partition(";")[0].strip().lower()
    try:
        fields = targets.read_fields(request.body.decode("utf-8", "replace"))
    except targets.BadTargetError:
        return plain(context, 400, close=True)
    given = [(name, value.strip()) for name, value in fields if name in {"token", "ticket"}]
    if kind != FORM or query_tokens or len(given) > 1:
        return plain(context, 400, close=True)
    if not given:
        return unauthorised(context)
    kind_of_credential, text = given[0]
    token = spent = session = None
    if kind_of_credential == "token":
        token = credentials.check_token(text, context)
    elif (access := credentials.check_ticket(text, context)) is not None:
        token, spent, session = access.token, access.ticket, access.session
    if token is None:
        return WrongToken(answer=unauthorised(context), client=view.client)
    cookie = credentials.new_cookie(token, view, context, session)
    way = place.way_to(token.role)
    if "application/json" in request.words("accept"):  # our page's script moves on by itself
        told = {"way": way}
        if ("framed", "1") in fields:  # there, browsers may keep no cookie for us
            told["session"] = credentials.new_session(token, context, session)
            told["files"] = files_key(token, context.boot_secret)
        answered = (*json_headers(context), cookie)
        return Answer(status=200, headers=answered, body=_json(told), ticket=spent)
    answered = (*plain_headers(context), cookie, ("Location", way))
    return Answer(status=303, headers=answered, ticket=spent)


def _route(
    request: Request,
    place: targets.Place,
    query: targets.Query,
    access: Access,
    view: outside.Outside,
    context: Context,
) -> Decision:
    name = place.name
    if name == "logout":
        return _logout(request, access, view, context)
    if name == "metrics" or name.startswith("api/"):
        return api.decide_api(request, name, query, access, view, context)
    if request.method == "POST":
        return plain(context, 405, ("Allow", READ))
    if name == "websockify":
        return decide_websocket(request, access, view, context)
    own = name in {"", "login", targets.WATCH[:-1]}
    page = own or name.endswith(".html")
    if access.carrier is Carrier.QUERY and access.token is not None and page:
        cookie = credentials.new_cookie(access.token, view, context)
        location = targets.clean_location("" if own else name, query, place.way_to(access.role))
        answered = (*plain_headers(context), cookie, ("Location", location))
        return Answer(status=303, headers=answered)
    if not own:
        return _content(name, access, context)
    # A page says by its address which of the browser's cookies is meant.
    if access.carrier is Carrier.COOKIE and (way := place.way_to(access.role)) != "./":
        location = targets.clean_location("", query, way)
        return Answer(status=303, headers=(*plain_headers(context), ("Location", location)))
    return Answer(status=200, headers=page_headers(context), body=context.page.opened)


def _content(name: str, access: Access, context: Context) -> Answer | ServeFile:
    if name == "defaults.json":
        return Answer(status=200, headers=json_headers(context), body=_json(DEFAULTS))
    if name == "mandatory.json":
        watching = WATCHING if access.role is Role.VIEW else {}
        body = _json({**MANDATORY, **watching})
        return Answer(status=200, headers=json_headers(context), body=body)
    if name in context.files:
        return ServeFile(name=name, headers=headers.common(context.config))
    return plain(context, 404)


def _logout(
    request: Request, access: Access, view: outside.Outside, context: Context
) -> Answer | Logout:
    if request.method != "POST":
        return plain(context, 405, ("Allow", "POST"))
    if not outside.is_from_our_page(request, view, context.config, by_script=True):
        return plain(context, 403)
    gone = (credentials.no_cookie(access.role, view, context), ("Location", "./"))
    answer = Answer(status=303, headers=(*plain_headers(context), *gone))
    return Logout(session=access.session, answer=answer)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
