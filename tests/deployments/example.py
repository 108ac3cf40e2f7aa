"""A folder of examples/, used as its README says: every command there, in its order.

What people copy is what runs. Only these words are others here: ports, as the shown ones may be
taken; names on the engine that would be a person's own; and official images that cannot be pulled,
for which `docker/bases` has stand-ins.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from tests.container.desk import ROOT, Desk
from tests.container.engine import Result, docker, free_port, run

EXAMPLES: Final = ROOT / "examples"
NAMES: Final = tuple(sorted(path.parent.name for path in EXAMPLES.glob("*/README.md")))
OFFICIAL: Final = ("nginx:stable", "caddy:2", "python:3-slim")
PUBLISHED: Final = re.compile(r"127\.0\.0\.1:(\d{4,5}):\d+|\bpublished: (\d+)")
BEFORE_A_PORT: Final = r"\b(localhost:|127\.0\.0\.1:|published: )"
CONSOLE: Final = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND_SECONDS: Final = 240.0  # a build with Debian's packages takes 20 s
KINDS: Final = ("container", "network", "volume")  # what compose makes


def commands(readme: str) -> list[str]:
    """Every command of a README, without its prompt."""
    return re.findall(r"^\$ (.*)$", "".join(CONSOLE.findall(readme)), re.MULTILINE)


@cache
def image_to_use(official: str) -> str:
    """An official image, or its stand-in where it cannot be had."""
    found = run(str(ROOT / "docker/bases"), "--image", official, timeout_seconds=COMMAND_SECONDS)
    assert found.status == 0, found.err
    return found.out.strip()


class Example:
    """A copy of one folder.

    Args:
        rename: names of what it makes on the engine, which are this run's own here.
        printed: what each command so far wrote to its standard output.
    """

    def __init__(self, name: str, folder: Path, *, rename: Sequence[str] = ()) -> None:
        self.project = f"deskgate-test-{name}-{os.getpid()}"
        self.folder = folder
        self.printed: dict[str, str] = {}
        self._names = {shown: f"{shown}-{os.getpid()}" for shown in rename}
        shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
        folder.chmod(0o755)
        texts = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
        self._ports = {
            "".join(shown): free_port()
            for text in texts.values()
            for shown in PUBLISHED.findall(text)
        }
        for path, text in texts.items():
            path.write_text(self.here(text))
        self.commands = commands((folder / "README.md").read_text())

    def here(self, text: str) -> str:
        """An address, or a name, that the example shows, as it is here."""
        for official in OFFICIAL:
            if official in text:
                text = text.replace(official, image_to_use(official))
        for shown, name in self._names.items():
            text = text.replace(shown, name)
        for shown, port in self._ports.items():
            text = re.sub(rf"{BEFORE_A_PORT}{shown}\b", rf"\g<1>{port}", text)
        return text

    def do(self, command: str) -> Result:
        """One command, in the folder."""
        place = ("env", "-C", str(self.folder), f"COMPOSE_PROJECT_NAME={self.project}")
        result = run(*place, "sh", "-c", command, timeout_seconds=COMMAND_SECONDS)
        self.printed[command] = result.out
        return result

    def must(self, commands: Sequence[str]) -> None:
        """Commands that have to work."""
        for command in commands:
            result = self.do(command)
            assert result.status == 0, f"{command}: {result.status}\n{result.out}{result.err}"

    def link(self, service: str) -> str:
        """The link that `deskgate url` printed."""
        return self.printed[f"docker compose exec {service} deskgate url"].strip()

    def desk(self, service: str) -> Desk:
        """The container of a service, as other tests see it."""
        desk = Desk()
        desk.name = self.do(f"docker compose ps --quiet {service}").out.strip()
        desk.exists = True
        return desk

    def log(self, service: str) -> str:
        """What a service wrote."""
        return self.do(f"docker compose logs {service}").out

    def left(self) -> list[str]:
        """What the engine still has of it."""
        label = f"label=com.docker.compose.project={self.project}"
        return [
            f"{kind} {name}"
            for kind in KINDS
            for name in docker(kind, "ls", "--quiet", "--filter", label).out.split()
        ]


@contextmanager
def running(name: str, folder: Path) -> Iterator[Example]:
    """Do what the README says; its last command ends it, and nothing may be left."""
    example = Example(name, folder)
    *start, end = example.commands
    try:
        example.must(start)
        assert example.left(), "positive control: something runs"
        yield example
    finally:
        example.must([end])
        assert example.left() == []


@contextmanager
def built(example: Example, image: str) -> Iterator[None]:
    """An image by the README's first command, which its last one removes."""
    build, *_, end = example.commands
    try:
        example.must([build])
        yield
    finally:
        example.must([end])
        assert run("docker", "image", "inspect", example.here(image)).status != 0
