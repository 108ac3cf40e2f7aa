"""Program rows: the commands and their security, and the order of needs."""

from __future__ import annotations

import dataclasses

import pytest

from deskgate import programs
from deskgate.programs import Program

from . import samples


def command_of(name: str, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    """The command of a program under these variables."""
    rows = programs.desktop_programs(samples.reading_of(environ or {}).settings, samples.PLACE)
    return next(row.command for row in rows if row.name == name)


def has(command: tuple[str, ...], *words: str) -> bool:
    """Whether the words stand in the command, side by side."""
    size = len(words)
    return any(command[at : at + size] == words for at in range(len(command)))


ALWAYS = [
    (":1",),
    ("-displayfd", "1"),
    ("-SecurityTypes", "None,VncAuth"),
    ("-rfbauth", "/run/deskgate/rfbauth"),
    ("-auth", "/run/deskgate/Xauthority"),
    ("-nolisten", "tcp"),
    ("-nolisten", "local"),
    ("-AlwaysShared",),
    ("-UseBlacklist=0",),
    ("-AllowOverride=",),
]


@pytest.mark.parametrize("words", ALWAYS, ids=" ".join)
@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_xvnc_always_has_its_security_flags(words: tuple[str, ...], transport: str) -> None:
    """Security 3.7: without any one of them somebody gets in, or everybody is locked out."""
    assert has(command_of("xvnc", {"VNC_TRANSPORT": transport}), *words)


def test_xvnc_on_tcp_listens_on_loopback_alone() -> None:
    """The gate is the only way in."""
    assert has(command_of("xvnc"), "-rfbport", "5901", "-localhost")


def test_xvnc_on_a_unix_socket_has_no_tcp_port() -> None:
    """GHSA-vrq4-9hc3-cgp7: the socket alone leaves TCP open."""
    command = command_of("xvnc", {"VNC_TRANSPORT": "unix"})
    assert has(command, "-rfbport", "-1", "-rfbunixpath", "/run/deskgate/rfb.sock")
    assert has(command, "-rfbunixmode", "0600")
    assert "-localhost" not in command


def test_c7_xvnc_of_its_own_user_shares_its_socket_with_the_gate_alone() -> None:
    """In a folder that the two can pass."""
    settings = samples.reading_of({"VNC_TRANSPORT": "unix"}).settings
    row = programs.xvnc(settings, samples.SPLIT_PLACE)
    assert has(row.command, "-rfbunixpath", "/run/deskgate/xvnc/rfb.sock", "-rfbunixmode", "0660")
    assert programs.rfb_target(settings, samples.SPLIT_PLACE) == (
        "unix_socket:/run/deskgate/xvnc/rfb.sock"
    )


def test_c7_each_program_runs_as_the_user_that_is_meant_for_it() -> None:
    """What people start on the desktop is no more than the desktop's."""
    for proxy in ("gate", "websockify"):
        settings = samples.reading_of({"NOVNC_PROXY": proxy}).settings
        rows = programs.desktop_programs(settings, samples.SPLIT_PLACE)
        found = {row.name: row.runs_as for row in rows}
        assert found == {"xvnc": "xvnc", proxy: "gate", "wm": "desktop"}


def test_tls_files_are_read_where_the_gate_can() -> None:
    """Copies, when only root can read the given ones."""
    settings = samples.reading_of({"NOVNC_CERT": "/c.pem", "NOVNC_KEY": "/k.pem"}).settings
    assert programs.tls_files(settings, samples.PLACE) == ("/c.pem", "/k.pem")
    copied = dataclasses.replace(samples.PLACE, copies={"tls-key.pem": b"key"})
    assert programs.tls_files(settings, copied) == ("/c.pem", "/run/deskgate/tls-key.pem")
    assert b"key" not in repr(copied).encode()


def test_the_rfb_port_follows_the_display() -> None:
    """The original change fixed 5901 although the display could be set."""
    assert has(command_of("xvnc", {"DISPLAY": ":7"}), "-rfbport", "5907")
    assert has(command_of("xvnc", {"DISPLAY": ":7", "VNC_PORT": "5999"}), "-rfbport", "5999")


def test_the_target_is_where_xvnc_listens() -> None:
    """In the words of websockify's token file, which the gate reads as well."""
    for environ, target in (
        ({}, "127.0.0.1:5901"),
        ({"VNC_PORT": "5999"}, "127.0.0.1:5999"),
        ({"VNC_TRANSPORT": "unix"}, "unix_socket:/run/deskgate/rfb.sock"),
    ):
        settings = samples.reading_of(environ).settings
        assert programs.rfb_target(settings, samples.PLACE) == target


@pytest.mark.parametrize(
    ("direction", "accept", "send"),
    [("both", 1, 1), ("in", 1, 0), ("out", 0, 1), ("off", 0, 0)],
)
def test_the_clipboard_goes_the_ways_that_are_set(direction: str, accept: int, send: int) -> None:
    """Both selections, in each direction."""
    command = command_of("xvnc", {"VNC_CLIPBOARD": direction})
    wanted = (f"-AcceptCutText={accept}", f"-SendCutText={send}")
    assert has(command, *wanted, f"-SetPrimary={accept}", f"-SendPrimary={send}")


def test_settings_of_the_screen_reach_xvnc() -> None:
    """Size, depth, resolution, and the user's own arguments last, so that they win."""
    environ = {
        "VNC_GEOMETRY": "800x600",
        "VNC_DEPTH": "16",
        "VNC_DPI": "120",
        "XVNC_ARGS": "-FrameRate 30",
    }
    command = command_of("xvnc", environ)
    assert has(command, "-geometry", "800x600", "-depth", "16", "-dpi", "120")
    assert command[-2:] == ("-FrameRate", "30")


def test_python_children_are_immune_to_the_users_python_path() -> None:
    """Decision D1: -I, so that no file of the user's shadows our modules."""
    assert command_of("gate")[:4] == (samples.PLACE.python, "-I", "-m", "deskgate.gate")
    stock = command_of("websockify", {"NOVNC_PROXY": "websockify"})
    assert stock[:4] == (samples.PLACE.python, "-I", "-m", "websockify")


def test_stock_websockify_gets_the_same_token_file() -> None:
    """The differential test runs both against it."""
    stock = command_of("websockify", {"NOVNC_PROXY": "websockify", "NOVNC_LISTEN": "127.0.0.1"})
    assert has(stock, "--token-plugin", "TokenFile")
    assert has(stock, "--token-source", "/run/deskgate/websockify-tokens.conf")
    assert stock[-1] == "127.0.0.1:8002"


def test_stock_websockify_with_a_certificate_speaks_tls_only() -> None:
    """Plain http beside TLS would be a way around it."""
    environ = {"NOVNC_PROXY": "websockify", "NOVNC_CERT": "/c", "NOVNC_KEY": "/k"}
    assert has(command_of("websockify", environ), "--cert", "/c", "--key", "/k", "--ssl-only")


def test_the_window_manager_waits_for_x() -> None:
    """It would die at once without."""
    rows = programs.desktop_programs(samples.reading_of({}).settings, samples.PLACE)
    manager = next(row for row in rows if row.name == "wm")
    assert manager.command == ("jwm", "-f", "/run/deskgate/jwmrc")
    assert manager.needs == ("xvnc",)
    assert not manager.essential


def test_a_window_manager_of_ones_own_is_run_as_it_stands() -> None:
    """Only jwm gets our configuration."""
    place = dataclasses.replace(samples.PLACE, window_manager=("openbox", "--sm-disable"))
    assert programs.window_manager(place).command == ("openbox", "--sm-disable")


def test_xfce_has_a_session_bus() -> None:
    """A user without a name gets one from our file; the session itself is not told that library."""
    place = dataclasses.replace(samples.PLACE, window_manager=("xfce",))
    session = ("dbus-run-session", "--", "xfce4-session")
    assert programs.window_manager(place).command == session
    nameless = dataclasses.replace(place, copies={programs.NAMES_FILE: b"desktop:x:7:7::/:/bin/sh"})
    command = programs.window_manager(nameless).command
    assert command[:3] == (
        "env",
        "LD_PRELOAD=libnss_wrapper.so",
        "NSS_WRAPPER_PASSWD=/run/deskgate/passwd",
    )
    assert command[-5:] == (*session[:-1], "env", "--unset=LD_PRELOAD", session[-1])


def test_without_a_window_manager_none_runs() -> None:
    """DESKTOP=none."""
    place = dataclasses.replace(samples.PLACE, window_manager=())
    rows = programs.desktop_programs(samples.reading_of({}).settings, place)
    assert [row.name for row in rows] == ["xvnc", "gate"]


def test_without_a_desktop_nothing_runs() -> None:
    """ENABLE_VNC=false."""
    settings = samples.reading_of({"ENABLE_VNC": "no"}).settings
    assert programs.desktop_programs(settings, samples.PLACE) == ()


def test_hooks_follow_each_other_and_must_end_well() -> None:
    """Each runs once, as long as it likes; without them the container does not start."""
    first, second = programs.hooks(["10-init.sh", "20-more"])
    assert first == Program(
        name="start.d/10-init.sh",
        command=("/etc/deskgate/start.d/10-init.sh",),
        ready="exit",
        ready_seconds=0,
        essential=True,
        runs_as="",
        hook=True,
    )
    assert (second.name, second.needs) == ("start.d/20-more", ("start.d/10-init.sh",))
    assert programs.hooks([]) == ()


def test_a_need_with_a_colon_is_not_a_programs_name() -> None:
    """A port, a socket or a file: nobody is started for it."""
    row = Program(name="a", command=(), needs=("xvnc", "tcp:127.0.0.1:80", "file:/x"))
    assert row.named_needs == ("xvnc",)
