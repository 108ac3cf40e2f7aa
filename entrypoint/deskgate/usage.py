"""The commands and their options: the one table that `--help` and the completion go by. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deskgate.errors import UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command.

    Args:
        value: what follows it, its choices divided by `|`; empty for a flag.
    """

    name: str
    value: str
    about: str

    def __str__(self) -> str:
        return f"{self.name} {self.value}".rstrip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command.

    Args:
        name: one word, or two.
        operands: what follows its options, as it stands in the line of its usage.
        more: what one line cannot say.
        examples: whole lines.
    """

    name: str
    about: str
    options: tuple[Option, ...] = ()
    operands: str = ""
    more: str = ""
    examples: tuple[str, ...] = ()


JSON: Final = Option("--json", "", "for machines")
QR: Final = Option("--qr", "", "also as a QR code, for a phone")
ROLE: Final = "control|view"
TTL: Final = Option("--ttl", "30m", "how long it lives; without it, as long as the container")
NAME: Final = Option("--name", "NAME", "what the token is called")

GROUPS: Final[Mapping[str, tuple[Command, ...]]] = {
    "The entrypoint": (
        Command(
            name="run",
            about="the desktop, then your command in the foreground",
            options=(Option("--qr", "", "print the control link as a QR code, as VNC_QR=1 does"),),
            operands="[--] [COMMAND…]",
            more="Ends with the command's own status, and takes the desktop down with it.",
            examples=(
                "docker run --rm -p 127.0.0.1:8002:8002 deskgate:python",
                "docker run --rm -it deskgate:python bash",
            ),
        ),
    ),
    "Before a start": (
        Command(
            name="check",
            about="every setting in force and where it came from",
            options=(JSON,),
            more="Starts nothing. Names of other images in the environment get a hint.",
            examples=("docker run --rm --entrypoint deskgate -e DISPLAY=:2 IMAGE check",),
        ),
        Command(
            name="render",
            about="the files that run would write, secrets hidden",
            operands="[DIR]",
            more="Starts nothing. With a folder, writes them there.",
        ),
        Command(
            name="install",
            about="the packages that this image needs for a desktop",
            options=(
                Option("--desktop", "jwm|xfce|none", "which one; without it, jwm"),
                Option("--dry-run", "", "only print what would be done"),
            ),
            more="For a Dockerfile, as root, on Debian or Ubuntu.",
        ),
    ),
    "Links of the running desktop": (
        Command(
            name="url",
            about="the link, or a new one",
            options=(
                Option("--role", ROLE, "whose; without it, control's"),
                Option("--once", "", "one that works once, within ten minutes"),
                TTL,
                NAME,
                QR,
                JSON,
            ),
            more="--ttl or --name makes a new token, as token add does, but for control.",
            examples=("docker exec NAME deskgate url --role view --qr",),
        ),
        Command(
            name="token add",
            about="a new link for somebody else",
            options=(
                NAME,
                Option("--role", ROLE, "what it allows; without it, view"),
                TTL,
                QR,
                JSON,
            ),
            examples=("docker exec NAME deskgate token add --name alice --ttl 30m",),
        ),
        Command(
            name="token list",
            about="names, roles, ends and viewers; never a token",
            options=(JSON,),
        ),
        Command(
            name="token revoke",
            about="its link opens nothing any more, its viewers end",
            operands="NAME",
        ),
        Command(
            name="token rotate",
            about="a new link in the place of the old one",
            options=(TTL, QR, JSON),
            operands="NAME",
        ),
    ),
    "The running desktop": (
        Command(
            name="status",
            about="programs, their uptime and restarts, viewers",
            options=(Option("--watch", "", "go on until ^C"), JSON),
        ),
        Command(
            name="restart",
            about="stop programs and start them again",
            operands="PROGRAM…",
            more="Ends when they are ready.",
        ),
        Command(
            name="logs",
            about="the newest lines of the log",
            options=(Option("-f", "", "go on until ^C"),),
            operands="[PROGRAM…]",
        ),
        Command(
            name="doctor",
            about="the likely mistake, and what mends it",
            options=(
                Option("--link", "", "try a link from here, as a browser would"),
                Option("--frame", "ORIGIN", "with --link: may this page show it in a frame?"),
                JSON,
            ),
            more="Reads the link from standard input, as an argument is seen by others.",
            examples=(
                "docker exec NAME deskgate doctor",
                "docker run --rm --entrypoint deskgate IMAGE doctor",
                "docker exec NAME deskgate url | deskgate doctor --link",
            ),
        ),
        Command(name="health", about="exit status 0 if the desktop really works"),
    ),
    "This shell": (
        Command(
            name="completion",
            about="a script that completes these commands",
            operands="bash|zsh|fish",
            examples=(
                'eval "$(deskgate completion bash)"',
                "deskgate completion fish | source",
            ),
        ),
    ),
}
COMMANDS: Final = tuple(command for group in GROUPS.values() for command in group)
INDENT: Final = "  "


def _columns(pairs: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(left) for left, _ in pairs)
    return [f"{INDENT}{left:<{width}}  {right}" for left, right in pairs]


def overview() -> str:
    """What `deskgate --help` says: each command in one line."""
    width = max(len(command.name) for command in COMMANDS)
    lines = ["usage: deskgate COMMAND [OPTIONS]"]
    for title, group in GROUPS.items():
        pairs = [(f"{command.name:<{width}}", command.about) for command in group]
        lines += ["", title, *_columns(pairs)]
    examples = [example for command in COMMANDS for example in command.examples[:1]]
    return "\n".join(
        [
            *lines,
            *("", "Examples", *(f"{INDENT}{each}" for each in examples)),
            *("", "deskgate COMMAND --help tells the rest; deskgate --version which one this is."),
            *("Settings are environment variables: deskgate check lists them all.", ""),
        ]
    )


def help_for(words: Sequence[str]) -> str:
    """What `deskgate COMMAND --help` says, or all of a kind; without a command, the overview."""
    if not words:
        return overview()
    found = [command for command in COMMANDS if command.name.split()[: len(words)] == [*words]]
    if not found:
        raise UsageError(f"help: cannot find {' '.join(words)!r}; see deskgate --help")
    return "\n".join(map(_describe, found))


def _describe(command: Command) -> str:
    options = [f"[{option}]" for option in command.options]
    usage = " ".join(filter(None, ["usage: deskgate", command.name, *options, command.operands]))
    lines = [usage, "", f"{INDENT}{command.about[0].upper()}{command.about[1:]}."]
    lines += [f"{INDENT}{command.more}"] * bool(command.more)
    if command.options:
        lines += ["", *_columns([(str(option), option.about) for option in command.options])]
    if command.examples:
        lines += ["", *(f"{INDENT}$ {each}" for each in command.examples)]
    return "\n".join([*lines, ""])
