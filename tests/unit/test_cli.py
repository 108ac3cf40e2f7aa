"""The command line, as a process of its own: output, errors, exit statuses."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pexpect
import pytest

from deskgate import __version__, cli
from deskgate.arguments import Arguments
from deskgate.errors import Status, UsageError
from deskgate.usage import overview

from . import samples

SOURCES = Path(__file__).parents[2] / "entrypoint"


def deskgate(
    *words: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command with these variables alone."""
    clean = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SOURCES), **(environ or {})}
    command = [sys.executable, "-m", "deskgate", *words]
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)], ids=" ".join)
def test_help_is_an_answer(words: tuple[str, ...]) -> None:
    """On stdout, to be read through a pager."""
    done = deskgate(*words)
    assert (done.returncode, done.stdout, done.stderr) == (0, overview(), "")


@pytest.mark.parametrize(
    "words",
    [("token", "add", "--help"), ("help", "token", "add"), ("token", "add", "--name", "-h")],
    ids=" ".join,
)
def test_each_command_has_its_help(words: tuple[str, ...]) -> None:
    """Wherever the question stands."""
    done = deskgate(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: deskgate token add ")


def test_the_help_of_a_command_that_is_run_is_its_own() -> None:
    """`deskgate run -- ls --help`."""
    environ = {"ENABLE_VNC": "false"}
    done = deskgate("run", "--", "sh", "-c", 'echo "$1"', "sh", "--help", environ=environ)
    assert (done.returncode, done.stdout) == (0, "--help\n")
    assert deskgate("run", "--help").stdout.startswith("usage: deskgate run ")


def test_the_version_is_the_packages() -> None:
    """One place."""
    assert deskgate("--version").stdout == f"deskgate {__version__}\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "deskgate: error: deskgate: name a command: run, check,"),
        (("rnu",), "deskgate: error: deskgate: cannot use 'rnu'; did you mean run?"),
        (("check", "--jsno"), "deskgate: error: check: cannot use '--jsno'; did you mean --json?"),
        (("url", "--role", "king"), "deskgate: error: url: --role is one of: control, view"),
        (("run", "-it", "bash"), "deskgate: error: run: cannot use '-it': put -- before"),
        (("health", "now"), "deskgate: error: health: cannot use 'now'"),
        (("restart",), "deskgate: error: restart: name a program; deskgate status shows them"),
        (("logs", "-n", "5"), "deskgate: error: logs: cannot use '-n'"),
        (
            ("install", "--desktop", "gnome"),
            "deskgate: error: install: --desktop is one of: jwm, none, xfce",
        ),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_ends_with_64_and_one_line(words: tuple[str, ...], text: str) -> None:
    """It says what there is instead."""
    done = deskgate(*words)
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.startswith(text)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "run", "render"])
def test_bad_settings_end_with_78_and_a_line_each(command: str) -> None:
    """All at once, and no secret among them."""
    environ = {"VNC_GEOMETRY": "1280*800", "NOVNC_PORT": "80 02", "VNC_TOKEN": "hunter2:"}
    done = deskgate(command, environ=environ)
    assert done.returncode == 78
    assert done.stdout == ""
    assert [line.split(":")[2].strip() for line in done.stderr.splitlines()] == [
        "NOVNC_PORT",
        "VNC_GEOMETRY",
        "VNC_TOKEN",
    ]
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("command", ["url", "status", "restart xvnc", "logs", "health"])
def test_without_a_desktop_there_is_nothing_to_tell(command: str, tmp_path: Path) -> None:
    """69, with what to look at."""
    done = deskgate(*command.split(), environ={"DESKGATE_RUNTIME_DIR": str(tmp_path)})
    assert done.returncode == 69
    assert "cannot find a running desktop" in done.stderr


def test_nothing_to_run_is_a_wrong_command_line() -> None:
    """ENABLE_VNC=false without a command."""
    done = deskgate("run", environ={"ENABLE_VNC": "false"})
    assert done.returncode == 64
    assert "cannot run nothing" in done.stderr


def test_without_a_desktop_the_command_simply_runs() -> None:
    """Its own status, arguments and environment; our token removed."""
    script = "import os, sys; print(sys.argv[1:], sorted(os.environ)); sys.exit(7)"
    argv = ["a b", "100%", ";#", "Grüße"]
    environ = {"ENABLE_VNC": "false", "VNC_TOKEN": samples.GIVEN, "LC_ALL": "C.UTF-8"}
    done = deskgate("run", "--", sys.executable, "-c", script, *argv, environ=environ)
    names = ["ENABLE_VNC", "LC_ALL", "PATH", "PYTHONPATH"]
    assert (done.returncode, done.stdout) == (7, f"{argv} {names}\n")


def test_render_shows_every_file_and_no_secret() -> None:
    """Before anything starts."""
    environ = {"VNC_TOKEN": samples.GIVEN}
    done = deskgate("render", environ=environ)
    assert done.returncode == 0
    for name in ("supervisord.conf", "websockify-tokens.conf", "gate.json", "Xauthority"):
        assert f"==> /run/deskgate/{name} <==" in done.stdout
    assert "(hidden): 127.0.0.1:5901" in done.stdout
    assert samples.GIVEN not in done.stdout


def test_render_writes_into_a_folder(tmp_path: Path) -> None:
    """Private, like everything that we write."""
    done = deskgate("render", str(tmp_path / "out"))
    assert done.returncode == 0
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [
        "Xauthority",
        "gate.json",
        "jwmrc",
        "rfbauth",
        "supervisord.conf",
        "terminal.lock",
        "websockify-tokens.conf",
    ]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


def test_render_names_a_folder_that_it_cannot_write() -> None:
    """73."""
    done = deskgate("render", "/proc/nowhere")
    assert done.returncode == 73
    assert "cannot write /proc/nowhere" in done.stderr


@pytest.fixture
def desktop_tools(tmp_path: Path) -> str:
    """A PATH on which Xvnc and jwm are found; `check` only looks whether they are there."""
    for name in ("Xvnc", "jwm"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


def test_check_prints_every_setting_with_its_source(desktop_tools: str) -> None:
    """Secrets masked."""
    environ = {"PATH": desktop_tools, "VNC_TOKEN": samples.GIVEN, "RESOLUTION": "800x600"}
    done = deskgate("check", "--json", environ=environ)
    assert done.returncode == 0, done.stderr
    found = {
        row["name"]: (row["value"], row["source"]) for row in json.loads(done.stdout)["settings"]
    }
    assert found["VNC_TOKEN"] == ("(hidden)", "VNC_TOKEN")
    assert found["VNC_GEOMETRY"] == ("800x600", "RESOLUTION")
    assert found["DISPLAY"] == (":1", "default")
    assert found["ENABLE_VNC"] == ("true", "default")
    assert found["PUID"] == ("(unset)", "default")
    text = deskgate("check", environ=environ)
    assert text.stdout.startswith("desktop\n  ENABLE_VNC")
    assert samples.GIVEN not in text.stdout


def test_check_lets_stand_out_what_somebody_has_set(desktop_tools: str) -> None:
    """On a terminal, where sections have a head in bold; the columns stay where they are."""
    environ = {"PATH": desktop_tools, "VNC_DPI": "120", "PYTHONPATH": str(SOURCES)}
    plain = deskgate("check", environ=environ).stdout
    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable,
        ["-m", "deskgate", "check"],
        env={**environ, "TERM": "xterm"},
        encoding="utf-8",
    )
    child.expect(pexpect.EOF)
    child.close()
    shown = (child.before or "").replace("\r\n", "\n")
    assert re.sub(r"\x1b\[\d+m", "", shown) == plain
    assert "\x1b[1mdesktop\x1b[0m\n" in shown
    assert re.findall(r"(\w+) +\x1b\[32m(\S+)\x1b\[0m", shown) == [("VNC_DPI", "120")]


def test_check_warns_of_what_it_does_not_know(desktop_tools: str) -> None:
    """On stderr, so that the output stays a table."""
    done = deskgate("check", environ={"PATH": desktop_tools, "NOVNC_PROT": "1"})
    assert done.returncode == 0
    assert done.stderr == (
        "deskgate: warning: NOVNC_PROT is not a setting of deskgate; did you mean NOVNC_PORT?\n"
    )


def test_check_hints_at_names_of_other_images(desktop_tools: str) -> None:
    """In the text and in the JSON; `run` is quiet about those that protect nothing."""
    environ = {"PATH": desktop_tools, "WEB_LISTENING_PORT": "5800"}
    hint = "WEB_LISTENING_PORT is not used: set NOVNC_PORT; 5800 there "
    hint += "(a name of jlesage/docker-baseimage-gui)"
    assert deskgate("check", environ=environ).stderr == f"deskgate: hint: {hint}\n"
    assert json.loads(deskgate("check", "--json", environ=environ).stdout)["hints"] == [hint]
    assert "hint" not in deskgate("run", environ={**environ, "DESKTOP": "nowhere"}).stderr


@pytest.mark.parametrize(
    ("environ", "status", "text"),
    [
        ({"PATH": "/nowhere"}, 66, "Xvnc: cannot find it"),
        ({"NOVNC_WEB": "/nowhere"}, 66, "NOVNC_WEB: cannot read /nowhere/vnc.html"),
        ({"NOVNC_CERT": "/nowhere", "NOVNC_KEY": "/nowhere"}, 66, "NOVNC_CERT: cannot read"),
        (
            {"DESKTOP": "openbox"},
            78,
            'DESKTOP: cannot use "openbox": not found; installed here: jwm',
        ),
        ({"VNC_TOKENS_FILE": "/nowhere"}, 78, "VNC_TOKENS_FILE: cannot use"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_what_is_missing_is_named(
    desktop_tools: str, environ: dict[str, str], status: int, text: str
) -> None:
    """With what to do about it, by `check` as by `run`."""
    for command in ("check", "run"):
        done = deskgate(command, environ={"PATH": desktop_tools, **environ})
        assert done.returncode == status
        assert text in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_bug_of_ours_is_one_line_without_a_value() -> None:
    """70; the traceback, which may hold values, only on request."""
    code = (
        "import sys; from deskgate import cli; "
        "cli.COMMANDS['health'] = lambda words: {}['hunter2']; sys.exit(cli.main(['health']))"
    )
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 70
    assert done.stderr == (
        "deskgate: error: this is a bug of ours (KeyError); DESKGATE_DEBUG=1 shows it\n"
    )
    environ["DESKGATE_DEBUG"] = "1"
    shown = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert shown.returncode == 70
    assert "Traceback" in shown.stderr


def test_debugging_changes_no_exit_status() -> None:
    """What a script goes by stays the same."""
    done = deskgate("run", environ={"VNC_GEOMETRY": "big", "DESKGATE_DEBUG": "1"})
    assert done.returncode == 78
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("deskgate: error: VNC_GEOMETRY: ")


def test_without_a_desktop_there_is_nothing_ill(tmp_path: Path) -> None:
    """`ENABLE_VNC=false` with the image's HEALTHCHECK: not unhealthy for ever."""
    environ = {"ENABLE_VNC": "false", "DESKGATE_RUNTIME_DIR": str(tmp_path)}
    assert deskgate("health", environ=environ).returncode == 0
    del environ["ENABLE_VNC"]
    assert deskgate("health", environ=environ).returncode == 69


def test_options_are_taken_in_both_forms() -> None:
    """`--role view` and `--role=view`."""
    for words in (["--role", "view"], ["--role=view"]):
        arguments = Arguments("url", words)
        assert arguments.choice("--role", "control", "view") == "view"
        arguments.end()
    with pytest.raises(UsageError):
        Arguments("url", ["--role"]).choice("--role", "control", "view")


def test_a_reader_who_leaves_early_is_no_traceback() -> None:
    """`deskgate render | head -1`."""
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SOURCES)}
    line = f"{sys.executable} -m deskgate --help | true"
    done = subprocess.run(["sh", "-c", line], env=environ, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_what_a_limit_denies_is_no_bug_of_ours(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One process allowed: the line says which limit to raise."""

    def refused(words: Sequence[str]) -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setitem(cli.COMMANDS, "health", refused)
    assert cli.main(["health"]) == Status.UNAVAILABLE
    assert capfd.readouterr().err == (
        "deskgate: error: deskgate: cannot go on: "
        "no more processes are allowed here: raise --pids-limit, or --ulimit nproc\n"
    )
