"""Single DES of one block (FIPS 46-3), because VncAuth is made of it. Pure.

Weak by today's measure and used for nothing secret: only to answer Xvnc, inside the container,
with a password that lives no longer than it. No library is worth its weight for that.
"""

from __future__ import annotations

from collections.abc import Sequence

# FIPS 46-3's tables; bit 1 is the leftmost.
INITIAL = (
    *(58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4),
    *(62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8),
    *(57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3),
    *(61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7),
)
FINAL = tuple(INITIAL.index(bit) + 1 for bit in range(1, 65))  # its inverse
EXPANSION = tuple((4 * row + column - 1) % 32 + 1 for row in range(8) for column in range(6))
PERMUTATION = (
    *(16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10),
    *(2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25),
)
CHOICE_1 = (
    *(57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18),
    *(10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36),
    *(63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22),
    *(14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4),
)
CHOICE_2 = (
    *(14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2),
    *(41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36),
    *(29, 32),
)
SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
# S1 to S8, each its four rows of sixteen hex digits one after the other.
BOXES = (
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)


def crypt_block(key: bytes, block: bytes, *, decrypt: bool = False) -> bytes:
    """Encrypt, or decrypt, eight bytes with a key of eight (parity bits are ignored)."""
    if len(key) != 8 or len(block) != 8:
        raise ValueError("DES takes eight bytes of key and of data")
    keys = _round_keys(_bits(key))
    bits = _pick(_bits(block), INITIAL)
    left, right = bits[:32], bits[32:]
    for round_key in reversed(keys) if decrypt else keys:
        left, right = right, _xor(left, _mix(right, round_key))
    final = _pick(right + left, FINAL)
    return int("".join(map(str, final)), 2).to_bytes(8, "big")


def _bits(data: bytes) -> list[int]:
    return [int(bit) for byte in data for bit in f"{byte:08b}"]


def _pick(bits: Sequence[int], table: Sequence[int]) -> list[int]:
    return [bits[place - 1] for place in table]


def _xor(left: Sequence[int], right: Sequence[int]) -> list[int]:
    return [a ^ b for a, b in zip(left, right, strict=True)]


def _round_keys(key: Sequence[int]) -> list[list[int]]:
    chosen = _pick(key, CHOICE_1)
    left, right = chosen[:28], chosen[28:]
    keys = []
    for shift in SHIFTS:
        left, right = left[shift:] + left[:shift], right[shift:] + right[:shift]
        keys.append(_pick(left + right, CHOICE_2))
    return keys


def _mix(half: Sequence[int], round_key: Sequence[int]) -> list[int]:
    mixed = _xor(_pick(half, EXPANSION), round_key)
    out: list[int] = []
    for index, box in enumerate(BOXES):
        first, *middle, last = mixed[6 * index : 6 * index + 6]
        row, column = 2 * first + last, int("".join(map(str, middle)), 2)
        out += [int(bit) for bit in f"{int(box[16 * row + column], 16):04b}"]
    return _pick(out, PERMUTATION)
