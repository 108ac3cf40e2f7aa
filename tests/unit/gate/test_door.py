"""TLS: it serves, and silent handshakes are counted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from deskgate.gate import limits
from deskgate.gate.door import receive

from .running import Desk, Gate, read_all, wait_until, write_files
from .samples import CONTROL
from .test_process import Process, free_port, process

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate")


@pytest.fixture
def path(tmp_path: Path, desk: Desk) -> Path:
    """A gate.json with a certificate."""
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
    )
    listening = ["127.0.0.1", free_port()]
    return write_files(tmp_path, desk.port, listen=listening, cert=cert, key=key)


def ask(gate: Process, path: Path, head: str) -> bytes:
    context = ssl.create_default_context(cafile=json.loads(path.read_text())["cert"])
    with (
        socket.create_connection(("127.0.0.1", gate.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        sock.sendall(f"{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return read_all(sock)


def test_tls_serves_and_its_cookie_is_secure(path: Path) -> None:
    """The prefix binds it to this host and to https."""
    with process(path) as gate:
        gate.ready()
        answer = ask(gate, path, f"GET /?token={CONTROL} HTTP/1.1")
        assert answer.startswith(b"HTTP/1.1 303")
        assert b"Set-Cookie: __Host-vnc_" in answer
        assert b"; Secure" in answer
        assert ask(gate, path, "GET /vnc.html HTTP/1.1").startswith(b"HTTP/1.1 401")
        status, _, err, took = gate.stop()
    assert status == 0
    assert took < 0.5
    assert b"error" not in err


def test_h12_silent_handshakes_are_strangers(path: Path) -> None:
    """They hold no more places and no more memory than any stranger, and keep nobody out."""
    with process(path) as gate, contextlib.ExitStack() as stack:
        gate.ready()
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", gate.port), timeout=5))
            for _ in range(limits.STRANGERS + 20)
        ]
        fds = Path(f"/proc/{gate.process.pid}/fd")
        wait_until(lambda: len(list(fds.iterdir())) < limits.STRANGERS + 20)
        assert read_all(silent[0]) == b""
        answer = ask(gate, path, f"GET /vnc.html HTTP/1.1\r\nAuthorization: Bearer {CONTROL}")
        assert answer.startswith(b"HTTP/1.1 200")


def test_h9_a_handshake_that_does_not_come_ends(
    gate: Gate, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the time of a request."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.3)
    files = json.loads(path.read_text())
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files["cert"], files["key"])
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    accepting = asyncio.run_coroutine_threadsafe(receive(listener, gate.keeper, tls), gate.loop)
    with socket.create_connection(address, timeout=5) as sock:
        assert read_all(sock) == b""
    accepting.cancel()
    wait_until(lambda: listener.fileno() < 0)


def test_plain_http_on_the_tls_port_is_only_closed(path: Path) -> None:
    """No error in the log for it."""
    with process(path) as gate:
        gate.ready()
        with socket.create_connection(("127.0.0.1", gate.port), timeout=5) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not read_all(sock).startswith(b"HTTP")
        _, _, err, _ = gate.stop()
    assert b"error" not in err
