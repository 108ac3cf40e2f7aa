"""Tokens: their form, their roles, and the file that holds them. Pure: no file, clock or chance.

The file is websockify's TokenFile format (`<token>: <host>:<port>` or
`<token>: unix_socket:<path>`, one row each, `#` comments), so stock websockify reads it too.
What that format lacks, a comment above the row says: `# name=alice role=view expires=…`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

TOKEN_BYTES = 32  # a generated token: 256 bits, printed as 64 hex digits
ALLOWED = re.compile(r"[A-Za-z0-9_-]{32,256}", re.ASCII)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# Published default secrets are short, so the length rule already refuses them; what is left are
# long ones that nobody would have to guess.
MIN_DIFFERENT_CHARACTERS = 8
# Stock websockify has no view role: the target of a view row is a port that nothing can listen
# on, so that the file stays harmless there.
VIEW_TARGET = "127.0.0.1:0"


class Role(StrEnum):
    """What a token lets its holder do."""

    CONTROL = "control"
    VIEW = "view"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewToken:
    """A token in clear, on its way into the token file and the link.

    Args:
        expires: seconds since the epoch; None for never.
        supplied: given by the person, so it is never printed.
    """

    name: str
    role: Role
    value: str
    expires: float | None = None
    supplied: bool = False

    def __repr__(self) -> str:
        return f"NewToken(name={self.name!r}, role={self.role.value!r}, value=(hidden))"


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token as the gate knows it: by its digest.

    Args:
        digest: SHA-256 of the token.
        expires: seconds since the epoch; None for never.
    """

    name: str
    role: Role
    digest: bytes
    expires: float | None = None

    @property
    def token_id(self) -> str:
        """Names this very token in a cookie: 16 hex digits of a hash of the digest."""
        return hashlib.sha256(b"deskgate token id" + self.digest).hexdigest()[:16]

    def is_live(self, now: float) -> bool:
        """Whether it may be used at `now`, in seconds since the epoch."""
        return self.expires is None or now < self.expires


class TokenFileError(ValueError):
    """A token file that cannot be read. The text names the line, never its content."""


def weakness(value: str) -> str | None:
    """Say what is wrong with a token that a person chose, or None. Never repeats the value."""
    if not ALLOWED.fullmatch(value):
        return (
            "a token is 32 to 256 of the characters A-Z a-z 0-9 _ -; "
            "make one with: openssl rand -hex 32"
        )
    if len(set(value)) < MIN_DIFFERENT_CHARACTERS:
        return "this token can be guessed; make one with: openssl rand -hex 32"
    return None


def digest_of(value: str) -> bytes:
    """SHA-256 of a token, so that what is compared and kept has one length."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()


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
    return datetime.fromtimestamp(int(expires), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_expiry(text: str) -> float:
    """RFC 3339 with an offset (or Z) to seconds since the epoch; ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.timestamp()


def token_rows(tokens: Iterable[NewToken], target: str) -> list[dict[str, str]]:
    """Give the template of the token file its rows: the comment and the row itself.

    Args:
        target: `127.0.0.1:5901` or `unix_socket:/run/deskgate/rfb.sock`.
    """
    rows = []
    for token in tokens:
        comment = f"name={token.name} role={token.role}"
        if token.expires is not None:
            comment += f" expires={format_expiry(token.expires)}"
        where = target if token.role is Role.CONTROL else VIEW_TARGET
        rows.append({"comment": comment, "token": token.value, "target": where})
    return rows


def _read_comment(line: str) -> dict[str, str] | None:
    words = line.lstrip("#").split()
    if not words or not all("=" in word for word in words):
        return None  # prose
    return dict(word.split("=", 1) for word in words)


def parse_clear_tokens(text: str) -> tuple[NewToken, ...]:
    """Read a token file; tokens stay in clear. See `parse_token_file`."""
    found: list[NewToken] = []
    about: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line:
            about = {}
            continue
        if line.startswith("#"):
            about = _read_comment(line) or about
            continue
        value, colon, target = line.partition(":")
        if not colon or not target[:1].isspace() or not target.strip():
            raise TokenFileError(f"line {number}: not of the form <token>: <host>:<port>")
        if problem := weakness(value):
            raise TokenFileError(f"line {number}: {problem}")
        try:
            role = Role(about.get("role", Role.CONTROL))
            expires = parse_expiry(about["expires"]) if "expires" in about else None
        except ValueError:
            raise TokenFileError(
                f"line {number - 1}: role is control or view, expires is a time "
                "such as 2030-01-31T12:00:00Z"
            ) from None
        name = about.get("name", f"{role}-{number}")
        if not NAME.fullmatch(name):
            raise TokenFileError(f"line {number - 1}: a name is letters, digits and . _ -")
        found.append(NewToken(name=name, role=role, value=value, expires=expires, supplied=True))
        about = {}
    refuse_doubles(found)
    return tuple(found)


def refuse_doubles(tokens: Sequence[NewToken]) -> None:
    """Refuse one name or one token standing twice: "first wins" would be a trap."""
    if len({token.name for token in tokens}) < len(tokens):
        raise TokenFileError("two tokens have the same name")
    if len({token.value for token in tokens}) < len(tokens):
        raise TokenFileError("two rows hold the same token")


def parse_token_file(text: str) -> tuple[Token, ...]:
    """Read a token file into digests.

    Raises:
        TokenFileError: names the line, never what stands in it.
    """
    return tuple(
        Token(name=t.name, role=t.role, digest=digest_of(t.value), expires=t.expires)
        for t in parse_clear_tokens(text)
    )
