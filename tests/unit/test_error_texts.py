"""The words of every error, in one file for reviewers: `UPDATE_GOLDEN=1` writes it."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import pytest

from deskgate import errors, streams
from deskgate.errors import DeskgateError
from deskgate.settings import ROWS

from . import causes
from .causes import Ground
from .test_architecture import PACKAGE, modules

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "errors.txt"
# What makes an error besides `raise`.
MAKERS: Final = {"Problem", "Refusal", "refuse"}
# No person's mistakes, or not to be had here: `module` or `module.function` → why.
LEFT_OUT: Final[dict[str, str]] = {
    "conductor.__main__": "only a renderer that was killed; test_limits.py has it",
    "conductor.foreground": "a limit of processes; test_limits.py has it",
    "conductor.prober": "a program does not answer; test_liveness.py has the words",
    "conductor.sections": "supervisord would read another file than we wrote: our bug",
    "lean": "Python's own AttributeError",
    "probe": "`health` and `status` say it in their own words",
    "render": "an argument that no setting takes: our bug",
    "start.run": "the words are xdisplay's, which causes.py puts there itself",
    "rfb": "Xvnc, or who has its port, speaks no RFB; the gate's log has it",
}


class Site(NamedTuple):
    """A statement that makes an error."""

    function: str
    path: str
    lines: range

    def __str__(self) -> str:
        return f"{self.function}, line {self.lines.start}"


def parts(site: Site) -> set[str]:
    """A site's module and function, and what they stand in."""
    words = site.function.split(".")
    return {".".join(words[:number]) for number in range(1, len(words) + 1)}


def sites() -> list[Site]:
    """Every one in the package, but what the gate says to its viewers' browsers, and its kit's."""
    found: list[Site] = []

    def look(node: ast.AST, name: str, path: Path) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                look(child, f"{name}.{child.name}", path)
            elif isinstance(child, ast.stmt) and not hasattr(child, "body"):
                if makes_error(child):
                    lines = range(child.lineno, (child.end_lineno or child.lineno) + 1)
                    found.append(Site(name, str(path), lines))
            else:
                look(child, name, path)

    for name, path in modules().items():
        if path.is_relative_to(PACKAGE) and not name.startswith(("gate.", "testing.")):
            look(ast.parse(path.read_text(encoding="utf-8")), name, path)
    return found


def makes_error(statement: ast.stmt) -> bool:
    """Whether a person would read what it makes."""
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    names = [getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls]
    if isinstance(statement, ast.Raise) and statement.exc in calls:
        return names[0].endswith("Error") or bool(MAKERS.intersection(names))
    return bool(MAKERS.intersection(names))


@contextmanager
def tracing(ran: set[tuple[str, int]]) -> Iterator[None]:
    """Note the lines of the package that run."""

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(str(PACKAGE)):
            return None
        if event == "line":
            ran.add((path, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def words_of(cause: causes.Cause, folder: Path, ran: set[tuple[str, int]]) -> list[str]:
    """What a person reads, with the exit status before each line."""
    folder.mkdir()
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "say", said.append)
        ground = Ground(folder, patch)
        try:
            with tracing(ran):
                status = cause(ground)
        except DeskgateError as error:
            status, said = error.status, list(error.lines)
    assert said, f"{cause}: nothing went wrong"
    text = "\n".join(f"{status:>4}  {line.removeprefix('deskgate: error: ')}" for line in said)
    for each, shown in ground.masks.items():
        text = text.replace(each, shown)
    return text.splitlines()


class Told(NamedTuple):
    """What all causes together came to."""

    text: str
    by_cause: dict[tuple[str, str], list[str]]
    ran: set[tuple[str, int]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Every cause, in its order."""
    found, ran, text = {}, set[tuple[str, int]](), ""
    for section, table in causes.TABLE.items():
        text += f"{section}\n" if not text else f"\n{section}\n"
        for name, cause in table.items():
            folder = tmp_path_factory.mktemp("cause") / "ground"
            found[section, name] = lines = words_of(cause, folder, ran)
            text += "".join([f"  {name}\n", *(f"  {line}\n" for line in lines)])
    return Told(text, found, ran)


def test_the_words_of_every_error_are_the_reviewed_ones(told: Told) -> None:
    """A reviewer reads the file, not the sources."""
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(told.text, encoding="utf-8")
    assert told.text.splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_setting_names_itself_its_value_what_is_allowed_and_an_example(
    name: str, told: Told
) -> None:
    """One line; a secret's value is not in it."""
    (line,) = told.by_cause["A setting", name]
    value, secret = causes.WRONG[name], ROWS[name].metadata["secret"]
    shown = "" if secret else f"cannot use {errors.quote(value)}: "
    assert line.startswith(f"  78  {name}: {shown}")
    assert (value in line) != secret
    assert re.search("such as|give one of: |give true or false|openssl", line)


def test_every_way_to_fail_has_its_words_in_the_file(told: Told) -> None:
    """A new `raise` needs a row in causes.py, or a reason to be left out."""
    missing = [
        str(site)
        for site in sites()
        if not any((site.path, line) in told.ran for line in site.lines)
        and not parts(site) & LEFT_OUT.keys()
    ]
    assert missing == []


def test_what_is_left_out_is_there_and_is_not_to_be_had(told: Told) -> None:
    """A reason that outlives its error would hide the next."""
    missed = {
        part
        for site in sites()
        if not any((site.path, line) in told.ran for line in site.lines)
        for part in parts(site)
    }
    assert LEFT_OUT.keys() - missed == set()


@pytest.mark.parametrize("kind", [each for each in vars(errors).values() if isinstance(each, type)])
def test_every_status_of_ours_is_in_the_file(kind: type, told: Told) -> None:
    """Each kind of error, by its exit status; but for our own bugs."""
    if not issubclass(kind, DeskgateError) or kind in (DeskgateError, errors.InternalError):
        return
    assert f"\n  {kind.status.value:>4}  " in told.text
