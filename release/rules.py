"""Where an image may be pushed, and whether it is what its tags say.

Pure: what the engine knows of an image comes in as a value.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from release.tags import Commit

STAND_IN: Final = "deskgate.stand-in"  # label; docker/bases sets it, and images inherit it
STAND_IN_OF: Final = "deskgate.stand-in.of"
REVISION: Final = "org.opencontainers.image.revision"
VERSION: Final = "org.opencontainers.image.version"
# A host with or without a port, then a path: what may stand before an image's name.
REGISTRY: Final = re.compile(
    r"(?P<host>[a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\])(?P<port>:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """What the engine knows of an image."""

    name: str
    architecture: str
    labels: Mapping[str, str]


def is_loopback(registry: str) -> bool:
    """Whether a registry is on this machine alone.

    Raises:
        ValueError: it is none.
    """
    found = REGISTRY.fullmatch(registry)
    if found is None:
        raise ValueError(f'push to "{registry}": give HOST[:PORT][/PATH], such as ghcr.io/me')
    host = found["host"].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def stand_in_of(image: Image) -> str | None:
    """The base that an image only has a stand-in for."""
    if image.labels.get(STAND_IN, "") in ("", "false"):
        return None
    return image.labels.get(STAND_IN_OF) or "its base"


def as_package_version(version: str) -> str:
    """A tag's version as Python writes it (PEP 440): `1.2.3-rc.1` is `1.2.3rc1`."""
    release, _, rest = version.partition("-")
    return release + rest.replace(".", "")


def faults(
    image: Image, *, registry: str, commit: Commit, architecture: str, package: str
) -> Iterator[str]:
    """Why an image must not get this commit's tags there. Nothing: it may.

    Args:
        architecture: the one that its tags are to name.
        package: the version of the package in the tree, as the image's label has it.
    """
    if commit.version and as_package_version(commit.version) != package:
        yield f"the commit is tagged {commit.version}, and the package says {package}"
    if (base := stand_in_of(image)) and not is_loopback(registry):
        yield f"it stands on a stand-in for {base}, which goes to a registry on loopback only"
    if image.architecture != architecture:
        yield f"it is for {image.architecture}, not {architecture}"
    if (revision := image.labels.get(REVISION)) != commit.sha:
        yield f"it was built from {revision or 'no known commit'}, not {commit.sha}"
    if (version := image.labels.get(VERSION)) != package:
        yield f"it has version {version or 'none'}, not {package}"
