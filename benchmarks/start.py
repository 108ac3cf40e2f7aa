"""How long until a desktop answers, beside the floor of the engine itself.

`python benchmarks/start.py [--runs 10] [--image deskgate:debian]` prints the table that the docs
quote. All columns are measured in one run, in turns, so that a noisy machine harms all alike.
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
import time
from collections.abc import Callable
from pathlib import Path

TOKEN = secrets.token_hex(32)
PATIENCE_SECONDS = 20.0


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
            "GET /websockify HTTP/1.1",
            f"Host: localhost:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Authorization: Bearer {TOKEN}",
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


def start_to_server_init(image: str) -> tuple[float, int]:
    """Seconds from `docker run` to ServerInit; resident memory of our processes, in KiB PSS."""
    port, name = free_port(), f"bench-{secrets.token_hex(4)}"
    publish = f"127.0.0.1:{port}:8002"
    began = time.perf_counter()
    run("docker", "run", "-d", "--name", name, "-e", f"VNC_TOKEN={TOKEN}", "-p", publish, image)
    try:
        first_server_init(port)
        seconds = time.perf_counter() - began
        return seconds, our_memory(name)
    finally:
        run("docker", "rm", "-f", name)


def our_memory(name: str) -> int:
    """PSS of the conductor and the gate (proc(5), smaps_rollup), read on the host as root."""
    total = 0
    for line in run("docker", "top", name, "-eo", "pid,args").splitlines()[1:]:
        pid, _, command = line.strip().partition(" ")
        if "deskgate.conductor" in command or "deskgate.gate" in command:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += next(int(row.split()[1]) for row in rollup.splitlines() if row[:4] == "Pss:")
    return total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--image", default="deskgate:debian")
    arguments = parser.parse_args()
    floor, true, init, memory = [], [], [], []
    for _ in range(arguments.runs):
        bare = ("docker", "run", "--rm", "--entrypoint", "true", arguments.image)
        floor.append(timed(lambda: run(*bare)))  # noqa: B023 - called at once
        true.append(timed(lambda: run("docker", "run", "--rm", arguments.image, "true")))
        seconds, kib = start_to_server_init(arguments.image)
        init.append(seconds)
        memory.append(kib)
    base = statistics.median(floor)
    print(f"{arguments.image}, {arguments.runs} runs, medians\n")
    print("| figure | seconds | over the floor |")
    print("|---|---|---|")
    print(f"| `docker run … true` without deskgate (the floor) | {base:.2f} | - |")
    for label, values in (("`docker run … true`, desktop up and down", true),
                          ("`docker run` to the first ServerInit", init)):  # fmt: skip
        middle = statistics.median(values)
        print(f"| {label} | {middle:.2f} | +{middle - base:.2f} |")
    print(f"\nconductor and gate: {statistics.median(memory) / 1024:.1f} MiB PSS")


if __name__ == "__main__":
    main()
