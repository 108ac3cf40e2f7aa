"""Users: who runs what, and who may read which file, in a container that was started as root. Pure.

The gate faces the network, Xvnc draws what strangers' programs send, and the desktop runs them:
none of the three shall be able to harm, or to read, another. PID 1 stays root and starts them.
A container that was started as anybody else has one user for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from deskgate.errors import Problem

# Numbers of no passwd file: above what distributions give away, below the 65536 of a user
# namespace.
XVNC_ID: Final = 63001
GATE_ID: Final = 63002
RESERVED: Final = (XVNC_ID, GATE_ID)
FOLDER_MODE: Final = 0o700
# Everybody passes through, the gate puts its files there, and nobody replaces another's.
SHARED_FOLDER_MODE: Final = 0o1771


class User(NamedTuple):
    """A user id, its group id, and further groups."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


ROOT: Final = User(0, 0)


class Access(NamedTuple):
    """A file's owner, group and mode."""

    uid: int
    gid: int
    mode: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Users:
    """The three, and what they share: Xvnc's group reads its cookie and passwords."""

    gate: User
    xvnc: User
    desktop: User

    def of(self, name: str) -> User | None:
        """Who `gate`, `xvnc` or `desktop` is; None for whoever started the container."""
        found: User | None = getattr(self, name, None)
        return found

    def access(self, file: str) -> Access | None:
        """Who may read a file of the runtime folder; None for root alone."""
        owner, group, mode = FILES.get(file, ("", "", 0))
        found = ROOT if owner == "root" else self.of(owner)
        if found is None:
            return None
        readers = self.of(group) or found
        return Access(found.uid, readers.gid, mode)


# What the gate only reads is root's: taken over, it could otherwise outlive its own restart.
FILES: Final = {
    "gate.json": ("root", "gate", 0o640),
    "start.json": ("gate", "", 0o600),
    "websockify-tokens.conf": ("gate", "", 0o600),
    "tls-cert.pem": ("root", "gate", 0o640),
    "tls-key.pem": ("root", "gate", 0o640),
    "rfbauth": ("root", "xvnc", 0o640),
    "Xauthority": ("desktop", "xvnc", 0o640),
    "jwmrc": ("desktop", "", 0o600),
    "terminal.lock": ("desktop", "", 0o600),
    "passwd": ("desktop", "", 0o600),
    "home": ("desktop", "", 0o700),
    "xvnc": ("xvnc", "", 0o710),
}


def desktop_of(puid: int | None, pgid: int | None) -> User:
    """The desktop's user as PUID and PGID say; the group is PUID as well, unless it is given."""
    uid = puid if puid is not None else 0
    return User(uid, pgid if pgid is not None else uid)


def split(desktop: User) -> Users:
    """Three users, of which one is given."""
    return Users(
        gate=User(GATE_ID, GATE_ID, (XVNC_ID,)), xvnc=User(XVNC_ID, XVNC_ID), desktop=desktop
    )


def taken(puid: int | None, pgid: int | None) -> list[Problem]:
    """Refuse the numbers that are the gate's and Xvnc's."""
    return [
        Problem(
            name=name, given=str(given), allowed="it is deskgate's own; give another, such as 1000"
        )
        for name, given in (("PUID", puid), ("PGID", pgid))
        if given in RESERVED
    ]
