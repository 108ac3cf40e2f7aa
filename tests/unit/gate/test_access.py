"""What an access is called, and what becomes of it when the token files are read again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deskgate.gate.access import Access, Carrier
from deskgate.gate.sessions import LIFETIME_SECONDS, Session
from deskgate.tokens import Role, Token, digest_of

from .samples import CONTROL_TOKEN, NOW, VIEW_TOKEN

ALICE = Token(name="alice", role=Role.VIEW, digest=digest_of("a" * 32))
SESSION = Session(token=VIEW_TOKEN, session_id="5e" * 16, issued=int(NOW))
WATCHING = Access(
    role=Role.VIEW,
    carrier=Carrier.COOKIE,
    token=VIEW_TOKEN,
    session=SESSION,
    ends=VIEW_TOKEN.expires,
)


NAMED = [
    (None, Role.VIEW, ""),
    (VIEW_TOKEN, Role.VIEW, ""),
    (VIEW_TOKEN, Role.CONTROL, " view"),
    (ALICE, Role.VIEW, " alice"),
]


@pytest.mark.parametrize(("token", "role", "name"), NAMED)
def test_only_a_name_that_says_more_than_the_role_is_told(
    token: Token | None, role: Role, name: str
) -> None:
    """`view viewer view` would tell nobody anything; who borrowed control is named."""
    assert replace(WATCHING, token=token).name_beside(role) == name


def test_an_access_ends_with_its_token_or_its_role() -> None:
    """Gone from the file, or there with another role."""
    assert WATCHING.under(None) is None
    assert WATCHING.under(replace(VIEW_TOKEN, role=Role.CONTROL)) is None


def test_an_access_lasts_as_long_as_the_token_now_does() -> None:
    """Its end was moved in the file; a session's own end stays."""
    later = replace(VIEW_TOKEN, expires=NOW + 7200)
    moved = WATCHING.under(later)
    assert moved == replace(
        WATCHING, token=later, session=replace(SESSION, token=later), ends=NOW + 7200
    )
    endless = WATCHING.under(replace(VIEW_TOKEN, expires=None))
    assert endless is not None
    assert endless.ends == NOW + LIFETIME_SECONDS
    bearer = Access(role=Role.CONTROL, carrier=Carrier.BEARER, token=CONTROL_TOKEN)
    assert bearer.under(CONTROL_TOKEN) == bearer
