"""The example of a web application: the desktop in its page, the token never in the browser."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Final

import pytest

from tests.browser.conftest import OpenTab
from tests.container.engine import wait_until
from tests.container.inside import x_state
from tests.container.web import FORM, ask_at
from tests.deployments.example import Example, running

APPLICATION: Final = "http://localhost:8080/"
DESKTOP: Final = "http://localhost:8002/"
FRAME: Final = r"^http://localhost:\d+/"  # another port than the page's


@pytest.fixture(scope="module")
def example(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Started as its README says."""
    with running("embed", tmp_path_factory.mktemp("examples") / "embed") as example:
        yield example


@pytest.fixture(scope="module")
def token(example: Example) -> str:
    """The one that its README makes."""
    return (example.folder / "secrets/token").read_text().strip()


def test_the_page_shows_the_desktop_in_its_frame(
    example: Example, token: str, open_tab: OpenTab
) -> None:
    """In Chromium, and again after a reload; nothing that the browser gets is the token."""
    desk = example.desk("desk")
    tab = open_tab(FRAME)
    got: list[str] = []
    tab.page.on("request", lambda request: got.append(request.url))
    for width in (900, 1000):
        tab.page.set_viewport_size({"width": width, "height": 700})
        tab.go(example.here(APPLICATION))
        inside = width - 16  # the page's margins
        wait_until(lambda: x_state(desk)["size"][0] == inside, 15, what="the size")  # noqa: B023
        got.append(tab.page.content())
    frame = tab.page.frames[1]
    assert frame.url.startswith(example.here(DESKTOP))
    assert len(got) > 4
    assert token not in "\n".join([*got, frame.content(), tab.storage(), *tab.said])
    desk.judge()


def test_a_copied_link_opens_nothing(example: Example) -> None:
    """The ticket was for one use."""
    page = ask_at(example.here(APPLICATION)).body.decode()
    link = page.partition('src="')[2].partition('"')[0]
    place, _, ticket = link.partition("#ticket=")
    assert place == example.here(DESKTOP)
    used = [
        ask_at(
            f"{place}login",
            method="POST",
            headers=FORM,
            body=f"ticket={ticket}".encode(),
        ).status
        for _ in range(2)
    ]
    assert used == [http.client.SEE_OTHER, http.client.UNAUTHORIZED]


def test_no_log_has_the_token(example: Example, token: str) -> None:
    """Neither the application's, which has each visit, nor the desktop's; nor `docker inspect`."""
    ask_at(example.here(APPLICATION))
    wait_until(lambda: "GET / HTTP/1.1" in example.log("app"), 5)
    assert token not in example.log("app") + example.log("desk")
    for service in ("app", "desk"):
        assert token not in example.desk(service).inspect("{{json .}}")


def test_only_the_named_page_may_embed_it(example: Example) -> None:
    """The browser goes by this header."""
    policy = ask_at(example.here(DESKTOP)).headers["content-security-policy"]
    assert f"frame-ancestors {example.here(APPLICATION).rstrip('/')}" in policy


def test_without_the_desktop_the_page_says_so(example: Example) -> None:
    """502, and no traceback."""
    example.must(["docker compose stop desk"])
    try:
        answer = ask_at(example.here(APPLICATION))
        assert answer.status == http.client.BAD_GATEWAY
        assert b"The desktop cannot be reached" in answer.body
        assert "Traceback" not in example.log("app")
    finally:
        example.must(["docker compose start desk"])
