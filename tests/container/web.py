"""Plain questions to the gate over HTTP, one connection each."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.container.desk import Desk


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
    door = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=10)
    try:
        door.request(method, target, body=body, headers=dict(headers or {}))
        answer = door.getresponse()
        return Answer(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.getheaders()},
            body=answer.read(),
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
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode({"token": token}).encode(),
    )
    assert answer.status == 303, answer
    return {"Cookie": answer.cookie, "Origin": f"http://127.0.0.1:{desk.port}"}
