"""The pytest plugin: which image is tested, and desks of it that are always removed.

pytest loads it in every environment that has deskgate: what costs time is imported in the fixtures.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

if TYPE_CHECKING:
    from deskgate.testing.desk import Desk

TIMEOUT_SECONDS: Final = 30.0  # a start takes 0.5 s on an idle machine


class MakeDesk(Protocol):
    """Makes a desk that is removed when the test ends. See `deskgate.testing.desk.Desk`."""

    def __call__(self, **arguments: Any) -> Desk: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("deskgate", "images built on deskgate")
    group.addoption("--deskgate-image", metavar="IMAGE", help="the image to test")
    group.addoption(
        "--deskgate-run-args",
        metavar="WORDS",
        default="",
        help="further words of `docker run` for each container, such as '--shm-size 1g -e A=b'",
    )
    group.addoption(
        "--deskgate-command",
        metavar="WORDS",
        default="",
        help="what the `desk` fixture runs, where the image's own command ends by itself",
    )
    group.addoption(
        "--deskgate-timeout",
        metavar="SECONDS",
        type=float,
        default=TIMEOUT_SECONDS,
        help="for a start, and for a command that ends (default: %(default)g)",
    )


@pytest.fixture(scope="session")
def deskgate_image(request: pytest.FixtureRequest) -> str:
    """The image under test. Nothing is skipped where it, or an engine, is not there."""
    from deskgate.testing.engine import run, why_no_engine

    image: str | None = request.config.getoption("--deskgate-image")
    if not image:
        pytest.fail("say which image to test: pytest --deskgate-image IMAGE", pytrace=False)
    if reason := why_no_engine():
        advice = "install Docker Engine and start it, until `docker info` works for this user"
        pytest.fail(f"{reason}: {advice}", pytrace=False)
    if run("docker", "image", "inspect", image).status:
        pytest.fail(f"no image {image} here: build it, or `docker pull {image}`", pytrace=False)
    return image


def _maker(config: pytest.Config, image: str, stack: ExitStack) -> MakeDesk:
    from deskgate.testing.desk import Desk

    always = shlex.split(config.getoption("--deskgate-run-args"))
    seconds: float = config.getoption("--deskgate-timeout")

    def make(*, options: Sequence[str] = (), **arguments: Any) -> Desk:
        desk = Desk(image, options=[*always, *options], timeout_seconds=seconds, **arguments)
        stack.callback(desk.remove)
        return desk

    return make


@pytest.fixture
def make_desk(pytestconfig: pytest.Config, deskgate_image: str) -> Iterator[MakeDesk]:
    """Make desks for one test."""
    with ExitStack() as stack:
        yield _maker(pytestconfig, deskgate_image, stack)


@pytest.fixture(scope="module")
def desk(pytestconfig: pytest.Config, deskgate_image: str) -> Iterator[Desk]:
    """One desk, started, that the tests of a module share."""
    command = shlex.split(pytestconfig.getoption("--deskgate-command"))
    with ExitStack() as stack:
        yield _maker(pytestconfig, deskgate_image, stack)(command=command).start()
