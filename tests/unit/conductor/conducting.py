"""A real conductor with programs of the test's own, in a process of its own, without an engine."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self, TypeVar

from deskgate import files
from deskgate.order import order
from deskgate.programs import Program
from deskgate.render import render_files
from deskgate.start import handoff
from tests.unit import samples

Found = TypeVar("Found")

POLL_SECONDS: Final = 0.01
SECRET: Final = samples.CONTROL

# Does what `deskgate run` does at its end: a renderer to wait for, and the handoff in memory.
LAUNCH: Final = """
import importlib, json, os, sys
told, changes = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for name, value in changes.items():
    module, _, constant = name.rpartition(".")
    setattr(importlib.import_module(module), constant, value)
told["renderer"] = os.fork()
if not told["renderer"]:
    os._exit(0)
handoff = os.memfd_create("handoff")
os.write(handoff, json.dumps(told).encode())
os.lseek(handoff, 0, os.SEEK_SET)
sys.argv = ["conductor", str(handoff)]
from deskgate.conductor.__main__ import main
os._exit(main())
"""


def wait_until(condition: Callable[[], Found], seconds: float = 10.0, *, what: str = "") -> Found:
    """Ask until the answer is truthy, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(POLL_SECONDS)
    return found


def free_port() -> int:
    """A port of loopback that nothing uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def python(script: str) -> tuple[str, ...]:
    """A program written in the test."""
    return (sys.executable, "-c", script)


def hear_interrupts() -> None:
    """As a shell does: who started the tests may ignore ^C, and it would be inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Conducted:
    """One conductor: started, asked, and always ended.

    Args:
        programs: the rows; see `python`.
        seconds: of programs that take longer to stop than ours.
        changes: dotted name of a constant → what it is instead, for what takes half a minute.
    """

    def __init__(
        self,
        folder: Path,
        programs: Sequence[Program],
        *,
        command: Sequence[str] = (),
        seconds: Mapping[str, int] | None = None,
        changes: Mapping[str, object] | None = None,
        level: str = "info",
        form: str = "text",
        stderr: int | None = None,
    ) -> None:
        self.folder = folder
        self._log = folder / "log"
        settings = {"LOG_LEVEL": level, "LOG_FORMAT": form, "DESKGATE_DEBUG": "1"}
        place = dataclasses.replace(samples.PLACE, folder=PurePosixPath(folder))
        plan = dataclasses.replace(
            samples.plan_of(settings, place=place),
            programs=tuple(programs),
            levels=order(programs),
        )
        text = render_files(plan, files.read_template)["supervisord.conf"].decode()
        for name, wait in (seconds or {}).items():
            head, found, tail = text.partition(f"[program:{name}]")
            text = head + found + tail.replace("stopwaitsecs=1\n", f"stopwaitsecs={wait}\n", 1)
        (folder / "supervisord.conf").write_text(text)
        told = handoff(plan, command, os.environ, began=time.monotonic(), renderer=0)
        self.banner: list[str] = told["banner"]
        words = [sys.executable, "-c", LAUNCH, json.dumps(told), json.dumps(changes or {})]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                words, env=environ, stdout=subprocess.PIPE, stderr=stderr or log
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(12)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def wait_ready(self) -> Self:
        """Wait for the banner."""
        wait_until(lambda: (self.folder / "start.json").exists(), what="a banner")
        return self

    def end(self) -> tuple[int, float]:
        """Stop it; returns its exit status and how many seconds that took."""
        began = time.monotonic()
        self.process.terminate()
        status = self.process.wait(15)
        return status, time.monotonic() - began

    def deskgate(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in its container, as it were."""
        with self.ask(*words) as asking:
            out, err = asking.communicate(timeout=30)
        return subprocess.CompletedProcess(words, asking.returncode, out, err)

    def ask(self, *words: str) -> subprocess.Popen[str]:
        """Begin to run a command there."""
        environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DESKGATE_RUNTIME_DIR": str(self.folder),
        }
        command = [sys.executable, "-m", "deskgate", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=environ, text=True, stdout=pipe, stderr=pipe, preexec_fn=hear_interrupts
        )

    def rows(self) -> dict[str, dict[str, Any]]:
        """The status file: each program by its name."""
        found = json.loads((self.folder / "status.json").read_text())
        return {row["name"]: row for row in found["programs"]}

    def state(self, name: str) -> str:
        """A program's state; empty before there is any."""
        exists = (self.folder / "status.json").exists()
        return str(self.rows()[name]["state"]) if exists else ""

    def pid(self, name: str) -> int:
        """A program's process."""
        return int(self.rows()[name]["pid"])

    def signal(self, name: str, sig: signal.Signals) -> int:
        """Send a program a signal; returns its pid."""
        pid = self.pid(name)
        os.kill(pid, sig)
        return pid

    def is_new(self, name: str, old: int) -> bool:
        """Whether a program is ready in another process."""
        row = self.rows()[name]
        return bool(row["state"] == "ready" and row["pid"] != old)
