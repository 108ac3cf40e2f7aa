"""Our memory, where secrets lie: not for other programs of our user, and in no core dump."""

from __future__ import annotations

import ctypes
from typing import Final

PR_SET_DUMPABLE: Final = 4  # prctl(2); exec(2) undoes it


def lock() -> bool:
    """Lock it, before a secret comes in: who has it open by then can go on reading."""
    failed: int = ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    return failed == 0
