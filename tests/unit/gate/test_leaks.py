"""What answers and the log hold of what came in: no credential, and no forged line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deskgate.gate import limits
from tests.container.canary import search

from .running import Desk, Gate, cookie, read_all, running_gate
from .samples import CONTROL, VIEW

LOGIN = "Content-Type: application/x-www-form-urlencoded"
WRONG = CONTROL[:-1] + "_"
# Everything a client may put a token into, where it does not belong or is not good.
EVERYWHERE = (
    f"Referer: http://h/?token={CONTROL}",
    f"User-Agent: {CONTROL}",
    f"X-Forwarded-For: {CONTROL}",
    f"X-{CONTROL}: {CONTROL}",
    f"Cookie: vnc_0={CONTROL}; token={CONTROL}",
)
ASKED: dict[int, list[tuple[str, tuple[str, ...], bytes]]] = {
    303: [
        (f"GET /?token={CONTROL}&resize={CONTROL} HTTP/1.1", (), b""),
        (f"GET /vnc.html?path=websockify%3Ftoken%3D{CONTROL}&host={CONTROL} HTTP/1.1", (), b""),
        ("POST /login HTTP/1.1", (LOGIN,), f"token={CONTROL}".encode()),
    ],
    400: [
        (f"GET /?token={CONTROL}&token={CONTROL} HTTP/1.1", (), b""),
        (f"POST /login?token={CONTROL} HTTP/1.1", (LOGIN,), f"token={CONTROL}".encode()),
        (f"GET //{CONTROL} HTTP/1.1", (f"Authorization: Bearer {CONTROL}",), b""),
        (
            "POST /api/tokens HTTP/1.1",
            (f"Authorization: Bearer {CONTROL}",),
            json.dumps({"name": f"{CONTROL}!"}).encode(),
        ),
        (
            f"GET /api/desktop/url?base_url={CONTROL} HTTP/1.1",
            (f"Authorization: Bearer {CONTROL}",),
            b"",
        ),
    ],
    401: [
        (f"GET /{CONTROL}?token={WRONG} HTTP/1.1", (), b""),
        ("GET / HTTP/1.1", (f"Authorization: Basic {CONTROL}",), b""),
        ("POST /login HTTP/1.1", (LOGIN,), f"token={WRONG}".encode()),
        (f"GET /websockify?ticket={CONTROL} HTTP/1.1", (), b""),
    ],
    403: [
        (f"GET /api/status?token={CONTROL} HTTP/1.1", (), b""),
        (f"GET /metrics?token={CONTROL} HTTP/1.1", (), b""),
        ("POST /login HTTP/1.1", (LOGIN, "Origin: http://evil"), f"token={CONTROL}".encode()),
    ],
    404: [
        (f"GET /{CONTROL} HTTP/1.1", (f"Authorization: Bearer {CONTROL}",), b""),
        (f"GET /api/{CONTROL} HTTP/1.1", (f"Authorization: Bearer {CONTROL}",), b""),
    ],
    405: [(f"PUT /?token={CONTROL} HTTP/1.1", (), b"")],
    413: [(f"POST /login?{CONTROL} HTTP/1.1", ("Content-Length: 99999",), b"")],
    414: [(f"GET /?token={CONTROL * 64} HTTP/1.1", (), b"")],
    426: [(f"GET /websockify?token={CONTROL} HTTP/1.1", (), b"")],
    431: [("GET / HTTP/1.1", (f"X: {CONTROL * 256}",), b"")],
}
CASES = [(status, *each) for status, listed in ASKED.items() for each in listed]


@pytest.mark.parametrize(("status", "start", "headers", "body"), CASES)
def test_l4_no_answer_repeats_a_credential(
    gate: Gate, status: int, start: str, headers: tuple[str, ...], body: bytes
) -> None:
    """Neither its head nor its page, in any form; nor does a wrong one stand there cut."""
    lines = [start, *headers, *EVERYWHERE]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    answer = gate.ask("\r\n".join(lines), body)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert search({"control": CONTROL.encode()}, [("the answer", answer)]) == []


def test_l4_neither_429_nor_503_repeats_a_credential(gate: Gate, desk: Desk) -> None:
    """Nor 408, when a request never ends."""
    head = f"GET /?token={WRONG} HTTP/1.1\r\n" + "\r\n".join(EVERYWHERE)
    answers = [gate.ask(head) for _ in range(limits.FAILURES + 1)]
    desk.close()
    answers.append(gate.ask(f"GET /api/screenshot.png HTTP/1.1\r\nAuthorization: Bearer {CONTROL}"))
    assert [int(each.split()[1]) for each in answers[-2:]] == [429, 503]
    assert search({"control": CONTROL.encode()}, enumerate_traces(answers)) == []


def enumerate_traces(answers: list[bytes]) -> list[tuple[str, bytes]]:
    return [(f"answer {number}", answer) for number, answer in enumerate(answers)]


def test_l4_a_cookie_is_neither_token_nor_hash(gate: Gate) -> None:
    """Not even in part: its halves are looked for as well."""
    made = cookie(gate.ask(f"GET /?token={CONTROL} HTTP/1.1"))
    (token,) = (each for each in gate.keeper.tokens if each.name == "control")
    secrets = {"token": CONTROL.encode(), "hash": token.digest, "hex": token.digest.hex().encode()}
    assert search(secrets, [("cookie", made.encode())]) == []


# The log

ANSI = "\x1b[31m\x1b]0;title\x07"
FORGED = "error: forged by a stranger"
HOSTILE = {
    "path": (f"GET /%0d%0a{FORGED.replace(' ', '%20')}%1b[2J HTTP/1.1", ()),
    "query": (f"GET /?token=x%0d%0a{FORGED.replace(' ', '%20')} HTTP/1.1", ()),
    "user agent": ("GET / HTTP/1.1", (f"User-Agent: {ANSI} {FORGED}",)),
    "forwarded for": ("GET / HTTP/1.1", (f"X-Forwarded-For: {ANSI}{FORGED}, 192.0.2.1",)),
    "forwarded for alone": ("GET / HTTP/1.1", (f"X-Forwarded-For: 1.2.3.4\x1b[2J {FORGED}",)),
    "forwarded host": ("GET / HTTP/1.1", (f"X-Forwarded-Host: {FORGED}",)),
    "a method": (f"{'FORGED' * 20} / HTTP/1.1", ()),
    "a bare line feed": (f"GET / HTTP/1.1\nX: {FORGED}", ()),
}


@pytest.fixture
def proxied(tmp_path: Path, desk: Desk) -> Iterator[Gate]:
    """A gate that believes this machine's X-Forwarded headers."""
    with running_gate(tmp_path, desk.port, trusted_proxies=["127.0.0.0/8"]) as gate:
        yield gate


def logged(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().err.splitlines()


@pytest.mark.parametrize(("start", "headers"), HOSTILE.values(), ids=HOSTILE)
def test_l8_what_a_stranger_writes_forges_no_line(
    proxied: Gate, capfd: pytest.CaptureFixture[str], start: str, headers: tuple[str, ...]
) -> None:
    """Each event is one printable line of ours, and what he wrote stands in none."""
    logged(capfd)
    with proxied.socket() as sock:
        head = "\r\n".join([start, "Host: a", *headers, "Connection: close", "", ""])
        sock.sendall(head.encode("latin-1"))
        assert int(read_all(sock).split()[1]) >= 400
    lines = logged(capfd)
    assert all(line.isprintable() and line.startswith("debug: refused ") for line in lines)
    assert [line for line in lines if "forged" in line.lower()] == []


def test_l8_a_refusal_names_the_client_that_the_proxy_saw(
    proxied: Gate, capfd: pytest.CaptureFixture[str]
) -> None:
    """The positive control: an address in the header does get into the line."""
    logged(capfd)
    proxied.ask("GET / HTTP/1.1\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.1")
    assert logged(capfd) == ["debug: refused 192.0.2.1 with 401"]


REFERER = f"Referer: http://h/?token={CONTROL}"


def ask_for_a_websocket(gate: Gate) -> int:
    return gate.refuses(REFERER)


def ask_for_a_page(gate: Gate) -> int:
    Path(gate.keeper.config.web, "vnc.html").unlink()
    return gate.status(f"GET /vnc.html HTTP/1.1\r\nAuthorization: Bearer {VIEW}\r\n{REFERER}")


def ask_for_a_token(gate: Gate) -> int:
    gate.tokens.write_text("half a line")
    body = b'{"name": "bob"}'
    lines = [f"Authorization: Bearer {CONTROL}", REFERER, f"Content-Length: {len(body)}"]
    return gate.status("POST /api/tokens HTTP/1.1\r\n" + "\r\n".join(lines), body)


# Who asks → the status, and what is said of it.
FAILING: dict[Callable[[Gate], int], tuple[int, str]] = {
    ask_for_a_websocket: (503, "info: no desktop for "),
    ask_for_a_page: (404, "warning: cannot serve vnc.html: "),
    ask_for_a_token: (503, "warning: "),
}


@pytest.mark.parametrize("ask", FAILING)
def test_l8_what_fails_is_logged_without_where_it_came_from(
    gate: Gate, desk: Desk, ask: Callable[[Gate], int], capfd: pytest.CaptureFixture[str]
) -> None:
    """CVE-2026-86049 was a token in the Referer of a request that ended in 500."""
    desk.close()
    logged(capfd)
    status, said = FAILING[ask]
    assert ask(gate) == status
    written = "\n".join(logged(capfd))
    assert said in written, "positive control"
    assert "Referer" not in written
    assert search({"token": CONTROL.encode()}, [("the log", written.encode())]) == []
