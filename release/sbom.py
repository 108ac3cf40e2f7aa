"""Writes the bill of materials of images: `docker/sbom` starts it.

syft finds what is in an image; then the image is asked itself, and a bill that says something else
is not written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from release import bill

SCAN_SECONDS: Final = 300.0  # 5 s for Debian, 30 for Go's compiler
# No look for a newer version, and nothing about single files: 90 % of the text.
QUIET: Final = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_FILE_METADATA_SELECTION": "none"}
UNAVAILABLE: Final = 69  # sysexits.h

# Run in the image by its own Python: what dpkg, every Python environment and noVNC say there.
ASK: Final = r"""
import json, pathlib, subprocess
from importlib.metadata import PathDistribution

def said(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout

rows = said("dpkg-query", "-W", "-f", "${Status}|${Package}|${Version}|${Architecture}\n")
deb = [row.split("|")[1:] for row in rows.splitlines() if row.split("|")[0].endswith(" installed")]
folders = said("find", "/", "-xdev", "(", "-name", "*.dist-info", "-o", "-name", "*.egg-info", ")")
found = [PathDistribution(pathlib.Path(folder)).metadata for folder in folders.splitlines()]
pypi = [(each["Name"], each["Version"]) for each in found if each["Name"]]
ours = pathlib.Path("/opt/deskgate/lib")
(novnc,) = ours.glob("python3*/site-packages/deskgate/novnc/package.json")
novnc = json.loads(novnc.read_text())
print(json.dumps({"deb": deb, "pypi": pypi, "npm": [(novnc["name"], novnc["version"])]}))
"""


def run(*words: str, **env: str) -> str:
    """What a command prints.

    Raises:
        subprocess.CalledProcessError: it failed; what it says about that is shown.
    """
    done = subprocess.run(
        words,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
        timeout=SCAN_SECONDS,
        check=True,
    )
    return done.stdout


def listed(image: str) -> dict[str, list[list[str]]]:
    """What an image lists itself. It is run without a network, and as root, to see all of it."""
    words = ("docker", "run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "python3")
    found: dict[str, list[list[str]]] = json.loads(run(*words, image, "-I", "-c", ASK))
    return found


def scan(syft: str, image: str) -> dict[str, Any]:
    """What syft finds in an image of the engine's."""
    text = run(syft, "scan", f"docker:{image}", "--quiet", "--output", "cyclonedx-json", **QUIET)
    found: dict[str, Any] = json.loads(text)
    return found


def write(image: str, *, syft: str, folder: Path) -> list[str]:
    """Write an image's bill into a folder; or say why not."""
    (about,) = json.loads(run("docker", "image", "inspect", image))
    found = scan(syft, image)
    if wrong := list(bill.differences(found, listed(image))):
        return wrong
    kept = bill.settled(found, image=about["Id"], created=about["Created"])
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{image.replace('/', '_').replace(':', '-')}.cdx.json"
    target.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(target)
    return []


def main(words: Sequence[str]) -> int:
    """Write the bill of each image named; the exit status."""
    parser = argparse.ArgumentParser(prog="docker/sbom")
    parser.add_argument("--syft", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("images", nargs="+")
    options = parser.parse_args(words)
    status = 0
    for image in options.images:
        for reason in write(image, syft=options.syft, folder=options.folder):
            print(f"sbom: cannot describe {image}: {reason}", file=sys.stderr)
            status = UNAVAILABLE
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
