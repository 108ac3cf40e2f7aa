"""Pages of other sites in the same browser: what they may show of the desktop, and what not.

To cookies and SameSite a port is nothing: a page on another port of localhost is of the same site
as the desktop. Names below .test lead to loopback as well, and are other sites.
"""

from __future__ import annotations

import json
from typing import Final

import pytest
from playwright.sync_api import Request

from tests.browser.conftest import OpenTab
from tests.browser.screen import CONNECT_MS, CONNECTED
from tests.browser.site import Site
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import x_state
from tests.container.web import ask, bearer

DESKTOP: Final = r"^http://(localhost|desk\.test):"  # addresses that the pages below ask for
OTHER: Final = "other.test"
# Names of the site's, and what its pages are to a desktop on localhost. Chromium takes the middle
# one for a secure context, as it does localhost.
RELATIONS: Final = {
    "localhost": "same-site",
    "other.localhost": "cross-site",
    OTHER: "cross-site",
}
# What Chromium says of plain http on a name that is not localhost. All works, but the clipboard.
PLAIN: Final = "noVNC requires a secure context|origin was untrustworthy"
PREFETCH: Final = '<link rel="prefetch" href="{}">'
LINK: Final = '<a href="{}">the desktop</a>'
FRAME: Final = '<iframe src="{}" width="{}" height="600"></iframe>'
LOGOUT: Final = (
    '<form method="post" action="http://localhost:{}/logout"><button>Log out</button></form>'
)
UNAUTHORISED: Final = "HTTP Authentication failed"  # 401 to a WebSocket, in Chromium's words
WEBSOCKET: Final = """port => new Promise(done => {
    const socket = new WebSocket(`ws://localhost:${port}/websockify`);
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
})"""


@pytest.fixture(scope="module")
def framed(make_module_desk: MakeDesk, site: Site) -> Desk:
    """A desk that the site's pages may embed, under each of its names."""
    origins = " ".join(f"http://{host}:{site.port}" for host in RELATIONS)
    return make_module_desk(env={"VNC_FRAME_ANCESTORS": origins}).start()


@pytest.fixture(scope="module")
def open_desk(make_module_desk: MakeDesk) -> Desk:
    """A desk that asks for no token."""
    return make_module_desk(env={"VNC_AUTH": "none", "VNC_AUTH_NONE": "true"}).start()


# --- frames -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "width"), [*zip(RELATIONS, (810, 820, 830), strict=True)])
def test_h20_listed_page_shows_the_desktop(
    framed: Desk, site: Site, open_tab: OpenTab, host: str, width: int
) -> None:
    """Also one of another site: its cookie is kept apart for that site (Partitioned)."""
    tab = open_tab(DESKTOP, PLAIN)
    tab.go(site.url(host, FRAME.format(framed.link(), width)))
    wait_until(lambda: x_state(framed)["size"] == [width, 600], 10, what="the frame's size")
    (cookie,) = tab.page.context.cookies()
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "None")
    assert cookie["partitionKey"] == f"http://{host}"


def test_h20_listed_page_shows_the_desktop_without_a_cookie(
    framed: Desk, site: Site, open_tab: OpenTab
) -> None:
    """Over plain http on a name that is not localhost, as in a LAN: by tickets."""
    tab = open_tab(DESKTOP, PLAIN)
    link = f"http://desk.test:{framed.port}/#token={framed.token()}"
    tab.go(site.url(OTHER, FRAME.format(link, 840)))
    wait_until(lambda: x_state(framed)["size"] == [840, 600], 10, what="the frame's size")
    assert tab.page.context.cookies() == []


@pytest.mark.parametrize("host", RELATIONS)
def test_h20_unlisted_page_shows_nothing(
    desk: Desk, site: Site, open_tab: OpenTab, host: str
) -> None:
    """Of the same site or another: the browser shows an error of its own in the frame."""
    tab = open_tab(DESKTOP, "frame-ancestors")
    tab.go(site.url(host, FRAME.format(desk.link(), 800)))
    assert [frame.url for frame in tab.page.frames[1:]] == ["chrome-error://chromewebdata/"]
    assert [text for text in tab.complaints if "frame-ancestors 'none'" in text]
    assert tab.page.context.cookies() == []


# --- links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["/#token={}", "/?token={}"])
def test_h21_link_on_a_page_of_another_site_logs_in_at_once(
    desk: Desk, site: Site, open_tab: OpenTab, form: str
) -> None:
    """And so does the bare address later on: SameSite=Lax lets the cookie come with a click."""
    tab = open_tab(DESKTOP)
    arrived: list[Request] = []
    tab.page.on("request", lambda request: arrived.append(request))
    address = f"http://localhost:{desk.port}"
    for link in (address + form.format(desk.token()), address):
        tab.go(site.url(OTHER, LINK.format(link)), until="load")
        arrived.clear()
        tab.page.get_by_role("link").click()
        tab.connected()
        assert arrived[0].header_value("sec-fetch-site") == "cross-site"


def test_h21_whoever_looks_at_a_link_first_changes_nothing(
    desk: Desk, site: Site, open_tab: OpenTab
) -> None:
    """HEAD, as link previews do, or a page that prefetches: no session, and then it works."""
    link = f"http://localhost:{desk.port}/?token={desk.token()}"
    assert ask(desk, f"/?token={desk.token()}", method="HEAD").body == b""
    tab = open_tab(DESKTOP, "NotSameOrigin")
    with tab.page.expect_event("requestfailed", lambda request: request.url == link) as fetched:
        tab.go(site.url(OTHER, PREFETCH.format(link) + LINK.format(link)), until="load")
    assert fetched.value.header_value("sec-purpose") == "prefetch"
    assert "NotSameOrigin" in (fetched.value.failure or ""), "it came, and is not for that page"
    assert tab.page.context.cookies() == []
    tab.page.get_by_role("link").click()
    tab.connected()


def test_h21_whoever_looks_at_a_one_use_link_first_leaves_it_good(
    desk: Desk, site: Site, open_tab: OpenTab
) -> None:
    """In each form that a server sees: only the page's own login and a WebSocket use it up."""
    made = ask(desk, "/api/tickets", method="POST", headers=bearer(desk.token()))
    ticket = json.loads(made.body)["ticket"]
    forms = (f"/?ticket={ticket}", f"/websockify?ticket={ticket}")
    address = f"http://localhost:{desk.port}"
    for method in ("HEAD", "GET"):
        assert [ask(desk, form, method=method).status for form in forms] == [401, 426]
    tab = open_tab(DESKTOP, "NotSameOrigin", "status of 426")
    seen: list[str] = []
    tab.page.on("requestfailed", lambda request: seen.append(request.url))
    looking = "".join(PREFETCH.format(address + form) for form in forms)
    tab.go(
        site.url(OTHER, looking + LINK.format(f"{address}/#ticket={ticket}")), until="networkidle"
    )
    assert sorted(seen) == [address + form for form in forms]
    tab.page.get_by_role("link").click()
    tab.connected()
    tab.go(f"{address}/#ticket={ticket}")
    tab.page.get_by_role("status").filter(has_text="used already").wait_for()


# --- WebSockets and forms ---------------------------------------------------------------------


def test_w4_page_of_another_port_gets_no_websocket(
    desk: Desk, site: Site, open_tab: OpenTab
) -> None:
    """For SameSite it is the same site, so the cookie comes along; but the Origin is not ours."""
    tab = open_tab(DESKTOP, "403").open(desk.link())
    assert tab.page.evaluate(WEBSOCKET, desk.port) == "open", "positive control: our own page"
    tab.go(site.url("localhost"), until="load")
    assert tab.page.evaluate(WEBSOCKET, desk.port) == "refused"
    (complaint,) = tab.complaints
    assert "403" in complaint, "refused for its Origin, not for a missing cookie"


def test_w3_page_of_another_site_gets_no_websocket(
    desk: Desk, site: Site, open_tab: OpenTab
) -> None:
    """The cookie does not even come along."""
    tab = open_tab(DESKTOP, UNAUTHORISED).open(desk.link())
    tab.go(site.url(OTHER), until="load")
    assert tab.page.evaluate(WEBSOCKET, desk.port) == "refused"
    (complaint,) = tab.complaints
    assert UNAUTHORISED in complaint


def test_w3_page_that_may_show_the_desktop_gets_no_websocket(
    framed: Desk, site: Site, open_tab: OpenTab
) -> None:
    """The cookie of the desktop in its frame comes along; but the Origin is not ours."""
    tab = open_tab(DESKTOP, PLAIN, "403")
    tab.go(site.url(OTHER, FRAME.format(framed.link(), 800)))
    tab.page.frame_locator("iframe").locator(CONNECTED).wait_for(timeout=CONNECT_MS)
    inner = tab.page.frames[1]
    assert inner.evaluate(WEBSOCKET, framed.port) == "open", "positive control: in the frame"
    assert tab.page.evaluate(WEBSOCKET, framed.port) == "refused"
    assert "403" in tab.complaints[-1], "refused for its Origin, not for a missing cookie"


@pytest.mark.parametrize(("host", "status"), [("localhost", 403), (OTHER, 401)])
def test_page_of_another_origin_cannot_log_out(
    desk: Desk, site: Site, open_tab: OpenTab, host: str, status: int
) -> None:
    """A form that it sends in the person's name changes nothing."""
    tab = open_tab(DESKTOP, str(status)).open(desk.link())
    tab.go(site.url(host, LOGOUT.format(desk.port)), until="load")
    with tab.page.expect_navigation() as sent:
        tab.page.get_by_role("button").click()
    assert sent.value.status == status
    tab.open(f"http://localhost:{desk.port}/")


# --- without a token --------------------------------------------------------------------------


def test_h17_rebound_name_gets_nothing(open_desk: Desk, open_tab: OpenTab) -> None:
    """`VNC_AUTH=none`: a name that its owner points at our address is not ours."""
    tab = open_tab(PLAIN, "403")
    assert tab.go(f"http://{OTHER}:{open_desk.port}/") == 403
    assert "PUBLIC_URL" in tab.page.locator("body").inner_text()
    open_tab().open(f"http://localhost:{open_desk.port}/")


def test_h17_other_page_gets_nothing(open_desk: Desk, site: Site, open_tab: OpenTab) -> None:
    """`VNC_AUTH=none`: of the same site or another, its WebSocket says where it comes from."""
    for host in ("localhost", OTHER):
        tab = open_tab(DESKTOP, "403")
        tab.go(site.url(host), until="load")
        assert tab.page.evaluate(WEBSOCKET, open_desk.port) == "refused"
        assert "403" in tab.complaints[-1]


def test_h17_rebound_name_gets_the_locked_page(desk: Desk, open_tab: OpenTab) -> None:
    """With tokens, the name has no cookie: it is locked whatever the browser holds for us."""
    tab = open_tab(PLAIN).open(desk.link())
    assert tab.go(f"http://{OTHER}:{desk.port}/") == 401
