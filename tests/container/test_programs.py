"""Programs and hooks of an image's owner: by need and readiness, refused by name, given up."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import MakeDesk
from tests.container.engine import wait_until
from tests.container.inside import processes
from tests.container.test_bad_settings import CONFIG_STATUS, SECRET, traces

UNAVAILABLE = 69  # sysexits.h, EX_UNAVAILABLE


def added(
    folder: Path, programs: Mapping[str, str] | None = None, hooks: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Options that put these files below /etc/deskgate.

    Args:
        programs: name without its ending → text.
        hooks: name → shell script.
    """
    folder.chmod(0o755)
    for name, files, ending in (("programs.d", programs, ".conf"), ("start.d", hooks, "")):
        (folder / name).mkdir()
        for file, text in (files or {}).items():
            path = folder / name / f"{file}{ending}"
            path.write_text(text if ending else f"#!/bin/sh\n{text}\n")
            path.chmod(0o644 if ending else 0o755)
    return ("-v", f"{folder}:/etc/deskgate:ro")


def told(log: str, name: str) -> list[str]:
    """What PID 1 tells of a program."""
    return re.findall(rf"^deskgate: (\w+: {re.escape(name)}: .*)$", log, re.MULTILINE)


def sequence(log: str, *names: str) -> list[str]:
    """The lines of programs, in their order."""
    return re.findall(rf"^((?:{'|'.join(names)}): .*)$", log, re.MULTILINE)


def test_programs_start_by_need_and_readiness(make_desk: MakeDesk, tmp_path: Path) -> None:
    """A chain through both files, a port, a file, and our own programs."""
    serve = "python3 -c \\\"import socket; s = socket.create_server(('127.0.0.1', 7000)); "
    serve += 's.accept(); s.accept(); input()\\"'
    programs = {
        "a": '[program:last]\ncommand=sh -c "echo last; exec sleep 1000"\nneeds=middle wm\n'
        "essential=true\nready=stdout\n"
        '[program:middle]\ncommand=sh -c "echo middle; touch /tmp/made; exec sleep 1000"\n'
        "needs=first, tcp:127.0.0.1:7000\nready=file:/tmp/made\n",
        "b": f'[program:first]\ncommand=sh -c "echo first; sleep 0.3; {serve}"\n'
        "needs=gate\nready=tcp:localhost:7000\n",
    }
    desk = make_desk(options=added(tmp_path, programs)).start()
    assert sequence(desk.log, "first", "middle", "last") == [
        "first: first",
        "middle: middle",
        "last: last",
    ]
    rows = desk.status()
    assert {rows[name]["state"] for name in ("first", "middle", "last", "wm", "gate")} == {"ready"}
    assert desk.stop() < 2
    assert desk.exit_status() == 0


BAD = {
    "circle": (
        "[program:a]\ncommand=true\nneeds=b\n[program:b]\ncommand=true\nneeds=a xvnc\n",
        "programs need each other in a circle: a → b → a",
    ),
    "unknown need": (
        "[program:panel]\ncommand=true\nneeds=xvcn\n",
        'panel: cannot need "xvcn": there is no such program; did you mean xvnc?',
    ),
    "variable with a token": (
        "[program:a]\ncommand=echo %(ENV_VNC_TOKEN)s\n",
        "a: command: cannot use it: there is no %(ENV_VNC_TOKEN)s here, or it holds a secret",
    ),
    "another user": (
        "[program:a]\ncommand=true\nuser=root\n",
        'a: user: cannot use "root": programs run as uid 10001',
    ),
    "one of ours": ("[program:xvnc]\nuser=root\n", 'section "program:xvnc": cannot be used here'),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_drop_in_is_refused_before_anything_starts(
    make_desk: MakeDesk, tmp_path: Path, text: str, said: str
) -> None:
    """By its file and name, with the status of a bad setting; hooks have not run either."""
    options = added(tmp_path, {"a": text}, {"10": "touch /tmp/hook"})
    desk = make_desk(env={"VNC_TOKEN": SECRET}, options=options, command=("touch", "/tmp/ran"))
    desk.allow("^deskgate: error: programs.d/a.conf: ")
    result = desk.run()
    assert (result.status, len(result.err.splitlines())) == (CONFIG_STATUS, 1), result.err
    assert result.err.startswith(f"deskgate: error: programs.d/a.conf: {said}")
    assert traces(desk.name) == []


def test_check_and_render_show_what_was_added(make_desk: MakeDesk, tmp_path: Path) -> None:
    """Each program with its file and needs; all problems at once when there are any."""
    options = added(
        tmp_path, {"a": "[program:p]\ncommand=true\nneeds=xvnc, file:/x\n"}, {"10": "true"}
    )
    script = "deskgate check; deskgate render"
    shown = make_desk(options=(*options, "--entrypoint", "sh"), command=("-c", script)).run()
    assert "\n  p  " in shown.out
    (line,) = (line.split() for line in shown.out.splitlines() if line.startswith("  p "))
    assert line == ["p", "programs.d/a.conf", "needs", "xvnc,", "file:/x"]
    assert "\n  start.d/10 " in shown.out
    assert "\nfiles=/etc/deskgate/programs.d/a.conf\n" in shown.out
    (tmp_path / "programs.d" / "b.conf").write_text("[program:p]\nneeds=q\n[program:r]\n")
    desk = make_desk(options=(*options, "--entrypoint", "deskgate"), command=("check",))
    desk.allow("^deskgate: error: programs.d/b.conf: ")
    result = desk.run()
    assert (result.status, len(result.err.splitlines())) == (CONFIG_STATUS, 2)


def test_what_runs_once_is_waited_for_and_not_started_again(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    """ready=exit: it is ready when it has ended well."""
    text = '[program:once]\ncommand=sh -c "sleep 0.3; echo once"\nready=exit\nneeds=xvnc\n'
    text += '[program:next]\ncommand=sh -c "echo next; exec sleep 1000"\nneeds=once\n'
    text += "ready=stdout\nessential=true\n"
    desk = make_desk(options=added(tmp_path, {"a": text})).start()
    assert sequence(desk.log, "once", "next") == ["once: once", "next: next"]
    row = desk.status()["once"]
    assert (row["state"], row["restarts"], row["last_exit"]) == ("done", 0, "status 0")
    assert desk.exec("deskgate", "health").status == 0


def test_an_essential_program_that_cannot_live_ends_the_container(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    """With 69 and one line that says why; the command has not begun."""
    text = '[program:app]\ncommand=sh -c "echo no licence; exit 5"\nready=tcp:127.0.0.1:7000\n'
    options = added(tmp_path, {"a": f"{text}essential=true\nneeds=xvnc\n"})
    desk = make_desk(options=options, command=("touch", "/tmp/ran"))
    desk.allow("^deskgate: (warning|error): app: ended with status 5")
    result = desk.run(timeout_seconds=30)
    assert result.status == UNAVAILABLE
    errors = [line for line in told(result.err, "app") if line.startswith("error: ")]
    assert errors == ["error: app: ended with status 5, again and again; stopping"]
    assert not any(line.endswith("/tmp/ran") for line in traces(desk.name))


def test_f13_a_program_that_cannot_live_is_given_up_after_growing_pauses(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    """One line a try; it stays down, and status and health show it, while the desktop goes on."""
    text = "[program:bad]\ncommand=python3 -c \"raise SystemExit('no')\"\nready=stdout\n"
    desk = make_desk(
        options=(*added(tmp_path, {"a": text}), "--no-healthcheck"), command=("sleep", "1000")
    ).start()
    desk.allow("^deskgate: warning: bad: ended with status 1")
    wait_until(lambda: desk.status()["bad"]["state"] == "failed", 10)
    assert told(desk.log, "bad") == [
        "warning: bad: ended with status 1; starting it again now",
        "warning: bad: ended with status 1; starting it again in 0.5 s",
        "warning: bad: ended with status 1, again and again; it stays down",
    ]
    assert desk.status()["bad"]["restarts"] == 2
    health = desk.exec("deskgate", "health")
    assert (health.status, health.err) == (
        UNAVAILABLE,
        "deskgate: error: health: bad cannot live; the log says why\n",
    )
    assert desk.status()["xvnc"]["state"] == "ready"
    assert desk.stop() < 2


def test_f13_a_crash_loop_has_one_line_a_try_and_growing_pauses(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    """Of one that was up for a moment: it gets more tries, and the command is not disturbed."""
    text = '[program:loop]\ncommand=sh -c "sleep 0.1; exit 3"\n'
    desk = make_desk(options=added(tmp_path, {"a": text})).start()
    desk.allow("^deskgate: warning: loop: ended with status 3")
    wait_until(lambda: len(told(desk.log, "loop")) >= 4, 10)
    assert [line.rpartition("again ")[2] for line in told(desk.log, "loop")[:4]] == [
        "now",
        "in 0.5 s",
        "in 1 s",
        "in 2 s",
    ]
    assert desk.status()["loop"]["restarts"] >= 3
    assert desk.stop() < 2
    assert desk.exit_status() == 0


def test_programs_that_are_down_on_purpose_are_healthy(make_desk: MakeDesk, tmp_path: Path) -> None:
    """autostart=false, and an end that supervisord would expect."""
    text = "[program:asleep]\ncommand=sleep 1000\nautostart=false\n"
    text += "[program:brief]\ncommand=sleep 0.1\n"
    desk = make_desk(options=added(tmp_path, {"a": text})).start()
    wait_until(lambda: desk.status()["brief"]["state"] == "done", 5)
    assert desk.status()["asleep"]["state"] == "down"
    assert told(desk.log, "brief") == ["info: brief: ended with status 0; it stays down"]
    assert desk.exec("deskgate", "health").status == 0


HOOKS = {
    "B": "echo second; id -u; echo $DISPLAY",
    "10-first": 'read x; echo first "$?"; sleep 0.3; test -e /tmp/.X11-unix/X1 || echo early',
    "c": "touch /tmp/by-a-hook",
}


def test_hooks_run_in_order_before_everything(make_desk: MakeDesk, tmp_path: Path) -> None:
    """Each named as it begins, its output under its name, its input at its end."""
    options = added(tmp_path, {"a": "[program:p]\ncommand=sleep 1000\n"}, HOOKS)
    (tmp_path / "start.d" / "README").write_text("no hook")
    (tmp_path / "start.d" / "two words").write_text("no hook")
    desk = make_desk(options=options, command=("cat", "/tmp/by-a-hook"))
    desk.allow("^deskgate: warning: start.d/(README|two words): skipped: ")
    result = desk.run()
    assert (result.status, result.out) == (0, "")
    lines = [re.sub(r"\d+$", "N", line) for line in result.err.splitlines() if "start.d" in line]
    assert lines == [
        "deskgate: warning: start.d/README: skipped: "
        "it is no file that can be executed; chmod +x makes it one",
        "deskgate: warning: start.d/two words: skipped: "
        "its name may hold letters, digits and . _ - only",
        "deskgate: info: start.d/10-first: started with pid N",
        "start.d/10-first: first N",
        "start.d/10-first: early",
        "deskgate: info: start.d/B: started with pid N",
        "start.d/B: second",
        "start.d/B: N",
        "start.d/B: :N",
        "deskgate: info: start.d/c: started with pid N",
    ]


def test_a_hook_that_fails_ends_the_container(make_desk: MakeDesk, tmp_path: Path) -> None:
    """With 69 and one line; later ones, the desktop and the command do not start."""
    hooks = {"1": "exit 3", "2": "echo later"}
    desk = make_desk(options=added(tmp_path, hooks=hooks), command=("touch", "/tmp/ran"))
    desk.allow("^deskgate: error: start.d/1: ended with status 3; stopping$")
    result = desk.run()
    assert (result.status, told(result.err, "start.d/2")) == (UNAVAILABLE, [])
    assert [line for line in told(result.err, "start.d/1") if line.startswith("error")] == [
        "error: start.d/1: ended with status 3; stopping"
    ]
    assert not any("X11" in line or "/tmp/ran" in line for line in traces(desk.name))


@pytest.mark.parametrize(("command", "status"), [((), 0), (("sleep", "1000"), 143)])
def test_a_stop_while_a_hook_runs_is_quick(
    make_desk: MakeDesk, tmp_path: Path, command: tuple[str, ...], status: int
) -> None:
    """Its children go with it; what it was for is never started."""
    options = added(tmp_path, hooks={"1": "echo here; sleep 1000; echo there"})
    desk = make_desk(options=options, command=command).launch()
    wait_until(lambda: "start.d/1: here" in desk.log, 10)
    assert desk.status()["start.d/1"]["state"] == "starting"
    assert desk.stop() < 1.5
    assert desk.exit_status() == status
    assert "there" not in desk.log


def test_in_a_container_of_roots_hooks_are_roots_and_programs_the_desktops(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    """Unless a program names its user."""
    whoami = 'command=sh -c "id -u; exec sleep 1000"\nessential=true\nready=stdout\n'
    text = f"[program:own]\n{whoami}[program:other]\n{whoami}user=daemon\n"
    options = (*added(tmp_path, {"a": text}, {"1": "id -u"}), "--user", "0")
    desk = make_desk(env={"PUID": "1234"}, options=options).start()
    hook, *programs = sequence(desk.log, "own", "other", "start.d/1")
    assert (hook, sorted(programs)) == ("start.d/1: 0", ["other: 1", "own: 1234"])
    by_name = {(each.name, each.uid) for each in processes(desk) if each.name == "sleep"}
    assert by_name == {("sleep", 1234), ("sleep", 1)}


@pytest.mark.parametrize("name", ["start.d/1", "programs.d/a.conf", "programs.d"])
def test_c7_nothing_that_root_runs_may_be_the_desktops(
    make_desk: MakeDesk, tmp_path: Path, name: str
) -> None:
    """It would run as root at the next start."""
    text = "[program:p]\ncommand=sleep 1000\n"
    options = (*added(tmp_path, {"a": text}, {"1": "true"}), "--user", "0")
    os.chown(tmp_path / name, 1234, 1234)
    desk = make_desk(env={"PUID": "1234"}, options=options, command=("true",))
    desk.allow("^deskgate: error: PUID: ")
    result = desk.run()
    assert (result.status, f"may change /etc/deskgate/{name}," in result.err) == (78, True)


def test_keys_without_effect_are_named_once_a_file(make_desk: MakeDesk, tmp_path: Path) -> None:
    """A file that was written for supervisord starts, and its output is not lost."""
    text = '[program:p]\ncommand=sh -c "echo out; echo err >&2; exec sleep 1000"\npriority=5\n'
    text += "stdout_logfile=/var/log/no/such/folder\nredirect_stderr=true\n"
    desk = make_desk(options=added(tmp_path, {"a": text})).start()
    line = "deskgate: warning: programs.d/a.conf: without effect here: priority, stdout_logfile"
    desk.allow(f"^{line}$")
    assert line in desk.log.splitlines()
    wait_until(lambda: sequence(desk.log, "p") == ["p: out", "p: err"], 5)
