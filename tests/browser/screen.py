"""The desktop as a person sees it: our page, or noVNC's, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request

from tests.container.desk import Desk

CONNECT_MS: Final = 15_000  # a connect takes 0.3 s on an idle machine
# A container that starts or stops changes the machine's interfaces, and Chromium then drops what
# it is loading: no fault of the page's, and a person would load it again.
CHANGED: Final = "ERR_NETWORK_CHANGED"
LOADS: Final = 5
# The first answer to a link is the page that trades the token for a cookie.
LOCKED: Final = "the server responded with a status of 401"
# noVNC decodes one frame to find out whether H.264 works, and leaves it to the collector.
FRAME: Final = "A VideoFrame was garbage collected without being closed"
# What the browser and noVNC say while the gate or Xvnc is gone.
TROUBLE: Final = (
    *("WebSocket", "Failed when connecting", "Connection closed"),
    *("status of 503", "1011"),
    *("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_SOCKET"),
)
# Ours, and noVNC's own.
CONNECTED: Final = "#screen[data-state=connected], html.noVNC_connected"
CANVAS: Final = "#screen canvas:not(.frozen), #noVNC_container canvas"
COLOURS: Final = """canvas => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height)
        .getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""

Loaded = TypeVar("Loaded")


@dataclass
class Screen:
    """One browser tab, and what went wrong in it.

    Args:
        complaints: errors of the page's scripts and console, violations of its policy among them.
        outside: addresses on other hosts that it asked for.
        said: everything on its console.
        answers: status and head of each answer that it got.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    _origin: str = ""
    _dropped: bool = False  # by a change of the network, since the last load

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", lambda got: self.answers.append((got.status, got.headers)))
        self.page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        self.said.append(message.text)
        self._dropped |= CHANGED in message.text  # of a WebSocket, which is no request
        expected = any(each in message.text for each in (CHANGED, LOCKED, FRAME))
        if message.type == "error" and not expected:
            self.complaints.append(message.text)

    def _failed(self, request: Request) -> None:
        self._dropped |= CHANGED in (request.failure or "")

    def _asked(self, request: Request) -> None:
        there = urlsplit(request.url)
        if there.scheme in ("http", "https") and there.netloc != self._origin:
            self.outside.append(request.url)

    # --- getting there -----------------------------------------------------------------------

    def go(self, url: str, *, until: Literal["load", "networkidle"] = "networkidle") -> int:
        """Open an address; returns the status of the first answer.

        Args:
            until: a page that loads nothing later on need not be watched for it.
        """
        self._origin = urlsplit(url).netloc

        def go() -> int:
            answer = self.page.goto(url, wait_until=until)
            return answer.status if answer else 0

        # Between, as a link that differs in its fragment alone loads nothing.
        return self._load(go, between=lambda: self.page.goto("about:blank"))

    def reload(self) -> Screen:
        """Load the page once more, and wait until the desktop is on the screen."""
        self._load(self.page.reload)
        return self.connected()

    def _load(
        self, load: Callable[[], Loaded], *, between: Callable[[], object] = lambda: None
    ) -> Loaded:
        """Load something, and again where a change of the network came between."""
        for _ in range(LOADS):
            self._dropped = False
            try:
                found = load()
            except Error as error:
                if CHANGED not in error.message:
                    raise
            else:
                if not self._dropped:
                    return found
            between()
        raise AssertionError(f"the network changed {LOADS} times while {self._origin} was loaded")

    def open(self, url: str) -> Screen:
        """Open a link, and wait until the desktop is on the screen."""
        self.go(url)
        return self.connected()

    def connected(self) -> Screen:
        """Wait until the page says that it is connected."""
        try:
            self.page.locator(CONNECTED).wait_for(timeout=CONNECT_MS)
        except Error:
            if not self._dropped:
                raise
            return self.reload()
        return self

    # --- looking -----------------------------------------------------------------------------

    @property
    def size(self) -> list[int]:
        """Width and height of the desktop as the page draws it, in pixels."""
        found: list[int] = self.page.locator(CANVAS).evaluate("c => [c.width, c.height]")
        return found

    @property
    def colours(self) -> int:
        """How many colours the page has drawn: one for a blank desktop."""
        found: int = self.page.locator(CANVAS).evaluate(COLOURS)
        return found

    @property
    def width(self) -> float:
        """How wide the desktop is in the page, in pixels of the page."""
        box = self.page.locator(CANVAS).bounding_box()
        return box["width"] if box else 0

    def storage(self) -> str:
        """Everything the page keeps: both storages, and the cookies that scripts can read."""
        found: Any = self.page.evaluate(
            "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        )
        return str(found)

    def tell(self, desk: Desk) -> None:
        """Let a desk know what the browser has of it, so that it is searched and looked for."""
        cookies = self.page.context.cookies()
        desk.ledger.learn("\n".join(f"{each['name']}={each['value']}" for each in cookies))
        desk.ledger.show("the browser's console", "\n".join(self.said).encode())
        for status, headers in self.answers:
            desk.ledger.answer(status, headers, b"")

    # --- acting ------------------------------------------------------------------------------

    def click(self, x: int, y: int) -> None:
        """Click at a pixel of the desktop."""
        self.page.locator(CANVAS).click(position={"x": x, "y": y})

    def type(self, text: str) -> None:
        """Type a line and press Return."""
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def tool(self, name: str) -> None:
        """Press one of the tools, by what it is called; show them first."""
        badge = self.page.locator("#badge")
        if badge.get_attribute("aria-expanded") == "false":
            badge.click()
        self.page.get_by_role("toolbar").get_by_role("button", name=name).click()

    def put_away(self) -> None:
        """Hide the tools; the keyboard is the desktop's again."""
        self.page.locator("#badge").click()

    def set_clipboard(self, text: str) -> None:
        """Write a text into the clipboard's panel, as a person does."""
        self.tool("Clipboard")
        self.page.get_by_label("The desktop's clipboard").fill(text)
        self.put_away()

    def clipboard(self) -> str:
        """What the clipboard's panel holds."""
        return self.page.locator("#clip").input_value()
