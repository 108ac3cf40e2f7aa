"""What a web page in the desktop's own browser can do, and what a client of its display can."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from websockets.exceptions import ConnectionClosed

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import PORT, Desk
from tests.container.engine import wait_until
from tests.container.inside import RUNTIME, listeners, x_state
from tests.container.web import bearer

EVIL: Final = "http://evil.test"
# Asks as a page does that a browser in the desktop shows: fetches, a WebSocket. The last one has
# the token, which standard input gives.
PAGE: Final = """
import http.client, json, socket, sys
port, origin, token = int(sys.argv[1]), sys.argv[2], sys.stdin.read()
form = {"Content-Type": "application/x-www-form-urlencoded"}
key = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
       "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
def ask(method, path, headers, body=None):
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        door.request(method, path, body, {"Origin": origin, **headers})
        return door.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
print(json.dumps([
    ask("GET", "/", {}),
    ask("GET", "/api/screenshot.png", {}),
    ask("GET", "/websockify", key),
    ask("POST", "/login", form, "token=x"),
    ask("POST", "/api/tokens", {}, '{"name": "evil"}'),
    ask("GET", "/vnc.html", {"Authorization": f"Bearer {token}"}),
]))
"""
VNCCONFIG: Final = ("env", "DISPLAY=:1", f"XAUTHORITY={RUNTIME}/Xauthority", "vncconfig")
LISTEN: Final = """
import socket
with socket.create_server(("127.0.0.1", 5999)) as server:
    print("listening", flush=True)
    server.settimeout(10)
    print(server.accept()[0].recv(12).decode(), flush=True)
"""


# --- a web page that the desktop's own browser shows -------------------------------------------


def page(desk: Desk, port: int, origin: str) -> list[Any]:
    """What a page of this origin gets of a port on loopback; the last with the token."""
    words = ("python3", "-c", PAGE, str(port), origin)
    answers: list[Any] = json.loads(desk.exec(*words, stdin=desk.token().encode()).out)
    return answers


# Its origin → what a login gets: 403 where the page is another's, 401 for a wrong token of our own.
ORIGINS = {EVIL: 403, "http://localhost:5901": 403, f"http://127.0.0.1:{PORT}": 401}


@pytest.mark.parametrize("origin", ORIGINS)
def test_c9_page_in_the_desktop_gets_nothing_of_the_gate(desk: Desk, origin: str) -> None:
    """Not even one of the gate's own origin: it has no cookie. Who knows the token gets in."""
    assert page(desk, PORT, origin) == [401, 401, 401, ORIGINS[origin], 401, 200]


def test_c9_page_in_the_desktop_cannot_speak_to_xvnc(desk: Desk, make_desk: MakeDesk) -> None:
    """On TCP it hears a greeting that is no HTTP, and what it sends is no RFB; else nobody."""
    before = x_state(desk)
    assert set(page(desk, 5901, EVIL)) <= {"BadStatusLine", "ConnectionResetError"}
    assert x_state(desk) == before
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        viewer.settle()
    unix = make_desk(env={"VNC_TRANSPORT": "unix"}).start()
    assert {each.port for each in listeners(unix)} == {PORT}
    assert set(page(unix, 5901, EVIL)) == {"ConnectionRefusedError"}


# --- an X client -------------------------------------------------------------------------------


PARAMETERS = {
    "AcceptPointerEvents": "0",
    "AcceptKeyEvents": "0",
    "SendCutText": "0",
    "AcceptSetDesktopSize": "0",
    "AllowOverride": "SendCutText",
    "MaxCutText": "1",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_c10_x_client_changes_no_setting_of_xvnc(desk: Desk, name: str) -> None:
    """`vncconfig -set`; it may read them."""
    before = desk.must(*VNCCONFIG, "-get", name)
    said = desk.exec(*VNCCONFIG, "-set", f"{name}={PARAMETERS[name]}")
    assert said.err == f"Setting param {name}={PARAMETERS[name]} failed\n"
    assert desk.must(*VNCCONFIG, "-get", name) == before


def test_c10_x_client_can_send_viewers_away_who_come_back(desk: Desk) -> None:
    """`vncconfig -disconnect`: as SECURITY.md says, it has the display anyway."""
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        viewer.settle()
        desk.must(*VNCCONFIG, "-disconnect")
        with pytest.raises(ConnectionClosed) as ended:
            viewer.settle()
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1011
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        viewer.settle()


def test_c10_x_client_can_have_xvnc_dial_out(desk: Desk) -> None:
    """`vncconfig -connect`: as SECURITY.md says; to forbid that is the network's."""
    desk.must("sh", "-c", 'python3 -c "$0" >/tmp/heard', LISTEN, options=("--detach",))
    wait_until(lambda: "listening" in desk.exec("cat", "/tmp/heard").out, 5)
    desk.must(*VNCCONFIG, "-connect", "127.0.0.1:5999")
    wait_until(lambda: "RFB 003.008" in desk.exec("cat", "/tmp/heard").out, 5)


def test_c10_x_client_of_another_user_does_not_get_that_far(desk: Desk) -> None:
    """It has no cookie of the display."""
    refused = desk.exec("env", "DISPLAY=:1", "vncconfig", "-disconnect", options=("--user", "4242"))
    assert refused.status != 0
    assert "unable to open display" in refused.err
