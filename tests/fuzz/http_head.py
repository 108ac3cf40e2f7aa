"""What strangers send to the gate's port, through the same code as from a socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from deskgate.files import templates_dir

from .gates import CANARY, OPEN, PROXIED, PUBLIC, TOKENS, Gate, gate_of
from .wire import logged, pieces, run

HEAD = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [A-Za-z ]*\r\n((?:[!-9;-~]+: [ -~]*\r\n)*)\r\n")
# Every header the gate sends. Another one is new, and belongs here, or somebody injected it.
HEADERS = frozenset(
    {
        *("allow", "cache-control", "connection", "content-encoding", "content-length"),
        *("content-security-policy", "vary"),
        *("content-type", "cross-origin-opener-policy", "cross-origin-resource-policy", "date"),
        *("etag", "location", "referrer-policy", "retry-after", "sec-websocket-accept"),
        *("sec-websocket-protocol", "sec-websocket-version", "set-cookie", "upgrade"),
        *("www-authenticate", "x-content-type-options"),
    }
)
# RFC 9112, 2.2 and 5.2: each can be read in two ways.
AMBIGUOUS = re.compile(rb"(?<!\r)\n|\n[ \t]")
LENGTH_LINE = re.compile(rb"\ncontent-length[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r", re.IGNORECASE)
LOG_LINE = re.compile(r"(debug|info|warning|error): [ -~…]{1,300}")
HOST_LINE = re.compile(rb"(?:^|\n)(?:x-forwarded-)?host[ \t]*:([^\r\n]*)", re.IGNORECASE)
ORIGIN_LINE = re.compile(rb"(?:^|\n)origin[ \t]*:[ \t]*https?://([^\r\n]*)", re.IGNORECASE)
KNOWN_HOST = re.compile(rb"((.*\.)?localhost|[0-9.]+|\[[0-9a-f:.]+\]|desk\.test)(:[0-9]{1,5})?")
# No browser shows them by itself, as it does a cookie.
SHOWN_BY_HAND = frozenset({b"{control}", b"{view}", b"{ticket}"})
# What anybody may be told.
TOLD = frozenset({100, 400, 401, 403, 405, 408, 413, 414, 429, 431, 503})


@dataclass(frozen=True)
class Reply:
    """One answer of the gate."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def value(self, name: str) -> str | None:
        """The value of a header, which must not stand there twice."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, f"two {name}"
        return found[0] if found else None

    @property
    def is_json(self) -> bool:
        """Whether it is for machines."""
        return self.value("content-type") == "application/json"


def replies_in(sent: bytes) -> list[Reply]:
    """The answers, up to a 101, which frames follow. Bytes that are none are an error."""
    found: list[Reply] = []
    while sent:
        head = HEAD.match(sent)
        assert head is not None, f"no head of ours: {sent[:200]!r}"
        status, sent = int(head[1]), sent[head.end() :]
        lines = head[2].decode("ascii").split("\r\n")[:-1]
        pairs = [line.split(": ", 1) for line in lines]
        headers = tuple((name.lower(), value) for name, value in pairs)
        if status == 101:
            return [*found, Reply(status, headers, b"")]
        length = int(dict(headers).get("content-length", "0"))
        body = b"" if sent.startswith(b"HTTP/1.1 ") else sent[:length]  # none for HEAD
        assert len(body) in {0, length}, "a body of another length"
        sent = sent[len(body) :]
        found.append(Reply(status, headers, body))
    return found


def check_reply(reply: Reply) -> None:
    """What holds for every answer, whoever asked."""
    names = {name for name, _ in reply.headers}
    assert names <= HEADERS, f"a header of nobody: {names - HEADERS}"
    if reply.status in {100, 101}:
        return
    assert "default-src 'none'" in (reply.value("content-security-policy") or "")
    assert reply.value("x-content-type-options") == "nosniff"
    assert reply.value("referrer-policy") == "no-referrer"
    assert (reply.value("cache-control") or "") in {"no-store", "private, no-cache"}
    for token in TOKENS.values():
        assert token.decode() not in str(reply.headers), "a header holds a token"
        assert reply.is_json or token not in reply.body, "a page holds a token"
    location = reply.value("location")
    assert location is None or re.fullmatch(r"\./[!-~]*", location), f"leads to {location}"


def claimed_hosts(data: bytes) -> set[bytes]:
    """Every host and port that the bytes claim to be for."""
    return {_plain(word) for line in HOST_LINE.findall(data) for word in line.split(b",")}


def _plain(authority: bytes) -> bytes:
    return re.sub(rb":0*(80|443)$", b"", authority.strip().lower())


def check_talk(gate: Gate, data: bytes) -> None:
    """Send the bytes, at once and in pieces; assert what must hold for any."""
    # A picture is taken by a process of its own, which is too slow here.
    data = gate.spell_out(data.replace(b"screenshot", b"no-picture"))
    first: list[Reply] | None = None
    for chunks in pieces(data):
        with logged() as said:
            sent = run(gate.converse(chunks))
        replies = replies_in(sent)
        check_log(gate, said)
        for reply in replies:
            check_reply(reply)
        check_number(data, replies)
        check_access(gate, data, replies)
        replies = comparable(replies)
        assert first is None or first == replies, f"in pieces: {replies}; at once: {first}"
        first = replies


def comparable(replies: list[Reply]) -> list[Reply]:
    """The answers without what is another each time: dates, new tokens and tickets."""
    return [
        replace(
            each,
            headers=tuple(pair for pair in each.headers if pair[0] != "date"),
            body=b"" if each.is_json and re.search(rb'"(token|ticket)"', each.body) else each.body,
        )
        for each in replies
    ]


def check_log(gate: Gate, said: list[str]) -> None:
    """No line is forged, none holds a credential, and the client is who it is."""
    for line in said:
        assert LOG_LINE.fullmatch(line), f"logged {line!r}"
        for word, text in gate.credentials.items():
            assert word == b"{key}" or text.decode() not in line, f"{word!r} is in the log"
        assert not line.startswith("error:"), line
        if not gate.config.trusted_proxies and line.startswith("debug: refused"):
            assert line.startswith("debug: refused 10."), "a header makes up the client"


def heads_in(data: bytes) -> Iterator[bytes]:
    """The heads of the requests, until one has two readings."""
    while (end := data.find(b"\r\n\r\n") + 4) > 3:
        head, data = data[:end], data[end:]
        if AMBIGUOUS.search(head):
            return
        yield head
        length = LENGTH_LINE.search(head)
        data = data[int(length[1]) :] if length else data


def check_number(data: bytes, replies: list[Reply]) -> None:
    """One answer a request with a plain head; then at most one refusal, and no more."""
    final = [reply for reply in replies if reply.status not in {100, 101}]
    requests = len(list(heads_in(data)))
    assert len(final) <= requests + 1, "more answers than requests"
    assert {reply.status for reply in final[requests:]} <= {400, 431}, "half a request is answered"
    for reply in final[:-1]:
        assert reply.value("connection") != "close", "an answer behind the last one"


def check_access(gate: Gate, data: bytes, replies: list[Reply]) -> None:
    """Nobody gets further than what the bytes show."""
    shown = {word for word in gate.credentials if gate.shows(data, word)}
    known = any(KNOWN_HOST.fullmatch(host) for host in claimed_hosts(data))
    probed = b"healthz" in data or b"readyz" in data
    replies = [each for each in replies if not (probed and is_probes(each))]
    for reply in replies:
        if gate.config.open:
            assert known or reply.status in TOLD, f"a page of another name gets {reply.status}"
        elif shown <= {b"{key}"}:
            check_stranger(reply, has_key=bool(shown))
        if reply.status == 401:
            assert reply.body in {b"", locked_page()}, "another 401"
    if shown == {b"{ticket}"}:
        assert sum(reply.status not in TOLD for reply in replies) <= 1, "a ticket is good twice"
    by_hand = shown & SHOWN_BY_HAND or b"authorization" in data.lower()
    if not by_hand and any(each.status == 101 for each in replies):
        ours = claimed_hosts(data) | {PUBLIC.encode()}
        origins = {_plain(origin) for origin in ORIGIN_LINE.findall(data)}
        assert origins & ours, "a foreign page opens a WebSocket"


def is_probes(reply: Reply) -> bool:
    """Whether this is the good word of a health probe, which anybody is told."""
    return reply.status == 200 and reply.body in {b"ok\n", b""}


def check_stranger(reply: Reply, *, has_key: bool) -> None:
    """Whoever has shown nothing gets refusals, and for the key of the files the viewer's code."""
    if has_key and reply.status in {200, 304}:
        assert (reply.value("content-type") or "").startswith("text/javascript")
        return
    assert reply.status in TOLD, f"a stranger gets {reply.status}"
    assert CANARY not in reply.body
    cookie = reply.value("set-cookie")
    assert cookie is None or "Max-Age=0" in cookie, "a stranger gets a cookie"


@cache
def locked_page() -> bytes:
    """What every stranger sees."""
    return (templates_dir() / "web" / "index.html").read_bytes()


def plain(data: bytes) -> None:
    """To a gate as it starts without any setting."""
    check_talk(gate_of(), data)


def proxied(data: bytes) -> None:
    """To one behind a proxy whose forwarded headers count."""
    check_talk(gate_of(*PROXIED), data)


def open_to_all(data: bytes) -> None:
    """To one that asks for no credential (VNC_AUTH=none)."""
    check_talk(gate_of(*OPEN), data)
