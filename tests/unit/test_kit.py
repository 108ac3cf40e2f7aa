"""The kit without an engine: what it says then, and what it costs who does not use it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.kit import run_kit

ONE: Final = "deskgate.testing.test_contract::test_desk_is_healthy"
# Without an image; and where there is no docker.
MISSING: Final = {
    "image": ((), "say which image to test: pytest --deskgate-image IMAGE"),
    "docker": (
        ("--deskgate-image", "my/image"),
        "there is no docker command on PATH: install Docker Engine and start it",
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_is_said_in_one_line(case: str, tmp_path: Path) -> None:
    """With what to do; it is an error, and nothing is skipped."""
    words, said = MISSING[case]
    done = run_kit("--pyargs", ONE, *words, path=str(tmp_path))
    assert done.returncode == 1
    assert any(line.startswith((f"E   {said}", said)) for line in done.stdout.splitlines())
    assert "Traceback" not in done.stdout


def test_the_plugin_loads_little(tmp_path: Path) -> None:
    """It is loaded wherever deskgate and pytest are, also for tests of something else."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    ours = [name for name in sys.modules if name.startswith('deskgate')]\n"
        "    assert ours == ['deskgate', 'deskgate.testing', 'deskgate.testing.plugin']\n"
        "    assert 'websockets' not in sys.modules\n"
    )
    done = run_kit(str(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_options_are_explained() -> None:
    """In a group of their own, each with its default."""
    help_text = run_kit("--help").stdout
    assert "images built on deskgate:" in help_text
    for option in ("image=IMAGE", "run-args=WORDS", "command=WORDS", "timeout=SECONDS"):
        assert f"--deskgate-{option}" in help_text
