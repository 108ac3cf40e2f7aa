"""The gate's rules, one claim each. The order of refusals is part of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from deskgate.gate import limits
from deskgate.gate.access import Carrier
from deskgate.gate.messages import (
    Answer,
    Decision,
    Logout,
    NewTicket,
    Probe,
    Report,
    Request,
    ServeFile,
    Upgrade,
    WrongToken,
)
from deskgate.gate.policy import check_head, decide
from deskgate.gate.sessions import Denied, read_cookie
from deskgate.gate.tickets import Ticket
from deskgate.tokens import Role, digest_of

from .samples import (
    CONTROL,
    CONTROL_TOKEN,
    FILES,
    NOW,
    PAGE,
    SECRET,
    UPGRADE,
    VIEW,
    VIEW_TOKEN,
    bearer,
    context,
    cookie,
    request,
)

ORIGIN = ("Origin", "http://localhost:8002")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def header(answer: Decision, name: str) -> str | None:
    match answer:
        case Logout() | WrongToken():
            headers = answer.answer.headers
        case Probe():
            headers = answer.good.headers
        case _:
            headers = answer.headers
    found = [value for key, value in headers if key == name]
    assert len(found) < 2
    return found[0] if found else None


def answer(decision: Decision) -> Answer:
    if isinstance(decision, WrongToken):
        decision = decision.answer
    assert isinstance(decision, Answer)
    return decision


def status(decision: Decision) -> int:
    return answer(decision).status


# Without a credential

PATHS = [
    *("/", "/vnc.html", "/core/rfb.js", "/package.json", "/websockify", "/nothing", "/login"),
    *("/logout", "/api/status", "/../etc/passwd", "//evil", "/%00", "/\\evil", "/defaults.json"),
    *("/?token=" + "x" * 64, "/vnc.html?autoconnect=1"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_h1_every_path_answers_a_stranger_alike(path: str, method: str) -> None:
    """No file, no hint which paths exist."""
    if (path, method) == ("/login", "POST"):
        return  # the one thing a stranger may do
    expected = decide(request("/"), context())
    assert answer(decide(request(path, method=method), context())) == expected
    assert status(expected) == 401
    assert answer(expected).body == PAGE.locked
    assert header(expected, "WWW-Authenticate") == "Bearer"


WRONG = {
    "upper case": CONTROL.upper(),
    "shorter": CONTROL[:-1],
    "longer": CONTROL + "0",
    "a NUL behind": CONTROL + "%00",
    "a space behind": CONTROL + "%20",
    "a newline behind": CONTROL + "%0a",
    "empty": "",
    "another": "x" * 64,
    "no ASCII": "é" * 32,
}


@pytest.mark.parametrize("token", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("place", ["/?token={}", "/vnc.html?path=websockify%3Ftoken%3D{}"])
def test_h2_only_the_exact_token_passes_in_the_query(token: str, place: str) -> None:
    """Not its letters in another case, nor a part of it, nor more."""
    assert status(decide(request(place.format(token)), context())) == 401


@pytest.mark.parametrize("token", [text for text in WRONG.values() if "%" not in text])
def test_h2_only_the_exact_token_passes_as_bearer(token: str) -> None:
    """Machines are held to the same."""
    assert status(decide(request("/", bearer(token)), context())) == 401


def test_h2_a_token_may_be_percent_encoded_once() -> None:
    """It is the same text to HTTP."""
    encoded = "".join(f"%{ord(char):02x}" for char in CONTROL)
    assert status(decide(request(f"/?token={encoded}"), context())) == 303
    twice = encoded.replace("%", "%25")
    assert status(decide(request(f"/?token={twice}"), context())) == 401


def test_h15_other_names_are_no_token() -> None:
    """`token[]` and `TOKEN` are somebody else's parameters."""
    assert status(decide(request(f"/?token[]={CONTROL}"), context())) == 401
    assert status(decide(request(f"/?TOKEN={CONTROL}"), context())) == 401


REPEATED = [
    "/?token={0}&token={0}",
    "/websockify?token={0}&token={0}",
    "/vnc.html?token={0}&path=websockify%3Ftoken%3D{0}",
    "/vnc.html?path=a%3Ftoken%3D{0}%26token%3D{0}",
]


@pytest.mark.parametrize("target", REPEATED)
def test_h15_a_repeated_token_is_refused(target: str) -> None:
    """Two proxies in a row may each read another one (security notes, 3.3)."""
    assert status(decide(request(target.format(CONTROL)), context())) == 400


def test_a_query_of_too_many_fields_is_refused() -> None:
    """Before any work goes into it; inside `path` too."""
    many = "&".join("a=1" for _ in range(limits.QUERY_FIELDS + 1))
    assert status(decide(request(f"/?{many}"), context())) == 400
    inner = many.replace("&", "%26").replace("=", "%3D")
    assert status(decide(request(f"/?path=w%3F{inner}"), context())) == 400


def test_an_expired_token_is_as_wrong_as_any() -> None:
    """To the second."""
    late = context(now=NOW + 3600)
    assert status(decide(request("/", bearer(VIEW)), late)) == 401
    assert isinstance(decide(request("/vnc.html", bearer(VIEW)), context()), ServeFile)


# Malformed heads

HEADS = {
    "lower-case get": (request(method="get"), 405),
    "TRACE": (request(method="TRACE"), 405),
    "CONNECT": (request(method="CONNECT"), 405),
    "a method of 10 KiB": (request(method="A" * 10240), 405),
    "a long target": (request("/" + "a" * limits.TARGET_BYTES), 414),
    "a long header": (request("/", ("X", "a" * limits.HEADER_BYTES)), 431),
    "many headers": (request("/", *[("X", "a")] * limits.HEADER_COUNT), 431),
    "chunked": (request("/", ("Transfer-Encoding", "chunked")), 400),
    "an absolute target": (request("http://evil.test/"), 400),
    "version 2.0": (request(version="2.0"), 400),
    "a long body": (request("/", ("Content-Length", "4097")), 413),
    "a body of 10^40": (request("/", ("Content-Length", "1" + "0" * 40)), 413),
    "an odd length": (request("/", ("Content-Length", "-1")), 413),
}


@pytest.mark.parametrize(("bad", "expected"), HEADS.values(), ids=HEADS)
def test_h8_a_malformed_head_is_refused_before_its_body(bad: Request, expected: int) -> None:
    """With or without a credential, and the connection ends."""
    refusal = check_head(bad, context())
    assert refusal is not None
    assert (refusal.status, refusal.close) == (expected, True)
    assert decide(bad, context()) == refusal
    with_credential = replace(bad, headers=(*bad.headers[:40], ("authorization", bearer()[1])))
    if expected not in {431}:
        assert status(decide(with_credential, context())) == expected


def test_h6_405_says_what_is_allowed() -> None:
    """RFC 9110, 15.5.6."""
    assert header(decide(request(method="PUT"), context()), "Allow") == "GET, HEAD, POST"
    assert header(decide(request("/vnc.html", bearer(), method="POST"), context()), "Allow") == (
        "GET, HEAD"
    )
    assert header(decide(request("/logout", bearer()), context()), "Allow") == "POST"


BAD_PATHS = [
    *("//evil", "/..", "/../x", "/a/../b", "/a/./b", "/%2e%2e/etc/passwd", "/..%2fetc"),
    *("/%5cevil", "/\\evil", "/%00", "/a%0d%0aX:1", "/%ff", "/a//b"),
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_h5_a_strange_path_is_refused_to_who_may_ask(path: str) -> None:
    """A stranger gets his 401 (test above)."""
    assert status(decide(request(path, bearer()), context())) == 400


# Probes


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/desk/healthz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_h4_probes_are_open_and_say_nothing(path: str, method: str) -> None:
    """Even with a Host and an Origin that nothing else would be served to."""
    at = context(auth="none", subpath="/desk/")
    strange = request(path, ("Origin", "http://evil.test"), method=method, host="evil.test")
    assert isinstance(decide(strange, at), Probe)


# Links


FORMS = {
    "/?token={}": "./",
    "/login?token={}": "./",
    "/?token={}&resize=scale": "./?resize=scale",
    "/vnc.html?token={}": "./vnc.html",
    "/vnc.html?path=websockify%3Ftoken%3D{}&autoconnect=1&resize=remote": (
        "./vnc.html?autoconnect=1&resize=remote"
    ),
    "/vnc.html?path=websockify?token={}&autoconnect=1": "./vnc.html?autoconnect=1",
    "/vnc.html?path=box:8002/websockify&token={}&autoconnect=1&resize=remote": (
        "./vnc.html?autoconnect=1&resize=remote"
    ),
    "/vnc.html?host=evil&port=1&encrypt=0&password=p&token={}&quality=9": "./vnc.html?quality=9",
    "/a/b.html?token={}": "./b.html",
    "/%C3%A9%20x.html?token={}": "./%C3%A9%20x.html",
    "/?token={}&next=//evil": "./",
    "/?token={}&quality=" + "9" * 65: "./",
    "/?token={}&quality=1%0d%0aX:1": "./?quality=1%0D%0AX%3A1",
}


@pytest.mark.parametrize(("target", "location"), FORMS.items())
def test_h16_a_link_with_the_token_leads_to_a_clean_one(target: str, location: str) -> None:
    """Relative, only harmless settings kept, and logged in on the way."""
    decision = decide(request(target.format(CONTROL)), context())
    assert status(decision) == 303
    assert header(decision, "Location") == location
    value = (header(decision, "Set-Cookie") or "").partition("=")[2].partition(";")[0]
    session = read_cookie(value, (CONTROL_TOKEN,), SECRET, now=NOW)
    assert session is not None
    assert CONTROL not in repr(decision)


def test_a_token_in_the_query_opens_a_file_without_a_cookie() -> None:
    """Only pages log in."""
    decision = decide(request(f"/app/ui.js?token={CONTROL}"), context())
    assert isinstance(decision, ServeFile)
    assert header(decision, "Set-Cookie") is None


WAYS = {
    "/?token={v}": "./watch/",
    "/watch?token={v}": "./watch/",
    "/watch/?token={v}": "./",
    "/watch/?token={c}": "../",
    "/watch/login?token={c}&resize=scale": "../?resize=scale",
    "/vnc.html?token={v}": "./watch/vnc.html",
    "/watch/vnc.html?path=websockify%3Ftoken%3D{c}": "../vnc.html",
}


@pytest.mark.parametrize(("target", "location"), WAYS.items())
def test_a_link_leads_to_its_roles_own_area(target: str, location: str) -> None:
    """Where a page's address says which of the browser's two cookies it means."""
    decision = decide(request(target.format(c=CONTROL, v=VIEW)), context())
    assert (status(decision), header(decision, "Location")) == (303, location)


def test_a_browser_that_only_watches_is_sent_to_where_watching_is() -> None:
    """Else its page would control as soon as somebody opens the other link beside it."""
    for path in ("/", "/login", "/watch"):
        sent = decide(request(f"{path}?resize=scale", cookie(VIEW_TOKEN)), context())
        assert (status(sent), header(sent, "Location")) == (303, "./watch/?resize=scale")
    both = (cookie(), cookie(VIEW_TOKEN))
    for path in ("/", "/watch/", "/watch/login"):
        assert status(decide(request(path, *both), context())) == 200
    for path, role in (("/websockify", Role.CONTROL), ("/watch/websockify", Role.VIEW)):
        decision = decide(request(path, *UPGRADE, ORIGIN, *both), context())
        assert isinstance(decision, Upgrade)
        assert decision.access.role is role
    assert status(decide(request("/watch/", cookie()), context())) == 401


def test_each_roles_page_logs_its_own_session_out() -> None:
    """And takes its own cookie away."""
    both = (cookie(), cookie(VIEW_TOKEN))
    for path, token in (("/logout", CONTROL_TOKEN), ("/watch/logout", VIEW_TOKEN)):
        decision = decide(request(path, *both, method="POST"), context())
        assert isinstance(decision, Logout)
        assert decision.session is not None
        assert decision.session.token == token
        name = cookie(token)[1].partition("=")[0]
        assert (header(decision, "Set-Cookie") or "").startswith(f"{name}=;")


# Login

LOGGED_IN = request("/login", FORM, method="POST", body=f"token={CONTROL}".encode())


def login(*headers: tuple[str, str], body: str = f"token={CONTROL}") -> Decision:
    asked = request("/login", FORM, *headers, method="POST", body=body.encode())
    return decide(asked, context())


def test_the_form_logs_in_and_leads_to_the_desktop() -> None:
    """Without a script."""
    decision = login(("Origin", "null"), ("Sec-Fetch-Site", "same-origin"))
    assert status(decision) == 303
    assert header(decision, "Location") == "./"
    assert (header(decision, "Set-Cookie") or "").startswith("vnc_")


def test_the_script_logs_in_and_moves_on_by_itself() -> None:
    """No page is loaded twice."""
    decision = login(("Accept", "text/html, application/json"), ORIGIN)
    assert status(decision) == 200
    assert header(decision, "Set-Cookie") is not None
    assert header(decision, "Location") is None
    assert json.loads(answer(decision).body) == {"way": "./"}


def test_a_pasted_token_may_have_spaces_around_it() -> None:
    """People paste lines."""
    assert status(login(body=f"token=+{CONTROL}%0d%0a")) == 303


@pytest.mark.parametrize("body", ["", "token=", f"token={CONTROL.upper()}", f"TOKEN={CONTROL}"])
def test_a_wrong_login_is_the_same_401(body: str) -> None:
    """With no cookie."""
    assert answer(login(body=body)) == decide(request("/"), context())


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_ticket_logs_in_as_who_asked_for_it_and_is_spent(accept: str) -> None:
    """The cookie is the token's; the answer says which ticket goes."""
    ticket = Ticket(token=VIEW_TOKEN, session=None, until=NOW + 30)
    asked = request("/login", FORM, ("Accept", accept), method="POST", body=b"ticket=" + b"5f" * 16)
    decision = answer(decide(asked, context(tickets={digest_of("5f" * 16): ticket})))
    assert decision.status in {200, 303}
    assert decision.ticket == digest_of("5f" * 16)
    value = (header(decision, "Set-Cookie") or "").partition("=")[2].partition(";")[0]
    session = read_cookie(value, (VIEW_TOKEN,), SECRET, now=NOW)
    assert session is not None
    refused = decide(asked, context())
    assert isinstance(refused, WrongToken)
    assert refused.answer == decide(request("/"), context())


MALFORMED_LOGINS = {
    "twice": (f"token={CONTROL}&token={CONTROL}", FORM, "/login"),
    "in the query too": (f"token={CONTROL}", FORM, f"/login?token={CONTROL}"),
    "another type": (f"token={CONTROL}", ("Content-Type", "text/plain"), "/login"),
    "no type": (f"token={CONTROL}", ("X", "y"), "/login"),
    "too many fields": ("&".join(["a=1"] * 65), FORM, "/login"),
}


@pytest.mark.parametrize(
    ("body", "kind", "target"), MALFORMED_LOGINS.values(), ids=MALFORMED_LOGINS
)
def test_h15_a_malformed_login_is_refused(body: str, kind: tuple[str, str], target: str) -> None:
    """Before a token is looked at."""
    asked = request(target, kind, method="POST", body=body.encode())
    assert status(decide(asked, context())) == 400


FOREIGN = {
    "another site": ("Origin", "http://evil.test"),
    "another port": ("Origin", "http://localhost:3000"),
    "cross-site": ("Sec-Fetch-Site", "cross-site"),
    "same-site": ("Sec-Fetch-Site", "same-site"),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_another_page_cannot_log_in_or_out(foreign: tuple[str, str]) -> None:
    """Login CSRF would put a person on a desktop that a stranger watches."""
    assert status(login(foreign)) == 403
    out = request("/logout", cookie(), foreign, method="POST")
    assert status(decide(out, context())) == 403


def test_no_form_that_hides_its_origin_logs_out() -> None:
    """Only our script does, which says it; over plain http nothing else tells such a form apart."""
    hidden = ("Origin", "null")
    assert status(login(hidden)) == 303
    assert status(decide(request("/logout", cookie(), hidden, method="POST"), context())) == 403


def test_two_origins_are_nobodys() -> None:
    """No browser sends two."""
    assert status(login(ORIGIN, ORIGIN)) == 403


# Cookies


def test_a_cookie_opens_the_files_and_the_page() -> None:
    """Module imports carry it."""
    for name in FILES:
        assert decide(request(f"/{name}", cookie()), context()) == ServeFile(
            name=name,
            headers=decide(request("/vnc.html", bearer()), context()).headers,  # type: ignore[union-attr]
        )
    for path in ("/", "/login"):
        opened = answer(decide(request(path, cookie()), context()))
        assert (opened.status, opened.body) == (200, PAGE.opened)


def test_s5_a_dead_cookie_is_taken_away() -> None:
    """The body is the stranger's; only the cookie is told to go."""
    for given in (context(tokens=(VIEW_TOKEN,)), context(now=NOW + 13 * 3600)):
        decision = answer(decide(request("/", cookie()), given))
        assert (decision.status, decision.body) == (401, PAGE.locked)
        assert "Max-Age=0" in (header(decision, "Set-Cookie") or "")


def test_s5_two_cookies_of_our_name_are_none() -> None:
    """One was planted (S5)."""
    name, value = cookie()
    assert status(decide(request("/", (name, f"{value}; {value}")), context())) == 401
    assert status(decide(request("/", cookie(), cookie()), context())) == 401


def test_other_cookies_do_not_matter() -> None:
    """Host names are shared with other programs."""
    name, value = cookie()
    assert status(decide(request("/", (name, f"a=b; {value} ; c=d")), context())) == 200


def test_h18_another_desktops_cookie_is_not_ours() -> None:
    """Same host, same boot secret even: the port names it."""
    other = cookie(given=context(listen=["127.0.0.1", 8003]))
    decision = decide(request("/", other), context())
    assert status(decision) == 401
    assert header(decision, "Set-Cookie") is None


def test_a_cookie_of_http_does_not_count_on_https() -> None:
    """A network attacker can plant one over http."""
    secure = context(public_url="https://desk.test")
    assert status(decide(request("/", cookie(), host="desk.test"), secure)) == 401
    own = cookie(given=secure, host="desk.test")
    assert own[1].startswith("__Host-vnc_")
    assert status(decide(request("/", own, host="desk.test"), secure)) == 200


def test_a_wrong_token_is_refused_beside_a_good_cookie() -> None:
    """And leaves the cookie alone."""
    for wrong in (request(f"/?token={'x' * 64}", cookie()), request("/", cookie(), bearer("x"))):
        decision = decide(wrong, context())
        assert status(decision) == 401
        assert header(decision, "Set-Cookie") is None


def test_basic_authorization_is_a_proxys_affair() -> None:
    """It neither opens nor closes."""
    basic = ("Authorization", "Basic eA==")
    assert status(decide(request("/", basic), context())) == 401
    assert status(decide(request("/", basic, cookie()), context())) == 200
    assert status(decide(request("/", bearer(), bearer()), context())) == 401


def test_logging_out_forgets_the_session() -> None:
    """And takes the cookie away; a later request with it is a stranger's."""
    decision = decide(request("/logout", cookie(), ORIGIN, method="POST"), context())
    assert isinstance(decision, Logout)
    assert decision.session is not None
    assert "Max-Age=0" in (header(decision, "Set-Cookie") or "")
    denied = Denied().adding(decision.session)
    assert status(decide(request("/", cookie()), context(denied=denied))) == 401
    out = decide(request("/logout", bearer(), method="POST"), context())
    assert isinstance(out, Logout)
    assert out.session is None


# WebSocket


def upgrade(*headers: tuple[str, str], target: str = "/websockify", **changes: object) -> Decision:
    return decide(request(target, *UPGRADE, *headers), context(**changes))  # type: ignore[arg-type]


def test_a_cookie_with_our_origin_gets_its_role() -> None:
    """The answer's accept is RFC 6455's own example."""
    for token in (CONTROL_TOKEN, VIEW_TOKEN):
        decision = upgrade(cookie(token), ORIGIN)
        assert isinstance(decision, Upgrade)
        assert decision.access.role is token.role
        assert decision.access.ends is not None
        assert header(decision, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert header(decision, "Sec-WebSocket-Protocol") is None


@pytest.mark.parametrize(("token", "role"), [(CONTROL, Role.CONTROL), (VIEW, Role.VIEW)])
def test_who_knows_a_token_needs_no_origin(token: str, role: Role) -> None:
    """It does not come by itself, as a cookie does."""
    by_query = upgrade(target=f"/websockify?token={token}")
    by_header = upgrade(bearer(token), ("Origin", "http://evil.test"))
    assert isinstance(by_query, Upgrade)
    assert isinstance(by_header, Upgrade)
    assert by_query.access.role is by_header.access.role is role
    assert (by_query.access.carrier, by_header.access.carrier) == (Carrier.QUERY, Carrier.BEARER)


ORIGINS = {
    "none": (),
    "null": (("Origin", "null"),),
    "another site": (("Origin", "http://evil.test"),),
    "another port": (("Origin", "http://localhost:3000"),),
    "no port": (("Origin", "http://localhost"),),
    "our name as a prefix": (("Origin", "http://localhost:8002.evil.test"),),
    "our name as a suffix": (("Origin", "http://evillocalhost:8002"),),
    "our name as a user": (("Origin", "http://localhost:8002@evil.test"),),
    "another scheme": (("Origin", "ftp://localhost:8002"),),
    "a path": (("Origin", "http://localhost:8002/"),),
    "two": (ORIGIN, ORIGIN),
}


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
def test_a_cookie_from_another_page_is_refused(origin: tuple[tuple[str, str], ...]) -> None:
    """W3, W4: browsers send the cookie along from every port of the host."""
    assert status(upgrade(cookie(), *origin)) == 403


def test_the_origin_is_compared_after_normalising() -> None:
    """Upper case and a default port spelled out are the same place."""
    given = (*UPGRADE, cookie(host="desk.test"))
    for host, origin in (
        ("desk.test", "http://DESK.test"),
        ("desk.test:80", "http://desk.test"),
        ("desk.test", "https://desk.test:443"),
    ):
        asked = request("/websockify", *given, ("Origin", origin), host=host)
        assert isinstance(decide(asked, context()), Upgrade)


HANDSHAKES = {
    "no Upgrade": ({"Upgrade": None}, 426),
    "no Connection": ({"Connection": None}, 426),
    "Upgrade to h2c": ({"Upgrade": "h2c"}, 426),
    "version 12": ({"Sec-WebSocket-Version": "12"}, 426),
    "no version": ({"Sec-WebSocket-Version": None}, 426),
    "no key": ({"Sec-WebSocket-Key": None}, 400),
    "a short key": ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
    "no base64": ({"Sec-WebSocket-Key": "!" * 24}, 400),
    "no list of extensions": ({"Sec-WebSocket-Extensions": "permessage-deflate;"}, 400),
}


@pytest.mark.parametrize(("changes", "expected"), HANDSHAKES.values(), ids=HANDSHAKES)
def test_w1_a_wrong_handshake_gets_a_real_answer(
    changes: dict[str, str | None], expected: int
) -> None:
    """Each change alone; 426 says which version is spoken. All of them: test_rfc6455_opening.py."""
    lines = {**dict(UPGRADE), **changes}
    asked = [(name, value) for name, value in lines.items() if value is not None]
    decision = decide(request("/websockify", *asked, bearer()), context())
    assert status(decision) == expected
    if expected == 426:
        assert header(decision, "Sec-WebSocket-Version") == "13"


def test_w2_the_binary_subprotocol_is_chosen_when_offered() -> None:
    """Old noVNC asks for it, and for base64, which nobody speaks any more."""
    decision = upgrade(bearer(), ("Sec-WebSocket-Protocol", "base64, binary"))
    assert header(decision, "Sec-WebSocket-Protocol") == "binary"
    for other in ("base64", "", "binary, a b"):
        assert status(upgrade(bearer(), ("Sec-WebSocket-Protocol", other))) == 400


def test_w1_a_head_request_opens_no_websocket() -> None:
    """RFC 6455, 4.2.1."""
    asked = request("/websockify", *UPGRADE, bearer(), method="HEAD")
    assert status(decide(asked, context())) == 400


def test_w1_http_1_0_opens_no_websocket() -> None:
    """RFC 6455, 4.1: 1.1 or higher."""
    asked = request("/websockify", *UPGRADE, bearer(), version="1.0")
    assert status(decide(asked, context())) == 400


def test_w13_a_full_house_is_503_before_the_upgrade() -> None:
    """With a time to come back."""
    for full in (upgrade(cookie(), ORIGIN, places=0), upgrade(bearer(), places=0)):
        assert status(full) == 503
        assert header(full, "Retry-After") == "2"


def test_watchers_cannot_take_the_last_places() -> None:
    """Each role has its own count; here one place is left, and it is not for watching."""
    assert isinstance(upgrade(cookie(), ORIGIN, places=1), Upgrade)
    assert status(upgrade(cookie(VIEW_TOKEN), ORIGIN, places=1)) == 503


def test_a_machine_is_greeted_in_a_full_house() -> None:
    """A health probe must not fail because sixteen people watch; a browser cannot send Bearer."""
    decision = upgrade(bearer(), places=0, guests=1)
    assert isinstance(decision, Upgrade)
    assert decision.guest
    assert status(upgrade(cookie(), ORIGIN, places=0, guests=1)) == 503
    by_query = upgrade(target=f"/websockify?token={CONTROL}", places=0, guests=1)
    assert status(by_query) == 503
    with_place = upgrade(bearer(), places=1, guests=1)
    assert isinstance(with_place, Upgrade)
    assert not with_place.guest


# Everything else behind the credential


def test_settings_of_novnc_are_served_by_the_gate() -> None:
    """Not from its folder; a watcher's page does not offer input."""
    defaults = answer(decide(request("/defaults.json", bearer()), context()))
    assert json.loads(defaults.body)["autoconnect"] is True
    control = answer(decide(request("/mandatory.json", bearer()), context()))
    watching = answer(decide(request("/mandatory.json", bearer(VIEW)), context()))
    assert "view_only" not in json.loads(control.body)
    assert json.loads(watching.body)["view_only"] is True
    assert json.loads(control.body)["host"] == ""


def test_counting_viewers_needs_control_and_no_link() -> None:
    """A token in a query ends in logs, so machines use the header."""
    assert isinstance(decide(request("/api/status", bearer()), context()), Report)
    assert isinstance(decide(request("/api/status", cookie()), context()), Report)
    assert status(decide(request("/api/status", bearer(VIEW)), context())) == 403
    assert status(decide(request(f"/api/status?token={CONTROL}"), context())) == 403


def test_h5_an_unknown_path_is_404_to_who_may_ask() -> None:
    """Dot files and folders are no files of ours."""
    for path in ("/nothing", "/app/", "/app", "/.git", "/vnc.html/", "/%252e%252e/x"):
        assert status(decide(request(path, bearer()), context())) == 404


@pytest.mark.parametrize("path", ["/desk/1/vnc.html", "/vnc.html"])
def test_a_subpath_is_stripped_when_it_is_there(path: str) -> None:
    """Some proxies take it off themselves."""
    decision = decide(request(path, bearer()), context(subpath="/desk/1/"))
    assert isinstance(decision, ServeFile)
    assert decision.name == "vnc.html"


def test_every_answer_carries_the_headers() -> None:
    """Also the refusals (OWASP ASVS 5.0, 3.4)."""
    asked = [
        *(request("/"), request("/", bearer()), request("/vnc.html", bearer()), LOGGED_IN),
        *(request(method="PUT"), request("/healthz"), request("/x", bearer())),
        *(request("/websockify", bearer()), request(f"/?token={CONTROL}")),
        *(request("/mandatory.json", bearer()), request("/api/status", bearer())),
    ]
    for one in asked:
        decision = decide(one, context())
        assert (header(decision, "Content-Security-Policy") or "").endswith(
            "frame-ancestors 'none'"
        )
        assert header(decision, "Referrer-Policy") == "no-referrer"
        assert header(decision, "X-Content-Type-Options") == "nosniff"
        assert header(decision, "Cross-Origin-Opener-Policy") == "same-origin"
        assert header(decision, "Cross-Origin-Resource-Policy") == "same-origin"
        if not isinstance(decision, ServeFile):
            cached = header(decision, "Cache-Control")
            assert cached == "no-store"


# VNC_AUTH=none


HOSTS = {
    "localhost:8002": True,
    "desk1.localhost": True,
    "127.0.0.1:9000": True,
    "[::1]:8002": True,
    "192.0.2.1": True,
    "public.test": True,
    "evil.test": False,
    "localhost.": False,
    "localhost.evil.test": False,
    "user@localhost": False,
    "": False,
}


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("desk:8002", True), ("10.0.0.2:8002", True), ("public.test", True), ("evil.test", False)],
)
def test_h17_without_a_token_no_page_forwards_itself(host: str, *, allowed: bool) -> None:
    """A rebound page of a browser with a trusted address says what it likes, but no other Host."""
    at = context(
        auth="none", tokens=(), public_url="https://public.test", trusted_proxies=["172.16.0.0/12"]
    )
    forwarded = ("X-Forwarded-Host", "public.test")
    asked = request("/api/status", forwarded, host=host, peer="172.17.0.1")
    assert isinstance(decide(asked, at), Report) == allowed


@pytest.mark.parametrize(("host", "good"), HOSTS.items())
def test_h17_without_a_credential_the_host_must_be_known(host: str, good: bool) -> None:
    """DNS rebinding: then nothing else would keep a page out."""
    at = context(auth="none", public_url="https://public.test/x", tokens=())
    decision = decide(request("/vnc.html", host=host), at)
    assert isinstance(decision, ServeFile) if good else status(decision) == 403


def test_without_a_credential_the_origin_must_be_ours() -> None:
    """And a WebSocket must say one."""
    at = context(auth="none", tokens=())
    assert isinstance(decide(request("/websockify", *UPGRADE, ORIGIN), at), Upgrade)
    for wrong in ((), (("Origin", "http://localhost:3000"),), (ORIGIN, ORIGIN)):
        assert status(decide(request("/websockify", *UPGRADE, *wrong), at)) == 403
    assert status(decide(request("/vnc.html", ("Origin", "http://evil.test")), at)) == 403


def test_without_a_credential_everybody_has_control() -> None:
    """That is what was asked for."""
    at = context(auth="none", tokens=())
    decision = decide(request("/websockify", *UPGRADE, ORIGIN), at)
    assert isinstance(decision, Upgrade)
    assert (decision.access.role, decision.access.carrier) == (Role.CONTROL, Carrier.NONE)
    assert status(decide(request(f"/?token={CONTROL}"), at)) == 200
    assert isinstance(decide(request("/api/status"), at), Report)


def test_an_empty_token_set_lets_nobody_in() -> None:
    """Closed is the default."""
    assert status(decide(request("/", bearer()), context(tokens=()))) == 401


# Where browsers keep no cookie


def framed() -> dict[str, str]:
    decision = login(("Accept", "application/json"), ORIGIN, body=f"token={VIEW}&framed=1")
    assert status(decision) == 200
    told: dict[str, str] = json.loads(answer(decision).body)
    return told


def test_h20_a_framed_page_keeps_its_session_itself() -> None:
    """It is the cookie's session, so one logout ends both; only who says `framed` is given it."""
    told = framed()
    shown = ("Authorization", f"Session {told['session']}")
    decision = decide(request("/api/tickets", shown, method="POST"), context())
    assert isinstance(decision, NewTicket)
    assert (decision.access.role, decision.access.carrier) == (Role.VIEW, Carrier.PAGE)
    assert told["way"] == "./watch/"
    assert VIEW not in json.dumps(told)
    cookie_of_it = login(("Accept", "application/json"), ORIGIN, body=f"token={VIEW}&framed=1")
    assert told["session"] in (header(cookie_of_it, "Set-Cookie") or "")
    denied = Denied().adding(decision.access.session) if decision.access.session else Denied()
    again = decide(request("/api/tickets", shown, method="POST"), context(denied=denied))
    assert status(again) == 401


def test_h20_a_framed_page_loads_code_by_a_key_and_nothing_else() -> None:
    """The key stands in addresses, so it opens what anybody may read: modules and style sheets."""
    key = framed()["files"]
    for name in ("core/rfb.js", "page/page.css"):
        assert isinstance(decide(request(f"/~{key}/{name}"), context()), ServeFile)
    for target in (
        *(f"/~{key}/vnc.html", f"/~{key}/", f"/~{key}/api/status", f"/~{key}/websockify"),
        *(f"/~{key}/core/nothing.js", f"/~{key[:-1]}/core/rfb.js", "/~/core/rfb.js"),
        *(f"/{key}/core/rfb.js", f"/~{key}x/core/rfb.js", f"/~{key.upper()}/core/rfb.js"),
    ):
        assert status(decide(request(target), context())) == 401, target
    posted = decide(request(f"/~{key}/core/rfb.js", method="POST"), context())
    assert status(posted) == 401


def test_h20_a_key_dies_with_its_token() -> None:
    """Revoked, or over."""
    key = framed()["files"]
    target = request(f"/~{key}/core/rfb.js")
    assert status(decide(target, context(tokens=(CONTROL_TOKEN,)))) == 401
    assert status(decide(target, context(now=NOW + 3600))) == 401


@pytest.mark.parametrize("value", ["", "v1.x", CONTROL])
def test_a_session_that_is_none_opens_nothing(value: str) -> None:
    """Nor does a token under this name."""
    shown = ("Authorization", f"Session {value}")
    assert status(decide(request("/vnc.html", shown), context())) == 401


@pytest.mark.parametrize("target", ["/", "/vnc.html", "/websockify", "/core/rfb.js"])
def test_l5_where_queries_are_off_a_token_in_one_opens_nothing(target: str) -> None:
    """VNC_TOKEN_IN_QUERY=off: right, wrong, or beside a good cookie; what is logged is dead."""
    off = context(query_tokens=False)
    for token in (CONTROL, "x" * 64):
        decision = decide(request(f"{target}?token={token}", cookie()), off)
        assert decision == decide(request("/"), off)
    assert status(decide(request("/", bearer()), off)) == 200
