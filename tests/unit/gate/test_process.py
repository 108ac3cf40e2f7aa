"""The gate as a process: start, secret, signals, exit statuses."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskgate.errors import Status
from deskgate.gate.__main__ import read_handed
from deskgate.listening import listen

from .running import TOKEN_FILE, Desk, cookie, read_all, wait_until, write_files
from .samples import CONTROL, VIEW

SECRET_LINE = b"5e" * 32 + b"\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Process:
    """A running gate."""

    def __init__(self, path: Path, secret: bytes | None) -> None:
        self.port = json.loads(path.read_text())["listen"][1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deskgate.gate", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it may have refused to start already
            if secret is not None:
                self.process.stdin.write(secret)
            self.process.stdin.close()

    def ready(self) -> None:
        """Wait for its word."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def ask(self, target: str, *lines: str) -> bytes:
        """One request."""
        head = [f"GET {target} HTTP/1.1", "Host: a", "Connection: close", *lines, "", ""]
        return self.send("\r\n".join(head).encode())

    def send(self, data: bytes) -> bytes:
        """These bytes on a connection of their own; everything that came until its end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            with contextlib.suppress(OSError):  # it may have heard enough before the end
                sock.sendall(data)
            return read_all(sock)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, bytes, bytes, float]:
        """Exit status, what was left on stdout, stderr, and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(5)
        took = time.monotonic() - began
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        return status, self.process.stdout.read(), self.process.stderr.read(), took

    def close(self) -> None:
        """Let go of everything."""
        self.process.kill()
        self.process.wait(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()


@contextlib.contextmanager
def process(path: Path, secret: bytes | None = SECRET_LINE) -> Iterator[Process]:
    running = Process(path, secret)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def path(tmp_path: Path, desk: Desk) -> Path:
    """A gate.json."""
    return write_files(tmp_path, desk.port, listen=["127.0.0.1", free_port()])


def test_it_says_ready_once_serves_and_stops_cleanly(path: Path) -> None:
    """Half a second, status 0, nothing else on stdout; no token and no query in the log."""
    with process(path) as gate:
        gate.ready()
        assert gate.ask(f"/?token={VIEW}").startswith(b"HTTP/1.1 303")
        assert gate.ask(f"/?token={CONTROL[:-1]}").startswith(b"HTTP/1.1 401")
        status, out, err, took = gate.stop()
    assert (status, out) == (0, b"")
    assert took < 0.5
    assert all(line.split(b": ")[0] in {b"info", b"debug"} for line in err.splitlines())
    for secret in (CONTROL[:-1], VIEW, "token="):
        assert secret.encode() not in err


def test_c7b_the_secret_comes_into_locked_memory(path: Path) -> None:
    """Whoever may open the gate's memory before could go on reading it.

    proc(5): what shows a process belongs to root, when it may not be dumped.
    """
    other = 65534 if os.getgid() == 0 else None

    def owner(process: subprocess.Popen[bytes]) -> tuple[int, int]:
        about = Path(f"/proc/{process.pid}/environ").stat()
        return about.st_uid, about.st_gid

    with subprocess.Popen(["sleep", "60"], group=other) as open_to_all:
        assert owner(open_to_all) != (0, 0), "positive control"
        open_to_all.kill()
    command = [sys.executable, "-m", "deskgate.gate", str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT, group=other
    ) as gate:
        wait_until(lambda: owner(gate) == (0, 0))
        assert gate.stdout is not None
        assert not select.select([gate.stdout], [], [], 0)[0], "it waits for the secret"
        gate.kill()


def test_a_killed_gate_comes_back_with_its_sessions(path: Path) -> None:
    """F1: PID 1 gives the same secret, so nobody has to log in again."""
    with process(path) as gate:
        gate.ready()
        logged_in = cookie(gate.ask(f"/?token={CONTROL}"))
        gate.stop(signal.SIGKILL)
    with process(path) as gate:
        gate.ready()
        assert gate.ask("/vnc.html", logged_in).startswith(b"HTTP/1.1 200")
    with process(path, b"aa" * 32 + b"\n") as gate:
        gate.ready()
        assert gate.ask("/vnc.html", logged_in).startswith(b"HTTP/1.1 401")


def test_sighup_reads_the_tokens_again(path: Path) -> None:
    """At once, without waiting for the next look."""
    with process(path) as gate:
        gate.ready()
        assert gate.ask("/vnc.html", f"Authorization: Bearer {VIEW}").startswith(b"HTTP/1.1 200")
        tokens = Path(json.loads(path.read_text())["tokens"])
        tokens.write_text(TOKEN_FILE.split("# name=view")[0])
        gate.process.send_signal(signal.SIGHUP)
        bearer = f"Authorization: Bearer {VIEW}"
        wait_until(lambda: gate.ask("/vnc.html", bearer).startswith(b"HTTP/1.1 401"), 0.9)


BROKEN: dict[str, tuple[dict[str, Any], int, str]] = {
    "a bad setting": ({"auth": "basic"}, Status.CONFIG, "gate.json"),
    "no token file": ({"tokens": "/nonexistent"}, Status.CONFIG, "token file"),
    "no web folder's certificate": (
        {"cert": "/nonexistent", "key": "/nonexistent"},
        Status.NO_INPUT,
        "cannot start",
    ),
}


@pytest.mark.parametrize(("changes", "status", "said"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_start_says_so_in_one_line(
    tmp_path: Path, desk: Desk, changes: dict[str, Any], status: int, said: str
) -> None:
    """And is never ready."""
    listening = {"listen": ["127.0.0.1", free_port()]}
    path = write_files(tmp_path, desk.port, **listening, **changes)
    with process(path) as gate:
        assert gate.process.wait(10) == status
        assert gate.process.stdout is not None
        assert gate.process.stderr is not None
        assert gate.process.stdout.read() == b""
        lines = gate.process.stderr.read().decode().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert said in lines[0]


def test_a_taken_port_is_named(path: Path) -> None:
    """F9."""
    port = json.loads(path.read_text())["listen"][1]
    with socket.create_server(("127.0.0.1", port)), process(path) as gate:
        assert gate.process.wait(10) == Status.UNAVAILABLE
        assert gate.process.stderr is not None
        assert f"port {port}".encode() in gate.process.stderr.read()


def run(*arguments: str) -> int:
    command = [sys.executable, "-m", "deskgate.gate", *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=20, check=False)
    return done.returncode


def test_the_command_line_is_one_readable_file(tmp_path: Path) -> None:
    """Everything else is said."""
    assert run() == Status.USAGE
    assert run(str(tmp_path / "nothing")) == Status.NO_INPUT


SECRETS = [
    (SECRET_LINE, True),
    (SECRET_LINE.strip(), True),
    (b"", False),
    (b"\n", False),
    (b"5e" * 31 + b"\n", False),
    (b"xx" * 32 + b"\n", False),
    (b" ".join((b"5e" * 32, b"a1" * 16, b"b2" * 16)) + b"\n", True),
    (b" ".join((b"5e" * 32, b"c1" * 16)) + b"\n", False),
    (b"\xff" * 70, False),
]


@pytest.mark.parametrize(("given", "taken"), SECRETS)
def test_a_boot_secret_is_taken_or_made(given: bytes, taken: bool) -> None:
    """Never an empty or a short one."""
    reading, writing = os.pipe()
    os.write(writing, given)
    os.close(writing)
    secret, tickets = read_handed(reading)
    os.close(reading)
    assert len(secret) == 32
    assert (secret == bytes.fromhex("5e" * 32)) == taken
    assert tickets == (("a1" * 16, "b2" * 16) if b"a1" in given else ())


def test_a_silent_stdin_does_not_hang_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts it by hand."""
    monkeypatch.setattr("deskgate.gate.__main__.SECRET_SECONDS", 0.05)
    reading, writing = os.pipe()
    assert len(read_handed(reading)[0]) == 32
    os.close(reading)
    os.close(writing)
    assert len(read_handed(reading)[0]) == 32  # not even open


HOSTS = [("", ["127.0.0.1", "::1"]), ("127.0.0.1", ["127.0.0.1"]), ("::1", ["::1"])]


@pytest.mark.parametrize(("host", "reachable"), HOSTS)
def test_it_listens_where_it_is_told(host: str, reachable: list[str]) -> None:
    """An empty host is both families, where there are two."""
    if not Path("/proc/net/if_inet6").read_text():
        pytest.skip("this kernel has no IPv6")
    with listen(host, 0) as listener:
        port = listener.getsockname()[1]
        for address in ("127.0.0.1", "::1"):
            with contextlib.ExitStack() as stack:
                try:
                    stack.enter_context(socket.create_connection((address, port), timeout=2))
                except OSError:
                    assert address not in reachable
                else:
                    assert address in reachable
