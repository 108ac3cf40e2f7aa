"""What others get to read: a reverse proxy's access log, and the page that a link leads to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

import pytest
from websockets.exceptions import InvalidStatus

from deskgate.testing.viewer import Viewer
from tests.browser.conftest import OpenTab
from tests.browser.proxy import ACCESS_LOG, running_proxy
from tests.browser.screen import Screen
from tests.browser.site import Site
from tests.container.desk import Desk
from tests.container.engine import free_port, wait_until
from tests.container.web import ask, bearer

RECONNECTS: Final = 10
WRONG: Final = "0123456789abcdef" * 4
# A link to elsewhere in the page at hand, and a click on it.
LEAVE: Final = """url => {
    const link = document.createElement("a");
    link.href = url;
    document.body.append(link);
    link.click();
}"""


def reconnect(tab: Screen) -> None:
    """Disconnect and connect in the panel of noVNC's own page."""
    tab.page.locator("#noVNC_disconnect_button").dispatch_event("click")
    tab.page.locator("#noVNC_connect_button").click()
    tab.connected()


def test_l5_access_log_of_a_proxy_holds_no_token(
    desk: Desk, open_tab: OpenTab, tmp_path: Path
) -> None:
    """Login by the printed link, a reload, ten reconnects: nginx knows no token to write down."""
    port, token = free_port(), desk.token()
    address = f"http://localhost:{port}/"

    def lines() -> list[list[str]]:
        return [line.split("\t") for line in (log / ACCESS_LOG).read_text().splitlines()]

    def sockets() -> int:
        return len([line for line in lines() if line[1].startswith("GET /websockify")])

    with running_proxy("nginx", tmp_path / "nginx", port=port, gate=desk.port) as log:
        tab = open_tab().open(f"{address}#token={token}")
        tab.reload().open(f"{address}vnc.html")
        for _ in range(RECONNECTS):
            reconnect(tab)
        tab.page.goto("about:blank")  # nginx writes a WebSocket down when it ends
        wait_until(lambda: sockets() >= RECONNECTS + 3, 5, what="the last WebSocket's line")
        written = (log / ACCESS_LOG).read_text()
        assert {line[2] for line in lines()} == {"-"}, "no Referer, not even to ourselves"
        assert "vnc_" in written, "positive control: cookies are logged"
        for secret in (token, hashlib.sha256(token.encode()).hexdigest()):
            assert secret not in written

        # Its proxy ends before it does, and it tries to come back.
        open_tab("ERR_CONNECTION_REFUSED", "WebSocket").open(f"{address}?token={token}")
        shown = {line[1] for line in lines() if token in "\t".join(line)}
        assert shown == {f"GET /?token={token} HTTP/1.1"}, "positive control: the older form"


def test_l5_ticket_in_the_access_log_is_spent(desk: Desk, tmp_path: Path) -> None:
    """Where no cookie is kept, a WebSocket's address holds one; nobody can use it after."""
    made = ask(desk, "/api/tickets", method="POST", headers=bearer(desk.token()))
    target = f"/websockify?ticket={json.loads(made.body)['ticket']}"
    port = free_port()
    with running_proxy("nginx", tmp_path / "nginx", port=port, gate=desk.port) as log:
        with Viewer(desk, target=target, port=port):
            pass
        wait_until(lambda: target in (log / ACCESS_LOG).read_text(), 5, what="its line")
        with pytest.raises(InvalidStatus) as refused:
            Viewer(desk, target=target, port=port)
    assert refused.value.response.status_code == 401


def test_l5_page_that_a_link_leads_to_gets_no_referer(
    desk: Desk, site: Site, open_tab: OpenTab
) -> None:
    """Neither from the desktop nor from the locked page, with a token in its address."""
    outside = site.url("localhost")
    for address in (f"?token={desk.token()}", f"?token={WRONG}", f"#token={WRONG}"):
        tab = open_tab("^http://localhost:")
        tab.go(f"http://localhost:{desk.port}/{address}")
        for expected in (None, outside):  # the second: from the site's own page, as a control
            with tab.page.expect_navigation(url=outside):
                tab.page.evaluate(LEAVE, outside)
            assert site.asked[-1][1].get("referer") == expected
