"""An image for another architecture, run under emulation: `make test-arm64`.

Not part of the default run, by its name, as building the image takes a quarter of an hour. Here is
what an architecture can break: programs that start, the relay's bytes, signals and statuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self

import pytest
from websockets.exceptions import InvalidStatus

from deskgate.testing.viewer import Viewer
from tests.container.desk import ONE, READY, Desk, image_of
from tests.container.engine import docker, wait_until
from tests.container.web import ask, bearer, log_in

ARCHITECTURE: Final = "arm64"
MACHINE: Final = "aarch64"  # as uname(2) there calls it
START_SECONDS: Final = 240.0  # emulated, 20 s on an idle machine
# With other work beside it the gate may need a second try.
SLOW: Final = r"^deskgate: warning: gate: (not ready after 30 s|ended with signal 9)"
WRONG: Final = "0" * 64


def image() -> str:
    """The image as docker/build calls it; an engine of that architecture needs no other name."""
    own = docker("version", "--format", "{{.Server.Arch}}").out.strip()
    return image_of(ONE) if own == ARCHITECTURE else f"{image_of(ONE)}-{ARCHITECTURE}"


class Emulated(Desk):
    """A desk of the other architecture's image."""

    def words(self, *options: str) -> list[str]:
        """The words of `docker run`, with that image."""
        return super().words("--platform", f"linux/{ARCHITECTURE}", *options)

    def wait_ready(self) -> Self:
        """Wait for the banner, more patiently."""
        wait_until(lambda: READY in self.log or not self.running, START_SECONDS, what="a banner")
        assert self.running, self.log
        return self


@contextmanager
def emulated(**arguments: Any) -> Iterator[Desk]:
    """A desk that is judged and removed."""
    desk = Emulated(image=image(), **arguments)
    desk.allow(SLOW)
    try:
        yield desk
        desk.judge()
    finally:
        desk.remove()


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """One that the tests of it share."""
    with emulated() as made:
        yield made.start()


def test_image_is_for_the_other_architecture() -> None:
    """As it says itself, and as its programs do."""
    form = "{{.Architecture}}"
    assert docker("image", "inspect", "--format", form, image()).out.strip() == ARCHITECTURE
    with emulated(command=("uname", "-m")) as desk:
        assert desk.run(timeout_seconds=START_SECONDS).out.strip() == MACHINE


def test_printed_link_opens_the_desktop(desk: Desk) -> None:
    """Cookie, page, and a picture of the right size that a pointer moves in."""
    assert ask(desk, "/vnc.html", headers=log_in(desk, desk.token())).status == 200
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert (viewer.width, viewer.height) == (1280, 800)
        viewer.point(200, 150)
        viewer.settle()


def test_nothing_opens_without_the_token(desk: Desk) -> None:
    """Neither a page nor the WebSocket, with no token or a wrong one."""
    for headers in ({}, bearer(WRONG)):
        assert ask(desk, "/vnc.html", headers=headers).status == 401
        with pytest.raises(InvalidStatus, match=" 401"):
            Viewer(desk, headers=headers)


def test_desk_is_healthy(desk: Desk) -> None:
    """By its own check, which looks through the gate."""
    health = desk.exec("deskgate", "health", timeout_seconds=START_SECONDS)
    assert health.status == 0, health.err


COMMANDS: Final[dict[str, tuple[Sequence[str], int]]] = {
    "a status of its own": (("sh", "-c", "exit 7"), 7),
    "a signal": (("sh", "-c", "kill -TERM $$"), 143),
    "no such program": (("no-such-program",), 127),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_command_ends_the_container_with_its_status(case: str) -> None:
    """With the desktop up before it, as on any machine."""
    command, status = COMMANDS[case]
    with emulated(command=command) as desk:
        desk.allow("no-such-program")
        assert desk.run(timeout_seconds=START_SECONDS).status == status


def test_stop_ends_it_in_time(desk: Desk) -> None:
    """The last of it: well before the engine kills it, with the status of a clean stop."""
    assert desk.stop() < 9
    assert desk.exit_status() == 0
