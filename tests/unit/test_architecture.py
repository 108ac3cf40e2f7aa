"""The arrows between modules, the purity of the core, and the size of a module."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "entrypoint" / "deskgate"
RELEASE = ROOT / "release"
MAX_LINES = 260

# Pure: values in, values out.
CORE = {
    "errors", "forms", "settings", "reading", "tokens", "tokenfile", "rfb", "programs", "links",
    "plan", "banner", "render", "surroundings", "arguments", "users", "signs", "programkeys",
    "dropins", "order", "conductor.restart", "conductor.budget", "conductor.ring",
    "distributions", "gate.access", "gate.bodies", "gate.loans", "gate.sharing",
    "gate.policy", "gate.sessions", "gate.limits", "gate.credentials", "gate.des",
    "gate.targets", "gate.headers", "gate.outside", "gate.answers", "gate.api", "gate.handshake",
    "gate.lines", "gate.frames", "gate.picture", "gate.tickets", "gate.messages", "gate.config",
    "gate.shortcut", "colours", "qr", "release.tags", "release.rules", "release.bill",
    "release.readiness", "foreign", "rows", "tables", "usage", "address", "diagnosis", "journey",
    "neighbours",
}  # fmt: skip
IMPURE = {"os", "sys", "socket", "time", "random", "secrets", "logging", "subprocess", "asyncio"}
# Lowest first: a module imports only from rows above its own.
LAYERS = [
    {"colours", "errors", "foreign", "forms", "clock", "lean", "memory", "listening", "gate.des"},
    {
        *("rows", "tokens", "rfb", "arguments", "users", "signs", "streams", "qr", "tables"),
        *("usage", "distributions"),
    },
    {"settings", "address", "diagnosis", "neighbours"},
    {"reading", "tokenfile", "links", "programs", "journey"},
    {"order", "programkeys"},
    {"plan"},
    {"banner", "render", "surroundings", "dropins"},
    {"files", "identity"},
    {"probe", "runtime", "xdisplay"},
    {"visit", "place", "running", "install", "tokenstore", "additions"},
    {"health", "manage", "control", "watching", "completion", "conductor", "gate"},
    {"start"},
    {"preview", "doctor"},
    {"cli"},
]


def modules() -> dict[str, Path]:
    """Dotted name below the package, or from `release` on → file."""
    found = {}
    for folder in (PACKAGE, RELEASE):
        above = PACKAGE if folder == PACKAGE else ROOT
        for path in sorted(folder.rglob("*.py")):
            found[".".join(path.relative_to(above).with_suffix("").parts)] = path
    return found


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def layer(name: str) -> int | None:
    """The layer of a module, or of the folder that holds it."""
    for number, row in enumerate(LAYERS):
        if name in row or name.split(".")[0] in row:
            return number
    return None


@pytest.mark.parametrize("name", sorted(CORE))
def test_a_core_module_is_pure(name: str) -> None:
    """No environment, files, sockets, clock, chance or log: they come in as arguments."""
    roots = {module.split(".")[0] for module in imports(modules()[name])}
    assert roots & IMPURE == set()
    assert not re.search(r"\bopen\(|\.read_text|\.read_bytes", modules()[name].read_text())


@pytest.mark.parametrize("name", [n for n in modules() if layer(n) is not None])
def test_a_module_imports_only_from_below(name: str) -> None:
    """The arrows of the design."""
    own = layer(name)
    assert own is not None
    known = modules().keys() | {"conductor", "gate"}
    for module in imports(modules()[name]):
        inner = module.removeprefix("deskgate.")
        if inner == module or inner not in known:
            continue
        other = layer(inner)
        same_folder = inner.split(".")[0] == name.split(".")[0]
        assert same_folder or (other is not None and other < own), f"{name} imports {inner}"


KIT = {name for name in modules() if name.split(".")[0] == "testing"}


@pytest.mark.parametrize("name", modules().keys() - KIT)
def test_the_product_has_nothing_of_the_kit(name: str) -> None:
    """Which runs on another machine, and costs no start anything."""
    assert not any(module.startswith("deskgate.testing") for module in imports(modules()[name]))


@pytest.mark.parametrize("name", sorted(KIT))
def test_the_kit_needs_only_what_its_extra_names(name: str) -> None:
    """Beside the package itself: what `pip install 'deskgate[testing]'` brings."""
    roots = {module.split(".")[0] for module in imports(modules()[name])}
    assert roots <= sys.stdlib_module_names | {"deskgate", "pytest", "websockets"}


@pytest.mark.parametrize("name", [name for name in modules() if name.startswith("release.")])
def test_the_release_needs_only_python(name: str) -> None:
    """It runs before anything is installed; and the package is not its own judge."""
    roots = {module.split(".")[0] for module in imports(modules()[name])}
    assert roots <= sys.stdlib_module_names | {"release"}


@pytest.mark.parametrize("name", modules())
def test_a_module_is_read_in_one_sitting(name: str) -> None:
    """Longer ones are two."""
    assert len(modules()[name].read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", modules())
def test_every_public_thing_says_what_it_is_for(name: str) -> None:
    """A docstring for each module, class and public function."""
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = [n for n in ast.walk(tree) if isinstance(n, kinds) and not n.name.startswith("_")]
    inner = {
        child
        for n in ast.walk(tree)
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.walk(n)
        if child is not n
    }
    missing = [n.name for n in defined if n not in inner and not ast.get_docstring(n)]
    assert ast.get_docstring(tree)
    assert missing == []
