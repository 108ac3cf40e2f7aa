"""The examples with a reverse proxy: the link leads through it, and it learns no token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from deskgate.testing.viewer import Viewer
from tests.container.engine import wait_until
from tests.container.web import ask_at
from tests.deployments.example import Example, running
from tests.deployments.visit import WRONG, log_in, person, token_of

# folder → its proxy, and each desktop with the address that its links begin with.
PROXIED: Final = {
    "nginx": ("nginx", {"desk": "https://localhost:8443/desk/"}),
    "caddy": ("caddy", {"desk": "https://localhost:8443/"}),
    "two-desktops": (
        "caddy",
        {"alice": "https://localhost:8443/alice/", "bob": "https://localhost:8443/bob/"},
    ),
}
LEFT: Final = re.compile(r"control viewer from (\S+) left")


@pytest.fixture(scope="module", params=PROXIED)
def example(
    request: pytest.FixtureRequest, engine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """One of them, started as its README says."""
    name: str = request.param
    folder: Path = tmp_path_factory.mktemp("examples") / name
    with running(name, folder) as example:
        yield example


@pytest.fixture
def proxy(request: pytest.FixtureRequest, example: Example) -> str:
    """The name of its proxy's service."""
    name: str = request.node.callspec.params["example"]
    return PROXIED[name][0]


@pytest.fixture
def places(request: pytest.FixtureRequest, example: Example) -> dict[str, str]:
    """Its desktops and where they are shown."""
    shown = PROXIED[request.node.callspec.params["example"]][1]
    return {service: example.here(place) for service, place in shown.items()}


def test_the_printed_link_opens_the_desktop_through_the_proxy(
    example: Example, places: dict[str, str], proxy: str
) -> None:
    """A session, and ServerInit on the WebSocket; the log names the person, not the proxy."""
    # The engine passes on who asks from this machine as the gateway of one of the networks.
    template = "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}"
    gateways = set(example.desk(proxy).inspect(template).split())
    for service, place in places.items():
        link = example.link(service)
        assert link.startswith(f"{place}#token=")
        desk = example.desk(service)
        answer = log_in(place, token_of(link))
        assert answer.status == 303
        assert f"; Path={urlsplit(place).path};" in answer.headers["set-cookie"]
        assert answer.headers["set-cookie"].endswith("; Secure")
        headers = person(place, answer.cookie)
        assert ask_at(f"{place}vnc.html", headers=headers).status == 200
        with Viewer(desk, place=place.rstrip("/"), headers=headers) as viewer:
            assert viewer.name == "deskgate"
        wait_until(lambda: LEFT.search(desk.log), 5, what="its viewer's end")  # noqa: B023
        assert set(LEFT.findall(desk.log)) <= gateways
        desk.judge()


def test_a_wrong_token_opens_nothing(example: Example, places: dict[str, str]) -> None:
    """Nor does none at all."""
    for service, place in places.items():
        assert log_in(place, WRONG).status == 401
        assert ask_at(place).status == 401
        with pytest.raises(InvalidStatus) as refused:
            Viewer(example.desk(service), place=place.rstrip("/"))
        assert refused.value.response.status_code == 401


def test_the_proxys_log_has_requests_and_no_token(
    example: Example, places: dict[str, str], proxy: str
) -> None:
    """Of a person who came by the link. A token in a query would be there: it opens nothing."""

    def logged(text: str) -> bool:
        return text in example.log(proxy)

    for service, place in places.items():
        token, path = token_of(example.link(service)), urlsplit(place).path
        assert log_in(place, token).status == 303
        wait_until(lambda: logged(f"{path}login"), 5, what="the login in the log")  # noqa: B023
        assert not logged(token)
        assert ask_at(f"{place}?token={token}").status == 401
        wait_until(lambda: logged(token), 5, what="the query in the log")  # noqa: B023


def test_only_the_proxys_port_is_published(example: Example, places: dict[str, str]) -> None:
    """And on loopback alone, until somebody edits it."""
    published = example.do("docker compose ps --format '{{.Service}} {{.Publishers}}'").out
    for line in published.splitlines():
        service, _, ports = line.partition(" ")
        assert ("127.0.0.1" in ports) == (service not in places), line
        assert "{0.0.0.0 " not in ports.replace(" 0 tcp", ""), line


def test_a_desktops_credentials_open_no_other(example: Example, places: dict[str, str]) -> None:
    """Neither its token nor its cookie; each counts where it was made."""
    tokens = {service: token_of(example.link(service)) for service in places}
    for service, place in places.items():
        for other, token in tokens.items():
            answer = log_in(place, token)
            assert answer.status == (303 if other == service else 401)
        cookie = log_in(place, tokens[service]).cookie
        for other, elsewhere in places.items():
            answer = ask_at(f"{elsewhere}vnc.html", headers=person(elsewhere, cookie))
            assert answer.status == (200 if other == service else 401)
