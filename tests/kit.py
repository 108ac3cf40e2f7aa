"""The kit as an installed one: pytest outside of our tree, with none of its settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

PACKAGES: Final = Path(__file__).parents[1] / "entrypoint"
RUN_SECONDS: Final = 120.0

Run = subprocess.CompletedProcess[str]


def run_kit(*words: str, folder: Path = Path("/"), path: str = os.environ["PATH"]) -> Run:
    """Run pytest with the kit's plugin, and of others only those that are named."""
    command = [sys.executable, "-m", "pytest", "-p", "deskgate.testing.plugin"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={"PATH": path, "PYTHONPATH": str(PACKAGES), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
