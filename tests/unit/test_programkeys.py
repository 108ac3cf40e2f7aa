"""Keys of a drop-in: what each may hold, and never more than supervisord's own parser reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from supervisor import datatypes
from supervisor.options import expand as supervisors_expand

from deskgate import programkeys
from deskgate.forms import FormError
from deskgate.programkeys import KEYS, expand

VALID: list[tuple[str, str, Any]] = [
    ("autostart", "true", True),
    ("autostart", "Off", False),
    ("autorestart", "true", "always"),
    ("autorestart", "0", "never"),
    ("autorestart", "Unexpected", "unexpected"),
    ("priority", "-1", -1),
    ("stopwaitsecs", "10", 10),
    ("numprocs", "1", 1),
    ("stdout_logfile_maxbytes", "50MB", "50MB"),
    ("umask", "022", 0o22),
    ("exitcodes", "0, 2", (0, 2)),
    ("exitcodes", "", ()),
    ("stopsignal", "TERM", "TERM"),
    ("stopsignal", "sigint", "sigint"),
    ("stopsignal", "10", "10"),
    ("environment", "", {}),
    ("environment", "A=1", {"A": "1"}),
    ("environment", "A=\"x, y\",B='%(c)',", {"A": "x, y", "B": "%(c)"}),
    ("command", 'sh -c "a; b"', ("sh", "-c", "a; b")),
    ("directory", "/no/matter", "/no/matter"),
    ("needs", "xvnc, db\n tcp:[::1]:80 file:/x", ("xvnc", "db", "tcp:[::1]:80", "file:/x")),
    ("needs", "", ()),
    ("ready", "stdout", "stdout"),
    ("ready", "exit", "exit"),
    ("ready", "tcp:127.0.0.1:80", "tcp:127.0.0.1:80"),
    ("live", "", ""),
    ("live", "stdout", "stdout"),
    ("live", "http:localhost:80/health?a=b", "http:localhost:80/health?a=b"),
    ("live", "rfb:127.0.0.1:5902", "rfb:127.0.0.1:5902"),
    ("live", "rfb:unix_socket:/run/x", "rfb:unix_socket:/run/x"),
]
INVALID = [
    ("autostart", "maybe", "true or false"),
    ("autostart", "", "true or false"),
    ("autorestart", "always", "true, false or unexpected"),
    ("priority", "1.5", "a whole number"),
    ("priority", "१", "a whole number"),
    ("stopwaitsecs", "-1", "seconds"),
    ("ready_seconds", "1m", "seconds"),
    ("numprocs", "2", "write a section for each"),
    ("stderr_logfile_maxbytes", "50 MB", "bytes"),
    ("umask", "9", "octal"),
    ("exitcodes", "256", "0 to 255"),
    ("exitcodes", "0,,1", "0 to 255"),
    ("stopsignal", "TREM", "a signal"),
    ("stopsignal", "99", "a signal"),
    ("environment", "A", 'NAME="value"'),
    ("environment", "A=1 B=2", 'NAME="value"'),
    ("environment", "A='1", 'NAME="value"'),
    ("environment", "=1", 'NAME="value"'),
    ("command", "sh -c 'a", "close the quotes"),
    ("command", " ", "a program and its arguments"),
    ("needs", "udp:1.2.3.4:5", "give tcp:"),
    ("needs", "tcp:db:5432", "an address or localhost"),
    ("ready", "soon", "give stdout, spawn or exit, or tcp:"),
    ("live", "tcp:127.0.0.1:80", "give stdout, http:"),
    ("live", "http:127.0.0.1:80", "give stdout, http:"),
    ("live", "http:127.0.0.1:80/a b", "give stdout, http:"),
    ("live", "http:example.org:80/", "give stdout, http:"),
    ("live", "rfb:", "give stdout, http:"),
]


@pytest.mark.parametrize(("key", "text", "value"), VALID, ids=str)
def test_a_value_is_read(key: str, text: str, value: object) -> None:
    """In supervisord's words, and in ours."""
    assert KEYS[key](text) == value


@pytest.mark.parametrize(("key", "text", "said"), INVALID, ids=str)
def test_a_value_that_cannot_be_used_says_what_can(key: str, text: str, said: str) -> None:
    """And does not repeat it."""
    with pytest.raises(FormError) as error:
        KEYS[key](text)
    assert said in str(error.value)


NAMES = {"here": "/f", "ENV_A": "a'b%", "process_num": 3}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("100%%", "100%"),
        ("%(here)s/%(ENV_A)s", "/f/a'b%"),
        ("x_%(process_num)02d", "x_03"),
    ],
)
def test_names_are_put_in_as_supervisord_does(text: str, value: str) -> None:
    """Each once: a value is not read again."""
    assert expand(text, NAMES) == value == supervisors_expand(text, NAMES, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("100%", "write %% for a percent sign"),
        ("%(here)", "write %% for a percent sign"),
        ("%(here)r", "write %% for a percent sign"),
        ("%(process_num)999999999d", "write %% for a percent sign"),
        ("%(ENV_B)s", "there is no %(ENV_B)s here, or it holds a secret"),
        ("%(process)s", "there is no %(process)s here"),
        ("%(here)d", "write %(NAME)s"),
    ],
)
def test_what_cannot_be_put_in_is_refused_without_a_value(text: str, said: str) -> None:
    """supervisord's own text holds the names of all variables."""
    with pytest.raises(FormError) as error:
        expand(text, NAMES)
    assert str(error.value).startswith(said)
    assert "a'b" not in str(error.value)


# What supervisord makes of a key's text.
SUPERVISORS: dict[str, Callable[[str], object]] = {
    "autostart": datatypes.boolean,
    "autorestart": datatypes.auto_restart,
    "priority": datatypes.integer,
    "stopwaitsecs": datatypes.integer,
    "numprocs": datatypes.integer,
    "stdout_logfile_maxbytes": datatypes.byte_size,
    "umask": datatypes.octal_type,
    "exitcodes": datatypes.list_of_exitcodes,
    "stopsignal": datatypes.signal_number,
    "environment": datatypes.dict_of_key_value_pairs,
}
PIECES = st.sampled_from([*"0127 ,=\"'#%x-", "true", "TERM", "kb", "A", "é", "\u0661", "\n"])


@given(st.sampled_from(sorted(SUPERVISORS)), st.lists(PIECES, max_size=8).map("".join))
@example("environment", 'A="1"')
@example("exitcodes", "0,2")
def test_what_is_read_here_is_read_by_supervisord(key: str, text: str) -> None:
    """Its parser comes later, must find no mistake that we have not found, and sees the same."""
    try:
        value = KEYS[key](text)
    except FormError:
        return
    found = SUPERVISORS[key](text)
    if key in ("environment", "umask", "priority", "autostart"):
        assert found == value
    if key == "exitcodes":
        assert found == list(value)


def test_a_key_without_effect_is_known_all_the_same() -> None:
    """A file that worked elsewhere works here."""
    assert programkeys.WITHOUT_EFFECT.keys() < KEYS.keys()
