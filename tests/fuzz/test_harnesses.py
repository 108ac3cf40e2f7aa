"""Every harness, in seconds: what the repository keeps, then hypothesis. `make fuzz` goes on."""

from __future__ import annotations

import asyncio
import hmac
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskgate import rfb, tokenfile
from deskgate.gate import credentials, outside, server
from deskgate.gate.relay import Viewer
from deskgate.gate.server import Connection
from deskgate.gate.tickets import Tickets

from . import gates, http_head
from .harnesses import HARNESSES
from .wire import close_loop, logged, run


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    gates.close_gates()
    close_loop()


SEEDS = [(name, seed) for name, harness in HARNESSES.items() for seed in harness.seeds()]


@pytest.mark.parametrize(("name", "seed"), SEEDS)
def test_w14_a_kept_input_breaks_nothing(name: str, seed: str) -> None:
    """Past findings are among them."""
    HARNESSES[name].check(HARNESSES[name].seeds()[seed])


def spliced(seed: bytes, at: int, cut: int, put: bytes) -> bytes:
    """A seed with a piece of it replaced."""
    at %= len(seed) + 1
    return seed[:at] + put + seed[at + cut :]


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Words of the dictionary in a row, and seeds with such a row somewhere in them."""
    harness = HARNESSES[name]
    word = st.sampled_from(harness.words())
    words = st.lists(st.one_of(word, word, st.binary(max_size=4)), max_size=8).map(b"".join)
    seed = st.sampled_from(list(harness.seeds().values()))
    place = st.integers(0, harness.longest)
    return st.one_of(words, st.builds(spliced, seed, place, st.integers(0, 40), words))


@pytest.mark.parametrize("name", HARNESSES)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_w14_no_input_breaks_anything(name: str, data: st.DataObject) -> None:
    """What each asserts is said in its module."""
    HARNESSES[name].check(data.draw(inputs(name)))


HTTP = HARNESSES["http"].seeds()


@pytest.mark.parametrize("seed", HTTP)
def test_a_request_gets_the_status_in_its_name(seed: str) -> None:
    """Else the corpus would knock at the door and never get behind it."""
    gate = gates.gate_of()
    with logged():
        sent = run(gate.converse([gate.spell_out(HTTP[seed])]))
    replies = http_head.replies_in(sent)
    assert int(seed[:3]) in [reply.status for reply in replies]


BEHIND = [
    (gates.PROXIED, "200-file", 401),
    (gates.PROXIED, "404-cookie-behind-a-proxy", 200),
    (gates.PROXIED, "200-secure-cookie-behind-a-proxy", 200),
    (gates.PROXIED, "404-behind-a-proxy", 200),
    (gates.PROXIED, "404-websocket-behind-a-proxy", 101),
    (gates.OPEN, "401-file", 200),
    (gates.OPEN, "401-no-credential-at-all", 101),
    (gates.OPEN, "401-rebound-host", 403),
]


@pytest.mark.parametrize(("changes", "seed", "status"), BEHIND)
def test_the_other_gates_are_got_behind_as_well(
    changes: tuple[tuple[str, Any], ...], seed: str, status: int
) -> None:
    """With a cookie of https, and with none."""
    gate = gates.gate_of(*changes)
    with logged():
        sent = run(gate.converse([gate.spell_out(HTTP[seed])]))
    assert http_head.replies_in(sent)[0].status == status


async def over_a_socket(gate: gates.Gate, data: bytes) -> bytes:
    """What the same gate sends over a real connection."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(gate.keeper), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(data)
    writer.write_eof()
    async with asyncio.timeout(5):
        sent = await reader.read()
        writer.close()
        while gate.keeper.connections:  # until ours has heard of it
            await asyncio.sleep(0.001)
    server.close()
    await gate.settle()
    return sent


@pytest.mark.parametrize("seed", [name for name in HTTP if not name.startswith("101")])
def test_a_connection_in_memory_is_as_one_on_a_socket(seed: str) -> None:
    """Else the harnesses would prove something about themselves."""
    gate = gates.gate_of()
    data = gate.spell_out(HTTP[seed])
    with logged():
        in_memory = http_head.replies_in(run(gate.converse([data])))
        on_socket = http_head.replies_in(run(over_a_socket(gate, data)))
    assert http_head.comparable(in_memory) == http_head.comparable(on_socket)


def always(value: object) -> Callable[..., object]:
    """A check that does not look."""
    return lambda *_, **__: value


def from_desk(viewer: Viewer, data: memoryview) -> None:
    """The viewer's, without its look at whether it was closed."""
    viewer._browser.write(bytes((0x82, len(data))) + data)


# A harness, the check that is taken away, and what then stands there instead.
MISSING: dict[str, tuple[str, object, str, object]] = {
    "the token": ("http", credentials, "check_token", lambda _, context: context.tokens[0]),
    "the page's origin": ("http", outside, "origin_is_ours", always(True)),
    "a ticket's one use": ("http", Tickets, "spend", always(None)),
    "the key of the files": ("http", credentials, "opens_files", always(True)),
    "the line ends": ("http", server, "has_one_reading", always(True)),
    "the proxy's address": ("http", outside, "_is_trusted", always(True)),
    "the host": ("http_open", outside, "host_is_known", always(True)),
    "the cookie's signature": ("cookie", hmac, "compare_digest", always(True)),
    "the close": ("frames", Viewer, "from_desk", from_desk),
    "the view password": ("rfb", rfb, "VNC_AUTH", rfb.NONE),
    "the ends of lines": ("token_file", tokenfile, "LINE_BEGINS", re.compile("[\n\f\u2028]")),
    "silence about a token": ("token_file", tokenfile, "weakness", lambda value, short: value),
    "the quotes": ("quoting", shlex, "quote", str),
}


def check_all(name: str) -> None:
    """Check everything that is kept for a harness."""
    for data in HARNESSES[name].seeds().values():
        HARNESSES[name].check(data)


@pytest.mark.parametrize(("name", "where", "what", "instead"), MISSING.values(), ids=MISSING)
def test_a_harness_sees_that_a_check_is_missing(
    name: str, where: object, what: str, instead: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the repository keeps alone."""
    check_all(name)
    monkeypatch.setattr(where, what, instead)
    with pytest.raises((AssertionError, ValueError)):
        check_all(name)
