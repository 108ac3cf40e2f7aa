"""Sections of supervisord.conf: our keys, and the faults of a drop-in that nobody foresaw."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskgate.conductor.embed import ProgramConfig
from deskgate.errors import DeskgateError, InternalError, SettingsError

from .test_embed import NO_PROGRAMS, make_options


def read(folder: Path, text: str) -> ProgramConfig:
    """The program of a drop-in, as the conductor reads it."""
    (folder / "programs.d").mkdir()
    (folder / "programs.d" / "a.conf").write_text(text)
    main = folder / "supervisord.conf"
    main.write_text(f"{NO_PROGRAMS.format(folder=folder)}[include]\nfiles=programs.d/*.conf\n")
    options = make_options([])
    options.realize(["-c", str(main), "-n"])
    ((config,),) = ([*group.process_configs] for group in options.process_group_configs)
    assert isinstance(config, ProgramConfig)
    return config


def test_our_keys_know_the_names_that_supervisords_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port from the environment, a path beside the file."""
    monkeypatch.setenv("PORT", "5432")
    keys = "needs=a, b\n file:%(here)s/made\nready=tcp:localhost:%(ENV_PORT)s\nready_seconds=60\n"
    config = read(tmp_path, f"[program:db]\ncommand=x\n{keys}essential=Yes\nchatty=1\nlive=\n")
    assert config.needs == ("a", "b", f"file:{tmp_path}/programs.d/made")
    assert (config.ready, config.ready_seconds) == ("tcp:localhost:5432", 60.0)
    assert (config.essential, config.chatty, config.reads_secret) == (True, True, False)
    assert (config.name, config.hook, config.restarts) == ("db", False, "unexpected")


def test_a_plain_section_of_supervisords_is_a_whole_program(tmp_path: Path) -> None:
    """Its grandchildren go with it, and nothing is written to a file of its own."""
    config = read(tmp_path, "[program:p]\ncommand=x\nstartsecs=5\nstdout_logfile=/no/such/x\n")
    assert (config.needs, config.ready, config.ready_seconds) == ((), "spawn", 30.0)
    assert (config.stopasgroup, config.killasgroup) == (True, True)
    assert (config.startsecs, config.stdout_logfile, config.stderr_logfile) == (0, None, None)


@pytest.mark.parametrize(
    ("keys", "stop", "kill"),
    [
        ("stopasgroup=false", False, False),
        ("killasgroup=false", False, False),
        ("stopasgroup=false\nkillasgroup=true", False, True),
    ],
)
def test_who_wants_its_grandchildren_left_alone_says_so(
    tmp_path: Path, keys: str, stop: bool, kill: bool
) -> None:
    """In supervisord's words; it refuses to stop more than it kills."""
    config = read(tmp_path, f"[program:p]\ncommand=x\n{keys}\n")
    assert (config.stopasgroup, config.killasgroup) == (stop, kill)


def test_a_task_that_runs_once_may_take_its_time(tmp_path: Path) -> None:
    """Unless it is given a limit."""
    config = read(tmp_path, "[program:p]\ncommand=x\nready=exit\nautorestart=false\n")
    assert (config.ready_seconds, config.restarts) == (0.0, "never")


def test_a_hook_has_the_name_of_its_file(tmp_path: Path) -> None:
    """Which holds a slash, and supervisord takes none."""
    config = read(tmp_path, "[program:start.d-1]\ncommand=x\nhook=start.d/1\n")
    assert (config.name, config.hook) == ("start.d/1", True)


FAULTS = {
    "a number": ("[program:p]\ncommand=x\nstopwaitsecs=hunter2\n", "p: supervisord cannot read it"),
    "a name": ("[program:p]\ncommand=/x '/y %(ENV_HUNTER2)s'\n", "p: supervisord cannot read it"),
    "a line": ("[program:p]\nhunter2\n", "supervisord cannot read it"),
    "a section": ("hunter2=1\n", "supervisord cannot read it"),
}


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_that_only_supervisord_finds_names_the_file_and_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    """Its own text holds the value, and the names of all variables."""
    monkeypatch.setenv("HUNTER2_OF_ANOTHER", "x")
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text)
    (line,) = error.value.lines
    assert line == f"programs.d/a.conf: {said}; look at its values"
    assert "hunter2" not in line.lower()


def test_a_fault_of_our_own_file_is_our_bug(tmp_path: Path) -> None:
    """Nobody else can mend it."""
    main = tmp_path / "supervisord.conf"
    main.write_text(f"{NO_PROGRAMS.format(folder=tmp_path)}[program:p]\ncommand=%(ENV_HUNTER2)s\n")
    with pytest.raises(DeskgateError) as error:
        make_options([]).realize(["-c", str(main), "-n"])
    assert isinstance(error.value, InternalError)
    assert "HUNTER2" not in str(error.value)
