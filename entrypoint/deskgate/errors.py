"""Every error that deskgate tells a person, and the exit status each one ends with.

    DeskgateError               (never raised itself)
    ├── UsageError          64  wrong command line
    ├── MissingFileError    66  a named file is missing
    ├── ProgramError        69  an essential program did not become ready or kept dying
    ├── InternalError       70  our bug
    ├── RuntimeFolderError  73  the runtime folder cannot be written
    └── SettingsError       78  bad settings, all of them at once

Statuses are those of sysexits.h. Only `cli.main` catches, prints and exits.
Texts start with the name of the setting or thing, then "cannot", never hold a secret, and say
what is allowed.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """Our own exit statuses (sysexits.h); the user's command passes its own through."""

    OK = 0
    USAGE = 64
    NO_INPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    CANT_CREATE = 73
    CONFIG = 78
    # As a shell answers for the user's command (POSIX.1-2024, 2.8.2 Exit status for commands).
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127


# What the system may deny us, and which limit denies it (errno(3)).
LIMITS: Final = {
    errno.EAGAIN: "no more processes are allowed here: raise --pids-limit, or --ulimit nproc",
    errno.EMFILE: "no more open files are allowed here: raise --ulimit nofile",
    errno.ENFILE: "the machine has no more open files",
    errno.ENOMEM: "there is no more memory: raise --memory",
}


def reason_of(error: OSError) -> str:
    """Why the system refused; where a limit did, its name."""
    return LIMITS.get(error.errno or 0) or error.strerror or type(error).__name__


class DeskgateError(Exception):
    """What a person can act on: printed as lines, without a traceback."""

    status = Status.SOFTWARE

    @property
    def lines(self) -> Sequence[str]:
        """What to print, one problem a line."""
        return [str(self)]


class UsageError(DeskgateError):
    """The command line makes no sense."""

    status = Status.USAGE


class MissingFileError(DeskgateError):
    """A file that a person named, or that has to be installed, is not there."""

    status = Status.NO_INPUT


class ProgramError(DeskgateError):
    """An essential program did not become ready, or kept dying."""

    status = Status.UNAVAILABLE


class InternalError(DeskgateError):
    """A promise that our own code broke."""

    status = Status.SOFTWARE


class RuntimeFolderError(DeskgateError):
    """No folder for the runtime files can be made or trusted."""

    status = Status.CANT_CREATE


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One bad setting.

    Args:
        name: the environment variable as the person wrote it (an alias stays an alias).
        given: its value, or None when it is a secret or the value is not the point.
        allowed: what is allowed, with an example.
    """

    name: str
    given: str | None
    allowed: str

    def __str__(self) -> str:
        if self.given is None:
            return f"{self.name}: {self.allowed}"
        return f"{self.name}: cannot use {quote(self.given)}: {self.allowed}"


class SettingsError(DeskgateError):
    """All bad settings of one start, sorted by name."""

    status = Status.CONFIG

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.name))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def lines(self) -> Sequence[str]:
        """One line a problem."""
        return [str(problem) for problem in self.problems]


def as_told(error: Exception) -> DeskgateError:
    """What to say of an error that nobody foresaw: a limit of the container's, or a bug of ours."""
    if isinstance(error, OSError) and error.errno in LIMITS:
        return ProgramError(f"deskgate: cannot go on: {reason_of(error)}")
    # The error's text may hold a value of a setting, so only its kind is told.
    kind = type(error).__name__
    return InternalError(f"this is a bug of ours ({kind}); DESKGATE_DEBUG=1 shows it")


# What people put into an address without thinking of it: a user's password, and a link's token.
SECRET_IN_URL: Final = re.compile(r"(?<=://)[^/@\s]*(?=@)|(?<=token=)[^&\s]+")


def printable(text: str, *, kept: str = "") -> str:
    """A text as one line that steers no terminal: control characters escaped, but those kept."""
    return "".join(
        char if char.isprintable() or char in kept else char.encode("unicode_escape").decode()
        for char in text
    )


def quote(value: str, *, limit: int = 80) -> str:
    """Show a person's value on one line: control bytes escaped, cut to `limit` characters.

    What is secret in an address is hidden.
    """
    value = SECRET_IN_URL.sub("(hidden)", value)
    shown = value if len(value) <= limit else value[:limit] + "…"
    return f'"{printable(shown)}"'


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, as the end of a sentence; empty when none is near."""
    # Imported here: most starts have no unknown name, and difflib costs 5 ms.
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""
