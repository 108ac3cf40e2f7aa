"""The example of an agent: one watches, another takes over, and the agent goes on with that."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

import pytest

from tests.browser.conftest import OpenTab
from tests.browser.screen import TROUBLE, Screen
from tests.container.building import trusted
from tests.container.desk import Desk
from tests.container.engine import docker, wait_until
from tests.deployments.example import Example, built

NAME: Final = "desk-agent"
FIELD: Final = (250, 355)  # a place in the field for the amount, on the desktop
START_SECONDS: Final = 60.0  # Chromium's first start, on a busy machine


@pytest.fixture(scope="module")
def example(
    engine: None, exhaustive: bool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """Built as its README says; pip trusts what this machine trusts."""
    if not exhaustive:
        pytest.skip("an image with Chromium takes a minute: with --exhaustive")
    folder = tmp_path_factory.mktemp("examples") / "agent"
    example = Example("agent", folder, rename=[NAME])
    dockerfile = folder / "Dockerfile"
    if bundle := trusted():
        shutil.copy(bundle, folder / "ca.crt")
        first, rest = dockerfile.read_text().split("\n", 1)
        trust = "COPY ca.crt /ca.crt\nENV PIP_CERT=/ca.crt"
        dockerfile.write_text(f"{first}\n{trust}\n{rest}")
    with built(example, NAME):
        yield example


class Running:
    """The README's `docker run`, in the foreground of a process of its own."""

    def __init__(self, example: Example) -> None:
        _, words, _ = example.commands
        self._output = example.folder / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                ["sh", "-c", f"exec {words}"], stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def output(self) -> str:
        """What it has written."""
        return self._output.read_text()

    def wrote(self, text: str) -> None:
        """Wait for a text."""

        def there() -> bool:
            assert text in self.output or self.process.poll() is None, self.output
            return text in self.output

        wait_until(there, START_SECONDS, what=f'"{text}"')


@pytest.fixture
def running(example: Example) -> Iterator[Running]:
    """Started; removed if it has not ended."""
    running = Running(example)
    try:
        yield running
    finally:
        for name in containers(example):
            docker("rm", "--force", name)
        running.process.wait(20)
        print(running.output)


def containers(example: Example) -> list[str]:
    """Those of its image."""
    image = f"ancestor={example.here(NAME)}"
    return docker("ps", "--all", "--quiet", "--filter", image).out.split()


def make_it(tab: Screen, amount: str) -> None:
    """Write another amount into the form, and send it."""
    tab.click(*FIELD)
    tab.page.keyboard.press("Control+a")
    tab.type(amount)


@pytest.mark.timeout(400)
def test_one_watches_and_another_takes_over(
    example: Example, running: Running, open_tab: OpenTab
) -> None:
    """The watcher sees the form and changes nothing; the agent ends with what the person did."""
    running.wrote("agent: over to you")
    desk = Desk()
    (desk.name,) = containers(example)
    desk.exists = True
    watcher, person = open_tab(*TROUBLE), open_tab(*TROUBLE)  # at the end the desktop is gone
    watcher.open(desk.link("view"))
    wait_until(lambda: watcher.colours > 50, 20, what="the browser on the watcher's screen")
    make_it(watcher, "9")
    person.open(desk.link("control"))
    wait_until(lambda: person.colours > 50, 20, what="the browser on the person's screen")
    assert "a person ordered" not in running.output
    desk.judge()
    make_it(person, "7")
    running.wrote("agent: a person ordered 7 apples")
    assert running.process.wait(20) == 0
