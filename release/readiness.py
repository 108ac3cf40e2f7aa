"""What keeps a commit from being released, told from its texts, tags and files.

Pure: git, the disk and the build are asked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from release.rules import as_package_version
from release.tags import VERSION

UNRELEASED: Final = "Unreleased"
DATE: Final = re.compile(r" - \d{4}-\d\d-\d\d")


def sections_of(changelog: str) -> dict[str, tuple[str, str]]:
    """The sections of a changelog: their name → the rest of the heading, and the text below."""
    parts = re.split(r"^## (\S+)(.*)$", changelog, flags=re.MULTILINE)
    return {
        name: (rest, text.strip())
        for name, rest, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    }


def changelog_faults(changelog: str, package: str) -> Iterator[str]:
    """What the changelog does not say of a version, or says of none."""
    sections = sections_of(changelog)
    if package not in sections:
        yield f"CHANGELOG.md has no section {package}: call it `## {package} - 2030-01-31`"
        return
    heading, text = sections[package]
    if not DATE.fullmatch(heading):
        yield f"CHANGELOG.md gives {package} no day: call it `## {package} - 2030-01-31`"
    if not text:
        yield f"CHANGELOG.md says nothing of {package}"
    if sections.get(UNRELEASED, ("", ""))[1]:
        yield f"CHANGELOG.md has changes that are in no version: move them to {package}"


def tag_faults(here: Iterable[str], package: str, *, tagged: bool) -> Iterator[str]:
    """Whether the commit's tags say the package's version.

    Args:
        here: the tags of the commit.
        tagged: whether it has to have one already.
    """
    versions = [tag[1:] for tag in here if tag[:1] == "v" and VERSION.fullmatch(tag[1:])]
    for version in versions:
        if as_package_version(version) != package:
            yield f"the commit is tagged v{version}, and the package says {package}"
    if tagged and not versions:
        yield f"the commit is not tagged: git tag v{package}"


def expected_files(
    project: Mapping[str, object], tracked: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Which file of the tree is which of the wheel, as pyproject.toml says it.

    Args:
        project: of the wheel: hatchling's `packages` and `force-include`.
        tracked: the files that git knows.
    """
    packages, forced = project["packages"], project["force-include"]
    assert isinstance(packages, list)  # noqa: S101 - for the type checker
    assert isinstance(forced, dict)  # noqa: S101
    places = {**{path: path.rpartition("/")[2] for path in packages}, **forced}
    for path in tracked:
        for place, target in places.items():
            if path == place or path.startswith(f"{place}/"):
                yield path, target + path[len(place) :]


def content_faults(
    wheel: Mapping[str, bytes], tree: Mapping[str, bytes], name: str
) -> Iterator[str]:
    """Where a wheel is not the tree.

    Args:
        name: of the wheel's own folder of facts, which no tree has.
    """
    for path in sorted(tree.keys() - wheel.keys()):
        yield f"the wheel lacks {path}"
    for path in sorted(wheel.keys() - tree.keys()):
        if not path.startswith(f"{name}.dist-info/"):
            yield f"the wheel has {path}, which git does not know"
    for path in sorted(wheel.keys() & tree.keys()):
        if wheel[path] != tree[path]:
            yield f"the wheel has another {path}"
