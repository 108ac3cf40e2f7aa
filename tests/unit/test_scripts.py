"""How the shell scripts speak while they work."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash that has the scripts' own words."""
    words = ["bash", "-c", f"source docker/lib.bash; {script}"]
    return subprocess.run(
        words,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def test_a_long_step_says_that_it_goes_on() -> None:
    """Every few seconds, also when its own output goes to a file; its status is kept."""
    done = run("busy building sh -c 'sleep 0.5; exit 7' >/dev/null 2>&1", BEAT_SECONDS="0.1")
    assert done.returncode == 7
    said = done.stderr.splitlines()
    assert len(said) >= 2
    assert all(line.startswith("bash: still building (") for line in said)


def test_a_short_step_says_nothing_and_leaves_nothing_behind() -> None:
    """Nothing keeps the caller's pipes open: the ten seconds of a beat would pass."""
    done = run('found=$(busy building echo done); echo "$found"')
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(("words", "status"), [("", 69), ("73", 73)])
def test_what_cannot_be_done_ends_with_a_status(words: str, status: int) -> None:
    """One line, and a status of sysexits.h."""
    done = run(f"die 'do it' {words}; echo never")
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "bash: cannot do it\n")
