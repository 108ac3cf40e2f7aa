"""The docs say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deskgate.cli import COMMANDS
from deskgate.conductor.restart import Rest
from deskgate.errors import Status
from deskgate.foreign import PEERS
from deskgate.programkeys import KEYS, WITHOUT_EFFECT
from deskgate.reading import variables_of
from deskgate.settings import ROWS
from docs import generate
from docs.attacks import find_proofs, read_cases
from docs.markdown import anchors, links
from docs.navigation import pages
from docs.newcomers import FROM
from tests.browser.proxy import KINDS, render

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "examples").rglob("*.md"),
    *ROOT.glob("third_party/*.md"),
]


def test_the_generated_pages_are_current() -> None:
    """`make docs` writes them."""
    for page, write in generate.PAGES.items():
        assert (ROOT / page).read_text(encoding="utf-8") == write(), f"{page}: run `make docs`"


# What a person writes for a site, and what the tests listen on instead.
PEOPLES = {
    "listen 127.0.0.1:443": "listen 443",
    "bind 127.0.0.1:443": "bind :443",
    "server_name localhost": "server_name desk.example.org",
    "https://localhost:443": "desk.example.org",
    "\tbind 127.0.0.1\n\ttls /etc/ssl/desk.pem /etc/ssl/desk.pem\n": "",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxys_configuration_on_the_page_is_the_tested_one(kind: str) -> None:
    """tests/browser/test_proxies.py runs it."""
    page = (ROOT / "docs" / "how-to" / "tls.md").read_text(encoding="utf-8")
    text = render(
        kind, port=443, gate=8002, prefix="/", strip=False, pem="/etc/ssl/desk.pem", idle_seconds=60
    )
    for ours, theirs in PEOPLES.items():
        text = text.replace(ours, theirs)
    assert f"\n{text.strip()}\n```" in page


def test_every_image_whose_names_we_know_has_a_page() -> None:
    """One page each."""
    shown = [peer for peers in FROM.values() for peer in peers]
    assert sorted(shown) == sorted(PEERS)
    assert set(FROM) == {path.stem for path in (ROOT / "docs" / "from").glob("*.md")}


def test_every_attack_has_a_test_and_every_number_its_attack() -> None:
    """A row without a proof would be a promise."""
    cases = [case.number for group in read_cases().values() for case in group]
    assert sorted(find_proofs()) == sorted(cases)


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
    """Also those to folders, images and places in a page; the site's build needs a generator."""
    for target in links(page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), target


def test_every_page_of_the_docs_is_in_the_navigation_once() -> None:
    """Whoever adds one to a folder need not think of it; a new folder needs a row."""
    placed = [path for rows in pages().values() for path in rows]
    ours = {*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")}
    assert len(placed) == len(set(placed))
    assert set(placed) == ours - {ROOT / "README.md", ROOT / "docs" / "index.md"}


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
