"""The Docker engine's command line, and waiting by condition. Knows nothing of deskgate."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

POLL_SECONDS: Final = 0.03  # between two looks of `wait_until`
COMMAND_SECONDS: Final = 60.0  # one docker command; a start takes 0.4 s, an image inspect 0.03 s

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a command left: its exit status and both streams, apart and byte-exact."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        """Standard error as text."""
        return self.stderr.decode("utf-8", "replace")


def wait_until(condition: Callable[[], Found], timeout_seconds: float, *, what: str = "") -> Found:
    """Ask until the answer is truthy, and return it.

    Raises:
        AssertionError: it did not come true in time; says what was waited for.
    """
    deadline = time.monotonic() + timeout_seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds:g} s: {what or condition}")
        time.sleep(POLL_SECONDS)
    return found


def run(
    *words: str, stdin: bytes | None = None, timeout_seconds: float = COMMAND_SECONDS
) -> Result:
    """Run a command to its end, whatever its exit status."""
    done = subprocess.run(
        words,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=timeout_seconds,
        check=False,
    )
    return Result(status=done.returncode, stdout=done.stdout, stderr=done.stderr)


def docker(
    *words: str, stdin: bytes | None = None, timeout_seconds: float = COMMAND_SECONDS
) -> Result:
    """Run a docker command that has to work."""
    result = run("docker", *words, stdin=stdin, timeout_seconds=timeout_seconds)
    assert result.status == 0, f"docker {' '.join(words)}: status {result.status}\n{result.err}"
    return result


def why_no_engine() -> str | None:
    """Why no engine answers; None when one does."""
    try:
        answer = run("docker", "info", "--format", "{{.ServerVersion}}", timeout_seconds=10)
    except FileNotFoundError:
        return "there is no docker command on PATH"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker engine answers ({type(error).__name__})"
    return f"no Docker engine answers ({answer.err.strip()})" if answer.status else None
