"""What we lean on in supervisor, found in our own source, and what it is there.

Our modules that import supervisor name what they use; supervisor's functions name what they use in
turn. A function is pinned by its source; one that we replace, by its parameters, as supervisor
calls ours in its place; a value, by what it is.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

from supervisor import dispatchers, options, process, states, supervisord

import deskgate.conductor

FOLDER = Path(deskgate.conductor.__file__).parent
_OPTIONS = options.ServerOptions()
# Things of each class that we use, with what its __init__ makes.
THINGS: tuple[Any, ...] = (
    process.Subprocess(None),
    process.ProcessGroup(options.ProcessGroupConfig(_OPTIONS, "", 0, [])),
    _OPTIONS,
    options.ProcessConfig(_OPTIONS, **dict.fromkeys(options.ProcessConfig.req_param_names)),
    options.ProcessGroupConfig(_OPTIONS, "", 0, []),
    options.UnhosedConfigParser(),
    dispatchers.PDispatcher(None, "", -1),
    dispatchers.PInputDispatcher(None, "", -1),
    supervisord.Supervisor(_OPTIONS),
    states.ProcessStates(),
)
# Of the machine, not of supervisor.
LEFT_OUT = {"__doc__", "progname", "searchpaths"}
# A stand-in of ours may be in the place of the one, and Python versions are the other's matter.
FOREIGN = {"supervisor.compat", "supervisor.medusa.asyncore_25"}


def our_modules() -> Iterator[ast.Module]:
    """Those that import supervisor, or the programs that we make of its."""
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "from supervisor" in text or "from deskgate.conductor.embed import" in text:
            yield ast.parse(text)


def _ours() -> tuple[set[str], set[tuple[str, str]]]:
    """Names that our modules use; methods that replace one of supervisor's: its class, its name."""
    used: set[str] = set()
    replaced: set[tuple[str, str]] = set()
    for tree in our_modules():
        used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            bases = [ast.unparse(base) for base in kind.bases]
            for method in (node for node in kind.body if isinstance(node, ast.FunctionDef)):
                used.add(method.name)
                if f"super().{method.name}(" not in ast.unparse(method):
                    replaced |= {(base, method.name) for base in bases}
    return used, replaced


_source = functools.cache(inspect.getsource)  # it reads the whole file each time


def _shown(thing: object) -> str:
    if isinstance(thing, FunctionType) and _is_supervisors(thing):
        return hashlib.sha256(_source(thing).encode()).hexdigest()[:16]
    plain = (str, int, bytes, type(None))
    if isinstance(thing, plain) or (
        isinstance(thing, list) and all(isinstance(each, plain) for each in thing)
    ):
        return repr(thing)
    return "there"


def _is_supervisors(thing: Any) -> bool:
    module = getattr(thing, "__module__", "")
    return module.startswith("supervisor.") and module not in FOREIGN


def _leads_to(function: object) -> tuple[set[str], list[FunctionType]]:
    """Attributes that a function names, and the functions of supervisor that it calls."""
    if not isinstance(function, FunctionType):
        return set(), []
    tree = ast.parse(textwrap.dedent(_source(function)))
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found = [function.__globals__.get(name) for name in sorted(names)]
    return attributes, [
        each for each in found if isinstance(each, FunctionType) and _is_supervisors(each)
    ]


def _places(thing: object, name: str) -> Iterator[tuple[str, object]]:
    """Where a thing has something of this name: in itself, or in classes of supervisor's."""
    if name in vars(thing):
        yield f"{type(thing).__name__}().{name}", vars(thing)[name]
    for kind in type(thing).__mro__:
        if _is_supervisors(kind) and name in vars(kind):
            yield f"{kind.__name__}.{name}", vars(kind)[name]


def pins() -> dict[str, str]:
    """Every name of supervisor's that we lean on, and what it is."""
    used, replaced = _ours()
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = {*used, "__init__"} - LEFT_OUT
    while waiting:
        seen.add(name := waiting.pop())
        for thing in THINGS:
            ours = (type(thing).__name__, name) in replaced
            for place, value in _places(thing, name):
                if ours and isinstance(value, FunctionType):
                    found.setdefault(place, str(inspect.signature(value)))
                    continue
                found[place] = _shown(value)
                attributes, functions = _leads_to(value)
                waiting |= attributes - seen - LEFT_OUT
                found |= {each.__qualname__: _shown(each) for each in functions}
    return dict(sorted(found.items()))
