"""Bad input: one clear line each, status 78, and nothing was started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeDesk
from tests.container.engine import docker

CONFIG_STATUS = 78  # sysexits.h, EX_CONFIG
SECRET = "s3cret-that-nobody-may-see-00000"
INJECTION = "\n[program:evil]\ncommand=id"

# id → the environment, and the setting that its one line names.
INVALID = {
    "geometry-star": ({"VNC_GEOMETRY": "1280*800"}, "VNC_GEOMETRY"),
    "geometry-zero": ({"VNC_GEOMETRY": "0x0"}, "VNC_GEOMETRY"),
    "geometry-exponent": ({"VNC_GEOMETRY": "1e9x1"}, "VNC_GEOMETRY"),
    "geometry-newline": ({"VNC_GEOMETRY": "1280x800" + INJECTION}, "VNC_GEOMETRY"),
    "geometry-by-alias": ({"RESOLUTION": "1280*800"}, "RESOLUTION"),
    "port-with-space": ({"NOVNC_PORT": "80 02"}, "NOVNC_PORT"),
    "port-too-high": ({"NOVNC_PORT": "70000"}, "NOVNC_PORT"),
    "port-is-xvncs": ({"NOVNC_PORT": "5901"}, "NOVNC_PORT"),
    "display-without-colon": ({"DISPLAY": "1"}, "DISPLAY"),
    "xvnc-args-newline": ({"XVNC_ARGS": "-dpi 96" + INJECTION}, "XVNC_ARGS"),
    "desktop-newline": ({"DESKTOP": "jwm" + INJECTION}, "DESKTOP"),
    "public-url-newline": ({"PUBLIC_URL": "http://desk" + INJECTION}, "PUBLIC_URL"),
    "public-url-script": ({"PUBLIC_URL": "javascript:alert(1)"}, "PUBLIC_URL"),
    "token-newline": ({"VNC_TOKEN": SECRET + INJECTION}, "VNC_TOKEN"),
    "token-colon": ({"VNC_TOKEN": SECRET + ":5901"}, "VNC_TOKEN"),
    "token-short": ({"VNC_TOKEN": SECRET[:31]}, "VNC_TOKEN"),
    "token-guessable": ({"VNC_TOKEN": "a" * 64}, "VNC_TOKEN"),
    "token-by-alias": ({"SESSION_API_KEY": SECRET + ":"}, "SESSION_API_KEY"),
    "value-and-file": ({"VNC_TOKEN": SECRET, "VNC_TOKEN_FILE": "/mnt/good"}, "VNC_TOKEN"),
    "file-missing": ({"VNC_TOKEN_FILE": "/mnt/missing"}, "VNC_TOKEN_FILE"),
    "file-empty": ({"VNC_TOKEN_FILE": "/mnt/empty"}, "VNC_TOKEN_FILE"),
    "file-is-a-folder": ({"VNC_TOKEN_FILE": "/mnt"}, "VNC_TOKEN_FILE"),
    "file-of-two-lines": ({"VNC_TOKEN_FILE": "/mnt/two"}, "VNC_TOKEN_FILE"),
    "file-of-somebody-else": ({"VNC_TOKEN_FILE": "/mnt/private"}, "VNC_TOKEN_FILE"),
    "file-is-a-fifo": ({"VNC_TOKEN_FILE": "/mnt/fifo"}, "VNC_TOKEN_FILE"),
    "same-token-twice": ({"VNC_TOKEN": SECRET, "VNC_VIEW_TOKEN": SECRET}, "VNC_VIEW_TOKEN"),
    "open-to-everybody": ({"VNC_AUTH": "none"}, "VNC_AUTH"),
    "unknown-window-manager": ({"DESKTOP": "no-such-manager"}, "DESKTOP"),
    "puid-without-root": ({"PUID": "1234"}, "PUID"),
}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secret files, good and bad."""
    import os

    folder = tmp_path_factory.mktemp("secrets")
    folder.chmod(0o755)
    (folder / "good").write_text(SECRET + "\n")
    (folder / "empty").write_text("")
    (folder / "two").write_text(f"{SECRET}\n{SECRET}\n")
    (folder / "private").write_text(SECRET)
    (folder / "private").chmod(0o600)  # ours, and the image runs as another user
    os.mkfifo(folder / "fifo", 0o644)
    return folder


def traces(name: str) -> list[str]:
    """What a container wrote of a desktop: runtime files, X's lock and socket."""
    changed = docker("diff", name).out.splitlines()
    return [line for line in changed if any(word in line for word in ("/run/", "/tmp/", "X11"))]


@pytest.mark.parametrize("case", INVALID)
def test_bad_setting_is_one_line_and_starts_nothing(
    make_desk: MakeDesk, secrets: Path, case: str
) -> None:
    """The line names the setting, never shows a secret, and no program was started."""
    env, name = INVALID[case]
    desk = make_desk(
        env=env,
        options=("-v", f"{secrets}:/mnt:ro"),
        command=("touch", "/tmp/the-command-ran"),
        secrets=[SECRET, SECRET[:31]],
    )
    desk.allow(rf"^deskgate: error: {name}: ")
    result = desk.run(timeout_seconds=10)
    assert (result.status, result.out) == (CONFIG_STATUS, "")
    lines = result.err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"deskgate: error: {name}: ")
    assert SECRET[:31] not in result.err
    assert traces(desk.name) == []


def test_good_settings_start_the_desktop_and_leave_traces(
    make_desk: MakeDesk, secrets: Path
) -> None:
    """Positive control of all cases above: the traces that they do not have."""
    env = {"VNC_GEOMETRY": "640x480", "VNC_TOKEN_FILE": "/mnt/good", "NOVNC_PORT": "8002"}
    desk = make_desk(
        env=env, options=("-v", f"{secrets}:/mnt:ro"), command=("touch", "/tmp/the-command-ran")
    )
    assert desk.run().status == 0
    found = "\n".join(traces(desk.name))
    assert "/tmp/the-command-ran" in found
    assert "/run/deskgate/supervisord.conf" in found


def test_three_mistakes_are_three_lines_at_once(make_desk: MakeDesk) -> None:
    """All problems are reported together, sorted by name."""
    env = {"VNC_TOKEN": "short", "NOVNC_PORT": "80 02", "VNC_GEOMETRY": "1280*800"}
    desk = make_desk(env=env)
    desk.allow("^deskgate: error: (NOVNC_PORT|VNC_GEOMETRY|VNC_TOKEN): ")
    result = desk.run()
    names = [line.split(": ")[2] for line in result.err.splitlines()]
    assert (result.status, names) == (CONFIG_STATUS, ["NOVNC_PORT", "VNC_GEOMETRY", "VNC_TOKEN"])
    assert traces(desk.name) == []


@pytest.mark.parametrize("env", [{"VNC_GEOMETRY": ""}, {"VNC_TOKEN": "", "VNC_TOKEN_FILE": ""}])
def test_e13_empty_means_unset(make_desk: MakeDesk, env: dict[str, str]) -> None:
    """An empty variable, as compose files make them, is no mistake."""
    assert make_desk(env=env, command=("true",)).run().status == 0


def test_e15_near_miss_is_warned_about(make_desk: MakeDesk) -> None:
    """A misspelt name starts the desktop, and says what was probably meant; never the value."""
    desk = make_desk(env={"VNC_TOKNE": SECRET}, command=("true",), secrets=[SECRET])
    desk.allow("^deskgate: warning: VNC_TOKNE .* did you mean VNC_TOKEN")
    result = desk.run()
    assert result.status == 0
    assert "did you mean VNC_TOKEN?" in result.err


@pytest.mark.parametrize(
    ("words", "status"),
    [(("--no-such-option",), 64), (("--", "true"), 0)],
)
def test_wrong_command_line_is_64(make_desk: MakeDesk, words: tuple[str, ...], status: int) -> None:
    """`deskgate run` refuses options that it does not know."""
    desk = make_desk(options=("--entrypoint", "deskgate"), command=("run", *words))
    desk.allow("^deskgate: error: run: ")
    assert desk.run().status == status


def test_no_place_for_the_runtime_folder_is_73(make_desk: MakeDesk) -> None:
    """A read-only root without a tmpfs: the line names the folders that were tried."""
    desk = make_desk(options=("--read-only",), command=("true",))
    desk.allow("^deskgate: error: runtime folder: ")
    result = desk.run()
    assert result.status == 73
    assert "/run/deskgate" in result.err
    assert "--tmpfs" in result.err


def test_missing_novnc_folder_is_66(make_desk: MakeDesk) -> None:
    """A named file that is missing has its own status."""
    desk = make_desk(env={"NOVNC_WEB": "/no/such/folder"}, command=("true",))
    desk.allow("^deskgate: error: NOVNC_WEB: ")
    assert desk.run().status == 66
