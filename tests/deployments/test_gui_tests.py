"""The example of pytest with a GUI: what the tests say is how the container ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.deployments.example import EXAMPLES, Example, built, commands

NAME: Final = "counter-test"
BROKEN: Final = ("count.set(0)", "count.set(7)")
TESTS_FAILED: Final = 1  # pytest's exit status


@pytest.fixture(scope="module")
def example(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Built as its README says; the last command removes it."""
    example = Example("pytest-gui", tmp_path_factory.mktemp("examples") / "gui", rename=[NAME])
    with built(example, NAME):
        yield example


def test_the_tests_pass_in_the_foreground(example: Example) -> None:
    """Status 0; standard output holds pytest's lines, standard error the desktop's."""
    _, tests, *_ = example.commands
    done = example.do(tests)
    assert done.status == 0, done.out
    assert "2 passed" in done.out
    assert "deskgate:" not in done.out
    assert "deskgate: the desktop is ready" in done.err


def test_a_command_of_ones_own_runs_some_of_them(example: Example) -> None:
    """Its output goes where it is sent."""
    *_, some, _ = example.commands
    assert example.do(some).status == 0
    report = (example.folder / "report.txt").read_text()
    assert "1 passed, 1 deselected" in report
    assert "deskgate:" not in report


def test_a_failing_test_fails_the_container(example: Example) -> None:
    """A program that does not begin again: pytest's status, so that a CI job fails."""
    _, tests, *_ = example.commands
    program = (example.folder / "counter.py").read_text()
    broken = example.folder / "broken.py"
    broken.write_text(program.replace(*BROKEN))
    assert broken.read_text() != program
    mount = f"docker run --volume {broken}:/app/counter.py:ro"
    done = example.do(tests.replace("docker run", mount, 1))
    assert done.status == TESTS_FAILED
    assert "1 failed, 1 passed" in done.out


def test_the_workflow_runs_the_same_commands() -> None:
    """Those that build and test."""
    folder = EXAMPLES / "pytest-gui"
    steps = re.findall(r"^ +- run: (.*)$", (folder / "workflow.yml").read_text(), re.MULTILINE)
    assert steps == commands((folder / "README.md").read_text())[:2]
