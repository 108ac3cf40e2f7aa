"""The command line: thin. Parses, calls, and is the one place that catches, prints and exits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import deskgate
from deskgate.errors import DeskgateError, Status, UsageError

USAGE = """\
usage: deskgate COMMAND [OPTIONS]

  run [--] [COMMAND…]        the entrypoint: the desktop, then your command in the foreground
  check [--json]             the settings in force and where each came from; starts nothing
  render [DIR]               the files that run would write, secrets hidden; starts nothing
  url [--role control|view] [--json]
                             the link of the running desktop
  status [--json]            programs, restarts, viewers of the running desktop
  health                     exit status 0 if the running desktop really works
  install [--dry-run]        the packages that this image needs for a desktop

  --help, --version          this text, the version
Settings are environment variables; `deskgate check` lists them all.
"""


class Arguments:
    """The words after a command, taken one by one; what is left over is an error.

    Not argparse: it costs 7 ms of each start and each health check.
    """

    def __init__(self, command: str, words: Sequence[str]) -> None:
        self._command = command
        self._words = list(words)

    def flag(self, name: str) -> bool:
        """Take `name`, if it is there."""
        if name in self._words:
            self._words.remove(name)
            return True
        return False

    def value(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """Take `name VALUE` or `name=VALUE`."""
        for at, word in enumerate(self._words):
            if word == name or word.startswith(f"{name}="):
                has_own = word != name
                taken = self._words[at : at + (1 if has_own else 2)]
                found = word.partition("=")[2] if has_own else (taken[1:] or [""])[0]
                if found not in allowed:
                    raise UsageError(f"{self._command}: {name} is one of: {', '.join(allowed)}")
                del self._words[at : at + len(taken)]
                return found
        return default

    def operand(self) -> str | None:
        """Take the next word that is no option."""
        for at, word in enumerate(self._words):
            if not word.startswith("-"):
                return self._words.pop(at)
        return None

    def end(self) -> None:
        """Refuse what nobody took."""
        if self._words:
            raise UsageError(f"{self._command}: cannot use {self._words[0]!r}: see deskgate --help")


def tell(error: DeskgateError) -> int:
    """Print an error, one line a problem; returns its exit status."""
    for line in error.lines:
        print(f"deskgate: error: {line}", file=sys.stderr)
    return error.status.value


def _run(words: Sequence[str]) -> NoReturn:
    from deskgate.start import run

    if words[:1] == ["--"]:
        words = words[1:]
    elif words and words[0].startswith("-"):
        raise UsageError(f"run: cannot use {words[0]!r}: put -- before your command")
    if words and words[0].startswith("-"):
        raise UsageError(
            f"run: cannot run {words[0]!r}, which is no command; for deskgate's own commands: "
            "docker run --rm --entrypoint deskgate IMAGE --help"
        )
    run(list(words), tell)


def _check(words: Sequence[str]) -> int:
    from deskgate.preview import check

    arguments = Arguments("check", words)
    as_json = arguments.flag("--json")
    arguments.end()
    return check(as_json=as_json)


def _render(words: Sequence[str]) -> int:
    from deskgate.preview import render

    arguments = Arguments("render", words)
    folder = arguments.operand()
    arguments.end()
    return render(folder)


def _url(words: Sequence[str]) -> int:
    from deskgate.running import url

    arguments = Arguments("url", words)
    role = arguments.value("--role", "control", ("control", "view"))
    as_json = arguments.flag("--json")
    arguments.end()
    return url(role, as_json=as_json)


def _status(words: Sequence[str]) -> int:
    from deskgate.running import status

    arguments = Arguments("status", words)
    as_json = arguments.flag("--json")
    arguments.end()
    return status(as_json=as_json)


def _health(words: Sequence[str]) -> int:
    from deskgate.health import health

    Arguments("health", words).end()
    return health()


def _install(words: Sequence[str]) -> int:
    from deskgate.install import install

    arguments = Arguments("install", words)
    dry_run = arguments.flag("--dry-run")
    arguments.end()
    return install(dry_run=dry_run)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": _run,
    "check": _check,
    "render": _render,
    "url": _url,
    "status": _status,
    "health": _health,
    "install": _install,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] in (["--help"], ["-h"], ["help"]):
            print(USAGE, end="")
            return Status.OK
        if words[:1] == ["--version"]:
            print(f"deskgate {deskgate.__version__}")
            return Status.OK
        if not words or words[0] not in COMMANDS:
            given = f"cannot use {words[0]!r}" if words else "name a command"
            raise UsageError(f"deskgate: {given}: {', '.join(COMMANDS)}")
        return COMMANDS[words[0]](words[1:])
    except DeskgateError as error:
        _trace()
        return tell(error)
    except BrokenPipeError:
        # The reader of our output left; what Python would flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.SOFTWARE
    except Exception as error:
        _trace()
        return tell(_bug(error))


def _trace() -> None:
    if os.environ.get("DESKGATE_DEBUG", "").lower() in ("1", "true", "yes", "on"):
        import traceback

        traceback.print_exc()


def _bug(error: Exception) -> DeskgateError:
    from deskgate.errors import InternalError

    # The error's text may hold a value of a setting, so only its kind is told.
    return InternalError(
        f"this is a bug of ours ({type(error).__name__}); DESKGATE_DEBUG=1 shows it"
    )
