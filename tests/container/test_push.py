"""`docker/push` to a real registry on loopback: every tag, for every architecture, and together.

As docs/how-to/publish.md says: `make push` and `make tags` are the script and its `--dry-run`.
The images are a file each, so that the arm64 one needs no emulation and a push takes no time; the
commit, the tags and the list of variants are a repository's of the test's own.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.container.desk import ROOT
from tests.container.engine import Result, docker, run
from tests.container.registry import INDEXES, Registry, running_registry

ARCHITECTURES: Final = ("amd64", "arm64")
VERSION: Final = "1.2.3"
BASE: Final = "debian:trixie-slim"
LOCAL: Final = f"deskgate-push-{os.getpid()}:debian"
REPOSITORY: Final = "team/deskgate"
MOVING: Final = ("latest-debian", "main-debian", "1.2-debian", "1-debian")
# A name that leads nowhere (RFC 2606).
ELSEWHERE: Final = "registry.invalid/team"
# Neither this machine's nor a person's git settings.
GIT: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


class Tree:
    """A checkout with one variant, and the images that were built from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "release", folder / "release")
        (folder / "docker").mkdir()
        shutil.copy(ROOT / "docker/push", folder / "docker")
        variant = {"args": {"BASE": BASE}, "tags": [LOCAL]}
        bake = {"group": {"all": {"targets": ["debian"]}}, "target": {"debian": variant}}
        (folder / "docker/docker-bake.json").write_text(json.dumps(bake))
        (folder / "entrypoint/deskgate").mkdir(parents=True)
        (folder / "entrypoint/deskgate/__init__.py").write_text(f'__version__ = "{VERSION}"\n')
        (folder / ".gitignore").write_text("__pycache__/\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", ".")

    def git(self, *words: str) -> str:
        """What a git command prints."""
        env = {**os.environ, **GIT}
        command = ["git", "-C", str(self.folder), *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, *tags: str) -> str:
        """A further commit with tags of git's; its digest."""
        self.git("commit", "--quiet", "--allow-empty", "--message", "one more")
        for tag in tags:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    def push(self, *words: str, registry: str) -> Result:
        """`docker/push`, whatever its exit status."""
        env = [f"{name}={value}" for name, value in {**GIT, "REGISTRY": registry}.items()]
        return run("env", *env, str(self.folder / "docker/push"), *words)

    @contextmanager
    def images(self, *architectures: str, revision: str) -> Iterator[None]:
        """Images of architectures, labelled as built from a commit, on a stand-in."""
        own = docker("version", "--format", "{{.Server.Arch}}").out.strip()
        built = []
        try:
            for architecture in architectures:
                name = LOCAL if architecture == own else f"{LOCAL}-{architecture}"
                labels = (
                    f"org.opencontainers.image.revision={revision}",
                    f"org.opencontainers.image.version={VERSION}",
                    f"deskgate.stand-in=true deskgate.stand-in.of={BASE}",
                )
                changes = [word for label in labels for word in ("--change", f"LABEL {label}")]
                platform = ("--platform", f"linux/{architecture}")
                docker(
                    *("import", *platform, *changes, "--change", 'CMD ["/none"]', "-", name),
                    stdin=one_file(architecture.encode()),
                )
                built.append(name)
            yield
        finally:
            docker("rmi", *built)


def one_file(content: bytes) -> bytes:
    """A root file system that says what it is for."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("architecture")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture(scope="module")
def registry(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that the tests of the module share; each with commits of its own."""
    with running_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The checkout."""
    return Tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def pushed(registry: Registry, tree: Tree) -> tuple[str, Result]:
    """The commit of a release, and what pushing all of it printed."""
    sha = tree.commit(f"v{VERSION}")
    with tree.images(*ARCHITECTURES, revision=sha):
        return sha, tree.push(registry=f"{registry.address}/team")


def test_the_dry_run_prints_what_a_push_makes(
    pushed: tuple[str, Result], tree: Tree, registry: Registry
) -> None:
    """Before it: the same references; after it the registry has those and no other."""
    sha, done = pushed
    assert done.status == 0, done.err
    dry = tree.push("--dry-run", registry=f"{registry.address}/team")
    references = dry.out.splitlines()
    assert sorted(done.out.splitlines()) == sorted(references)
    parts = (sha[:7], sha, VERSION, f"{sha[:7]}-debian_tag_trixie-slim")
    tags = [part if "_tag_" in part else f"{part}-debian" for part in parts] + list(MOVING)
    ends = ("", *(f"-{architecture}" for architecture in ARCHITECTURES))
    expected = [f"{tag}{end}" for tag in tags for end in ends]
    address = f"{registry.address}/{REPOSITORY}"
    assert sorted(references) == sorted(f"{address}:{tag}" for tag in expected)
    assert registry.tags(REPOSITORY) == sorted(expected)
    assert address not in docker("image", "ls", "--format", "{{.Repository}}").out.split()


def test_what_moves_comes_last(pushed: tuple[str, Result]) -> None:
    """First every image and then what joins them, each time those that stay before the others."""
    tags = [line.rpartition(":")[2] for line in pushed[1].out.splitlines()]
    joins = [not tag.endswith(ARCHITECTURES) for tag in tags]
    moves = [tag.startswith(MOVING) for tag in tags]
    order = list(zip(joins, moves, strict=True))
    assert order == sorted(order)
    assert len(set(order)) == 4


def test_a_tag_without_an_architecture_joins_the_images_of_all(
    pushed: tuple[str, Result], registry: Registry
) -> None:
    """An index of exactly the manifests that the other tags lead to."""
    joined = [tag for tag in registry.tags(REPOSITORY) if not tag.endswith(ARCHITECTURES)]
    assert len(joined) == 8
    for tag in joined:
        _, index = registry.manifest(REPOSITORY, tag)
        assert index["mediaType"] in INDEXES
        platforms = {
            each["platform"]["architecture"]: each["digest"] for each in index["manifests"]
        }
        assert platforms == {
            each: registry.manifest(REPOSITORY, f"{tag}-{each}")[0] for each in ARCHITECTURES
        }


def test_digests_are_of_what_the_release_leads_to(
    pushed: tuple[str, Result], tree: Tree, registry: Registry
) -> None:
    """As an attestation names them: the index of all architectures, by its own digest."""
    told = tree.push("--digests", registry=f"{registry.address}/team")
    digest, _ = registry.manifest(REPOSITORY, f"{pushed[0]}-debian")
    name = f"{registry.address}/{REPOSITORY}"
    assert json.loads(told.out) == [{"variant": "debian", "name": name, "digest": digest}]


def test_a_release_is_checked_by_the_same_rules(pushed: tuple[str, Result], tree: Tree) -> None:
    """`make release-check` says of an image what a push would, without one."""
    sha = pushed[0]
    script = "from release import check; print(*check.image_faults({}), sep='\\n')"
    check = ("env", "-C", str(tree.folder), "python3", "-c", script)
    with tree.images("amd64", revision=sha):
        assert run(*check).out == "\n"
    with tree.images("amd64", revision="0" * 40):
        assert run(*check).out == f"{LOCAL}: it was built from {'0' * 40}, not {sha}\n"
    assert "it is not built here" in run(*check).out


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_platform_pulls_its_own_image(
    pushed: tuple[str, Result], registry: Registry, architecture: str
) -> None:
    """By the same tag, as a person does on either machine."""
    sha, _ = pushed
    reference = f"{registry.address}/{REPOSITORY}:{VERSION}-debian"
    docker("pull", "--quiet", "--platform", f"linux/{architecture}", reference)
    try:
        form = '{{.Architecture}} {{index .Config.Labels "org.opencontainers.image.revision"}}'
        found = docker("image", "inspect", "--format", form, reference)
        assert found.out.split() == [architecture, sha]
        container = docker("create", "--platform", f"linux/{architecture}", reference).out.strip()
        try:
            packed = docker("cp", f"{container}:/architecture", "-").stdout
        finally:
            docker("rm", container)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            content = archive.extractfile("architecture")
            assert content is not None
            assert content.read() == architecture.encode()
    finally:
        docker("rmi", reference)


def test_pushing_by_parts_moves_only_what_moves(
    pushed: tuple[str, Result], tree: Tree, registry: Registry
) -> None:
    """As machines of both architectures do, and one that joins; the release stays as it is."""
    kept = [tag for tag in registry.tags(REPOSITORY) if not tag.startswith(("latest-", "main-"))]
    before = {tag: registry.manifest(REPOSITORY, tag) for tag in kept}
    sha = tree.commit()
    with tree.images(*ARCHITECTURES, revision=sha):
        for words in (["--only", "amd64"], ["--only", "arm64"], ["--manifests"]):
            done = tree.push(*words, registry=f"{registry.address}/team")
            assert done.status == 0, done.err
    assert {tag: registry.manifest(REPOSITORY, tag) for tag in kept} == before
    newest = registry.manifest(REPOSITORY, f"{sha}-debian")
    assert registry.manifest(REPOSITORY, "latest-debian") == newest
    assert registry.manifest(REPOSITORY, "main-debian") == newest
    assert newest != before[f"{VERSION}-debian"]


def test_a_stand_in_goes_to_loopback_alone(pushed: tuple[str, Result], tree: Tree) -> None:
    """It says so here, and is refused anywhere else before anything is sent."""
    said = f"stands on a stand-in for {BASE}: for tests on this machine only"
    assert pushed[1].err.count(said) == len(ARCHITECTURES)
    sha = tree.commit()
    with tree.images(*ARCHITECTURES, revision=sha):
        refused = tree.push(registry=ELSEWHERE)
    assert (refused.status, refused.out) == (69, "")
    assert refused.err.count("which goes to a registry on loopback only") == len(ARCHITECTURES)
    assert "registry.invalid" not in docker("image", "ls").out


def test_everything_that_is_wrong_is_said_and_nothing_pushed(
    registry: Registry, tree: Tree
) -> None:
    """An image that is missing, and one of another commit."""
    sha = tree.commit()
    with tree.images("amd64", revision="0" * 40):
        refused = tree.push(registry=f"{registry.address}/wrong")
    assert (refused.status, refused.out) == (69, "")
    assert f"cannot push {LOCAL}: it was built from {'0' * 40}, not {sha}" in refused.err
    assert f"cannot push {LOCAL}-arm64: it is not built here" in refused.err
    assert registry.tags("wrong/deskgate") == []


WRONG: Final = {
    "no registry": ("", (), 64, "set REGISTRY to"),
    "an address of the web": ("http://me", (), 64, 'push to "http://me"'),
    "one architecture and all together": (
        "me",
        ("--only", "amd64", "--manifests"),
        2,
        "not allowed",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_command_line_says_what_to_give(tree: Tree, case: str) -> None:
    """Before anything is asked of the engine."""
    registry, words, status, said = WRONG[case]
    refused = tree.push(*words, registry=registry)
    assert (refused.status, refused.out) == (status, "")
    assert said in refused.err


def test_a_shallow_checkout_gives_no_version(tree: Tree, tmp_path: Path) -> None:
    """It does not know whether the version is the newest of its line."""
    tree.commit("v1.2.4")
    clone = tmp_path / "shallow"
    tree.git("clone", "--quiet", "--depth", "1", f"file://{tree.folder}", str(clone))
    done = run(str(clone / "docker/push"), "--dry-run")
    assert (done.status, done.out) == (69, "")
    assert "fetch all commits and tags" in done.err
