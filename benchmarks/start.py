"""How long until a desktop answers: ours, the same programs under plain supervisord, the floor.

`python benchmarks/start.py [--runs 10] [--image deskgate:debian]` prints the table that the docs
quote. Everything is measured in one run, in turns, so that a noisy machine harms all alike.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import socket
import statistics
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TOKEN = secrets.token_hex(32)
PATIENCE_SECONDS = 20.0
SUPERVISORD = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=/tmp/supervisord.pid

[program:xvnc]
command=Xvnc :1 -geometry 1280x800 -depth 24 -rfbport 5901 -localhost -SecurityTypes None
priority=100

[program:websockify]
command=/opt/deskgate/bin/python -m websockify --token-plugin TokenFile
  --token-source /bench/tokens 0.0.0.0:8002
priority=200

[program:wm]
command=jwm
environment=DISPLAY=":1"
priority=300
"""


def run(*words: str) -> str:
    """Run a command to its end; its output."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Viewer:
    """Just enough of RFC 6455 and RFC 6143 to reach ServerInit."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 2.0)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET /websockify?token={TOKEN} HTTP/1.1",
            f"Host: localhost:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        head, _, self._buffer = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError("not upgraded")

    def _until(self, end: bytes) -> bytes:
        data = b""
        while end not in data:
            data += self._more()
        return data

    def _more(self) -> bytes:
        piece = self._socket.recv(65536)
        if not piece:
            raise ConnectionError("closed")
        return piece

    def receive(self) -> bytes:
        """One message's payload; a server's frames are not masked."""
        while len(self._buffer) < 2 or len(self._buffer) < 2 + (self._buffer[1] & 127):
            self._buffer += self._more()
        size = self._buffer[1] & 127
        payload, self._buffer = self._buffer[2 : 2 + size], self._buffer[2 + size :]
        return payload

    def send(self, payload: bytes) -> None:
        """One binary message, masked with zeros: this is no browser with a cache to protect."""
        self._socket.sendall(struct.pack(">BB4x", 0x82, 0x80 | len(payload)) + payload)

    def server_init(self) -> None:
        """Go through the handshake up to the size of the screen."""
        self.receive()
        self.send(b"RFB 003.008\n")
        self.receive()
        self.send(b"\x01")
        self.receive()
        self.send(b"\x01")
        width, height = struct.unpack(">HH", self.receive()[:4])
        if not (width and height):
            raise ConnectionError("a screen without a size")

    def close(self) -> None:
        """Leave."""
        self._socket.close()


def first_server_init(port: int) -> None:
    """Try until a viewer gets through."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            viewer = Viewer(port)
            viewer.server_init()
            viewer.close()
        except OSError:  # the engine's own proxy accepts before anybody listens behind it
            continue
        return
    raise TimeoutError("no ServerInit")


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def base_of(image: str) -> str:
    """The image that this one stands on: as it is called, or its stand-in."""
    label = '{{index .Config.Labels "org.opencontainers.image.base.name"}}'
    return run("docker", "image", "inspect", "--format", label, image)


def our_words(folder: Path, image: str) -> list[str]:
    """What `docker run` needs for ours."""
    return ["-e", f"VNC_TOKEN={TOKEN}", image]


def supervisord_words(folder: Path, image: str) -> list[str]:
    """The same programs as a plain supervisord stack has them: priorities, and its own tick."""
    (folder / "supervisord.conf").write_text(SUPERVISORD)
    (folder / "tokens").write_text(f"{TOKEN}: 127.0.0.1:5901\n")
    words = ["-v", f"{folder}:/bench:ro", "--entrypoint", "/opt/deskgate/bin/python", image]
    return [*words, "-m", "supervisor.supervisord", "-n", "-c", "/bench/supervisord.conf"]


STACKS: dict[str, Callable[[Path, str], list[str]]] = {
    "deskgate": our_words,
    "plain supervisord 4.3 with websockify": supervisord_words,
}


def start_to_server_init(words: list[str]) -> tuple[float, float]:
    """Seconds from `docker run` to ServerInit; memory of what is not Xvnc or jwm, in MiB PSS."""
    port, name = free_port(), f"bench-{secrets.token_hex(4)}"
    began = time.perf_counter()
    # A health check is a Python process of its own, and is not what is measured.
    options = ("--no-healthcheck", "-p", f"127.0.0.1:{port}:8002")
    run("docker", "run", "-d", "--name", name, *options, *words)
    try:
        first_server_init(port)
        return time.perf_counter() - began, memory_of_python(name)
    finally:
        run("docker", "rm", "-f", name)


def memory_of_python(name: str) -> float:
    """PSS of the Python processes (proc(5), smaps_rollup), read on the host as root."""
    kib = 0
    for line in run("docker", "top", name, "-eo", "pid,args").splitlines()[1:]:
        pid, _, command = line.strip().partition(" ")
        if "python" in command.split()[0]:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kib += next(int(row.split()[1]) for row in rollup.splitlines() if row[:4] == "Pss:")
    return kib / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--image", default="deskgate:debian")
    arguments = parser.parse_args()
    image, base = arguments.image, base_of(arguments.image)
    floor: list[float] = []
    true: list[float] = []
    inits: dict[str, list[float]] = {name: [] for name in STACKS}
    memory: dict[str, list[float]] = {name: [] for name in STACKS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for _ in range(arguments.runs):
            floor.append(timed(lambda: run("docker", "run", "--rm", base, "true")))
            true.append(timed(lambda: run("docker", "run", "--rm", image, "true")))
            for stack, words in STACKS.items():
                seconds, mib = start_to_server_init(words(folder, image))
                inits[stack].append(seconds)
                memory[stack].append(mib)
    least = statistics.median(floor)
    print(f"{image} on {base}, {arguments.runs} runs, medians\n")
    print("| figure | seconds | over the floor | Python processes, MiB PSS |")
    print("|---|---|---|---|")
    print(f"| `docker run {base} true`, the floor | {least:.2f} | | |")
    middle = statistics.median(true)
    print(f"| `docker run … true`, desktop up and down | {middle:.2f} | +{middle - least:.2f} | |")
    for stack, values in inits.items():
        middle, mib = statistics.median(values), statistics.median(memory[stack])
        print(f"| first ServerInit, {stack} | {middle:.2f} | +{middle - least:.2f} | {mib:.1f} |")
    ours, theirs = (statistics.median(values) - least for values in inits.values())
    print(f"\nOver the floor, plain supervisord takes {theirs / ours:.1f} times as long.")


if __name__ == "__main__":
    main()
