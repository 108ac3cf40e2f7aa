"""The session cookie: who gets in with it, and what ends it."""

from __future__ import annotations

import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskgate.gate import sessions
from deskgate.gate.sessions import Denied, Session, cookie_name, issue_cookie, read_cookie
from deskgate.tokens import Role, Token

from .samples import CHANCE, CONTROL, CONTROL_TOKEN, NOW, SECRET, VIEW_TOKEN

TOKENS = (CONTROL_TOKEN, VIEW_TOKEN)
COOKIE = issue_cookie(CONTROL_TOKEN, SECRET, now=NOW, chance=CHANCE)


def read(value: str, *, now: float = NOW, secret: bytes = SECRET) -> Session | None:
    return read_cookie(value, TOKENS, secret, now=now)


@pytest.mark.parametrize("token", TOKENS, ids=["control", "view"])
def test_a_fresh_cookie_stands_for_its_token(token: Token) -> None:
    """The role comes from the token row, never from the cookie."""
    value = issue_cookie(token, SECRET, now=NOW, chance=CHANCE)
    assert read(value) == Session(token=token, session_id=CHANCE.hex(), issued=int(NOW))


def test_the_cookie_holds_neither_the_token_nor_its_hash() -> None:
    """A stolen cookie must not become a token."""
    assert CONTROL not in COOKIE
    assert CONTROL_TOKEN.digest.hex() not in COOKIE


PARTS = COOKIE.split(".")
OTHER_ID = ".".join([PARTS[0], VIEW_TOKEN.token_id, *PARTS[2:]])
INVALID = {
    "empty": "",
    "not a cookie": "hello",
    "another version": COOKIE.replace("v1.", "v2.", 1),
    "cut": COOKIE[:-1],
    "longer": COOKIE + "0",
    "a newline behind": COOKIE + "\n",
    "signature changed": COOKIE[:-1] + ("0" if COOKIE[-1] != "0" else "1"),
    "signature in upper case": ".".join([*PARTS[:4], PARTS[4].upper()]),
    "issued later": ".".join([*PARTS[:2], str(int(NOW) + 1), *PARTS[3:]]),
    "other chance": ".".join([*PARTS[:3], "f" * 32, PARTS[4]]),
    "moved to another token": OTHER_ID,
    "unknown token": ".".join([PARTS[0], "0" * 16, *PARTS[2:]]),
    "8 KiB": "v1." + "a" * 8192,
    "digits of another script": COOKIE.replace(PARTS[2], "\u0661" * 10),
}


@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID)
def test_s5_a_tampered_cookie_is_none(value: str) -> None:
    """Every part is under the signature."""
    assert read(value) is None


@given(st.integers(0, len(COOKIE) - 1), st.characters(codec="ascii"))
def test_s5_no_single_change_survives(place: int, char: str) -> None:
    """Whatever character is changed wherever."""
    changed = COOKIE[:place] + char + COOKIE[place + 1 :]
    assert (read(changed) is None) == (changed != COOKIE)


def test_the_key_is_of_the_boot_secret_and_the_token() -> None:
    """So that not even one who can choose a token's id can sign for it."""
    key = hmac.digest(SECRET, CONTROL_TOKEN.digest, "sha256")
    signed, _, signature = COOKIE.rpartition(".")
    assert hmac.digest(key, signed.encode(), "sha256").hex() == signature


def test_s5_another_boot_secret_is_another_desktop() -> None:
    """A recreated container knows no old cookie."""
    assert read(COOKIE, secret=b"another boot secret of 32 bytes!") is None


def test_s1_a_cookie_dies_with_its_token() -> None:
    """Revoked, replaced or expired: the row is what counts."""
    assert read_cookie(COOKIE, (VIEW_TOKEN,), SECRET, now=NOW) is None
    rotated = replace(CONTROL_TOKEN, digest=b"\1" * 32)
    assert read_cookie(COOKIE, (rotated,), SECRET, now=NOW) is None
    expired = replace(CONTROL_TOKEN, expires=NOW)
    assert read_cookie(COOKIE, (expired,), SECRET, now=NOW) is None


AGES = [
    (0, True),
    (sessions.LIFETIME_SECONDS - 1, True),
    (sessions.LIFETIME_SECONDS, False),
    (-sessions.CLOCK_SLACK_SECONDS, True),
    (-sessions.CLOCK_SLACK_SECONDS - 1, False),
]


@pytest.mark.parametrize(("age", "good"), AGES)
def test_a_cookie_lives_twelve_hours(age: int, good: bool) -> None:
    """Absolutely, and one from the future is forged."""
    assert (read(COOKIE, now=int(NOW) + age) is not None) == good


def test_a_session_ends_with_itself_or_its_token() -> None:
    """Whichever is first."""
    control = Session(token=CONTROL_TOKEN, session_id="a", issued=int(NOW))
    assert control.ends == NOW + sessions.LIFETIME_SECONDS
    assert replace(control, token=VIEW_TOKEN).ends == VIEW_TOKEN.expires


def session(number: int, token: Token = CONTROL_TOKEN) -> Session:
    return Session(token=token, session_id=f"{number:032x}", issued=number)


def test_s6_a_logged_out_session_is_held_and_no_other() -> None:
    """The second browser stays."""
    denied = Denied().adding(session(1))
    assert denied.holds(session(1))
    assert not denied.holds(session(2))
    assert not Denied().holds(session(1))


def test_a_full_list_revives_nobody_and_touches_no_other_token() -> None:
    """What is forgotten is refused by its time instead."""
    denied = Denied()
    for number in range(1, sessions.DENIED_PER_TOKEN + 3):
        denied = denied.adding(session(number))
    assert all(denied.holds(session(number)) for number in range(sessions.DENIED_PER_TOKEN + 3))
    assert not denied.holds(session(sessions.DENIED_PER_TOKEN + 3))
    assert not denied.holds(session(1, VIEW_TOKEN))
    assert len(denied.ids[CONTROL_TOKEN.token_id]) == sessions.DENIED_PER_TOKEN


def test_logouts_survive_being_written_and_read() -> None:
    """The gate may die; a forgotten logout would revive the cookie."""
    denied = Denied().adding(session(1)).adding(session(2, VIEW_TOKEN))
    for number in range(2, sessions.DENIED_PER_TOKEN + 2):
        denied = denied.adding(session(number))
    read = Denied.from_json(denied.to_json())
    assert read == denied
    assert read.holds(session(1))
    assert read.holds(session(2, VIEW_TOKEN))
    assert not read.holds(session(3, VIEW_TOKEN))


def test_a_list_forgets_only_who_is_over_anyway() -> None:
    """Also of tokens that are gone: a rotation a minute for a year must not fill memory."""
    old, young = session(1), session(2, VIEW_TOKEN)
    denied = Denied({}, {"gone": 1, CONTROL_TOKEN.token_id: 2}, 7).adding(old).adding(young)
    end = 1 + sessions.LIFETIME_SECONDS
    assert denied.current(end - 1) == denied
    assert denied.current(end) == Denied(
        {VIEW_TOKEN.token_id: {young.session_id: 2}}, {CONTROL_TOKEN.token_id: 2}, 7
    )
    cookie = issue_cookie(CONTROL_TOKEN, SECRET, now=1, chance=CHANCE)
    assert read(cookie, now=end - 1) is not None
    assert read(cookie, now=end) is None


UNREADABLE = [
    *("", "{", "[]", "null", "{}", '{"ids": {}, "floors": {}}'),
    '{"ids": [], "floors": {}, "until": -1}',
    '{"ids": {"a": 1}, "floors": {}, "until": -1}',
    '{"ids": {"a": {"b": "c"}}, "floors": {}, "until": -1}',
    '{"ids": {}, "floors": {"a": true}, "until": -1}',
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_logouts_that_cannot_be_read_are_an_error(text: str) -> None:
    """Taken for none, they would revive whom they held."""
    with pytest.raises(ValueError, match=r"of our form|Expecting"):
        Denied.from_json(text)


def test_all_sessions_up_to_a_moment_can_be_held() -> None:
    """When it cannot be known whose were logged out."""
    denied = Denied(until=5)
    assert denied.holds(session(5))
    assert denied.holds(session(5, VIEW_TOKEN))
    assert not denied.holds(session(6))
    assert Denied.from_json(denied.adding(session(7)).to_json()).until == 5


def test_the_key_of_the_files_is_the_tokens_and_no_session() -> None:
    """It stands in addresses: it must open nothing else, and die with the token."""
    key = sessions.files_key(CONTROL_TOKEN, SECRET)
    assert len(key) == 32
    assert key != sessions.files_key(VIEW_TOKEN, SECRET)
    assert key != sessions.files_key(CONTROL_TOKEN, b"another boot secret of 32 bytes!")
    assert key not in COOKIE
    assert read(key) is None


NAMES = [
    (Role.CONTROL, False, "/", "vnc_0123abcd"),
    (Role.CONTROL, False, "/desk/", "vnc_0123abcd"),
    (Role.CONTROL, True, "/", "__Host-vnc_0123abcd"),
    (Role.CONTROL, True, "/desk/", "__Secure-vnc_0123abcd"),
    (Role.VIEW, False, "/", "vncview_0123abcd"),
    (Role.VIEW, True, "/", "__Host-vncview_0123abcd"),
    (Role.VIEW, True, "/desk/", "__Secure-vncview_0123abcd"),
]


@pytest.mark.parametrize(("role", "secure", "subpath", "name"), NAMES)
def test_the_name_binds_the_cookie_to_https_and_its_role(
    role: Role, secure: bool, subpath: str, name: str
) -> None:
    """The browser enforces the prefixes; __Host- needs the path /."""
    assert cookie_name(role, "0123abcd", secure=secure, subpath=subpath) == name


ATTRIBUTES = [
    ("v", False, False, "n=v; Path=/d/; HttpOnly; SameSite=Lax"),
    ("v", True, False, "n=v; Path=/d/; HttpOnly; SameSite=Lax; Secure"),
    ("v", False, True, "n=v; Path=/d/; HttpOnly; SameSite=None; Secure; Partitioned"),
    ("", False, False, "n=; Path=/d/; HttpOnly; SameSite=Lax; Max-Age=0"),
]


@pytest.mark.parametrize(("value", "secure", "framed", "header"), ATTRIBUTES)
def test_the_attributes_fit_the_way_it_is_seen(
    value: str, secure: bool, framed: bool, header: str
) -> None:
    """Never without HttpOnly, never with a Domain."""
    made = sessions.set_cookie("n", value, subpath="/d/", secure=secure, framed=framed)
    assert made == header
