"""Runs inside a container, which has no X tools: a small X client (X Window System Protocol 11).

`python3 - COMMAND` with this file on standard input; standard library only, Python >= 3.9.
state prints what the X server knows: pointer, keys, size, owners of the selections; pixel X Y;
paste prints the clipboard; copy HEX owns it and serves it until somebody else copies.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

SELECTION_NOTIFY = 31
SELECTION_REQUEST = 30
SELECTION_CLEAR = 29
WAIT_SECONDS = 5.0
ANY_TYPE = 0
ATOM = 4  # the predefined type


class X:
    """A connection, with a window of its own.

    Args:
        place: DISPLAY and XAUTHORITY.
    """

    def __init__(self, place: Mapping[str, str] = os.environ) -> None:
        display = place["DISPLAY"].lstrip(":")
        cookie = Path(place["XAUTHORITY"]).read_bytes()[-16:]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(WAIT_SECONDS)
        self._socket.connect(f"/tmp/.X11-unix/X{display}")
        name = b"MIT-MAGIC-COOKIE-1"
        head = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie))
        self._socket.sendall(head + name + b"\0" * (-len(name) % 4) + cookie)
        ok, length = struct.unpack("<BxxxxxH", self._read(8))
        setup = self._read(length * 4)
        if ok != 1:
            sys.exit(f"X refuses: {setup!r}")
        (self.window,) = struct.unpack_from("<I", setup, 4)  # the base of our own ids
        vendor, formats = struct.unpack_from("<H", setup, 16)[0], setup[21]
        screen = 32 + (vendor + 3) // 4 * 4 + formats * 8
        (self.root,) = struct.unpack_from("<I", setup, screen)
        self.events: list[bytes] = []
        self._send(1, 0, struct.pack("<IIhhHHHHII", self.window, self.root, 0, 0, 1, 1, 0, 0, 0, 0))

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                sys.exit("X closed the connection")
            data += piece
        return data

    def _send(self, opcode: int, detail: int, body: bytes) -> None:
        body += b"\0" * (-len(body) % 4)
        self._socket.sendall(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)

    def _packet(self) -> bytes:
        packet = self._read(32)
        if packet[0] == 0:
            sys.exit(f"X error {packet[1]} of request {packet[10]}")
        if packet[0] == 1:
            packet += self._read(struct.unpack_from("<I", packet, 4)[0] * 4)
        return packet

    def ask(self, opcode: int, detail: int = 0, body: bytes = b"") -> bytes:
        """Send a request and return its reply; events that come first are kept."""
        self._send(opcode, detail, body)
        while (packet := self._packet())[0] != 1:
            self.events.append(packet)
        return packet

    def event(self, kind: int) -> bytes:
        """Wait for an event of a kind."""
        while True:
            for packet in self.events:
                if packet[0] & 0x7F == kind:
                    self.events.remove(packet)
                    return packet
            self.events.append(self._packet())

    def wait(self) -> None:
        """Wait for anything, however long."""
        if not self.events:
            select.select([self._socket], [], [])

    def atom(self, name: str) -> int:
        """InternAtom."""
        data = name.encode()
        found: int
        (found,) = struct.unpack_from(
            "<I", self.ask(16, 0, struct.pack("<Hxx", len(data)) + data), 8
        )
        return found

    def owner(self, selection: str) -> int:
        """GetSelectionOwner."""
        found: int
        (found,) = struct.unpack_from(
            "<I", self.ask(23, 0, struct.pack("<I", self.atom(selection))), 8
        )
        return found

    def change(self, window: int, name: int, kind: int, form: int, data: bytes) -> None:
        """ChangeProperty; `form` is the bits of one element."""
        count = len(data) * 8 // form
        self._send(18, 0, struct.pack("<IIIBxxxI", window, name, kind, form, count) + data)

    def paste(self) -> bytes:
        """The clipboard's text in UTF-8."""
        clipboard, utf8, place = map(self.atom, ("CLIPBOARD", "UTF8_STRING", "DESKGATE"))
        self._send(24, 0, struct.pack("<IIIII", self.window, clipboard, utf8, place, 0))
        *_, where = struct.unpack_from("<IIII", self.event(SELECTION_NOTIFY), 8)
        if not where:
            sys.exit("the clipboard has no text")
        reply = self.ask(20, 0, struct.pack("<IIIII", self.window, place, ANY_TYPE, 0, 1 << 20))
        (length,) = struct.unpack_from("<I", reply, 16)
        return reply[32 : 32 + length]

    def copy(self, text: bytes) -> None:
        """Own the clipboard and answer who asks for it, until another owner comes."""
        clipboard, utf8, targets = map(self.atom, ("CLIPBOARD", "UTF8_STRING", "TARGETS"))
        self._send(22, 0, struct.pack("<III", self.window, clipboard, 0))
        self.owner("CLIPBOARD")
        while True:
            self.wait()
            packet = self.events.pop(0) if self.events else self._packet()
            if packet[0] & 0x7F == SELECTION_CLEAR:
                return
            if packet[0] & 0x7F != SELECTION_REQUEST:
                continue
            when, _, asker, which, target, place = struct.unpack_from("<IIIIII", packet, 4)
            if target == targets:
                self.change(asker, place, ATOM, 32, struct.pack("<II", targets, utf8))
            elif target == utf8:
                self.change(asker, place, utf8, 8, text)
            else:
                place = 0
            told = struct.pack("<BxHIIIII", SELECTION_NOTIFY, 0, when, asker, which, target, place)
            self._send(25, 0, struct.pack("<II", asker, 0) + told.ljust(32, b"\0"))

    def state(self) -> dict[str, object]:
        """What the X server knows."""
        root = struct.pack("<I", self.root)
        pointer, geometry = self.ask(38, 0, root), self.ask(14, 0, root)
        keys = self.ask(44)[8:40]
        return {
            "size": list(struct.unpack_from("<HH", geometry, 16)),
            "pointer": list(struct.unpack_from("<hh", pointer, 16)),
            "buttons": struct.unpack_from("<H", pointer, 24)[0] >> 8,
            "keys": [code for code in range(256) if keys[code // 8] >> code % 8 & 1],
            "owners": [self.owner("PRIMARY"), self.owner("CLIPBOARD")],
        }

    def pixel(self, x: int, y: int) -> str:
        """The colour of one pixel of the root window and all in it, as #rrggbb."""
        body = struct.pack("<IhhHHI", self.root, x, y, 1, 1, 0xFFFFFFFF)
        blue, green, red = self.ask(73, 2, body)[32:35]
        return f"#{red:02x}{green:02x}{blue:02x}"


def main() -> None:
    """Do one command."""
    x = X()
    command, *words = sys.argv[1:]
    if command == "state":
        print(json.dumps(x.state()))
    elif command == "pixel":
        print(x.pixel(int(words[0]), int(words[1])))
    elif command == "paste":
        sys.stdout.buffer.write(x.paste())
    elif command == "copy":
        x.copy(bytes.fromhex(words[0]))


if __name__ == "__main__":
    main()
