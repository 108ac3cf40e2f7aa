"""`VNC_AUTH=none`: nobody gets it by mistake, and no other site's page gets in by the way."""

from __future__ import annotations

import socket
from typing import Final

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.web import UPGRADE, ask, bearer

NONE: Final = {"VNC_AUTH": "none"}
CONFIRMED: Final = {**NONE, "VNC_AUTH_NONE": "true", "PUBLIC_URL": "http://desk.example:8002"}
NOTE: Final = "  note     VNC_AUTH=none: whoever reaches the port has the desktop"
# id → the head's lines that say the host, and the status of the answer.
HOSTS: Final = {
    "localhost": (["Host: localhost:8002"], 200),
    "below-localhost": (["Host: desk1.localhost"], 200),
    "ipv4": (["Host: 192.0.2.1"], 200),
    "ipv6": (["Host: [::1]:8002"], 200),
    "public-url": (["Host: desk.example:8002"], 200),
    "rebound": (["Host: evil.test"], 403),
    "dot-behind": (["Host: localhost."], 403),
    "lookalike": (["Host: localhost.evil.test"], 403),
    "user-name": (["Host: localhost@evil.test"], 403),
    "empty": (["Host:"], 403),
    "absent": ([], 400),
    "two": (["Host: localhost", "Host: localhost"], 400),
}
# id → what the headers of a WebSocket say beside {port}, and the status.
ORIGINS: Final = {
    "ours": ("127.0.0.1:{port}", "http://127.0.0.1:{port}", 101),
    "other-port": ("127.0.0.1:{port}", "http://127.0.0.1:3000", 403),
    "other-site": ("127.0.0.1:{port}", "http://evil.test", 403),
    "null": ("127.0.0.1:{port}", "null", 403),
    "rebound": ("evil.test:{port}", "http://evil.test:{port}", 403),
}


@pytest.fixture(scope="module")
def open_desk(make_module_desk: MakeDesk) -> Desk:
    """A desk that asks for no token, on every address of its container."""
    return make_module_desk(env=CONFIRMED).start()


def status_of(desk: Desk, *lines: str) -> int:
    """The status of an answer to exactly these lines of a head."""
    head = ["GET /vnc.html HTTP/1.1", *lines, "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as sock:
        sock.sendall("\r\n".join(head).encode())
        return int(sock.makefile("rb").readline().split()[1])


def test_e14_beyond_loopback_it_has_to_be_said_twice(make_desk: MakeDesk) -> None:
    """One line names the switch, and nothing starts; on loopback it need not be said."""
    refused = make_desk(env=NONE, command=("true",))
    refused.allow("^deskgate: error: VNC_AUTH: ")
    result = refused.run()
    assert (result.status, result.out) == (78, "")
    (line,) = result.err.splitlines()
    assert "VNC_AUTH_NONE" in line
    alone = make_desk(env={**NONE, "NOVNC_LISTEN": "127.0.0.1"}, command=("true",))
    assert alone.run().status == 0


def test_e14_every_start_says_that_it_is_open(make_desk: MakeDesk) -> None:
    """And a watch link, which would keep nobody from anything, is not printed."""
    desk = make_desk(env=CONFIRMED).start().restart()
    assert desk.log.splitlines().count(NOTE) == 2
    assert desk.printed_link("control") == "http://desk.example:8002/"
    assert "  watch " not in desk.log


@pytest.mark.parametrize("case", HOSTS)
def test_h17_without_a_token_the_host_must_be_ours(open_desk: Desk, case: str) -> None:
    """An address, localhost, or the public URL's: a rebound name is none of them."""
    lines, status = HOSTS[case]
    assert status_of(open_desk, *lines) == status


def test_h17_with_a_token_the_host_is_anybodys(desk: Desk) -> None:
    """Platforms show desktops under names of their own; a rebound name has no credential."""
    (token,) = [f"{name}: {value}" for name, value in bearer(desk.token()).items()]
    assert status_of(desk, "Host: evil.test", token) == 200
    assert status_of(desk, "Host: evil.test") == 401


@pytest.mark.parametrize("case", ORIGINS)
def test_h17_without_a_token_the_origin_must_be_ours(open_desk: Desk, case: str) -> None:
    """Of a WebSocket, which a page of any site may open."""
    host, origin, status = ORIGINS[case]
    said = {"Host": host.format(port=open_desk.port), "Origin": origin.format(port=open_desk.port)}
    assert ask(open_desk, "/websockify", headers={**UPGRADE, **said}).status == status


def test_h17_without_a_token_a_websocket_says_its_origin(open_desk: Desk) -> None:
    """A browser's always does; our own page's gets the desktop."""
    assert ask(open_desk, "/websockify", headers=UPGRADE).status == 403
    with Viewer(open_desk, headers={"Origin": f"http://127.0.0.1:{open_desk.port}"}) as viewer:
        assert viewer.name == "deskgate"
