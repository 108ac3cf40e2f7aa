"""The reference tool for dev containers, in the version by which docker/feature publishes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.container.desk import ROOT
from tests.container.engine import run

FOLDER: Final = ROOT / ".build" / "devcontainer"
BIN: Final = FOLDER / "node_modules" / ".bin"
(TOOL,) = re.findall(r"^readonly TOOL=(\S+)", (ROOT / "docker/feature").read_text(), re.MULTILINE)
INSTALL_SECONDS: Final = 120.0  # 2 s


def install_tool() -> Path:
    """Install it unless it is there; returns its command."""
    words = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(FOLDER), TOOL)
    made = run(*words, timeout_seconds=INSTALL_SECONDS)
    assert made.status == 0, f"install nodejs and npm: {made.err}"
    return BIN / "devcontainer"
