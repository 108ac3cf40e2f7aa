"""The commands of a page, and whether what they print is what the page shows. Pure.

A console block is run unless the line above it says why not: `<!-- not run: REASON -->`,
`<!-- run by tests/… -->`, or `<!-- exhaustive -->` for one that takes long. A block of another
language is a file when one of its first two lines names it in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
FENCE: Final = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<mark>[^\n]*) -->\n(?P=indent))?```(?P<language>\w+)\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
NAME: Final = re.compile(r"(?:[;#]|//|<!--) ([\w./-]*[\w-])(?: -->)?")
STAYS: Final = "the desktop is ready"  # what a `docker run` that goes on shows
# In what is shown: a part that is left out, a number or time, white space.
LOOSE: Final = re.compile(r"(?P<rest>[\w./-]*…[\w./-]*)|(?P<number>\d[\d.:TZ-]*)|(?P<space>\s+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block, with what the line above it says."""

    language: str
    text: str
    mark: str | None

    @property
    def name(self) -> str | None:
        """The file that it is, if it names one."""
        for line in self.text.splitlines()[:2]:
            if found := NAME.fullmatch(line):
                return found[1]
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What stands behind a prompt, and the lines that it prints."""

    line: str
    shown: tuple[str, ...]

    @property
    def stays(self) -> bool:
        """Whether it goes on while the page does."""
        if not self.line.startswith("docker run ") or "--detach" in self.line:
            return False
        return any(STAYS in line for line in self.shown)


def read_blocks(page: str) -> list[Block]:
    """Every fenced block, in order; one in a list is indented, and its text here is not."""
    return [
        Block(language=found["language"], text=dedent(found["text"]), mark=found["mark"])
        for found in FENCE.finditer(page)
    ]


def read_commands(text: str) -> Iterator[Command]:
    """The commands of a console block; a line that ends with a backslash goes on."""
    lines = text.splitlines()
    assert lines[0].startswith("$ "), f"a console block begins with a command: {lines[0]}"
    while lines:
        line = lines.pop(0)[2:]
        while line.endswith("\\"):
            line += "\n" + lines.pop(0)
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        yield Command(line=line, shown=tuple(shown))


def _pattern(shown: str) -> re.Pattern[str]:
    parts, at = [], 0
    for found in LOOSE.finditer(shown):
        loose = {"rest": ".*", "number": r"\d[\d.:TZ-]*", "space": r"\s+"}[found.lastgroup or ""]
        parts += [re.escape(shown[at : found.start()]), loose]
        at = found.end()
    return re.compile("".join([*parts, re.escape(shown[at:])]) + r"\s*")


def missing(shown: tuple[str, ...], printed: str) -> str | None:
    """The first line that is shown and was not printed, in order; None when all were."""
    lines = iter(printed.splitlines())
    for line in shown:
        pattern = _pattern(line)
        if line != "…" and not any(pattern.fullmatch(each) for each in lines):
            return line
    return None
