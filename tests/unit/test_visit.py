"""A journey to somebody else: how far it goes, and what it never tells."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deskgate import visit as journeys
from deskgate.address import read_link
from deskgate.journey import Journey
from deskgate.visit import visit

TOKEN = "5f0c" * 16


@contextmanager
def stranger(status: int, body: bytes, location: str = "") -> Iterator[tuple[int, list[str]]]:
    """Somebody else at the port, who keeps what he is told; gives the port and that."""
    told: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            told.append(f"{self.requestline}\n{self.headers}{self.rfile.read(length).decode()}")
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def visited(port: int) -> Journey:
    """A journey by a link that has a token."""
    return visit(read_link(f"http://127.0.0.1:{port}/#token={TOKEN}"))


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"hello"), (404, b""), (502, b"ok"), (401, b"ok\nand more")]
)
def test_who_is_not_deskgate_is_told_no_token(status: int, body: bytes) -> None:
    """One question, without it; then the journey ends."""
    with stranger(status, body) as (port, told):
        seen = visited(port)
    assert (seen.health, seen.ours, seen.login) == (status, False, None)
    assert [each.split()[:2] for each in told] == [["GET", "/healthz"]]
    assert TOKEN not in told[0]


def test_who_answers_as_deskgate_is_told() -> None:
    """The positive control of the above: then the token goes, in the body alone."""
    with stranger(200, b"ok\n") as (port, told):
        assert visited(port).login == 200
    heads = [each.partition("\n\n")[0] for each in told]
    assert f"token={TOKEN}" in told[2]
    assert not any(TOKEN in head for head in heads)


def test_where_it_is_sent_is_told_and_not_followed() -> None:
    """A redirect to https says what PUBLIC_URL should be."""
    with stranger(308, b"", "https://desk.example.org/lab/healthz") as (port, told):
        assert visited(port).moved == "https://desk.example.org/lab"
    assert len(told) == 1


def test_a_port_without_http_is_a_journey_without_an_answer() -> None:
    """Nothing listens, or somebody who closes."""
    seen = visit(read_link("http://127.0.0.1:1/"))
    assert (seen.unreached, seen.health) == ("refused", None)
    assert visit(read_link("http://no-such-host.invalid/")).unreached == "name"


@contextmanager
def torrent(pieces: Callable[[], Iterable[bytes]]) -> Iterator[int]:
    """Somebody at a port who answers every question with this, however long it takes."""

    def answer(door: socket.socket) -> None:
        with door, suppress(OSError):
            door.recv(4096)
            for piece in pieces():
                door.sendall(piece)

    def serve() -> None:
        with suppress(OSError):
            while True:
                door, _ = listener.accept()
                threading.Thread(target=answer, args=(door,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("what", ["a body", "a WebSocket"])
def test_no_more_of_an_answer_is_kept_than_is_needed(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast it comes."""
    monkeypatch.setattr(journeys, "SECONDS", 0.3)
    with torrent(lambda: itertools.chain([BEGINS[what]], ENDLESS[what]())) as port:
        link = read_link(f"http://127.0.0.1:{port}/")
        answer = journeys._ask(link, "GET", "", until=b"RFB")
    assert journeys.BODY_BYTES <= len(answer.body) < journeys.BODY_BYTES + 4096


def drip() -> Iterator[bytes]:
    """Something now and then, always in time."""
    while True:
        time.sleep(0.05)
        yield b"X: y\r\n"


ENDLESS: dict[str, Callable[[], Iterable[bytes]]] = {
    "a body": lambda: itertools.repeat(b"x" * 65536),
    "a head": drip,
    "news of an answer": lambda: itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a WebSocket": lambda: itertools.repeat(b"y" * 65536),
}
BEGINS = {
    "a body": b"HTTP/1.1 200 OK\r\n\r\n",
    "a head": b"HTTP/1.1 200 OK\r\n",
    "news of an answer": b"",
    "a WebSocket": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
}


@pytest.mark.parametrize("what", ENDLESS)
@pytest.mark.timeout(10)
def test_an_answer_without_an_end_holds_nobody_up(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it fill the memory."""
    monkeypatch.setattr(journeys, "SECONDS", 0.3)
    began = time.monotonic()
    with torrent(lambda: itertools.chain([BEGINS[what]], ENDLESS[what]())) as port:
        assert not visited(port).ours
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("date", ["tomorrow", "Mon, 99 Xyz 2026 00:00:00 GMT"])
def test_what_is_no_date_tells_no_clock(date: str) -> None:
    """It is somebody else's text."""
    head = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 3\r\n\r\nok\n"
    with torrent(lambda: [head.encode()]) as port:
        seen = visited(port)
    assert (seen.ours, seen.skew, seen.login) == (True, None, 200)


def test_a_name_that_none_can_have_is_no_host() -> None:
    """As one that nobody has."""
    assert visit(read_link(f"http://{'a' * 64}.test/")).unreached == "name"
