"""Look at the running desktop: `deskgate url` and `deskgate status`. Standard library only."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from deskgate import files
from deskgate.errors import ProgramError, Status
from deskgate.probe import ask_viewers
from deskgate.tokens import parse_expiry


class NotRunningError(ProgramError):
    """No desktop runs here, or not yet."""


def read_record(name: str) -> dict[str, Any]:
    """A JSON file of the running desktop's runtime folder.

    Raises:
        NotRunningError: it is not there (yet).
    """
    return json_file(runtime_folder() / name)


def runtime_folder() -> Path:
    """The running desktop's runtime folder."""
    folder = files.find_runtime_folder(os.environ)
    if folder is None:
        raise NotRunningError(
            f"cannot find a running desktop of uid {os.getuid()} here: is `deskgate run` up in "
            "this container, as this user?"
        )
    return folder


def json_file(path: Path) -> dict[str, Any]:
    """Parse one of our own files."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotRunningError("the desktop is not ready yet; try again in a moment") from None
    except ValueError:
        raise NotRunningError(f"cannot read {path}: no JSON; restart the container") from None
    except PermissionError:
        raise NotRunningError(f"cannot read {path}: run this as the desktop's own user") from None
    return found


def url(role: str, *, as_json: bool) -> int:
    """Print the link of a role."""
    links = read_record("start.json")["links"]
    if role not in links:
        raise ProgramError(f"url: cannot give a {role} link: this desktop has none")
    expires = links[role]["expires"]
    if expires is not None and parse_expiry(expires) <= time.time():
        raise ProgramError(
            f"url: cannot give a {role} link: it expired at {expires}; "
            "a restart of the container makes a new one"
        )
    print(json.dumps({"role": role, **links[role]}) if as_json else links[role]["url"])
    return Status.OK


def status(*, as_json: bool) -> int:
    """Print the programs, their restarts and who watches."""
    folder = runtime_folder()
    found = json_file(folder / "status.json")
    found["viewers"] = ask_viewers(folder)
    if as_json:
        print(json.dumps(found, indent=1))
        return Status.OK
    print(f"{'PROGRAM':<12} {'STATE':<10} {'PID':>6} {'RESTARTS':>8}  {'SINCE':<20}  LAST EXIT")
    for row in found["programs"]:
        print(
            f"{row['name']:<12} {row['state']:<10} {row['pid'] or '-':>6} {row['restarts']:>8}  "
            f"{row['since'] or '-':<20}  {row['last_exit'] or '-'}"
        )
    counts = found["viewers"]
    if counts is not None:
        print(f"viewers: {counts.get('control', 0)} control, {counts.get('view', 0)} watching")
    return Status.OK
