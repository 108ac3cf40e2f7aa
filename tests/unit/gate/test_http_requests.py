"""Requests that are meant to be read in two ways, over real sockets."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from deskgate.gate import pages

from .running import Gate, body_of, exchange, statuses
from .samples import CONTROL

BEARER = f"Authorization: Bearer {CONTROL}"
HOST = "Host: localhost"


# Paths


@pytest.fixture
def web(tmp_path: Path, gate: Gate) -> Path:
    """The gate's web folder with what it must not serve in it, and indexed anew."""
    root = tmp_path / "web"
    (tmp_path / "outside").write_text("a file outside")
    (root / "app").mkdir()
    (root / "app" / "ui.js").write_text("let x")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("hidden")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "folder").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "fifo")
    gate.keeper.files = pages.index_folder(str(root))
    return root


PATHS = [
    *("/..%2foutside", "/..%2f..%2f..%2f..%2fetc%2fpasswd", "/..%5coutside", "/%2e%2e/outside"),
    *("/../outside", "/....//outside", "/..;/outside", "/%2e%2e%2foutside", "/app/../../outside"),
    *("/%252e%252e/outside", "/%c0%ae%c0%ae/outside", "/%u002e%u002e/outside", "/\\..\\outside"),
    *("/%00", "/vnc.html%00", "/vnc.html%00.png", "/%2foutside", "//outside", "///outside"),
    *("//evil.test/vnc.html", "/link", "/folder/outside", "/loop/vnc.html", "/fifo", "/.git"),
    *("/.git/config", "/app", "/app/", "/app/.", "/app/..", "/.", "/..", "/./vnc.html"),
    *("/app/../vnc.html", "/vnc.html/", "/vnc.html/x", "/vnc.html%20", "/VNC.HTML", "/~root"),
    *("/vnc.html;x", "/C:/outside", "/file:%2f%2f%2foutside", "/proc/self/environ"),
]


@pytest.mark.usefixtures("web")
def test_h5_no_path_leads_out_or_lists_anything(gate: Gate) -> None:
    """400 or 404 to who may ask, the same 401 as ever to who may not."""
    stranger = gate.ask("GET / HTTP/1.1")
    for path in PATHS:
        given = gate.ask(f"GET {path} HTTP/1.1\r\n{BEARER}")
        assert statuses(given) in ([400], [404]), path
        assert body_of(given).startswith((b"400", b"404")), path
        assert body_of(gate.ask(f"GET {path} HTTP/1.1")) == body_of(stranger), path
    for path in ("/vnc.html", "/app/ui.js", "/app/ui.js?v=1", "/app/%75i.js"):
        assert gate.status(f"GET {path} HTTP/1.1\r\n{BEARER}") == 200


TARGETS = [
    "http://evil.test/vnc.html",
    "http://localhost/vnc.html",
    "*",
    "evil.test:80",
    "vnc.html",
]


@pytest.mark.parametrize("target", TARGETS)
def test_h5_a_target_that_is_no_path_is_malformed(gate: Gate, target: str) -> None:
    """We are no proxy (RFC 9112, 3.2.2)."""
    for credential in (BEARER, "X: y"):
        assert gate.status(f"GET {target} HTTP/1.1\r\n{credential}") == 400


# Methods

METHODS = [
    *("TRACE", "CONNECT", "PUT", "DELETE", "PROPFIND", "OPTIONS", "PATCH", "PRI", "DEBUG", "TRACK"),
    *("get", "Get", "GETT", "A" * 10240),
]


@pytest.mark.parametrize("method", METHODS, ids=[method[:9] for method in METHODS])
@pytest.mark.parametrize("credential", [BEARER, "X: y"], ids=["with", "without"])
def test_h6_another_method_ends_the_connection(gate: Gate, method: str, credential: str) -> None:
    """405 with what is allowed; nothing is echoed, and nothing behind it is read."""
    good = f"GET /vnc.html HTTP/1.1\r\n{HOST}\r\n{BEARER}\r\n\r\n".encode()
    given = exchange(gate, f"{method} /vnc.html HTTP/1.1", HOST, credential, "X-E: c", behind=good)
    assert statuses(given) == [405]
    assert b"\r\nAllow: GET, HEAD, POST\r\n" in given
    assert b"\r\nConnection: close\r\n" in given
    assert b"X-E" not in given


def test_h6_a_name_of_another_method_changes_none(gate: Gate) -> None:
    """No override by a header or a field."""
    lines = [f"X-HTTP-Method{which}: POST" for which in ("", "-Override")]
    head = "GET /logout?_method=POST HTTP/1.1"
    assert statuses(exchange(gate, head, HOST, BEARER, *lines, "Connection: close")) == [405]


# Conditions, ranges, codings

MANY_RANGES = "bytes=" + ",".join(f"{at}-{at + 4}" for at in range(1000))
BOMBS = {
    "one range": ["Range: bytes=0-0"],
    "the last bytes": ["Range: bytes=-5"],
    "beyond the end": ["Range: bytes=999999999-"],
    "a thousand ranges": [MANY_RANGES.replace("bytes", "Range: bytes", 1)],
    "overlapping ranges": ["Range: bytes=" + ",".join(["0-"] * 1000)],
    "a range if": ["Range: bytes=0-4", 'If-Range: "x"'],
    "codings": ["Accept-Encoding: " + ", ".join(["gzip", "br", "zstd", "deflate"] * 400)],
    "qualities": ["Accept-Encoding: " + ", ".join(f"x{at};q=0.{at}" for at in range(500))],
    "conditions": ["If-None-Match: " + ", ".join(f'"{at}"' for at in range(1000))],
    "types": ["Accept: " + ", ".join(["a/b;q=0.1"] * 500)],
    "words": [f"{name}: {', '.join(['x'] * 1500)}" for name in ("Connection", "Upgrade")],
}


@pytest.mark.parametrize("lines", BOMBS.values(), ids=BOMBS)
def test_h7_no_header_makes_an_answer_larger_than_the_file(
    gate: Gate, web: Path, lines: list[str]
) -> None:
    """Ranges and codings are not served: the whole file comes once, as it is."""
    content = (web / "app" / "ui.js").read_bytes()
    for method, expected in (("GET", content), ("HEAD", b"")):
        head = [f"{method} /app/ui.js HTTP/1.1", HOST, BEARER, *lines, "Connection: close"]
        given = exchange(gate, *head)
        assert statuses(given) == [200]
        assert body_of(given) == expected
        assert f"\r\nContent-Length: {len(content)}\r\n".encode() in given
        assert b"Content-Encoding" not in given
        assert b"Content-Range" not in given


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_h7_what_the_browser_has_is_not_sent_again(gate: Gate, method: str) -> None:
    """304 without a body, to who may ask; a stranger does not learn whether he has it."""
    first = gate.ask(f"GET /app/ui.js HTTP/1.1\r\n{BEARER}")
    etag = re.findall(rb"ETag: (.*)\r\n", first)[0].decode()
    for given in (etag, f"W/{etag}", "*", f'"x", {etag}'):
        answer = gate.ask(f"{method} /app/ui.js HTTP/1.1\r\n{BEARER}\r\nIf-None-Match: {given}")
        assert (statuses(answer), body_of(answer)) == ([304], b"")
        assert gate.status(f"{method} /app/ui.js HTTP/1.1\r\nIf-None-Match: {given}") == 401


@pytest.mark.parametrize(
    "target", ["/", "/vnc.html", "/nothing", "/healthz", "/api/status", "/?token={}"]
)
def test_h7_head_is_get_without_its_body_of(gate: Gate, target: str) -> None:
    """The same status and length, of everything."""
    for credential in (BEARER, "X: y"):
        get, head = (
            gate.ask(f"{method} {target.format(CONTROL)} HTTP/1.1\r\n{credential}")
            for method in ("GET", "HEAD")
        )
        assert statuses(head) == statuses(get)
        assert body_of(head) == b""
        assert f"\r\nContent-Length: {len(body_of(get))}\r\n".encode() in head
