"""The desks that container tests share: one per variant and module, or one per module."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import VARIANTS, Desk


@pytest.fixture(scope="module", params=VARIANTS)
def every_desk(request: pytest.FixtureRequest, make_module_desk: MakeDesk) -> Desk:
    """A desk of each variant, started without any setting."""
    return make_module_desk(variant=request.param).start()


@pytest.fixture(scope="module")
def desk(make_module_desk: MakeDesk) -> Desk:
    """One desk, started without any setting."""
    return make_module_desk().start()
