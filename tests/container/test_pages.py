"""What the start page, the how-to pages and those for newcomers say is done here, word by word.

Each page in a folder and a shell of its own, with the files that it shows. What stands there for
something of a person's is replaced: the published ports, and the names in OWN.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.container.engine import free_port, run, wait_until
from tests.pages import ROOT, Block, Command, missing, read_blocks, read_commands

PAGES: Final = [
    ROOT / "docs" / "start.md",
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
    *sorted((ROOT / "docs" / "from").glob("*.md")),
]
NAMES: Final = [path.relative_to(ROOT / "docs").as_posix() for path in PAGES]
# Why a block is not run. A new reason needs a line here.
NOT_RUN: Final = {
    "not run: needs a terminal",
    "not run: another project's image",
    "not run: it releases",
    "not run: it asks GitHub",
}
# A person's containers and images, and host ports.
OWN: Final = re.compile(r"(?<![\w./-])(?:desk|my-desktop)(?![\w./:-])")
PORT: Final = re.compile(r"((?:127\.0\.0\.1|localhost):)(8002|8080|8443)(?!\d)")
COMMAND_SECONDS: Final = 30.0
EXHAUSTIVE_SECONDS: Final = 240.0
LABEL: Final = "deskgate-page"
COMPOSE_LABEL: Final = "com.docker.compose.project"


def blocks_of(page: Path) -> list[Block]:
    """Its fenced blocks."""
    return read_blocks(page.read_text(encoding="utf-8"))


def consoles() -> Iterator[tuple[str, Block]]:
    """Every console block with its page."""
    for name, page in zip(NAMES, PAGES, strict=True):
        yield from ((name, block) for block in blocks_of(page) if block.language == "console")


def test_a_block_that_is_not_run_says_why() -> None:
    """A reason of the list, or the test that runs it; and most are run."""
    run_here = 0
    for name, block in consoles():
        if block.mark is None or block.mark == "exhaustive":
            run_here += 1
        elif block.mark.startswith("run by "):
            test = (ROOT / block.mark.removeprefix("run by ")).read_text(encoding="utf-8")
            lines = [command.line for command in read_commands(block.text)]
            known = name.rpartition("/")[2] in test or all(line in test for line in lines)
            assert known, f"{name}: {block.mark} knows neither the page nor its commands"
        else:
            assert block.mark in NOT_RUN, f"{name}: {block.mark}"
    assert run_here > len(list(consoles())) / 2


def test_a_command_stands_in_a_console_block() -> None:
    """In another one it would be left out unseen: a script has a file's name."""
    for name, page in zip(NAMES, PAGES, strict=True):
        for block in blocks_of(page):
            assert block.language not in {"bash", "sh", "shell"} or block.name, name


class Shell:
    """A shell in which the commands of a page are run one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self._notes = folder
        self._number = 0
        self.own = f"deskgate-page-{os.getpid()}"
        self.ports = {port: str(free_port()) for port in ("8002", "8080", "8443")}
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            text=True,
            env={**os.environ, "COMPOSE_PROJECT_NAME": self.own},
            start_new_session=True,
        )

    def replaced(self, text: str) -> str:
        """A command, or what it prints, with names and ports of the test's own."""
        text = OWN.sub(self.own, self._at_ports(text))
        return text.replace("docker run ", f"docker run --label {LABEL}={self.own} ")

    def _at_ports(self, text: str) -> str:
        return PORT.sub(lambda found: found[1] + self.ports[found[2]], text)

    def write(self, block: Block) -> None:
        """Put a file of the page into the folder."""
        assert block.name is not None
        path = self.folder / block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._at_ports(block.text), encoding="utf-8")

    def say(self, line: str) -> None:
        """Give the shell a line."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(line + "\n")
        self._shell.stdin.flush()

    def do(self, command: Command, *, may_fail: bool, timeout_seconds: float) -> None:
        """Run a command, and compare what it prints."""
        self._number += 1
        shown = tuple(map(self.replaced, command.shown))
        output = self._notes / f"{self._number}.out"
        status = self._notes / f"{self._number}.status"
        line = f"{{ {self.replaced(command.line)}\n}} >{output} 2>&1 </dev/null"
        if command.stays:
            self.say(f"{line} &")
            self._wait_shown(shown, output, timeout_seconds)
            return
        self.say(f"{line}; status=$?; echo $status >{status}.new; mv {status}.new {status}")
        self.say("(exit $status)")
        wait_until(status.exists, timeout_seconds, what=command.line)
        printed = output.read_text(encoding="utf-8")
        told = f"$ {command.line}\n{printed}"
        assert may_fail or status.read_text() == "0\n", f"{told}status {status.read_text()}"
        lacking = missing(shown, printed)
        assert lacking is None, f"{told}lacks the line: {lacking}"

    @staticmethod
    def _wait_shown(shown: tuple[str, ...], output: Path, timeout_seconds: float) -> None:
        def lacking() -> str | None:
            return missing(shown, output.read_text(encoding="utf-8"))

        wait_until(output.exists, timeout_seconds)
        try:
            wait_until(lambda: lacking() is None, timeout_seconds)
        except AssertionError:
            raise AssertionError(f"{output.read_text()}lacks the line: {lacking()}") from None

    def close(self) -> None:
        """End the shell, and remove what the page left."""
        self._shell.kill()
        self._shell.communicate()
        for label in (LABEL, COMPOSE_LABEL):
            words = ("ps", "--all", "--quiet", "--filter", f"label={label}={self.own}")
            if found := run("docker", *words).out.split():
                run("docker", "rm", "--force", "--volumes", *found)
        project = f"label={COMPOSE_LABEL}={self.own}"
        run("docker", "network", "prune", "--force", "--filter", project)
        run("docker", "image", "rm", "--force", self.own)


@pytest.fixture
def shell(engine: None, tmp_path: Path) -> Iterator[Shell]:
    """One that is always closed."""
    tmp_path.chmod(0o755)
    made = Shell(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_each_command_of_a_page_prints_what_it_shows(
    page: Path, shell: Shell, exhaustive: bool
) -> None:
    """In order, with the files that the page shows; each succeeds, unless its status is shown."""
    for block in blocks_of(page):
        if block.language != "console":
            if block.name:
                shell.write(block)
            continue
        if block.mark and not (block.mark == "exhaustive" and exhaustive):
            continue
        commands = list(read_commands(block.text))
        for command, after in zip(commands, [*commands[1:], None], strict=True):
            shell.do(
                command,
                may_fail=after is not None and after.line == "echo $?",
                timeout_seconds=EXHAUSTIVE_SECONDS if block.mark else COMMAND_SECONDS,
            )
