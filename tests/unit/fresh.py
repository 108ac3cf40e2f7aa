"""A Python that has loaded nothing of ours yet."""

from __future__ import annotations

import subprocess
import sys

PATH = "import sys; sys.path[:0] = {path!r}\n"
TELL = "print(*(name for name in sys.modules if vars(sys.modules[name]).get('__spec__')))"


def python(program: str) -> str:
    """Run a program in one; what it prints."""
    command = [sys.executable, "-I", "-c", PATH.format(path=sys.path) + program]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def loaded(program: str) -> set[str]:
    """Run a program in one; the modules that it has loaded by its end, without stand-ins."""
    return set(python(f"{program}\n{TELL}").split())
