"""What these suites ask the gate, beside what the kit does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from deskgate.testing.web import FORM, Answer, ask_at, bearer
from tests.container.desk import Desk

__all__ = ["FORM", "UPGRADE", "Answer", "ask", "ask_at", "bearer", "log_in"]

UPGRADE: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ask(
    desk: Desk,
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Ask the gate one thing; a redirect is not followed."""
    return desk.ask(target, method=method, headers=headers, body=body)


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
