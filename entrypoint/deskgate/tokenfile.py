"""The token file: websockify's TokenFile format and what it lacks. Pure.

A row is `<token>: <host>:<port>` or `<token>: unix_socket:<path>`, so stock websockify reads it
too. A comment right above the row says the rest: `# name=alice role=view expires=…`. One that
seems to mean this but cannot be read is an error: a watcher's row that is taken for a plain one
would be a controller's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from deskgate.tokens import (
    NAME,
    NewToken,
    Role,
    Token,
    digest_of,
    format_expiry,
    parse_expiry,
    weakness,
)

# Stock websockify has no view role: the target of a view row is a port that nothing can listen
# on, so that the file stays harmless there.
VIEW_TARGET = "127.0.0.1:0"
ROW = re.compile(r"([^\s:]*):\s+([^\s#]+)")
KEYS = frozenset({"name", "role", "expires"})
LOOKS_MEANT = re.compile(r"\b(name|role|expires?)\s*[=:]", re.IGNORECASE)
COMMENT_FORM = "such a comment is # name=alice role=view expires=2030-01-31T12:00:00Z"


class TokenFileError(ValueError):
    """A token file that cannot be read. The text names the line, never its content."""


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


def _read_row(line: str, about: dict[str, str], number: int) -> NewToken:
    row = ROW.fullmatch(line)
    if row is None:
        raise TokenFileError(f"line {number}: not of the form <token>: <host>:<port>")
    value, target = row.groups()
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
    if role is Role.CONTROL and target == VIEW_TARGET:
        raise TokenFileError(f"line {number}: port 0 is for role=view; say so right above it")
    name = about.get("name", f"{role}-{number}")
    if not NAME.fullmatch(name):
        raise TokenFileError(f"line {number - 1}: a name is letters, digits and . _ -")
    return NewToken(name=name, role=role, value=value, expires=expires, supplied=True)


def parse_clear_tokens(text: str) -> tuple[NewToken, ...]:
    """Read a token file; tokens stay in clear. See `parse_token_file`."""
    found: list[NewToken] = []
    about: dict[str, str] = {}
    # One line more, so that a comment at the end is found to have no row.
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.strip()
        if line.startswith("#"):
            try:
                said = _read_comment(line)
            except ValueError:
                raise TokenFileError(f"line {number}: {COMMENT_FORM}") from None
            if said.keys() & about.keys():
                raise TokenFileError(f"line {number}: one row has one comment; {COMMENT_FORM}")
            about |= said
        elif line:
            found.append(_read_row(line, about, number))
            about = {}
        elif about:
            raise TokenFileError(f"line {number - 1}: no row stands right below; {COMMENT_FORM}")
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
