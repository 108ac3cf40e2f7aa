"""How many wrong tokens an address may show: a few at once, then one now and then. Pure.

A right token is never refused because of the wrong ones of others: behind Docker's proxy all
people have one address. So this spares work and log, and takes nothing from who may enter.
"""

from __future__ import annotations

import socket

from deskgate.gate import limits


class Failures:
    """A leaky bucket for each address (as GCRA, ITU-T I.371): when it will be empty again."""

    def __init__(self) -> None:
        self._empty_at: dict[str, float] = {}

    def charge(self, address: str, moment: float) -> float:
        """Count one more wrong token; return how many seconds until the next one is heard.

        Args:
            moment: of a monotonic clock, in seconds.
        """
        who = network_of(address)
        empty_at = max(self._empty_at.pop(who, 0.0), moment)
        wait = empty_at - moment - (limits.FAILURES - 1) * limits.FAILURE_SECONDS
        if wait <= 0:
            empty_at += limits.FAILURE_SECONDS
        self._empty_at[who] = empty_at  # the newest stands last
        if len(self._empty_at) > limits.FAILURE_PEERS:
            del self._empty_at[next(iter(self._empty_at))]
        return max(wait, 0.0)


def network_of(address: str) -> str:
    """Who counts as one: an IPv4 address, or the /64 that one household has in IPv6."""
    try:
        return socket.inet_pton(socket.AF_INET6, address)[:8].hex()
    except (OSError, ValueError):
        return address
