"""Identity: asked as another user, and become one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deskgate import identity
from deskgate.users import User

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be others")
SOMEBODY = User(4321, 4321, (4322,))


@pytest.fixture
def open_tmp(tmp_path: Path) -> Path:
    """A folder that everybody reaches."""
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    return tmp_path


@ROOT
@pytest.mark.parametrize(
    ("owner", "group", "mode", "may"),
    [
        (0, 0, 0o600, False),
        (4321, 0, 0o400, True),
        (0, 4321, 0o640, True),
        (0, 4322, 0o640, True),
        (0, 4323, 0o640, False),
        (0, 0, 0o604, True),
    ],
)
def test_may_answers_for_another_user(
    open_tmp: Path, owner: int, group: int, mode: int, may: bool
) -> None:
    """By owner, group, further group and others; and we are root again."""
    file = open_tmp / "file"
    file.touch()
    os.chown(file, owner, group)
    file.chmod(mode)
    before = (os.geteuid(), os.getegid(), os.getgroups())
    assert identity.may(SOMEBODY, str(file), os.R_OK) == may
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_may_answers_for_ourselves(tmp_path: Path) -> None:
    """None is who we are."""
    assert identity.may(None, str(tmp_path), os.W_OK)
    assert not identity.may(None, str(tmp_path / "none"), os.R_OK)


@ROOT
@pytest.mark.parametrize(
    ("owner", "mode", "weak"),
    [(0, 0o755, False), (0, 0o1777, False), (0, 0o777, True), (4321, 0o500, True)],
    ids=["root's", "sticky", "open to all", "his own"],
)
def test_c7_what_a_user_can_replace_is_found(
    open_tmp: Path, owner: int, mode: int, weak: bool
) -> None:
    """By a folder at any height, also of a link on the way; root replaces everything anyway."""
    folder, real = open_tmp / "folder", open_tmp / "real"
    (folder / "bin").mkdir(parents=True)
    real.mkdir()
    (folder / "bin" / "tool").touch()
    (folder / "link").symlink_to(real)
    (real / "tool").touch()
    folder.chmod(mode)
    os.chown(folder, owner, owner)
    for path in (folder / "bin" / "tool", folder / "link" / "tool"):
        assert identity.may_replace(SOMEBODY, path) == (folder if weak else None)
        assert identity.may_replace(User(0, 0), path) is None
    assert identity.may_replace(SOMEBODY, real / "tool") is None


def test_home_is_that_of_passwd_when_it_can_be_written() -> None:
    """`nobody` has none, and 4321 no line."""
    assert identity.home_of(SOMEBODY) is None
    if os.geteuid() == 0:
        assert identity.home_of(None) == "/root"
        assert identity.home_of(User(65534, 65534)) is None


def test_only_users_of_the_system_have_a_name() -> None:
    """A number is enough to run as."""
    assert identity.has_name(User(0, 0))
    assert not identity.has_name(User(31337, 0))


@ROOT
@pytest.mark.parametrize(("user", "gains"), [(SOMEBODY, "0"), (User(63001, 63001), "1")])
def test_c7_gate_and_xvnc_gain_nothing_by_setuid_programs(user: User, gains: str) -> None:
    """proc(5), NoNewPrivs; others may use theirs."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        identity.become(user)
        os.write(writer, Path("/proc/self/status").read_bytes())
        os._exit(0)
    os.waitpid(pid, 0)
    told = os.read(reader, 10_000).decode().partition("NoNewPrivs:")[2]
    assert told.split()[0] == gains


@ROOT
def test_become_is_for_good() -> None:
    """Ids and groups of all kinds; there is no way back."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        identity.become(SOMEBODY)
        try:
            os.setuid(0)
            back = "back"
        except PermissionError:
            back = "for good"
        told = (os.getresuid(), os.getresgid(), sorted(os.getgroups()), back)
        os.write(writer, repr(told).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 1000).decode() == repr(
        ((4321,) * 3, (4321,) * 3, [4321, 4322], "for good")
    )
