"""What a desk must not show: its secrets, and the few places where they may stand.

A token may stand in the link that a start prints, in the token file and the start record (unless
VNC_TOKEN_HASH is on), and where a person put it: in the environment of `docker inspect`. What a
command prints to who asked for a link, and what the API answers, is not searched but learned from.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from deskgate import rfb
from tests.container import traces
from tests.container.canary import Finding, search
from tests.container.traces import Trace

if TYPE_CHECKING:
    from tests.container.desk import Desk
    from tests.container.engine import Result

LINKS: Final = (("url",), ("token", "add"), ("token", "rotate"))  # commands that print one
TOLD: Final = re.compile(r'\b(token|ticket)(?:=|%3D|": ")([A-Za-z0-9_-]{16,256})\b')
COOKIE: Final = re.compile(r"=v1\.[0-9a-f]{16}\.[0-9]+\.[0-9a-f]{32}\.([0-9a-f]{64})")
# In the banner: plain, in colours, or as JSON.
PRINTED: Final = re.compile(
    rb"(?:(?:control|watch) *(?:\x1b\[0m)? +|\"url\": \")"
    rb"(http\S*?(?:token|ticket)(?:=|%3D)[0-9a-f]{32,64})"
)
ROW: Final = re.compile(rb"^([A-Za-z0-9_-]{16,256}): ", re.MULTILINE)
X_COOKIE_BYTES: Final = 16
searched: Final[Counter[str]] = Counter()  # for the closing lines of a test run


class Ledger:
    """The secrets of one desk as they become known, and what it showed to whom it should not.

    Args:
        given: by the person.
    """

    def __init__(self, given: Sequence[str]) -> None:
        self.secrets: dict[bytes, str] = {}  # and what to call them
        self.shown: list[Trace] = []
        for secret in given:
            self.know("given token", secret.encode())

    def know(self, kind: str, secret: bytes) -> None:
        """Look for this one, too."""
        self.secrets.setdefault(secret, f"{kind} {len(self.secrets)}")

    def learn(self, text: str) -> None:
        """Know the tokens, tickets and cookies that somebody was told."""
        for kind, secret in TOLD.findall(text):
            self.know(kind, secret.encode())
        for signature in COOKIE.findall(text):
            self.know("cookie", signature.encode())

    def show(self, place: str, text: bytes) -> None:
        """Keep what stood somewhere without a file of its own."""
        self.shown.append((place, text))

    def command(self, words: Sequence[str], result: Result) -> None:
        """Keep, or learn from, what a command printed."""
        self.learn(result.out)
        if words[0] != "deskgate":
            return
        shown = result.stderr
        if not any(tuple(words[1:])[: len(each)] == each for each in LINKS):
            shown += result.stdout
        self.show(f"what {' '.join(words[:3])} printed", shown)

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep an answer's headers, and its page unless it is what was asked for."""
        lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
        self.learn(lines + body.decode("utf-8", "replace"))
        self.show(f"the head of a {status}", COOKIE.sub("", lines).encode())
        if status >= 300:
            self.show(f"the page of a {status}", body)


def find(desk: Desk) -> list[Finding]:
    """Search everything that a desk wrote and shows, as it is now."""
    log = desk.output
    desk.ledger.learn(log.out + log.err)
    found = [("the log", log.stdout + log.stderr), *desk.ledger.shown, *traces.read(desk)]
    paths = [PurePosixPath(place) for place, _ in found]
    runtime = {path.parent for path in paths if path.name == "gate.json"}
    for path, (_, data) in zip(paths, found, strict=True):
        if path.parent in runtime:
            _learn_file(desk.ledger, path.name, data)
    left = [(place, _less_allowed(desk, place, data, runtime)) for place, data in found]
    searched.update(desks=1, places=len(left), secrets=len(desk.ledger.secrets))
    return search({name: secret for secret, name in desk.ledger.secrets.items()}, left)


def _learn_file(ledger: Ledger, name: str, data: bytes) -> None:
    """Know what only a file of the runtime folder tells."""
    if data.endswith(b"\n(hidden)\n"):  # of `deskgate render`
        return
    if name == "start.json":
        ledger.learn(data.decode())
    elif name == "websockify-tokens.conf":
        for token in ROW.findall(data):
            if not token.startswith(b"sha256-"):
                ledger.know("token", token)
    elif name == "Xauthority":
        ledger.know("X cookie", data[-X_COOKIE_BYTES:])
    elif name == "rfbauth":
        for stored in (data[-16:-8], data[-8:]):
            ledger.know("RFB password", rfb.deobfuscate(stored))
            ledger.know("stored RFB password", stored)


def _less_allowed(desk: Desk, place: str, data: bytes, runtime: set[PurePosixPath]) -> bytes:
    """What stands in a place, without what may stand there."""
    if place == "the log":
        for link in dict.fromkeys(PRINTED.findall(data)):
            if not any(secret.encode() in link for secret in desk.secrets):
                data = data.replace(link, b"", 1)
        return data
    if place == "docker inspect":
        about: dict[str, Any] = json.loads(data)[0]
        given = [f"{name}={value}" for name, value in desk.env.items()]
        about["Config"]["Env"] = [each for each in about["Config"]["Env"] if each not in given]
        return json.dumps(about, ensure_ascii=False).encode()
    path = PurePosixPath(place)
    if path.parent not in runtime:
        return data
    hidden = desk.env.get("VNC_TOKEN_HASH", "") not in ("", "0", "false", "off")
    kinds = {
        "websockify-tokens.conf": () if hidden else ("token", "given token"),
        "start.json": () if hidden else ("token", "given token"),
        "Xauthority": ("X cookie",),
        "rfbauth": ("stored RFB password",),
    }
    for secret, called in desk.ledger.secrets.items():
        if called.rpartition(" ")[0] in kinds.get(path.name, ()):
            data = data.replace(secret, b"")
    return data
