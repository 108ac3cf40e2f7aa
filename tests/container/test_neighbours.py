"""What a program inside the container can reach of the desktop: as another user, as the same."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import RUNTIME, kill
from tests.container.web import ask, bearer

STRANGER: Final = ("--user", "4242:4242")
EVIL: Final = "http://evil.test"
# Tries to open each path that it is given, and to connect to each that begins with @; says why not.
OPEN: Final = """
import json, os, socket, sys
def why_not(path):
    try:
        if path.startswith("@"):
            socket.socket(socket.AF_UNIX).connect(path[1:])
        elif path.endswith("/fd"):
            os.listdir(path)
        else:
            open(path, "rb").read(1)
    except OSError as error:
        return type(error).__name__
print(json.dumps({path: why_not(path) for path in sys.argv[1:]}))
"""
# Attaches to a process as a debugger does (ptrace(2): 16 attaches, 17 lets go).
ATTACH: Final = """
import ctypes, os, subprocess, sys
trace = ctypes.CDLL(None, use_errno=True).ptrace
child = subprocess.Popen(["sleep", "10"])
for pid in (child.pid, *map(int, sys.argv[1:])):
    failed = trace(16, pid, 0, 0)
    print("refused" if failed else "attached")
    if not failed:
        os.waitpid(pid, 0)
        trace(17, pid, 0, 0)
child.kill()
"""
# Prints the processes whose memory it may read, and those of them in which a text stands.
MEMORY: Final = """
import json, os, sys
text, read, held = sys.stdin.buffer.read(), [], []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        name = open(f"/proc/{pid}/comm").read().strip()
        maps = open(f"/proc/{pid}/maps").read().splitlines()
        memory = open(f"/proc/{pid}/mem", "rb", 0)
    except OSError:
        continue
    read.append(name if int(pid) != os.getpid() else "myself")
    for line in maps:
        ends, rights = line.split()[:2]
        begin, end = (int(each, 16) for each in ends.split("-"))
        if rights[0] != "r" or "[v" in line:
            continue
        try:
            memory.seek(begin)
            if text in memory.read(end - begin):
                held.append(read[-1])
                break
        except (OSError, ValueError):
            continue
print(json.dumps([read, held]))
"""


def gate_and_first(desk: Desk) -> list[int]:
    """The pids of those that hold secrets: the gate and the conductor."""
    return [int(desk.status()["gate"]["pid"]), 1]


def why_not(desk: Desk, *paths: str, user: tuple[str, ...] = ()) -> dict[str, str | None]:
    """What kept a user from each path; None where nothing did."""
    found: dict[str, str | None] = json.loads(
        desk.must("python3", "-c", OPEN, *paths, options=user)
    )
    return found


@pytest.fixture(scope="module")
def unix(make_module_desk: MakeDesk) -> Desk:
    """A desk whose Xvnc listens on a socket of its own user's, and which keeps hashes."""
    return make_module_desk(env={"VNC_TRANSPORT": "unix", "VNC_TOKEN_HASH": "1"}).start()


# --- another user ------------------------------------------------------------------------------


def test_c7_another_user_reaches_none_of_our_files(unix: Desk) -> None:
    """Tokens, start record, X cookie, passwords, Xvnc's socket; the desktop's own user does."""
    names = unix.must("ls", RUNTIME).split()
    assert {"websockify-tokens.conf", "start.json", "Xauthority", "rfbauth", "rfb.sock"} <= {*names}
    sockets = ("rfb.sock", "control.sock")
    paths = [f"@{RUNTIME}/{n}" if n in sockets else f"{RUNTIME}/{n}" for n in names]
    assert set(why_not(unix, *paths, user=STRANGER).values()) == {"PermissionError"}
    assert set(why_not(unix, *paths).values()) == {None}


@pytest.mark.parametrize("what", ["environ", "mem", "fd", "maps"])
def test_c7_another_user_looks_into_none_of_our_processes(unix: Desk, what: str) -> None:
    """Of no program; the desktop's own user can look into Xvnc."""
    pids = {name: int(row["pid"]) for name, row in unix.status().items()} | {"conductor": 1}
    paths = [f"/proc/{pid}/{what}" for pid in pids.values()]
    assert set(why_not(unix, *paths, user=STRANGER).values()) == {"PermissionError"}
    path = f"/proc/{pids['xvnc']}/{what}"
    assert why_not(unix, path)[path] in (None, "OSError"), "mem begins with nothing to read"


def test_c7_root_believes_no_folder_that_another_user_made(make_desk: MakeDesk) -> None:
    """`deskgate url` gives the desktop's own link, `token add` writes into its own file."""
    desk = make_desk(options=("--user", "31337:0")).start()
    link = desk.printed_link("control")
    record: dict[str, Any] = {"auth": "token", "proxy": "gate", "hashed": False, "booted": 0}
    record["links"] = {"control": {"url": f"{EVIL}/", "expires": None}}
    config = {"rfb": "x", "hash_tokens": False, "more_tokens": None, "links": EVIL, "booted": 0}
    planted = {
        "start.json": json.dumps(record),
        "gate.json": json.dumps(config),
        "status.json": "{}",
        "websockify-tokens.conf": "",
    }
    for folder in ("/tmp/deskgate-0", "/tmp/deskgate-4242"):
        desk.must("mkdir", folder, options=STRANGER)
        for name, text in planted.items():
            words = ("sh", "-c", 'printf %s "$1" >"$0"', f"{folder}/{name}", text)
            desk.must(*words, options=STRANGER)
    as_root = ("--user", "0")
    assert desk.must("deskgate", "url", options=as_root).strip() == link
    assert EVIL not in desk.must("deskgate", "token", "add", "--name", "x", options=as_root)
    assert desk.must("cat", "/tmp/deskgate-0/websockify-tokens.conf", options=as_root) == ""


# --- the same user -----------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["environ", "mem", "fd", "maps"])
def test_c7b_the_same_user_looks_into_neither_gate_nor_conductor(unix: Desk, what: str) -> None:
    """Who hold the boot secret and the tokens. Xvnc, as a control, can be looked into."""
    paths = [f"/proc/{pid}/{what}" for pid in gate_and_first(unix)]
    assert set(why_not(unix, *paths).values()) == {"PermissionError"}
    path = f"/proc/{unix.status()['xvnc']['pid']}/{what}"
    assert why_not(unix, path)[path] in (None, "OSError")


def test_c7b_the_same_user_cannot_debug_the_gate(unix: Desk) -> None:
    """ptrace(2) is refused; the debugger's own child, as a control, is attached to."""
    pids = map(str, gate_and_first(unix))
    said = unix.must("python3", "-c", ATTACH, *pids).split()
    assert said == ["attached", "refused", "refused"]


def test_c7b_no_memory_that_the_same_user_can_read_holds_a_token(unix: Desk) -> None:
    """After it was used in every way; of all programs of the desktop, and on no file either."""
    token = unix.token()
    for target in ("/", f"/?token={token}"):
        ask(unix, target, headers=bearer(token))
    with Viewer(unix, headers=bearer(token)) as viewer:
        viewer.settle()
    found = unix.exec("python3", "-c", MEMORY, stdin=token.encode())
    read, held = json.loads(found.out)
    assert {"Xvnc", "jwm", "myself"} <= set(read)
    assert held == ["myself"], "positive control: its own memory does"
    assert unix.exec("grep", "-rlF", token, RUNTIME, "/tmp").out == ""


def test_l3_what_holds_secrets_leaves_no_core(make_desk: MakeDesk) -> None:
    """A gate that crashes where cores are kept; a program of the user's leaves one (core(5))."""
    desk = make_desk(options=("--ulimit", "core=-1", "--workdir", "/tmp")).start()
    desk.allow(r"^deskgate: warning: gate: ended with ")
    owner = desk.must("stat", "-c", "%u", *(f"/proc/{p}/maps" for p in gate_and_first(desk)))
    assert owner.split() == ["0", "0"], "proc(5): root's, as they may not be dumped"
    pid = kill(desk, "gate", "SEGV")
    wait_until(lambda: desk.status()["gate"]["pid"] not in (None, pid), 5)
    assert desk.exec("sh", "-c", "ls /tmp/core*").out == ""
    if desk.must("cat", "/proc/sys/kernel/core_pattern").strip() == "core":
        desk.must("sh", "-c", "sh -c 'kill -SEGV $$' || true")
        assert desk.must("sh", "-c", "ls /tmp/core*"), "positive control"


def test_c8_there_is_no_supervisor_to_talk_to(unix: Desk) -> None:
    """No socket of supervisord's, on which any program could end the container or change it."""
    table = unix.must("cat", "/proc/net/unix").splitlines()[1:]
    listening = {
        row.split()[7] for row in table if row.split()[3] == "00010000" and len(row.split()) > 7
    }
    ours = {f"{RUNTIME}/rfb.sock", f"{RUNTIME}/control.sock"}
    assert listening == {"/tmp/.X11-unix/X1", *ours}
    sections = unix.must("grep", "^\\[", f"{RUNTIME}/supervisord.conf").split()
    assert {each.strip("[]").partition(":")[0] for each in sections} == {"supervisord", "program"}


def test_c6_x_has_no_abstract_socket(desk: Desk) -> None:
    """Other containers of the same network namespace could reach it, as in a pod."""
    names = desk.must("cat", "/proc/net/unix").split()
    assert "/tmp/.X11-unix/X1" in names, "positive control"
    assert [name for name in names if name.startswith("@")] == []
