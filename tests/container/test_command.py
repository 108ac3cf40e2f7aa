"""The user's command: in the foreground, as if nobody stood before it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import READY, VARIANTS, base_of
from tests.container.engine import docker, wait_until

# Prints its own arguments and environment; every variant has a python3. Not os.environ: Python
# adds LC_CTYPE to it where no locale is set (PEP 538).
TELL = """
import json, os, sys
pairs = open("/proc/self/environ", "rb").read().split(b"\\0")
environ = dict(os.fsdecode(pair).split("=", 1) for pair in pairs if pair)
print(json.dumps([sys.argv[1:], environ]))
"""
TRICKY = (
    "100%",
    "%(ENV_PATH)s",
    "a;b",
    " ;c",
    "#d",
    " #e",
    "it's",
    'say "hi"',
    "back\\slash\\",
    "$HOME `id` $(id)",
    "Grüße 你好 🦊",
    "two\nlines",
    "{{ 7*7 }}",
    "",
    "  edges  ",
    "-x",
    "--",
)
# What deskgate adds to the command's environment.
ADDED = {"DISPLAY", "XAUTHORITY"}
# Each variant's own tools and a pattern of what they say.
TOOLS = {
    "debian": [("cat /etc/debian_version", r"\d|sid")],
    "python": [("python3 -V", r"^Python 3\."), ("python -V", r"^Python 3\."), ("node -v", r"^v\d")],
    "java": [("java -version 2>&1", r'version "17')],
    "golang": [("go version", r"^go version go1\.21"), ("go env GOPATH", r"^/go$")],
}


def told(result_out: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment that TELL printed."""
    arguments, environ = json.loads(result_out)
    return arguments, environ


def test_e4_arguments_and_values_arrive_unchanged(make_desk: MakeDesk) -> None:
    """Nothing on the way to the command reads %, ;, #, quotes, braces or newlines."""
    env = {f"TRICKY_{number}": value for number, value in enumerate(TRICKY)}
    result = make_desk(env=env, command=("python3", "-c", TELL, *TRICKY)).run()
    arguments, environ = told(result.out)
    assert arguments == list(TRICKY)
    assert {name: environ[name] for name in env} == env


def test_e4_tricky_values_do_not_reach_the_programs_configuration(make_desk: MakeDesk) -> None:
    """Settings that hold %, ; and # go to Xvnc as they are."""
    desk = make_desk(env={"XVNC_ARGS": "-desktop '50% ; #1 %(x)s'"}).start()
    line = desk.must("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep '50%'")
    assert "50% ; #1 %(x)s" in line.splitlines()


def test_both_streams_are_byte_exact(make_desk: MakeDesk) -> None:
    """`cat < big > copy`: 8 MiB of noise come back on stdout alone, to the byte."""
    noise = os.urandom(8 * 1024 * 1024)
    result = make_desk(command=("cat",)).run(stdin=noise)
    assert result.stdout == noise
    assert result.status == 0


STDIN = {
    "its end reaches the command": (("sh", "-c", "cat; echo end; exit 4"), b"abc", 4, b"abcend\n"),
    "nobody gives any": (("sh", "-c", "cat; echo end; exit 4"), None, 4, b"end\n"),
    "not read to its end": (("head", "-n", "1"), b"one\n" + bytes(8 << 20), 0, b"one\n"),
    "never read": (("sh", "-c", "exit 3"), bytes(8 << 20), 3, b""),
}


@pytest.mark.parametrize("case", STDIN)
def test_standard_input_is_the_commands(make_desk: MakeDesk, case: str) -> None:
    """`docker run -i` without a terminal, and without -i: the container ends with the command."""
    command, given, status, out = STDIN[case]
    result = make_desk(command=command).run(stdin=given, timeout_seconds=15)
    assert (result.status, result.stdout) == (status, out)


def test_command_may_close_its_streams(make_desk: MakeDesk) -> None:
    """It goes on without them, and ends with its own status."""
    script = "exec <&- >&- 2>&-; sleep 0.3; exit 4"
    assert make_desk(command=("bash", "-c", script)).run().status == 4


def test_e7_bytes_that_are_no_text_reach_the_command(make_desk: MakeDesk) -> None:
    """Through a whole start; the engine itself can pass none, so a shell before us makes them."""
    script = (
        "BROKEN=$(printf '\\377\\n%%x') exec deskgate run -- sh -c '{}' sh \"$(printf '\\376')\""
    )
    told = "cat /proc/$$/cmdline /proc/$$/environ"
    options = ("--entrypoint", "sh")
    found = (
        make_desk(options=options, command=("-c", script.format(told))).run().stdout.split(b"\0")
    )
    assert found[:5] == [b"sh", b"-c", told.encode(), b"sh", b"\xfe"]
    assert b"BROKEN=\xff\n%x" in found


def test_streams_are_not_mixed(make_desk: MakeDesk) -> None:
    """Ours goes to stderr, before the command's own; stdout holds the command's alone."""
    result = make_desk(command=("sh", "-c", "echo out; echo err >&2")).run()
    assert result.out == "out\n"
    assert result.err.startswith(READY)
    assert result.err.endswith("\nerr\n")


def test_closed_pipe_ends_the_command_quietly(make_desk: MakeDesk) -> None:
    """SIGPIPE has its default meaning again: `yes | head -1` says nothing."""
    result = make_desk(command=("bash", "-c", "yes | head -1; echo ${PIPESTATUS[0]}")).run()
    assert result.out == "y\n141\n"


def test_command_starts_when_the_desktop_is_ready(make_desk: MakeDesk) -> None:
    """X answers to the command's first breath, with the environment that it was given."""
    client = (Path(__file__).parent / "xclient.py").read_text()
    result = make_desk(command=("python3", "-c", client, "state")).run()
    assert json.loads(result.out)["size"] == [1280, 800]


@pytest.mark.parametrize("variant", VARIANTS)
def test_base_tools_work_as_before(make_desk: MakeDesk, variant: str) -> None:
    """What the base image brought is found and works."""
    for line, pattern in TOOLS[variant]:
        result = make_desk(variant=variant, command=("sh", "-c", line)).run()
        assert re.search(pattern, result.out, re.MULTILINE), f"{line}: {result.out}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_base_environment_is_kept(make_desk: MakeDesk, variant: str) -> None:
    """PATH, variables and working folder are the base image's; little is added."""
    (base,) = json.loads(docker("image", "inspect", base_of(variant)).out)
    wanted = dict(pair.split("=", 1) for pair in base["Config"]["Env"])
    desk = make_desk(variant=variant, command=("python3", "-c", f"{TELL}print(os.getcwd())"))
    first, folder = desk.run().out.splitlines()
    _, environ = told(first)
    assert {name: environ[name] for name in wanted} == wanted
    assert folder == (base["Config"]["WorkingDir"] or "/")
    ours = {"BASE_ENTRYPOINT", "DESKTOP"}  # of the image, for what stands on it
    extra = environ.keys() - wanted.keys() - {"HOME", "HOSTNAME"} - ours
    if base["Config"]["Entrypoint"]:  # a shell script of the base's, which adds its own
        extra -= {"PWD", "DESKGATE_STANDIN_ENTRYPOINT"}
    assert extra == ADDED


@pytest.mark.parametrize("variant", VARIANTS)
def test_own_entrypoint_of_the_base_runs(make_desk: MakeDesk, variant: str, tmp_path: Path) -> None:
    """Where the base has an entrypoint, it is put before the command: ours stands in for it."""
    entrypoint = docker(
        "image", "inspect", "--format", "{{json .Config.Entrypoint}}", base_of(variant)
    ).out
    words: list[Any] = json.loads(entrypoint) or []
    mark = tmp_path / "entrypoint"
    mark.write_text('#!/bin/sh\necho "the entrypoint ran"\nexec "$@"\n')
    mark.chmod(0o755)
    options = ("-v", f"{mark}:{words[0]}:ro") if words else ()
    result = make_desk(variant=variant, options=options, command=("echo", "the command")).run()
    assert result.out == ("the entrypoint ran\n" if words else "") + "the command\n"


@pytest.mark.parametrize(("outcome", "status"), [("True", 0), ("False", 1)])
def test_test_run_as_the_command(
    make_desk: MakeDesk, tmp_path: Path, outcome: str, status: int
) -> None:
    """`docker run deskgate:python pytest -q`: its report on stdout, its status as the exit's.

    Where the base has no pytest, unittest reads the same file.
    """
    tmp_path.chmod(0o755)
    (tmp_path / "test_it.py").write_text(
        "import unittest\n\n\nclass TestIt(unittest.TestCase):\n"
        f"    def test_it(self):\n        self.assertTrue({outcome})\n"
    )
    runner = "if command -v pytest >/dev/null; then exec pytest -q -p no:cacheprovider; fi; "
    runner += "exec python3 -B -m unittest"
    options = ("-v", f"{tmp_path}:/src:ro", "-w", "/src")
    desk = make_desk(variant="python", options=options, command=("sh", "-c", runner))
    result = desk.run()
    assert result.status == status
    word = {0: "passed|OK", 1: "failed|FAILED"}[status]
    assert re.search(word, result.out + result.err.partition("note")[2])


def test_without_a_desktop_only_the_command_runs(make_desk: MakeDesk) -> None:
    """`ENABLE_VNC=false`: the command is PID 1, nothing is printed, no port is opened."""
    script = "echo $$; cat /proc/net/tcp | wc -l; ls -A /run/deskgate; exit 5"
    result = make_desk(env={"ENABLE_VNC": "false"}, command=("sh", "-c", script)).run()
    assert (result.status, result.out, result.err) == (5, "1\n1\n", "")


def test_without_a_desktop_the_container_is_healthy(make_desk: MakeDesk) -> None:
    """There is nothing that could be ill: `compose up --wait` goes on."""
    desk = make_desk(env={"ENABLE_VNC": "false"}, command=("sleep", "60")).launch()
    wait_until(lambda: desk.inspect("{{.State.Health.Status}}") == "healthy", 10)


def test_without_a_desktop_and_a_command_is_64(make_desk: MakeDesk) -> None:
    """There would be nothing to do."""
    desk = make_desk(env={"ENABLE_VNC": "false"})
    desk.allow("^deskgate: error: run: ")
    assert desk.run().status == 64


def test_alias_switches_the_desktop_off(make_desk: MakeDesk) -> None:
    """`OH_ENABLE_VNC=0` is the agent platform's name for it."""
    result = make_desk(env={"OH_ENABLE_VNC": "0"}, command=("echo", "alone")).run()
    assert (result.out, result.err) == ("alone\n", "")
