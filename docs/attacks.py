"""The security page: the cases of explanation/cases.txt, the tests that prove them, the mutants."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "explanation"
TESTS = Path(__file__).parents[1] / "tests"
NUMBER = re.compile(r"test_([a-z]\d+b?)_")
HEAD = """\
# What is attacked, what breaks, and what proves that it holds

<!-- Written by docs/generate.py from explanation/cases.txt and the tests. Edit those. -->

Each case has a number, and each test that proves it has that number in its name. All run in CI,
against real Xvnc, a real browser and a real engine where the case is about those.
[Security](../../SECURITY.md) says what is promised and what is not.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One row: its number, such as H1, what is tried, and what happens."""

    number: str
    tried: str
    happens: str


def read_cases() -> dict[str, list[Case]]:
    """The cases by the title of their group."""
    groups: dict[str, list[Case]] = {}
    title = ""
    for line in (FOLDER / "cases.txt").read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\[(\w)\] (.*)", line):
            title = f"{found[1]}. {found[2]}"
            groups[title] = []
        elif line and not line.startswith("#"):
            number, tried, happens = (part.strip() for part in line.split(" | "))
            groups[title].append(Case(number=number, tried=tried, happens=happens))
    return groups


def _functions() -> Iterator[tuple[Path, str]]:
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path, node.name


def find_proofs() -> dict[str, list[tuple[Path, str]]]:
    """Number → the tests that carry it."""
    found: dict[str, list[tuple[Path, str]]] = defaultdict(list)
    for path, name in _functions():
        if number := NUMBER.match(name):
            found[number[1].upper().replace("B", "b")].append((path, name))
    return found


def _link(path: Path, name: str, number: str) -> str:
    claim = name.removeprefix(f"test_{number.lower()}_").replace("_", " ")
    return f"[{claim}](../../{path.relative_to(TESTS.parent)})"


def attacks_page() -> str:
    """The whole page."""
    proofs = find_proofs()
    lines = [HEAD]
    for title, cases in read_cases().items():
        lines += [f"## {title}", "", "| | tried | result | proved by |", "|---|---|---|---|"]
        for case in cases:
            shown = "<br>".join(_link(*proof, case.number) for proof in proofs[case.number])
            lines.append(f"| {case.number} | {case.tried} | {case.happens} | {shown} |")
        lines.append("")
    return "\n".join([*lines, *_mutants()])


def _mutants() -> list[str]:
    results = json.loads((FOLDER / "mutants.json").read_text(encoding="utf-8"))
    killed = sum(bool(row["test"]) for row in results)
    return [
        "## Checks that were taken out",
        "",
        "`make mutants` removes each check of the code, one at a time,",
        "and looks for the test that turns red.",
        f"The last run: {killed} of {len(results)}.",
        "",
        "| check | in | what turned red |",
        "|---|---|---|",
        *(_mutant(row) for row in results),
        "",
    ]


def _mutant(row: dict[str, str | None]) -> str:
    path, _, test = (row["test"] or "").partition("::")
    shown = f"[{test}](../../{path})" if test else "**nothing**"
    return f"| {row['check']} | `{row['file']}` | {shown} |"
