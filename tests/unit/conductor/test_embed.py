"""supervisor's parser and programs as we use them; what they must be like is in test_pins.py."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from supervisor import states

from deskgate.conductor import embed
from deskgate.conductor.embed import Options, Process, ProgramConfig, load
from deskgate.conductor.log import Log
from deskgate.errors import InternalError
from deskgate.users import User

from .test_foreground import settable

NO_PROGRAMS = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={folder}/pid
childlogdir={folder}
"""
CONFIG = f"""\
{NO_PROGRAMS}
[program:echo]
command={{command}}
needs=a b
ready=stdout
ready_seconds=5
essential=true
startsecs=0
autorestart=false
stdout_logfile=NONE
stderr_logfile=NONE
stopasgroup=true
killasgroup=true
"""


def make_options(lines: list[tuple[str, str]], users: Mapping[str, User] | None = None) -> Options:
    """Options that collect the lines of programs."""

    def output(process: Process, line: str) -> None:
        lines.append((process.name, line))

    log = Log(level="error", form="text", secrets=[])
    return Options(log, on_output=output, on_error=output, users=users)


def loaded(
    tmp_path: Path, command: str, argv: list[str], users: Mapping[str, User] | None = None
) -> tuple[Options, list[tuple[str, str]]]:
    """Options that have read CONFIG with this command."""
    lines: list[tuple[str, str]] = []
    path = tmp_path / "supervisord.conf"
    path.write_text(CONFIG.format(folder=tmp_path, command=command))
    made = make_options(lines, users)
    load(str(path), made, {"echo": argv})
    return made, lines


def test_our_keys_are_read_and_supervisors_own_parser_ignores_them(tmp_path: Path) -> None:
    """One file for both."""
    made, _ = loaded(tmp_path, "echo hello", ["echo", "hello"])
    ((config,),) = ([*group.process_configs] for group in made.process_group_configs)
    assert isinstance(config, ProgramConfig)
    assert (config.needs, config.ready, config.ready_seconds) == (("a", "b"), "stdout", 5.0)
    assert (config.essential, config.chatty, config.reads_secret) == (True, False, False)


def test_a_file_that_reads_back_differently_is_our_bug(tmp_path: Path) -> None:
    """Rendering is checked by the one who parses."""
    with pytest.raises(InternalError, match="echo reads back differently"):
        loaded(tmp_path, "echo hello", ["echo", "hello!"])


def test_programs_that_come_or_go_unseen_are_our_bug(tmp_path: Path) -> None:
    """A drop-in's command is its file's alone, but not which programs there are."""
    path = tmp_path / "supervisord.conf"
    path.write_text(CONFIG.format(folder=tmp_path, command="echo hello"))
    load(str(path), make_options([]), {"echo": None})
    for expected in ({}, {"echo": None, "other": None}):
        with pytest.raises(InternalError, match=r"(echo|other) reads back differently"):
            load(str(path), make_options([]), expected)


def test_a_file_that_cannot_be_read_shows_no_value(tmp_path: Path) -> None:
    """supervisor's own text holds the value and the name of every variable."""
    with pytest.raises(InternalError) as error:
        loaded(tmp_path, "%(ENV_HUNTER2)s", [])
    assert "HUNTER2" not in str(error.value)


def spawn(made: Options) -> Process:
    """Start the one program."""
    ((config,),) = ([*group.process_configs] for group in made.process_group_configs)
    program: Process = config.make_process()
    program.spawn()
    return program


def finish(program: Process) -> int:
    """Wait for its end and collect what it wrote; returns the wait status."""
    pid, status = os.waitpid(program.pid, 0)
    program.finish(pid, status)
    return status


def test_a_program_runs_in_its_group_with_default_signals_and_no_additions(tmp_path: Path) -> None:
    """No ignored SIGPIPE, no SUPERVISOR_ variables, and its output cut into lines."""
    script = tmp_path / "show"
    script.write_text(
        "#!/bin/sh\ngrep SigIgn /proc/self/status\nenv | grep -c SUPERVISOR_\nprintf end"
    )
    script.chmod(0o755)
    made, lines = loaded(tmp_path, str(script), [str(script)])
    program = spawn(made)
    assert os.getpgid(program.pid) == program.pid
    finish(program)
    (_, ignored), *rest = lines
    assert settable(ignored.split()[1]) == 0
    assert rest == [("echo", "0"), ("echo", "end")]


def test_a_stop_right_after_the_spawn_is_not_lost(tmp_path: Path) -> None:
    """In supervisor itself it meets its own handler in the child, and waits for SIGKILL."""
    for _ in range(20):
        made, _ = loaded(tmp_path, "sleep 60", ["sleep", "60"])
        program = spawn(made)
        program.stop()
        status = finish(program)
        assert os.WTERMSIG(status) == signal.SIGTERM
        assert program.state == states.ProcessStates.STOPPED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts programs as others")
def test_c7_a_program_runs_as_its_own_user_also_without_a_line_in_passwd(tmp_path: Path) -> None:
    """supervisor's own `user=` knows only who stands there."""
    command = ["sh", "-c", "id -u; id -g; id -G"]
    users = {"echo": User(4321, 4322, (4323,))}
    made, lines = loaded(tmp_path, "sh -c 'id -u; id -g; id -G'", command, users)
    finish(spawn(made))
    assert [line for _, line in lines] == ["4321", "4322", "4322 4323"]


def test_a_program_that_may_not_be_its_user_never_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As anybody else it would reach what it must not."""

    def refuse(user: User) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(embed, "become", refuse)
    made, lines = loaded(tmp_path, "echo hello", ["echo", "hello"], {"echo": User(4321, 4321)})
    assert finish(spawn(made)) != 0
    assert "hello" not in [line for _, line in lines]


def test_a_fork_that_fails_leaves_us_hearing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit of pids supervisor goes on; with its signals blocked PID 1 would be deaf."""

    def no_fork() -> int:
        raise OSError(errno.EAGAIN, "no more processes")

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    made, _ = loaded(tmp_path, "true", ["true"])
    monkeypatch.setattr(os, "fork", no_fork)
    program = spawn(made)
    assert program.pid == 0
    assert program.dispatchers == {}, "closed pipes, which poll(2) would report for ever"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_program_that_is_not_there_is_no_process(tmp_path: Path) -> None:
    """spawn() says why instead of raising."""
    made, _ = loaded(tmp_path, "/no/such/program", ["/no/such/program"])
    program = spawn(made)
    assert program.pid == 0
    assert "can't find command" in str(program.spawnerr)


def test_the_tail_keeps_the_last_lines_that_say_something(tmp_path: Path) -> None:
    """Shown when a chatty program dies."""
    made, _ = loaded(tmp_path, "true", ["true"])
    ((config,),) = ([*group.process_configs] for group in made.process_group_configs)
    program: Process = config.make_process()
    for number in range(30):
        program.keep_tail(f"line {number}")
        program.keep_tail("  ")
    assert len(program.tail) == 20
    assert program.tail[-1] == "line 29"


def test_a_program_that_may_not_be_killed_is_no_end_of_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It became root by sudo, say: supervisor would call it UNKNOWN, and fail at its end."""

    def refuse(pid: int, sig: int) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    made, _ = loaded(tmp_path, "sleep 60", ["sleep", "60"])
    program = spawn(made)
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", refuse)
        program.stop()
        program.kill(signal.SIGKILL)
    assert program.state == states.ProcessStates.STOPPING
    os.killpg(program.pid, signal.SIGKILL)
    finish(program)
    assert program.state == states.ProcessStates.STOPPED
