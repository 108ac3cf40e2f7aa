"""Users: three that cannot reach each other, and what each may read."""

from __future__ import annotations

import itertools

import pytest

from deskgate import users
from deskgate.users import Access, User, Users

GATE, XVNC, DESKTOP = 63002, 63001, 1234
THREE = users.split(User(DESKTOP, 2345))


def readers(file: str) -> set[str]:
    """Who of the three may read a file, by its mode."""
    access = THREE.access(file)
    if access is None:
        return set()
    found = set()
    for name in ("gate", "xvnc", "desktop"):
        user = THREE.of(name)
        assert user is not None
        groups = {user.gid, *user.groups}
        bits = 0o400 if user.uid == access.uid else 0o040 if access.gid in groups else 0o004
        if access.mode & bits:
            found.add(name)
    return found


def test_no_two_of_them_share_a_user_or_the_group_of_another() -> None:
    """But for the gate, which may read what is Xvnc's."""
    found = (THREE.gate, THREE.xvnc, THREE.desktop)
    for one, other in itertools.permutations(found, 2):
        assert one.uid != other.uid
        assert one.gid != other.gid
        assert (other.gid in one.groups) == (one is THREE.gate and other is THREE.xvnc)


READERS = {
    "websockify-tokens.conf": {"gate"},
    "start.json": {"gate"},
    "gate.json": {"gate"},
    "tls-key.pem": {"gate"},
    "rfbauth": {"gate", "xvnc"},
    "Xauthority": {"gate", "xvnc", "desktop"},
    "jwmrc": {"desktop"},
    "home": {"desktop"},
    "xvnc": {"gate", "xvnc"},
    "supervisord.conf": set(),
    "status.json": set(),
}


@pytest.mark.parametrize("file", READERS)
def test_a_file_is_read_by_who_needs_it_and_nobody_else(file: str) -> None:
    """Tokens by the gate alone; what no row names by root alone."""
    if file == "xvnc":  # a folder, passed by who may execute it
        assert THREE.access(file) == Access(XVNC, XVNC, 0o710)
    else:
        assert readers(file) == READERS[file]


@pytest.mark.parametrize("file", ["gate.json", "rfbauth", "tls-cert.pem", "tls-key.pem"])
def test_what_the_gate_only_reads_is_roots(file: str) -> None:
    """A gate that was taken over for a moment could leave `auth: none` to the next one."""
    access = THREE.access(file)
    assert access is not None
    assert (access.uid, access.mode) == (0, 0o640)


def test_only_its_owner_may_write_a_file() -> None:
    """Reading is shared, never writing."""
    for file in users.FILES:
        access = THREE.access(file)
        assert access is not None
        assert access.mode & 0o022 == 0


@pytest.mark.parametrize(
    ("puid", "pgid", "wanted"),
    [
        (None, None, (0, 0)),
        (1000, None, (1000, 1000)),
        (1000, 100, (1000, 100)),
        (None, 100, (0, 100)),
        (0, None, (0, 0)),
    ],
)
def test_the_desktop_is_who_puid_and_pgid_name(
    puid: int | None, pgid: int | None, wanted: tuple[int, int]
) -> None:
    """One of them stands for both; none is root."""
    assert users.desktop_of(puid, pgid) == User(*wanted)


def test_of_an_unknown_name_there_is_none() -> None:
    """A hook runs as who started the container."""
    assert THREE.of("start") is None


def test_the_three_numbers_are_taken() -> None:
    """The desktop as the gate's user could read the tokens."""
    assert users.taken(1000, None) == []
    assert [str(each) for each in users.taken(GATE, XVNC)] == [
        'PUID: cannot use "63002": it is deskgate\'s own; give another, such as 1000',
        'PGID: cannot use "63001": it is deskgate\'s own; give another, such as 1000',
    ]


def test_nobody_passes_for_another() -> None:
    """The shared folder is written by root and the gate, and is sticky."""
    assert users.SHARED_FOLDER_MODE & 0o1000
    assert users.SHARED_FOLDER_MODE & 0o002 == 0
    assert isinstance(THREE, Users)
