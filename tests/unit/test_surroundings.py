"""What programs and the user's command see of the environment."""

from __future__ import annotations

import dataclasses

import pytest

from deskgate import surroundings

from . import samples

ENVIRON = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "VNC_TOKEN": samples.GIVEN,
    "SESSION_API_KEY": samples.GIVEN[::-1],
    "VNC_VIEW_TOKEN_FILE": "",
}
DISPLAY = {"DISPLAY": ":1", "XAUTHORITY": "/run/deskgate/Xauthority"}


def test_the_command_keeps_its_own_environment_without_our_secrets() -> None:
    """Only our tokens go; only the display comes. A platform's own key is its command's."""
    seen = surroundings.of_command(samples.plan_of(ENVIRON), ENVIRON)
    assert seen == {
        "PATH": "/bin",
        "HOME": "/home/me",
        "SESSION_API_KEY": samples.GIVEN[::-1],
        "VNC_VIEW_TOKEN_FILE": "",
        **DISPLAY,
    }


def test_the_desktops_programs_see_no_secret_at_all() -> None:
    """Not the platform's key either."""
    seen = surroundings.of_programs(samples.plan_of(ENVIRON), ENVIRON)
    assert seen == {
        "PATH": "/bin",
        "HOME": "/home/me",
        "VNC_VIEW_TOKEN_FILE": "",
        "LANG": "C.UTF-8",
        **DISPLAY,
    }


HOME = "/run/deskgate/home"
HOMELESS = dataclasses.replace(samples.PLACE, home=HOME)


def test_programs_get_the_home_that_was_found_for_them() -> None:
    """Under an arbitrary uid HOME is `/`. The command's is as it was set."""
    plan = samples.plan_of(place=HOMELESS)
    for environ in ({}, {"HOME": ""}, {"HOME": "/"}):
        assert surroundings.of_programs(plan, environ)["HOME"] == HOME
        assert surroundings.of_command(plan, environ).get("HOME") == environ.get("HOME")


def test_a_command_that_becomes_another_user_gets_that_users_home() -> None:
    """The engine set HOME for root, where he cannot write."""
    plan = samples.plan_of({"PUID": "1234"}, place=HOMELESS)
    assert surroundings.of_command(plan, {"HOME": "/root"})["HOME"] == HOME


@pytest.mark.parametrize("name", ["LANG", "LC_ALL", "LC_CTYPE"])
def test_programs_speak_utf_8_unless_a_locale_is_set(name: str) -> None:
    """A terminal under the C locale cannot even paste an umlaut."""
    plan = samples.plan_of()
    assert surroundings.of_programs(plan, {})["LANG"] == "C.UTF-8"
    seen = surroundings.of_programs(plan, {name: "de_DE.UTF-8"})
    assert seen[name] == "de_DE.UTF-8"
    assert name == "LANG" or "LANG" not in seen
