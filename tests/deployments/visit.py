"""A person who comes by a link, without a browser."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode, urlsplit

from tests.container.web import FORM, Answer, ask_at

WRONG: Final = "0" * 64  # a token that nobody has


def token_of(link: str) -> str:
    """What stands in its fragment."""
    return urlsplit(link).fragment.removeprefix("token=")


def log_in(place: str, token: str) -> Answer:
    """Trade a token for a cookie, as the page behind a link does.

    Args:
        place: where the desktop is shown, with a slash at its end.
    """
    body = urlencode({"token": token}).encode()
    return ask_at(f"{place}login", method="POST", headers=FORM, body=body)


def person(place: str, cookie: str) -> dict[str, str]:
    """The headers of a browser that has logged in."""
    there = urlsplit(place)
    return {"Cookie": cookie, "Origin": f"{there.scheme}://{there.netloc}"}
