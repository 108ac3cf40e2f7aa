"""A real Chromium, and tabs in it that are judged: no complaint, no request to another host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.screen import Screen
from tests.browser.site import Site, running_site
from tests.conftest import MakeDesk, living_desks
from tests.container.desk import Desk
from tests.container.engine import run

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # The certificates here are nobody's. A context that ignores that has each connection opened
    # twice, and on a busy machine Chromium gives up (ERR_TOO_MANY_RETRIES).
    "--ignore-certificate-errors",
    "--host-resolver-rules=MAP *.test 127.0.0.1",  # other sites (RFC 6761, 6.2)
)
WINDOW = {"width": 1280, "height": 720}


class OpenTab(Protocol):
    """Opens a tab with cookies of its own.

    Args:
        allow: patterns of complaints, and of other hosts' addresses, that the test expects.
    """

    def __call__(self, *allow: str, **options: Any) -> Screen: ...


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. Its event loop runs in this thread, so it ends before others want theirs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium: Browser) -> Iterator[OpenTab]:
    """Open tabs; at the end, each is judged."""
    opened: list[tuple[Screen, tuple[str, ...]]] = []

    def open_one(*allow: str, **options: Any) -> Screen:
        context = chromium.new_context(**{"viewport": WINDOW, **options})
        screen = Screen(context.new_page())
        opened.append((screen, allow))
        return screen

    yield open_one
    bad: list[str] = []
    for screen, allow in opened:
        for desk in living_desks():  # cookies and console are searched with the rest of it
            screen.tell(desk)
        screen.page.context.close()
        found = screen.complaints + screen.outside
        bad += [text for text in found if not any(re.search(each, text) for each in allow)]
    assert not bad, bad


@pytest.fixture
def tab(open_tab: OpenTab) -> Screen:
    """One tab."""
    return open_tab()


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody vouches for, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key, both = folder / "cert.pem", folder / "key.pem", folder / "both.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    assert run(*words, *names, "-nodes", "-keyout", str(key), "-out", str(cert)).status == 0
    both.write_text(cert.read_text() + key.read_text())
    return both


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Somebody else's web server."""
    with running_site() as site:
        yield site


@pytest.fixture(scope="module")
def desk(make_module_desk: MakeDesk) -> Desk:
    """One desk, started without any setting."""
    return make_module_desk().start()
