"""The window, used as a person does: with pointer and keyboard, on a real screen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def xdotool(*words: str) -> str:
    """Run xdotool; one that waits for a window gives up after 5 s."""
    done = subprocess.run(["xdotool", *words], capture_output=True, text=True, timeout=5)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def window(title: str) -> str:
    """Wait for the window with this title; returns its number."""
    return xdotool("search", "--sync", "--onlyvisible", "--name", f"^{title}$").splitlines()[0]


@pytest.fixture(autouse=True)
def counter() -> Iterator[None]:
    """The program, with its window on the screen."""
    program = subprocess.Popen([sys.executable, str(Path(__file__).with_name("counter.py"))])
    xdotool("windowfocus", "--sync", window("Counter: 0"))
    yield
    program.terminate()
    program.wait(5)


def test_each_click_counts() -> None:
    """Two clicks on the button."""
    place = ("mousemove", "--window", window("Counter: 0"), "120", "60")
    xdotool(*place, "click", "1")
    window("Counter: 1")
    xdotool("click", "1")
    window("Counter: 2")


def test_the_r_key_begins_again() -> None:
    """From one back to zero."""
    xdotool("mousemove", "--window", window("Counter: 0"), "120", "60", "click", "1")
    window("Counter: 1")
    xdotool("key", "r")
    window("Counter: 0")
