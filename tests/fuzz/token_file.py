"""The token file: read as stock websockify reads it, or refused without telling what it holds."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, StrictUndefined, Template

from deskgate import files
from deskgate.tokenfile import (
    TokenFileError,
    adding,
    format_row,
    parse_clear_tokens,
    parse_rows,
    parse_token_file,
    without,
)
from deskgate.tokens import NewToken, Role, Token, digest_in

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that it misses numpy
    from websockify.token_plugins import ReadOnlyTokenFile

LINE = re.compile(r"^line [0-9]+: ")
TARGET = "127.0.0.1:5901"
NEW = NewToken(name="new", role=Role.VIEW, value="made-just-now-" * 3)
# Each of them is refused for another reason.
BAD = Path(__file__).parent / "corpus" / "token_file"


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="fuzz-")


@cache
def _template() -> Template:
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, autoescape=False)  # noqa: S701
    return environment.from_string(files.read_template("tokens.j2"))


def reason(text: str) -> str | None:
    """Why a token file is refused, without the number of the line."""
    try:
        parse_token_file(text)
    except TokenFileError as error:
        return LINE.sub("", str(error))
    return None


@cache
def reasons() -> set[str | None]:
    """Every reason there is, of files that hold nothing secret."""
    return {reason(path.read_text("utf-8")) for path in BAD.glob("bad-*")}


def stock_tokens(text: str) -> set[str]:
    """The tokens that stock websockify would let in."""
    path = Path(_folder().name, "tokens")
    path.write_text(text, "utf-8", newline="")
    plugin = ReadOnlyTokenFile(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it never closes the file
        plugin.lookup("")
    return set(plugin._targets)


def rendered(tokens: tuple[NewToken, ...]) -> str:
    """The tokens as our own template writes them."""
    return _template().render(rows=[format_row(each, TARGET, hide=False) for each in tokens])


def check(data: bytes) -> None:
    """Read the bytes as a token file."""
    text = data.decode("utf-8", "replace")
    try:
        tokens = parse_clear_tokens(text)
    except TokenFileError as error:
        said = LINE.sub("", str(error))
        assert said in reasons(), f"no bad-* file of the corpus is refused with {said!r}"
        return
    assert parse_token_file(text) == tuple(
        Token(name=each.name, role=each.role, digest=digest_in(each.value), expires=each.expires)
        for each in tokens
    )
    assert {each.value for each in tokens} == stock_tokens(text), "websockify reads other rows"
    whole_seconds = tuple(
        each if each.expires is None else replace(each, expires=float(int(each.expires)))
        for each in tokens
    )
    assert parse_clear_tokens(rendered(tokens)) == whole_seconds, "another file once rendered"
    check_changes(text, tokens)


def check_changes(text: str, tokens: tuple[NewToken, ...]) -> None:
    """`deskgate token` changes the row it means, and no other."""
    for number, row in enumerate(parse_rows(text)):
        left = parse_clear_tokens(without(text, row.token.name))
        others = tokens[:number] + tokens[number + 1 :]
        assert [_rights(each) for each in left] == [_rights(each) for each in others]
    if NEW.name not in {each.name for each in tokens}:
        added = parse_clear_tokens(adding(text, format_row(NEW, TARGET, hide=False)))
        assert [_rights(each) for each in added] == [_rights(each) for each in (*tokens, NEW)]


def _rights(token: NewToken) -> tuple[str, Role, float | None]:
    # Not the name: a row without one is called after its line.
    return token.value, token.role, token.expires
