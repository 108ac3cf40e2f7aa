"""The docs say what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from deskgate.cli import COMMANDS
from deskgate.errors import Status
from deskgate.reading import variables_of
from deskgate.settings import ROWS

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("third_party/*.md")]


def test_the_settings_page_is_current() -> None:
    """`make docs` writes it."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for page, write in module.PAGES.items():
        assert (ROOT / page).read_text(encoding="utf-8") == write(), f"{page}: run `make docs`"


def test_the_readme_names_only_settings_that_exist() -> None:
    """A table of the ones most used, with their defaults."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    known = {name for field in ROWS.values() for name in variables_of(field)}
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (.*?) \|", readme, re.MULTILINE)
    assert len(rows) == 8
    for names, default in rows:
        for name in re.findall(r"[A-Z_]+", names):
            assert name.removesuffix("_FILE") in known
        field = ROWS[re.findall(r"[A-Z_]+", names)[0]]
        if field.metadata["default"]:
            assert field.metadata["default"] in default


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_between_our_pages_leads_somewhere(page: Path) -> None:
    """Also those to folders and images."""
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


def test_every_decision_is_short_and_says_why() -> None:
    """At most 40 lines."""
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert re.match(rf"# {page.name[:4]} ", text)
        assert len(text.splitlines()) <= 40
        assert "**Decided**" in text


def test_the_reference_lists_every_command_and_status() -> None:
    """Their tests are elsewhere; here, that nobody has to read the source."""
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"| `deskgate {command}" in reference
    for status in Status:
        assert re.search(rf"\b{status.value}\b", reference)
