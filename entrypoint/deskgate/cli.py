"""The command line: thin. Parses, calls, and is the one place that catches, prints and exits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

import deskgate
from deskgate import streams
from deskgate.arguments import Arguments, asks_for_help
from deskgate.errors import DeskgateError, Status, UsageError, as_told, did_you_mean

if TYPE_CHECKING:
    from deskgate.manage import Show


def tell(error: DeskgateError) -> int:
    """Print an error, one line a problem; returns its exit status."""
    for line in error.lines:
        streams.tell("error", line)
    return error.status.value


def _run(words: Sequence[str]) -> NoReturn:
    from deskgate.start import run

    with_qr = words[:1] == ["--qr"]
    if with_qr:
        words = words[1:]
    if words[:1] == ["--"]:
        words = words[1:]
    elif words and words[0].startswith("-"):
        raise UsageError(f"run: cannot use {words[0]!r}: put -- before your command")
    if words and words[0].startswith("-"):
        raise UsageError(
            f"run: cannot run {words[0]!r}, which is no command; for deskgate's own commands: "
            "docker run --rm --entrypoint deskgate IMAGE --help"
        )
    run(list(words), tell, with_qr=with_qr)


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
    from deskgate import manage

    arguments = Arguments("url", words)
    role = arguments.choice("--role", "control", "view")
    name, ttl, show = arguments.text("--name"), arguments.text("--ttl"), _show(arguments)
    once = arguments.flag("--once")
    arguments.end()
    if once and (name or ttl):
        raise UsageError("url: --once is for a token that exists; leave out --name and --ttl")
    if once:
        return manage.once(role, show)
    if name is None and ttl is None:
        return manage.url(role, show)
    return manage.add(name, role, ttl, show)


def _show(arguments: Arguments) -> Show:
    from deskgate.manage import Show

    return Show(as_json=arguments.flag("--json"), qr=arguments.flag("--qr"))


def _token(words: Sequence[str]) -> int:
    from deskgate import manage

    action = words[0] if words else ""
    arguments = Arguments(f"token {action}", words[1:])
    if action == "add":
        name, role = arguments.text("--name"), arguments.choice("--role", "view", "control")
        ttl, show = arguments.text("--ttl"), _show(arguments)
        arguments.end()
        return manage.add(name, role, ttl, show)
    if action == "list":
        as_json = arguments.flag("--json")
        arguments.end()
        return manage.list_tokens(as_json=as_json)
    if action == "rotate":
        ttl, show = arguments.text("--ttl"), _show(arguments)
        given = _name_of(arguments, action)
        return manage.rotate(given, ttl, show)
    if action == "revoke":
        return manage.revoke(_name_of(arguments, action))
    raise UsageError("token: name what to do: add, list, revoke or rotate")


def _name_of(arguments: Arguments, action: str) -> str:
    name = arguments.operand()
    arguments.end()
    if name is None:
        raise UsageError(f"token {action}: name the token; deskgate token list shows them")
    return name


def _status(words: Sequence[str]) -> int:
    arguments = Arguments("status", words)
    as_json, live = arguments.flag("--json"), arguments.flag("--watch")
    arguments.end()
    if live:
        from deskgate.watching import watch

        return watch(as_json=as_json)
    from deskgate.running import status

    return status(as_json=as_json)


def _restart(words: Sequence[str]) -> int:
    from deskgate.control import restart

    programs = _programs(Arguments("restart", words))
    if not programs:
        raise UsageError("restart: name a program; deskgate status shows them")
    return restart(programs)


def _logs(words: Sequence[str]) -> int:
    from deskgate.control import logs

    arguments = Arguments("logs", words)
    follow = arguments.flag("-f") or arguments.flag("--follow")
    return logs(_programs(arguments), follow=follow)


def _programs(arguments: Arguments) -> list[str]:
    found = []
    while name := arguments.operand():
        found.append(name)
    arguments.end()
    return found


def _health(words: Sequence[str]) -> int:
    from deskgate.health import health

    Arguments("health", words).end()
    return health()


def _doctor(words: Sequence[str]) -> int:
    from deskgate import doctor

    arguments = Arguments("doctor", words)
    as_json, by_link = arguments.flag("--json"), arguments.flag("--link")
    frame = arguments.text("--frame")
    arguments.end()
    if by_link:
        return doctor.outside(frame or "", as_json=as_json)
    if frame:
        raise UsageError("doctor: --frame is for --link: it can only be tried from outside")
    return doctor.inside(as_json=as_json)


def _install(words: Sequence[str]) -> int:
    from deskgate.install import desktops, install

    arguments = Arguments("install", words)
    desktop = arguments.choice("--desktop", *desktops())
    dry_run = arguments.flag("--dry-run")
    arguments.end()
    return install(desktop, dry_run=dry_run)


def _completion(words: Sequence[str]) -> int:
    from deskgate.completion import complete

    arguments = Arguments("completion", words)
    shell = arguments.operand()
    arguments.end()
    return complete(shell)


def _help(words: Sequence[str]) -> int:
    from deskgate.usage import help_for

    print(help_for([word for word in words if not word.startswith("-")]), end="")
    return Status.OK


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": _run,
    "check": _check,
    "render": _render,
    "url": _url,
    "token": _token,
    "status": _status,
    "restart": _restart,
    "logs": _logs,
    "health": _health,
    "doctor": _doctor,
    "install": _install,
    "completion": _completion,
    "help": _help,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if asks_for_help(words):
            return _help(words)
        if words[:1] == ["--version"]:
            print(f"deskgate {deskgate.__version__}")
            return Status.OK
        if not words or words[0] not in COMMANDS:
            given = f"cannot use {words[0]!r}" if words else "name a command"
            hint = did_you_mean(words[0], COMMANDS) if words else ""
            raise UsageError(f"deskgate: {given}{hint or ': ' + ', '.join(COMMANDS)}")
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
        return tell(as_told(error))


def _trace() -> None:
    if os.environ.get("DESKGATE_DEBUG", "").lower() in ("1", "true", "yes", "on"):
        import traceback

        traceback.print_exc()
