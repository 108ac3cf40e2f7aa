"""Lay the pages out for Sphinx: `python -m docs.site FOLDER` (`make docs`).

They are written for GitHub, where most read them. What the site needs besides is added here: the
sidebar, and addresses for links to what is no page of it.
"""

from __future__ import annotations

import os.path
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from docs.markdown import ANCHOR, with_links
from docs.navigation import ROOT, pages

SOURCE: Final = "https://github.com/deskgate/deskgate/{}/main/{}"
INDEX: Final = ROOT / "docs" / "index.md"


def place(page: Path) -> str:
    """Where a page, or a picture, is put below the folder."""
    below = page.relative_to(ROOT).as_posix().removeprefix("docs/")
    return below if "/" in below or page.parent != ROOT else below.lower()


def _moved(page: Path, target: str, known: set[Path]) -> str:
    name, mark, anchor = target.partition("#")
    path = Path(os.path.normpath(page.parent / name))
    if not name or not path.exists():
        return target  # as it is: Sphinx says so
    if path in known or path.suffix in {".png", ".svg"}:
        here = Path(place(page)).parent
        return os.path.relpath(place(path), here) + mark + anchor
    kind = "tree" if path.is_dir() else "blob"
    return SOURCE.format(kind, path.relative_to(ROOT).as_posix()) + mark + anchor


def staged(page: Path, known: set[Path]) -> str:
    """A page as the site takes it."""
    text = with_links(page.read_text(encoding="utf-8"), lambda target: _moved(page, target, known))
    # An anchor of HTML is not one that a link can be checked against.
    text = re.sub(ANCHOR.pattern + "</a>", r"[]{#\1}", text)
    return text + _sidebar() if page == INDEX else text


def _sidebar() -> str:
    parts = []
    for section, rows in pages().items():
        names = "\n".join(place(page).removesuffix(".md") for page in rows)
        parts.append(f"\n```{{toctree}}\n:hidden:\n:caption: {section}\n\n{names}\n```\n")
    return "".join(parts)


def lay_out(folder: Path) -> None:
    """Write every page and picture into a folder that is new."""
    shutil.rmtree(folder, ignore_errors=True)
    known = {INDEX, *(page for rows in pages().values() for page in rows)}
    for page in known:
        path = folder / place(page)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(staged(page, known), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "images", folder / "images")


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
