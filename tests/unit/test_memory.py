"""Secrets in memory are for the process that needs them."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own; prctl(2): PR_GET_DUMPABLE is 3.
TELL = """
import ctypes, sys
sys.path[:0] = {path!r}
from deskgate import memory
dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(dumpable(), memory.lock(), dumpable())
"""


def test_c7b_locked_memory_is_dumped_nowhere() -> None:
    """Neither into a core file nor for a debugger of the same user; before, it would be."""
    script = TELL.format(path=sys.path)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.split() == [b"1", b"True", b"0"]
