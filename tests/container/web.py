"""Plain questions to the gate over HTTP, one connection each."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urlencode, urlsplit

from tests.container.desk import Desk

UPGRADE: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def cookie(self) -> str:
        """The cookie that it sets, as a browser would send it back."""
        jar = SimpleCookie(self.headers["set-cookie"])
        return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())


def ask(
    desk: Desk,
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Ask the gate one thing; a redirect is not followed."""
    url = f"http://127.0.0.1:{desk.port}{target}"
    answer = ask_at(url, method=method, headers=headers, body=body)
    desk.ledger.answer(answer.status, answer.headers, answer.body)
    return answer


def ask_at(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Ask whoever shows the gate one thing; any certificate will do."""
    there = urlsplit(url)
    door = http.client.HTTPConnection(there.netloc, timeout=10)
    if there.scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        door = http.client.HTTPSConnection(there.netloc, timeout=10, context=context)
    try:
        target = url.removeprefix(f"{there.scheme}://{there.netloc}")
        door.request(method, target, body=body, headers=dict(headers or {}))
        response = door.getresponse()
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=response.read(),
        )
    finally:
        door.close()


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def log_in(desk: Desk, token: str) -> dict[str, str]:
    """Log in as the login form does; returns the headers of a browser that did."""
    answer = ask(
        desk,
        "/login",
        method="POST",
        headers=FORM,
        body=urlencode({"token": token}).encode(),
    )
    assert answer.status == 303, answer
    return {"Cookie": answer.cookie, "Origin": f"http://127.0.0.1:{desk.port}"}
