"""The same tree gives the same wheel and the same sdist, to the last bit."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
# What pyproject.toml names.
TREE: Final = (
    *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore"),
    *("entrypoint", "templates", "third_party/novnc", "docker/add-packages", "docker/packages"),
)


def copy(folder: Path, *, when: int, mode: int) -> Path:
    """The tree in another folder, with other times and permissions, as another clone has them."""
    for name in TREE:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    for path in folder.rglob("*"):
        path.chmod(mode | 0o100 if path.is_dir() else mode)
        os.utime(path, (when, when))
    return folder


def build(folder: Path, kind: str, **env: str) -> str:
    """The name and SHA-256 of what a build makes."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder / "dist")]
    environment = {"PATH": os.defpath, **env}
    subprocess.run(words, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    (made,) = (folder / "dist").iterdir()
    return f"{made.name} {hashlib.sha256(made.read_bytes()).hexdigest()}"


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_two_clones_build_the_same(kind: str, tmp_path: Path) -> None:
    """Whenever and wherever they were made; SOURCE_DATE_EPOCH dates what is in it."""
    one = copy(tmp_path / "one", when=1_000_000_000, mode=0o644)
    two = copy(tmp_path / "another" / "folder", when=1_800_000_000, mode=0o600)
    dated = {"SOURCE_DATE_EPOCH": "1700000000"}
    first = build(one, kind, TZ="UTC", PYTHONHASHSEED="1", **dated)
    assert build(two, kind, TZ="Asia/Tokyo", PYTHONHASHSEED="2", **dated) == first
    shutil.rmtree(two / "dist")
    assert build(two, kind) != first
