"""Four people before one desktop, each with another key, who come back when they are cut off."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlencode

from websockets.exceptions import InvalidStatus, WebSocketException

from deskgate.testing.viewer import Viewer
from tests.chaos.house import House
from tests.container.web import FORM, ask_at, bearer

LOOK_SECONDS: Final = 0.05  # between two looks at the screen
RETRY_SECONDS: Final = 0.1

# What opens the desktop now: the WebSocket's target and headers.
Key = tuple[str, dict[str, str]]


class Person(threading.Thread):
    """One of them.

    Args:
        name: for the report.
        key: asked for each time, as tokens change.
        refused: what to do about a 401.
    """

    def __init__(
        self, name: str, house: House, key: Callable[[], Key], refused: Callable[[], None]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._house = house
        self._key = key
        self._refused = refused
        self._leaving = threading.Event()
        self.saw_at = 0.0  # monotonic seconds: when the newest look that was answered began
        self.visits = 0

    def run(self) -> None:
        """Come, look, and come again."""
        while not self._leaving.is_set():
            try:
                self._visit()
            except InvalidStatus as error:
                if error.response.status_code == 401:
                    self._refused()
            except (OSError, WebSocketException, EOFError, AssertionError, ValueError):
                pass  # cut off, or not let in: the house judges how long that may last
            self._leaving.wait(RETRY_SECONDS)

    def _visit(self) -> None:
        target, headers = self._key()
        with Viewer(self._house, target=target, headers=headers, port=self._house.port) as viewer:
            self.visits += 1
            while not self._leaving.is_set():
                began = time.monotonic()
                viewer.settle()
                self.saw_at = began
                self._leaving.wait(LOOK_SECONDS)

    def leave(self) -> None:
        """Go home."""
        self._leaving.set()
        self.join(20)


def invite(house: House) -> Sequence[Person]:
    """Who comes: by a cookie, by the watch link, by a lent link, by one-use tickets."""
    keys = {"cookie": _cookie(house), "watch": _watch(house), "guest": _guest(house)}
    people = [Person(name, house, *both) for name, both in keys.items()]
    people.append(Person("ticket", house, _ticket(house), lambda: None))
    for person in people:
        person.start()
    return people


def _url(house: House, path: str) -> str:
    return f"http://127.0.0.1:{house.port}{path}"


def _cookie(house: House) -> tuple[Callable[[], Key], Callable[[], None]]:
    """Logs in once in a container's life; whoever has to do so again was let down."""
    cookie, life = "", -1

    def key() -> Key:
        nonlocal cookie, life
        now = house.life
        if life != now:
            body = urlencode({"token": house.control}).encode()
            answer = ask_at(_url(house, "/login"), method="POST", headers=FORM, body=body)
            cookie, life = answer.cookie, now
        return "/websockify", {"Cookie": cookie, "Origin": f"http://127.0.0.1:{house.port}"}

    def refused() -> None:
        # While it restarts, the cookie may still be the old one's.
        if life == house.life and life % 2 == 0:
            house.broken["a session did not outlive a fault"] += 1

    return key, refused


def _watch(house: House) -> tuple[Callable[[], Key], Callable[[], None]]:
    def refused() -> None:
        house.broken["a good token was refused"] += 1

    return lambda: ("/websockify", bearer(house.view)), refused


def _guest(house: House) -> tuple[Callable[[], Key], Callable[[], None]]:
    """The link changes under his hands, so a refusal says nothing: he has to be back in the end."""
    return lambda: ("/websockify", bearer(house.guest)), lambda: None


def _ticket(house: House) -> Callable[[], Key]:
    def key() -> Key:
        answer = ask_at(_url(house, "/api/tickets"), method="POST", headers=bearer(house.control))
        return f"/websockify?ticket={json.loads(answer.body)['ticket']}", {}

    return key


def say_goodbye(people: Sequence[Person]) -> None:
    """All go home."""
    for person in people:
        with contextlib.suppress(RuntimeError):
            person.leave()
