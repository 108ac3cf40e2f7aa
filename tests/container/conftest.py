"""The desks that container tests share: one per variant and module, or one per module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeDesk
from tests.container.building import make_wheels
from tests.container.desk import VARIANTS, Desk


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip finds this checkout's wheel in."""
    return make_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module", params=VARIANTS)
def every_desk(request: pytest.FixtureRequest, make_module_desk: MakeDesk) -> Desk:
    """A desk of each variant, started without any setting."""
    return make_module_desk(variant=request.param).start()


@pytest.fixture(scope="module")
def desk(make_module_desk: MakeDesk) -> Desk:
    """One desk, started without any setting."""
    return make_module_desk().start()
