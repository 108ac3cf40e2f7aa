"""Sections of supervisord.conf: the keys of ours, and what a drop-in leaves to supervisord."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected, boolean

from deskgate.errors import DeskgateError, InternalError, Problem, SettingsError
from deskgate.forms import word_list
from deskgate.signs import read_sign

if TYPE_CHECKING:
    from deskgate.conductor.embed import ProgramConfig

RESTARTS: Final = {
    RestartUnconditionally: "always",
    RestartWhenExitUnexpected: "unexpected",
    False: "never",
}


def complete(parser: Any, section: str) -> None:
    """Put into a section what holds for every program; in a drop-in it may be anything."""
    # An end within them would break an assertion of supervisor's: we call a program running early.
    parser.set(section, "startsecs", "0")
    # Files that nobody writes, in folders that may not be there.
    parser.set(section, "stdout_logfile", "NONE")
    parser.set(section, "stderr_logfile", "NONE")
    if not parser.has_option(section, "stopasgroup"):
        given = parser.has_option(section, "killasgroup")
        whole = parser.get(section, "killasgroup") if given else "true"
        parser.set(section, "stopasgroup", whole)  # grandchildren go with their program


def read_our_keys(program: ProgramConfig, parser: Any, section: str) -> None:
    """Read the keys that supervisord ignores; `%(NAME)s` means in them what it does in its own."""
    name = str(program.name)
    names = {"program_name": name, "group_name": name, "host_node_name": platform.node()}

    def get(key: str, default: str) -> str:
        return str(parser.saneget(section, key, default, expansions=names))

    program.needs = word_list(get("needs", ""))
    program.ready = get("ready", "spawn")
    program.ready_seconds = float(get("ready_seconds", "0" if program.ready == "exit" else "30"))
    program.live = read_sign(get("live", ""))
    for flag in ("essential", "chatty", "reads_secret"):
        setattr(program, flag, boolean(get(flag, "false")))
    program.restarts = RESTARTS[program.autorestart]
    program.hook = get("hook", "") != ""
    program.name = get("hook", name)


def compare(
    programs: Sequence[ProgramConfig], expected: Mapping[str, Sequence[str] | None]
) -> None:
    """See that what was read is what was planned: `expected` is as in `embed.load`.

    Raises:
        InternalError: names the programs that differ.
    """
    found = {program.name: program.command for program in programs}
    differ = found.keys() ^ expected.keys()
    for name, argv in expected.items():
        if argv is not None and name in found and shlex.split(found[name]) != list(argv):
            differ.add(name)
    if differ:
        raise InternalError(f"supervisord.conf: {', '.join(sorted(differ))} reads back differently")


def blame(message: str, configfile: str) -> DeskgateError:
    """The error for a file that supervisord's parser refuses; the fault of a drop-in, or ours.

    Args:
        message: its text, which also holds values, and the name of every variable.
    """
    named = re.findall(r"(?:file|errors): '([^'\n]+)'", message)
    if not named or named[-1] == configfile:
        return InternalError("supervisord.conf: cannot be read; please report this")
    path = PurePath(named[-1])
    section = re.search(r"section 'program:([\w.-]+)'", message)
    where = f"{section[1]}: " if section else ""
    text = f"{where}supervisord cannot read it; look at its values"
    name = f"{path.parent.name}/{path.name}"
    return SettingsError([Problem(name=name, given=None, allowed=text)])
