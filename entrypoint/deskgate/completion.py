"""Shell completion: `deskgate completion bash`. shtab writes the script from our table."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Final

import shtab

from deskgate.errors import Status, UsageError
from deskgate.usage import COMMANDS, Command

SHELLS: Final = ("bash", "zsh", "fish")


def _fill(parser: ArgumentParser, command: Command) -> None:
    for option in command.options:
        if not option.value:
            parser.add_argument(option.name, action="store_true", help=option.about)
            continue
        choices = option.value.split("|") if "|" in option.value else None
        parser.add_argument(option.name, choices=choices, metavar=option.value, help=option.about)
    if "|" in command.operands:
        parser.add_argument("operand", choices=command.operands.split("|"))
    elif command.operands:
        operand = parser.add_argument("operand", nargs="*")
        if command.operands == "[DIR]":
            operand.complete = shtab.DIRECTORY  # type: ignore[attr-defined]


def parser() -> ArgumentParser:
    """Our commands as shtab reads them; nothing parses with it."""
    top = ArgumentParser(prog="deskgate")
    top.add_argument("--version", action="store_true", help="which one this is")
    inner = top.add_subparsers()
    groups = {}
    for command in COMMANDS:
        first, *second = command.name.split()
        if not second:
            _fill(inner.add_parser(first, help=command.about), command)
            continue
        if first not in groups:
            groups[first] = inner.add_parser(first, help="more links").add_subparsers()
        _fill(groups[first].add_parser(second[0], help=command.about), command)
    return top


def complete(shell: str | None) -> int:
    """Print the script of a shell."""
    if shell not in SHELLS:
        raise UsageError(f"completion: name a shell: {', '.join(SHELLS)}")
    print(shtab.complete(parser(), shell=shell))
    return Status.OK
