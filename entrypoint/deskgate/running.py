"""Look at the running desktop: `deskgate status`. Standard library only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from deskgate import files
from deskgate.errors import ProgramError, Status
from deskgate.probe import ask_status


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


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print rows of text as columns; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def status(*, as_json: bool) -> int:
    """Print the programs, their restarts and who watches."""
    folder = runtime_folder()
    found = json_file(folder / "status.json")
    told = ask_status(folder)
    found["viewers"] = told and told["viewers"]
    if as_json:
        print(json.dumps(found, indent=1))
        return Status.OK
    head = ("PROGRAM", "STATE", "PID", "RESTARTS", "SINCE", "LAST EXIT")
    keys = ("name", "state", "pid", "restarts", "since", "last_exit")
    rows = [tuple(str(row[key] if row[key] is not None else "-") for key in keys)
            for row in found["programs"]]  # fmt: skip
    print_table([head, *rows])
    counts = found["viewers"]
    if counts is not None:
        print(f"viewers: {counts['control']} control, {counts['view']} watching")
    return Status.OK
