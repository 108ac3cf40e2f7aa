"""The site that `docker/docs` builds: every page, whole links, nothing from outside."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import urldefrag

import pytest

from docs.navigation import ROOT, pages
from docs.site import place
from tests.container.engine import Result, run

BUILD_SECONDS: Final = 120.0  # 9 s, of which 7 are for Sphinx from PyPI; the next one takes 2
# What a browser fetches on its own.
FETCHED: Final = {"img": "src", "link": "href", "script": "src", "iframe": "src", "source": "src"}
CSS_URL: Final = re.compile(r"""url\(["']?([^)"']+)|@import\s+["']([^"']+)""")


def build(root: Path, site: Path) -> Result:
    """What `make docs` does after the generated pages."""
    return run(str(root / "docker" / "docs"), str(site), timeout_seconds=BUILD_SECONDS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    folder = tmp_path_factory.mktemp("site") / "html"
    done = build(ROOT, folder)
    assert done.status == 0, done.err
    return folder


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))


def fetched(site: Path) -> Iterator[tuple[Path, str]]:
    """Every address that a browser fetches to show a page."""
    for path in site.rglob("*.html"):
        for tag, attributes in Tags(path).found:
            if target := attributes.get(FETCHED.get(tag, "")):
                yield path, target
    for path in site.rglob("*.css"):
        for found in CSS_URL.finditer(path.read_text(encoding="utf-8")):
            yield path, found[1] or found[2]


def test_no_page_asks_anybody_else(site: Path) -> None:
    """No font, script or picture from outside, and each that is asked for is there."""
    targets = list(fetched(site))
    assert len(targets) > 100
    for path, target in targets:
        if not target.startswith(("data:", "#")):
            file = path.parent / re.sub(r"[?#].*", "", target)
            assert file.is_file(), f"{path.relative_to(site)} asks for {target}"


def test_every_page_is_in_the_sidebar(site: Path) -> None:
    """In the order of docs/navigation.py, from the first page on."""
    links = [
        each["href"]
        for tag, each in Tags(site / "index.html").found
        if tag == "a" and each.get("class") == "reference internal" and each.get("href")
    ]
    wanted = [place(page).replace(".md", ".html") for rows in pages().values() for page in rows]
    assert [link for link in links if link in wanted][: len(wanted)] == wanted


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    """Also to a place in a page."""
    ids = {
        path: {each["id"] for _, each in Tags(path).found if each.get("id")}
        for path in site.rglob("*.html")
    }
    for path in ids:
        for tag, attributes in Tags(path).found:
            target, anchor = urldefrag(attributes.get("href") or "")
            if tag != "a" or re.match(r"[a-z]+:", target):
                continue
            other = (path.parent / target).resolve() if target else path
            assert other.is_file(), f"{path.relative_to(site)} links to {target}"
            assert not anchor or anchor in ids[other], f"{path.relative_to(site)}: #{anchor}"


BROKEN: Final = {
    "page": "nowhere.md",
    "anchor": "../settings.md#vnc_nothing",
    "anchor of the page": "#nowhere",
    "picture": "images/nothing.png",
    "source": "../../tests/nothing.py",
}


@pytest.fixture(scope="module")
def refused(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A build of the docs with every broken link, in a page of its own each."""
    root = tmp_path_factory.mktemp("broken")
    for path in ROOT.iterdir():
        if path.name not in {"docs", "dist", ".git"}:
            (root / path.name).symlink_to(path)
    shutil.copytree(ROOT / "docs", root / "docs")
    for number, target in enumerate(BROKEN.values()):
        page = root / "docs" / "how-to" / f"broken-{number}.md"
        page.write_text(f"# Page\n\n{'!' if '.png' in target else ''}[x]({target})\n")
    return build(root, root / "html")


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=BROKEN)
def test_a_broken_link_fails_the_build(refused: Result, number: int) -> None:
    """A line names the page."""
    assert refused.status == 70, refused.err
    assert re.search(rf"broken-{number}\.md:\d+: WARNING", refused.err)
