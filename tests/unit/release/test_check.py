"""`make release-check` of a tree that may be released, and of one that may not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deskgate import __version__
from tests.unit.release.test_wheel import ROOT, copy

# Neither this machine's nor a person's git settings.
GIT: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def tree(folder: Path) -> Path:
    """A checkout of what makes a release, with a changelog that has the version."""
    copy(folder, when=1_700_000_000, mode=0o644)
    shutil.copytree(ROOT / "release", folder / "release", ignore=shutil.ignore_patterns("__py*"))
    changelog = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = f"## Unreleased\n\n## {__version__} - 2030-01-31\n"
    changelog = re.sub(r"^## Unreleased\n", heading, changelog, flags=re.MULTILINE)
    (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    return folder


def git(folder: Path, *words: str) -> None:
    """A git command that has to work."""
    subprocess.run(["git", "-C", str(folder), *words], env={**os.environ, **GIT}, check=True)


def check(folder: Path) -> tuple[int, list[str], list[str]]:
    """The status of a check of the package, what it prints, and the faults."""
    done = subprocess.run(
        [sys.executable, "-m", "release.check", "--without-images"],
        cwd=folder,
        env={**os.environ, **GIT},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told = [
        line.removeprefix("release: cannot release deskgate: ") for line in done.stderr.splitlines()
    ]
    return done.returncode, done.stdout.splitlines(), told


def test_the_version_is_in_one_place() -> None:
    """Everything else reads it there, but the Feature, which has a version of its own."""
    words = ["git", "-C", str(ROOT), "grep", "--files-with-matches", "--fixed-strings"]
    where = ("--", ":!third_party", ":!features")
    found = subprocess.check_output([*words, f'"{__version__}"', *where], text=True)
    assert found.splitlines() == ["entrypoint/deskgate/__init__.py"]


def test_a_tagged_tree_may_be_released(tmp_path: Path) -> None:
    """Its wheel is the tree, the sdist gives it again, and it works where nothing else is."""
    folder = tree(tmp_path)
    git(folder, "tag", f"v{__version__}")
    status, made, faults = check(folder)
    assert (status, faults) == (0, [])
    assert [line.split()[1] for line in made] == [
        f"dist/deskgate-{__version__}-py3-none-any.whl",
        f"dist/deskgate-{__version__}.tar.gz",
    ]


def test_all_that_is_wrong_is_said(tmp_path: Path) -> None:
    """Also what only the build shows: a file that nobody committed, one that an sdist lacks."""
    folder = tree(tmp_path)
    (folder / "CHANGELOG.md").write_text("# Changelog\n")
    pyproject = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(pyproject.replace('"templates", ', ""))
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    git(folder, "tag", "v9.9.9")
    (folder / "entrypoint/deskgate/stray.py").write_text("")
    status, _, faults = check(folder)
    assert status == 69
    assert faults[:-1] == [
        "1 files are not as they are committed",
        f"CHANGELOG.md has no section {__version__}: call it `## {__version__} - 2030-01-31`",
        f"the commit is tagged v9.9.9, and the package says {__version__}",
        "the wheel has deskgate/stray.py, which git does not know",
    ]
    assert faults[-1].startswith("run `python -m hatchling build`")
