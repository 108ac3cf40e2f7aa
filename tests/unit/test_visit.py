"""A journey to somebody else: how far it goes, and what it never tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

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
