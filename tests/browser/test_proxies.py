"""Behind nginx, Caddy and HAProxy: the printed link works, and no answer names what is inside."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from deskgate.testing.viewer import Viewer
from tests.browser.conftest import OpenTab
from tests.browser.proxy import KINDS, running_proxy
from tests.browser.screen import Screen
from tests.conftest import MakeDesk
from tests.container.desk import PORT, Desk
from tests.container.engine import docker, free_port, wait_until
from tests.container.web import FORM, UPGRADE, Answer, ask, ask_at, bearer


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where people see a desk: the address that its links name, and how its cookie is called there.

    Args:
        port: the proxies listen on it, each in its turn.
        strips: whether the proxy that listens now takes the prefix off.
    """

    desk: Desk
    scheme: str
    port: int
    prefix: str
    cookie: str
    strips: bool = False

    @property
    def url(self) -> str:
        """The address, with a slash at its end."""
        return f"{self.scheme}://localhost:{self.port}{self.prefix}"


# id → scheme, prefix, beginning of the cookie's name (RFC 6265bis, 4.1.3).
PLACES: Final = {
    "https-subpath": ("https", "/desk/", "__Secure-vnc_"),
    "https-root": ("https", "/", "__Host-vnc_"),
    "http-subpath": ("http", "/desk/", "vnc_"),
}
# Place, proxy, and whether it takes the prefix off. Chromium sees each proxy at each place, and
# each of them doing both; the rest of the combinations only a plain client.
SEEN: Final = [
    ("https-subpath", "nginx", False),
    ("https-subpath", "caddy", True),
    ("https-subpath", "haproxy", False),
    *(("https-root", kind, False) for kind in KINDS),
    ("http-subpath", "nginx", True),
    ("http-subpath", "caddy", False),
    ("http-subpath", "haproxy", True),
]
UNSEEN: Final = [(place, kind, not strip) for place, kind, strip in SEEN if PLACES[place][1] != "/"]

# Longer than the gate's 20 s between two pings; nginx has 60 s unless told.
IDLE_SECONDS: Final = 24
DROPS: Final = ("nginx", "haproxy")  # Caddy keeps an idle WebSocket without an end


def gateway() -> str:
    """The peer that a gate in a container sees when it is asked through its published port."""
    template = "{{(index .IPAM.Config 0).Gateway}}"
    return docker("network", "inspect", "--format", template, "bridge").out.strip()


@pytest.fixture(scope="module")
def places(make_module_desk: MakeDesk) -> dict[str, Place]:
    """For each place a desk that was told where a proxy shows it."""
    found = {}
    for name, (scheme, prefix, cookie) in PLACES.items():
        port = free_port()
        url = f"{scheme}://localhost:{port}"
        env = {"PUBLIC_URL": url, "SUBPATH": prefix, "VNC_TRUSTED_PROXIES": gateway()}
        desk = make_module_desk(env=env).start()
        found[name] = Place(desk=desk, scheme=scheme, port=port, prefix=prefix, cookie=cookie)
    return found


@pytest.fixture
def shown(
    request: pytest.FixtureRequest, places: dict[str, Place], pem: Path, tmp_path: Path
) -> Iterator[Place]:
    """A place, with the proxy running that shows it."""
    name, kind, strip = request.param
    place = places[name]
    with running_proxy(
        kind,
        tmp_path / kind,
        port=place.port,
        gate=place.desk.port,
        prefix=place.prefix,
        strip=strip,
        pem=pem if place.scheme == "https" else None,
    ):
        yield replace(place, strips=strip)


def ways(cases: Sequence[tuple[str, str, bool]]) -> pytest.MarkDecorator:
    """Run a test once for each place and proxy."""
    ids = [f"{place}-{kind}-{'strips' if strip else 'keeps'}" for place, kind, strip in cases]
    return pytest.mark.parametrize("shown", cases, ids=ids, indirect=True)


def leaks(answer: Answer, desk: Desk) -> list[str]:
    """What of an answer names the gate's own address, or any address where a path would do."""
    inner = (f":{desk.port}", f":{PORT}", "127.0.0.1")
    headers = [f"{name}: {value}" for name, value in answer.headers.items()]
    found = [text for text in [*headers, answer.body.decode()] if any(w in text for w in inner)]
    return found + [url for url in [answer.headers.get("location", "")] if "://" in url]


@ways(SEEN)
def test_h19_printed_link_opens_the_desktop_behind_a_proxy(shown: Place, open_tab: OpenTab) -> None:
    """To the letter; its cookie is bound to the place, and the log names the person's address."""
    desk = shown.desk
    tab = open_tab()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.on("websocket", lambda socket: asked.append(socket.url.replace("ws", "http", 1)))
    before = desk.log.count("control viewer from 127.0.0.1 joined")
    tab.open(desk.printed_link("control"))

    assert f"{shown.url}websockify" in asked
    assert [url for url in asked if not url.startswith(shown.url)] == []
    wait_until(lambda: desk.log.count("control viewer from 127.0.0.1 joined") > before, 5)
    (cookie,) = tab.page.context.cookies()
    assert cookie["name"].startswith(shown.cookie)
    assert (cookie["path"], cookie["secure"]) == (shown.prefix, shown.scheme == "https")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    tab.open(shown.url)


@ways([*SEEN, *UNSEEN])
def test_h19_no_answer_names_the_inner_address(shown: Place) -> None:
    """Pages, refusals and redirects, without a credential and with one."""
    desk, token = shown.desk, shown.desk.token()

    def get(path: str, **more: Any) -> Answer:
        answer = ask_at(shown.url + path, **more)
        assert leaks(answer, desk) == []
        return answer

    # What a client says of itself in these is not what counts (H14).
    scheme = "http" if shown.scheme == "https" else "https"
    forged = {"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": scheme}
    paths = ("", "vnc.html", "core/rfb.js", "no-such-page", "websockify")
    assert {get(path).status for path in paths} == {401}
    logins = [
        *(get(f"{page}?token={token}") for page in ("", "vnc.html", "login")),
        get("login", method="POST", headers=FORM, body=f"token={token}".encode()),
        get(f"?token={token}", headers=forged),
    ]
    end = f"; Path={shown.prefix}; HttpOnly; SameSite=Lax" + "; Secure" * (shown.scheme == "https")
    for login in logins:
        assert login.status == 303
        assert login.headers["set-cookie"].startswith(shown.cookie)
        assert login.headers["set-cookie"].endswith(end)
    headers = {"Cookie": logins[0].cookie}
    assert [get(path, headers=headers).status for path in paths] == [200, 200, 200, 404, 403]
    foreign = {**headers, **UPGRADE, **forged, "Origin": f"{shown.scheme}://evil.test"}
    assert get("websockify", headers=foreign).status == 403
    if shown.prefix != "/":
        bare = ask_at(shown.url.rstrip("/"))
        assert (bare.status // 100, bare.headers["location"]) == (3, shown.prefix)
        twice = get(f"{shown.prefix[1:]}vnc.html", headers=headers)
        assert twice.status == (200 if shown.strips else 404), "the proxy does what its name says"


def comings(desk: Desk) -> list[str]:
    """Each time that a page was connected, or no more."""
    return re.findall(r"control viewer from 127\.0\.0\.1 (joined|left)", desk.log)


def all_are_there(desk: Desk) -> bool:
    found = comings(desk)  # whom a change of the network sent away came back
    return found.count("joined") - found.count("left") == len(KINDS)


@dataclass(frozen=True)
class Quiet:
    """A desktop that pages behind each proxy look at, and how they came to it."""

    desk: Desk
    comings: list[str]
    began: float


@pytest.fixture(scope="module", autouse=True)
def quiet(
    places: dict[str, Place],
    make_module_desk: MakeDesk,
    chromium: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Quiet]:
    """A desktop where nothing moves, in Chromium behind each proxy since this module began.

    The time that its test needs passes during the others. No container starts meanwhile: Chromium
    would see a change of the network, and might connect anew.
    """
    desk = make_module_desk(env={"DESKTOP": "none", "VNC_TRUSTED_PROXIES": gateway()}).start()
    folder = tmp_path_factory.mktemp("quiet")
    with ExitStack() as stack:
        for kind in KINDS:
            port = free_port()
            stack.enter_context(
                running_proxy(
                    kind, folder / kind, port=port, gate=desk.port, idle_seconds=IDLE_SECONDS
                )
            )
            context = stack.enter_context(chromium.new_context())
            Screen(context.new_page()).open(f"http://localhost:{port}/#token={desk.token()}")
        wait_until(lambda: all_are_there(desk), 10)
        yield Quiet(desk, comings(desk), time.monotonic())


@pytest.mark.parametrize("kind", KINDS)
def test_h19_proxys_word_is_enough_for_a_secure_cookie(
    quiet: Quiet, pem: Path, tmp_path: Path, kind: str
) -> None:
    """Without `PUBLIC_URL`, its X-Forwarded-Proto alone tells that the browser speaks https."""
    desk = quiet.desk
    port = free_port()
    path = f"/?token={desk.token()}"
    with running_proxy(kind, tmp_path / kind, port=port, gate=desk.port, pem=pem):
        cookie = ask_at(f"https://localhost:{port}{path}").headers["set-cookie"]
        assert cookie.startswith("__Host-vnc_")
        assert cookie.endswith("; Secure")
    assert ask(desk, path).headers["set-cookie"].startswith("vnc_"), "positive control: no proxy"


def test_h19_pings_keep_an_idle_desktop_open(quiet: Quiet, tmp_path: Path) -> None:
    """In Chromium behind each proxy; without a ping in time, the two that count drop a viewer."""
    desk = quiet.desk
    headers = {**bearer(desk.token("view")), "X-Forwarded-For": "192.0.2.1"}
    for kind in DROPS:
        port = free_port()
        with (
            running_proxy(kind, tmp_path / kind, port=port, gate=desk.port, idle_seconds=2),
            Viewer(desk, headers=headers, port=port),
        ):
            gone = DROPS.index(kind) + 1
            wait_until(lambda n=gone: desk.log.count("view viewer from 127.0.0.1 left") == n, 10)  # type: ignore[misc]
    wait_until(lambda: time.monotonic() > quiet.began + IDLE_SECONDS + 2, IDLE_SECONDS + 5)
    assert comings(desk) == quiet.comings
