"""The time that a comparison with a token takes."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from itertools import groupby
from statistics import NormalDist

from deskgate.tokens import Role, Token, digest_of, find_token

SHARED = (0, 1, 32, 63)  # leading characters that a guess has right
GUESSES = 10_000
OTHER_LETTERS = "ghijklmnopqrstuvwxyz"
SECRET = "".join(f"{byte:02x}" for byte in range(32))
ROWS = [
    Token(name="control", role=Role.CONTROL, digest=digest_of(SECRET)),
    Token(name="view", role=Role.VIEW, digest=digest_of("y" * 64)),
]


def guesses(chance: random.Random) -> list[tuple[int, str]]:
    """Wrong tokens in a random order, each with the number of characters that it has right."""
    order = [shared for shared in SHARED for _ in range(GUESSES // len(SHARED))]
    chance.shuffle(order)
    # All made in one way and one after the other: where a text lies in memory tells as well.
    return [
        (shared, "".join([*SECRET[:shared], *chance.choices(OTHER_LETTERS, k=64)[shared:]]))
        for shared in order
    ]


def times(compare: Callable[[str], object], chance: random.Random) -> dict[int, list[int]]:
    """Nanoseconds for each guess, by what it has right."""
    clock = time.perf_counter_ns
    found: dict[int, list[int]] = {shared: [] for shared in SHARED}
    gc.disable()
    try:
        for shared, guess in guesses(chance):
            began = clock()
            compare(guess)
            ended = clock()  # now: even finding the list below takes its time
            found[shared].append(ended - began)
    finally:
        gc.enable()
    return found


def chance_of_no_difference(left: list[int], right: list[int]) -> float:
    """Mann and Whitney's test, two-sided, as a normal distribution with a correction for ties."""
    both = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    rank, ranks, ties = 1.0, 0.0, 0.0
    for _, same in groupby(both, key=lambda pair: pair[0]):
        sides = [side for _, side in same]
        count = len(sides)
        ranks += sides.count(0) * (rank + (count - 1) / 2)
        ties += count**3 - count
        rank += count
    m, n = len(left), len(right)
    u = ranks - m * (m + 1) / 2
    spread = (m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)))) ** 0.5
    return 2 * NormalDist().cdf(-abs(u - m * n / 2) / spread)


def tells(compare: Callable[[str], object], *, rounds: int = 5) -> bool:
    """Whether its time tells how much of a guess is right: in every round, not once by chance.

    A comparison that tells nothing passes for one that does in 3 of 100 rounds, so in one of
    10^7 runs of five.
    """
    chance = random.Random()  # noqa: S311 - no secret
    for _ in range(rounds):
        taken = times(compare, chance)
        values = [chance_of_no_difference(taken[0], taken[shared]) for shared in SHARED[1:]]
        if min(values) > 0.01:
            return False
    return True


def compare_by_character(guess: str) -> bool:
    """How not to do it."""
    return all(left == right for left, right in zip(SECRET, guess, strict=True))


def test_h3_the_time_tells_nothing_of_a_guess() -> None:
    """10 000 guesses at a time, which have the first 0, 1, 32 or 63 characters right."""
    assert not tells(lambda guess: find_token(ROWS, guess, 0.0))


def test_h3_the_time_of_a_careless_comparison_tells() -> None:
    """So the test above can fail."""
    assert tells(compare_by_character)
