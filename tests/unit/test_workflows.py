"""The workflow files: sound by their schema, an audit of their security, and rules of ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))
TOOLS: Final = Path(sys.executable).parent
USES: Final = re.compile(r"^\s*(?:- )?uses: (\S+)(.*)$", re.MULTILINE)
PINNED: Final = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
VERSION: Final = re.compile(r" # v\d+\.\d+\.\d+")
# Who may write what; everything else reads the sources, or nothing.
WRITES: Final = {
    "publish/package-provenance": {"attestations", "id-token"},
    "publish/pypi": {"id-token"},
    "publish/feature": {"packages"},
    "publish/images": {"packages"},
    "publish/manifests": {"packages"},
    "publish/image-provenance": {"attestations", "id-token", "packages"},
}


def read(path: Path) -> dict[str, Any]:
    """A workflow as GitHub reads it."""
    found: dict[str, Any] = YAML(typ="safe").load(path)
    return found


JOBS: Final = {
    f"{path.stem}/{name}": job for path in FILES for name, job in read(path)["jobs"].items()
}


def lines() -> list[str]:
    """All that the steps run."""
    steps = [step for job in JOBS.values() for step in job.get("steps", [])]
    return [line for step in steps for line in step.get("run", "").splitlines()]


def said(*words: str) -> str:
    """What a tool of the environment says; it has to be content."""
    command = [str(TOOLS / words[0]), *words[1:], *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_files_are_what_the_schema_allows() -> None:
    """SchemaStore's, which comes with the tool."""
    assert "ok" in said("check-jsonschema", "--builtin-schema", "vendor.github-workflows")


def test_an_audit_finds_nothing() -> None:
    """Injections, rights that are too wide, credentials left behind, references that move."""
    assert "No findings to report" in said("zizmor", "--offline", "--no-progress")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    """With its version beside it; only workflows of our own have neither."""
    found = USES.findall(path.read_text())
    assert found
    for action, rest in found:
        if not action.startswith("./"):
            assert PINNED.fullmatch(action), action
            assert VERSION.fullmatch(rest), action
        else:
            assert (ROOT / action).is_file()


def test_one_action_has_one_version() -> None:
    """In all files: an update changes every place."""
    pins = {line for path in FILES for line in USES.findall(path.read_text())}
    names = [action.partition("@")[0] for action, _ in pins]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_workflow_itself_may_do_nothing(path: Path) -> None:
    """Each job has rights of its own."""
    assert read(path)["permissions"] == {}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_has_the_least_rights(name: str) -> None:
    """Those that publish or sign are the only ones that write, and none writes sources."""
    rights = JOBS[name]["permissions"]
    assert {right for right, kind in rights.items() if kind == "write"} == WRITES.get(name, set())
    assert rights.get("contents", "none") in ("read", "none")


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if "steps" in job])
def test_a_job_ends_and_keeps_no_credentials(name: str) -> None:
    """A limit of its own, and a checkout that forgets its token."""
    job = JOBS[name]
    assert job["timeout-minutes"] <= 90
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_what_is_published_was_tested() -> None:
    """Every job that writes waits for the tests, directly or by another."""
    tests = "publish/test"
    assert JOBS[tests]["uses"] == "./.github/workflows/test.yml"

    def waits(name: str) -> bool:
        needs = JOBS[name].get("needs", [])
        before = [f"publish/{each}" for each in ([needs] if isinstance(needs, str) else needs)]
        return tests in before or any(map(waits, before))

    assert all(map(waits, WRITES))


def test_steps_use_the_same_targets_as_people() -> None:
    """Each that is named exists; nothing is built in a way of the workflows' own."""
    rules = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert all(re.search(r"\bmake [a-z]", line) for line in lines())
    named = {
        word
        for line in lines()
        for words in re.findall(r"\bmake ([a-z0-9 -]+)", line)
        for word in words.split()
    }
    assert named >= {"lint", "unit", "test", "images", "contract", "push", "release-check"}
    assert named <= set(rules)
