"""Look for the likely mistake: `deskgate doctor`, inside a container or, with a link, outside."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from deskgate import clock, files, health, place, probe, runtime, start, streams
from deskgate.additions import find_additions
from deskgate.address import read_link
from deskgate.colours import GREEN, RED, YELLOW, paint
from deskgate.diagnosis import (
    ERROR,
    OK,
    WARNING,
    Finding,
    Inside,
    diagnose,
    read_answers,
    read_version,
)
from deskgate.errors import DeskgateError, Status, printable
from deskgate.identity import find
from deskgate.journey import explain
from deskgate.neighbours import find_strangers
from deskgate.running import find_runtime_folder, json_file
from deskgate.visit import ask_for_link, visit

COLOURS: Final = {OK: GREEN, WARNING: YELLOW, ERROR: RED}
WIDTH: Final = max(map(len, COLOURS))


def inside(*, as_json: bool) -> int:
    """Look around in this container."""
    return _tell(diagnose(look()), as_json=as_json)


def outside(frame: str, *, as_json: bool) -> int:
    """Go where a link leads, which standard input tells."""
    return _tell(explain(visit(read_link(ask_for_link()), frame=frame)), as_json=as_json)


def _tell(findings: Sequence[Finding], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps([asdict(each) for each in findings], indent=1))
    else:
        colour = streams.has_colours(streams.STDOUT)
        for each in findings:
            level = paint(each.level, COLOURS[each.level], on=colour)
            # Some of it is what somebody else answered.
            what, fix = printable(each.what), printable(each.fix)
            print(f"{level}{' ' * (WIDTH - len(each.level))}  {what}")
            if fix:
                print(f"{' ' * WIDTH}  {paint('→', COLOURS[each.level], on=colour)} {fix}")
    bad = any(each.level == ERROR for each in findings)
    return Status.UNAVAILABLE if bad else Status.OK


def look() -> Inside:
    """What can be seen in this container, whether a desktop runs or not."""
    environ = files.read_environment()
    folder = find_runtime_folder(environ)
    seen: dict[str, Any] = {
        "running": folder is not None,
        "now": time.time(),
        "folders": {str(runtime.TMP): why} if (why := _why_unusable(runtime.TMP)) else {},
    }
    _look_at_settings(environ, seen)
    if folder is not None:
        try:
            _look_at_desktop(folder, seen)
        except DeskgateError as error:
            seen["ill"] = "; ".join(error.lines)
    return Inside(**seen)


def _why_unusable(folder: Path) -> str:
    if not folder.is_dir():
        return "it is not there"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"uid {os.getuid()} cannot write it"
    room = os.statvfs(folder)
    return "" if room.f_bavail and (room.f_favail or not room.f_files) else "it is full"


def _look_at_settings(environ: Mapping[str, str], seen: dict[str, Any]) -> None:
    try:
        reading, _ = start.read(environ)
        settings = reading.settings
        seen["warnings"] = reading.warnings
        seen["novnc"] = _novnc_version(Path(settings.novnc_web or files.web_dir()))
        seen |= {
            "secure": settings.novnc_cert is not None,
            "public_url": settings.public_url or "",
            "proxies": settings.vnc_trusted_proxies,
            "ancestors": settings.vnc_frame_ancestors,
            "subpath": settings.subpath,
            "port": settings.novnc_port,
        }
        if not seen["running"]:
            several, _ = find(settings)
            found = place.find_place(settings, environ, several)
            seen["warnings"] += find_additions(reading, environ, found).warnings
    except DeskgateError as error:
        seen["problems"] = error.lines


def _novnc_version(folder: Path) -> tuple[int, ...] | None:
    try:
        return read_version(json.loads((folder / "package.json").read_bytes())["version"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _look_at_desktop(folder: Path, seen: dict[str, Any]) -> None:
    status = json_file(folder / "status.json")
    seen["failed"] = [row["name"] for row in status["programs"] if row["state"] == "failed"]
    record = json_file(folder / "start.json")
    seen["clock_moved"] = clock.booted_at() - record["booted"]
    routes = Path("/proc/net/route").read_text(encoding="ascii")
    seen["strangers"] = find_strangers(probe.socket_tables(), routes, record["port"])
    if (metrics := probe.ask_gate(folder, "/metrics")) is not None:
        seen["answers"], seen["came"] = read_answers(metrics.decode())
    health.ask(folder)
