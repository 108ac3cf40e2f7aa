"""Files: private files, and what a secret file may hold."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from deskgate import files
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for others")
def test_c7_a_private_file_is_ours_also_where_another_was_first(tmp_path: Path) -> None:
    """The gate could else make `status.json` before PID 1 does, and keep it for itself."""
    (tmp_path / "status.json").touch()
    os.chown(tmp_path / "status.json", 63002, 63002)
    files.write_private(tmp_path / "status.json", b"data")
    about = (tmp_path / "status.json").stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (0, 0, 0o600)


OWN = {"fifo": "regular", "link": "symbolic", "zero": "symbolic", "large": "larger", ".": "regular"}


@pytest.mark.parametrize(("name", "reason"), OWN.items())
def test_c7_what_another_put_in_our_files_place_is_not_read(
    tmp_path: Path, name: str, reason: str
) -> None:
    """Root's commands would wait for ever, read without an end, or read what the gate may not."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises((OSError, FormError), match=reason):
        files.read_own(tmp_path / name)


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
