"""What the how-to about programs and hooks says is done here, word by word."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import ONE, ROOT, Desk, image_of
from tests.container.engine import Result, docker, run, wait_until

PAGE = (ROOT / "docs" / "how-to" / "programs.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"^[;#] (desk/\S+)$", re.MULTILINE)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [text for found, text in BLOCK.findall(PAGE) if found == language]


def commands() -> list[str]:
    """Every command, without its prompt."""
    return re.findall(r"^\$ (.*)$", "".join(blocks("console")), re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Every file of the page, under the name that stands in it."""
    for text in (*blocks("ini"), *blocks("sh")):
        (name,) = NAME.findall(text)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tmp_path.chmod(0o755)
    return tmp_path


def only(folder: Path, *names: str) -> None:
    """Keep these drop-ins alone."""
    for path in (folder / "desk" / "programs.d").iterdir():
        if path.name not in names:
            path.unlink()


def in_shell(folder: Path, command: str) -> Result:
    """A command as it stands, in the folder with the files; with the image that is tested."""
    done = subprocess.run(
        ["sh", "-c", command.replace("deskgate:debian", image_of(ONE))],
        cwd=folder, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return Result(status=done.returncode, stdout=done.stdout, stderr=done.stderr)


def test_the_pages_commands_are_the_ones_that_are_tested() -> None:
    """A new command needs its test below."""
    assert commands() == [
        "chmod +x desk/start.d/10-page",
        'docker run --rm -p 127.0.0.1:8002:8002 -v "$PWD/desk:/etc/deskgate:ro" deskgate:debian',
        'docker run --rm -v "$PWD/desk:/etc/deskgate:ro" '
        "--entrypoint deskgate deskgate:debian check",
    ]


@pytest.fixture
def site(make_desk: MakeDesk, folder: Path) -> Desk:
    """The first example, as the page starts it."""
    only(folder, "site.conf")
    assert in_shell(folder, commands()[0]).status == 0
    (options,) = re.findall(r"(-v) \"\$PWD(/\S+)\"", commands()[1])
    return make_desk(options=(options[0], f"{folder}{options[1]}")).start()


def test_the_site_is_served_and_the_panel_is_on_the_screen(site: Desk) -> None:
    """Both ready, in the order of their needs, with the page that the hook made."""
    fetch = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8080').read())"
    assert "the desktop is :1" in site.must("python3", "-c", fetch)
    rows = site.status()
    assert {name: rows[name]["state"] for name in ("start.d/10-page", "web", "panel")} == {
        "start.d/10-page": "done",
        "web": "ready",
        "panel": "ready",
    }
    wait_until(lambda: "GET / HTTP/1.1" in site.log, 5)
    assert site.exec("deskgate", "health").status == 0


def test_the_log_is_what_the_page_shows(site: Desk) -> None:
    """Line by line, but for pids, times and tokens."""
    (shown,) = (text for text in blocks("console") if "is ready" in text)
    wanted = [re.sub(r"[\d.]+|=\S+", "N", line) for line in shown.splitlines() if line[0] != "$"]
    lines = [re.sub(r"[\d.]+|=\S+", "N", line) for line in site.log.splitlines()]
    assert [line for line in lines if line in wanted] == wanted


def test_check_lists_what_was_added(engine: None, folder: Path) -> None:
    """Also the example that waits for another container."""
    in_shell(folder, commands()[0])
    done = in_shell(folder, commands()[2])
    assert (done.status, done.err) == (0, "")
    added = done.out.partition("added below /etc/deskgate\n")[2].splitlines()
    assert [line.split()[0] for line in added] == [
        "start.d/10-page",
        "database",
        "app",
        "web",
        "panel",
    ]


def test_an_image_of_ones_own_has_them_too(engine: None, folder: Path) -> None:
    """The two lines as they stand."""
    only(folder, "site.conf")
    in_shell(folder, commands()[0])
    (dockerfile,) = blocks("dockerfile")
    (folder / "Dockerfile").write_text(dockerfile.replace("deskgate:debian", image_of(ONE)))
    tag = f"deskgate-test-programs:{os.getpid()}"
    docker("build", "--tag", tag, str(folder))
    try:
        done = run("docker", "run", "--rm", tag, "cat", "/tmp/site/index.html")
        assert (done.status, done.out) == (0, "the desktop is :1\n"), done.err
    finally:
        docker("rmi", "--force", tag)


def test_a_program_waits_for_another_container(make_desk: MakeDesk, folder: Path) -> None:
    """By its name, which nobody knows at first."""
    only(folder, "database.conf")
    (folder / "desk" / "start.d" / "10-page").unlink()
    options = ("-v", f"{folder}/desk:/etc/deskgate:ro", "--add-host", "db:127.0.0.1")
    desk = make_desk(options=options).start()
    assert desk.status()["app"]["state"] == "waiting"
    desk.must("python3", "-m", "http.server", "5432", options=("--detach",))
    wait_until(lambda: "app: the database is there" in desk.log, 5)
    assert desk.status()["database"]["state"] == "done"
