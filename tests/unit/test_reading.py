"""From variables to settings: aliases, `_FILE` twins, and all problems at once."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping

import pytest

from deskgate.errors import SettingsError, Status
from deskgate.forms import MAX_VALUE_BYTES, FormError, Geometry
from deskgate.reading import Reading, read_settings, variables_of
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
def test_e13_an_empty_variable_means_unset(name: str) -> None:
    """Compose files pass empty strings for what is not given."""
    assert read({name: ""}).settings == read({}).settings


def test_e13_empty_variables_all_at_once_mean_unset() -> None:
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


Refused = Mapping[str, tuple[dict[str, str], list[str]]]  # id → variables, beginnings of the lines


def assert_refused(environ: Mapping[str, str], beginnings: list[str]) -> None:
    """All problems together, sorted, each naming its setting on one printable line."""
    lines = problems(environ)
    assert len(lines) == len(beginnings)
    for line, beginning in zip(lines, beginnings, strict=True):
        assert line.startswith(beginning)
        assert line.isprintable()


GEOMETRIES = (
    *("1280", "1280*800", "0x0", "1280x", "x800", "-1x5", "1e9x1", "99999x99999", "63x800"),
    *("16385x64", "16384x16384", "1280x800;id", "1280x800 ", "١٢٨٠x٨٠٠"),
)


@pytest.mark.parametrize("name", ["VNC_GEOMETRY", "RESOLUTION"])
@pytest.mark.parametrize("text", GEOMETRIES)
def test_e1_what_is_no_geometry_is_refused(name: str, text: str) -> None:
    """By the name that was used; the smallest and the largest are taken."""
    assert_refused({name: text}, [f'{name}: cannot use "{text}": give WIDTHxHEIGHT in pixels'])
    for good in ("64x64", "16384x4096"):
        assert str(read({name: good}).settings.vnc_geometry) == good


PORTS: Refused = {
    "none": ({"NOVNC_PORT": "0"}, ['NOVNC_PORT: cannot use "0": give a port from 1 to 65535']),
    "too high": ({"VNC_PORT": "70000"}, ['VNC_PORT: cannot use "70000": give a port']),
    "with a space": ({"NOVNC_PORT": "80 02"}, ['NOVNC_PORT: cannot use "80 02": give a port']),
    "the display's own": ({"NOVNC_PORT": "5901"}, ['NOVNC_PORT: cannot use "5901": Xvnc listens']),
    "one for both": ({"VNC_PORT": "8002"}, ['NOVNC_PORT: cannot use "8002": Xvnc listens']),
}


@pytest.mark.parametrize(("environ", "beginnings"), PORTS.values(), ids=PORTS)
def test_e2_what_is_no_port_of_its_own_is_refused(
    environ: dict[str, str], beginnings: list[str]
) -> None:
    """With the reason."""
    assert_refused(environ, beginnings)


def test_e6_a_long_value_of_ours_is_refused() -> None:
    """8 KiB are far above any honest one; the line stays short."""
    (line,) = problems({"XVNC_ARGS": "x" * 1024 * 1024})
    assert line.startswith('XVNC_ARGS: cannot use "xxx')
    assert len(line) < 400
    assert read({"XVNC_ARGS": "x" * MAX_VALUE_BYTES}).settings.xvnc_args


def test_e6_foreign_variables_cost_nothing() -> None:
    """Five thousand of them, and one of a mebibyte, change nothing and are not warned about."""
    environ = {f"FOREIGN_{number}": "x" for number in range(5000)} | {"HUGE": "x" * 1024 * 1024}
    began = time.monotonic()
    assert read(environ) == read({})
    assert time.monotonic() - began < 1


BYTES: Refused = {
    "broken UTF-8": ({"TZ": "\udcff"}, ['TZ: cannot use "\\udcff"']),
    "terminal escape": ({"TZ": "\x1b[2J"}, ['TZ: cannot use "\\x1b[2J"']),
}


@pytest.mark.parametrize(("environ", "beginnings"), BYTES.values(), ids=BYTES)
def test_e7_bytes_that_are_no_text_are_refused(
    environ: dict[str, str], beginnings: list[str]
) -> None:
    """In a setting of ours; the line shows them escaped."""
    assert_refused(environ, beginnings)


WEAK: Refused = {
    "short": ({"VNC_TOKEN": "short"}, ["VNC_TOKEN: a token is 32 to 256"]),
    "guessed": ({"VNC_TOKEN": "a" * 40}, ["VNC_TOKEN: this token can be guessed"]),
    "platform key": ({"SESSION_API_KEY": "k"}, ["SESSION_API_KEY: a token is 32 to 256"]),
    "short on purpose": (
        {"VNC_TOKEN": TOKEN[:15], "VNC_ALLOW_SHORT_TOKEN": "1"},
        ["VNC_TOKEN: a token is 16 to 256"],
    ),
}


@pytest.mark.parametrize("char", ":%&#+/ .~")
def test_e8_a_token_with_other_characters_is_refused(char: str) -> None:
    """They would need escaping in a link or end a row of the token file."""
    assert_refused({"VNC_TOKEN": TOKEN + char}, ["VNC_TOKEN: a token is 32 to 256 of the"])


@pytest.mark.parametrize(("environ", "beginnings"), WEAK.values(), ids=WEAK)
def test_e9_a_weak_token_is_refused(environ: dict[str, str], beginnings: list[str]) -> None:
    """Half of the characters do where somebody says so."""
    assert_refused(environ, beginnings)
    short = {"VNC_TOKEN": TOKEN[:16], "VNC_ALLOW_SHORT_TOKEN": "1"}
    assert read(short).settings.vnc_token == TOKEN[:16]


def test_e10_one_token_for_both_links_is_refused() -> None:
    """One of the two would win, and it could be control."""
    environ = {"VNC_TOKEN": TOKEN, "VNC_VIEW_TOKEN": TOKEN}
    assert_refused(environ, ["VNC_VIEW_TOKEN: the watch link needs a token of its own"])


def test_e11_a_file_that_cannot_be_read_is_refused() -> None:
    """By the name of its variable; what is wrong with a file, test_files.py tries."""
    beginning = 'VNC_TOKEN_FILE: cannot use "/none": cannot read'
    assert_refused({"VNC_TOKEN_FILE": "/none"}, [beginning])


OPEN = {"VNC_AUTH": "none", "NOVNC_LISTEN": "127.0.0.1"}
TWICE: Refused = {
    "value and file": (
        {"VNC_TOKEN": TOKEN, "VNC_TOKEN_FILE": "/s"},
        ["VNC_TOKEN: set VNC_TOKEN or VNC_TOKEN_FILE, not both"],
    ),
    **{
        f"open, yet {name}": (
            {**OPEN, name: value},
            ['VNC_AUTH: cannot use "none": a token is set as well'],
        )
        for name, value in {
            "VNC_TOKEN": TOKEN,
            "VNC_VIEW_TOKEN": TOKEN,
            "SESSION_API_KEY": TOKEN,
            "VNC_TOKENS_FILE": "/t",
        }.items()
    },
}


@pytest.mark.parametrize(("environ", "beginnings"), TWICE.values(), ids=TWICE)
def test_e12_settings_that_contradict_each_other_are_refused(
    environ: dict[str, str], beginnings: list[str]
) -> None:
    """Who set both believes in one of them."""
    assert_refused(environ, beginnings)


WIDE = ("*", "0.0.0.0", "::", "192.0.2.1", "127.0.0.2")


@pytest.mark.parametrize("listen", WIDE)
def test_e14_no_auth_beyond_loopback_is_refused(listen: str) -> None:
    """Unless it is said twice."""
    environ = {"VNC_AUTH": "none", "NOVNC_LISTEN": listen}
    assert_refused(environ, ['VNC_AUTH: cannot use "none": without tokens, anybody who reaches'])
    assert read({**environ, "VNC_AUTH_NONE": "yes"}).settings.vnc_auth == "none"


ADDRESSES: Refused = {
    f"{name} {text!r}": ({name: text}, [f"{name}: cannot use "])
    for name, text in (
        ("PUBLIC_URL", "https://me@desk.example.org"),
        ("PUBLIC_URL", "https://me:pw@desk.example.org"),
        ("PUBLIC_URL", "https://desk.example.org/?a=b"),
        ("PUBLIC_URL", "https://desk.example.org/#a"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("PUBLIC_URL", "desk.example.org"),
        ("PUBLIC_URL", "https://desk.example.org\r\nX: y"),
        ("VNC_FRAME_ANCESTORS", "https://a.example; script-src *"),
        ("VNC_FRAME_ANCESTORS", "https://a.example\rX: y"),
        ("VNC_FRAME_ANCESTORS", "*"),
        ("VNC_FRAME_ANCESTORS", "https://*"),
    )
}


@pytest.mark.parametrize(("environ", "beginnings"), ADDRESSES.values(), ids=ADDRESSES)
def test_e16_an_address_that_says_more_is_refused(
    environ: dict[str, str], beginnings: list[str]
) -> None:
    """It would go into links, or into a header."""
    assert_refused(environ, beginnings)


REFUSED: Refused = {
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
    "three mistakes": (
        {"VNC_GEOMETRY": "big", "NOVNC_PORT": "0", "VNC_TOKEN": "x"},
        ["NOVNC_PORT: cannot", "VNC_GEOMETRY: cannot", "VNC_TOKEN: a token"],
    ),
}


@pytest.mark.parametrize(("environ", "beginnings"), REFUSED.values(), ids=REFUSED)
def test_bad_input_gets_one_line_each(environ: dict[str, str], beginnings: list[str]) -> None:
    """All problems together."""
    assert_refused(environ, beginnings)


@pytest.mark.parametrize("name", ROWS)
def test_e3_a_line_break_is_refused_in_every_setting(name: str) -> None:
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


def test_e14_no_auth_is_allowed_on_loopback_or_when_confirmed() -> None:
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


def test_e15_a_near_miss_warns_with_the_nearest_name_and_without_its_value() -> None:
    """A typing mistake must not pass as "unset" in silence."""
    warnings = read({"NOVNC_PROT": "hunter2", "VNC_ZZZZZZZZZ": "x"}).warnings
    assert warnings == (
        "NOVNC_PROT is not a setting of deskgate; did you mean NOVNC_PORT?",
        "VNC_ZZZZZZZZZ is not a setting of deskgate",
    )


@pytest.mark.parametrize("name", ["VNC_PW", "SE_VNC_PASSWORD", "CUSTOM_USER", "VNC_VIEW_ONLY"])
def test_a_password_of_another_image_is_not_taken_for_protection(name: str) -> None:
    """Who sets VNC_PW believes in a password; the warning says what there is instead."""
    reading = read({name: "hunter2"})
    (warning,) = reading.warnings
    assert warning.startswith(f"{name} is not used: ")
    assert "hunter2" not in warning
    assert reading.hints == ()


def test_a_foreign_name_with_our_prefix_is_no_typing_mistake() -> None:
    """It was meant as it stands, and who wrote it learns what there is here."""
    (warning,) = read({"NOVNC_HEARTBEAT": "20"}).warnings
    assert warning == (
        "NOVNC_HEARTBEAT is not used: the gate pings every viewer by itself "
        "(a name of accetto/ubuntu-vnc-xfce-g3)"
    )


def test_a_foreign_name_that_protects_nothing_is_for_check_alone() -> None:
    """A start stays quiet: many images' variables are there for other programs."""
    reading = read({"SE_SCREEN_WIDTH": "1920"})
    assert reading.warnings == ()
    assert reading.hints == (
        "SE_SCREEN_WIDTH is not used: set VNC_GEOMETRY; WIDTHxHEIGHT "
        "(a name of SeleniumHQ/docker-selenium)",
    )
