"""What keeps a commit from being released."""

from __future__ import annotations

from typing import Final

import pytest

from release.readiness import (
    changelog_faults,
    content_faults,
    expected_files,
    sections_of,
    tag_faults,
)

HEAD: Final = "# Changelog\n\nWords of the format.\n\n"
GOOD: Final = f"{HEAD}## Unreleased\n\n## 1.2.3 - 2030-01-31\n\n### Added\n\n- it\n\n## 1.2.2\n"
# id → changelog, and a word of each fault that it has for 1.2.3.
CHANGELOGS: Final = {
    "good": (GOOD, []),
    "nothing-unreleased": (GOOD.replace("## Unreleased\n\n", ""), []),
    "absent": (HEAD, ["no section 1.2.3"]),
    "another": (GOOD.replace("1.2.3", "1.2.4"), ["no section 1.2.3"]),
    "no-day": (GOOD.replace(" - 2030-01-31", ""), ["no day"]),
    "empty": (GOOD.replace("### Added\n\n- it\n", ""), ["says nothing of 1.2.3"]),
    "left-over": (GOOD.replace("Unreleased\n", "Unreleased\n\n- more\n"), ["move them to 1.2.3"]),
    "all": (
        f"{HEAD}## Unreleased\n- more\n## 1.2.3\n",
        ["no day", "says nothing", "move them"],
    ),
}


@pytest.mark.parametrize("case", CHANGELOGS)
def test_the_changelog_has_a_section_for_the_version(case: str) -> None:
    """With its day and what changed; nothing waits for a later one."""
    text, words = CHANGELOGS[case]
    found = list(changelog_faults(text, "1.2.3"))
    assert len(found) == len(words)
    assert all(word in fault for word, fault in zip(words, found, strict=True))


def test_sections_are_told_by_their_names() -> None:
    """Not by the words in them, nor the headings below."""
    assert sections_of(GOOD) == {
        "Unreleased": ("", ""),
        "1.2.3": (" - 2030-01-31", "### Added\n\n- it"),
        "1.2.2": ("", ""),
    }


# id → the commit's tags, the package's version, whether one is needed, and the faults.
TAGS: Final = {
    "the-same": (["v1.2.3"], "1.2.3", True, []),
    "as-python-writes-it": (["v1.2.3-rc.1"], "1.2.3rc1", True, []),
    "not-yet": ([], "1.2.3", False, []),
    "none": ([], "1.2.3", True, ["the commit is not tagged: git tag v1.2.3"]),
    "no-version": (
        ["nightly", "v1", "1.2.3"],
        "1.2.3",
        True,
        ["the commit is not tagged: git tag v1.2.3"],
    ),
    "another": (
        ["v1.2.4"],
        "1.2.3",
        False,
        ["the commit is tagged v1.2.4, and the package says 1.2.3"],
    ),
}


@pytest.mark.parametrize("case", TAGS)
def test_the_tag_says_the_packages_version(case: str) -> None:
    """As git has it, with a v; other tags say nothing."""
    here, package, tagged, faults = TAGS[case]
    assert list(tag_faults(here, package, tagged=tagged)) == faults


def test_a_file_is_where_pyproject_puts_it() -> None:
    """Packages by their last folder; single files and folders by name; the rest is left out."""
    project = {
        "packages": ["src/it"],
        "force-include": {"words": "it/words", "a/b.txt": "it/b.txt"},
    }
    tracked = ["src/it/x.py", "src/its/y.py", "words/z", "wordsy", "a/b.txt", "README.md"]
    assert list(expected_files(project, tracked)) == [
        ("src/it/x.py", "it/x.py"),
        ("words/z", "it/words/z"),
        ("a/b.txt", "it/b.txt"),
    ]


def test_a_wheel_that_is_not_the_tree_is_told() -> None:
    """What it lacks, what it has beyond, and what differs; not its own facts."""
    tree = {"it/a": b"1", "it/b": b"2", "it/c": b"3"}
    facts = {"it-1.2.3.dist-info/RECORD": b""}
    assert list(content_faults({**tree, **facts}, tree, "it-1.2.3")) == []
    wheel = {"it/a": b"1", "it/b": b"two", "it/d": b"4", "it-9.dist-info/RECORD": b""}
    assert list(content_faults(wheel, tree, "it-1.2.3")) == [
        "the wheel lacks it/c",
        "the wheel has it-9.dist-info/RECORD, which git does not know",
        "the wheel has it/d, which git does not know",
        "the wheel has another it/b",
    ]
