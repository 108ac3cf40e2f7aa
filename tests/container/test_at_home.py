"""The command is at home: what it is given, and what is left of it, wherever we stand."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import MakeDesk
from tests.container.desk import ONE, Desk, image_of
from tests.container.engine import docker, run, wait_until
from tests.container.inside import zombies

# What a process is given besides arguments and environment; the same without us.
GIVEN = """
import json, os, resource, signal
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print(json.dumps({
    "descriptors": sorted(os.listdir("/proc/self/fd"))[:3],
    "more descriptors": len(os.listdir("/proc/self/fd")) - 4,
    "umask": status["Umask"].strip(),
    "blocked": status["SigBlk"].strip(),
    "ignored": status["SigIgn"].strip(),
    "no new privileges": status["NoNewPrivs"].strip(),
    "capabilities": status["CapEff"].strip(),
    "groups": status["Groups"].split(),
    "ids": [*os.getresuid(), *os.getresgid()],
    "folder": os.getcwd(),
    "nice": os.nice(0),
    "limits": [resource.getrlimit(number) for number in range(16)],
    "leads its group": os.getpgrp() == os.getpid(),
    "killable": open("/proc/self/oom_score_adj").read(),
    "dumpable": os.stat("/proc/self/environ").st_uid == os.getuid(),
    "standard input": os.path.realpath("/proc/self/fd/0"),
}))
"""
SURROUNDINGS: dict[str, Sequence[str]] = {
    "plain": (),
    "limits": ("--ulimit", "nofile=777:888", "--ulimit", "core=0", "--ulimit", "nproc=4000"),
    "folder": ("--workdir", "/usr/share"),
    "groups": ("--group-add", "4242", "--group-add", "audio"),
    "somebody": ("--user", "31337:31338"),
    "root": ("--user", "0:0", "--group-add", "4242"),
    "few capabilities": ("--user", "0:0", "--cap-drop", "ALL"),
}


@pytest.mark.parametrize("case", SURROUNDINGS)
def test_command_is_given_what_it_would_be_given_without_us(make_desk: MakeDesk, case: str) -> None:
    """Descriptors, signals, limits, ids, folder: compared with the same container without us."""
    options = SURROUNDINGS[case]
    words = ("--rm", *options, "--entrypoint", "python3", image_of(ONE), "-c", GIVEN)
    alone = json.loads(docker("run", *words).out)
    desk = make_desk(options=options, command=("python3", "-c", GIVEN))
    desk.allow("^(xvnc|wm): warning: ")
    assert json.loads(desk.run().out) == alone


# --- other places than PID 1 ------------------------------------------------------------------


@pytest.fixture
def neighbour(engine: None) -> Iterator[str]:
    """A container whose processes ours shall share."""
    name = f"deskgate-neighbour-{os.getpid()}"
    docker("run", "--detach", "--rm", "--name", name, "--entrypoint", "sleep", image_of(ONE), "600")
    yield name
    run("docker", "rm", "--force", name)


PLACES = {"init": "--init", "host": "--pid=host", "neighbour": "--pid=container:{}"}
# An orphan of the command's group, one of its own session, and a child: all sleep for long.
FAMILY = "(sleep 986 &); (setsid sleep 987 &); sleep 988 & echo begun; wait"


def sleepers() -> int:
    """How many of FAMILY's there are on the whole machine, which an engine's containers are on."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it is gone
            found += path.read_bytes() in (b"sleep\0986\0", b"sleep\0987\0", b"sleep\0988\0")
    return found


def place(make_desk: MakeDesk, case: str, neighbour: str, command: Sequence[str]) -> Desk:
    """A desk that is not PID 1, or not of its own PID namespace."""
    return make_desk(options=(PLACES[case].format(neighbour),), command=command)


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.parametrize("end", ["by itself", "stop", "kill"])
def test_nothing_is_left_of_a_container_that_is_not_pid_1(
    make_desk: MakeDesk, neighbour: str, case: str, end: str
) -> None:
    """Neither of the command's family nor of the desktop, however it ends; the status is right."""
    before = sleepers()
    last = "exit 7" if end == "by itself" else "wait"
    desk = place(make_desk, case, neighbour, ("sh", "-c", f"{FAMILY.removesuffix('wait')}{last}"))
    if end == "by itself":
        assert desk.run().status == 7
    else:
        desk.start()
        wait_until(lambda: "begun" in desk.output.out, 5)
        wait_until(lambda: sleepers() - before == 3, 5, what="the whole family")
        assert len(processes_of(desk)) >= 8
        if end == "stop":
            assert desk.stop() < 2
        else:
            docker("kill", desk.name)
        assert desk.exit_status() == {"stop": 143, "kill": 137}[end]
    wait_until(lambda: sleepers() == before, 5, what="no stray sleep")
    wait_until(lambda: not processes_of(desk), 5, what="no stray")


def processes_of(desk: Desk) -> list[str]:
    """Pids on the machine of a container's living processes, by their control group.

    The dead of a killed container wait for the neighbour's init, which here collects nobody.
    """
    container = desk.inspect("{{.Id}}")
    found = []
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):  # it is gone
            alive = ") Z " not in path.with_name("stat").read_text()
            if alive and container in path.read_text():
                found.append(path.parent.name)
    return found


@pytest.mark.parametrize("case", PLACES)
def test_orphans_are_collected_where_we_are_not_pid_1(
    make_desk: MakeDesk, neighbour: str, case: str
) -> None:
    """They are ours all the same, and the dead among them do not stay."""
    script = "for i in 1 2 3 4 5; do (sleep 0.1 &); done; echo begun; exec sleep 1000"
    desk = place(make_desk, case, neighbour, ("sh", "-c", script)).start()
    wait_until(lambda: "begun" in desk.output.out, 5)
    wait_until(lambda: "sleep" not in zombies(desk), 5)
    assert desk.exec("deskgate", "health").status == 0
    assert desk.stop() < 2


# --- an image of one's own --------------------------------------------------------------------

DOCKERFILE = f"""\
FROM {image_of(ONE)}
USER 4242:4243
WORKDIR /srv/my app
ENV EMPTY="" SPACES="a  b " QUOTES="it's \\"so\\"" PERCENT="100% %(x)s" HOME=/srv
ENTRYPOINT ["deskgate", "run", "--"]
CMD ["python3", "-c", "import json, os; print(json.dumps([os.getcwd(), os.getuid(), os.getgid(), \\
dict(os.environ)]))"]
"""


@pytest.fixture(scope="module")
def own_image(engine: None) -> Iterator[str]:
    """An image on top of ours, with a user, a folder and an environment of its own."""
    tag = f"deskgate-test-home:{os.getpid()}"
    docker("build", "--tag", tag, "-", stdin=DOCKERFILE.encode())
    yield tag
    docker("rmi", "--force", tag)


def test_own_image_keeps_user_folder_environment_and_command(own_image: str) -> None:
    """As its Dockerfile says; only the display is added."""
    done = run("docker", "run", "--rm", "--env", "MORE=x", own_image)
    assert done.status == 0, done.err
    folder, uid, gid, environ = json.loads(done.out)
    assert (folder, uid, gid) == ("/srv/my app", 4242, 4243)
    for name in ("PATH", "HOSTNAME", "BASE_ENTRYPOINT", "DESKTOP", "LC_CTYPE"):
        environ.pop(name, None)  # the base's, the engine's, and Python's own
    assert environ == {
        "EMPTY": "",
        "SPACES": "a  b ",
        "QUOTES": 'it\'s "so"',
        "PERCENT": "100% %(x)s",
        "HOME": "/srv",
        "MORE": "x",
        "DISPLAY": ":1",
        "XAUTHORITY": "/tmp/deskgate-4242/Xauthority",
    }


def test_own_image_takes_another_command(own_image: str) -> None:
    """The words after the image are the command, with its status."""
    done = run("docker", "run", "--rm", own_image, "sh", "-c", "pwd; exit 9")
    assert (done.status, done.out) == (9, "/srv/my app\n")
