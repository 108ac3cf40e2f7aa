"""Each pure module is covered whole, lines and branches, by its own tests alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .alone import files_of
from .test_architecture import CORE

ROOT = Path(__file__).parents[2]
# Not the settings, tables without a branch; the pages, which are of the rules but read files.
NAMES = sorted(CORE - {"rows", "settings"} | {"gate.pages"})


def python(*words: str) -> str:
    """What a fresh Python says, which has imported nothing of ours."""
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=120)
    return done.stdout.decode().strip()


@pytest.fixture(scope="module")
def left_out() -> dict[str, str]:
    """What is left out of every pure module. All at once: it takes seconds."""
    return dict(json.loads(python("-m", "tests.unit.alone", *NAMES)))


@pytest.mark.parametrize("name", NAMES)
def test_a_modules_own_tests_leave_nothing_of_it_out(name: str, left_out: dict[str, str]) -> None:
    """Lines, or branches as from->to, that nothing else may cover for them."""
    module, tests = files_of(name)
    assert left_out[name] == "", f"{tests.name} leaves out of {module.name}: {left_out[name]}"


MODULE = """\
def halve(number):
    if number % 2:
        number -= 1
    return number // 2
"""
TESTS = """\
import half


def test_halve():
    assert half.halve({}) == 2
"""
CONTROLS = {
    "a branch never taken": (TESTS.format(5), "2->4"),
    "a line never run": (TESTS.format(4), "3"),
    "both ways": (TESTS.format(4) + "    assert half.halve(5) == 2\n", ""),
    "tests that fail": (TESTS.format(7), "test_half.py does not pass: 1 failed"),
    "no tests": (None, "there is no test_half.py"),
}


@pytest.mark.parametrize(("tests", "said"), CONTROLS.values(), ids=CONTROLS)
def test_what_is_left_out_is_said(tests: str | None, said: str, tmp_path: Path) -> None:
    """Else an empty answer above would mean nothing."""
    module, own = tmp_path / "half.py", tmp_path / "test_half.py"
    module.write_text(MODULE)
    if tests is not None:
        own.write_text(tests)
    program = (
        "from pathlib import Path; from tests.unit.alone import left_out; import sys;"
        "print(left_out(*map(Path, sys.argv[1:])))"
    )
    found = python("-c", program, str(module), str(own))
    assert found.partition(" in ")[0].strip() == said
