"""What the help says, and that it is so."""

from __future__ import annotations

import ast
import inspect

import pytest

from deskgate import cli
from deskgate.errors import UsageError
from deskgate.usage import COMMANDS, help_for, overview

COLUMNS = 80


def test_the_overview_has_a_line_for_each_command() -> None:
    """What is not named does not exist; it is in the order of the table, by groups."""
    lines = overview().splitlines()
    for command in COMMANDS:
        assert f"  {command.name:<12}  {command.about}" in lines
    assert [line for line in lines if line and line[0].isupper()][:5] == [
        "The entrypoint",
        "Before a start",
        "Links of the running desktop",
        "The running desktop",
        "This shell",
    ]


@pytest.mark.parametrize("words", [(), *[tuple(each.name.split()) for each in COMMANDS]], ids=str)
def test_help_fits_a_terminal(words: tuple[str, ...]) -> None:
    """Of 80 columns; the line of a usage may wrap."""
    lines = [line for line in help_for(words).splitlines() if not line.startswith("usage:")]
    assert max(map(len, lines)) <= COLUMNS


def test_the_help_of_a_command_tells_its_options_and_an_example() -> None:
    """And what one line could not say."""
    assert help_for(["url"]).splitlines() == [
        "usage: deskgate url [--role control|view] [--once] [--ttl 30m] [--name NAME] [--qr] "
        "[--json]",
        "",
        "  The link, or a new one.",
        "  --ttl or --name makes a new token, as token add does, but for control.",
        "",
        "  --role control|view  whose; without it, control's",
        "  --once               one that works once, within ten minutes",
        "  --ttl 30m            how long it lives; without it, as long as the container",
        "  --name NAME          what the token is called",
        "  --qr                 also as a QR code, for a phone",
        "  --json               for machines",
        "",
        "  $ docker exec NAME deskgate url --role view --qr",
    ]
    assert help_for(["health"]).splitlines() == [
        "usage: deskgate health",
        "",
        "  Exit status 0 if the desktop really works.",
    ]


def test_the_help_of_the_first_word_is_that_of_all_that_begin_with_it() -> None:
    """`deskgate token --help`."""
    assert help_for(["token"]).count("usage: deskgate token ") == 4
    assert help_for(["token", "add"]).count("usage: ") == 1


def test_there_is_no_help_for_what_there_is_not() -> None:
    """64, and where to look."""
    with pytest.raises(UsageError, match="cannot find 'dance'"):
        help_for(["dance"])


def taken(name: str) -> set[str]:
    """The options that a command's function takes, and the ones that it calls."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(getattr(cli, name)))):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in ("flag", "text", "choice"):
            found.update(
                str(each.value) for each in node.args[:1] if isinstance(each, ast.Constant)
            )
        elif called == "_show":
            found |= taken("_show")
    return found


@pytest.mark.parametrize("name", [name for name in cli.COMMANDS if name not in ("run", "help")])
def test_the_options_of_the_help_are_those_that_are_taken(name: str) -> None:
    """No more and no fewer; `-f` is short for what else is taken."""
    told = {
        option.name
        for command in COMMANDS
        if command.name.split()[0] == name
        for option in command.options
    }
    assert told == taken(f"_{name}") - {"--follow"}


def test_every_command_is_in_the_table() -> None:
    """And nothing else is; the help itself aside."""
    assert {command.name.split()[0] for command in COMMANDS} | {"help"} == set(cli.COMMANDS)
