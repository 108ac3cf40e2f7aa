"""Who a request comes from. Which of several credentials decides is part of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deskgate.gate import credentials
from deskgate.gate.access import Access, Carrier
from deskgate.gate.credentials import Finding, identify
from deskgate.gate.messages import Context, Request
from deskgate.gate.outside import Outside, see
from deskgate.gate.sessions import LIFETIME_SECONDS, Denied, Session, files_key, read_cookie
from deskgate.gate.tickets import Ticket
from deskgate.tokens import Role, digest_of

from .samples import (
    CHANCE,
    CONTROL,
    CONTROL_TOKEN,
    NOW,
    SECRET,
    VIEW,
    VIEW_TOKEN,
    bearer,
    context,
    cookie,
    request,
)

NOBODY = Finding(access=None)
WRONGLY = Finding(access=None, wrong=True)
WRONG = "x" * 64


def find(
    asked: Request,
    query_token: str | None = None,
    at: Context | None = None,
    *,
    ticket: str | None = None,
    watching: bool = False,
) -> Finding:
    """What the gate finds in a request."""
    given = at or context()
    seen = see(asked, given.config)
    return identify(asked, query_token, ticket, seen, given, watching=watching)


def test_a_request_without_a_credential_is_nobodys() -> None:
    """Closed is the default."""
    assert find(request()) == NOBODY


def test_a_bearer_token_is_its_row() -> None:
    """The role and the end are the row's."""
    ends = VIEW_TOKEN.expires
    assert ends is not None
    assert find(request("/", bearer(VIEW))) == Finding(
        access=Access(role=Role.VIEW, carrier=Carrier.BEARER, token=VIEW_TOKEN, ends=ends)
    )
    assert find(request("/", bearer(VIEW)), at=context(now=ends)) == WRONGLY


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_word_bearer_has_no_case(scheme: str) -> None:
    """RFC 9110, 11.1."""
    assert find(request("/", ("Authorization", f"{scheme}  {CONTROL} "))).access is not None


def test_a_proxys_own_authorization_is_not_for_us() -> None:
    """It stands beside a cookie that is; two of ours are none, even if they are equal."""
    basic = ("Authorization", "Basic eA==")
    assert find(request("/", basic)) == NOBODY
    assert find(request("/", basic, bearer())).access is not None
    assert find(request("/", bearer(), bearer())) == WRONGLY


def test_a_token_of_the_query_is_its_row() -> None:
    """An empty one is a wrong one."""
    expected = Access(role=Role.CONTROL, carrier=Carrier.QUERY, token=CONTROL_TOKEN)
    assert find(request(), CONTROL) == Finding(access=expected)
    assert find(request(), "") == WRONGLY


def test_a_token_of_the_query_counts_only_where_it_may() -> None:
    """VNC_QUERY_TOKEN=false: right or wrong, it stands in logs by now, so both look alike."""
    strict = context(query_tokens=False)
    assert find(request("/", cookie()), CONTROL, strict) == NOBODY
    assert find(request("/", cookie()), WRONG, strict) == NOBODY


SESSION = Session(token=VIEW_TOKEN, session_id="a" * 32, issued=int(NOW))
TICKET = "5f" * 16


def with_ticket(session: Session | None, **changes: object) -> Context:
    """A gate that gave out a ticket."""
    ticket = Ticket(token=VIEW_TOKEN, session=session, until=NOW + 30)
    return context(tickets={digest_of(TICKET): ticket}, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("session", "ends"), [(None, VIEW_TOKEN.expires), (SESSION, SESSION.ends)])
def test_a_ticket_is_the_access_of_who_asked(session: Session | None, ends: float) -> None:
    """It ends with that, and says which ticket is to be spent."""
    access = Access(
        role=Role.VIEW,
        carrier=Carrier.TICKET,
        token=VIEW_TOKEN,
        session=session,
        ticket=digest_of(TICKET),
        ends=ends,
    )
    assert find(request(), ticket=TICKET, at=with_ticket(session)) == Finding(access=access)
    assert find(request(), ticket="x", at=with_ticket(session)) == WRONGLY
    late = with_ticket(session, now=NOW + 30)
    assert find(request("/", cookie()), ticket=TICKET, at=late) == WRONGLY


def test_a_session_goes_on_with_who_logs_in_by_its_ticket() -> None:
    """With the same end and the same logout; otherwise each login is a new one."""
    at = context(now=NOW + 60)
    value = credentials.new_session(VIEW_TOKEN, at, SESSION)
    assert read_cookie(value, at.tokens, SECRET, now=NOW + 60) == SESSION
    fresh = read_cookie(credentials.new_session(VIEW_TOKEN, at), at.tokens, SECRET, now=NOW + 60)
    assert fresh is not None
    assert (fresh.session_id, fresh.issued) == (CHANCE.hex(), NOW + 60)


def test_a_page_without_cookies_shows_its_session_itself() -> None:
    """A script has to do it, so another page's cannot; two are none."""
    value = cookie(VIEW_TOKEN)[1].partition("=")[2]
    shown = ("Authorization", f"Session {value}")
    access = find(request("/", shown)).access
    assert access is not None
    assert (access.role, access.carrier) == (Role.VIEW, Carrier.PAGE)
    assert access.session is not None
    assert access.ends == access.session.ends
    assert find(request("/", shown, shown)) == NOBODY
    assert find(request("/", ("Authorization", "Session x"), cookie())) == NOBODY


def test_the_key_of_the_files_is_that_of_a_live_token() -> None:
    """Of any; in no other writing."""
    at = context()
    for token in (CONTROL_TOKEN, VIEW_TOKEN):
        assert credentials.opens_files(files_key(token, SECRET), at)
    assert not credentials.opens_files("", at)
    assert not credentials.opens_files("é" * 32, at)
    assert not credentials.opens_files(files_key(CONTROL_TOKEN, SECRET).upper(), at)
    assert not credentials.opens_files(files_key(CONTROL_TOKEN, SECRET), context(tokens=()))
    late = context(now=VIEW_TOKEN.expires or 0)
    assert not credentials.opens_files(files_key(VIEW_TOKEN, SECRET), late)


def test_a_cookie_is_its_session() -> None:
    """It ends with itself or with its token."""
    for token, ends in ((CONTROL_TOKEN, NOW + LIFETIME_SECONDS), (VIEW_TOKEN, VIEW_TOKEN.expires)):
        access = find(request("/", cookie(token))).access
        assert access is not None
        assert (access.role, access.token, access.carrier) == (token.role, token, Carrier.COOKIE)
        assert access.session is not None
        assert access.ends == ends


def test_what_is_said_most_plainly_decides_alone() -> None:
    """A link with a wrong token must not seem to work for who has a cookie as well."""
    for wrong in (find(request("/", cookie(), bearer(WRONG))), find(request("/", cookie()), WRONG)):
        assert wrong == WRONGLY
    assert find(request("/", bearer(WRONG)), CONTROL) == WRONGLY
    right = find(request("/", bearer(VIEW), cookie()), WRONG).access
    assert right is not None
    assert (right.role, right.carrier) == (Role.VIEW, Carrier.BEARER)


def test_a_dead_cookie_is_told_to_go() -> None:
    """Logged out, forged, of a token that is gone, or standing twice."""
    stale = Finding(access=None, stale=(Role.CONTROL,))
    name, value = cookie()
    access = find(request("/", (name, value))).access
    assert access is not None
    assert access.session is not None
    assert find(request("/", (name, value)), at=context(tokens=(VIEW_TOKEN,))) == stale
    denied = context(denied=Denied().adding(access.session))
    assert find(request("/", (name, value)), at=denied) == stale
    assert find(request("/", (name, value[:-1]))) == stale
    assert find(request("/", (name, f"{value}; {value}"))) == stale
    assert find(request("/", (name, value), (name, value))) == stale


def test_both_links_can_be_open_in_one_browser() -> None:
    """Each role has its cookie; below `watch/` the one that controls does not count."""
    both = request("/", cookie(), cookie(VIEW_TOKEN))
    for watching, cookies, role in [
        (False, both, Role.CONTROL),
        (True, both, Role.VIEW),
        (False, request("/", cookie(VIEW_TOKEN)), Role.VIEW),
    ]:
        access = find(cookies, watching=watching).access
        assert access is not None
        assert (access.role, access.carrier) == (role, Carrier.COOKIE)
    assert find(request("/", cookie()), watching=True) == NOBODY


def test_a_dead_watch_link_takes_no_control_away() -> None:
    """The other role's cookie is good elsewhere; any page could lead a browser to `watch/`."""
    (name, view), (_, control) = cookie(VIEW_TOKEN), cookie()
    both = request("/", (name, f"{control}; {view[:-1]}"))
    assert find(both, watching=True) == Finding(access=None, stale=(Role.VIEW,))


def test_a_cookie_counts_under_its_roles_name_alone() -> None:
    """Whoever moved one cannot have control in the area of those who watch."""
    (header, control), (_, view) = cookie(), cookie(VIEW_TOKEN)
    names = [each.partition("=")[0] for each in (control, view)]
    values = [each.partition("=")[2] for each in (control, view)]
    swapped = (header, f"{names[0]}={values[1]}; {names[1]}={values[0]}")
    for watching, stale in ((False, (Role.CONTROL, Role.VIEW)), (True, (Role.VIEW,))):
        finding = find(request("/", swapped), watching=watching)
        assert finding == Finding(access=None, stale=stale)


def test_only_our_own_name_is_our_cookie() -> None:
    """Other programs of the host have theirs, before and behind it."""
    _, value = cookie()
    own = value.partition("=")[0]
    asked = request("/", ("Cookie", f"a=b;{value} ; x{own}=c;{own}x=d; {own}"), ("Cookie", "e"))
    assert credentials.cookie_values(asked, own) == [value.partition("=")[2]]
    assert credentials.cookie_values(request("/", ("Cookie", f"{own}=")), own) == [""]


def test_nobody_is_asked_where_the_gate_is_open() -> None:
    """VNC_AUTH=none; not even about a wrong token."""
    everybody = Finding(access=Access(role=Role.CONTROL, carrier=Carrier.NONE))
    at = context(auth="none", tokens=())
    assert find(request(), at=at) == everybody
    assert find(request("/", bearer(WRONG)), WRONG, at) == everybody


def test_a_token_is_checked_against_the_rows_of_now() -> None:
    """The exact bytes, and alive."""
    assert credentials.check_token(CONTROL, context()) is CONTROL_TOKEN
    assert credentials.check_token(CONTROL + " ", context()) is None
    assert credentials.check_token(CONTROL, context(tokens=(VIEW_TOKEN,))) is None


SEEN = Outside(scheme=None, authority=("192.0.2.1", None), client="")
SECURE = replace(SEEN, scheme="https")
LOOPBACK = replace(SEEN, authority=("localhost", None))


def test_a_ticket_goes_on_with_the_session_that_asked_for_it() -> None:
    """Not a new one: it ends when the first one ends, and with its logout."""
    first = Session(token=CONTROL_TOKEN, session_id="a" * 32, issued=int(NOW) - 3600)
    value = credentials.new_session(CONTROL_TOKEN, context(), first)
    assert read_cookie(value, context().tokens, SECRET, now=NOW) == first


FRAMED, LAX = "SameSite=None; Secure; Partitioned", "SameSite=Lax"
COOKIES = [
    ("plain http", SEEN, {}, "vnc_", LAX),
    ("https", SECURE, {}, "__Host-vnc_", f"{LAX}; Secure"),
    ("below a path", SECURE, {"subpath": "/d/"}, "__Secure-vnc_", f"{LAX}; Secure"),
    ("framed", SECURE, {"frame_ancestors": ["https://a"]}, "__Host-vnc_", FRAMED),
    ("framed here", LOOPBACK, {"frame_ancestors": ["https://a"]}, "vnc_", FRAMED),
    ("framed in clear", SEEN, {"frame_ancestors": ["https://a"]}, "vnc_", LAX),
]


@pytest.mark.parametrize(
    ("view", "changes", "prefix", "attributes"),
    [row[1:] for row in COOKIES],
    ids=[row[0] for row in COOKIES],
)
def test_a_new_cookie_fits_how_the_browser_sees_us(
    view: Outside, changes: dict[str, object], prefix: str, attributes: str
) -> None:
    """And the one that takes it away has the same name, path and attributes, or it would not."""
    at = context(**changes)  # type: ignore[arg-type]
    header, made = credentials.new_cookie(CONTROL_TOKEN, view, at)
    name, _, rest = made.partition("=")
    value, _, about = rest.partition("; ")
    assert (header, name.startswith(prefix)) == ("Set-Cookie", True)
    assert about == f"Path={at.config.subpath}; HttpOnly; {attributes}"
    assert read_cookie(value, at.tokens, SECRET, now=NOW) is not None
    gone = credentials.no_cookie(Role.CONTROL, view, at)
    assert gone == (header, f"{name}=; {about}; Max-Age=0")
    watching = credentials.new_cookie(VIEW_TOKEN, view, at)[1]
    assert watching.startswith(prefix.replace("vnc_", "vncview_"))
