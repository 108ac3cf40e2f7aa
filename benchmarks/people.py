"""The people in front of a gate, who do everything that people and networks do to it."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from collections import deque

from benchmarks.house import House
from benchmarks.processes import timed, wait_until
from benchmarks.viewer import WebSocketViewer

HERE, STALLED = 8, 3  # at once
LOOK, SCREEN = (200, 100), (1280, 800)  # pixels
STALL_SECONDS = 36.0  # the gate waits for 30 and then 2 more
ROTATION_SECONDS = 2.0  # a second, and what a busy machine adds
REFUSED = (401, 429)  # 429: too many wrong tokens from this address, which is everybody's
POLICY, INTERNAL_ERROR, TRY_LATER = 1008, 1011, 1013  # RFC 6455, 7.4.1


class People:
    """Those of one house.

    Args:
        chance: who does what.
    """

    def __init__(self, house: House, chance: random.Random) -> None:
        self.house = house
        self._chance = chance
        self._here: deque[WebSocketViewer] = deque()
        self._stalled: list[tuple[float, WebSocketViewer]] = []

    # What they do

    def visit(self) -> None:
        """Come, with one of the two links, and stay."""
        viewer = self.house.enter(self._chance.choice((self.house.control, self.house.view)))
        if viewer is not None:
            self._here.append(viewer)
        if len(self._here) > HERE:
            self.leave()

    def look(self) -> None:
        """Press a key and look at a part of the screen, whoever did not for longest."""
        if self._here:
            viewer = self._here.popleft()
            try:
                viewer.press_key()
                viewer.ask_for(*LOOK)
                viewer.skip_update()
            except ConnectionError as error:
                self.house.faults[f"a viewer who looks: {error}"] += 1
            else:
                self._here.append(viewer)

    def leave(self) -> None:
        """Say goodbye."""
        if self._here:
            self._here.popleft().say_goodbye()

    def vanish(self) -> None:
        """Be gone, with RST, as when a laptop closes behind a careless network."""
        if self._here:
            _reset(self._here.popleft())

    def stall(self) -> None:
        """Take nothing any more."""
        if len(self._stalled) < STALLED and (viewer := self.house.enter(self.house.control)):
            viewer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self._stalled.append((time.monotonic(), viewer))

    def ask_on(self) -> None:
        """Those who take nothing ask for more; who did so for too long has been sent away."""
        for since, viewer in tuple(self._stalled):
            if time.monotonic() - since < STALL_SECONDS:
                with contextlib.suppress(OSError):
                    viewer.ask_for(*SCREEN)
            else:
                self._stalled.remove((since, viewer))
                # None: what waits for it may be too much for the close frame to come.
                self.house.expect_end("who stalled", viewer, TRY_LATER, None)

    def try_wrong(self) -> None:
        """A token that is not in force, by each door."""
        near = (self.house.control[:-1], self.house.view + "0", "")
        token = self._chance.choice((*self.house.old_tokens, *near))
        self.house.expect("a wrong token", self.house.ask(f"/?token={token}")[0], *REFUSED)
        self.house.expect("a wrong Bearer", self.house.serves(token), *REFUSED)
        self.house.expect("a wrong viewer", self.house.welcomes(token), *REFUSED)

    def try_right(self) -> None:
        """The tokens that are in force, however many wrong ones come from the same address."""
        for token in (self.house.control, self.house.view):
            self.house.expect("a right Bearer", self.house.serves(token), 200)

    def rotate(self) -> None:
        """New tokens: who came with the old ones goes, and they open nothing any more."""
        self.house.replace_tokens()
        if self._chance.random() < 0.5:
            self.house.tell()
        seconds = timed(self._all_end, "rotated", POLICY)
        if seconds > ROTATION_SECONDS:
            self.house.faults[f"rotated: the last one left after {seconds:.1f} s"] += 1
        wait_until(lambda: self.house.serves(self.house.view) == 200)
        self.try_wrong()
        self.try_right()

    def log_out(self) -> None:
        """By the page's cookie; its viewer and the cookie end."""
        house = self.house
        status, _, cookie = house.ask(f"/?token={house.control}")
        house.expect("a right link", status, 303)
        viewer = house.enter("", f"Cookie: {cookie}", f"Origin: {house.origin}")
        status = house.ask("/logout", "POST", Cookie=cookie, Origin=house.origin)[0]
        house.expect("a logout", status, 303)
        if viewer is not None:
            house.expect_end("logged out", viewer, POLICY)
        house.expect("a dead cookie", house.ask("/vnc.html", Cookie=cookie)[0], 401)

    def go_home(self) -> None:
        """Everybody leaves, one way or the other."""
        while self._here:
            self._chance.choice((self.leave, self.vanish))()
        self._forget_stalled()

    # What befalls them

    def lose_gate(self) -> None:
        """The gate is killed and comes back; a cookie from before opens it."""
        house = self.house
        cookie = house.ask(f"/?token={house.control}")[2]
        house.kill()
        self._all_end("the gate died", None)
        house.start()
        house.expect("a cookie from before", house.ask("/vnc.html", Cookie=cookie)[0], 200)
        self.try_wrong()

    def lose_desk(self) -> None:
        """Xvnc is dead: everybody is told, and nobody gets in."""
        self._all_end("the desktop died", INTERNAL_ERROR)
        self.house.expect("no desktop", self.house.welcomes(self.house.control), 503)

    def _all_end(self, why: str, code: int | None) -> None:
        while self._here:
            self.house.expect_end(why, self._here.popleft(), code)
        self._forget_stalled()

    def _forget_stalled(self) -> None:
        for _, viewer in self._stalled:
            _reset(viewer)
        self._stalled.clear()


def _reset(viewer: WebSocketViewer) -> None:
    viewer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer.close()
