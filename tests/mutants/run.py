"""Remove each check of checks.py, one at a time, and look for the test that turns red.

`python -m tests.mutants.run [WORD…]` (`make mutants`): with words, only the checks that hold one of
them; the others keep their last result in docs/explanation/mutants.json. Exits with 1 when one
survived.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from threading import Lock

from tests.mutants.checks import CHECKS, Check

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs/explanation/mutants.json"
PACKAGE = "entrypoint/deskgate"
AT_ONCE = 2
TEST_SECONDS = 600
REDS = 5
OF_THE_LIST = "tests/unit/test_checks.py"  # any change of the code turns it red
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".build", "dist", ".*_cache", "__pycache__")
RED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)


def copy_tree(folder: Path) -> Path:
    """A tree of its own, so that nobody else sees the check missing."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT, symlinks=True)
    return tree


def own_tests(tree: Path, check: Check) -> list[str]:
    """The tests that are the first to know: of the module's name."""
    name = f"test_{Path(check.file).stem}.py"
    return [str(path.relative_to(tree)) for path in sorted((tree / "tests/unit").rglob(name))]


def reds(tree: Path, tests: list[str]) -> list[str]:
    """Run tests until a few are red; their names."""
    options = [f"--maxfail={REDS}", "-q", "-p", "no:cacheprovider", f"--ignore={OF_THE_LIST}"]
    words = [sys.executable, "-m", "pytest", *options, *tests]
    try:
        done = subprocess.run(
            words, cwd=tree, capture_output=True, text=True, timeout=TEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ["(a test that hangs)"]
    found = RED.findall(done.stdout)
    assert bool(found) == (done.returncode != 0), done.stdout + done.stderr
    return list(dict.fromkeys(found))


def red_twice(tree: Path, tests: list[str]) -> str | None:
    """The first red test that is red alone as well: not by luck, nor by what another one left."""
    found = reds(tree, tests) if tests else []
    return next((each for each in found if reds(tree, [each])), None)


def try_without(tree: Path, check: Check) -> str | None:
    """Remove one check; the test that turns red, or None."""
    path = tree / PACKAGE / check.file
    before = path.read_text(encoding="utf-8")
    assert before.count(check.code) == 1, f"{check.name}: not once in {check.file}: {check.code}"
    path.write_text(before.replace(check.code, check.without), encoding="utf-8")
    try:
        red = red_twice(tree, own_tests(tree, check)) or red_twice(tree, list(check.tests))
    finally:
        path.write_text(before, encoding="utf-8")
    # A test that is red with the check in its place has proved nothing.
    return None if red is None or reds(tree, [red]) else red


def keep(found: dict[str, str | None]) -> None:
    """Write down what was found, in the order of the list, beside what was found before."""
    known = {row["check"]: row for row in json.loads(RESULTS.read_text(encoding="utf-8"))}
    known[found["check"]] = found
    rows = [known[check.name] for check in CHECKS if check.name in known]
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Try all, two at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    chosen = [each for each in CHECKS if not words or any(w in each.name for w in words)]
    trees: Queue[Path] = Queue()
    writing = Lock()

    def tried(check: Check) -> dict[str, str | None]:
        tree, began = trees.get(), time.monotonic()
        try:
            red = try_without(tree, check)
        finally:
            trees.put(tree)
        took = time.monotonic() - began
        print(f"{'red ' if red else 'GREEN'} {took:5.1f} s  {check.name}: {red}", flush=True)
        found = {"check": check.name, "file": check.file, "test": red}
        with writing:
            keep(found)
        return found

    with tempfile.TemporaryDirectory(prefix="deskgate-mutants-") as folder:
        for number in range(AT_ONCE):
            trees.put(copy_tree(Path(folder) / str(number)))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(tried, chosen))
    survived = [row["check"] for row in results if row["test"] is None]
    print(f"{len(results) - len(survived)} of {len(results)} checks are missed by a test when gone")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
