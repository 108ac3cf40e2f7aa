"""Look at the running desktop again and again: `deskgate status --watch`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from deskgate import streams
from deskgate.errors import Status
from deskgate.running import describe, look
from deskgate.streams import STDOUT

PAUSE_SECONDS: Final = 1.0
ROWS: Final = 24  # of a terminal that does not know yet
# No line of ours takes two rows, or the way back up would be too short (VT510, DECAWM).
WRAP_OFF, WRAP_ON = "\x1b[?7l", "\x1b[?7h"


def essence(found: Mapping[str, Any]) -> Any:
    """What has to change for a new table in a file: not the time that goes by."""
    return found["viewers"], [
        {key: value for key, value in row.items() if key != "uptime_seconds"}
        for row in found["programs"]
    ]


def watch(*, as_json: bool) -> int:
    """Show how the desktop is until ^C: a terminal in place, others at each change."""
    in_place = streams.is_capable(STDOUT) and not as_json
    try:
        if in_place:
            _redraw()
        _repeat(as_json=as_json)
    except KeyboardInterrupt:  # that is how it ends
        if in_place:
            print(f"\r\x1b[K{WRAP_ON}", end="", flush=True)  # where the terminal wrote ^C
        return Status.OK


def _redraw() -> NoReturn:
    colour, above = streams.has_colours(STDOUT), 0
    while True:
        lines = describe(look(), colour=colour)[: (os.get_terminal_size(STDOUT).lines or ROWS) - 1]
        up = f"\x1b[{above}A\r" if above else ""
        text = "".join(f"{line}\x1b[K\n" for line in lines)
        print(f"{up}{WRAP_OFF}{text}\x1b[J{WRAP_ON}", end="", flush=True)
        above = len(lines)
        time.sleep(PAUSE_SECONDS)


def _repeat(*, as_json: bool) -> NoReturn:
    told: Any = None
    while True:
        found = look()
        if essence(found) != told:
            if as_json:
                print(json.dumps(found), flush=True)
            else:
                lines = describe(found, colour=False)
                print(*([""] if told else []), *lines, sep="\n", flush=True)
            told = essence(found)
        time.sleep(PAUSE_SECONDS)
