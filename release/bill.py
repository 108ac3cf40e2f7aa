"""What must hold for an image's bill of materials (SBOM, CycloneDX JSON), and how it is kept.

Pure: the scanner and the image are asked elsewhere.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, unquote

Package = tuple[str, ...]  # name and version; of Debian's also the architecture
# Kinds of packages that an image lists itself, as package URLs call them. The scanner also finds
# what nobody lists, such as Go's modules in a binary.
LISTED: Final = ("deb", "pypi", "npm")
WHOLE: Final = ("deb", "pypi")  # here the image's list is all there is, so nothing may be added


def packages(bill: Mapping[str, Any], kind: str) -> set[Package]:
    """The packages of a kind in a bill, from their package URLs (purl specification)."""
    found = set()
    for component in bill["components"]:
        path, _, query = component.get("purl", "").partition("?")
        scheme, _, rest = path.partition("/")
        if scheme != f"pkg:{kind}":
            continue
        name, _, version = rest.rpartition("@")
        if kind == "deb":
            name = name.rpartition("/")[2]  # without the distribution
        package: Package = (spelled(kind, unquote(name)), unquote(version))
        found.add((*package, *parse_qs(query).get("arch", ())) if kind == "deb" else package)
    return found


def spelled(kind: str, name: str) -> str:
    """A name as its index compares it: PyPI takes `A_b` and `a-b` for one (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower() if kind == "pypi" else name


def differences(
    bill: Mapping[str, Any], listed: Mapping[str, Sequence[Sequence[str]]]
) -> Iterator[str]:
    """What the bill lacks of the image's own lists, and what it has beyond them."""
    for kind in LISTED:
        theirs = {(spelled(kind, name), *rest) for name, *rest in listed[kind]}
        ours = packages(bill, kind)
        if not theirs:
            yield f"the image lists no {kind} package at all"
        for package in sorted(theirs - ours):
            yield f"it lacks {kind} {' '.join(package)}"
        if kind in WHOLE:
            for package in sorted(ours - theirs):
                yield f"it has {kind} {' '.join(package)}, which the image does not"


def settled(bill: Mapping[str, Any], *, image: str, created: str) -> dict[str, Any]:
    """The bill without what differs from one scan to the next.

    Args:
        image: the image's digest, from which the serial number follows.
        created: when the image was made; the bill says the same.
    """
    about = {**bill["metadata"], "timestamp": created}
    return {
        **bill,
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, image).urn,
        "metadata": about,
        "components": sorted(bill["components"], key=lambda each: str(each["bom-ref"])),
        "dependencies": sorted(bill.get("dependencies", ()), key=lambda each: str(each["ref"])),
    }
