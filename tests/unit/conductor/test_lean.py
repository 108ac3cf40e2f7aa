"""supervisor without its control server: nothing of it is missed, or wrong."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
import supervisor
from supervisor import compat

from deskgate.conductor.lean import COMPAT
from deskgate.lean import StandIn
from tests.unit.fresh import loaded, python

CONDUCTOR = "import deskgate.conductor.__main__"
HEAVY = {"ssl", "http.client", "xmlrpc.client", "email", "html", "importlib.metadata"}


def test_the_conductor_loads_nothing_heavy() -> None:
    """Its memory is the container's for as long as that lives."""
    found = loaded(CONDUCTOR)
    assert found & {*HEAVY, "inspect", "supervisor.http"} == set()
    assert "supervisor.supervisord" in found


def test_supervisor_loads_it_by_itself() -> None:
    """Else nothing would have to be held back: then this and `lean` can go."""
    assert loaded("import supervisor.supervisord") >= HEAVY | {"supervisor.http"}


def test_the_stand_in_has_every_name_that_is_taken_from_it() -> None:
    """By each module of supervisor's that the conductor loads."""
    taken: set[str] = set()
    for name in loaded(CONDUCTOR):
        if name.startswith("supervisor."):
            taken |= names_taken(name)
    assert taken == COMPAT.keys()


def names_taken(module: str) -> set[str]:
    """What a module of supervisor's imports from its compat."""
    path = Path(supervisor.__path__[0]).parent / f"{module.replace('.', '/')}.py"
    if not path.exists():  # a package
        return set()
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "supervisor.compat"
        for alias in node.names
    }


@pytest.mark.parametrize("name", COMPAT)
def test_a_name_means_what_it_means_in_supervisor(name: str) -> None:
    """The same thing, or a function with the same answers."""
    ours, theirs = COMPAT[name], getattr(compat, name)
    if isinstance(ours, StandIn):
        assert ours.__name__ == theirs.__name__
        assert ours.Fault is theirs.Fault
    elif name in ANSWERS:
        assert [ours(*given) for given in ANSWERS[name]] == [
            theirs(*given) for given in ANSWERS[name]
        ]
    else:
        assert ours == theirs


ANSWERS: dict[str, list[tuple[object, ...]]] = {
    "as_bytes": [("ä",), (b"\xff",), ("ä", "latin-1")],
    "as_string": [("ä",), (b"\xc3\xa4",), (b"\xe4", "latin-1")],
    "import_spec": [("supervisor.options:ServerOptions",)],
    "is_text_stream": [(io.StringIO(),), (io.BytesIO(),)],
}


def test_what_is_held_back_comes_when_it_is_asked_for() -> None:
    """Whole, and from the same place."""
    program = f"""
{CONDUCTOR}
from supervisor.compat import escape
from supervisor import xmlrpc
print(escape("<"), xmlrpc.SupervisorTransport.__module__, xmlrpc.Faults.BAD_NAME)
"""
    assert python(program) == "&lt; supervisor.xmlrpc 10"
