"""From variables to settings: aliases, `_FILE` twins, and all problems at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from deskgate.errors import SettingsError, Status
from deskgate.forms import MAX_VALUE_BYTES, FormError, Geometry
from deskgate.reading import FOREIGN_NAMES, Reading, read_settings, variables_of
from deskgate.settings import ROWS, SECTIONS, Settings

TOKEN = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def no_files(path: str) -> str:
    """A reader for tests that name no file."""
    raise FormError("cannot read it (No such file or directory); name a readable file")


def read(environ: Mapping[str, str], files: Mapping[str, str] | None = None) -> Reading:
    """Read with the given files."""
    if files is None:
        return read_settings(environ, no_files)
    return read_settings(environ, lambda path: files[path])


def problems(environ: Mapping[str, str]) -> list[str]:
    """The lines of a refusal."""
    with pytest.raises(SettingsError) as error:
        read(environ)
    assert error.value.status == Status.CONFIG
    return list(error.value.lines)


def test_no_variables_give_the_documented_defaults() -> None:
    """Started with no settings it is a 1280x800 desktop behind port 8002, with tokens."""
    settings = read({}).settings
    assert settings.enable_vnc
    assert settings.display == 1
    assert settings.vnc_geometry == Geometry(1280, 800)
    assert settings.vnc_depth == 24
    assert settings.novnc_port == 8002
    assert settings.vnc_auth == "token"
    assert settings.vnc_token is None
    assert settings.xvnc_args == ()


def test_every_row_has_a_section_that_check_shows() -> None:
    """A setting that no section holds would be invisible."""
    assert {row.metadata["section"] for row in ROWS.values()} == set(SECTIONS)
    assert set(ROWS) == {field.name.upper() for field in dataclasses.fields(Settings)}


@pytest.mark.parametrize("name", [n for n in ROWS if n not in ("VNC_TOKEN", "VNC_VIEW_TOKEN")])
def test_an_empty_variable_means_unset(name: str) -> None:
    """Compose files pass empty strings for what is not given."""
    assert read({name: ""}).settings == read({}).settings


def test_empty_variables_all_at_once_mean_unset() -> None:
    """Every name, alias and `_FILE` twin set to nothing changes nothing."""
    names = [name for field in ROWS.values() for name in variables_of(field)]
    environ = {part: "" for name in names for part in (*name.split("+"), f"{name}_FILE")}
    assert read(environ).settings == read({}).settings


@pytest.mark.parametrize(
    ("environ", "field", "value"),
    [
        ({"OH_ENABLE_VNC": "false"}, "enable_vnc", False),
        ({"VNC_RESOLUTION": "800x600"}, "vnc_geometry", Geometry(800, 600)),
        ({"RESOLUTION": "800x600"}, "vnc_geometry", Geometry(800, 600)),
        ({"DISPLAY_WIDTH": "800", "DISPLAY_HEIGHT": "600"}, "vnc_geometry", Geometry(800, 600)),
        ({"VNC_COL_DEPTH": "16"}, "vnc_depth", 16),
        ({"NO_VNC_PORT": "6901"}, "novnc_port", 6901),
        ({"NOVNC_HOME": "/n"}, "novnc_web", "/n"),
        ({"SUBFOLDER": "/a/"}, "subpath", "/a/"),
        ({"USER_ID": "1000"}, "puid", 1000),
        ({"GROUP_ID": "1000"}, "pgid", 1000),
        ({"SESSION_API_KEY": TOKEN}, "vnc_token", TOKEN),
        ({"OH_SESSION_API_KEYS_0": TOKEN}, "vnc_token", TOKEN),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_an_alias_is_understood_and_named_as_the_source(
    environ: dict[str, str], field: str, value: object
) -> None:
    """Names of the original change and of the peers work."""
    reading = read(environ)
    assert getattr(reading.settings, field) == value
    assert reading.sources[field.upper()] == "+".join(environ)


def test_half_of_a_width_and_height_pair_is_not_a_geometry() -> None:
    """DISPLAY_WIDTH alone says nothing about the screen."""
    assert read({"DISPLAY_WIDTH": "800"}).settings.vnc_geometry == Geometry(1280, 800)


def test_the_canonical_name_wins_over_an_alias() -> None:
    """An agent platform's key is there for other reasons; VNC_TOKEN was meant."""
    reading = read({"VNC_TOKEN": TOKEN, "SESSION_API_KEY": OTHER})
    assert reading.settings.vnc_token == TOKEN
    assert reading.secret_variables == ("VNC_TOKEN", "SESSION_API_KEY")


def test_a_secret_comes_from_the_file_that_is_named() -> None:
    """The `_FILE` twin keeps it out of `docker inspect`."""
    reading = read({"VNC_TOKEN_FILE": "/s"}, {"/s": TOKEN})
    assert reading.settings.vnc_token == TOKEN
    assert reading.sources["VNC_TOKEN"] == "VNC_TOKEN_FILE"
    assert reading.secret_variables == ()


REFUSED = {
    "geometry with a star": ({"VNC_GEOMETRY": "1280*800"}, ['VNC_GEOMETRY: cannot use "1280*800"']),
    "geometry of nothing": ({"VNC_GEOMETRY": "0x0"}, ['VNC_GEOMETRY: cannot use "0x0"']),
    "geometry beyond reason": ({"VNC_GEOMETRY": "1e9x1"}, ['VNC_GEOMETRY: cannot use "1e9x1"']),
    "alias keeps its name": ({"RESOLUTION": "big"}, ['RESOLUTION: cannot use "big"']),
    "port with a space": ({"NOVNC_PORT": "80 02"}, ['NOVNC_PORT: cannot use "80 02"']),
    "line break": ({"LANG": "C\n[program:evil]"}, ['LANG: cannot use "C\\n[program:evil]"']),
    "terminal escape": ({"TZ": "\x1b[2J"}, ['TZ: cannot use "\\x1b[2J"']),
    "broken UTF-8": ({"TZ": "\udcff"}, ['TZ: cannot use "\\udcff"']),
    "very long": ({"XVNC_ARGS": "x" * (MAX_VALUE_BYTES + 1)}, ['XVNC_ARGS: cannot use "xxx']),
    "token with a colon": ({"VNC_TOKEN": "a:" + TOKEN}, ["VNC_TOKEN: a token is 32 to 256"]),
    "short token": ({"VNC_TOKEN": "short"}, ["VNC_TOKEN: a token is 32 to 256"]),
    "token that is guessed": ({"VNC_TOKEN": "a" * 40}, ["VNC_TOKEN: this token can be guessed"]),
    "weak platform key": ({"SESSION_API_KEY": "k"}, ["SESSION_API_KEY: a token is 32 to 256"]),
    "one token for both": (
        {"VNC_TOKEN": TOKEN, "VNC_VIEW_TOKEN": TOKEN},
        ["VNC_VIEW_TOKEN: the watch link needs a token of its own"],
    ),
    "value and file": (
        {"VNC_TOKEN": TOKEN, "VNC_TOKEN_FILE": "/s"},
        ["VNC_TOKEN: set VNC_TOKEN or VNC_TOKEN_FILE, not both"],
    ),
    "missing file": (
        {"VNC_TOKEN_FILE": "/none"},
        ['VNC_TOKEN_FILE: cannot use "/none": cannot read'],
    ),
    "open to everybody": ({"VNC_AUTH": "none"}, ['VNC_AUTH: cannot use "none": without tokens']),
    "open, yet a token": (
        {"VNC_AUTH": "none", "NOVNC_LISTEN": "127.0.0.1", "VNC_TOKEN": TOKEN},
        ['VNC_AUTH: cannot use "none": a token is set as well'],
    ),
    "open, yet a token file": (
        {"VNC_AUTH": "none", "NOVNC_LISTEN": "127.0.0.1", "VNC_TOKENS_FILE": "/t"},
        ['VNC_AUTH: cannot use "none": a token is set as well'],
    ),
    "a folder that needs quoting": (
        {"DESKGATE_RUNTIME_DIR": "/run/50% ;x"},
        ['DESKGATE_RUNTIME_DIR: cannot use "/run/50% ;x": give a path of letters'],
    ),
    "certificate alone": ({"NOVNC_CERT": "/c"}, ["NOVNC_CERT: NOVNC_KEY belongs to it"]),
    "key alone": ({"NOVNC_KEY": "/k"}, ["NOVNC_KEY: NOVNC_CERT belongs to it"]),
    "websockify with a watch link": (
        {"NOVNC_PROXY": "websockify", "VNC_VIEW_TOKEN": TOKEN},
        ['NOVNC_PROXY: cannot use "websockify": VNC_VIEW_TOKEN needs the gate'],
    ),
    "websockify without tokens": (
        {"NOVNC_PROXY": "websockify", "VNC_AUTH": "none", "NOVNC_LISTEN": "localhost"},
        ['NOVNC_PROXY: cannot use "websockify": VNC_AUTH=none needs the gate'],
    ),
    "two listeners on one port": (
        {"NOVNC_PORT": "5901"},
        ['NOVNC_PORT: cannot use "5901": Xvnc listens there'],
    ),
    "three mistakes": (
        {"VNC_GEOMETRY": "big", "NOVNC_PORT": "0", "VNC_TOKEN": "x"},
        ["NOVNC_PORT: cannot", "VNC_GEOMETRY: cannot", "VNC_TOKEN: a token"],
    ),
}


@pytest.mark.parametrize(("environ", "beginnings"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_gets_one_line_each(environ: dict[str, str], beginnings: list[str]) -> None:
    """All problems together, sorted, each naming its setting on one printable line."""
    lines = problems(environ)
    assert len(lines) == len(beginnings)
    for line, beginning in zip(lines, beginnings, strict=True):
        assert line.startswith(beginning)
        assert line.isprintable()


@pytest.mark.parametrize("name", ROWS)
def test_a_line_break_is_refused_in_every_setting(name: str) -> None:
    """Behind a value that is good by itself, it would begin a section of its own."""
    good = ROWS[name].metadata["default"] or {"VNC_PORT": "5901"}.get(name, TOKEN)
    lines = problems({name: f"{good}\n[program:evil]\ncommand=id"})
    assert [line.split(": ")[0] for line in lines] == [name]


@pytest.mark.parametrize("name", ["VNC_TOKEN", "VNC_VIEW_TOKEN", "SESSION_API_KEY"])
def test_a_bad_secret_is_never_shown(name: str) -> None:
    """Not the value, not its length."""
    secret = "hunter2:hunter2:hunter2"
    text = "\n".join(problems({name: secret}))
    assert "hunter2" not in text
    assert str(len(secret)) not in text.replace("32 to 256", "").replace("32", "")


def test_no_auth_is_allowed_on_loopback_or_when_confirmed() -> None:
    """The positive control of the refusals above."""
    assert read({"VNC_AUTH": "none", "NOVNC_LISTEN": "127.0.0.1"}).settings.vnc_auth == "none"
    assert read({"VNC_AUTH": "none", "VNC_AUTH_NONE": "yes"}).settings.vnc_auth == "none"


def test_a_unix_transport_leaves_the_rfb_port_free() -> None:
    """With a unix socket nothing listens on 5901."""
    environ = {"VNC_TRANSPORT": "unix", "NOVNC_PORT": "5901"}
    assert read(environ).settings.novnc_port == 5901


def test_a_certificate_with_its_key_is_taken() -> None:
    """The positive control of the pair's refusals."""
    assert read({"NOVNC_CERT": "/c", "NOVNC_KEY": "/k"}).settings.novnc_cert == "/c"


def test_a_near_miss_warns_with_the_nearest_name_and_without_its_value() -> None:
    """A typing mistake must not pass as "unset" in silence."""
    warnings = read({"NOVNC_PROT": "hunter2", "VNC_ZZZZZZZZZ": "x"}).warnings
    assert warnings == (
        "NOVNC_PROT is not a setting of deskgate; did you mean NOVNC_PORT?",
        "VNC_ZZZZZZZZZ is not a setting of deskgate",
    )


@pytest.mark.parametrize("name", FOREIGN_NAMES)
def test_a_password_of_another_image_is_not_taken_for_protection(name: str) -> None:
    """Who sets VNC_PW believes in a password; the warning says what there is instead."""
    (warning,) = read({name: "hunter2"}).warnings
    assert warning.startswith(f"{name} is not used")
    assert "hunter2" not in warning
