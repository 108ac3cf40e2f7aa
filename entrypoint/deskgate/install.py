"""`deskgate install`: what a Debian- or Ubuntu-based image needs beside this package.

Runs at build time, as root. The list is `docker/packages.txt`, the same file that our own images
install from, so that a desktop in somebody's image is the desktop that we test.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deskgate import files, xdisplay
from deskgate.errors import MissingFileError, ProgramError, Status, UsageError

LAUNCHER: Final = Path("/usr/local/bin/deskgate")
FAMILIES: Final = ("debian", "ubuntu")


def packages() -> list[str]:
    """The names in the list; a comment gives each one's reason."""
    inside = files.PACKAGE / "packages.txt"
    listed = inside if inside.is_file() else files.CHECKOUT / "docker" / "packages.txt"
    lines = listed.read_text(encoding="utf-8").splitlines()
    return [name for line in lines if (name := line.partition("#")[0].strip())]


def distribution(os_release: str) -> Mapping[str, str]:
    """The fields of /etc/os-release (os-release(5))."""
    pairs = (line.partition("=") for line in os_release.splitlines() if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}


def refuse_other_distributions(fields: Mapping[str, str]) -> None:
    """Name a distribution whose packages we do not know, and what to do there."""
    family = {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}
    if family.isdisjoint(FAMILIES):
        name = fields.get("PRETTY_NAME") or fields.get("ID") or "an unknown system"
        raise MissingFileError(
            f"install: cannot install on {name}: only Debian and Ubuntu are known; "
            "with its own package manager install TigerVNC's Xvnc, jwm and xterm"
        )


def launcher() -> str:
    """The text of the command on PATH: immune to the user's PYTHONPATH and working directory.

    No shell script: a shell adds PWD to the environment that the user's command gets.
    """
    if not re.fullmatch(r"\S{1,120}", sys.executable):  # execve(2): one word, 127 bytes
        raise UsageError(
            f"install: cannot start from {sys.executable}: make the virtual environment "
            "under a path that is short and without spaces, such as /opt/deskgate"
        )
    lines = (f"#!{sys.executable} -I", "import sys", "from deskgate.__main__ import main")
    return "\n".join((*lines, "sys.exit(main())", ""))


def commands() -> list[list[str]]:
    """What is run, in order."""
    apt = ["apt-get", "install", "--yes", "--no-install-recommends", *packages()]
    return [["apt-get", "update"], apt]


def install(*, dry_run: bool) -> int:
    """Install the packages and put `deskgate` on the PATH; or print what would be done."""
    try:
        about = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        about = ""
    refuse_other_distributions(distribution(about))
    if dry_run:
        for command in commands():
            print(shlex.join(command))
        print(f"write {LAUNCHER}; make {xdisplay.SOCKETS}; remove /var/lib/apt/lists")
        return Status.OK
    if os.geteuid() != 0:
        raise UsageError("install: cannot install as this user: put it before USER, or run as root")
    text = launcher()
    for command in commands():
        done = subprocess.run(
            command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )
        if done.returncode:
            raise ProgramError(f"install: {shlex.join(command[:2])} failed; its output is above")
    for leftover in Path("/var/lib/apt/lists").glob("*_*"):
        leftover.unlink(missing_ok=True)
    LAUNCHER.parent.mkdir(parents=True, exist_ok=True)
    LAUNCHER.write_text(text, encoding="utf-8")
    LAUNCHER.chmod(0o755)
    xdisplay.make_socket_folder()
    return Status.OK
