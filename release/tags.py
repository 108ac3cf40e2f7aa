"""Which tags an image gets, from its variant, its base and the commit that it was built from.

Pure: git, the engine and the registry are asked elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

ARCHITECTURES: Final = ("amd64", "arm64")
DEFAULT_BRANCH: Final = "main"
SHORT: Final = 7  # digits; git's own --short grows with the repository
SLUG_CHARACTERS: Final = 64  # leaves room in the 128 that a tag may have (OCI distribution spec)
DIGEST_CHARACTERS: Final = 12
VARIANT: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
# semver.org's, without build metadata: a tag cannot hold its plus sign.
VERSION: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
# A branch of such a name would take the tags of a version, of a commit or of the newest image.
TAKEN: Final = re.compile(rf"latest|[0-9a-f]{{{SHORT}}}|[0-9a-f]{{40}}|\d+(\.\d+)*(-.*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A row of docker-bake.json."""

    name: str
    base: str

    def __post_init__(self) -> None:
        """A name that cannot end a tag is refused."""
        if not VARIANT.fullmatch(self.name):
            raise ValueError(f'tag variant "{self.name}": give small letters, digits and "-"')


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """What git says of the commit.

    Args:
        sha: all 40 digits.
        branch: the branch that it is the tip of, if any.
        version: the version that it is tagged with, if any.
        versions: all versions so far; decide whether this one is the newest of its line.
    """

    sha: str
    branch: str | None = None
    version: str | None = None
    versions: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """A digest cut short, or a version that is none, would give tags to the wrong image."""
        if not re.fullmatch(r"[0-9a-f]{40}", self.sha):
            raise ValueError(f'tag commit "{self.sha}": give its 40 digits')
        if self.version is not None and not VERSION.fullmatch(self.version):
            raise ValueError(f'tag version "{self.version}": give one such as 1.2.3 or 1.2.3-rc.1')


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """A tag of a variant. As it stands it names the images of all architectures together.

    Args:
        moves: a later commit takes it over; it is given last.
    """

    variant: str
    name: str
    moves: bool

    def of(self, architecture: str) -> str:
        """The tag of one architecture's image."""
        return f"{self.name}-{architecture}"


def slug(text: str) -> str:
    """The name of a base or a branch as part of a tag, still to be read by people.

    What does not fit loses all before its last slash, then its beginning, as does what no tag may
    start with; a digest of the whole then keeps it apart from others.
    """
    plain = text.replace("/", "_s_").replace(":", "_tag_")
    safe = re.sub(r"[^A-Za-z0-9_.-]", "-", plain)
    if len(safe) > SLUG_CHARACTERS:
        kept = SLUG_CHARACTERS - DIGEST_CHARACTERS - 1
        safe = safe.rpartition("_s_")[2][-kept:]
    whole = safe == plain and not safe.startswith((".", "-"))
    return safe if whole else with_digest(safe, text)


def with_digest(name: str, text: str) -> str:
    """A name that is no other's: with the start of its full text's SHA-256."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{name}-{digest}"[-SLUG_CHARACTERS:].lstrip("-.")  # a tag does not start with these


def branch_part(branch: str) -> str:
    """A branch as the start of a tag; never what a version, a commit or `latest` has."""
    return with_digest(branch, branch) if TAKEN.fullmatch(branch) else slug(branch)


def version_parts(version: str, versions: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The version, and the shorter ones that it is the newest of; and whether each moves.

    A pre-release is newest of nothing, and a fix of an old line does not take over a newer one.
    `0` alone is left out: before 1.0.0 a line promises nothing beyond its second number.
    """
    yield version, False
    if not (own := numbers(version)):
        return
    released = [*filter(None, map(numbers, versions)), own]
    for kept in (2, 1):
        line = own[:kept]
        if line != (0,) and own == max(each for each in released if each[:kept] == line):
            yield ".".join(map(str, line)), True


def numbers(version: str) -> tuple[int, ...] | None:
    """The three numbers of a release; None for a pre-release, and for what is no version."""
    found = VERSION.fullmatch(version)
    if found is None or found[4]:
        return None
    return tuple(map(int, found.groups()[:3]))


def tags_of(variants: Sequence[Variant], commit: Commit) -> list[Tag]:
    """All tags, those that stay before those that move; each in the variants' order."""
    tags = [
        Tag(variant=variant.name, name=f"{part}-{variant.name}", moves=moves)
        for variant in variants
        for part, moves in parts_of(commit)
    ]
    taken = {tag.name for tag in tags}
    for variant in variants:
        # The first variant on a base has its tag, and a base called as a variant has none.
        if (name := f"{commit.sha[:SHORT]}-{slug(variant.base)}") not in taken:
            taken.add(name)
            tags.append(Tag(variant=variant.name, name=name, moves=False))
    order = [variant.name for variant in variants]
    return sorted(tags, key=lambda tag: (tag.moves, order.index(tag.variant)))


def parts_of(commit: Commit) -> Iterator[tuple[str, bool]]:
    """What comes before the variant, and whether it moves."""
    yield commit.sha[:SHORT], False
    yield commit.sha, False
    if commit.version:
        yield from version_parts(commit.version, commit.versions)
    if commit.branch:
        yield branch_part(commit.branch), True
    if commit.branch == DEFAULT_BRANCH:
        yield "latest", True
