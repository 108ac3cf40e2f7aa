"""Where each page stands in the site. A page that is put into a folder is in it.

`docs/index.md` and the site's sidebar are made of this.
"""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Final

from docs.markdown import title

ROOT: Final = Path(__file__).resolve().parent.parent

LIST: Final = "<!-- The list is written by docs/generate.py from docs/navigation.py. -->\n"
# Title → pages in order; a pattern stands for those that were not named before, by file name.
SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Start": ("docs/start.md",),
    "How to": (
        "docs/how-to/page.md",
        "docs/how-to/own-image.md",
        "docs/how-to/programs.md",
        "docs/how-to/compose.md",
        "docs/how-to/tls.md",
        "docs/how-to/share.md",
        "docs/how-to/tokens.md",
        "docs/how-to/embed.md",
        "docs/how-to/hardening.md",
        "docs/how-to/ci.md",
        "docs/how-to/agents.md",
        "docs/how-to/*.md",
    ),
    "Coming from": ("docs/from/*.md",),
    "Reference": ("docs/settings.md", "docs/reference.md", "CHANGELOG.md"),
    "Security": ("SECURITY.md", "docs/explanation/security.md"),
    "Background": (
        "docs/explanation/design.md",
        "docs/explanation/comparison.md",
        "docs/explanation/benchmarks.md",
        "docs/explanation/*.md",
        "CONTRIBUTING.md",
    ),
    "Decisions": ("docs/decisions/*.md",),
}


def pages() -> dict[str, list[Path]]:
    """Title → the section's pages, each page once."""
    placed: set[Path] = set()
    found: dict[str, list[Path]] = {}
    for section, patterns in SECTIONS.items():
        rows = found[section] = []
        for pattern in patterns:
            here = [path for path in sorted(ROOT.glob(pattern)) if path not in placed]
            placed.update(here)
            rows += here
    return found


def index_page() -> str:
    """The page as it is, with the list of all pages anew."""
    folder = ROOT / "docs"
    lines = [(folder / "index.md").read_text(encoding="utf-8").partition(LIST)[0] + LIST]
    for section, rows in pages().items():
        lines += [f"## {section}", ""]
        for page in rows:
            name = title(page.read_text(encoding="utf-8"))
            lines.append(f"- [{name}]({os.path.relpath(page, folder)})")
        lines.append("")
    return "\n".join(lines)
