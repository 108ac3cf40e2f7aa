"""Images of strangers, to install deskgate into: a base, and a pip that finds this checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.container.desk import BAKE, ROOT
from tests.container.engine import run

CA_BUNDLES: Final = (os.environ.get("SSL_CERT_FILE", ""), "/etc/ssl/certs/ca-certificates.crt")
BUILD_SECONDS: Final = 280.0


def trusted() -> Path | None:
    """The certificates that this machine trusts, for a pip that runs elsewhere."""
    return next((Path(path) for path in CA_BUNDLES if path and Path(path).is_file()), None)


def make_wheels(folder: Path) -> Path:
    """Fill a folder that pip finds this checkout's wheel in, with whom this machine trusts."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    shutil.copy(trusted() or os.devnull, folder / "ca.crt")
    return folder


def base_for(variant: str) -> str:
    """A variant's base, or the stand-in for it, which is made if need be."""
    done = run(str(ROOT / "docker/bases"), variant, timeout_seconds=BUILD_SECONDS)
    assert done.status == 0, done.err
    standin = re.search(r"\.args\.BASE=(\S+)", done.out)
    return standin[1] if standin else str(BAKE["target"][variant]["args"]["BASE"])


def build(tag: str, dockerfile: str, folder: Path, *options: str) -> str:
    """Build an image; returns its tag."""
    words = ("docker", "build", "--tag", tag, "--file", "-", *options, str(folder))
    built = run(*words, stdin=dockerfile.encode(), timeout_seconds=BUILD_SECONDS)
    assert built.status == 0, built.err[-3000:]
    return tag


def build_base(tag: str, variant: str, wheels: Path, steps: str) -> str:
    """Build what a stranger's image is: steps upon a variant's base, where pip finds our wheel."""
    trust = "PIP_CERT=/wheels/ca.crt" if (wheels / "ca.crt").stat().st_size else ""
    around = f"FROM {base_for(variant)}\nCOPY . /wheels\nENV PIP_FIND_LINKS=/wheels {trust}"
    return build(tag, f"{around}\n{steps}", wheels)
