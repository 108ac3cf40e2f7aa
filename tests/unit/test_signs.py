"""Signs of life: what may be asked for, and what answers count."""

from __future__ import annotations

import pytest

from deskgate.forms import FormError
from deskgate.signs import Sign, endpoint, read_sign

GET = b"GET /health?deep=1 HTTP/1.1\r\nHost: [::1]:5901\r\nConnection: close\r\n\r\n"
ROOT = b"GET / HTTP/1.1\r\nHost: localhost:5901\r\nConnection: close\r\n\r\n"

IPV4, IPV6 = ("127.0.0.1", 5901), ("::1", 5901)
SOCKET = "/run/deskgate/rfb.sock"
VALID = {
    "": None,
    "stdout": Sign(kind="stdout"),
    "rfb:127.0.0.1:5901": Sign(kind="rfb", addresses=(IPV4,)),
    "rfb:[::1]:5901": Sign(kind="rfb", addresses=(IPV6,)),
    f"rfb:unix_socket:{SOCKET}": Sign(kind="rfb", addresses=(SOCKET,)),
    "http:[::1]:5901/health?deep=1": Sign(kind="http", addresses=(IPV6,), question=GET),
    "http:localhost:5901/": Sign(kind="http", addresses=(IPV4, IPV6), question=ROOT),
}
INVALID = [
    *("stdout:", "stderr", "tcp:127.0.0.1:80", "https:127.0.0.1:80/", "rfb", "rfb:", "http:"),
    *("rfb:unix_socket:rfb.sock", "rfb:unix_socket:/a b", "rfb:127.0.0.1", "rfb:example.org:5901"),
    *("rfb:127.0.0.1:0", "rfb:127.0.0.1:65536", "rfb:127.0.0.1:59O1", "rfb:127.0.0.1:\u0665"),
    *("http:127.0.0.1:80", "http:127.0.0.1:80/a b", "http:127.0.0.1:80/a\r\nX: y"),
    "http:127.0.0.1:80/\u00fc",
]


ENDPOINTS = [
    *("tcp:127.0.0.1:1", "tcp:[::1]:65535", "tcp:::1:80", "tcp:localhost:80"),
    *("unix:/run/s", "file:/a:b"),
]
NO_ENDPOINTS = [
    *("", "tcp", "unix:run", "file:", "file:/a b", "udp:1:2", "tcp:80", "tcp:db:80"),
    *("tcp:1.2.3:80", "tcp:1.2.3.4:0", "tcp:1.2.3.4:65536", "tcp:1.2.3.4:", "tcp:1.2.3.4:\u0663"),
]


@pytest.mark.parametrize("text", ENDPOINTS)
def test_an_endpoint_is_taken_as_it_stands(text: str) -> None:
    """Who waits for it reads it again."""
    assert endpoint(text) == text


@pytest.mark.parametrize("text", NO_ENDPOINTS, ids=ascii)
def test_what_is_no_endpoint_is_refused_with_what_is(text: str) -> None:
    """Nothing whose name would have to be looked up."""
    with pytest.raises(FormError, match=r"^give tcp:HOST:PORT "):
        endpoint(text)


@pytest.mark.parametrize("text", VALID, ids=lambda text: text or "empty")
def test_a_sign_is_read(text: str) -> None:
    """Whom to ask, and what."""
    assert read_sign(text) == VALID[text]


@pytest.mark.parametrize("text", INVALID, ids=ascii)
def test_what_is_no_sign_is_refused_with_what_is(text: str) -> None:
    """A name is none either: looking it up may take longer than PID 1 has."""
    with pytest.raises(FormError, match="give stdout, http:HOST:PORT/PATH"):
        read_sign(text)


def test_a_line_on_stdout_comes_unasked() -> None:
    """The others have to be asked."""
    found = [read_sign(text) for text in ("stdout", "rfb:127.0.0.1:5901", "http:127.0.0.1:80/")]
    assert [sign and sign.must_be_asked for sign in found] == [False, True, True]


ANSWERS = [
    ("rfb", b"", None),
    ("rfb", b"RFB 003.008", None),
    ("rfb", b"RFB 003.008\n", True),
    ("rfb", b"RFB 003.889\nmore", True),
    ("rfb", b"HTTP/1.1 200 OK\r\n", False),
    ("http", b"HTTP/1.1 20", None),
    ("http", b"HTTP/1.1 200", True),
    ("http", b"HTTP/1.0 204 ", True),
    ("http", b"HTTP/1.1 302 Found", True),
    ("http", b"HTTP/1.1 404 Not Found", False),
    ("http", b"HTTP/1.1 503 ", False),
    ("http", b"RFB 003.008\n", False),
]


@pytest.mark.parametrize(("kind", "answer", "shown"), ANSWERS)
def test_an_answer_shows_life_or_not(kind: str, answer: bytes, shown: bool | None) -> None:
    """A greeting; a page or where it has gone; of half an answer nothing is known."""
    assert Sign(kind=kind).shows_life(answer) is shown
