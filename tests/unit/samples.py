"""Values that several unit tests share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from deskgate import users
from deskgate.forms import FormError
from deskgate.plan import Chance, Plan, make_plan
from deskgate.programs import Place, Program
from deskgate.reading import Reading, read_settings
from deskgate.tokens import NewToken
from deskgate.users import User

CONTROL = "c0" * 32
VIEW = "e1" * 32
GIVEN = "0123456789abcdef" * 4
NOW = 1893456000.0  # 2030-01-01T00:00:00Z
PLACE = Place(
    folder=PurePosixPath("/run/deskgate"),
    python="/opt/deskgate/bin/python",
    web="/opt/deskgate/novnc",
    window_manager=("jwm",),
)
# A container that was started as root, for a desktop of user 1234.
SPLIT_PLACE = dataclasses.replace(PLACE, users=users.split(User(1234, 2345)))
CHANCE = Chance(
    control=CONTROL,
    view=VIEW,
    tickets=("7c" * 16, "7e" * 16),
    cookie=bytes(range(16)),
    rfb_passwords=(b"control!", b"viewing!"),
)


def no_files(path: str) -> str:
    """A reader for tests that name no file."""
    raise FormError("no files here")


def reading_of(environ: Mapping[str, str]) -> Reading:
    """Settings from variables alone."""
    return read_settings(environ, no_files)


def plan_of(
    environ: Mapping[str, str] | None = None,
    *,
    place: Place = PLACE,
    show_terminal: bool = True,
    extra: Sequence[NewToken] = (),
    added: Sequence[Program] = (),
) -> Plan:
    """The plan of these variables, with fixed chance and time."""
    return make_plan(
        reading_of(environ or {}),
        place,
        CHANCE,
        booted=NOW - 1000,
        now=NOW,
        show_terminal=show_terminal,
        extra=extra,
        added=added,
    )
