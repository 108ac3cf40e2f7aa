"""The control socket: who may ask, what is answered, and that nobody holds up PID 1."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskgate.conductor import control
from deskgate.conductor.replies import Tail
from deskgate.conductor.ring import Ring
from deskgate.programs import Program

from .conducting import SECRET, Conducted, free_port, python, wait_until

SLEEPS = "import sys, time\nprint('ready', flush=True)\n{then}\ntime.sleep(1000)\n"
SAYS = "print('one'); print('two', flush=True)"


def row(name: str, then: str = "", **fields: Any) -> Program:
    """A program that becomes ready, then does something, and sleeps."""
    return Program(name=name, command=python(SLEEPS.format(then=then)), ready="stdout", **fields)


@pytest.fixture
def conducted(tmp_path: Path) -> Iterator[Conducted]:
    """Two programs, one of which needs the other, and the log in the text form."""
    rows = [row("app", SAYS, essential=True), row("sub", essential=True, needs=("app",))]
    with Conducted(tmp_path, rows) as found:
        yield found.wait_ready()


def connect(conducted: Conducted) -> socket.socket:
    """A client that has not asked yet."""
    door = socket.socket(socket.AF_UNIX)
    door.connect(str(conducted.folder / "control.sock"))
    door.settimeout(10)
    return door


def ask(conducted: Conducted, request: bytes) -> list[dict[str, Any]]:
    """Every frame of an answer."""
    with connect(conducted) as door:
        door.sendall(request)
        data = b""
        while piece := door.recv(65536):
            data += piece
    return [json.loads(line) for line in data.splitlines()]


# --- restart --------------------------------------------------------------------------------------


def test_a_restart_ends_when_the_program_is_ready_again(conducted: Conducted) -> None:
    """A new process, one line with the seconds; what needs it goes on."""
    before = conducted.rows()
    done = conducted.deskgate("restart", "app")
    after = conducted.rows()
    assert (done.returncode, done.stderr) == (0, "")
    name, _, seconds = done.stdout.partition(": ready again after ")
    assert name == "app"
    assert 0.0 < float(seconds.removesuffix(" s\n")) < 5.0
    assert conducted.is_new("app", before["app"]["pid"])
    assert after["app"]["last_exit"] == "signal 15"
    assert after["app"]["restarts"] == 1
    assert after["sub"]["pid"] == before["sub"]["pid"]
    assert "warning" not in conducted.log, "it was asked for"


SERVES = """
import socket
server = socket.create_server(('127.0.0.1', {port}))
print('ready', flush=True)
doors = [server.accept() for _ in range(9)]
"""
USES = """
import socket, sys
door = socket.create_connection(('127.0.0.1', {port}))
print('ready', flush=True)
door.recv(1)
sys.exit(1)
"""


def test_who_ends_with_what_it_needs_is_not_to_blame(tmp_path: Path) -> None:
    """As X clients do with Xvnc: they start again when it is ready, and no try is used up."""
    port = free_port()
    server = Program(name="x", command=python(SERVES.format(port=port)), ready="stdout")
    client = Program(
        name="wm", command=python(USES.format(port=port)), ready="stdout", needs=("x",)
    )
    with Conducted(tmp_path, [server, client]) as conducted:
        wait_until(lambda: conducted.state("wm") == "ready")
        for restarts in range(1, 5):  # the second death in a row would cost half a second
            began = time.monotonic()
            assert conducted.deskgate("restart", "x").returncode == 0
            wait_until(lambda n=restarts: conducted.rows()["wm"]["restarts"] == n)  # type: ignore[misc]
            wait_until(lambda: conducted.state("wm") == "ready")
            assert time.monotonic() - began < 2
        assert "warning" not in conducted.log
        assert conducted.log.count("wm: ended with status 1, as what it needs has") == 4


def test_several_programs_restart_at_once(conducted: Conducted) -> None:
    """Each says when it is ready; one that needs another waits for it."""
    done = conducted.deskgate("restart", "sub", "app", "sub")
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["app", "sub"]
    assert {row["restarts"] for row in conducted.rows().values()} == {1}


def test_an_unknown_program_gives_the_list_and_restarts_nothing(conducted: Conducted) -> None:
    """64; also when the others are known."""
    done = conducted.deskgate("restart", "app", "xnvc")
    assert done.returncode == 64
    assert done.stderr == (
        'deskgate: error: restart: there is no program "xnvc"; there are: app, sub\n'
    )
    assert {row["restarts"] for row in conducted.rows().values()} == {0}
    assert conducted.deskgate("restart").returncode == 64


FLAG = "import pathlib\nif pathlib.Path({flag!r}).exists(): sys.exit(7)"


def test_a_program_that_does_not_come_back_ends_with_69(tmp_path: Path) -> None:
    """At its first death; it is tried again as usual."""
    flag = tmp_path / "flag"
    rows = [Program(name="app", command=python(f"import sys\n{FLAG.format(flag=str(flag))}\n"
            + SLEEPS.format(then="")), ready="stdout")]  # fmt: skip
    with Conducted(tmp_path, rows) as conducted:
        wait_until(lambda: conducted.state("app") == "ready")
        flag.touch()
        done = conducted.deskgate("restart", "app")
        assert (done.returncode, done.stdout) == (69, "")
        assert done.stderr == "deskgate: error: app: did not become ready: status 7\n"
        flag.unlink()
        assert conducted.deskgate("restart", "app").returncode == 0, "also while it waits to try"
        wait_until(lambda: conducted.state("app") == "ready")


def test_a_program_that_waits_to_be_tried_again_starts_at_once(tmp_path: Path) -> None:
    """Nothing else happens meanwhile that could wake PID 1."""
    flag = tmp_path / "flag"
    rows = [Program(name="app", command=python(f"import sys\n{FLAG.format(flag=str(flag))}\n"
            + SLEEPS.format(then="")), ready="stdout")]  # fmt: skip
    with Conducted(tmp_path, rows) as conducted:
        wait_until(lambda: conducted.state("app") == "ready")
        flag.touch()
        os.kill(conducted.rows()["app"]["pid"], signal.SIGKILL)
        wait_until(lambda: "starting it again in 4 s" in conducted.log)
        flag.unlink()
        began = time.monotonic()
        assert conducted.deskgate("restart", "app").returncode == 0
        assert time.monotonic() - began < 3


def test_a_program_whose_need_is_down_ends_with_69(tmp_path: Path) -> None:
    """It says what it waits for; at once when that was given up."""
    ends = Program(name="base", command=("sleep", "1000"), ready="stdout", ready_seconds=2)
    rows = [ends, row("app", needs=("base",), ready_seconds=1)]
    changes = {"deskgate.conductor.replies.SLACK_SECONDS": -1.5}
    with Conducted(tmp_path, rows, changes=changes) as conducted:
        wait_until(lambda: (tmp_path / "status.json").exists())
        done = conducted.deskgate("restart", "app")
        assert done.returncode == 69
        assert "app: did not become ready: it waits for base\n" in done.stderr
        wait_until(lambda: conducted.state("base") == "failed")
        done = conducted.deskgate("restart", "app")
        assert done.returncode == 69
        assert "app: did not become ready: it needs base, which is down\n" in done.stderr


def test_a_stubborn_program_is_killed_and_starts_again(tmp_path: Path) -> None:
    """After its own time to stop, not the container's."""
    rows = [row("app", "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True)")]
    with Conducted(tmp_path, rows) as conducted:
        wait_until(lambda: "app: 1" in conducted.log)
        done = conducted.deskgate("restart", "app")
        assert done.returncode == 0
        assert float(done.stdout.split()[-2]) >= 1.0
        assert conducted.rows()["app"]["last_exit"] == "signal 9"


def test_a_stop_ends_a_restart(tmp_path: Path) -> None:
    """Nothing is started any more, and who asked hears it."""
    rows = [row("app", "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True)")]
    with Conducted(tmp_path, rows, seconds={"app": 60}) as conducted:
        wait_until(lambda: "app: 1" in conducted.log)
        with conducted.ask("restart", "app") as asked:
            wait_until(lambda: conducted.state("app") == "stopping")
            conducted.process.terminate()
            assert asked.communicate()[1].endswith(": the desktop stops\n")
        assert asked.returncode == 69
        os.kill(conducted.pid("app"), signal.SIGKILL)
        assert conducted.process.wait(5) == 0


# --- logs -----------------------------------------------------------------------------------------


def test_logs_are_what_was_logged_but_the_banner(conducted: Conducted) -> None:
    """In the same form; the links are in `docker logs` and `deskgate url` alone."""
    wait_until(lambda: "app: two" in conducted.log)
    done = conducted.deskgate("logs")
    assert done.returncode == 0
    lines = conducted.log.splitlines()
    banner = [line for line in lines if "the desktop is ready" in line] + conducted.banner
    assert done.stdout.splitlines() == [line for line in lines if line not in banner]
    assert SECRET in conducted.log
    assert SECRET not in done.stdout


def test_logs_of_a_program_are_its_own_and_ours_about_it(conducted: Conducted) -> None:
    """What it said, and what happened to it."""
    conducted.deskgate("restart", "sub")
    wait_until(lambda: "sub: ready" in conducted.log)
    own = conducted.deskgate("logs", "sub").stdout.splitlines()
    assert own == [line for line in conducted.log.splitlines() if "sub: " in line]
    ours = [line for line in own if line.startswith("deskgate: info: sub: ")]
    assert (len(own), len(ours)) == (4, 2)
    assert conducted.deskgate("logs", "app").stdout == "app: ready\napp: one\napp: two\n"
    assert conducted.deskgate("logs", "deskgate").stdout.splitlines() == ours
    unknown = conducted.deskgate("logs", "nobody")
    assert unknown.returncode == 64
    assert unknown.stderr.endswith("; there are: app, deskgate, sub\n")


def test_c8_logs_hide_a_secret(tmp_path: Path) -> None:
    """As the log itself does."""
    with Conducted(tmp_path, [row("app", f"print({SECRET!r}, flush=True)")]) as conducted:
        wait_until(lambda: "app: (hidden)" in conducted.log)
        assert conducted.deskgate("logs").stdout == "app: ready\napp: (hidden)\n"


def test_logs_are_followed_until_interrupted(conducted: Conducted) -> None:
    """The lines so far, then each as it comes; ^C leaves no traceback."""
    with conducted.ask("logs", "--follow", "app") as following:
        assert following.stdout
        said = [following.stdout.readline() for _ in range(3)]
        assert said == ["app: ready\n", "app: one\n", "app: two\n"]
        conducted.deskgate("restart", "app")
        assert following.stdout.readline().startswith("deskgate: info: app: stopping it")
        following.send_signal(signal.SIGINT)
        following.wait(5)
        assert following.returncode == -signal.SIGINT
        assert following.stderr
        assert following.stderr.read() == ""


def test_a_json_log_is_followed_as_json(tmp_path: Path) -> None:
    """LOG_FORMAT holds for both."""
    with Conducted(tmp_path, [row("app", SAYS)], form="json") as conducted:
        wait_until(lambda: "two" in conducted.log)
        lines = map(json.loads, conducted.deskgate("logs").stdout.splitlines())
        assert [(line["program"], line["text"]) for line in lines] == [
            *(("app", "ready"), ("app", "one"), ("app", "two")),
        ]


def test_who_follows_hears_the_end(conducted: Conducted) -> None:
    """The last lines, then status 0: the container has ended, nothing is wrong."""
    with conducted.ask("logs", "-f") as following:
        assert following.stdout
        following.stdout.readline()
        conducted.end()
        assert following.wait(5) == 0


FLOOD = """
import os
while not os.path.exists({flag!r}): time.sleep(0.01)
for _ in range(20000): print('x' * 1000, flush=True)
print('end', flush=True)
"""


def test_a_slow_follower_loses_lines_and_blocks_nobody(tmp_path: Path) -> None:
    """20 MB pass; he is told how many lines he missed, and gets the newest."""
    flag = tmp_path / "flag"
    with Conducted(tmp_path, [row("app", FLOOD.format(flag=str(flag)))]) as conducted:
        wait_until(lambda: (tmp_path / "status.json").exists())
        with connect(conducted) as door:
            door.sendall(b'{"do": "logs", "programs": [], "follow": true}\n')
            door.recv(1, socket.MSG_PEEK)  # he is heard, and has read nothing yet
            flag.touch()
            wait_until(lambda: conducted.log.endswith("app: end\n"), 20)
            assert conducted.deskgate("status").returncode == 0
            data = b""
            while b'"app: end"' not in data:
                data += door.recv(65536)
        frames = [json.loads(line) for line in data.splitlines()]
        lost = [frame["note"] for frame in frames if "note" in frame]
        outs = sum("out" in frame for frame in frames)
        assert len(lost) == 1
        assert int(lost[0].split()[0]) + outs == 20002


# --- the socket -----------------------------------------------------------------------------------


def test_the_socket_is_its_owners_alone(conducted: Conducted) -> None:
    """Mode 0600, in the folder of mode 0700."""
    assert (conducted.folder / "control.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
def test_c8_another_user_is_not_answered(tmp_path: Path) -> None:
    """Whatever the mode of the socket; root and our own user are."""
    tmp_path.chmod(0o755)
    with control.listen(tmp_path / "s") as door:
        (tmp_path / "s").chmod(0o666)
        served = control.Control(door, lambda *_: pytest.fail("it was asked"))
        script = f"""
import os, socket
os.setuid(4242)
door = socket.socket(socket.AF_UNIX)
door.connect({str(tmp_path / "s")!r})
door.sendall(b'{{}}')
print(door.recv(1))
"""
        for parent in tmp_path.parents[:-2]:
            parent.chmod(0o755)
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as stranger:
            while not served.clients and stranger.poll() is None:
                served.handle(0)
            stranger.kill()
        for client in served.clients:
            client.close()
        assert served.clients == []


@pytest.mark.parametrize(
    "request_",
    [
        *(b"\n", b"{}\n", b"[]\n", b"7\n", b"null\n", b"\xff\xfe\n", b"[" * 4000 + b"\n"),
        *(b'{"do": "stop", "programs": []}\n', b'{"do": "logs", "programs": 7}\n'),
        *(b'{"do": "logs", "programs": [7]}\n', b'{"do": "logs", "programs": [[]]}\n'),
        *(b'{"do": [], "programs": []}\n', b'{"do": "restart", "programs": {"a": 1}}\n'),
    ],
    ids=lambda request_: ascii(request_[:40]),
)
def test_a_request_that_makes_no_sense_is_refused(conducted: Conducted, request_: bytes) -> None:
    """And PID 1 goes on."""
    *_, last = ask(conducted, request_)
    assert last["status"] == 64
    assert conducted.process.poll() is None


def test_a_request_without_an_end_gets_none(conducted: Conducted) -> None:
    """It is cut off at 4 KiB; half a one waits for its rest."""
    with connect(conducted) as door:
        door.sendall(b'{"do": "logs", ')
        door.sendall(b'"programs": ["sub"]}\n')
        with door.makefile() as answer:
            assert answer.read() == '{"out": "sub: ready"}\n{"status": 0}\n'
    with connect(conducted) as door, contextlib.suppress(ConnectionError):
        door.sendall(b"x" * 5000)
        assert door.recv(1) == b""
    assert conducted.deskgate("logs").returncode == 0


def test_those_who_do_not_ask_make_room(conducted: Conducted) -> None:
    """Twenty silent clients keep nobody out; eight that follow do, until one goes."""
    with contextlib.ExitStack() as open_doors:
        for _ in range(20):
            open_doors.enter_context(connect(conducted))
        assert conducted.deskgate("logs").returncode == 0
    with contextlib.ExitStack() as open_doors:
        for _ in range(control.MAX_CLIENTS):
            door = open_doors.enter_context(connect(conducted))
            door.sendall(b'{"do": "logs", "programs": [], "follow": true}\n')
            assert door.recv(1)
        refused = conducted.deskgate("logs")
        assert refused.returncode == 69
        assert "the desktop gave no answer" in refused.stderr
        door.close()
        wait_until(lambda: conducted.deskgate("logs").returncode == 0)


def test_a_door_that_cannot_be_opened_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit of descriptors the socket stays readable: PID 1 must not turn in circles."""
    with control.listen(tmp_path / "s") as door, socket.socket(socket.AF_UNIX) as client:
        served = control.Control(door, lambda *_: pytest.fail("it was asked"))
        client.connect(str(tmp_path / "s"))
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "accept", _no_descriptor)
            served.handle(0)
        assert (served.mask, served.clients) == (0, [])
        (again,) = served.due()
        served.advance(again)
        assert served.mask
        served.handle(0)
        assert len(served.clients) == 1
        served.clients[0].close()


def _no_descriptor(door: socket.socket) -> None:
    raise OSError(24, "Too many open files")


def test_without_a_socket_the_desktop_works(tmp_path: Path) -> None:
    """A folder whose path is too long for one: said once, and asking says so too."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    with Conducted(folder, [row("app")]) as conducted:
        conducted.wait_ready()
        assert "deskgate: warning: cannot make control.sock: AF_UNIX path too long" in conducted.log
        done = conducted.deskgate("logs")
        assert (done.returncode, done.stdout) == (69, "")
        assert "cannot use" in done.stderr
        assert conducted.deskgate("status").returncode == 0


def test_nothing_that_a_client_does_keeps_a_line_from_the_next(tmp_path: Path) -> None:
    """A tail has no queue of its own: it reads on where the ring is."""
    ring = Ring(max_bytes=21)
    tail = Tail(ring, frozenset(), follow=True)
    for number in range(10):
        ring.add(("app",), b"line %d " % number)  # seven bytes
    frames = list(tail.more(0.0))
    assert [frame.get("out", frame.get("note")) for frame in frames] == [
        "7 log lines lost: they were not read in time",
        *("line 7 ", "line 8 ", "line 9 "),
    ]
    assert list(tail.more(0.0)) == []
