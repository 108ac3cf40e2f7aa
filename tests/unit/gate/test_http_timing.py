"""The time that a comparison with a token takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .test_process import ENVIRONMENT

CHANCE = 1e-6  # with the usual one in a hundred, this test would be red each month


def tells(scene: str) -> bool:
    """Whether its time tells how much of a guess is right, as `timing.py` measures it.

    In an interpreter of its own, as the heap of one that ran a thousand tests has its own times.
    What is there is found each time; what a machine does once is not found again.
    """
    return all(_chance(scene) < CHANCE for _ in range(2))


def _chance(scene: str) -> float:
    words = [sys.executable, "-m", "tests.unit.gate.timing", scene]
    done = subprocess.run(words, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def test_h3_the_time_tells_nothing_of_a_guess() -> None:
    """10 000 guesses at a time, which have the first 0, 1, 32 or 63 characters right."""
    assert not tells("guess")


def test_h3_the_time_tells_nothing_of_a_digest() -> None:
    """Nor of what the comparison is made by."""
    assert not tells("digest")


@pytest.mark.parametrize("scene", ["careless guess", "careless digest"])
def test_h3_the_time_of_a_careless_comparison_tells(scene: str) -> None:
    """So the tests above can fail."""
    assert tells(scene)
