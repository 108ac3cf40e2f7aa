"""An X client that sees all that a viewer could do to a display, also what is undone at once.

Keys, buttons and movements by RECORD, before any program gets them; selections by XFIXES;
geometry by RANDR and the root window; the keyboard's mapping by the event that everybody gets.
"""

from __future__ import annotations

import select
import struct
from collections.abc import Mapping

from tests.container.xclient import SELECTION_REQUEST, X

MOTION_NOTIFY = 6
DEVICE_EVENTS = {
    2: "key down",
    3: "key up",
    4: "button down",
    5: "button up",
    MOTION_NOTIFY: "pointer moved",
}
CONFIGURE_NOTIFY, MAPPING_NOTIFY = 22, 34
STRUCTURE_NOTIFY = 0x20000
ALL_CLIENTS = 3  # RECORD, 2: devices' events are everybody's
SET_OWNER = 1  # XFIXES, 8.1
SCREEN, CRTC, OUTPUT = 1, 2, 4  # RANDR, 7
GET_INPUT_FOCUS = 43  # asked only for its answer


class Client(X):
    """A client that knows extensions."""

    def extension(self, name: str) -> tuple[int, int]:
        """Its major opcode and its first event (QueryExtension)."""
        data = name.encode()
        reply = self.ask(98, 0, struct.pack("<Hxx", len(data)) + data)
        assert reply[8], f"this X server has no {name}"
        return reply[9], reply[10]

    @property
    def pending(self) -> bool:
        """Whether something came that was not read."""
        return bool(select.select([self._socket], [], [], 0)[0])


class Tape(Client):
    """What the devices did, by RECORD on a connection of its own."""

    def __init__(self, place: Mapping[str, str]) -> None:
        super().__init__(place)
        record, _ = self.extension("RECORD")
        context = self.window + 1
        # Events of the devices alone: the tenth pair of RECORDRANGE.
        span = bytes(18) + bytes((min(DEVICE_EVENTS), max(DEVICE_EVENTS))) + bytes(4)
        self._send(record, 1, struct.pack("<IIIII", context, 0, 1, 1, ALL_CLIENTS) + span)
        self.ask(record, 5, struct.pack("<I", context))  # from now on it only tells

    def told(self) -> list[str]:
        """Everything since the last time."""
        found = []
        while self.pending:
            packet = self._packet()
            for at in range(32, len(packet), 32):
                kind, detail = packet[at] & 0x7F, str(packet[at + 1])
                if kind == MOTION_NOTIFY:
                    detail = "to {}, {}".format(*struct.unpack_from("<hh", packet, at + 20))
                found.append(f"{DEVICE_EVENTS[kind]} {detail}")
        return found


class Witness(Client):
    """Tells what happened on a display."""

    def __init__(self, place: Mapping[str, str]) -> None:
        super().__init__(place)
        self._tape = Tape(place)
        fixes, self._fixes = self.extension("XFIXES")
        self.ask(fixes, 0, struct.pack("<II", 5, 0))
        self._selections = {self.atom(name): name for name in ("PRIMARY", "CLIPBOARD")}
        for atom in self._selections:
            self._send(fixes, 2, struct.pack("<III", self.window, atom, SET_OWNER))
        randr, self._randr = self.extension("RANDR")
        self.ask(randr, 0, struct.pack("<II", 1, 5))
        self._send(randr, 4, struct.pack("<IHxx", self.root, SCREEN | CRTC | OUTPUT))
        self._send(2, 0, struct.pack("<III", self.root, 0x800, STRUCTURE_NOTIFY))
        self.told()

    def close(self) -> None:
        """Leave, with the tape."""
        self._tape.close()
        super().close()

    def told(self) -> list[str]:
        """What happened since the last time, in words such as `key down 38`."""
        # Twice: the first answer may leave the server just before what RECORD has to tell.
        for _ in range(2):
            self.ask(GET_INPUT_FOCUS)
        events, self.events = self.events, []
        return [*self._tape.told(), *(self._words(event) for event in events)]

    def _words(self, event: bytes) -> str:
        kind = event[0] & 0x7F
        if kind == CONFIGURE_NOTIFY:
            return "size {}x{}".format(*struct.unpack_from("<HH", event, 20))
        if kind == MAPPING_NOTIFY:
            return "keyboard mapped"
        if kind == SELECTION_REQUEST:
            return "selection asked for"
        if kind == self._fixes:
            _, _, atom = struct.unpack_from("<III", event, 4)
            return f"selection {self._selections[atom]} taken"
        if kind in (self._randr, self._randr + 1):
            return "screen changed"
        return f"event {kind}"
