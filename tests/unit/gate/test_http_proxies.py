"""What says where a request comes from and goes to: forwarded headers and Host."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from deskgate.gate import limits

from .running import Desk, Gate, cookie, exchange, join, running_gate, statuses, wait_until
from .samples import CONTROL

BEARER = f"Authorization: Bearer {CONTROL}"
HOST = "Host: localhost"

FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "desk.test",
    "X-Forwarded-For": "198.51.100.9",
    "Forwarded": "for=198.51.100.9;proto=https;host=desk.test",
}
LINES = [f"{name}: {value}" for name, value in FORWARDED.items()]


def test_h14_a_stranger_cannot_forge_where_he_comes_from(
    gate: Gate, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not the cookie's name and Secure flag, not the host of an Origin, not the log."""
    answer = exchange(gate, f"GET /?token={CONTROL} HTTP/1.0", HOST, *LINES)
    assert cookie(answer).startswith("Cookie: vnc_")
    assert b"; Secure" not in answer
    headers = {**FORWARDED, "Cookie": cookie(answer).partition(": ")[2]}
    with (
        pytest.raises(InvalidStatus),
        gate.view(None, origin="https://desk.test", additional_headers=headers),
    ):
        pass
    with gate.view(additional_headers=FORWARDED) as viewer:
        join(viewer)
        wait_until(lambda: len(gate.keeper.joined()) == 1)
    wait_until(lambda: not gate.keeper.viewers)  # then it is logged as well
    err = capfd.readouterr().err
    assert "from 127.0.0.1 joined" in err
    assert "198.51.100.9" not in err


def test_h14_a_trusted_proxy_is_believed(
    tmp_path: Path, desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same headers; of a chain of fifty, the rightmost that is no proxy of ours."""
    with running_gate(tmp_path, desk.port, trusted_proxies=["127.0.0.1", "10.0.0.0/8"]) as gate:
        answer = exchange(gate, f"GET /?token={CONTROL} HTTP/1.0", HOST, *LINES)
        assert cookie(answer).startswith("Cookie: __Host-vnc_")
        assert b"; Secure" in answer
        chain = ", ".join(
            ["203.0.113.1"] * 46 + ["198.51.100.9", "10.1.1.1", "10.2.2.2", "10.3.3.3"]
        )
        headers = {**FORWARDED, "X-Forwarded-For": chain}
        headers["Cookie"] = cookie(answer).partition(": ")[2]
        with gate.view(None, origin="https://desk.test", additional_headers=headers) as viewer:
            join(viewer)
            wait_until(lambda: len(gate.keeper.joined()) == 1)
        wait_until(lambda: not gate.keeper.viewers)  # then it is logged as well
        err = capfd.readouterr().err
    assert "from 198.51.100.9 joined" in err
    assert "203.0.113.1" not in err


def test_h14_a_guesser_cannot_forge_many_addresses(tmp_path: Path, desk: Desk) -> None:
    """Wrong tokens are counted by the true one; behind a proxy of ours, by the one it tells."""
    for proxies, last in (([], 429), (["127.0.0.1"], 401)):
        with running_gate(tmp_path, desk.port, trusted_proxies=proxies) as gate:
            for at in range(limits.FAILURES + 1):
                forged = f"X-Forwarded-For: 198.51.100.{at}"
                status = gate.status(f"GET /?token=wrong HTTP/1.1\r\n{forged}")
            assert status == last


HOSTS = {
    "localhost": 200,
    "localhost:8002": 200,
    "LOCALHOST": 200,
    "desk1.localhost": 200,
    "127.0.0.1:8002": 200,
    "[::1]": 200,
    "[::1]:8002": 200,
    "1.2.3.4": 200,
    "evil.test": 403,
    "evil.test:8002": 403,
    "localhost.": 403,
    "localhost.evil.test": 403,
    "evillocalhost": 403,
    "user@localhost": 403,
    "localhost@evil.test": 403,
    "localhost:80:80": 403,
    "localhost/": 403,
    "localhost, evil.test": 403,
    "127.0.0.1.evil.test": 403,
    "[::1].evil.test": 403,
    "[::1": 403,
    "0x7f000001": 403,
    "": 403,
}


def test_h17_without_a_credential_the_host_must_be_known(tmp_path: Path, desk: Desk) -> None:
    """DNS rebinding: a page of evil.test that has become us is refused by its name."""
    with running_gate(tmp_path, desk.port, auth="none") as gate:
        for host, status in HOSTS.items():
            given = exchange(gate, "GET /vnc.html HTTP/1.1", f"Host: {host}", "Connection: close")
            assert statuses(given) == [status], host
        assert statuses(exchange(gate, "GET /vnc.html HTTP/1.0")) == [403]


def test_h17_with_a_credential_every_host_will_do(gate: Gate) -> None:
    """A rebound name has no cookie and no token; proxies use names that nobody told us."""
    for host in HOSTS:
        head = ["GET /vnc.html HTTP/1.1", f"Host: {host}", "Connection: close"]
        assert statuses(exchange(gate, *head)) == [401]
        assert statuses(exchange(gate, *head, BEARER)) == [200]


NOT_ONE_HOST = {"none": [], "two": [HOST, HOST], "two names": [HOST, "Host: evil.test"]}


@pytest.mark.parametrize("hosts", NOT_ONE_HOST.values(), ids=NOT_ONE_HOST)
@pytest.mark.parametrize("auth", ["token", "none"])
def test_h17_a_request_has_one_host(
    tmp_path: Path, desk: Desk, hosts: list[str], auth: str
) -> None:
    """RFC 9112, 3.2."""
    with running_gate(tmp_path, desk.port, auth=auth) as gate:
        assert statuses(exchange(gate, "GET /vnc.html HTTP/1.1", *hosts, BEARER)) == [400]
