"""Files: folders that can be trusted, private files, and what a secret file may hold."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from deskgate import files
from deskgate.errors import RuntimeFolderError
from deskgate.forms import FormError


def test_a_private_file_is_created_with_its_mode(tmp_path: Path) -> None:
    """0600 whatever the umask says, and nothing of the way there is left."""
    before = os.umask(0)
    try:
        files.write_private(tmp_path / "secret", b"data")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_private_file_replaces_a_link_and_does_not_follow_it(tmp_path: Path) -> None:
    """A link that somebody put there must not lead our secret elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "secret").symlink_to(victim)
    (tmp_path / ".secret.new").symlink_to(victim)
    files.write_private(tmp_path / "secret", b"data")
    assert victim.read_text() == "precious"
    assert not (tmp_path / "secret").is_symlink()


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """Half a token file would lock everybody out."""
    target = tmp_path / "busy"
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        files.write_private(target, b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["busy"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=repr)
def test_e11_a_secret_file_may_end_its_line(tmp_path: Path, end: str) -> None:
    """Editors and `echo` add one; Jupyter's unusable token came from there."""
    (tmp_path / "s").write_bytes(b"abc" + end.encode())
    assert files.read_secret(str(tmp_path / "s")) == "abc"


BAD_SECRETS = {
    "empty": (b"", "the file is empty"),
    "one line end": (b"\n", "the file is empty"),
    "two lines": (b"abc\ndef\n", "must hold the secret alone"),
    "inner space": (b"abc def", "must hold the secret alone"),
    "too large": (b"x" * 5 * 1024, "larger than 4096 bytes"),
}
BAD_BYTES = {
    "NUL": (b"abc\0", "must hold the secret alone"),
    "not UTF-8": (b"abc\xff\xfe", "not UTF-8"),
}


def assert_refused(path: Path, reason: str) -> None:
    """Read as a secret it is an error that says why, and none of what stands there."""
    with pytest.raises(FormError) as error:
        files.read_secret(str(path))
    assert reason in str(error.value)
    assert "abc" not in str(error.value)


@pytest.mark.parametrize(("data", "reason"), BAD_SECRETS.values(), ids=BAD_SECRETS.keys())
def test_e11_a_bad_secret_file_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    """Without its content."""
    (tmp_path / "s").write_bytes(data)
    assert_refused(tmp_path / "s", reason)


@pytest.mark.parametrize(("data", "reason"), BAD_BYTES.values(), ids=BAD_BYTES.keys())
def test_e7_a_secret_file_of_no_text_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    """Xvnc and the token file would each read something else."""
    (tmp_path / "s").write_bytes(data)
    assert_refused(tmp_path / "s", reason)


ODD = {".": "regular file", "fifo": "regular file", "loop": "levels of", "none": "No such file"}


@pytest.mark.parametrize(("name", "reason"), ODD.items())
def test_e11_what_is_no_regular_file_is_no_secret_and_never_hangs(
    tmp_path: Path, name: str, reason: str
) -> None:
    """A folder, a FIFO without a writer, a loop of links, nothing at all."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert_refused(tmp_path / name, reason)


def test_the_runtime_folder_is_ours_alone(tmp_path: Path) -> None:
    """0700, made with its parents when it was named."""
    folder = files.make_runtime_folder(str(tmp_path / "a" / "b"), {})
    assert folder == tmp_path / "a" / "b"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_leftovers_of_the_last_start_are_removed(tmp_path: Path) -> None:
    """After `docker restart` an old start.json would give a dead link."""
    (tmp_path / "start.json").write_text("{}")
    (tmp_path / "kept").write_text("")
    files.make_runtime_folder(str(tmp_path), {})
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_link_in_the_runtime_folders_place_is_refused(tmp_path: Path) -> None:
    """/tmp is everybody's: what lies there in our name may be a trap."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(RuntimeFolderError, match="it is not a folder"):
        files.make_runtime_folder(str(tmp_path / "link"), {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Its owner could read our tokens."""
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    with pytest.raises(RuntimeFolderError, match="belongs to uid 12345"):
        files.make_runtime_folder(str(tmp_path / "theirs"), {})


def test_a_folder_with_other_files_is_left_as_it_is(tmp_path: Path) -> None:
    """`DESKGATE_RUNTIME_DIR=/tmp`, as root, would else shut everybody out of it."""
    tmp_path.chmod(0o755)
    (tmp_path / "somebody's").touch()
    with pytest.raises(RuntimeFolderError, match="name an empty folder"):
        files.make_runtime_folder(str(tmp_path), {})
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_error_names_every_folder_and_the_way_out() -> None:
    """73, with what each one lacks."""
    with pytest.raises(RuntimeFolderError) as error:
        files.make_runtime_folder("/proc/nowhere", {})
    assert "/proc/nowhere (" in str(error.value)
    assert "--tmpfs /tmp" in str(error.value)


def test_programs_are_found_as_a_shell_finds_them(tmp_path: Path) -> None:
    """In the order of PATH, executable files only."""
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    path = f"/nowhere:{tmp_path}"
    assert files.find_program("tool", path) is None
    (tmp_path / "tool").chmod(0o755)
    (tmp_path / "folder").mkdir()
    assert files.find_program("tool", path) == str(tmp_path / "tool")
    assert files.find_program(str(tmp_path / "tool"), "/nowhere") == str(tmp_path / "tool")
    assert files.find_program("folder", path) is None
    assert files.find_program("sh", None) is not None


@pytest.fixture
def display() -> int:
    """A display number that nobody uses."""
    return next(n for n in range(4000, 4100) if not Path(f"/tmp/.X{n}-lock").exists())


def test_the_lock_of_a_dead_server_is_removed(display: int) -> None:
    """F8: after `docker restart` the pid in it may be anybody's."""
    lock = Path(f"/tmp/.X{display}-lock")
    lock.write_text(f"{os.getpid():>10}\n")
    assert files.free_display(display) is None
    assert not lock.exists()


def test_an_odd_lock_is_removed_and_never_hangs(display: int) -> None:
    """A FIFO would keep its reader waiting; what is no number is no pid."""
    lock = Path(f"/tmp/.X{display}-lock")
    os.mkfifo(lock)
    assert files.free_display(display) is None
    assert not lock.exists()
    lock.write_text("self/../1\n")
    assert files.free_display(display) is None
    assert not lock.exists()


def test_a_lock_that_is_a_link_is_removed_and_not_followed(display: int, tmp_path: Path) -> None:
    """F8."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    Path(f"/tmp/.X{display}-lock").symlink_to(victim)
    assert files.free_display(display) is None
    assert victim.read_text() == "precious"
    assert not Path(f"/tmp/.X{display}-lock").is_symlink()


def test_a_display_whose_socket_answers_is_in_use(display: int) -> None:
    """It may be the host's, mounted into the container."""
    door = Path(files.x_socket(display))
    door.parent.mkdir(mode=0o1777, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        server.listen()
        try:
            taken = files.free_display(display)
            assert taken is not None
            assert taken.startswith(f"display :{display} is in use")
            assert door.exists()
        finally:
            door.unlink()


def test_the_environment_is_what_the_process_was_given() -> None:
    """Not os.environ, to which Python adds LC_CTYPE under the C locale."""
    block = Path("/proc/self/environ").read_bytes()
    assert len(files.read_environment()) == len(
        {e.partition(b"=")[0] for e in block.split(b"\0") if b"=" in e}
    )


def test_templates_and_novnc_are_found_in_the_checkout() -> None:
    """An editable install has no copy in the package."""
    assert (files.templates_dir() / "tokens.j2").is_file()
    assert (files.web_dir() / "vnc.html").is_file()
