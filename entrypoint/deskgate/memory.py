"""What a process asks of the kernel about itself: prctl(2)."""

from __future__ import annotations

import ctypes
from typing import Final

PR_SET_DUMPABLE: Final = 4  # exec(2) undoes it
PR_SET_NO_NEW_PRIVS: Final = 38  # for good, and for all children


def lock() -> bool:
    """Keep our memory from other programs of our user and from core dumps.

    Before a secret comes in: who has it open by then can go on reading.
    """
    failed: int = ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    return failed == 0


def gain_nothing() -> None:
    """Take nothing from a setuid program that we, or what takes us over, might run."""
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
