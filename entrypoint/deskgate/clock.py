"""Time that nobody sets: seconds since the epoch by a clock that only ever goes forward.

Sessions and tokens must not end or live on because NTP, or a person, set the machine's clock.
So each start notes once when the machine booted, by the clock of that moment, and everything
after it counts CLOCK_BOOTTIME from there, which goes on while the machine sleeps (time(7)).
"""

from __future__ import annotations

import time


def booted_at() -> float:
    """When the machine booted, in seconds since the epoch, if the clock is right now."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def now(booted: float) -> float:
    """Seconds since the epoch, given what `booted_at` said at the start."""
    return booted + time.clock_gettime(time.CLOCK_BOOTTIME)
