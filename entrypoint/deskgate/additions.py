"""Additions: the programs and hooks below /etc/deskgate, found and read. Shell around `dropins`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from deskgate import files, identity, programs, surroundings
from deskgate.errors import Problem, SettingsError
from deskgate.forms import FormError
from deskgate.programs import ADDED, Place, Program
from deskgate.reading import Reading

FOLDERS: Final = ("start.d", "programs.d")
FILE_BYTES: Final = 256 * 1024  # of one drop-in; far above any honest one


class Additions(NamedTuple):
    """What was added and may run.

    Args:
        hooks: rows of `start.d`, in their order.
        rows: programs of `programs.d`.
        warnings: what their owner should know.
    """

    hooks: tuple[Program, ...] = ()
    rows: tuple[Program, ...] = ()
    warnings: tuple[str, ...] = ()


def find_additions(reading: Reading, environ: Mapping[str, str], place: Place) -> Additions:
    """Read and judge what is below /etc/deskgate.

    Raises:
        SettingsError: every problem.
    """
    if not reading.settings.enable_vnc:
        return Additions()
    root = Path(ADDED)
    names, warnings = find_hooks(root)
    hooks = programs.hooks(names)
    texts = read_programs(root)
    if place.users:  # root runs hooks, and drop-ins that say so
        added = (*FOLDERS, *(row.name for row in hooks), *texts)
        paths = [path for name in added if (path := root / name).exists()]
        identity.refuse_to_run(place.users.desktop, paths)
    if not texts:
        return Additions(hooks=hooks, warnings=tuple(warnings))
    # Imported here: 10 ms that a start without drop-ins does not pay.
    from deskgate import dropins

    several, desktop = identity.find(reading.settings)
    variables = surroundings.without_secrets(environ, reading.secret_variables, shared=False)
    display = {"DISPLAY": f":{reading.settings.display}", "XAUTHORITY": "/Xauthority"}
    ground = dropins.Ground(
        ours=programs.desktop_programs(reading.settings, place),
        folder=f"{ADDED}/programs.d",
        host=os.uname().nodename,
        # As `surroundings.of_programs` has them; the runtime folder is not made yet.
        variables={"HOME": "/", "LANG": "C", **variables, **display},
        uid=desktop.uid,
        root=several is not None or can_be_others(),
        find_user=find_user,
    )
    found = dropins.judge(texts, ground)
    return Additions(hooks=hooks, rows=found.rows, warnings=(*warnings, *found.warnings))


def _listed(folder: Path) -> list[str]:
    """The names in a folder as `LC_ALL=C ls` has them; none when there is no such folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        allowed = f"cannot read {folder}: {error.strerror}"
        raise SettingsError([Problem(name=folder.name, given=None, allowed=allowed)]) from None
    return sorted((name for name in names if not name.startswith(".")), key=os.fsencode)


def find_hooks(root: Path) -> tuple[list[str], list[str]]:
    """The names of the hooks below `root`, and a warning for each file that cannot be one."""
    names, warnings = [], []
    for name in _listed(root / "start.d"):
        path = str(root / "start.d" / name)
        if not programs.FILE_NAME.fullmatch(name):
            reason = "its name may hold letters, digits and . _ - only"
        elif not os.path.isfile(path) or not os.access(path, os.X_OK):  # noqa: PTH113 - no raising
            reason = "it is no file that can be executed; chmod +x makes it one"
        else:
            names.append(name)
            continue
        warnings.append(f"start.d/{ascii(name)[1:-1]}: skipped: {reason}")
    return names, warnings


def read_programs(root: Path) -> dict[str, str]:
    """The texts of the drop-in files below `root`, in order.

    Raises:
        SettingsError: names each file that cannot be read.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for name in _listed(root / "programs.d"):
        if not name.endswith(".conf"):
            continue
        source = f"programs.d/{ascii(name)[1:-1]}"
        try:
            if not programs.FILE_NAME.fullmatch(name):
                raise FormError("name it with letters, digits and . _ - alone")
            texts[source] = files.read_text(str(root / "programs.d" / name), limit=FILE_BYTES)
        except FormError as error:
            problems.append(Problem(name=source, given=None, allowed=f"cannot use it: {error}"))
    if problems:
        raise SettingsError(problems)
    return texts


def can_be_others() -> bool:
    """Whether supervisord can start a program as another user (capabilities(7))."""
    return os.geteuid() == 0 and {"SETGID", "SETUID"}.isdisjoint(identity.missing_capabilities())


def find_user(text: str) -> int | None:
    """The uid of a user's name or number, as supervisord finds it; None for nobody."""
    import pwd  # late: only a `user=` needs it

    try:
        found = pwd.getpwuid(int(text)) if text.isdigit() else pwd.getpwnam(text)
    except KeyError:
        return None
    return found.pw_uid
