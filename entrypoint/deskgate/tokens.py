"""Tokens: their form, their roles, and which one a text is. Pure: no file, clock or chance."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

TOKEN_BYTES = 32  # a generated token: 256 bits, printed as 64 hex digits
TICKET_BYTES = 16  # 128 bits: a ticket lives ten minutes at most
MAKE_ONE = "make one with: openssl rand -hex 32"
MIN_CHARACTERS, MIN_SHORT_CHARACTERS = 32, 16  # the latter only where a person asked for it
ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
HASHED = re.compile(r"sha256-[0-9a-f]{64}", re.ASCII)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# Published default secrets are short, so the length rule already refuses them; what is left are
# long ones that nobody would have to guess.
MIN_DIFFERENT_CHARACTERS = 8


class Role(StrEnum):
    """What a token lets its holder do."""

    CONTROL = "control"
    VIEW = "view"


OWNER = Role.CONTROL.value  # the name of the start's own control token


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lent:
    """What a token is for, in clear or not.

    Args:
        expires: seconds since the epoch; None for never.
    """

    name: str
    role: Role
    expires: float | None = None

    def is_live(self, now: float) -> bool:
        """Whether it may be used at `now`, in seconds since the epoch."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, kw_only=True, slots=True)
class NewToken(_Lent):
    """A token in clear, on its way into the token file and the link.

    Args:
        supplied: given by the person, so it is never printed.
    """

    value: str
    supplied: bool = False

    def __repr__(self) -> str:
        return f"NewToken(name={self.name!r}, role={self.role.value!r}, value=(hidden))"


@dataclass(frozen=True, kw_only=True, slots=True)
class Token(_Lent):
    """A token as the gate knows it: by its digest.

    Args:
        digest: SHA-256 of the token.
    """

    digest: bytes

    @property
    def token_id(self) -> str:
        """Names this very token in a cookie: 16 hex digits of a hash of the digest."""
        return hashlib.sha256(b"deskgate token id" + self.digest).hexdigest()[:16]


def weakness(value: str, *, short: bool = False) -> str | None:
    """Say what is wrong with a token that a person chose, or None. Never repeats the value.

    Args:
        short: VNC_ALLOW_SHORT_TOKEN: half of the usual characters do.
    """
    least = MIN_SHORT_CHARACTERS if short else MIN_CHARACTERS
    if not ALLOWED.fullmatch(value) or len(value) < least:
        return f"a token is {least} to 256 of the characters A-Z a-z 0-9 _ -; {MAKE_ONE}"
    if HASHED.fullmatch(value):
        return "this is the hash of a token; give the token itself"
    if len(set(value)) < MIN_DIFFERENT_CHARACTERS:
        return f"this token can be guessed; {MAKE_ONE}"
    return None


def digest_of(value: str) -> bytes:
    """SHA-256 of a token, so that what is compared and kept has one length."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()


def hashed(value: str) -> str:
    """A token as it stands in a file that must not give it away."""
    return f"sha256-{digest_of(value).hex()}"


def digest_in(text: str) -> bytes:
    """The digest of a token as it stands in a file: in clear, or hashed."""
    return bytes.fromhex(text[7:]) if HASHED.fullmatch(text) else digest_of(text)


def find_token(tokens: Sequence[Token], candidate: str, now: float) -> Token | None:
    """Find the live token that `candidate` is.

    Looks at every row with a constant-time comparison and without an early exit, so that the time
    taken tells nothing about how close a guess was or which row it hit.
    """
    given = digest_of(candidate)
    found: Token | None = None
    for token in tokens:
        if hmac.compare_digest(token.digest, given) and token.is_live(now):
            found = token
    return found


def format_expiry(expires: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC, whole seconds."""
    # Not strftime, which writes a year before 1000 with fewer than four digits.
    return datetime.fromtimestamp(int(expires), UTC).isoformat().removesuffix("+00:00") + "Z"


def shown_end(expires: float | None) -> str | None:
    """The same for machines: None for never."""
    return None if expires is None else format_expiry(expires)


def parse_expiry(text: str) -> float:
    """RFC 3339 with an offset (or Z) to seconds since the epoch; ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    try:
        return moment.astimezone(UTC).timestamp()
    except OverflowError:
        raise ValueError("out of range in UTC") from None
