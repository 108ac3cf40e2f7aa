"""What a module's own tests leave out of it: `python -m tests.unit.alone gate.policy rfb`.

A line that some other test comes by is not tested: nobody looked at what it did. So each module
runs in a process of its own, with the test file of its name and no other; and of hypothesis only
the written examples run, so that nothing is covered by luck.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import sys
from collections.abc import Iterable
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parents[1]
PACKAGE = ROOT / "entrypoint" / "deskgate"
# Loaded once, before the processes part: half a second for each module otherwise.
LOADED = ["coverage", "hypothesis.strategies", "pytest"]


def files_of(name: str) -> tuple[Path, Path]:
    """A module and its own tests, from its dotted name below the package, or from `release` on."""
    *folders, last = name.split(".")
    above = ROOT if folders[:1] == ["release"] else PACKAGE
    return above.joinpath(*folders, f"{last}.py"), TESTS.joinpath(*folders, f"test_{last}.py")


def left_out(module: Path, tests: Path) -> str:
    """The lines and branches (`from->to`) of a module that its tests do not run, or nothing.

    Only for a process that has imported neither yet.
    """
    import coverage
    import hypothesis
    import pytest

    if not tests.exists():
        return f"there is no {tests.name}"
    hypothesis.settings.register_profile(
        "examples", phases=[hypothesis.Phase.explicit], deadline=None
    )
    hypothesis.settings.load_profile("examples")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    measured = coverage.Coverage(
        branch=True, data_file=None, config_file=False, include=[str(module)]
    )
    said = io.StringIO()
    with measured.collect(), contextlib.redirect_stdout(said):
        # No conftest of the whole suite, which loads much that no unit test needs.
        plugins = ["-p", "pytest_timeout", "-p", "no:cacheprovider", f"--confcutdir={TESTS}"]
        status = pytest.main(["-q", *plugins, str(tests)])
    if status != pytest.ExitCode.OK:
        return f"{tests.name} does not pass: {said.getvalue().splitlines()[-1]}"
    table = io.StringIO()
    measured.report([str(module)], show_missing=True, file=table)
    # … statements, missing, branches, partial, cover%, and what is missing
    return table.getvalue().splitlines()[2].partition("%")[2].strip()


def left_out_by_name(name: str) -> tuple[str, str]:
    """The same for a name, with it."""
    return name, left_out(*files_of(name))


def all_left_out(names: Iterable[str]) -> dict[str, str]:
    """The same for many, each in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    with context.Pool(maxtasksperchild=1) as pool:
        return dict(pool.imap(left_out_by_name, names, chunksize=1))


if __name__ == "__main__":
    print(json.dumps(all_left_out(sys.argv[1:]), indent=1))
