"""The list of security checks that `make mutants` removes fits the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mutants.checks import CHECKS, Check

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "entrypoint" / "deskgate"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_stands_in_the_code_once(check: Check) -> None:
    """Whoever moves it moves it here as well."""
    code = (PACKAGE / check.file).read_text(encoding="utf-8")
    assert code.count(check.code) == 1
    compile(code.replace(check.code, check.without), check.file, "exec")


def test_no_check_that_was_taken_out_went_unmissed() -> None:
    """The published results are of these checks, and name a test for each."""
    results = json.loads((ROOT / "docs/explanation/mutants.json").read_text(encoding="utf-8"))
    found = {row["check"]: row["test"] for row in results}
    assert [check.name for check in CHECKS if check.name in found] == list(found)
    assert [name for name, test in found.items() if not test] == []


def test_no_check_is_listed_twice() -> None:
    """By its name."""
    assert len({check.name for check in CHECKS}) == len(CHECKS)
