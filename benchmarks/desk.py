"""The desktops behind the proxies: a real Xvnc, and the one that answers at once."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import free_port
from deskgate import rfb

LOCKS = Path("/tmp/.X0-lock")  # noqa: S108 - where X has them, Xserver(1)
CONTROL_PASSWORD, VIEW_PASSWORD = b"control!", b"viewonly"


def write_rfbauth(folder: Path) -> Path:
    """The password file that the gate and Xvnc share."""
    path = folder / "rfbauth"
    path.write_bytes(rfb.obfuscate(CONTROL_PASSWORD) + rfb.obfuscate(VIEW_PASSWORD))
    return path


class Xvnc:
    """The distribution's Xvnc, as the product starts it, on a free display and port."""

    def __init__(self, folder: Path) -> None:
        self._rfbauth = write_rfbauth(folder)
        self.port = free_port()
        first = 100 + self.port % 5000  # two runs at once do not meet
        free = (n for n in range(first, 6000) if not LOCKS.with_name(f".X{n}-lock").exists())
        self.display = f":{next(free)}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running one."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it says its display."""
        self._process = subprocess.Popen(
            [
                *("Xvnc", self.display, "-displayfd", "1", "-geometry", "1280x800"),
                *("-depth", "24", "-rfbport", str(self.port), "-localhost"),
                *("-SecurityTypes", "None,VncAuth", "-rfbauth", str(self._rfbauth)),
                *("-AlwaysShared", "-UseBlacklist=0", "-nolisten", "tcp", "-noreset"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline().strip():
            raise RuntimeError("Xvnc did not start")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def stop(self) -> None:
        """SIGTERM: it takes its lock file and socket along."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()


def version() -> str:
    """Of the Xvnc that is measured with."""
    words = ["Xvnc", "-version"]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return next(line for line in done.stderr.splitlines() if "TigerVNC" in line).split(" - ")[0]


@contextlib.contextmanager
def running_xvnc(folder: Path) -> Iterator[Xvnc]:
    """An Xvnc that is up."""
    xvnc = Xvnc(folder)
    try:
        xvnc.start()
        yield xvnc
    finally:
        xvnc.stop()


@contextlib.contextmanager
def running_stub() -> Iterator[int]:
    """The port of a desktop that answers at once."""
    words = [sys.executable, "-m", "benchmarks.stub"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def terminal(display: str, *command: str) -> subprocess.Popen[bytes]:
    """An xterm that runs a command."""
    words = ["xterm", "-display", display, "-geometry", "150x50+0+0", "-e", *command]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
