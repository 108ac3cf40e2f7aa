"""Errors that a person reads: statuses, and a value shown on one line."""

from __future__ import annotations

import errno
import os

import pytest

from deskgate import errors
from deskgate.errors import Problem, SettingsError, Status

STATUSES = [
    (errors.UsageError, os.EX_USAGE),
    (errors.MissingFileError, os.EX_NOINPUT),
    (errors.ProgramError, os.EX_UNAVAILABLE),
    (errors.InternalError, os.EX_SOFTWARE),
    (errors.RuntimeFolderError, os.EX_CANTCREAT),
    (errors.SettingsError, os.EX_CONFIG),
]


@pytest.mark.parametrize(("kind", "status"), STATUSES)
def test_an_error_ends_with_its_status_of_sysexits(
    kind: type[errors.DeskgateError], status: int
) -> None:
    """Scripts tell by it what to do; 126 and 127 are left to the user's command."""
    assert kind.status == status
    assert status not in {Status.NOT_EXECUTABLE, Status.NOT_FOUND}


def test_an_error_is_one_line() -> None:
    """Unless it is many."""
    assert errors.UsageError("no such command").lines == ["no such command"]


def test_bad_settings_are_said_together_and_sorted() -> None:
    """A line each; a hidden value is not shown, nor that there was one."""
    error = SettingsError(
        [
            Problem(name="VNC_TOKEN", given=None, allowed="give 32 characters"),
            Problem(name="DISPLAY", given="1", allowed="give a number, such as :1"),
        ]
    )
    assert error.lines == [
        'DISPLAY: cannot use "1": give a number, such as :1',
        "VNC_TOKEN: give 32 characters",
    ]
    assert str(error) == "\n".join(error.lines)


def test_a_near_name_is_offered() -> None:
    """None, when nothing is near: a wrong one would mislead."""
    assert errors.did_you_mean("xvcn", {"gate", "xvnc"}) == "; did you mean xvnc?"
    assert errors.did_you_mean("database", ["gate", "xvnc"]) == ""


QUOTED = [
    ("https://me:pw@desk/?a=1#token=5f0c", '"https://(hidden)@desk/?a=1#token=(hidden)"'),
    ("mail me@example.org", '"mail me@example.org"'),
    ("1280*800", '"1280*800"'),
    ("a\nVNC: forged", '"a\\nVNC: forged"'),
    ("\x1b[31m\u202e", '"\\x1b[31m\\u202e"'),
    ("x" * 80, '"' + "x" * 80 + '"'),
    ("x" * 81, '"' + "x" * 80 + '…"'),
]


@pytest.mark.parametrize(("value", "shown"), QUOTED)
def test_a_value_is_shown_on_one_line(value: str, shown: str) -> None:
    """It forges none, moves no terminal, and floods nobody."""
    assert errors.quote(value) == shown


DENIED = {
    errno.EAGAIN: "--pids-limit",
    errno.EMFILE: "nofile",
    errno.ENOMEM: "--memory",
    errno.ENOSPC: "No space left on device",
}


@pytest.mark.parametrize("number", DENIED, ids=errno.errorcode.__getitem__)
def test_a_limit_is_called_by_its_name(number: int) -> None:
    """`Resource temporarily unavailable` tells nobody what to raise."""
    assert DENIED[number] in errors.reason_of(OSError(number, os.strerror(number)))


def test_an_error_without_a_number_is_called_by_its_kind() -> None:
    """Python raises some of its own."""
    assert errors.reason_of(TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize("limit", errors.LIMITS)
def test_what_a_limit_denies_names_the_limit(limit: int) -> None:
    """69, and no bug of ours."""
    told = errors.as_told(OSError(limit, "no"))
    assert (told.status, str(told)) == (
        Status.UNAVAILABLE,
        f"deskgate: cannot go on: {errors.LIMITS[limit]}",
    )


@pytest.mark.parametrize("error", [KeyError("hunter2"), OSError(errno.EIO, "hunter2")], ids=repr)
def test_what_nobody_foresaw_is_a_bug_of_ours_without_its_value(error: Exception) -> None:
    """It may be a secret."""
    told = errors.as_told(error)
    kind = type(error).__name__
    assert told.status == Status.SOFTWARE
    assert str(told) == f"this is a bug of ours ({kind}); DESKGATE_DEBUG=1 shows it"


def test_what_somebody_else_wrote_steers_no_terminal() -> None:
    """Nor does what turns the direction of a line around, or begins one."""
    for text in ("\x1b]52;c;ZQ==\x07", "\x9b2J", "\r\n", "\u202e", "\u2028"):
        assert errors.printable(f"a{text}b").isprintable()
    assert errors.printable("a \\ – ü") == "a \\ – ü"
