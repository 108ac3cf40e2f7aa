"""Look at the running desktop: `deskgate status`. Standard library only."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deskgate import runtime, streams
from deskgate.errors import ProgramError, Status
from deskgate.files import read_own
from deskgate.probe import ask_status
from deskgate.streams import STDOUT
from deskgate.tables import format_table


class NotRunningError(ProgramError):
    """No desktop runs here, or not yet."""


def runtime_folder() -> Path:
    """The running desktop's runtime folder."""
    folder = find_runtime_folder(os.environ)
    if folder is None and _become_first():
        folder = find_runtime_folder(os.environ)
    if folder is None:
        raise NotRunningError(
            f"cannot find a running desktop of uid {os.getuid()} here: is `deskgate run` up in "
            "this container, as this user?"
        )
    return folder


def _become_first() -> bool:
    """Be who PID 1 is: root without DAC_OVERRIDE cannot look into the folder of somebody else.

    HEALTHCHECK is such a root where PID 1 became PUID.
    """
    from deskgate.identity import become
    from deskgate.users import User

    uid, gid = _first("Uid"), _first("Gid")
    if os.getuid() != 0 or uid == 0:
        return False
    try:
        become(User(uid, gid))
    except OSError:
        return False
    return True


def _first(name: str) -> int:
    """A real id of PID 1 (proc(5))."""
    about = Path("/proc/1/status").read_text(encoding="utf-8")
    return int(about.partition(f"{name}:")[2].split()[0])


def find_runtime_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder of the deskgate that runs in this container; None when none does."""
    chosen = environ.get("DESKGATE_RUNTIME_DIR") or None
    for folder in runtime.candidates(chosen, environ):
        # Not Path.is_file: it raises where a folder belongs to another user.
        if not os.path.isfile(folder / "status.json"):  # noqa: PTH113
            continue
        # Anybody may make one below /tmp, and he whose XDG_RUNTIME_DIR it is.
        if chosen or folder == runtime.RUN_FOLDER or folder.lstat().st_uid == os.getuid():
            return folder
    return _find_for_root() if os.getuid() == 0 and not chosen else None


def _find_for_root() -> Path | None:
    """`docker exec -u 0` looks at a desktop that runs as somebody else: PID 1, or below an init."""
    found = [
        p.parent for p in runtime.TMP.glob("deskgate-*/status.json") if _is_its_owners(p.parent)
    ]
    first = _first("Uid")
    if first or len(found) != 1:
        found = [folder for folder in found if folder.lstat().st_uid == first]
    return found[0] if found else None


def _is_its_owners(folder: Path) -> bool:
    """Whether a folder may be believed: below /tmp, anybody may make one."""
    return folder.parent != runtime.TMP or folder.name == f"deskgate-{folder.lstat().st_uid}"


def json_file(path: Path) -> dict[str, Any]:
    """Parse one of our own files."""
    try:
        found: dict[str, Any] = json.loads(read_own(path)[0])
    except FileNotFoundError:
        raise NotRunningError("the desktop is not ready yet; try again in a moment") from None
    except ValueError:
        raise NotRunningError(f"cannot read {path}: no JSON; restart the container") from None
    except PermissionError:
        raise NotRunningError(
            f"cannot read {path}: run this as the user that the container was started as"
        ) from None
    return found


def print_table(table: Iterable[Iterable[object]]) -> None:
    """Print rows as columns; the first row is the head."""
    print(*format_table(table, colour=streams.has_colours(STDOUT)), sep="\n")


def format_age(seconds: float) -> str:
    """A time span for people: `42 s`, `3 m`, `2 h`, `5 d`, never rounded up."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def look() -> dict[str, Any]:
    """The programs, how long they run, their restarts and who watches, for machines."""
    folder = runtime_folder()
    found = json_file(folder / "status.json")
    now = time.monotonic()
    for row in found["programs"]:
        started = row.pop("started_at")  # by that clock, which nobody sets
        row["uptime_seconds"] = None if started is None else round(now - started, 1)
    told = ask_status(folder)
    found["viewers"] = told and told["viewers"]
    return found


def describe(found: Mapping[str, Any], *, colour: bool) -> list[str]:
    """The same for people."""
    table: list[Iterable[object]] = [("PROGRAM", "STATE", "PID", "UPTIME", "RESTARTS", "LAST EXIT")]
    for row in found["programs"]:
        seconds = row["uptime_seconds"]
        uptime = None if seconds is None else format_age(seconds)
        last = (row["pid"], uptime, row["restarts"], row["last_exit"])
        table.append((row["name"], row["state"], *last))
    counts = found["viewers"]
    viewers = [f"viewers: {counts['control']} control, {counts['view']} watching"] if counts else []
    return [*format_table(table, colour=colour), *viewers]


def status(*, as_json: bool) -> int:
    """Print how the desktop is."""
    found = look()
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        print(*describe(found, colour=streams.has_colours(STDOUT)), sep="\n")
    return Status.OK
