"""Additions: what is found in the folders, in which order, and what is skipped or refused."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from deskgate import additions
from deskgate.errors import SettingsError

from . import samples


def hook(folder: Path, name: str, mode: int = 0o755) -> None:
    """An executable in start.d."""
    (folder / "start.d").mkdir(exist_ok=True)
    path = folder / "start.d" / name
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)


def test_hooks_are_sorted_by_their_bytes(tmp_path: Path) -> None:
    """As `LC_ALL=C ls` does: numbers, capitals, small letters."""
    for name in ("b", "B.sh", "9", "10-init", "a_z", "a-z"):
        hook(tmp_path, name)
    assert additions.find_hooks(tmp_path) == (["10-init", "9", "B.sh", "a-z", "a_z", "b"], [])


def test_what_cannot_be_a_hook_is_named_and_skipped(tmp_path: Path) -> None:
    """Forgotten chmod +x, a backup file, a folder; what begins with a dot is not even listed."""
    hook(tmp_path, "good")
    hook(tmp_path, "README", 0o644)
    hook(tmp_path, "two words")
    hook(tmp_path, "old~")
    hook(tmp_path, ".hidden")
    (tmp_path / "start.d" / "folder").mkdir()
    (tmp_path / "start.d" / "dangling").symlink_to("nowhere")
    names, warnings = additions.find_hooks(tmp_path)
    assert names == ["good"]
    assert [line.split(": ")[:2] for line in warnings] == [
        ["start.d/README", "skipped"],
        ["start.d/dangling", "skipped"],
        ["start.d/folder", "skipped"],
        ["start.d/old~", "skipped"],
        ["start.d/two words", "skipped"],
    ]
    assert "chmod +x" in warnings[0]


def test_without_the_folders_there_is_nothing(tmp_path: Path) -> None:
    """As in most images."""
    assert additions.find_hooks(tmp_path) == ([], [])
    assert additions.read_programs(tmp_path) == {}


def test_drop_ins_are_the_conf_files_in_order(tmp_path: Path) -> None:
    """Also those that a config map links; others are of no interest."""
    folder = tmp_path / "programs.d"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "a.conf").write_text("a")
    (folder / "a.conf").symlink_to("..data/a.conf")
    (folder / "B.conf").write_text("b")
    (folder / "c.conf.bak").write_text("c")
    (folder / "README").write_text("r")
    assert list(additions.read_programs(tmp_path).items()) == [
        ("programs.d/B.conf", "b"),
        ("programs.d/a.conf", "a"),
    ]


def test_files_that_cannot_be_read_are_refused_together(tmp_path: Path) -> None:
    """Each by its name: a FIFO would hang, and a pattern would include others."""
    folder = tmp_path / "programs.d"
    folder.mkdir()
    os.mkfifo(folder / "fifo.conf")
    (folder / "a*.conf").write_text("")
    (folder / "bytes.conf").write_bytes(b"\xff")
    (folder / "big.conf").write_bytes(b";" * (additions.FILE_BYTES + 1))
    with pytest.raises(SettingsError) as error:
        additions.read_programs(tmp_path)
    assert [line.partition(":")[0] for line in error.value.lines] == [
        "programs.d/a*.conf",
        "programs.d/big.conf",
        "programs.d/bytes.conf",
        "programs.d/fifo.conf",
    ]


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    """Rather than starting without what stands in it."""
    (tmp_path / "programs.d").symlink_to("programs.d")
    with pytest.raises(SettingsError, match=r"^programs\.d: cannot read "):
        additions.read_programs(tmp_path)


def test_users_are_found_as_supervisord_finds_them() -> None:
    """By name or number, and only those that exist."""
    root = pwd.getpwuid(0).pw_name
    assert [additions.find_user(text) for text in (root, "0", "no-such-user", "4294967290")] == [
        0,
        0,
        None,
        None,
    ]


def test_without_a_desktop_nothing_is_looked_for() -> None:
    """Only the command runs then."""
    reading = samples.reading_of({"ENABLE_VNC": "no"})
    assert additions.find_additions(reading, {}, samples.PLACE) == additions.Additions()
