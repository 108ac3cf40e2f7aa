"""The runtime folder: who may be trusted with it, and what is shared in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from deskgate import runtime, users
from deskgate.errors import RuntimeFolderError
from deskgate.users import Access, User

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")


def test_the_runtime_folder_is_ours_alone(tmp_path: Path) -> None:
    """0700, made with its parents when it was named."""
    folder = runtime.make_runtime_folder(str(tmp_path / "a" / "b"), {})
    assert folder == tmp_path / "a" / "b"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_leftovers_of_the_last_start_are_removed(tmp_path: Path) -> None:
    """After `docker restart` an old start.json would give a dead link."""
    (tmp_path / "start.json").write_text("{}")
    (tmp_path / "kept").write_text("")
    runtime.make_runtime_folder(str(tmp_path), {})
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_link_in_the_runtime_folders_place_is_refused(tmp_path: Path) -> None:
    """/tmp is everybody's: what lies there in our name may be a trap."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(RuntimeFolderError, match="it is not a folder"):
        runtime.make_runtime_folder(str(tmp_path / "link"), {})


@ROOT
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Its owner could read our tokens."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").touch()
    os.chown(tmp_path / "theirs", 12345, 12345)
    with pytest.raises(RuntimeFolderError, match="belongs to uid 12345"):
        runtime.make_runtime_folder(str(tmp_path / "theirs"), {})


def test_a_folder_with_other_files_is_left_as_it_is(tmp_path: Path) -> None:
    """`DESKGATE_RUNTIME_DIR=/tmp`, as root, would else shut everybody out of it."""
    tmp_path.chmod(0o755)
    (tmp_path / "somebody's").touch()
    with pytest.raises(RuntimeFolderError, match="name an empty folder"):
        runtime.make_runtime_folder(str(tmp_path), {})
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_error_names_every_folder_and_the_way_out() -> None:
    """73, with what each one lacks."""
    with pytest.raises(RuntimeFolderError) as error:
        runtime.make_runtime_folder("/proc/nowhere", {})
    assert "/proc/nowhere (" in str(error.value)
    assert "--tmpfs /tmp" in str(error.value)


@ROOT
def test_root_takes_an_images_empty_folder(tmp_path: Path) -> None:
    """The image made it for the user that it usually runs as."""
    folder = tmp_path / "deskgate"
    folder.mkdir()
    os.chown(folder, 10001, 10001)
    assert runtime.make_runtime_folder(str(folder), {}) == folder
    assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (0, 0o700)


@ROOT
@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_root_takes_no_folder_where_anybody_makes_one(tmp_path: Path, mode: int) -> None:
    """Below /tmp it may be a trap, empty or not."""
    tmp_path.chmod(mode)
    (tmp_path / "deskgate").mkdir()
    os.chown(tmp_path / "deskgate", 12345, 12345)
    with pytest.raises(RuntimeFolderError, match="belongs to uid 12345"):
        runtime.make_runtime_folder(str(tmp_path / "deskgate"), {})


@ROOT
def test_a_shared_folder_is_taken_again_at_the_next_start(tmp_path: Path) -> None:
    """Others may pass it, the gate may write there, nobody may replace another's file."""
    folder = runtime.make_runtime_folder(str(tmp_path / "deskgate"), {})
    (folder / "gate.json").write_text("{}")
    runtime.share_folder(folder)
    about = folder.stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (0, 63002, 0o1771)
    assert runtime.make_runtime_folder(str(folder), {}) == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@ROOT
def test_a_folder_for_one_user_is_his_alone(tmp_path: Path) -> None:
    """Made once, and right again at the next start."""
    home = tmp_path / "home"
    for _ in range(2):
        runtime.make_folder(home, Access(1234, 2345, 0o700))
        about = home.stat()
        found = (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode))
        assert found == (1234, 2345, 0o700)
    runtime.make_folder(tmp_path / "ours", None)
    assert (tmp_path / "ours").stat().st_uid == 0


@ROOT
def test_c7_what_the_gate_left_behind_is_neither_believed_nor_followed(tmp_path: Path) -> None:
    """It may make anything in the shared folder, and would else keep the next start from it."""
    folder = runtime.make_runtime_folder(str(tmp_path / "deskgate"), {})
    runtime.share_folder(folder)
    victim = tmp_path / "victim"
    (victim / "kept").mkdir(parents=True)
    (folder / "supervisord.conf").touch()
    for name in ("start.json", "..probe.new", ".supervisord.conf.new"):
        (folder / name / "deeper").mkdir(parents=True)
        (folder / name / "link").symlink_to(victim)
        os.chown(folder / name, 63002, 63002)
    (folder / "home").symlink_to(victim)
    os.chown(folder / "home", 63002, 63002, follow_symlinks=False)
    assert runtime.make_runtime_folder(str(folder), {}) == folder
    assert [path.name for path in folder.iterdir()] == ["supervisord.conf"]
    assert (victim / "kept").is_dir()


@ROOT
def test_c7_a_link_in_a_users_folders_place_gives_nothing_away(tmp_path: Path) -> None:
    """`home -> /etc`, from a gate and a desktop that work together, would be the desktop's."""
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    (tmp_path / "home").symlink_to(victim)
    with pytest.raises(OSError, match="home"):
        runtime.make_folder(tmp_path / "home", Access(1234, 2345, 0o700))
    about = victim.stat()
    assert (about.st_uid, stat.S_IMODE(about.st_mode)) == (0, 0o755)


@ROOT
@pytest.mark.parametrize(
    ("owner", "mode", "fine"),
    [(0, 0o755, True), (0, 0o1777, True), (0, 0o777, False), (1234, 0o755, False)],
    ids=["root's", "sticky", "open to all", "the desktop's"],
)
def test_c7_a_folder_that_the_desktop_could_replace_is_refused(
    tmp_path: Path, owner: int, mode: int, fine: bool
) -> None:
    """It would rename ours and have the gate start with a gate.json of its own."""
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(mode)
    os.chown(place, owner, owner)
    for parent in (tmp_path, *list(tmp_path.parents)[:2]):
        parent.chmod(0o755)
    three = users.split(User(1234, 2345))
    if fine:
        assert runtime.make_runtime_folder(str(place / "deskgate"), {}, three)
    else:
        with pytest.raises(RuntimeFolderError, match=f"uid 1234 may change {place}"):
            runtime.make_runtime_folder(str(place / "deskgate"), {}, three)
        as_root = users.split(User(0, 0))
        assert runtime.make_runtime_folder(str(place / "deskgate"), {}, as_root)
