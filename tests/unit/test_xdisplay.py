"""The X display's lock and socket after a server's death."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from deskgate import xdisplay


@pytest.fixture
def display() -> int:
    """A display number that nobody uses."""
    return next(n for n in range(4000, 4100) if not Path(f"/tmp/.X{n}-lock").exists())


def test_the_lock_of_a_dead_server_is_removed(display: int) -> None:
    """F8: after `docker restart` the pid in it may be anybody's."""
    lock = Path(f"/tmp/.X{display}-lock")
    lock.write_text(f"{os.getpid():>10}\n")
    assert xdisplay.free_display(display) is None
    assert not lock.exists()


def test_an_odd_lock_is_removed_and_never_hangs(display: int) -> None:
    """A FIFO would keep its reader waiting; what is no number is no pid."""
    lock = Path(f"/tmp/.X{display}-lock")
    os.mkfifo(lock)
    assert xdisplay.free_display(display) is None
    assert not lock.exists()
    lock.write_text("self/../1\n")
    assert xdisplay.free_display(display) is None
    assert not lock.exists()


def test_c7_a_folder_in_the_locks_place_keeps_no_desktop_from_starting(display: int) -> None:
    """Whoever is left in the container when Xvnc has gone can make one."""
    lock = Path(f"/tmp/.X{display}-lock")
    (lock / "deeper").mkdir(parents=True)
    assert xdisplay.free_display(display) is None
    assert not lock.exists()
    (aside,) = Path("/tmp").glob(f"{lock.name}.*")
    (aside / "deeper").rmdir()
    aside.rmdir()


def test_a_lock_that_is_a_link_is_removed_and_not_followed(display: int, tmp_path: Path) -> None:
    """F8."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    Path(f"/tmp/.X{display}-lock").symlink_to(victim)
    assert xdisplay.free_display(display) is None
    assert victim.read_text() == "precious"
    assert not Path(f"/tmp/.X{display}-lock").is_symlink()


def test_a_display_whose_socket_answers_is_in_use(display: int) -> None:
    """It may be the host's, mounted into the container."""
    door = Path(xdisplay.x_socket(display))
    door.parent.mkdir(mode=0o1777, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        server.listen()
        try:
            taken = xdisplay.free_display(display)
            assert taken is not None
            assert taken.startswith(f"display :{display} is in use")
            assert door.exists()
        finally:
            door.unlink()
