"""Which folder the commands believe to be the running desktop's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deskgate import runtime
from deskgate.running import find_runtime_folder, format_age

STRANGER = 4242
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root makes somebody else's folders")


@pytest.fixture
def tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /tmp in which anybody may make a folder, and no other place for ours."""
    monkeypatch.setattr(runtime, "TMP", tmp_path)
    monkeypatch.setattr(runtime, "RUN_FOLDER", tmp_path / "none" / "deskgate")
    return tmp_path


def plant(tmp: Path, name: str, owner: int | None = None) -> Path:
    """A folder that looks like a running desktop's."""
    folder = tmp / name
    folder.mkdir()
    (folder / "status.json").write_text("{}")
    if owner is not None:
        os.chown(folder, owner, owner)
    return folder


def test_a_running_desktop_is_found_by_its_status_file(tmp_path: Path) -> None:
    """`docker exec … deskgate url` looks where `run` wrote."""
    environ = {"DESKGATE_RUNTIME_DIR": str(tmp_path)}
    assert find_runtime_folder(environ) is None
    (tmp_path / "status.json").write_text("{}")
    assert find_runtime_folder(environ) == tmp_path


def test_ones_own_folder_below_tmp_is_found(tmp: Path) -> None:
    """The last place that a start tries."""
    assert find_runtime_folder({}) is None
    folder = plant(tmp, f"deskgate-{os.getuid()}")
    assert find_runtime_folder({}) == folder


@ROOT
def test_c7_a_folder_that_another_user_made_is_not_believed(tmp: Path) -> None:
    """Root would print a stranger's link, and write a new token for him to read."""
    plant(tmp, "deskgate-0", STRANGER)
    assert find_runtime_folder({}) is None
    plant(tmp, "deskgate-1", STRANGER)
    assert find_runtime_folder({}) is None


@ROOT
def test_c7_a_folder_in_another_users_xdg_runtime_dir_is_not_believed(tmp: Path) -> None:
    """An image may name one for its user, who need not be the one that we run as."""
    folder = plant(tmp, "deskgate", STRANGER)
    environ = {"XDG_RUNTIME_DIR": str(tmp)}
    assert find_runtime_folder(environ) is None
    os.chown(folder, 0, 0)
    assert find_runtime_folder(environ) == folder


@ROOT
def test_root_finds_the_desktop_of_another_user(tmp: Path) -> None:
    """`docker exec -u 0`; of two, neither can be told to be the right one."""
    theirs = plant(tmp, "deskgate-31337", 31337)
    assert find_runtime_folder({}) == theirs
    plant(tmp, f"deskgate-{STRANGER}", STRANGER)
    assert find_runtime_folder({}) is None


AGES = {
    0: "0 s",
    59.9: "59 s",
    60: "1 m",
    3599: "59 m",
    3600: "1 h",
    86399: "23 h",
    86400: "1 d",
    8640000: "100 d",
}


@pytest.mark.parametrize(("seconds", "age"), AGES.items())
def test_an_uptime_is_told_in_one_unit(seconds: float, age: str) -> None:
    """Never more than it is."""
    assert format_age(seconds) == age
