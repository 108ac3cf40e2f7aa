"""The plan: tokens, binary files and the gate's configuration."""

from __future__ import annotations

import dataclasses

import pytest

from deskgate import rfb
from deskgate.errors import SettingsError
from deskgate.plan import xauthority
from deskgate.programs import Place
from deskgate.tokens import NewToken, Role

from . import samples


def test_without_a_token_both_links_get_a_generated_one() -> None:
    """Secure with no settings: two links, two rights."""
    plan = samples.plan_of()
    assert [(t.name, t.role, t.value, t.supplied) for t in plan.tokens] == [
        ("control", Role.CONTROL, samples.CONTROL, False),
        ("view", Role.VIEW, samples.VIEW, False),
    ]


def test_each_link_holds_the_token_of_its_role() -> None:
    """Swapped, the watcher would have control."""
    plan = samples.plan_of()
    assert str(plan.link_of(Role.CONTROL)).endswith(f"#token={samples.CONTROL}")
    assert str(plan.link_of(Role.VIEW)).endswith(f"#token={samples.VIEW}")


def test_a_given_token_is_used_and_marked_as_supplied() -> None:
    """Marked, because it must never be printed."""
    control, view = samples.plan_of({"VNC_TOKEN": samples.GIVEN}).tokens
    assert (control.value, control.supplied) == (samples.GIVEN, True)
    assert (view.value, view.supplied) == (samples.VIEW, False)


def test_a_lifetime_gives_both_tokens_an_end() -> None:
    """VNC_TOKEN_TTL counts from the start."""
    plan = samples.plan_of({"VNC_TOKEN_TTL": "30m"})
    assert {token.expires for token in plan.tokens} == {samples.NOW + 1800}


def test_stock_websockify_gets_no_view_token() -> None:
    """It would let its holder control the desktop."""
    plan = samples.plan_of({"NOVNC_PROXY": "websockify"})
    assert [token.role for token in plan.tokens] == [Role.CONTROL]
    assert plan.link_of(Role.VIEW) is None


def test_without_auth_there_is_an_open_link_and_no_token() -> None:
    """VNC_AUTH=none, confirmed."""
    plan = samples.plan_of({"VNC_AUTH": "none", "VNC_AUTH_NONE": "yes"})
    assert plan.tokens == ()
    assert plan.link_of(Role.CONTROL) == "http://localhost:8002/"
    assert plan.link_of(Role.VIEW) is None


def test_rows_of_a_tokens_file_are_known_and_not_copied() -> None:
    """The gate reads them where they stand, so that a change counts; the log hides them."""
    alice = NewToken(name="alice", role=Role.VIEW, value=samples.GIVEN, supplied=True)
    plan = samples.plan_of({"VNC_TOKENS_FILE": "/tokens"}, extra=[alice])
    assert plan.extra == (alice,)
    assert [token.name for token in plan.tokens] == ["control", "view"]
    assert plan.gate["more_tokens"] == "/tokens"


def test_e10_a_tokens_file_that_repeats_our_token_is_refused() -> None:
    """Never "first wins": the roles might differ."""
    same = NewToken(name="alice", role=Role.VIEW, value=samples.GIVEN)
    with pytest.raises(SettingsError, match="two rows hold the same token"):
        samples.plan_of({"VNC_TOKEN": samples.GIVEN}, extra=[same])


def test_without_a_desktop_there_is_nothing_to_protect() -> None:
    """ENABLE_VNC=false: no program, token or file."""
    plan = samples.plan_of({"ENABLE_VNC": "false"})
    assert (plan.programs, plan.tokens, plan.files, plan.levels) == ((), (), {}, ())


def test_the_x_cookie_holds_for_any_host_name() -> None:
    """Xauth(3): family 65535, then address, display, scheme and cookie, each with its length."""
    assert xauthority(1, bytes(range(16))) == (
        b"\xff\xff"
        + b"\0\0"
        + b"\0\x011"
        + b"\0\x12MIT-MAGIC-COOKIE-1"
        + b"\0\x10"
        + bytes(range(16))
    )


def test_the_rfb_passwords_are_kept_as_xvnc_reads_them() -> None:
    """Eight bytes each, control first."""
    passwords = samples.plan_of().files["rfbauth"]
    assert len(passwords) == 16
    assert rfb.deobfuscate(passwords[:8]) == b"control!"
    assert rfb.deobfuscate(passwords[8:]) == b"viewing!"


def test_the_gates_configuration_holds_no_secret() -> None:
    """gate.json may be looked at."""
    plan = samples.plan_of({"VNC_TOKEN": samples.GIVEN, "VNC_TRANSPORT": "unix"})
    assert samples.GIVEN not in str(plan.gate)
    assert plan.gate["rfb"] == "unix_socket:/run/deskgate/rfb.sock"
    assert plan.gate["listen"] == ["", 8002]


def test_chance_does_not_show_itself_in_a_traceback() -> None:
    """It holds every secret of a start."""
    assert repr(samples.CHANCE) == "Chance((hidden))"


@pytest.mark.parametrize(
    ("environ", "place", "folders"),
    [
        ({}, samples.PLACE, ()),
        ({}, samples.SPLIT_PLACE, ()),
        ({"VNC_TRANSPORT": "unix"}, samples.PLACE, ()),
        ({"VNC_TRANSPORT": "unix"}, samples.SPLIT_PLACE, ("xvnc",)),
        ({}, dataclasses.replace(samples.PLACE, home="/run/deskgate/home"), ("home",)),
        ({}, dataclasses.replace(samples.PLACE, home="/home/alice"), ()),
    ],
)
def test_folders_are_made_for_who_needs_one(
    environ: dict[str, str], place: Place, folders: tuple[str, ...]
) -> None:
    """Xvnc's own for its socket, and a home for who has none."""
    assert samples.plan_of(environ, place=place).folders == folders


def test_copies_of_tls_files_are_written_with_the_rest() -> None:
    """The gate finds them there."""
    place = dataclasses.replace(samples.SPLIT_PLACE, copies={"tls-key.pem": b"key"})
    plan = samples.plan_of({"NOVNC_CERT": "/c.pem", "NOVNC_KEY": "/k.pem"}, place=place)
    assert plan.files["tls-key.pem"] == b"key"
    assert (plan.gate["cert"], plan.gate["key"]) == ("/c.pem", "/run/deskgate/tls-key.pem")
