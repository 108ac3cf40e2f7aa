"""The token file: websockify's TokenFile format and what it lacks. Pure.

A row is `<token>: <host>:<port>` or `<token>: unix_socket:<path>`, so stock websockify reads it
too. A comment right above the row says the rest: `# name=alice role=view expires=…`. One that
seems to mean this but cannot be read is an error: a watcher's row that is taken for a plain one
would be a controller's. In a token's place may stand its hash: `sha256-<64 hex>`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from deskgate.tokens import (
    HASHED,
    NAME,
    NewToken,
    Role,
    Token,
    digest_in,
    format_expiry,
    hashed,
    parse_expiry,
    weakness,
)

# Stock websockify has no roles, and would take a hash for the token itself: the target of such
# rows is a port that nothing can listen on, so that the file stays harmless there.
NOWHERE = "127.0.0.1:0"
# Behind which characters a line begins: as websockify splits. To str.splitlines, a form feed or
# U+2028 in a comment would end it as well.
LINE_BEGINS = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
ROW = re.compile(r"([^\s:]*):\s+([^\s#]+)")
FILE_BYTES = 1024 * 1024  # more than a thousand rows take
KEYS = frozenset({"name", "role", "expires"})
LOOKS_MEANT = re.compile(r"\b(name|role|expires?)\s*[=:]", re.IGNORECASE)
COMMENT_FORM = "such a comment is # name=alice role=view expires=2030-01-31T12:00:00Z"


class TokenFileError(ValueError):
    """A token file that cannot be read. The text names the line, never its content."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A token and where it stands.

    Args:
        lines: indexes of the lines it takes, its comment included.
    """

    token: NewToken
    lines: range


def format_row(token: NewToken, target: str, *, hide: bool) -> str:
    """A token's comment and row, as two lines.

    Args:
        target: `127.0.0.1:5901` or `unix_socket:/run/deskgate/rfb.sock`.
        hide: write the token's hash in its place.
    """
    comment = f"# name={token.name} role={token.role}"
    if token.expires is not None:
        comment += f" expires={format_expiry(token.expires)}"
    value = hashed(token.value) if hide else token.value
    where = target if token.role is Role.CONTROL and not hide else NOWHERE
    return f"{comment}\n{value}: {where}"


def _read_comment(line: str) -> dict[str, str]:
    """What a comment says about the row below it: nothing, for prose.

    Raises:
        ValueError: it seems to say something, and cannot be read.
    """
    words = line.lstrip("#").split()
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    if len(pairs) == len(words) and pairs.keys() <= KEYS:
        return pairs
    if LOOKS_MEANT.search(line):
        raise ValueError("not of the form")
    return {}


def _read_row(line: str, about: dict[str, str], number: int, *, short: bool) -> NewToken:
    row = ROW.fullmatch(line)
    if row is None:
        raise TokenFileError(f"line {number}: not of the form <token>: 127.0.0.1:5901")
    value, target = row.groups()
    is_hash = HASHED.fullmatch(value) is not None
    if not is_hash and (problem := weakness(value, short=short)):
        raise TokenFileError(f"line {number}: {problem}")
    try:
        role = Role(about.get("role", Role.CONTROL))
        expires = parse_expiry(about["expires"]) if "expires" in about else None
    except ValueError:
        raise TokenFileError(
            f"line {number - 1}: role is control or view, expires is a time "
            "such as 2030-01-31T12:00:00Z"
        ) from None
    if role is Role.CONTROL and target == NOWHERE and not is_hash:
        raise TokenFileError(f"line {number}: port 0 is for role=view; say so right above it")
    name = about.get("name", f"{role}-{number}")
    if not NAME.fullmatch(name):
        raise TokenFileError(f"line {number - 1}: a name is letters, digits and . _ -")
    return NewToken(name=name, role=role, value=value, expires=expires, supplied=True)


def parse_rows(text: str, *, short: bool = False) -> tuple[Row, ...]:
    """Read a token file; tokens stay as they stand there.

    Args:
        short: tokens of half the usual length are fine.

    Raises:
        TokenFileError: names the line, never what stands in it.
    """
    found: list[Row] = []
    about: dict[str, str] = {}
    began = 0
    # One line more, so that a comment at the end is found to have no row.
    for number, raw in enumerate([*LINE_BEGINS.split(text), ""], start=1):
        line = raw.strip()
        if line.startswith("#"):
            try:
                said = _read_comment(line)
            except ValueError:
                raise TokenFileError(f"line {number}: {COMMENT_FORM}") from None
            if said.keys() & about.keys():
                raise TokenFileError(f"line {number}: one row has one comment; {COMMENT_FORM}")
            if said and not about:
                began = number - 1
            about |= said
        elif line:
            token = _read_row(line, about, number, short=short)
            found.append(Row(token=token, lines=range(began if about else number - 1, number)))
            about = {}
        elif about:
            raise TokenFileError(f"line {number - 1}: no row stands right below; {COMMENT_FORM}")
    refuse_doubles([row.token for row in found])
    return tuple(found)


def parse_clear_tokens(text: str, *, short: bool = False) -> tuple[NewToken, ...]:
    """Read a token file; tokens stay as they stand there. See `parse_rows`."""
    return tuple(row.token for row in parse_rows(text, short=short))


def refuse_doubles(tokens: Sequence[NewToken]) -> None:
    """Refuse one name or one token standing twice: "first wins" would be a trap."""
    names: set[str] = set()
    holders: dict[bytes, str] = {}
    for token in tokens:
        if token.name in names:
            raise TokenFileError(f"two tokens have the same name, {token.name}")
        names.add(token.name)
        first = holders.setdefault(digest_in(token.value), token.name)
        if first != token.name:
            raise TokenFileError(f"two rows hold the same token: {first} and {token.name}")


def parse_token_file(text: str, *, short: bool = False) -> tuple[Token, ...]:
    """Read a token file into digests. See `parse_rows`."""
    return tuple(
        Token(name=t.name, role=t.role, digest=digest_in(t.value), expires=t.expires)
        for t in parse_clear_tokens(text, short=short)
    )


def without(text: str, names: Container[str]) -> str:
    """The file's text without the rows of these names, as far as there are such."""
    lines = LINE_BEGINS.split(text)
    for row in reversed(parse_rows(text, short=True)):
        if row.token.name in names:
            del lines[row.lines.start : row.lines.stop]
    return "".join(lines)


def adding(text: str, row: str) -> str:
    """The file's text with one more row, as `format_row` makes it."""
    return f"{text.rstrip()}\n{row}\n" if text.strip() else f"{row}\n"
