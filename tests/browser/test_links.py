"""Every form of the link opens the desktop, and leaves no token where it can be found."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.screen import Screen
from tests.conftest import MakeDesk
from tests.container.desk import PORT, VARIANTS, Desk
from tests.container.engine import wait_until
from tests.container.inside import x_state

# %s, the token; %h, host and port. The last one is what the original change printed at first.
FORMS = {
    "fragment": "#token=%s",
    "query": "?token=%s",
    "path": "vnc.html?path=websockify%%3Ftoken%%3D%s&autoconnect=1&resize=remote",
    "path-fragment": "vnc.html#path=websockify%%3Ftoken%%3D%s&autoconnect=1&resize=remote",
    "path-raw": "vnc.html?path=websockify?token=%s&autoconnect=1&resize=remote",
    "original": "vnc.html?path=websockify&token=%s&autoconnect=1&resize=remote",
    "original-host": "vnc.html?path={host}/websockify&token=%s&autoconnect=1&resize=remote",
}


def drawn(screen: Screen) -> bool:
    """Whether window manager and terminal are to be seen."""
    return screen.colours >= 8


@pytest.mark.parametrize("variant", VARIANTS)
def test_printed_link_opens_the_desktop(
    make_desk: MakeDesk, open_tab: OpenTab, variant: str
) -> None:
    """Of each variant, as it stands in the output; both roles."""
    desk = make_desk(variant=variant).start()
    for role in ("control", "view"):
        screen = open_tab().open(desk.link(role))
        wait_until(lambda screen=screen: drawn(screen), 10, what="a drawn desktop")  # type: ignore[misc]


@pytest.mark.parametrize("form", FORMS)
def test_form_of_the_link_opens_the_desktop(desk: Desk, tab: Screen, form: str) -> None:
    """It connects, draws, really resizes X, and the token is gone from the address bar."""
    host = f"localhost:{desk.port}"
    tab.open(f"http://{host}/{FORMS[form].format(host=host) % desk.token()}")
    wait_until(lambda: drawn(tab), 10, what="a drawn desktop")
    wait_until(lambda: x_state(desk)["size"] == [1280, 720], 5, what="the window's size")
    assert desk.token() not in tab.page.url


def test_link_with_the_gates_own_certificate_opens_the_desktop(
    make_desk: MakeDesk, open_tab: OpenTab, pem: Path
) -> None:
    """`NOVNC_CERT` and `NOVNC_KEY`: https in the banner, wss, and a cookie for this host alone."""
    env = {"NOVNC_CERT": "/mnt/pem", "NOVNC_KEY": "/mnt/pem"}
    desk = make_desk(env=env, options=("-v", f"{pem}:/mnt/pem:ro")).start()
    tab = open_tab()
    sockets: list[str] = []
    tab.page.on("websocket", lambda socket: sockets.append(socket.url))
    tab.open(desk.link())
    assert desk.printed_link("control").startswith(f"https://localhost:{PORT}/#token=")
    assert "plain http" not in desk.log
    assert set(sockets) == {f"wss://localhost:{desk.port}/websockify"}
    (cookie,) = tab.page.context.cookies()
    assert cookie["name"].startswith("__Host-vnc_")
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "localhost")
    assert desk.exec("deskgate", "health").status == 0


def test_token_is_nowhere_in_the_browser(desk: Desk, tab: Screen) -> None:
    """Not in the address, the history, the storages; its cookie is for the server alone."""
    tab.open(desk.link())
    assert desk.token() not in tab.page.url
    assert desk.token() not in tab.storage()
    tab.page.go_back()
    assert desk.token() not in tab.page.url
    (cookie,) = tab.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert desk.token() not in cookie["value"]


def test_reload_stays_logged_in(desk: Desk, tab: Screen) -> None:
    """And so does the bare address in another tab of the same browser."""
    tab.open(desk.link())
    tab.reload()
    other = Screen(tab.page.context.new_page())
    other.open(f"http://localhost:{desk.port}/")
    other.page.close()


def test_both_links_are_open_in_one_browser(desk: Desk, tab: Screen) -> None:
    """The watch link does not end the browser's control, nor does control come over to it."""
    tab.open(desk.link())
    other = Screen(tab.page.context.new_page())
    other.open(desk.link("view"))
    badges = [each.page.locator("#badge") for each in (tab, other)]
    for _ in range(2):  # and again after a reload of both
        expect(badges[0]).to_have_text("Control+1")
        expect(badges[1]).to_have_text("Watching+1")
        for each in (tab, other):
            each.reload()
    assert other.page.url == f"http://localhost:{desk.port}/watch/"
    other.open(f"http://localhost:{desk.port}/watch/vnc.html")
    other.page.mouse.move(30, 40)
    tab.page.mouse.move(50, 60)
    wait_until(lambda: x_state(desk)["pointer"] == [50, 60], 5)
    other.open(desk.link())  # pasted into the watcher's tab
    expect(badges[1]).to_have_text("Control+1")
    other.page.close()


def test_link_with_a_percent_in_its_path_is_decoded_once(desk: Desk, open_tab: OpenTab) -> None:
    """A token that is encoded twice is another token."""
    inner = quote(f"websockify?token={desk.token()}", safe="")
    screen = open_tab("401")
    status = screen.go(f"http://localhost:{desk.port}/vnc.html?path={quote(inner, safe='')}")
    assert status == 401


def test_stock_websockifys_link_opens_the_desktop(make_desk: MakeDesk, open_tab: OpenTab) -> None:
    """`NOVNC_PROXY=websockify`: the printed link works in noVNC, unmodified, without our gate."""
    desk = make_desk(env={"NOVNC_PROXY": "websockify"}).start()
    # Stock websockify serves no defaults.json; noVNC goes on without, and says so.
    screen = open_tab("404", "defaults.json", "mandatory.json").open(desk.link())
    wait_until(lambda: drawn(screen), 10, what="a drawn desktop")
