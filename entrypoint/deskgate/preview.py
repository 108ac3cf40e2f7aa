"""Look before anything starts: `deskgate check` and `deskgate render`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from deskgate import clock, files, identity, place, runtime, start, streams
from deskgate.additions import Additions, find_additions
from deskgate.colours import BOLD, GREEN, paint
from deskgate.errors import RuntimeFolderError, Status
from deskgate.plan import Plan, make_plan
from deskgate.programs import ADDED, Place
from deskgate.reading import Reading
from deskgate.settings import ROWS, SECTIONS
from deskgate.users import User, Users

HIDDEN = "(hidden)"


def shown(value: Any) -> str:
    """A setting's value as a person would write it."""
    if value is None or value == ():
        return "(unset)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value) if value != "" else "*"


def describe(reading: Reading) -> list[dict[str, str]]:
    """Every setting in force, secrets masked, in the order of the sections."""
    rows = []
    for section in SECTIONS:
        for name, field in ROWS.items():
            if field.metadata["section"] != section:
                continue
            value = getattr(reading.settings, field.name)
            masked = HIDDEN if field.metadata["secret"] and value else shown(value)
            if name == "DISPLAY":
                masked = f":{value}"
            rows.append(
                {
                    "section": section,
                    "name": name,
                    "value": masked,
                    "source": reading.sources[name],
                    "about": field.metadata["about"],
                }
            )
    return rows


def describe_users(several: Users | None, desktop: User) -> dict[str, str]:
    """Who runs what, as `uid:gid`."""
    one = {"all programs and your command": desktop}
    three = several and {
        "gate": several.gate,
        "Xvnc": several.xvnc,
        "the desktop and your command": several.desktop,
    }
    return {name: f"{user.uid}:{user.gid}" for name, user in (three or one).items()}


def describe_additions(added: Additions) -> list[dict[str, Any]]:
    """Each hook and drop-in, in the order of their files."""
    return [
        {"name": row.name, "source": row.source or row.name, "needs": list(row.needs)}
        for row in (*added.hooks, *added.rows)
    ]


def check(*, as_json: bool) -> int:
    """Print every setting with its source; raises SettingsError with every problem."""
    environ = files.read_environment()
    reading, _ = start.read(environ)
    several, desktop = identity.find(reading.settings)
    added = find_additions(reading, environ, place.find_place(reading.settings, environ, several))
    warnings = [*reading.warnings, *added.warnings]
    rows, users = describe(reading), describe_users(several, desktop)
    programs = describe_additions(added)
    if as_json:
        told = {
            "settings": rows,
            "users": users,
            "added": programs,
            "warnings": warnings,
            "hints": reading.hints,
        }
        print(json.dumps(told, indent=1))
        return Status.OK
    colour = streams.has_colours(streams.STDOUT)
    print(*sections(rows, users, programs, colour=colour), sep="\n", flush=True)
    for warning in warnings:
        streams.tell("warning", warning)
    for hint in reading.hints:
        streams.tell("hint", hint)
    return Status.OK


def sections(
    rows: Sequence[Mapping[str, str]],
    users: Mapping[str, str],
    programs: Sequence[Mapping[str, Any]],
    *,
    colour: bool,
) -> list[str]:
    """What `check` prints: a table for each section; what somebody has set stands out."""
    names, values = (max(len(row[key]) for row in rows) for key in ("name", "value"))
    lines = []
    for section in SECTIONS:
        lines += ["", paint(section, BOLD, on=colour)]
        for row in rows:
            if row["section"] == section:
                given = colour and row["source"] != "default"
                value = paint(row["value"], GREEN, on=given) + " " * (values - len(row["value"]))
                lines.append(f"  {row['name']:<{names}}  {value}  {row['source']}")
    lines += ["", paint("users", BOLD, on=colour)]
    widest = max(map(len, users))
    lines += [f"  {name:<{max(names, widest)}}  {ids}" for name, ids in users.items()]
    if programs:
        lines += ["", paint(f"added below {ADDED}", BOLD, on=colour)]
    for each in programs:
        needs = f"needs {', '.join(each['needs'])}" if each["needs"] else ""
        lines.append(f"  {each['name']:<{names}}  {each['source']:<{values}}  {needs}".rstrip())
    return lines[1:]


def _plan(folder: PurePosixPath) -> Plan:
    # Nothing is looked for: a container's plan can be read where no Xvnc is installed.
    environ = files.read_environment()
    reading, extra = start.read(environ)
    settings = reading.settings
    place = Place(
        folder=folder,
        python=sys.executable,
        web=settings.novnc_web or str(files.web_dir()),
        window_manager=() if settings.desktop == ("none",) else settings.desktop,
    )
    added = find_additions(reading, environ, place)
    chance = start.take_chance()
    return make_plan(
        reading,
        place,
        chance,
        booted=clock.booted_at(),
        now=time.time(),
        show_terminal=True,
        extra=extra,
        added=(*added.hooks, *added.rows),
    )


def render(folder: str | None) -> int:
    """Print what `run` would write, or write it into `folder`; secrets hidden either way."""
    from deskgate.render import hide_secrets, render_files

    plan = hide_secrets(_plan(PurePosixPath(folder or runtime.RUN_FOLDER)))
    rendered = {**render_files(plan, files.read_template), **plan.files}
    for name, data in sorted(rendered.items()):
        if folder is None:
            print(f"==> {plan.place.path(name)} <==\n{data.decode()}")
            continue
        try:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write_private(Path(folder) / name, data)
        except OSError as error:
            raise RuntimeFolderError(f"render: cannot write {folder}: {error.strerror}") from None
    return Status.OK
