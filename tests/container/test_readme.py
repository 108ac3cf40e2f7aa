"""What the README says is done here, word by word."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import ROOT
from tests.container.engine import Result, docker, free_port, run, wait_until

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every command of a console block, without its prompt."""
    return [
        line[2:] for text in blocks("console") for line in text.splitlines() if line[:2] == "$ "
    ]


def test_the_readmes_commands_are_the_ones_that_are_tested() -> None:
    """A new command needs its test below; this list says so."""
    assert commands() == [
        "git clone https://github.com/deskgate/deskgate && cd deskgate",
        "make up",
        "make images",
        "docker run --rm -p 127.0.0.1:8002:8002 deskgate:python",
        'docker run --rm -v "$PWD:/w" -w /w deskgate:python python3 -m unittest',
        "docker run --rm -it deskgate:golang bash",
        "docker exec NAME deskgate token add --name alice --ttl 30m",
        "docker exec NAME deskgate token list",
        "docker exec NAME deskgate token revoke alice",
        "docker exec NAME deskgate url --role view --qr",
        "docker exec NAME deskgate status",
        "docker exec NAME deskgate restart xvnc",
        "docker exec NAME deskgate logs -f gate",
        "docker exec NAME deskgate health",
        "docker exec NAME deskgate doctor",
        "docker exec -e DISPLAY=:1 -e XAUTHORITY=/run/deskgate/Xauthority NAME xterm",
    ]


def make(target: str, port: int, **settings: str) -> Result:
    """`make TARGET` for a project of the test's own, so that a person's desktop stays up."""
    project = f"COMPOSE_PROJECT_NAME=deskgate-readme-{os.getpid()}"
    pairs = [f"{name}={value}" for name, value in {**settings, "NOVNC_PORT": port}.items()]
    words = ("env", project, *pairs, "make", "-C", str(ROOT), target)
    return run(*words, timeout_seconds=240)


def test_make_up_prints_links_that_work_and_make_down_leaves_nothing(engine: None) -> None:
    """The two commands: from a checkout to the link, and back."""
    port = free_port()
    try:
        up = make("up", port)
        assert up.status == 0, up.err
        printed = [line for line in up.out.splitlines() if line.startswith(("control", "watch"))]
        pattern = rf"(control |watch   ) http://localhost:{port}/#token=[0-9a-f]{{64}}"
        assert [bool(re.fullmatch(pattern, line)) for line in printed] == [True, True]
        with socket.create_connection(("127.0.0.1", port), 5) as door:
            door.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert door.recv(64).startswith(b"HTTP/1.1 200")
    finally:
        down = make("down", port)
    assert down.status == 0, down.err
    left = docker("ps", "--all", "--quiet", "--filter", f"name=deskgate-readme-{os.getpid()}")
    assert left.out == ""


WRONG = {
    "unknown": ({"SERVICE": "ruby"}, "SERVICE is one of desktop, python, java, golang"),
    "bad setting": ({"VNC_GEOMETRY": "big"}, 'VNC_GEOMETRY: cannot use "big"'),
    "taken port": ({}, "another one: make up SERVICE=desktop NOVNC_PORT=8003"),
}


@pytest.mark.parametrize("case", WRONG)
def test_make_up_says_what_is_wrong(engine: None, case: str) -> None:
    """The setting, the port or the service: not always the port."""
    settings, said = WRONG[case]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if case == "taken port" else free_port()
        try:
            up = make("up", port, **settings)
        finally:
            make("down", port)
    assert up.status == 2, "make's own"
    assert said in up.err


def test_each_command_for_a_running_container_works(make_desk: MakeDesk) -> None:
    """In the readme's order, as it stands there."""
    desk = make_desk().start()
    for command in commands():
        words = command.split()
        if words[:3] == ["docker", "exec", "NAME"] and "-f" in words:
            assert desk.exec("timeout", "1", *words[3:]).status == 124, "it goes on"
        elif words[:3] == ["docker", "exec", "NAME"]:
            desk.must(*words[3:])


def test_a_program_can_be_started_on_the_desktop(engine: None) -> None:
    """`docker exec … xterm`, as the README has it."""
    name = f"deskgate-exec-{os.getpid()}"
    docker("run", "--detach", "--name", name, "deskgate:debian")
    try:
        wait_until(lambda: run("docker", "exec", name, "deskgate", "health").status == 0, 20)
        line = commands()[-1].replace("NAME", name).replace(" xterm", " xterm -e 'exit 0'")
        done = run("sh", "-c", line)
        assert done.status == 0, done.err
    finally:
        docker("rm", "--force", name)


def test_a_command_sees_the_mounted_folder_and_returns_its_status(
    engine: None, tmp_path: Path
) -> None:
    """`docker run … python3 -m unittest`: failing tests fail the run."""
    tmp_path.chmod(0o755)
    case = "import unittest\nclass T(unittest.TestCase):\n def test(self): self.assertTrue({})\n"
    for holds, status in ((True, 0), (False, 1)):
        (tmp_path / "test_it.py").write_text(case.format(holds))
        command = ["sh", "-c", next(line for line in commands() if "unittest" in line)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stderr
        assert "Ran 1 test" in done.stderr
