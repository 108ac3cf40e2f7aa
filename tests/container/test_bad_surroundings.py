"""Starts in surroundings that cannot hold a desktop: one line says what is wrong, then the end."""

from __future__ import annotations

from typing import Final

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import PORT, RUN_USER, Desk
from tests.container.engine import docker
from tests.container.inside import RUNTIME, zombies
from tests.container.web import bearer

DOOR, LOCK = "/tmp/.X11-unix/X1", "/tmp/.X1-lock"  # X(7)
OURS: Final = f"uid={RUN_USER},mode=0700"
# A program that is there first, and then our start in its place.
BESIDE: Final = "{before} & until {there}; do sleep 0.02; done; exec deskgate run"
LISTEN: Final = """python3 -c 'import socket, time; s = socket.socket(); s.setsockopt(1, 2, 1)
s.bind(("", {port})); s.listen(); open("/tmp/there", "w"); time.sleep(1000)'"""
IN_USE: Final = "^deskgate: error: xvnc: cannot start: display :1 is in use"
XVNC: Final = "Xvnc :1 -rfbport -1 -rfbunixpath /tmp/rfb -SecurityTypes None"


def refused(desk: Desk, *lines: str) -> tuple[int, list[str]]:
    """Run a desk that ends by itself; its status and what it said as errors."""
    for line in lines:
        desk.allow(line)
    done = desk.run(timeout_seconds=30)
    return done.status, [line for line in done.err.splitlines() if ": error: " in line]


FULL: Final = {
    "bytes": f"size=4k,{OURS}",
    "inodes": f"nr_inodes=4,{OURS}",  # the folder itself takes one
}


@pytest.mark.parametrize("case", FULL)
def test_f6_full_runtime_folder_is_said_and_nothing_starts(make_desk: MakeDesk, case: str) -> None:
    """No room for the files of a start: 73 and one line that names one of them and why."""
    desk = make_desk(options=("--tmpfs", f"{RUNTIME}:{FULL[case]}"), command=("echo", "started"))
    status, said = refused(desk, "^deskgate: error: runtime folder: cannot ")
    assert status == 73
    assert len(said) == 1
    assert said[0].startswith(f"deskgate: error: runtime folder: cannot write {RUNTIME}/")
    assert said[0].endswith(": No space left on device")
    assert "started" not in desk.log


# What a read-only container lacks → the status, and what the line names.
LACKING: Final[dict[str, tuple[tuple[str, ...], int, str]]] = {
    "tmp": (("--tmpfs", f"/run:{OURS}"), 69, "cannot write /tmp,"),
    "all": ((), 73, f"cannot use {RUNTIME} (it cannot be written), /tmp/deskgate-{RUN_USER} ("),
    "named": (
        ("--tmpfs", "/tmp", "-e", "DESKGATE_RUNTIME_DIR=/srv/desk"),
        73,
        "cannot use /srv/desk (read-only file system)",
    ),
}


@pytest.mark.parametrize("case", LACKING)
def test_f7_missing_folder_of_a_read_only_container_is_named(
    make_desk: MakeDesk, case: str
) -> None:
    """One line, with the folder's path and what to do about it."""
    options, status, named = LACKING[case]
    desk = make_desk(options=("--read-only", *options), command=("echo", "started"))
    assert (status, 1) == ((found := refused(desk, r"^deskgate: error: "))[0], len(found[1]))
    assert named in found[1][0]
    assert "--tmpfs /tmp" in found[1][0]
    assert "started" not in desk.log


def test_f7_read_only_container_without_run_works(make_desk: MakeDesk) -> None:
    """The runtime folder is below /tmp then."""
    desk = make_desk(options=("--read-only", "--tmpfs", "/tmp")).start()
    assert desk.must("stat", "-c", "%a", f"/tmp/deskgate-{RUN_USER}") == "700\n"
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"


# What the last run left at X's places, as commands of a shell.
LEFT: Final = {
    "dead-pid": f"echo 4194304 >{LOCK}",  # more than any pid (proc(5), pid_max)
    "foreign-pid": f"printf '%10d\\n' 1 >{LOCK}",  # of PID 1, which is no X server
    "lock-is-a-link": f"ln -s /tmp/victim {LOCK}",
    "socket-is-a-link": f"ln -s /tmp/victim {DOOR}",
    "socket-is-a-file": f"echo junk >{DOOR}",
    "both-are-links": f"ln -s ../victim {DOOR}; ln -s victim {LOCK}",
}


@pytest.mark.parametrize("case", LEFT)
def test_f8_leftover_of_a_dead_x_server_is_removed_and_not_followed(
    make_desk: MakeDesk, case: str
) -> None:
    """Whatever pid a lock holds, and wherever a link leads: the desktop works, the file is safe."""
    clear = f"rm -f {LOCK} {DOOR}; echo precious >/tmp/victim; "
    desk = make_desk().start()
    desk.must("sh", "-c", f"{clear}{LEFT[case]}")
    docker("kill", desk.name)
    desk.restart()
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
    assert desk.must("cat", "/tmp/victim") == "precious\n"
    assert desk.must("stat", "-c", "%F", DOOR) == "socket\n"
    # With -displayfd, as we start it, Xvnc keeps no lock.
    assert desk.exec("ls", LOCK).status != 0
    assert zombies(desk) == []


def beside(make_desk: MakeDesk, before: str, there: str, **env: str) -> Desk:
    """A desk beside a program that has what it needs."""
    script = BESIDE.format(before=before, there=there)
    return make_desk(env=env, options=("--entrypoint", "sh"), command=("-c", script))


def test_f8_lock_of_a_living_x_server_is_refused_and_kept(make_desk: MakeDesk) -> None:
    """Its socket is gone, but it lives: the display is its own."""
    desk = beside(make_desk, XVNC, f"[ -e {DOOR} ] && rm {DOOR}")
    status, said = refused(desk, IN_USE)
    assert (status, len(said)) == (69, 1)
    assert "is in use by X" in said[0]
    assert f"A {LOCK}" in docker("diff", desk.name).out.splitlines()


def test_f9_display_that_answers_is_refused(make_desk: MakeDesk) -> None:
    """Another X server has it: one line that says what to set."""
    desk = beside(make_desk, XVNC, f"[ -e {DOOR} ]")
    status, said = refused(desk, IN_USE)
    assert (status, len(said)) == (69, 1)
    assert "set DISPLAY to another" in said[0]


def test_f9_port_of_another_ends_the_start(make_desk: MakeDesk) -> None:
    """The port that people use is taken: at most five tries, and one line that says so."""
    desk = beside(make_desk, LISTEN.format(port=PORT), "[ -e /tmp/there ]")
    status, said = refused(desk, f"port {PORT}|^deskgate: (warning|error): gate: ended with ")
    assert status == 69
    assert f"port {PORT}" in said[0]
    assert desk.log.count("gate: ended with ") <= 5


def test_f9_vnc_port_of_another_ends_the_start(make_desk: MakeDesk) -> None:
    """The port inside is taken: at most five tries, and Xvnc's own words."""
    desk = beside(make_desk, LISTEN.format(port=5901), "[ -e /tmp/there ]")
    status, _ = refused(desk, r"^xvnc: warning: |^deskgate: (warning|error): xvnc: ended with ")
    assert status == 69
    assert "Failed to bind socket: Address already in use" in desk.log
    assert desk.log.count("xvnc: ended with ") <= 5


IPV6_OFF: Final = ("--sysctl", "net.ipv6.conf.all.disable_ipv6=1")


def test_f9_without_ipv6_the_desktop_works(make_desk: MakeDesk) -> None:
    """Nobody asked for it."""
    desk = make_desk(options=IPV6_OFF).start()
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
    assert desk.exec("deskgate", "health").status == 0


def test_f9_address_that_is_not_there_ends_the_start(make_desk: MakeDesk) -> None:
    """An IPv6 address was asked for, where there is none."""
    desk = make_desk(env={"NOVNC_LISTEN": "::1"}, options=IPV6_OFF)
    status, said = refused(desk, r"::1|^deskgate: (warning|error): gate: ended with ")
    assert status == 69
    assert "::1" in said[0]
    assert desk.log.count("gate: ended with ") <= 5
