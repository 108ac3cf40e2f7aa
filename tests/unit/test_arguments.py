"""The words of a command line: taken in any order, and none left over."""

from __future__ import annotations

import pytest

from deskgate.arguments import Arguments, asks_for_help
from deskgate.errors import UsageError


def test_words_are_taken_in_any_order() -> None:
    """Flags, options in both forms, operands."""
    arguments = Arguments("token", ["--json", "add", "--ttl=12h", "bob", "--role", "view"])
    assert arguments.choice("--role", "control", "view") == "view"
    assert arguments.text("--ttl") == "12h"
    assert (arguments.flag("--json"), arguments.flag("--json")) == (True, False)
    assert (arguments.operand(), arguments.operand(), arguments.operand()) == ("add", "bob", None)
    arguments.end()


def test_what_is_not_there_is_none_or_the_first_choice() -> None:
    """And a name that only begins alike is another."""
    arguments = Arguments("token", ["--roles"])
    assert arguments.text("--role") is None
    assert arguments.choice("--role", "control", "view") == "control"
    assert arguments.operand() is None


@pytest.mark.parametrize("words", [["--ttl"], ["--ttl="], ["--ttl", ""]], ids=str)
def test_an_option_without_its_value_is_refused(words: list[str]) -> None:
    """Never taken as none."""
    with pytest.raises(UsageError, match="token: --ttl needs a value"):
        Arguments("token", words).text("--ttl")


def test_another_choice_is_refused_with_those_there_are() -> None:
    """As they are written."""
    with pytest.raises(UsageError, match="token: --role is one of: control, view"):
        Arguments("token", ["--role=king"]).choice("--role", "control", "view")


def test_what_nobody_took_is_refused() -> None:
    """A misspelt option must not do nothing."""
    with pytest.raises(UsageError, match="token: cannot use '--quite'"):
        Arguments("token", ["--quite"]).end()


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("--help", True),
        ("token add --name alice -h", True),
        ("run --help", True),
        ("run -- ls --help", False),
        ("run ls --help", False),
        ("status --helpful", False),
        ("", False),
    ],
)
def test_help_is_asked_for_anywhere_but_in_a_command_that_is_run(line: str, asks: bool) -> None:
    """That one may have a help of its own."""
    assert asks_for_help(line.split()) == asks
