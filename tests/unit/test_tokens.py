"""Tokens: form, comparison, expiry."""

from __future__ import annotations

import hashlib

import pytest

from deskgate import tokens
from deskgate.tokens import NewToken, Role, Token, shown_end

A = "0123456789abcdef" * 4
B = "fedcba9876543210" * 4


@pytest.mark.parametrize("value", [A, A[:32], "A-z_9bcD" * 5, (A * 4)[:256]], ids=len)
def test_a_strong_token_has_no_weakness(value: str) -> None:
    """32 to 256 characters that need no escaping in a URL or in the token file."""
    assert tokens.weakness(value) is None


def assert_weak(value: str, *, short: bool = False) -> None:
    """It is refused with what is allowed, and not shown."""
    weakness = tokens.weakness(value, short=short)
    assert weakness is not None
    assert weakness.startswith(f"a token is {16 if short else 32} to 256")
    assert len(value) < 16 or value not in weakness


@pytest.mark.parametrize("char", [*": %&#+/.~ü\r\n\0", "\udcff"], ids=ascii)
def test_e8_a_token_with_another_character_is_refused(char: str) -> None:
    """Wherever it stands."""
    for value in (A + char, char + A, A[:20] + char + A[20:]):
        assert_weak(value)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 31, 257])
def test_e9_a_token_of_another_length_is_refused(length: int) -> None:
    """32 to 256 characters are fine, and 16 where somebody asks for it."""
    assert_weak((A * 5)[:length])
    short = length in (16, 31)
    assert (tokens.weakness((A * 5)[:length], short=True) is None) == short


@pytest.mark.parametrize("value", ["a" * 64, "abcdefg" * 8])
def test_a_token_of_few_different_characters_can_be_guessed(value: str) -> None:
    """Length alone is no strength."""
    assert (
        tokens.weakness(value) == "this token can be guessed; make one with: openssl rand -hex 32"
    )


def test_a_short_token_is_fine_where_it_is_allowed() -> None:
    """VNC_ALLOW_SHORT_TOKEN: half of the usual length, and still not to be guessed."""
    assert tokens.weakness(A[:16], short=True) is None
    said = tokens.weakness(A[:15], short=True)
    assert said is not None
    assert said.startswith("a token is 16 to 256")
    assert tokens.weakness("a" * 16, short=True) is not None


def test_a_hash_is_no_token_to_choose() -> None:
    """Who pasted the file's row for the token would log in with it, and so could its readers."""
    assert tokens.weakness(tokens.hashed(A)) == (
        "this is the hash of a token; give the token itself"
    )


def test_a_hash_in_a_file_stands_for_its_token() -> None:
    """`printf %s TOKEN | sha256sum`; what only looks alike is a token in clear."""
    digest = hashlib.sha256(A.encode()).digest()
    assert tokens.hashed(A) == f"sha256-{digest.hex()}"
    assert tokens.digest_in(tokens.hashed(A)) == digest
    assert tokens.digest_in(A) == digest
    upper = tokens.hashed(A).upper()
    assert tokens.digest_in(upper) == hashlib.sha256(upper.encode()).digest()


def test_a_token_in_clear_does_not_show_itself_in_a_traceback() -> None:
    """repr() is what a traceback or a log would hold."""
    assert A not in repr(NewToken(name="control", role=Role.CONTROL, value=A))


def make(value: str, *, expires: float | None = None, name: str = "x") -> Token:
    """A token by its digest."""
    return Token(name=name, role=Role.VIEW, digest=tokens.digest_of(value), expires=expires)


def test_only_the_exact_token_is_found() -> None:
    """Shortened, lengthened, upper-cased, padded: none of them."""
    rows = [make(A, name="a"), make(B, name="b")]
    found = tokens.find_token(rows, B, 0.0)
    assert found is not None
    assert found.name == "b"
    for wrong in ("", A[:-1], A + "0", A.upper(), A + "\n", " " + A, A + "\0", "\udcff"):
        assert tokens.find_token(rows, wrong, 0.0) is None


def test_an_expired_token_is_not_found_from_its_second_on() -> None:
    """The expiry itself is already too late."""
    rows = [make(A, expires=100.0)]
    assert tokens.find_token(rows, A, 99.9) is rows[0]
    assert tokens.find_token(rows, A, 100.0) is None


def test_a_token_id_names_the_token_without_telling_it() -> None:
    """Equal tokens have equal ids; the id is neither the token nor its digest."""
    assert make(A).token_id == make(A).token_id
    assert make(A).token_id != make(B).token_id
    assert make(A).token_id not in tokens.digest_of(A).hex()
    assert len(make(A).token_id) == 16


def test_expiry_survives_writing_and_reading() -> None:
    """Whole seconds in UTC."""
    assert tokens.format_expiry(1893456000.9) == "2030-01-01T00:00:00Z"
    assert tokens.parse_expiry("2030-01-01T00:00:00Z") == 1893456000.0
    assert tokens.parse_expiry("2030-01-01T01:00:00+01:00") == 1893456000.0


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_first_and_the_last_expiry_are_written_as_they_are_read(text: str) -> None:
    """What a person means by always and never; four digits a year, or it could not be read."""
    assert tokens.format_expiry(tokens.parse_expiry(text)) == text


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+01:00"])
def test_an_expiry_that_utc_cannot_express_is_refused(text: str) -> None:
    """It was read, and ended the start when it was written."""
    with pytest.raises(ValueError, match="out of range in UTC"):
        tokens.parse_expiry(text)


def test_an_expiry_without_a_zone_is_refused() -> None:
    """The container's zone is not the writer's."""
    with pytest.raises(ValueError, match="no time zone"):
        tokens.parse_expiry("2030-01-01T00:00:00")


def test_machines_are_told_an_end_or_null() -> None:
    """Null is for ever."""
    assert shown_end(1893456000.0) == "2030-01-01T00:00:00Z"
    assert shown_end(None) is None
