"""The docs say what the code does."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deskgate.cli import COMMANDS
from deskgate.conductor.restart import Rest
from deskgate.errors import Status
from deskgate.programkeys import KEYS, WITHOUT_EFFECT
from deskgate.reading import variables_of
from deskgate.settings import ROWS

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "examples").rglob("*.md"),
    *ROOT.glob("third_party/*.md"),
]


def load(name: str) -> ModuleType:
    """A script of docs/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_current() -> None:
    """`make docs` writes them."""
    for page, write in load("generate").PAGES.items():
        assert (ROOT / page).read_text(encoding="utf-8") == write(), f"{page}: run `make docs`"


def test_every_attack_has_a_test_and_every_number_its_attack() -> None:
    """A row without a proof would be a promise."""
    attacks = load("attacks")
    cases = [case.number for group in attacks.read_cases().values() for case in group]
    assert sorted(attacks.find_proofs()) == sorted(cases)


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


def test_the_reference_lists_every_key_and_state_of_a_program() -> None:
    """Those that supervisord has as well: what they do here, and what not."""
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for word in (*KEYS, *Rest, "waiting", "starting", "ready"):
        assert f"`{word}`" in reference
    silent = next(line for line in reference.splitlines() if "a warning says so" in line)
    assert set(re.findall(r"`(\w+)`", silent)) == set(WITHOUT_EFFECT)


def test_the_reference_lists_every_command_and_status() -> None:
    """Their tests are elsewhere; here, that nobody has to read the source."""
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"| `deskgate {command}" in reference
    for status in Status:
        assert re.search(rf"\b{status.value}\b", reference)
