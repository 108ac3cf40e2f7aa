"""`deskgate install`: what a Debian- or Ubuntu-based image needs beside this package.

Runs at build time, as root. The lists and the script that installs them are those of `docker/`,
the same that our own images are made with: a desktop in somebody's image is the one that we test.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deskgate import files
from deskgate.distributions import read_fields, read_list, refuse_other
from deskgate.errors import ProgramError, Status, UsageError

LAUNCHER: Final = Path("/usr/local/bin/deskgate")
PROGRAMS: Final = ("Xvnc", "jwm", "xterm")  # what the packages bring, where there are others
BASE: Final = "base"
DEFAULT: Final = "jwm"


def _shipped() -> Path:
    """Where the script and the lists are: in the package, or in a checkout's docker/."""
    docker = files.CHECKOUT / "docker"
    return files.PACKAGE if (files.PACKAGE / "packages").is_dir() else docker


def desktops() -> list[str]:
    """The desktops that there is a list of packages for, the default first."""
    others = {path.stem for path in (_shipped() / "packages").glob("*.txt")} - {BASE, DEFAULT}
    return [DEFAULT, *sorted(others)]


def packages(desktop: str) -> list[str]:
    """What a desktop needs."""
    lists = (_shipped() / "packages" / f"{name}.txt" for name in (BASE, desktop))
    return [name for each in lists for name in read_list(each.read_text(encoding="utf-8"))]


def _refuse_other_distributions() -> None:
    try:
        about = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        about = ""
    path = os.environ.get("PATH")
    missing = [name for name in PROGRAMS if not files.find_program(name, path)]
    has_apt = files.find_program("apt-get", path) is not None
    refuse_other(read_fields(about), has_apt=has_apt, missing=missing)


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


def _preview(names: Sequence[str]) -> list[str]:
    form = "${db:Status-Status} ${Package}\n"
    query = ["dpkg-query", "--show", "--showformat", form]
    told = subprocess.run(query, check=False, stdout=subprocess.PIPE, text=True).stdout
    here = {line.removeprefix("installed ") for line in told.splitlines()}
    fresh = [name for name in names if name not in here]
    return [
        *([f"install  {', '.join(fresh)}, and what they depend on"] if fresh else []),
        f"keep     {', '.join(name for name in names if name in here) or 'nothing'}",
        "take     set-user-ID and set-group-ID from the programs that this installs",
        "remove   /var/lib/apt/lists/*, and apt's cache",
        f"write    {LAUNCHER}, which starts {sys.executable}",
        "users    none",
    ]


def install(desktop: str, *, dry_run: bool) -> int:
    """Install the packages and put `deskgate` on the PATH; or print what would be done."""
    _refuse_other_distributions()
    names, text = packages(desktop), launcher()
    if dry_run:
        print("\n".join(_preview(names)))
        return Status.OK
    if os.geteuid() != 0:
        raise UsageError("install: cannot install as this user: put it before USER, or run as root")
    if subprocess.run(["bash", str(_shipped() / "add-packages"), *names], check=False).returncode:
        raise ProgramError("install: cannot install the packages: the output above says why")
    LAUNCHER.parent.mkdir(parents=True, exist_ok=True)
    LAUNCHER.write_text(text, encoding="utf-8")
    LAUNCHER.chmod(0o755)
    return Status.OK
