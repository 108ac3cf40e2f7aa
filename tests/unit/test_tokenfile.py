"""The token file: websockify's format, and the comments that say a row's role."""

from __future__ import annotations

import pytest

from deskgate import tokenfile
from deskgate.tokenfile import TokenFileError
from deskgate.tokens import NewToken, Role, Token, digest_of

A = "0123456789abcdef" * 4
B = "fedcba9876543210" * 4


def test_a_view_row_leads_stock_websockify_nowhere() -> None:
    """Stock websockify has no view role: it would hand out control."""
    control = NewToken(name="control", role=Role.CONTROL, value=A)
    view = NewToken(name="view", role=Role.VIEW, value=B, expires=1893456000.0)
    rows = [tokenfile.format_row(each, "127.0.0.1:5901", hide=False) for each in (control, view)]
    assert rows == [
        f"# name=control role=control\n{A}: 127.0.0.1:5901",
        f"# name=view role=view expires=2030-01-01T00:00:00Z\n{B}: 127.0.0.1:0",
    ]


def test_a_hashed_row_opens_for_the_token_and_leads_stock_websockify_nowhere() -> None:
    """Stock websockify would take the hash itself for the token."""
    control = NewToken(name="control", role=Role.CONTROL, value=A)
    row = tokenfile.format_row(control, "127.0.0.1:5901", hide=True)
    assert row == f"# name=control role=control\nsha256-{digest_of(A).hex()}: 127.0.0.1:0"
    assert tokenfile.parse_token_file(row) == (
        Token(name="control", role=Role.CONTROL, digest=digest_of(A)),
    )


DOUBLES = {
    "one token twice": (
        f"{A}: h:1\n{A}: h:1",
        "two rows hold the same token: control-1 and control-2",
    ),
    "a token and its hash": (
        f"# name=a\n{A}: h:1\nsha256-{digest_of(A).hex()}: 127.0.0.1:0",
        "two rows hold the same token: a and control-3",
    ),
    "one name twice": (
        f"# name=a\n{A}: h:1\n# name=a\n{B}: h:1",
        "two tokens have the same name, a",
    ),
    "a name that a row without one has": (
        f"# name=control-3\n{A}: h:1\n{B}: h:1",
        "two tokens have the same name, control-3",
    ),
}


@pytest.mark.parametrize(("text", "reason"), DOUBLES.values(), ids=DOUBLES)
def test_e10_one_token_or_name_twice_is_refused(text: str, reason: str) -> None:
    """One of the two would be shadowed: "first wins" is a trap."""
    with pytest.raises(TokenFileError, match=f"^{reason}$"):
        tokenfile.parse_token_file(text)


def test_short_tokens_are_read_where_they_are_allowed() -> None:
    """VNC_ALLOW_SHORT_TOKEN."""
    text = f"{A[:16]}: 127.0.0.1:5901\n"
    with pytest.raises(TokenFileError, match="32 to 256"):
        tokenfile.parse_token_file(text)
    assert len(tokenfile.parse_token_file(text, short=True)) == 1


FILE = f"""\
# made by hand
# name=alice role=view expires=2030-01-01T00:00:00Z
{A}: 127.0.0.1:0

{B}: unix_socket:/run/rfb.sock
"""


def test_a_token_file_is_read_with_its_comments() -> None:
    """A row without a comment is a control token, as for stock websockify."""
    assert tokenfile.parse_token_file(FILE) == (
        Token(name="alice", role=Role.VIEW, digest=digest_of(A), expires=1893456000.0),
        Token(name="control-5", role=Role.CONTROL, digest=digest_of(B)),
    )


def test_prose_between_comment_and_row_changes_nothing() -> None:
    """Only `key=value` comments are about the row below."""
    text = f"# name=bob role=view\n# a remark about Bob\n{A}: 127.0.0.1:0\n"
    assert tokenfile.parse_token_file(text)[0].name == "bob"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
def test_a_line_ends_as_editors_end_it(end: str) -> None:
    """On every system."""
    (token,) = tokenfile.parse_token_file(f"# name=bob role=view{end}{A}: 127.0.0.1:0{end}")
    assert (token.name, token.role) == ("bob", Role.VIEW)


@pytest.mark.parametrize("char", "\v\f\x1c\x1d\x1e\x85\u2028\u2029", ids=ascii)
def test_no_other_character_ends_a_comment(char: str) -> None:
    """A row that was commented out stays so, as for websockify; a row's comment stays whole."""
    assert tokenfile.parse_token_file(f"# was: {char}{A}: 127.0.0.1:5901\n") == ()
    with pytest.raises(TokenFileError, match=r"^line 1: "):
        tokenfile.parse_token_file(f"# role=view {char}name {A}: h:1\n{B}: h:1")


C = "0123fedc" * 8
FOUR = f"""\
# our guests
# name=alice role=view
{A}: 127.0.0.1:0
# name=bob
# expires=2030-01-01T00:00:00Z
# (until New Year)
{B}: h:1

# the end
"""


def names(text: str) -> list[str]:
    """Whose tokens a file holds."""
    return [token.name for token in tokenfile.parse_token_file(text)]


def test_a_row_goes_with_what_was_said_about_it() -> None:
    """And takes nothing else along: a comment left behind would be about the next row."""
    assert names(tokenfile.without(FOUR, {"alice"})) == ["bob"]
    rest = tokenfile.without(FOUR, {"bob"})
    assert rest == f"# our guests\n# name=alice role=view\n{A}: 127.0.0.1:0\n\n# the end\n"
    assert tokenfile.without(FOUR, {"carol"}) == FOUR
    assert names(tokenfile.without(FOUR, {"alice", "bob"})) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
def test_a_row_goes_from_a_file_of_any_system(end: str) -> None:
    """Lines are counted as they are read; a form feed is no end of one."""
    text = FOUR.replace("our", "\four").replace("\n", end)
    assert names(tokenfile.without(text, {"alice"})) == ["bob"]
    assert A not in tokenfile.without(text, {"alice"})
    assert names(tokenfile.without(text, {"bob"})) == ["alice"]


@pytest.mark.parametrize("text", ["", "\n", FOUR, FOUR.rstrip(), FOUR + "\n\n"], ids=ascii)
def test_a_row_is_added_below(text: str) -> None:
    """On lines of its own, whatever the file ended with."""
    carol = NewToken(name="carol", role=Role.VIEW, value=C)
    added = tokenfile.adding(text, tokenfile.format_row(carol, "h:1", hide=False))
    assert names(added) == [*names(text), "carol"]
    assert added.endswith(f"# name=carol role=view\n{C}: 127.0.0.1:0\n")


def test_two_comments_above_a_row_are_one() -> None:
    """A second line must not make a watcher a controller."""
    text = f"# name=bob role=view\n# expires=2030-01-01T00:00:00Z\n{A}: 127.0.0.1:0\n"
    (token,) = tokenfile.parse_token_file(text)
    assert (token.name, token.role, token.expires) == ("bob", Role.VIEW, 1893456000.0)


# Each might be meant as a watcher's row or as an expiry, and is neither.
MEANT = (
    "# name=bob role=view  (only watches)",
    "# role = view",
    "# role: view",
    "# Role=view",
    "# name=bob role=view expire=2020-01-01T00:00:00Z",
    "# role=view,expires=2020-01-01T00:00:00Z",
    "# Expires=2020-01-01T00:00:00Z",
)


@pytest.mark.parametrize("comment", MEANT)
def test_a_comment_that_seems_to_mean_something_is_read_or_refused(comment: str) -> None:
    """Taken for prose, the row below would be a controller's, for ever."""
    with pytest.raises(TokenFileError, match=r"^line 1: "):
        tokenfile.parse_token_file(f"{comment}\n{A}: 127.0.0.1:5901\n")


BAD_FILES = {
    "comment apart from its row": (f"# role=view\n\n{A}: h:1", "line 1: no row stands right below"),
    "comment without a row": (f"{A}: h:1\n# role=view", "line 2: no row stands right below"),
    "role of a removed row": (f"# role=view\n# {B}: h:0\n# role=view\n{A}: h:1", "line 3: one row"),
    "role behind the row": (f"{A}: 127.0.0.1:5901 # role=view", "line 1: not of the form"),
    "watcher's target alone": (f"{A}: 127.0.0.1:0", "line 1: port 0 is for role=view"),
    "no colon": (f"{A} 127.0.0.1:5901", "line 1: not of the form"),
    "no space after the colon": (f"{A}:127.0.0.1:5901", "line 1: not of the form"),
    "no target": (f"{A}: ", "line 1: not of the form"),
    "weak token": ("short: 127.0.0.1:5901", "line 1: a token is 32 to 256"),
    "unknown role": (f"# name=a role=king\n{A}: h:1", "line 1: role is control or view"),
    "bad expiry": (f"# name=a expires=soon\n{A}: h:1", "line 1: role is control or view"),
    "bad name": (f"# name=a/b\n{A}: h:1", "line 1: a name is letters"),
}


@pytest.mark.parametrize(("text", "beginning"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_token_file_names_the_line_and_no_token(text: str, beginning: str) -> None:
    """The gate keeps its old set and logs this text."""
    with pytest.raises(TokenFileError) as error:
        tokenfile.parse_token_file(text)
    assert str(error.value).startswith(beginning)
    assert A not in str(error.value)
