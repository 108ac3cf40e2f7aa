"""The list of security checks that `make mutants` removes fits the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.checks import CHECKS, Check

PACKAGE = Path(__file__).parents[2] / "entrypoint" / "deskgate"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_stands_in_the_code_once(check: Check) -> None:
    """Whoever moves it moves it here as well."""
    code = (PACKAGE / check.file).read_text(encoding="utf-8")
    assert code.count(check.code) == 1
    compile(code.replace(check.code, check.without), check.file, "exec")


def test_no_check_is_listed_twice() -> None:
    """By its name."""
    assert len({check.name for check in CHECKS}) == len(CHECKS)
