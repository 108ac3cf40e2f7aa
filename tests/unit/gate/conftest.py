"""A gate and a scripted desktop for the tests on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .running import Desk, Gate, running_desk, running_gate


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
