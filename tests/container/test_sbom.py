"""The bill of materials of an image: all that is in it, and nothing else.

One variant's, as a scan takes 5 s and more; `docker/sbom` itself compares each that it writes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from deskgate import __version__
from tests.container.desk import ONE, ROOT, image_of
from tests.container.engine import docker, run

SCAN_SECONDS: Final = 240.0
PINNED: Final = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def bill_file(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `docker/sbom` writes."""
    folder = tmp_path_factory.mktemp("sbom")
    words = ("env", f"SBOM_FOLDER={folder}", str(ROOT / "docker/sbom"), image_of(ONE))
    done = run(*words, timeout_seconds=SCAN_SECONDS)
    assert done.status == 0, done.err
    path = Path(done.out.strip())
    assert path.parent == folder
    return path


@pytest.fixture(scope="module")
def bill(bill_file: Path) -> dict[str, Any]:
    """Its content."""
    return dict(json.loads(bill_file.read_text()))


def of_kind(bill: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    """Names and versions of the components of a kind."""
    found = [each for each in bill["components"] if each.get("purl", "").startswith(f"pkg:{kind}/")]
    return sorted((each["name"].lower(), each["version"]) for each in found)


def test_bill_has_the_distributions_packages_and_no_others(bill: dict[str, Any]) -> None:
    """As dpkg in the image lists them."""
    form = "${Package}\t${Version}\n"
    words = ("run", "--rm", "--entrypoint", "dpkg-query", image_of(ONE), "--show", "-f", form)
    rows = [line.split("\t") for line in docker(*words).out.splitlines()]
    assert "xterm" in dict(rows)
    assert of_kind(bill, "deb") == sorted((name, version) for name, version in rows)


def test_bill_has_our_pinned_packages_and_no_others(bill: dict[str, Any]) -> None:
    """Those that the build installs by their hashes, deskgate, and noVNC."""
    pins = [
        pin
        for name in ("requirements.txt", "requirements-websockify.txt")
        for pin in PINNED.findall((ROOT / "docker" / name).read_text())
    ]
    assert of_kind(bill, "pypi") == sorted([*pins, ("deskgate", __version__)])
    novnc = json.loads((ROOT / "third_party/novnc/package.json").read_text())
    assert of_kind(bill, "npm") == [(novnc["name"], novnc["version"])]


def test_bill_names_its_image(bill: dict[str, Any]) -> None:
    """The format, the time of the image, and its labels."""
    (about,) = json.loads(docker("image", "inspect", image_of(ONE)).out)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["timestamp"] == about["Created"]
    properties = {each["name"]: each["value"] for each in bill["metadata"]["properties"]}
    labels = about["Config"]["Labels"]
    assert (
        labels.items()
        <= {
            name.removeprefix("syft:image:labels:"): value for name, value in properties.items()
        }.items()
    )


def test_wrong_bill_is_not_written(bill_file: Path, tmp_path: Path) -> None:
    """When a scanner finds another version than the image has, it says which."""
    wrong = bill_file.read_text().replace("/xterm@", "/xterm@9999-")
    (tmp_path / "found.json").write_text(wrong)
    scanner = tmp_path / "scanner"
    scanner.write_text(f"#!/bin/sh\ncat {tmp_path}/found.json\n")
    scanner.chmod(0o755)
    words = ("--syft", str(scanner), "--folder", str(tmp_path / "bills"), image_of(ONE))
    done = run("env", "-C", str(ROOT), sys.executable, "-m", "release.sbom", *words)
    assert (done.status, done.out) == (69, "")
    assert re.search(r"cannot describe \S+: it lacks deb xterm \d", done.err)
    assert re.search(r"cannot describe \S+: it has deb xterm 9999-\d", done.err)
    assert not (tmp_path / "bills").exists()
