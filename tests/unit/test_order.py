"""The order of programs by their needs."""

from __future__ import annotations

import pytest

from deskgate import programs
from deskgate.errors import ProgramError
from deskgate.order import CircleError, order
from deskgate.programs import Program

from . import samples


def row(name: str, *needs: str) -> Program:
    """A row with needs."""
    return Program(name=name, command=("true",), needs=needs)


def test_programs_start_by_level_of_need() -> None:
    """A level needs only earlier ones, and what needs nothing starts at once."""
    rows = [row("app", "wm", "db"), row("wm", "x"), row("x"), row("db")]
    assert order(rows) == (("db", "x"), ("wm",), ("app",))


def test_the_gate_is_stopped_before_xvnc_but_does_not_wait_for_it() -> None:
    """Its viewers shall hear that the desktop stops, not that Xvnc is gone."""
    rows = programs.desktop_programs(samples.reading_of({}).settings, samples.PLACE)
    assert order(rows) == (("xvnc",), ("gate", "wm"))
    assert next(row for row in rows if row.name == "gate").needs == ()


def test_an_unknown_need_is_refused_by_name() -> None:
    """Our own rows are right; this is for who adds one."""
    with pytest.raises(ProgramError, match="app: cannot need 'xvcn'"):
        order([row("app", "xvcn")])


def test_a_circle_of_needs_is_refused_by_names() -> None:
    """It would wait for ever; who only waits for the circle is not of it."""
    with pytest.raises(CircleError) as error:
        order([row("z", "b"), row("b", "c"), row("c", "d"), row("d", "b", "f"), row("f")])
    assert error.value.names == ("b", "c", "d", "b")
    assert str(error.value).endswith("in a circle: b → c → d → b; take one out")


def test_what_is_no_program_is_of_no_level() -> None:
    """A port or a file is waited for, whoever makes it."""
    assert order([row("a", "b", "tcp:127.0.0.1:80", "file:/x"), row("b")]) == (
        ("b",),
        ("a",),
    )
