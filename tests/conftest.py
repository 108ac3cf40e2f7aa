"""What the container and browser suites share: desks that are always removed and judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from hypothesis import settings

from tests.container.desk import EVERY_VARIANT, VARIANTS, Desk, image_of
from tests.container.engine import run, why_no_engine
from tests.container.leaks import find, searched

pytest_plugins = ["deskgate.testing.plugin"]  # as installed: pyproject's `pytest11`
pytest.register_assert_rewrite("deskgate.testing.test_contract")

# A machine that is busy for a moment is no fault of an example's: none of them claims a time.
settings.register_profile("deskgate", deadline=None)
settings.load_profile("deskgate")

# Desks of a module's tests: each test's end judges what they wrote since the last one.
_living: list[Desk] = []


def living_desks() -> list[Desk]:
    """Those that are not removed yet."""
    return list(_living)


class MakeDesk(Protocol):
    """Makes a desk that is removed when the test, or the module, ends. See `Desk`."""

    def __call__(self, **arguments: Any) -> Desk: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the suites."""
    parser.addoption(
        "--update-screenshots",
        action="store_true",
        help="write the pictures of docs/images anew",
    )
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="every exit status on every variant, fifty restarts, pauses of a minute, all examples",
    )


@pytest.fixture(scope="session")
def exhaustive(request: pytest.FixtureRequest) -> bool:
    """Whether to take as long as the cases say."""
    return bool(request.config.getoption("--exhaustive"))


@pytest.fixture(scope="session")
def engine(exhaustive: bool) -> None:
    """An engine that has every image. Nothing is skipped without one: the suite fails."""
    if reason := why_no_engine():
        pytest.fail(f"{reason}: `make test` starts one", pytrace=False)
    missing = [
        image_of(variant)
        for variant in (EVERY_VARIANT if exhaustive else VARIANTS)
        if run("docker", "image", "inspect", image_of(variant)).status != 0
    ]
    if missing:
        pytest.fail(f"no image {', '.join(missing)}: `make images` builds them", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was searched for secrets; what was found failed its test."""
    if searched:
        told = ", ".join(f"{number} {what}" for what, number in searched.items())
        terminalreporter.write_line(f"searched for secrets (L7): {told}")


def _close(desk: Desk) -> None:
    _living.remove(desk)
    try:
        desk.judge()
        leaks = find(desk) if desk.exists else []
        assert not leaks, "secrets leaked:\n" + "\n".join(map(str, leaks))
    finally:
        desk.remove()


def _maker(stack: ExitStack) -> MakeDesk:
    def make(**arguments: Any) -> Desk:
        desk = Desk(**arguments)
        _living.append(desk)
        stack.callback(_close, desk)
        return desk

    return make


@pytest.fixture
def make_desk(engine: None) -> Iterator[MakeDesk]:
    """Make desks for one test."""
    with ExitStack() as stack:
        yield _maker(stack)


@pytest.fixture(scope="module")
def make_module_desk(engine: None) -> Iterator[MakeDesk]:
    """Make desks that the tests of a module share."""
    with ExitStack() as stack:
        yield _maker(stack)


@pytest.fixture(autouse=True)
def judge_logs() -> Iterator[None]:
    """After each test, no living desk may have complained."""
    yield
    for desk in living_desks():
        desk.judge()
