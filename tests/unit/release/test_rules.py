"""Where an image may be pushed."""

from __future__ import annotations

import pytest

from release.rules import Image, as_package_version, faults, is_loopback, stand_in_of
from release.tags import Commit

SHA = "0123456789abcdef0123456789abcdef01234567"
COMMIT = Commit(sha=SHA, branch="main")
LABELS = {
    "org.opencontainers.image.revision": SHA,
    "org.opencontainers.image.version": "1.2.3",
}
STAND_IN = {"deskgate.stand-in": "true", "deskgate.stand-in.of": "golang:1.21"}
REGISTRIES = {
    "127.0.0.1:5000": True,
    "127.8.9.1": True,
    "localhost/team": True,
    "[::1]:5000/team": True,
    "ghcr.io/me": False,
    "me": False,
    "10.0.0.1:5000": False,
    # names that only look like it
    "127.0.0.1.example.org": False,
    "localhost.example.org:5000": False,
    "127.1": False,
    "[::ffff:8.8.8.8]:5000": False,
}


@pytest.mark.parametrize("registry", REGISTRIES)
def test_a_registry_is_on_loopback_or_not(registry: str) -> None:
    """By its address; a name could lead anywhere."""
    assert is_loopback(registry) is REGISTRIES[registry]


@pytest.mark.parametrize(
    "registry",
    ["", "http://localhost:5000", "127.0.0.1@example.org", "localhost:", "ghcr.io/", "ghcr.io/Me",
     "ghcr.io/me:tag", "a b", "localhost\n"],
)  # fmt: skip
def test_what_is_no_registry_is_refused(registry: str) -> None:
    """An address of the web, a user, an image: all would be taken for something else."""
    with pytest.raises(ValueError, match=r"^push to "):
        is_loopback(registry)


def found(registry: str, **changes: object) -> list[str]:
    """What is wrong with an image that is right but for the changes."""
    image = {"name": "deskgate:x", "architecture": "amd64", "labels": LABELS, **changes}
    commit = image.pop("commit", COMMIT)
    return list(
        faults(
            Image(**image),  # type: ignore[arg-type]
            registry=registry,
            commit=commit,  # type: ignore[arg-type]
            architecture="amd64",
            package="1.2.3",
        )
    )


def test_an_image_of_this_commit_may_go_anywhere() -> None:
    """On a real base, with its commit and version in its labels."""
    assert found("ghcr.io/me") == []
    assert found("ghcr.io/me", commit=Commit(sha=SHA, version="1.2.3")) == []


@pytest.mark.parametrize("value", ["true", "1", "TRUE", "no"])
def test_a_stand_in_leaves_this_machine_never(value: str) -> None:
    """Whatever the label says; only none, or `false`, is a real base."""
    labels = {**LABELS, **STAND_IN, "deskgate.stand-in": value}
    assert found("127.0.0.1:5000", labels=labels) == []
    assert found("localhost:5000", labels=labels) == []
    for registry in ("ghcr.io/me", "10.0.0.1:5000"):
        (fault,) = found(registry, labels=labels)
        assert fault.startswith("it stands on a stand-in for golang:1.21, ")


def test_a_stand_in_may_not_say_for_what() -> None:
    """It is one all the same."""
    image = Image(name="x", architecture="amd64", labels={"deskgate.stand-in": "true"})
    assert stand_in_of(image) == "its base"
    assert stand_in_of(Image(name="x", architecture="amd64", labels=LABELS)) is None


WRONG = {
    "architecture": ({"architecture": "arm64"}, "it is for arm64, not amd64"),
    "no labels": ({"labels": {}}, "it was built from no known commit, not"),
    "changed files": (
        {"labels": {**LABELS, "org.opencontainers.image.revision": f"{SHA}-dirty"}},
        f"it was built from {SHA}-dirty, not {SHA}",
    ),
    "version": (
        {"labels": {**LABELS, "org.opencontainers.image.version": "1.2.2"}},
        "it has version 1.2.2, not 1.2.3",
    ),
    "tag": (
        {"commit": Commit(sha=SHA, version="1.2.4")},
        "the commit is tagged 1.2.4, and the package says 1.2.3",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_image_of_something_else_gets_no_tags(case: str) -> None:
    """Else `1.2.3` would name whatever was built last; also on loopback."""
    changes, said = WRONG[case]
    for registry in ("127.0.0.1:5000", "ghcr.io/me"):
        assert found(registry, **changes)[0].startswith(said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "package"),
    [("1.2.3", "1.2.3"), ("1.2.3-rc.1", "1.2.3rc1"), ("2.0.0-b1", "2.0.0b1")],
)
def test_a_version_has_one_spelling_in_git_and_one_in_python(version: str, package: str) -> None:
    """Semantic versioning's and PEP 440's."""
    assert as_package_version(version) == package
