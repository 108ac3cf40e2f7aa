"""The search for secrets where none may be, in every form that a program could give them. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

HALF_BYTES: Final = 8  # shorter ones may stand somewhere by chance
BETWEEN: Final = b"\0\n"  # traces, where they are searched in one go


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A secret where none may be. Names it; never says it."""

    secret: str
    form: str
    place: str

    def __str__(self) -> str:
        return f"{self.secret} stands in {self.place} ({self.form})"


def _as_it_is(text: bytes) -> bytes:
    return text


def _joined(text: bytes) -> bytes:
    """Without line breaks and other blanks, also those of JSON and of Python."""
    for escape in (rb"\n", rb"\r", rb"\t"):
        text = text.replace(escape, b"")
    return text.translate(None, b" \t\r\n\0")


def _base64(secret: bytes) -> Iterator[bytes]:
    """The digits that a secret makes wherever it begins, whatever stands around it (RFC 4648)."""
    for before in range(3):
        data = bytes(before) + secret
        whole = len(data) * 8 // 6  # the last digit may hold bits of what follows
        first = -(-before * 8 // 6)  # and the first ones those of what came before
        for alphabet in (b"+/", b"-_"):
            yield base64.b64encode(data, alphabet)[first:whole]


def _halves(secret: bytes) -> Iterator[bytes]:
    half = len(secret) // 2
    if half >= HALF_BYTES:
        yield from (secret[:half], secret[half:])


# Form → how to look at a text, and what to look for in it.
FORMS: Final[dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], Iterable[bytes]]]]] = {
    "raw": (_as_it_is, lambda secret: [secret]),
    "percent-encoded": (unquote_to_bytes, lambda secret: [secret]),
    "base64": (_as_it_is, _base64),
    "hex": (bytes.lower, lambda secret: [secret.hex().encode()]),
    "reversed": (_as_it_is, lambda secret: [secret[::-1]]),
    "split by newline": (_joined, lambda secret: [secret]),
    "cut": (_as_it_is, _halves),
}


def search(secrets: Mapping[str, bytes], traces: Iterable[tuple[str, bytes]]) -> list[Finding]:
    """Look for all secrets in all places.

    Args:
        secrets: by what to call them.
        traces: places, and what stands there.
    """
    kept = list(traces)
    found = []
    for form, (view, needles) in FORMS.items():
        everything = BETWEEN.join(view(text) for _, text in kept)
        for name, secret in secrets.items():
            wanted = [needle for needle in set(needles(secret)) if needle in everything]
            found += [
                Finding(secret=name, form=form, place=place)
                for place, text in kept
                if any(needle in view(text) for needle in wanted)
            ]
    return found
