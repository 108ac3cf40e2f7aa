"""The contestants of `start` and `stop`: the same desktop in the same image, started in three ways.

Each is a container whose port leads to Xvnc past a token; Xvnc, jwm and websockify are the same
files in all of them. The command is `sleep`, for those that run one.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.processes import PATIENCE_SECONDS, free_port, pss_mib, run, timed, wait_until
from benchmarks.viewer import WebSocketViewer

TOKEN = secrets.token_hex(32)
OURS, SUPERVISORD, SCRIPT, FLOOR = "deskgate", "plain supervisord", "shell script", "base image"
STACKS = (OURS, SUPERVISORD, SCRIPT)
SCREEN = ("-geometry", "1280x800", "-depth", "24")
WEBSOCKIFY = (
    *("/opt/deskgate/bin/python", "-m", "websockify", "--token-plugin", "TokenFile"),
    *("--token-source", "/bench/tokens", "0.0.0.0:8002"),
)
COMMAND = ("sleep", "infinity")
SUPERVISORD_CONF = f"""\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=/tmp/supervisord.pid

[program:xvnc]
command=Xvnc :1 {" ".join(SCREEN)} -rfbport 5901 -localhost -SecurityTypes None
priority=100

[program:websockify]
command={" ".join(WEBSOCKIFY)}
priority=200

[program:wm]
command=jwm
environment=DISPLAY=":1"
priority=300

[program:command]
command={" ".join(COMMAND)}
priority=400
"""
# The distribution's wrapper, websockify in the background, a fixed wait, the command.
SHELL_SCRIPT = f"""\
#!/bin/sh
tigervncserver :1 {" ".join(SCREEN)} -localhost yes -SecurityTypes None -- jwm
{" ".join(WEBSOCKIFY)} &
sleep 2
exec "$@"
"""
RETRY_SECONDS = 0.005  # a busy loop would take a core from what it waits for
NEVER_SECONDS = 5.0  # after a kill; who has not come back by then does not
X_SERVERS = {"Xvnc", "Xtigervnc"}
# What is the same in all stacks, so no stack's own memory.
NOT_THE_STACK = {*X_SERVERS, "jwm", COMMAND[0]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What all containers of a run stand on.

    Args:
        image: deskgate's.
        folder: of this run, mounted as /bench.
    """

    image: str
    folder: Path

    def write_files(self) -> None:
        """What the peers read; others than its owner must be able to."""
        self.folder.chmod(0o755)
        (self.folder / "supervisord.conf").write_text(SUPERVISORD_CONF)
        (self.folder / "tokens").write_text(f"{TOKEN}: 127.0.0.1:5901\n")
        (self.folder / "start.sh").write_text(SHELL_SCRIPT)

    @property
    def base(self) -> str:
        """The image that ours stands on, or the stand-in for it."""
        label = '{{index .Config.Labels "org.opencontainers.image.base.name"}}'
        return run("docker", "image", "inspect", "--format", label, self.image)

    def words(self, stack: str, command: Sequence[str]) -> list[str]:
        """What `docker run` needs for a stack."""
        mounted = ["-v", f"{self.folder}:/bench:ro"]
        if stack == SUPERVISORD:
            python = [*mounted, "--entrypoint", "/opt/deskgate/bin/python", self.image]
            return [*python, "-m", "supervisor.supervisord", "-n", "-c", "/bench/supervisord.conf"]
        if stack == SCRIPT:
            # As PID 1 a command without a handler hears no SIGTERM: a stop would take 10 s.
            script = ["--init", *mounted, "--entrypoint", "sh", self.image, "/bench/start.sh"]
            return [*script, *command]
        if stack == OURS:
            return ["-e", f"VNC_TOKEN={TOKEN}", self.image, *command]
        return [self.base, *command]


def run_true(bench: Bench, stack: str) -> float:
    """Seconds of `docker run … true`, from nothing to nothing."""
    return timed(run, "docker", "run", "--rm", "--no-healthcheck", *bench.words(stack, ["true"]))


class Container:
    """A stack that is started with it."""

    def __init__(self, bench: Bench, stack: str) -> None:
        self.name = f"bench-{secrets.token_hex(4)}"
        self.port = free_port()
        self._began = time.perf_counter()
        # A health check is a process of its own, and is not what is measured.
        options = ("--no-healthcheck", "-p", f"127.0.0.1:{self.port}:8002", "--name", self.name)
        run("docker", "run", "--detach", *options, *bench.words(stack, COMMAND))

    def first_server_init(self) -> float:
        """Seconds from `docker run` to the first viewer's ServerInit."""
        seconds = self._wait(self._began, PATIENCE_SECONDS)
        if math.isinf(seconds):
            raise TimeoutError(f"{self.name} does not come up")
        return seconds

    def _wait(self, began: float, limit: float) -> float:
        """Try until a viewer gets through; how long after `began`, infinite for never."""
        while time.perf_counter() - began < limit:
            try:
                viewer = WebSocketViewer(self.port, TOKEN)
                viewer.server_init()
                viewer.close()
            except OSError:  # the engine's own proxy accepts before anybody listens behind it
                time.sleep(RETRY_SECONDS)
                continue
            return time.perf_counter() - began
        return math.inf

    def processes(self) -> dict[int, list[str]]:
        """Their command lines, by their pids out here."""
        lines = run("docker", "top", self.name, "-eo", "pid,args").splitlines()[1:]
        return {int(pid): words for pid, *words in (line.split() for line in lines)}

    def x_server(self) -> int:
        """Its pid."""
        return self._pid(lambda words: PurePosixPath(words[0]).name in X_SERVERS)

    def relay(self) -> int:
        """The pid of what listens for viewers, not of what serves one of them."""
        return self._pid(lambda words: not {"deskgate.gate", "websockify"}.isdisjoint(words))

    def _pid(self, is_it: Callable[[list[str]], bool]) -> int:
        return min(pid for pid, words in self.processes().items() if is_it(words))

    def own_pids(self) -> list[int]:
        """Of all that makes the stack, and not the desktop."""
        found = self.processes().items()
        return [pid for pid, words in found if PurePosixPath(words[0]).name not in NOT_THE_STACK]

    def memory_mib(self) -> float:
        """PSS of the stack when no viewer is there; root can read it."""
        relay = str(self.relay())
        # websockify serves each viewer from a process below its own.
        children = Path(f"/proc/{relay}/task/{relay}/children")
        wait_until(lambda: not children.read_text().split())
        return pss_mib(self.own_pids())

    def heal(self, pid: int) -> float:
        """Kill a process; seconds until the next ServerInit, infinite for never."""
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: _is_gone(pid), every=0.0005)
        return self._wait(began, NEVER_SECONDS)

    def stop(self) -> float:
        """Seconds of `docker stop`."""
        return timed(run, "docker", "stop", self.name)


def _is_gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not (proc(5), State)."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@contextlib.contextmanager
def running(bench: Bench, stack: str) -> Iterator[Container]:
    """A container that was started, and is removed afterwards."""
    container = Container(bench, stack)
    try:
        yield container
    finally:
        run("docker", "rm", "--force", container.name)
