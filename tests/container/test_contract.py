"""The kit's contract, held by our own variants: on desks that are judged as all of these are.

What asks a desk that it shares runs on every variant; the rest on one each, in turns.
"""

from __future__ import annotations

from typing import Final

import pytest

from deskgate.testing.test_contract import *  # noqa: F403 - each of its tests is one of ours
from tests.conftest import MakeDesk
from tests.container.desk import VARIANTS, Desk

READS_ALL: Final = "test_no_layer_holds_a_token"  # of an image: seconds each


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """With --exhaustive everything on every variant: a minute."""
    name = metafunc.function.__name__
    shared = "desk" in metafunc.fixturenames and name != READS_ALL
    every = shared or metafunc.config.getoption("--exhaustive")
    turn = VARIANTS[list(vars(metafunc.module)).index(name) % len(VARIANTS)]
    metafunc.parametrize("variant", VARIANTS if every else (turn,), scope="module")


@pytest.fixture(scope="module")
def desk(variant: str, make_module_desk: MakeDesk) -> Desk:
    """A desk of each variant."""
    return make_module_desk(variant=variant).start()


@pytest.fixture
def make_desk(variant: str, make_desk: MakeDesk) -> MakeDesk:
    """Makes desks of a variant."""
    return lambda **arguments: make_desk(variant=variant, **arguments)
