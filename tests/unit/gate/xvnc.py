"""Real Xvnc by the product's own row, a gate before it, and a witness on its display."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from websockets.exceptions import ConnectionClosed

from deskgate.testing.viewer import Viewer
from tests.container import xclient
from tests.messages import EVERY_EXTENSION, desktop_size, pointer
from tests.unit.samples import PLACE, plan_of

from .running import Gate, running_gate, wait_until
from .samples import CONTROL, VIEW
from .witness import Witness

GEOMETRY = "640x480"


@dataclass(frozen=True, kw_only=True, slots=True)
class Desktop:
    """A display behind a gate.

    Args:
        place: DISPLAY and XAUTHORITY.
        pid: Xvnc's.
    """

    gate: Gate
    place: dict[str, str]
    pid: int
    witness: Witness

    def viewer(self, token: str, *, shared: int = True) -> Viewer:
        """Somebody with a link, past ServerInit."""
        headers = {"Authorization": f"Bearer {token}"}
        return Viewer(self.gate, headers=headers, shared=shared)

    @contextlib.contextmanager
    def both(self) -> Iterator[tuple[Viewer, Viewer]]:
        """A watcher and a controller who know every extension; the display is quiet."""
        with self.viewer(VIEW) as watcher, self.viewer(CONTROL) as controller:
            for each in (watcher, controller):
                each.send(EVERY_EXTENSION)
                each.settle()
            self.calm()
            try:
                yield watcher, controller
            finally:
                self.calm()

    def swallow(self, viewer: Viewer, data: bytes) -> None:
        """Send bytes and wait until Xvnc has read them, so that the next come in another read."""
        viewer.send(data)
        viewer.reach_the_gate()
        links = self.gate.call(lambda: [each._link.transport for each in self.gate.keeper.viewers])
        for link in links:
            wait_until(lambda link=link: link.is_closing() or not unread(link))  # type: ignore[misc]

    def calm(self) -> None:
        """Undo what a controller may have done, and forget it."""
        width, height = map(int, GEOMETRY.split("x"))
        with self.viewer(CONTROL) as controller:
            controller.send(EVERY_EXTENSION)
            controller.send(pointer(1, 1))
            controller.send(desktop_size(width, height))
            controller.settle()
        self.witness.told()

    @contextlib.contextmanager
    def copied(self, text: bytes) -> Iterator[None]:
        """A program on the display that has copied a text."""
        command = [sys.executable, xclient.__file__, "copy", text.hex()]
        program = subprocess.Popen(command, env={**os.environ, **self.place})
        try:
            yield
        finally:
            program.terminate()
            program.wait(5)

    @contextlib.contextmanager
    def bounded(self, mebibytes: int) -> Iterator[None]:
        """Assert that Xvnc's memory has at no moment grown by so much."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak is now (proc(5))
        before = self._memory("VmRSS")
        yield
        grown = self._memory("VmHWM") - before
        assert grown < mebibytes * 1024, f"Xvnc grew by {grown} KiB"

    def _memory(self, what: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)[0])


def dealt_with(viewer: Viewer) -> None:
    """Wait until Xvnc has dealt with all that a viewer sent, if only by ending it."""
    with contextlib.suppress(ConnectionClosed):
        viewer.fence()


def unread(transport: asyncio.Transport) -> int:
    """Bytes that the other end of a unix socket has not read."""
    count = bytearray(4)
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, count)
    return int.from_bytes(count, sys.byteorder) + transport.get_write_buffer_size()


def free_display() -> int:
    """The number of a display that nobody has; two test runs at once do not meet."""
    first = 100 + os.getpid() % 5000
    # Not by its lock: with -displayfd, Xvnc makes none.
    return next(n for n in range(first, 6000) if not Path(f"/tmp/.X11-unix/X{n}").exists())


@contextlib.contextmanager
def running_xvnc(folder: Path, *, without: str = "") -> Iterator[Desktop]:
    """Xvnc on a socket of its own, as a start of the product has it.

    Args:
        without: an argument that it is not given.
    """
    number = free_display()
    settings = {"DISPLAY": f":{number}", "VNC_TRANSPORT": "unix", "VNC_GEOMETRY": GEOMETRY}
    plan = plan_of(settings, place=replace(PLACE, folder=PurePosixPath(folder)))
    row = next(row for row in plan.programs if row.name == "xvnc")
    command = [word for word in row.command if word != without]
    place = {"DISPLAY": f":{number}", "XAUTHORITY": str(folder / "Xauthority")}
    with contextlib.ExitStack() as stack:
        gate = stack.enter_context(running_gate(folder, 0, rfb=plan.gate["rfb"]))
        for name, content in plan.files.items():
            (folder / name).write_bytes(content)
        xvnc = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert xvnc.stdout is not None
        stack.enter_context(xvnc.stdout)
        stack.callback(xvnc.wait, 10)
        stack.callback(xvnc.terminate)
        assert xvnc.stdout.readline().strip() == str(number).encode()
        witness = stack.enter_context(contextlib.closing(Witness(place)))
        yield Desktop(gate=gate, place=place, pid=xvnc.pid, witness=witness)
