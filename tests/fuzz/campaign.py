"""All harnesses under atheris for so many seconds; a table at the end. `docker/fuzz` calls it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .harnesses import HARNESSES, HERE

BUILD = Path(".build/fuzz")  # what was found, and the inputs that reach more than the seeds do
INPUT_SECONDS = 10  # for one input; longer is a finding
MEMORY_MB = 1024  # more is one too
ROW = "{:<13}{:>12}{:>9}{:>16}{:>9}{:>9}"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a harness.

    Args:
        branches: of what takes the bytes, reached by the seeds and at the end.
        inputs: kept, as each reaches something that no other does.
        findings: files with an input that must not be.
        trouble: what was said of a finding, or the end of it all when it did not run.
    """

    name: str
    executions: int
    seconds: float
    branches: tuple[int, int]
    inputs: int
    findings: list[Path]
    trouble: str

    @property
    def row(self) -> str:
        """Its line of the table."""
        first, last = self.branches
        speed = round(self.executions / self.seconds)
        grown = f"{first} to {last}"
        return ROW.format(self.name, self.executions, speed, grown, self.inputs, len(self.findings))


def run(name: str, seconds: int) -> Result:
    """Run one harness in a process of its own."""
    kept, found = BUILD / "corpus" / name, BUILD / "findings"
    for folder in (kept, found):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.glob(f"{name}-*"))
    command = [
        *(sys.executable, "-m", "tests.fuzz.guided", name),
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={found}/{name}-",
        "-print_final_stats=1",
        *(str(kept), str(HERE / "corpus" / HARNESSES[name].corpus)),
    ]
    began = time.monotonic()
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    findings = sorted(set(found.glob(f"{name}-*")) - before)
    return Result(
        name=name,
        executions=number(r"number_of_executed_units: (\d+)", done.stdout),
        seconds=time.monotonic() - began,
        branches=(
            number(r"INITED +cov: (\d+)", done.stdout),
            number(r"(?s).*\bcov: (\d+)", done.stdout),
        ),
        inputs=len(list(kept.iterdir())),
        findings=findings,
        trouble=trouble_in(done.stdout) if done.returncode or findings else "",
    )


def trouble_in(said: str) -> str:
    """The exception, or what libFuzzer says of a slow or large input; else the end."""
    found = re.search(r"(?ms)^ *=== Uncaught Python exception.*?(?=^==)|^==[0-9]+== ERROR.*", said)
    return found[0].strip() if found else said[-2000:]


def number(pattern: str, text: str) -> int:
    """A number that libFuzzer says, or 0."""
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def main(seconds: int) -> int:
    """Share the time out among the harnesses, as many at once as there are processors."""
    at_once = os.cpu_count() or 1
    each = max(1, seconds * at_once // len(HARNESSES))
    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(lambda name: run(name, each), HARNESSES))
    print(ROW.format("harness", "executions", "a second", "branches", "inputs", "findings"))
    for result in results:
        print(result.row)
    for result in results:
        if result.trouble:
            print(f"\n{result.name}: {result.trouble}")
        for path in result.findings:
            print(
                f"again: PYTHONPATH=entrypoint .venv/bin/python -m tests.fuzz {result.name} {path}"
            )
    return int(any(result.trouble for result in results))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
