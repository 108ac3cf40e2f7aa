"""Rounds: each figure once for every contestant, in turns, so that a noisy machine harms all."""

from __future__ import annotations

import random
import statistics
from collections import defaultdict
from collections.abc import Sequence

Samples = dict[str, dict[str, list[float]]]  # by figure and contestant


def samples(*names: str) -> Samples:
    """Of so many figures, still empty."""
    return {name: defaultdict(list) for name in names}


def turns(names: Sequence[str]) -> list[str]:
    """Whose turn it is, in another order each time: nobody always follows the same one."""
    return random.sample(names, len(names))


def add(found: Samples, more: Samples) -> None:
    """Put those of one round to the others."""
    for figure, by_name in more.items():
        for name, values in by_name.items():
            found.setdefault(figure, {}).setdefault(name, []).extend(values)


def medians(by_name: dict[str, list[float]]) -> dict[str, float]:
    """Of one figure, by contestant; infinite where more than half never came."""
    return {name: statistics.median(values) for name, values in by_name.items()}
