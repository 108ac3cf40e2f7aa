"""The example of a dev container: what VS Code does with it, done by its own command line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from deskgate.testing.viewer import Viewer
from tests.container.desk import VARIANTS, Desk, image_of
from tests.container.devcontainers import BIN, install_tool
from tests.container.engine import Result, docker, run, wait_until
from tests.container.web import bearer
from tests.deployments.example import EXAMPLES, Example
from tests.deployments.visit import WRONG, log_in, token_of

FILE: Final = ".devcontainer/devcontainer.json"
SOCKET: Final = Path("/var/run/docker.sock")
PERSON: Final = 1000  # a uid other than the image's, as most people have
FORWARDED: Final = '"forwardPorts": [8002]'
COMMAND_SECONDS: Final = 120.0  # 3 s


def read(text: str) -> dict[str, Any]:
    """JSON with comments that have lines of their own."""
    found: dict[str, Any] = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE))
    return found


def test_the_file_names_an_image_and_its_user() -> None:
    """By which the entrypoint runs, and files in the workspace are the person's."""
    found = read((EXAMPLES / "devcontainer" / FILE).read_text())
    assert found["image"] in {image_of(variant) for variant in VARIANTS}
    assert found["overrideCommand"] is False
    assert (found["containerUser"], found["remoteUser"]) == ("deskgate", "deskgate")
    runtime = found["containerEnv"]["DESKGATE_RUNTIME_DIR"]
    assert found["remoteEnv"]["XAUTHORITY"] == f"{runtime}/Xauthority"


class Container:
    """An example whose commands a person of another uid gives."""

    def __init__(self, example: Example) -> None:
        self.example = example
        self._label = f"label=devcontainer.local_folder={example.folder}"
        path = f"{BIN}:{os.environ['PATH']}"
        self._words = ["env", "-C", str(example.folder), f"PATH={path}", f"HOME={example.folder}"]
        self.uid = os.getuid()
        if self.uid == 0:  # who could be anybody
            self.uid = PERSON
            for each in (example.folder, *example.folder.rglob("*")):
                os.chown(each, PERSON, PERSON)
            groups = f"--groups={SOCKET.stat().st_gid}"  # of those who may use the engine
            self._words += ["setpriv", f"--reuid={PERSON}", f"--regid={PERSON}", groups]

    def do(self, command: str) -> Result:
        """A command that has to work."""
        result = run(*self._words, "sh", "-c", command, timeout_seconds=COMMAND_SECONDS)
        assert result.status == 0, f"{command}\n{result.out}{result.err}"
        return result

    def inside(self, *words: str) -> Result:
        """A command in the container, as VS Code's terminal gives it."""
        return self.do("devcontainer exec --workspace-folder . " + " ".join(words))

    def name(self) -> str:
        """The container's."""
        return docker("ps", "--all", "--quiet", "--filter", self._label).out.strip()

    def remove(self) -> None:
        """It and the image that was made for the person's uid: no command of the tool's does."""
        if name := self.name():
            image = docker("inspect", "--format", "{{.Config.Image}}", name).out.strip()
            docker("rm", "--force", name)
            docker("rmi", "--force", image)


@pytest.fixture(scope="module")
def container(engine: None, exhaustive: bool) -> Iterator[Container]:
    """Started by the tool, with the port published that VS Code would forward."""
    if not exhaustive:
        pytest.skip("needs npm: with --exhaustive")
    install_tool()
    with TemporaryDirectory() as base:  # pytest's own is nobody else's
        Path(base).chmod(0o755)
        example = Example("devcontainer", Path(base) / "workspace")
        file = example.folder / FILE
        text = file.read_text()
        assert text.count(FORWARDED) == 1
        file.write_text(text.replace(FORWARDED, '"appPort": ["127.0.0.1::8002"]'))
        container = Container(example)
        try:
            assert json.loads(container.do(example.commands[0]).out)["outcome"] == "success"
            yield container
        finally:
            container.remove()


@pytest.fixture
def desk(container: Container) -> Desk:
    """The container as other tests see it."""
    desk = Desk()
    desk.name, desk.exists = container.name(), True
    return desk


def test_the_link_opens_the_desktop(container: Container, desk: Desk) -> None:
    """ServerInit with its token; another opens nothing."""
    url = container.example.commands[1]
    wait_until(lambda: "deskgate: the desktop is ready" in desk.log, 20)
    token = token_of(container.do(url).out.strip())
    with Viewer(desk, headers=bearer(token)) as viewer:
        assert viewer.name == "deskgate"
    assert log_in(f"http://127.0.0.1:{desk.port}/", WRONG).status == 401
    desk.judge()


def test_a_file_made_inside_is_the_persons(container: Container) -> None:
    """The image's user has become them."""
    container.inside("touch", "made-inside")
    assert (container.example.folder / "made-inside").stat().st_uid == container.uid


def test_a_program_of_the_terminal_appears_on_the_desktop(container: Container) -> None:
    """An X client finds screen and cookie."""
    assert container.inside("xterm", "-e", "true").status == 0
