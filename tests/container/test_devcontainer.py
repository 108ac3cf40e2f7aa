"""The Dev Container Feature, built and started by the reference tool. With --exhaustive alone."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from deskgate import __version__
from deskgate.install import desktops
from deskgate.testing.viewer import Viewer
from tests.container.building import build_base
from tests.container.desk import ONE, ROOT
from tests.container.devcontainers import install_tool
from tests.container.engine import Result, docker, run
from tests.container.registry import running_registry
from tests.container.web import FORM, ask_at

FEATURE: Final = ROOT / "features/src/deskgate"
PAGE: Final = (ROOT / "docs/how-to/devcontainer.md").read_text(encoding="utf-8")
UP_SECONDS: Final = 400.0
# As bases for dev containers are: started as root, with a user for the terminals.
PERSON: Final = "RUN useradd --create-home --shell /bin/bash person"


def about() -> dict[str, Any]:
    """What the feature says of itself."""
    return dict(json.loads((FEATURE / "devcontainer-feature.json").read_text()))


def example() -> dict[str, Any]:
    """The page's devcontainer.json."""
    (found,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return dict(json.loads(found))


def test_the_feature_is_of_this_version() -> None:
    """One version for all; the options are what install knows; the page has the feature's name."""
    found = about()
    assert found["version"] == __version__
    assert __version__ in found["options"]["version"]["proposals"]
    assert set(found["options"]["desktop"]["enum"]) == set(desktops())
    (name,) = example()["features"]
    assert name == f"ghcr.io/deskgate/deskgate/{found['id']}:{__version__.partition('.')[0]}"


def test_the_feature_is_published_under_its_versions(tmp_path: Path, *, exhaustive: bool) -> None:
    """Where the page's one line finds it: by the whole version, and by each shorter one."""
    if not exhaustive:
        pytest.skip("only with --exhaustive: it needs npm")
    with running_registry(tmp_path) as registry:
        there = registry.address.replace("127.0.0.1", "localhost")  # by which it goes without TLS
        done = run("env", f"REGISTRY={there}/me", str(ROOT / "docker/feature"))
        assert done.status == 0, done.err
        tags = registry.tags("me/deskgate/deskgate")
    first, second, third = __version__.split(".")
    assert tags == sorted([first, f"{first}.{second}", f"{first}.{second}.{third}", "latest"])


class House:
    """A dev container, as the tool made it from the page's file."""

    def __init__(self, tool: Path, folder: Path, base: str, options: dict[str, Any]) -> None:
        self._words = [str(tool), "--workspace-folder", str(folder)]
        settings = {
            **example(),
            "image": base,
            "features": {"./deskgate": options},
            "remoteUser": "person",
            "runArgs": ["--publish", "127.0.0.1::8002"],
        }
        shutil.copytree(FEATURE, folder / ".devcontainer/deskgate")
        (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(settings))
        # The builder's own syntax, where Docker's registry cannot be reached.
        self.up = self._tool("up", "--omit-syntax-directive")
        assert self.up.status == 0, self.up.err[-3000:]
        self.name = str(json.loads(self.up.out.splitlines()[-1])["containerId"])
        self._image = docker("inspect", "--format", "{{.Config.Image}}", self.name).out.strip()

    def _tool(self, command: str, *words: str) -> Result:
        tool, *options = self._words
        return run(tool, command, *options, *words, timeout_seconds=UP_SECONDS)

    def exec(self, *words: str) -> Result:
        """A command in the editor's terminal."""
        return self._tool("exec", *words)

    @property
    def port(self) -> int:
        """Where the gate's port is published."""
        return int(docker("port", self.name, "8002/tcp").out.split()[0].rpartition(":")[2])

    def remove(self) -> None:
        """The container and its images: one with the user's id changed stands on the other."""
        docker("rm", "--force", self.name)
        docker("rmi", "--force", self._image, self._image.removesuffix("-uid"))


@pytest.fixture(scope="module", params=["token", "passwordless"])
def house(
    request: pytest.FixtureRequest,
    engine: None,
    wheels: Path,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    exhaustive: bool,
) -> Iterator[House]:
    """As the page has it, with each way in."""
    if not exhaustive:
        pytest.skip("only with --exhaustive: each takes a minute")
    folder = tmp_path_factory.mktemp("house")
    tool = install_tool()
    base = build_base(f"deskgate-test-house:{os.getpid()}", ONE, wheels, PERSON)
    (folder / "workspace").mkdir()
    options = {"passwordless": request.param == "passwordless"}
    found = House(tool, folder / "workspace", base, options)
    yield found
    found.remove()
    docker("rmi", "--force", base)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("house", ["token"], indirect=True)
def test_the_printed_link_opens_the_desktop(house: House) -> None:
    """The one that the editor shows when it attaches, and `deskgate url` in its terminal."""
    said = house.exec("deskgate", "url")
    assert said.status == 0, said.err
    link = said.out.strip()
    assert link in house.up.err + house.up.out
    token = re.fullmatch(r"http://localhost:8002/#token=([0-9a-f]{64})", link)
    assert token is not None, link
    here = f"http://127.0.0.1:{house.port}"
    body = urlencode({"token": token[1]}).encode()
    answer = ask_at(f"{here}/login", method="POST", headers=FORM, body=body)
    with Viewer(house, headers={"Cookie": answer.cookie, "Origin": here}) as viewer:
        assert (viewer.width, viewer.height) == (1280, 800)


@pytest.mark.parametrize("house", ["token"], indirect=True)
def test_a_program_of_the_terminal_is_on_the_desktop(house: House) -> None:
    """By its user, whose the desktop is."""
    assert house.exec("id", "-un").out.strip() == "person"
    done = house.exec("xterm", "-e", "exit 0")
    assert done.status == 0, done.err
    rows = [
        line.split() for line in docker("top", house.name, "-eo", "pid,user,args").out.splitlines()
    ]
    users = {user for _, user, *command in rows if command[0] in ("Xvnc", "jwm")}
    assert len(users) == 1
    assert "root" not in users


@pytest.mark.parametrize("house", ["passwordless"], indirect=True)
def test_without_a_token_only_who_is_inside_comes_in(house: House) -> None:
    """As the editor does, which forwards the port."""
    assert "http://localhost:8002/" in house.up.err + house.up.out
    fetch = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8002/').status)"
    assert house.exec("/usr/bin/python3", "-c", fetch).out.split() == ["200"]
    with pytest.raises(OSError):  # noqa: PT011 - closed or reset, as the engine likes
        ask_at(f"http://127.0.0.1:{house.port}/")
