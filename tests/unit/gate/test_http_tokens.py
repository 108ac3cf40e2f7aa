"""Tokens over real sockets: only the exact bytes of one pass, wherever they stand."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from .running import Gate, read_all
from .samples import CONTROL, VIEW

FORM = "Content-Type: application/x-www-form-urlencoded"
NAMED = re.compile(rb"novnc|tigervnc|h11|python|server:|[0-9]+\.[0-9]+\.[0-9]+", re.IGNORECASE)
DATE = re.compile(rb"Date: [^\r]*\r\n")


def answer(gate: Gate, head: str, body: str = "") -> bytes:
    """All of an answer but its date."""
    length = f"\r\nContent-Length: {len(body)}" if body else ""
    return DATE.sub(b"", gate.ask(head + length, body.encode()))


def status(gate: Gate, head: str, body: str = "") -> int:
    return int(answer(gate, head, body).split(b" ", 2)[1])


TARGETS = [
    *("/vnc.html", "/core/rfb.js", "/package.json", "/websockify", "/a/websockify", "/x1f3"),
    *("/defaults.json", "/login", "/logout", "/metrics", "/api/status", "/api/x", "/.git/config"),
    *("/big.js", "/vnc.html?autoconnect=1", "/%2e%2e/outside", "//evil.test/", "/\\evil", "/%00"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_h1_a_stranger_gets_the_same_bytes_for_every_path(gate: Gate, method: str) -> None:
    """Headers and all, of things that are there and of others; and no program's name in them."""
    expected = answer(gate, "GET / HTTP/1.1")
    assert expected.startswith(b"HTTP/1.1 401 ")
    assert not NAMED.search(expected)
    for target in TARGETS:
        if (method, target) != ("POST", "/login"):
            assert answer(gate, f"{method} {target} HTTP/1.1") == expected
    with_credential = answer(gate, f"GET /vnc.html HTTP/1.1\r\nAuthorization: Bearer {CONTROL}")
    assert with_credential.startswith(b"HTTP/1.1 200 ")


def test_h1_a_websocket_is_refused_like_a_page(gate: Gate) -> None:
    """Whether its path is one or not."""
    expected = answer(gate, "GET / HTTP/1.1")
    for target in ("/websockify", "/nothing"):
        with gate.socket() as sock:
            sock.sendall(gate.upgrade("Connection: close", token=None, target=target) + b"\r\n\r\n")
            assert DATE.sub(b"", read_all(sock)) == expected


WRONG = {
    "another": "x" * 64,
    "all but its end": CONTROL[:-1],
    "all but its beginning": CONTROL[1:],
    "longer": CONTROL + "0",
    "in upper case": CONTROL.upper(),
    "encoded twice": "".join(f"%25{ord(char):02x}" for char in CONTROL),
    "a NUL behind": CONTROL + "%00",
    "a NUL before": "%00" + CONTROL,
    "a space behind": CONTROL + "%20",
    "a plus behind": CONTROL + "+",
    "a line feed behind": CONTROL + "%0a",
    "a line feed inside": CONTROL[:32] + "%0a" + CONTROL[32:],
    "another letter of its look": CONTROL.replace("O", "%d0%9e"),
    "in full width": quote("".join(chr(ord(char) + 0xFEE0) for char in CONTROL)),
    "both": CONTROL + VIEW,
    "empty": "",
}


@pytest.mark.parametrize("token", WRONG.values(), ids=WRONG)
def test_h2_only_the_exact_token_opens(gate: Gate, token: str) -> None:
    """In a link, in noVNC's path (encoded there once more), in a WebSocket's address."""
    inner = token.replace("%", "%25")
    assert status(gate, f"GET /?token={token} HTTP/1.1") == 401
    assert status(gate, f"GET /vnc.html?path=websockify%3Ftoken%3D{inner} HTTP/1.1") == 401
    assert gate.refuses(token=token or "%20") == 401
    assert status(gate, f"GET /?token={CONTROL} HTTP/1.1") == 303


@pytest.mark.parametrize("token", [text for text in WRONG.values() if text and "%" not in text])
def test_h2_only_the_exact_token_opens_as_bearer(gate: Gate, token: str) -> None:
    """Nothing is decoded there, so an encoded one is wrong as well."""
    encoded = "".join(f"%{ord(char):02x}" for char in CONTROL)
    for given in (token, encoded, f'"{CONTROL}"', f"{CONTROL},", f"{CONTROL} {CONTROL}"):
        head = f"GET /vnc.html HTTP/1.1\r\nAuthorization: Bearer {given}"
        assert status(gate, head) == 401
    assert status(gate, f"GET /vnc.html HTTP/1.1\r\nAuthorization: bearer {CONTROL}") == 200


PASTED = ("a space behind", "a plus behind", "a line feed behind")


@pytest.mark.parametrize("token", [text for name, text in WRONG.items() if name not in PASTED])
def test_h2_only_the_exact_token_logs_in(gate: Gate, token: str) -> None:
    """White space around it is the one thing that people paste along; it is taken off there."""
    assert status(gate, f"POST /login HTTP/1.1\r\n{FORM}", f"token={token}") == 401
    assert status(gate, f"POST /login HTTP/1.1\r\n{FORM}", f"token={CONTROL}%0d%0a") == 303


RAW = {"a space": b" ", "a NUL": b"\0", "a line feed": b"\n", "a tab": b"\t", "Latin-1": b"\xe9"}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_h2_raw_bytes_behind_a_token_are_malformed(gate: Gate, raw: bytes) -> None:
    """A target is visible ASCII (RFC 9112, 3.2)."""
    with gate.socket() as sock:
        sock.sendall(b"GET /?token=%b%b HTTP/1.1\r\nHost: a\r\n\r\n" % (CONTROL.encode(), raw))
        assert read_all(sock).startswith(b"HTTP/1.1 400 ")


# Parameters

TWICE = {
    "twice": "/?token={0}&token={0}",
    "a wrong one before": "/?token=x&token={0}",
    "a wrong one behind": "/?token={0}&token=x",
    "an empty one behind": "/?token={0}&token=",
    "in noVNC's path too": "/vnc.html?token={0}&path=websockify%3Ftoken%3D{0}",
}
OTHERS = {
    "token[]": "/?token[]={0}",
    "token[0]": "/?token[0]={0}",
    "TOKEN": "/?TOKEN={0}",
    "Token": "/?Token={0}",
    "token%00": "/?token%00={0}",
    "a semicolon": "/?a=b;token={0}",
    "a fragment": "/?a=b%23token={0}",
    "in the path": "/token={0}",
    "a matrix parameter": "/;token={0}",
}


@pytest.mark.parametrize("target", TWICE.values(), ids=TWICE)
def test_h15_two_tokens_are_refused(gate: Gate, target: str) -> None:
    """A proxy before us may have looked at the other one."""
    assert status(gate, f"GET {target.format(CONTROL)} HTTP/1.1") == 400
    assert status(gate, f"GET {target.format(CONTROL)} HTTP/1.1\r\nUpgrade: websocket") == 400


@pytest.mark.parametrize("target", OTHERS.values(), ids=OTHERS)
def test_h15_other_names_carry_no_token(gate: Gate, target: str) -> None:
    """Exactly `token`, exactly in the query."""
    assert status(gate, f"GET {target.format(CONTROL)} HTTP/1.1") == 401


def test_h15_a_token_in_body_and_query_is_refused(gate: Gate) -> None:
    """And one in the body of anything but a login is none."""
    head = f"POST /login?token={CONTROL} HTTP/1.1\r\n{FORM}"
    assert status(gate, head, f"token={CONTROL}") == 400
    twice = f"token={CONTROL}&token={CONTROL}"
    assert status(gate, f"POST /login HTTP/1.1\r\n{FORM}", twice) == 400
    assert status(gate, f"POST / HTTP/1.1\r\n{FORM}", f"token={CONTROL}") == 401
    assert status(gate, f"GET / HTTP/1.1\r\n{FORM}", f"token={CONTROL}") == 401


def test_h15_two_credentials_of_one_kind_are_refused(gate: Gate) -> None:
    """Both right, even."""
    bearer = f"Authorization: Bearer {CONTROL}"
    assert status(gate, f"GET / HTTP/1.1\r\n{bearer}\r\n{bearer}") == 401


# Redirects

LEADING = {
    "another host in next": "/?token={}&next=//evil.test",
    "and in redirect": "/?token={}&redirect=https://evil.test&url=//evil.test&return_to=/\\evil",
    "two slashes": "//evil.test/?token={}",
    "two slashes and a page": "//evil.test/vnc.html?token={}",
    "a backslash": "/\\evil.test?token={}",
    "a backslash, encoded": "/%5cevil.test/vnc.html?token={}",
    "a scheme in the path": "/https:%2f%2fevil.test/vnc.html?token={}",
    "a page of another name": "/https:evil.html?token={}",
    "noVNC's host": "/vnc.html?host=evil.test&port=1&encrypt=1&path=//evil.test/w&token={}",
    "a line end in the path": "/%0d%0aSet-Cookie:a=b%0d%0a/vnc.html?token={}",
    "a line end in a setting": "/?token={}&quality=1%0d%0aSet-Cookie:a=b",
    "a line end in a name": "/?token={}&a%0d%0aSet-Cookie:a=b=1",
}


@pytest.mark.parametrize("target", LEADING.values(), ids=LEADING)
@pytest.mark.parametrize("host", ["localhost", "evil.test", "evil.test:80@localhost"])
def test_h16_a_link_leads_nowhere_else(gate: Gate, target: str, host: str) -> None:
    """A redirect is relative to our own page, and has no header that a good one has not."""
    good, given = (
        gate.ask(f"GET {each.format(CONTROL)} HTTP/1.1\r\nX-Forwarded-Host: {host}")
        for each in ("/?token={}", target)
    )
    assert given.split(b" ")[1] in {b"303", b"400"}
    assert b"evil" not in given.partition(b"\r\n\r\n")[0].replace(b"./https%3Aevil.html", b"")
    if given.startswith(b"HTTP/1.1 303 "):
        location = re.findall(rb"Location: (.*)\r\n", given)
        assert [text[:2] for text in location] == [b"./"]
        names = [re.findall(rb"^([\w-]+):", text, re.MULTILINE) for text in (good, given)]
        assert names[0] == names[1]


@pytest.mark.parametrize("raw", [b"/\r\nX: y", b"/?a=\r\nX: y", b"/\n", b"/\x0b", b"/\x85"])
def test_h16_a_raw_line_end_in_the_target_is_malformed(gate: Gate, raw: bytes) -> None:
    """Nothing of it comes back."""
    with gate.socket() as sock:
        sock.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % raw)
        given = read_all(sock)
    assert given.startswith(b"HTTP/1.1 400 ")
    assert b"X: y" not in given
