"""Which tags an image gets."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from release.tags import Commit, Tag, Variant, branch_part, slug, tags_of

SHA = "0123456789abcdef0123456789abcdef01234567"
DEBIAN = Variant(name="debian", base="debian:trixie-slim")
PYTHON = Variant(name="python", base="nikolaik/python-nodejs:python3.12-nodejs22")
# OCI distribution specification, "Pulling manifests".
ALLOWED = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")

SLUGS = {
    "golang:1.21-bookworm": "golang_tag_1.21-bookworm",
    "eclipse-temurin:17-jdk": "eclipse-temurin_tag_17-jdk",
    "nikolaik/python-nodejs:python3.12-nodejs22": (
        "nikolaik_s_python-nodejs_tag_python3.12-nodejs22"
    ),
    "debian": "debian",
    # 64 characters stay; of 65 only what is after the last slash, and a digest
    "a/" + "b" * 60: "a_s_" + "b" * 60,
    "a/" + "b" * 61: "b" * 51 + "-{digest}",
    "registry.example.org:5000/ours/" + "b" * 40 + ":1.2": "b" * 40 + "_tag_1.2-{digest}",
    "ours/" + "desktop" * 9 + ":1.2.3": "esktop" + "desktop" * 5 + "_tag_1.2.3-{digest}",
    # a character that a tag cannot have
    "debian@sha256:11111": "debian-sha256_tag_11111-{digest}",
}
BRANCHES = {
    "main": "main",
    "fix/the-door": "fix_s_the-door",
    "release-1.2": "release-1.2",
    # what others are called
    "latest": "latest-{digest}",
    "1.2": "1.2-{digest}",
    "1.2.3-rc.1": "1.2.3-rc.1-{digest}",
    SHA[:7]: SHA[:7] + "-{digest}",
    SHA: SHA + "-{digest}",
    "1." * 40 + "0": "1." * 25 + "0-{digest}",
    # nothing left that a tag may start with
    "\u2603": "{digest}",
}
VERSIONS = {
    "newest": ("2.1.3", {"1.0.0", "2.0.9", "2.1.2"}, ["2.1.3", "2.1", "2"]),
    "first": ("1.0.0", set(), ["1.0.0", "1.0", "1"]),
    "tens are more than twos": ("1.10.0", {"1.2.0", "1.9.9"}, ["1.10.0", "1.10", "1"]),
    "fix of an old line": ("1.1.9", {"1.1.8", "1.2.0"}, ["1.1.9", "1.1"]),
    "fix behind its own line": ("1.1.1", {"1.1.2", "2.0.0"}, ["1.1.1"]),
    "before 1.0.0": ("0.3.1", {"0.3.0"}, ["0.3.1", "0.3"]),
    "pre-release": ("2.0.0-rc.1", {"1.0.0"}, ["2.0.0-rc.1"]),
    "pre-releases count for nothing": ("1.0.1", {"1.1.0-rc.1", "1.2.x"}, ["1.0.1", "1.0", "1"]),
}


def digest(text: str) -> str:
    """What keeps a name apart that lost something."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def names(commit: Commit, *variants: Variant) -> list[str]:
    """The names alone."""
    return [tag.name for tag in tags_of(variants, commit)]


@pytest.mark.parametrize("base", SLUGS)
def test_a_base_is_readable_in_its_tag(base: str) -> None:
    """`/` and `:` are spelled out; what is cut or lost leaves a digest."""
    assert slug(base) == SLUGS[base].format(digest=digest(base))


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_takes_no_other_tag(branch: str) -> None:
    """Pushing a branch called `latest`, or as a version, would publish it as that."""
    assert branch_part(branch) == BRANCHES[branch].format(digest=digest(branch))


@pytest.mark.parametrize("case", VERSIONS)
def test_a_version_moves_only_lines_that_it_is_the_newest_of(case: str) -> None:
    """`1.2` and `1` stay where they are when an older line gets a fix."""
    version, versions, parts = VERSIONS[case]
    commit = Commit(sha=SHA, version=version, versions=frozenset(versions))
    fixed = [f"{SHA[:7]}-debian", f"{SHA}-debian", f"{SHA[:7]}-debian_tag_trixie-slim"]
    found = names(commit, DEBIAN)
    assert sorted(found) == sorted([*fixed, *(f"{part}-debian" for part in parts)])


def test_main_gets_every_kind_of_tag() -> None:
    """The whole list, those that move last; each in the order of the variants."""
    commit = Commit(sha=SHA, branch="main", version="1.2.3")
    assert [(tag.name, tag.moves) for tag in tags_of([PYTHON, DEBIAN], commit)] == [
        ("0123456-python", False),
        (f"{SHA}-python", False),
        ("1.2.3-python", False),
        ("0123456-nikolaik_s_python-nodejs_tag_python3.12-nodejs22", False),
        ("0123456-debian", False),
        (f"{SHA}-debian", False),
        ("1.2.3-debian", False),
        ("0123456-debian_tag_trixie-slim", False),
        ("1.2-python", True),
        ("1-python", True),
        ("main-python", True),
        ("latest-python", True),
        ("1.2-debian", True),
        ("1-debian", True),
        ("main-debian", True),
        ("latest-debian", True),
    ]


def test_latest_is_of_main_alone() -> None:
    """Neither another branch nor a commit without one moves it."""
    for branch in ("fix", None):
        assert not [name for name in names(Commit(sha=SHA, branch=branch), DEBIAN) if "lat" in name]


def test_the_first_variant_on_a_base_has_its_tag() -> None:
    """Two desktops on one base; and a base whose name is a variant's, which has that tag."""
    xfce = Variant(name="xfce", base=DEBIAN.base)
    bare = Variant(name="bare", base="debian")
    found = tags_of([DEBIAN, xfce, bare], Commit(sha=SHA))
    owners = {tag.name: tag.variant for tag in found}
    assert len(owners) == len(found) == 7
    assert owners["0123456-debian_tag_trixie-slim"] == "debian"
    assert owners["0123456-debian"] == "debian"


def test_an_architecture_is_the_tags_end() -> None:
    """As in the tags that people know."""
    assert Tag(variant="x", name="main-x", moves=True).of("arm64") == "main-x-arm64"


@pytest.mark.parametrize(
    "wrong",
    [{"sha": SHA[:39]}, {"sha": SHA.upper()}, {"sha": SHA, "version": "1.2"},
     {"sha": SHA, "version": "v1.2.3"}, {"sha": SHA, "version": "1.2.3+build"}],
    ids=str,
)  # fmt: skip
def test_what_is_no_commit_gets_no_tags(wrong: dict[str, str]) -> None:
    """Short digests, and versions that a tag cannot hold."""
    with pytest.raises(ValueError, match=r"^tag (commit|version) "):
        Commit(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "Debian", "a_b", "a:b", "a/b", "-a", "a" * 42])
def test_what_is_no_variant_gets_no_tags(name: str) -> None:
    """Its name ends every tag."""
    with pytest.raises(ValueError, match=r"^tag variant "):
        Variant(name=name, base="debian")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
@example("\u2603" * 70, "/" * 70)
@example(".", "-")
def test_every_tag_is_one_that_a_registry_takes(branch: str, base: str) -> None:
    """Whatever the branch and the base are called, and with the longest names beside them."""
    variant = Variant(name="v" * 41, base=base)
    for tag in tags_of([variant], Commit(sha=SHA, branch=branch, version="1.2.3-" + "4" * 20)):
        assert ALLOWED.fullmatch(tag.name)
        assert ALLOWED.fullmatch(tag.of("arm64"))
