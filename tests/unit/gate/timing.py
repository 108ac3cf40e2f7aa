"""How long a comparison with a token takes, measured in an interpreter of its own.

`python -m tests.unit.gate.timing guess` prints the chance that the times tell nothing.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import chain, count, groupby
from statistics import NormalDist

from deskgate.tokens import Role, Token, digest_of, find_token

GUESSES, ROUNDS = 10_000, 5
SHARED = (0, 1, 32, 63)  # leading characters that a guess has right
DIGESTS = 200  # guesses whose digest begins as the token's does; each is made many times
OTHER_LETTERS = "ghijklmnopqrstuvwxyz"
SECRET = "".join(f"{byte:02x}" for byte in range(32))
ROWS = [
    Token(name="control", role=Role.CONTROL, digest=digest_of(SECRET)),
    Token(name="view", role=Role.VIEW, digest=digest_of("y" * 64)),
]
CHANCE = random.Random()  # noqa: S311 - no secret

Compare = Callable[[str], object]
Guesses = list[tuple[int, str]]  # how much of it is right, and the guess


def by_characters() -> Guesses:
    """Guesses that have the first 0, 1, 32 or 63 characters right, in a random order."""
    order = [shared for shared in SHARED for _ in range(GUESSES // len(SHARED))]
    CHANCE.shuffle(order)
    return [
        (shared, SECRET[:shared] + "".join(CHANCE.choices(OTHER_LETTERS, k=64 - shared)))
        for shared in order
    ]


def by_digest() -> Guesses:
    """Guesses whose digest has its first byte right, which one of 256 has, or wrong."""
    texts = (f"{number:064d}" for number in count(CHANCE.randrange(10**12)))
    begins = ROWS[0].digest[:1]
    found: dict[bool, list[str]] = defaultdict(list)
    while len(found[True]) < DIGESTS:
        text = next(texts)
        found[digest_of(text)[:1] == begins].append(text)
    right, wrong = found[True], found[False][:DIGESTS]
    order = [at % 2 for at in range(GUESSES)]
    CHANCE.shuffle(order)
    return [(share, CHANCE.choice(right if share else wrong)) for share in order]


def times(compare: Compare, guesses: Guesses) -> list[list[int]]:
    """Nanoseconds for each guess, by how much of it is right.

    Measured blind: until all is done, nothing that is read or written near a measurement knows
    how much of the guess is right, as what lies in the cache tells as well.
    """
    clock = time.perf_counter_ns
    # All made in one way and one after the other: where a text lies in memory tells as well.
    texts = ["".join([*guess]) for _, guess in guesses]
    moments: list[int] = []
    note = moments.append
    gc.disable()
    try:
        for text in texts:
            began = clock()
            compare(text)
            ended = clock()
            note(ended - began)
    finally:
        gc.enable()
    found: dict[int, list[int]] = defaultdict(list)
    for (share, _), moment in zip(guesses, moments, strict=True):
        found[share].append(moment)
    return [found[share] for share in sorted(found)]


def chance_of_no_difference(left: list[int], right: list[int]) -> float:
    """Mann and Whitney's test, two-sided, as a normal distribution with a correction for ties."""
    both = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    rank, ranks, ties = 1.0, 0.0, 0.0
    for _, same in groupby(both, key=lambda pair: pair[0]):
        sides = [side for _, side in same]
        size = len(sides)
        ranks += sides.count(0) * (rank + (size - 1) / 2)
        ties += size**3 - size
        rank += size
    m, n = len(left), len(right)
    u = ranks - m * (m + 1) / 2
    spread = (m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)))) ** 0.5
    return 2 * NormalDist().cdf(-abs(u - m * n / 2) / spread)


def compare_with_tokens(guess: str) -> object:
    """As the gate does it."""
    return find_token(ROWS, guess, 0.0)


def compare_by_character(guess: str) -> object:
    """How not to do it."""
    return all(left == right for left, right in zip(SECRET, guess, strict=True))


def compare_by_first_byte(guess: str) -> object:
    """How not to do it with a digest either."""
    return digest_of(guess)[0] == ROWS[0].digest[0] and sum(range(64))


# What is measured → the comparison, and the guesses for it.
SCENES: dict[str, tuple[Compare, Callable[[], Guesses]]] = {
    "guess": (compare_with_tokens, by_characters),
    "digest": (compare_with_tokens, by_digest),
    "careless guess": (compare_by_character, by_characters),
    "careless digest": (compare_by_first_byte, by_digest),
}


def chance(scene: str) -> float:
    """The chance that the times of five times 10 000 guesses tell nothing."""
    compare, guesses = SCENES[scene]
    rounds = [times(compare, guesses()) for _ in range(ROUNDS)]
    nothing, *something = ([*chain(*group)] for group in zip(*rounds, strict=True))
    return min(chance_of_no_difference(nothing, each) for each in something)


if __name__ == "__main__":
    print(chance(sys.argv[1]))
