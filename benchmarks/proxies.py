"""The contestants: what runs each, and how a viewer gets through it.

All stand on loopback before the same desktop. The gate and websockify run in environments of the
same interpreter with the packages that our images pin.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.desk import write_rfbauth
from benchmarks.processes import cpu_clocks, family, free_port, listens, pss_mib, run, wait_until
from benchmarks.viewer import Viewer, WebSocketViewer
from deskgate.clock import booted_at
from deskgate.plan import gate_config
from deskgate.programs import TOKENS_FILE, Place
from deskgate.reading import read_settings

ROOT = Path(__file__).parents[1]
WEB = ROOT / "third_party" / "novnc"
TOKEN = secrets.token_hex(32)
OURS, WEBSOCKIFY, WITH_NUMPY, SOCAT = "deskgate", "websockify", "websockify, numpy", "socat"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lab:
    """What the contestants need.

    Args:
        folder: of this run, for their files.
        python: interpreter of the gate and of stock websockify.
        numpy: interpreter of websockify with numpy; None when it could not be installed.
    """

    folder: Path
    python: Path
    numpy: Path | None

    @property
    def names(self) -> list[str]:
        """The contestants of this run."""
        return [name for name in COMMANDS if name != WITH_NUMPY or self.numpy]


def make_environment(folder: Path, python: str, *more: str) -> Path:
    """A virtual environment with what our images pin, and the checkout's deskgate; its python."""
    run(python, "-m", "venv", "--copies", "--without-pip", str(folder))
    inside = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(inside), "--disable-pip-version-check")
    install = (*pip, "install", "--quiet")
    pins = ROOT / "docker"
    run(*install, "--requirement", str(pins / "requirements.txt"))
    run(*install, "--no-deps", "--requirement", str(pins / "requirements-websockify.txt"))
    if more:
        run(*install, *more)
    site = run(str(inside), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    Path(site, "checkout.pth").write_text(f"{ROOT / 'entrypoint'}\n")
    return inside


def write_files(lab: Lab, port: int, desk: int) -> tuple[Path, Path]:
    """gate.json, as the product makes it of its settings, and the token file of all."""
    folder = lab.folder / f"{desk}-{port}"
    folder.mkdir()
    asked = {"NOVNC_LISTEN": "127.0.0.1", "NOVNC_PORT": str(port), "VNC_PORT": str(desk)}
    settings = read_settings(asked, lambda path: Path(path).read_text()).settings
    place = Place(
        folder=PurePosixPath(folder), python=str(lab.python), web=str(WEB), window_manager=()
    )
    config, tokens = folder / "gate.json", folder / TOKENS_FILE
    config.write_text(json.dumps(gate_config(settings, place, booted_at())))
    tokens.write_text(f"# name=control role=control\n{TOKEN}: 127.0.0.1:{desk}\n")
    write_rfbauth(folder)
    return config, tokens


def gate(lab: Lab, port: int, desk: int) -> list[str]:
    """The gate as PID 1 starts it."""
    config, _ = write_files(lab, port, desk)
    return [str(lab.python), "-I", "-m", "deskgate.gate", str(config)]


def crowded_gate(lab: Lab, port: int, desk: int) -> list[str]:
    """The gate that admits more viewers, by the launcher beside this file."""
    config, _ = write_files(lab, port, desk)
    return [str(lab.python), "-I", str(ROOT / "benchmarks" / "gate.py"), "64", str(config)]


def _websockify(python: Path, lab: Lab, port: int, desk: int) -> list[str]:
    _, tokens = write_files(lab, port, desk)
    words = [str(python), "-I", "-m", "websockify", "--web", str(WEB)]
    words += ["--token-plugin", "TokenFile", "--token-source", str(tokens)]
    return [*words, f"127.0.0.1:{port}"]


def websockify(lab: Lab, port: int, desk: int) -> list[str]:
    """Stock websockify, as the product runs it with NOVNC_PROXY=websockify."""
    return _websockify(lab.python, lab, port, desk)


def websockify_with_numpy(lab: Lab, port: int, desk: int) -> list[str]:
    """The same with numpy, which it uses for what browsers send."""
    return _websockify(lab.numpy or lab.python, lab, port, desk)


def socat(lab: Lab, port: int, desk: int) -> list[str]:
    """Plain TCP through a C program: no WebSocket, no token, no files."""
    listen = f"TCP4-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=128"
    return ["socat", listen, f"TCP4:127.0.0.1:{desk},nodelay"]


Words = Callable[[Lab, int, int], list[str]]
COMMANDS: dict[str, Words] = {
    OURS: gate,
    WEBSOCKIFY: websockify,
    WITH_NUMPY: websockify_with_numpy,
    SOCAT: socat,
}


class Proxy:
    """One contestant before one desktop."""

    def __init__(self, name: str, words: list[str], port: int) -> None:
        self.name = name
        self.port = port
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Until somebody can connect."""
        wait_until(lambda: listens(self.port), every=0.0005)

    def view(self) -> Viewer:
        """A viewer that has seen ServerInit."""
        kind = Viewer if self.name == SOCAT else WebSocketViewer
        viewer = kind(self.port, TOKEN)
        viewer.server_init()
        return viewer

    def settle(self) -> None:
        """Wait until the processes of viewers who left are gone."""
        wait_until(lambda: len(family(self._process.pid)) == 1)

    def processes(self) -> int:
        """How many there are."""
        return len(family(self._process.pid))

    def pss_mib(self) -> float:
        """Memory of all of them."""
        return pss_mib(family(self._process.pid))

    def cpu_clocks(self) -> dict[int, float]:
        """CPU time of each."""
        return cpu_clocks(family(self._process.pid))

    def stop(self) -> None:
        """End them."""
        for pid in reversed(family(self._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                subprocess.run(["kill", "-9", str(pid)], check=False, stderr=subprocess.DEVNULL)
        self._process.wait()


@contextlib.contextmanager
def running(lab: Lab, name: str, desk: int, words: Words | None = None) -> Iterator[Proxy]:
    """A contestant that listens.

    Args:
        desk: the desktop's port.
        words: another command than the contestant's own.
    """
    port = free_port()
    proxy = Proxy(name, (words or COMMANDS[name])(lab, port, desk), port)
    try:
        proxy.wait()
        yield proxy
    finally:
        proxy.stop()


@contextlib.contextmanager
def all_running(lab: Lab, desk: int) -> Iterator[dict[str, Proxy]]:
    """All contestants at once: those whose turn it is not are idle."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(running(lab, name, desk)) for name in lab.names}
