"""A gate and a scripted desktop for the tests on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deskgate.gate import limits

from .running import Desk, Gate, running_desk, running_gate, wait_until
from .xvnc import Desktop, running_xvnc


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A scripted RFB server."""
    with running_desk() as desk:
        yield desk


@pytest.fixture
def gate(tmp_path: Path, desk: Desk) -> Iterator[Gate]:
    """A gate in front of it."""
    with running_gate(tmp_path, desk.port) as gate:
        yield gate


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """Real Xvnc behind a gate, for all tests of a module."""
    with running_xvnc(tmp_path_factory.mktemp("desktop")) as desktop:
        yield desktop


@pytest.fixture(scope="module")
def shared_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gate, Desk]]:
    """One gate and one desktop for a whole table; no clock helps an end that does not come."""
    folder = tmp_path_factory.mktemp("edge")
    with (
        pytest.MonkeyPatch.context() as patch,
        running_desk() as desk,
        running_gate(folder, desk.port) as gate,
    ):
        patch.setattr(limits, "CLOSE_SECONDS", 60.0)
        yield gate, desk


@pytest.fixture
def edge(shared_edge: tuple[Gate, Desk]) -> tuple[Gate, Desk]:
    """The same, as the case before must leave it: nobody is connected to either."""
    gate, desk = shared_edge
    wait_until(lambda: not gate.keeper.viewers and not gate.keeper.connections)
    while not desk.accepted.empty():  # a case that failed must not fail the next one
        desk.accepted.get()
    return gate, desk
