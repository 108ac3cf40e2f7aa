"""Pushes the images that are built here under all their tags: `docker/push --dry-run` prints them.

First each architecture's image under each of its tags, then what joins them. Tags that move come
last: a push that breaks off leaves `latest` where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from release import rules
from release.tags import ARCHITECTURES, VERSION, Commit, Variant, tags_of

ROOT: Final = Path(__file__).resolve().parents[1]
NAME: Final = "deskgate"  # of the repository in a registry
PUSH_SECONDS: Final = 600.0  # of one tag; the largest image has 250 MB, compressed
USAGE, UNAVAILABLE = 64, 69  # sysexits.h


class PushError(Exception):
    """One line that says what cannot be done and why."""


def ask(*words: str) -> str:
    """What a command prints.

    Raises:
        PushError: it failed, or is not there.
    """
    try:
        done = subprocess.run(
            words, cwd=ROOT, capture_output=True, text=True, timeout=PUSH_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PushError(f"run {words[0]}: {error}") from None
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        raise PushError(f"run `{' '.join(words[:3])}`: {said or done.returncode}")
    return done.stdout.strip()


def read_bake() -> Mapping[str, Any]:
    """The one list of variants."""
    found: Mapping[str, Any] = json.loads((ROOT / "docker/docker-bake.json").read_text())
    return found


def variants_in(bake: Mapping[str, Any]) -> list[Variant]:
    """All of its variants."""
    return [
        Variant(name=name, base=argument(bake, name, "BASE"))
        for name in bake["group"]["all"]["targets"]
    ]


def argument(bake: Mapping[str, Any], target: str, name: str) -> str:
    """A build argument, of the target or of what it inherits from; the last one wins."""
    row = bake["target"][target]
    if (own := row.get("args", {}).get(name)) is not None:
        return str(own)
    found = [argument(bake, parent, name) for parent in row.get("inherits", [])]
    return next(filter(None, reversed(found)), "")


def read_commit(environ: Mapping[str, str]) -> Commit:
    """The commit that is checked out. BRANCH names its branch where git does not know it."""
    here = ask("git", "tag", "--points-at", "HEAD", "--list", "v*").split()
    versions = frozenset(tag[1:] for tag in ask("git", "tag", "--list", "v*").split())
    own = [tag[1:] for tag in here if VERSION.fullmatch(tag[1:])]
    if len(own) > 1:
        raise PushError(f"choose a version: the commit is tagged {' and '.join(here)}")
    if own and ask("git", "rev-parse", "--is-shallow-repository") == "true":
        # Without the other versions an old line's fix would take over the newest one's tags.
        raise PushError("know the other versions: fetch all commits and tags")
    return Commit(
        sha=ask("git", "rev-parse", "HEAD"),
        branch=environ.get("BRANCH") or ask("git", "branch", "--show-current") or None,
        version=own[0] if own else None,
        versions=versions,
    )


def package_version() -> str:
    """The version in the tree."""
    text = (ROOT / "entrypoint/deskgate/__init__.py").read_text()
    found = re.search(r'^__version__ = "(.*)"$', text, re.MULTILINE)
    return found[1] if found else ""


def look_at(image: str) -> rules.Image | None:
    """An image, if it is built here."""
    if not ask("docker", "image", "ls", "--quiet", image):
        return None
    (found,) = json.loads(ask("docker", "image", "inspect", image))
    return rules.Image(
        name=image, architecture=found["Architecture"], labels=found["Config"]["Labels"] or {}
    )


class Push:
    """One push of everything: what goes where."""

    def __init__(self, registry: str, commit: Commit) -> None:
        self._bake = read_bake()
        self._commit = commit
        self._registry = registry
        self.tags = tags_of(variants_in(self._bake), commit)

    def reference(self, tag: str) -> str:
        """A tag with the registry and repository before it."""
        return "/".join(filter(None, (self._registry, f"{NAME}:{tag}")))

    def references(self) -> Iterator[str]:
        """Everything that there will be: each tag alone, then with each architecture."""
        for tag in self.tags:
            yield self.reference(tag.name)
            yield from (self.reference(tag.of(each)) for each in ARCHITECTURES)

    def built(self, variant: str, architecture: str, own: str) -> str:
        """The image here; for another architecture than the engine's own it says which."""
        tag: str = self._bake["target"][variant]["tags"][0]
        return tag if architecture == own else f"{tag}-{architecture}"

    @property
    def variants(self) -> tuple[str, ...]:
        """Those that get tags."""
        return tuple(dict.fromkeys(tag.variant for tag in self.tags))

    def images(self, architectures: Sequence[str]) -> None:
        """Push each architecture's image under each of its tags; all of them, or none."""
        own = ask("docker", "version", "--format", "{{.Server.Arch}}")
        images = {
            (variant, architecture): self.built(variant, architecture, own)
            for variant in self.variants
            for architecture in architectures
        }
        package = package_version()
        found = [
            f"push {image}: {fault}"
            for (_, architecture), image in images.items()
            for fault in self.faults(image, architecture, package)
        ]
        if found:
            raise PushError("\npush: cannot ".join(found))
        for tag in self.tags:
            for architecture in architectures:
                self._push(images[tag.variant, architecture], self.reference(tag.of(architecture)))

    def manifests(self) -> None:
        """Make the tags without an architecture, each from the images of all of them."""
        for tag in self.tags:
            sources = (self.reference(tag.of(each)) for each in ARCHITECTURES)
            target = self.reference(tag.name)
            ask("docker", "buildx", "imagetools", "create", "--tag", target, *sources)
            print(target, flush=True)

    def digests(self) -> list[dict[str, str]]:
        """What the registry has for each variant: name and digest, as attestations take them."""
        found = []
        for tag in self.tags:
            if tag.name == f"{self._commit.sha}-{tag.variant}":
                show = ("docker", "buildx", "imagetools", "inspect", "--format")
                manifest = json.loads(ask(*show, "{{json .Manifest}}", self.reference(tag.name)))
                name = self.reference(tag.name).rpartition(":")[0]
                found.append({"variant": tag.variant, "name": name, "digest": manifest["digest"]})
        return found

    def faults(self, name: str, architecture: str, package: str) -> Iterator[str]:
        """Why an image must not get its tags; see `rules.faults`."""
        image = look_at(name)
        if image is None:
            yield f"it is not built here: ARCH={architecture} docker/build all makes it"
            return
        if base := rules.stand_in_of(image):
            say(f"{name} stands on a stand-in for {base}: for tests on this machine only")
        yield from rules.faults(
            image,
            registry=self._registry,
            commit=self._commit,
            architecture=architecture,
            package=package,
        )

    def _push(self, image: str, reference: str) -> None:
        ask("docker", "tag", image, reference)
        try:
            ask("docker", "push", "--quiet", reference)
        finally:
            ask("docker", "rmi", reference)
        print(reference, flush=True)


def say(text: str) -> None:
    """A line for people."""
    print(f"push: {text}", file=sys.stderr, flush=True)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="docker/push",
        description="Push the images that are built here to REGISTRY, under all their tags.",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the tags, and do nothing")
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--only", choices=ARCHITECTURES, help="this architecture's images, and no manifest"
    )
    part.add_argument("--manifests", action="store_true", help="no image, only the manifests")
    part.add_argument(
        "--digests", action="store_true", help="push nothing, print what is there as JSON"
    )
    return parser.parse_args(words)


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Push, or print what would be there; the exit status."""
    options = parse(words)
    registry = environ.get("REGISTRY", "")
    try:
        if not registry and not options.dry_run:
            raise ValueError("push: set REGISTRY to HOST[:PORT][/PATH], such as ghcr.io/me")
        if registry:
            rules.is_loopback(registry)  # raises for what is none
        push = Push(registry, read_commit(environ))
        if options.dry_run:
            print("\n".join(push.references()))
            return 0
        if options.digests:
            print(json.dumps(push.digests()))
            return 0
        if not options.manifests:
            push.images([options.only] if options.only else ARCHITECTURES)
        if not options.only:
            push.manifests()
    except ValueError as error:
        say(f"cannot {error}")
        return USAGE
    except PushError as error:
        say(f"cannot {error}")
        return UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
