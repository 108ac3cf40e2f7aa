"""Drop-ins: every problem by its name, before anything starts; and what is taken as it stands."""

from __future__ import annotations

import dataclasses
import os
import shlex
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from deskgate import dropins
from deskgate.dropins import Ground, judge
from deskgate.errors import SettingsError
from deskgate.programkeys import KEYS
from deskgate.programs import Program
from deskgate.render import quote_command

from . import test_programkeys

OURS = tuple(Program(name=name, command=("true",)) for name in ("xvnc", "gate", "wm"))
USERS = {"me": 10001, "10001": 10001, "root": 0}


def ground(*, uid: int = 10001, variables: dict[str, str] | None = None) -> Ground:
    """A container that runs as this user."""
    return Ground(
        ours=OURS,
        folder="/etc/deskgate/programs.d",
        host="box",
        variables={"HOME": "/home/me", "KEY": "hunter2"} if variables is None else variables,
        uid=uid,
        root=uid == 0,
        find_user=USERS.get,
    )


def problems(*texts: str, uid: int = 10001) -> list[str]:
    """What is wrong with a.conf, b.conf …; empty when nothing is."""
    named = {f"{letter}.conf": text for letter, text in zip("abc", texts, strict=False)}
    try:
        judge(named, ground(uid=uid))
    except SettingsError as error:
        return list(error.lines)
    return []


FULL = """\
; a panel
[program:panel]
command=tint2 -c %(here)s/tint2rc %(ENV_HOME)s %(ENV_OWN)s ; and a comment
process_name=%(program_name)s
environment=OWN="1, 2",HERE='%(program_name)s'
needs = xvnc,
  wm
ready=tcp:127.0.0.1:%(ENV_PORT)s
ready_seconds=5
essential=true
user=me
numprocs=1
"""


def test_a_row_is_what_the_file_says() -> None:
    """All that the plan needs to know; the command stays with the file."""
    found = judge({"programs.d/a.conf": FULL}, ground(variables={"HOME": "/", "PORT": "80"}))
    assert found.warnings == ()
    (row,) = found.rows
    assert row == Program(
        name="panel",
        command=(),
        needs=("xvnc", "wm"),
        ready="tcp:127.0.0.1:80",
        ready_seconds=5,
        essential=True,
        runs_as="",
        source="programs.d/a.conf",
    )


def test_what_is_left_out_has_its_default() -> None:
    """A task that runs once may take its time."""
    text = "[program:a]\ncommand=x\n[program:b]\ncommand=x\nready=exit\n"
    first, second = judge({"a.conf": text}, ground()).rows
    assert (first.ready, first.ready_seconds, first.essential) == ("spawn", 30, False)
    assert (second.ready, second.ready_seconds) == ("exit", 0)


P = "[program:p]\ncommand=x\n"
INVALID = {
    "unknown section": ("[group:g]\nprograms=p\n", 'section "group:g": cannot be used here; only'),
    "misspelt section": ("[porgram:p]\n", "cannot be used here; did you mean program?"),
    "values for all": ("[DEFAULT]\nuser=root\n", 'section "DEFAULT": cannot be used here'),
    "supervisord's own": ("[supervisord]\nuser=root\n", "cannot be used here"),
    "a name with a space": ("[program:a b]\ncommand=x\n", "cannot be a program's name"),
    "no name": ("[program:]\ncommand=x\n", "cannot be a program's name"),
    "a name of ours": ("[program:gate]\ncommand=x\n", "deskgate has a program of this name"),
    "a name of the log's": ("[program:deskgate]\ncommand=x\n", "a program of this name"),
    "a hook's name": ("[program:start.d-1]\ncommand=x\n", "a program of this name"),
    "ours in force": ("[program:wm]\ncommand=x\n", "deskgate has a program of this name"),
    "section twice": (P + P, 'line 3: section "program:p" cannot be there twice'),
    "key twice": (P + "command=y\n", 'line 3: "command" cannot be there twice in a section'),
    "no section": ("command=x\n", "line 1: cannot be used before [program:NAME]"),
    "no value": (P + "needs\n", "line 3: cannot be read: give KEY=VALUE"),
    "unknown key": (P + "comand=y\n", 'p: cannot use "comand"; did you mean command?'),
    "foreign key": (P + "zz=y\n", 'p: cannot use "zz"; supervisord has no such key'),
    "a key of ours alone": (P + "reads_secret=true\n", 'p: cannot use "reads_secret"'),
    "no command": ("[program:p]\n", "p: cannot start without a command"),
    "bad value": (P + "autostart=maybe\n", 'p: autostart: cannot use "maybe": give true or'),
    "bad command": ("[program:p]\ncommand=x 'hunter2\n", "p: command: cannot use it: close"),
    "bad environment": (P + "environment=hunter2\n", "p: environment: cannot use it: give NAME"),
    "lone percent": ("[program:p]\ncommand=date +%s\n", "p: command: cannot use it: write %%"),
    "unknown variable": (P + "directory=%(ENV_NO)s\n", "there is no %(ENV_NO)s here"),
    "unknown user": (P + "user=you\n", 'p: user: cannot use "you": there is no such user'),
    "another user": (P + "user=root\n", "programs run as uid 10001, and only a container"),
    "another name": (P + "process_name=q\n", "leave it out: a program is called as its section"),
    "NUL": (P + "directory=/a\0b\n", "leave out the NUL"),
    "stop alone": (P + "stopasgroup=1\nkillasgroup=0\n", "p: stopasgroup=true cannot go with"),
    "once and again": (P + "ready=exit\nautorestart=true\n", "p: ready=exit cannot go with auto"),
    "unknown need": (
        P + "needs=xvcn\n",
        'p: cannot need "xvcn": there is no such program; did you mean xvnc?',
    ),
    "strange need": (P + "needs=zz\n", "there is no such program; there are gate, p, wm, xvnc"),
    "sleeping need": (
        P + "needs=q\n[program:q]\ncommand=x\nautostart=false\n",
        'p: cannot need "q", which autostart=false keeps down',
    ),
    "circle": (
        P + "needs=q\n[program:q]\ncommand=x\nneeds=xvnc p\n",
        "programs need each other in a circle: p → q → p; take one out",
    ),
    "itself": (P + "needs=p\n", "programs need each other in a circle: p → p; take one out"),
}


@pytest.mark.parametrize(("text", "said"), INVALID.values(), ids=INVALID)
def test_a_mistake_is_one_line_with_its_file_and_name(text: str, said: str) -> None:
    """And nothing of a value that people put secrets into."""
    (line,) = problems(text)
    assert line.startswith("a.conf: ")
    assert said in line
    assert "hunter2" not in line


VALID = {
    "both asleep": P + "needs=q\nautostart=0\n[program:q]\ncommand=x\nautostart=0\n",
    "a need of a later program": "[program:a]\ncommand=x\nneeds=b\n[program:b]\ncommand=x\n",
    "its own user by number": P + "user=10001\n",
    "a task of which the end counts": P + "ready=exit\nautorestart=false\n",
    "its own name": P + "process_name=p\n",
    "windows line ends": "[program:p]\r\ncommand=x\r\n",
    "nothing at all": "; nothing\n",
}


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_what_makes_sense_is_taken(text: str) -> None:
    """Without a word."""
    found = judge({"a.conf": text}, ground())
    assert found.warnings == ()


def test_root_may_become_anybody() -> None:
    """supervisord does so between fork and exec."""
    assert problems(P + "user=me\n", uid=0) == []


def test_a_name_of_another_file_is_refused() -> None:
    """supervisord would mix the two sections."""
    (line,) = problems(P, P)
    assert line == 'b.conf: section "program:p": cannot be there twice: it stands in a.conf'


def test_needs_go_from_file_to_file() -> None:
    """So do circles."""
    assert problems(P + "needs=q\n", "[program:q]\ncommand=x\nneeds=gate\n") == []
    (line,) = problems(P + "needs=q\n", "[program:q]\ncommand=x\nneeds=p\n")
    assert line == "a.conf: programs need each other in a circle: p → q → p; take one out"


def test_every_problem_is_reported_at_once() -> None:
    """Of all files, sorted by their names."""
    text = "[program:p]\nneeds=q\numask=8\nready=exit\nautorestart=true\n[group:x]\n"
    assert [line.partition(": ")[0] for line in problems("x", text)] == ["a.conf"] + 5 * ["b.conf"]


def test_keys_without_effect_are_named_in_one_line_a_file() -> None:
    """Unless what they ask for is what happens: output that goes to the log."""
    text = P + "priority=1\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n"
    text += "[program:q]\ncommand=x\nstartsecs=5\nstderr_logfile=/var/log/q\n"
    found = judge({"a.conf": text, "b.conf": "[program:r]\ncommand=x\n"}, ground())
    assert found.warnings == ("a.conf: without effect here: priority, startsecs, stderr_logfile",)


@pytest.mark.parametrize("ours", [OURS, OURS[:2]], ids=["with a window manager", "without"])
def test_a_window_manager_of_ones_own_may_have_the_name(ours: tuple[Program, ...]) -> None:
    """With DESKTOP=none there is no other."""
    text = {"a.conf": "[program:wm]\ncommand=x\nneeds=xvnc\n"}
    own = dataclasses.replace(ground(), ours=ours)
    if len(ours) == 2:
        assert [row.name for row in judge(text, own).rows] == ["wm"]
    else:
        with pytest.raises(SettingsError):
            judge(text, own)


# --- the judge and supervisord's own parser agree ------------------------------------------------

ARGUMENT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))
PIECE = st.sampled_from(
    ["x", "0", "true", *" ,;#=%:/\"'\\()[]\n", "%%", "%(here)s", "%(ENV_HOME)s"]
)
ANY = st.one_of(st.lists(PIECE, max_size=6).map("".join), ARGUMENT)
# For a key of whatever kind, mostly what may stand there: or all would be refused.
GOOD = [text for _, text, _ in test_programkeys.VALID] + ["root", "p", "gate"]
PAIR = st.sampled_from(sorted(KEYS)).flatmap(
    lambda key: st.tuples(
        st.just(key),
        st.one_of(
            st.sampled_from(
                [text for name, text, _ in test_programkeys.VALID if name == key] or GOOD
            ),
            st.sampled_from(GOOD),
            ANY,
        ),
    )
)


def read_back(folder: Path, text: str) -> dict[str, object]:
    """The programs of a drop-in, as the conductor reads them."""
    from deskgate.conductor.embed import Options
    from tests.unit.conductor.test_embed import NO_PROGRAMS, make_options

    (folder / "a.conf").write_text(text, encoding="utf-8", newline="")
    main = folder / "supervisord.conf"
    main.write_text(f"{NO_PROGRAMS.format(folder=folder)}\n[include]\nfiles={folder}/a.conf\n")
    made: Options = make_options([])
    made.realize(["-c", str(main), "-n"])
    groups = made.process_group_configs
    return {config.name: config for group in groups for config in group.process_configs}


def everything(folder: Path) -> Ground:
    """What the parser knows in this process."""
    return Ground(
        ours=OURS,
        folder=str(folder),
        host=os.uname().nodename,
        variables=dict(os.environ),
        uid=0,
        root=True,
        find_user={"root": 0, "0": 0}.get,
    )


@given(st.lists(PAIR, max_size=3).map(dict))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"command": "a\n;b\n %(here)s %%(here)s"})
@example({"environment": "A='%(ENV_HOME)s'"})
@example({"stdout_logfile": "/no/such/folder/%%"})
@example({"killasgroup": "no"})
def test_e3_what_is_taken_supervisords_parser_reads_alike(
    tmp_path: Path, keys: dict[str, str]
) -> None:
    """One program of this name, needs and readiness; never an error, never one more section."""
    lines = [f"{key}={value}" for key, value in {"command": "x", **keys}.items()]
    text = "\n".join(["[program:p]", *lines, ""])
    try:
        found = judge({"a.conf": text}, everything(tmp_path))
    except SettingsError:
        event("refused")
        return
    event("taken")
    read = read_back(tmp_path, text)
    assert list(read) == [row.name for row in found.rows] == ["p"]
    (row,) = found.rows
    config = read["p"]
    for name in ("needs", "ready", "ready_seconds", "essential"):
        assert getattr(config, name) == getattr(row, name)


@given(st.lists(ARGUMENT, min_size=1, max_size=6), ARGUMENT)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["%(here)s", "%%(here)s", "%"], "%(ENV_HOME)s")
@example(["a ;b", "; c", "\n[program:evil]", "it's"], '"')
def test_e4_any_command_of_a_drop_in_comes_back_unchanged(
    tmp_path: Path, argv: list[str], value: str
) -> None:
    """Written as the how-to says: quoted as in a shell, with %% for a percent sign."""
    quoted = quote_command(argv)
    assert judge({"a.conf": f"[program:p]\ncommand={quoted}\n"}, everything(tmp_path)).rows, (
        "a command that can be written is taken"
    )
    read = read_back(tmp_path, f"[program:p]\ncommand={quoted}\n")
    assert shlex.split(read["p"].command) == argv  # type: ignore[attr-defined]


def test_the_names_of_ours_that_others_replace_stay_ours() -> None:
    """A log line that begins with one of them is ours."""
    assert {"gate", "websockify", "xvnc", "deskgate", "supervisor"} == dropins.RESERVED
