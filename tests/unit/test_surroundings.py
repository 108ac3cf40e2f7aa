"""What programs and the user's command see of the environment."""

from __future__ import annotations

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
    seen = surroundings.of_programs(samples.plan_of(ENVIRON), ENVIRON, home_is_writable=True)
    assert seen == {
        "PATH": "/bin",
        "HOME": "/home/me",
        "VNC_VIEW_TOKEN_FILE": "",
        "LANG": "C.UTF-8",
        **DISPLAY,
    }


def test_programs_get_a_home_that_they_can_write_to() -> None:
    """Under an arbitrary uid HOME is `/`."""
    plan = samples.plan_of()
    for environ in ({}, {"HOME": ""}, {"HOME": "/"}):
        seen = surroundings.of_programs(plan, environ, home_is_writable=False)
        assert seen["HOME"] == "/run/deskgate"


@pytest.mark.parametrize("name", ["LANG", "LC_ALL", "LC_CTYPE"])
def test_programs_speak_utf_8_unless_a_locale_is_set(name: str) -> None:
    """A terminal under the C locale cannot even paste an umlaut."""
    plan = samples.plan_of()
    assert surroundings.of_programs(plan, {}, home_is_writable=True)["LANG"] == "C.UTF-8"
    seen = surroundings.of_programs(plan, {name: "de_DE.UTF-8"}, home_is_writable=True)
    assert seen[name] == "de_DE.UTF-8"
    assert name == "LANG" or "LANG" not in seen
