"""Started as root: the gate, Xvnc and the desktop are three users, who cannot reach each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import run, wait_until
from tests.container.inside import RUNTIME, kill, processes, x_client, x_state, zombies
from tests.container.web import ask, bearer, log_in

DESKTOP, XVNC, GATE = 1234, 63001, 63002
AS_ROOT = ("--user", "0:0")
AS_DESKTOP = ("--user", f"{DESKTOP}:2345")
PUID = {"PUID": str(DESKTOP), "PGID": "2345"}
FOREVER = ("sh", "-c", "id -u; id -g; id -G; exec sleep 1000")


@pytest.fixture(scope="module")
def split_desk(make_module_desk: MakeDesk) -> Desk:
    """A desk of three users, reached by a unix socket, with a command that runs."""
    env = {**PUID, "VNC_TRANSPORT": "unix"}
    return make_module_desk(env=env, options=AS_ROOT, command=FOREVER).start()


def uids(desk: Desk) -> dict[str, tuple[int, int]]:
    """User and group of each program, by its name in `deskgate status`; `1` is PID 1."""
    by_pid = {each.pid: each for each in processes(desk)}
    named = {name: by_pid[row["pid"]] for name, row in desk.status().items()}
    return {name: (each.uid, each.gid) for name, each in {**named, "1": by_pid[1]}.items()}


def test_c7_three_users_below_root(split_desk: Desk) -> None:
    """PUID and PGID for the command and the desktop; nobody has a group of the image's."""
    assert uids(split_desk) == {
        "1": (0, 0),
        "xvnc": (XVNC, XVNC),
        "gate": (GATE, GATE),
        "wm": (DESKTOP, 2345),
    }
    wait_until(lambda: len(split_desk.output.out.splitlines()) == 3, 5)
    assert split_desk.output.out.split() == [str(DESKTOP), "2345", "2345"]


def test_split_desktop_works(split_desk: Desk) -> None:
    """Picture, input, X for the desktop's user, health, and the commands as root."""
    with Viewer(split_desk, headers=bearer(split_desk.token())) as viewer:
        viewer.point(200, 150)
        viewer.settle()
        assert x_state(split_desk)["pointer"] == [200, 150]
    wait_until(lambda: split_desk.inspect("{{.State.Health.Status}}") == "healthy", 10)
    link = split_desk.must("deskgate", "url").strip()
    assert link == split_desk.printed_link("control")


HIDDEN = [
    "websockify-tokens.conf",
    "start.json",
    "gate.json",
    "rfbauth",
    "status.json",
    "supervisord.conf",
    "xvnc/rfb.sock",
    "control.sock",
]


@pytest.mark.parametrize("file", HIDDEN)
def test_c7_desktop_can_read_no_secret(split_desk: Desk, file: str) -> None:
    """As the desktop's own user, with the positive control beside it."""
    path = f"{RUNTIME}/{file}"
    read = ("python3", "-c", f"import os, sys; sys.exit(not os.access({path!r}, os.R_OK))")
    assert split_desk.exec(*read, options=AS_DESKTOP).status == 1
    assert split_desk.exec(*read, options=AS_ROOT).status == 0
    shown = split_desk.exec("cat", f"{RUNTIME}/Xauthority", options=AS_DESKTOP)
    assert shown.status == 0


def test_c7_desktop_cannot_look_into_the_folder_or_put_something_there(split_desk: Desk) -> None:
    """It only passes through; nor can it lock the folder, which would hold up every change."""
    for words in (("ls", RUNTIME), ("touch", f"{RUNTIME}/x"), ("flock", "-n", RUNTIME, "true")):
        assert split_desk.exec(*words, options=AS_DESKTOP).status != 0, words
    assert split_desk.exec("flock", "-n", RUNTIME, "true", options=AS_ROOT).status == 0


ATTACK = """
import os, signal, socket, sys
pids, socket_path = [int(pid) for pid in sys.argv[2:]], sys.argv[1]
done = []
for pid in pids:
    for name in ("environ", "mem", "maps"):
        try:
            open(f"/proc/{pid}/{name}", "rb").read(1)
            done.append(f"{name} of {pid}")
        except OSError:
            pass
    try:
        os.kill(pid, 0)
        done.append(f"kill {pid}")
    except PermissionError:
        pass
try:
    socket.socket(socket.AF_UNIX).connect(socket_path)
    done.append("rfb")
except OSError:
    pass
print(done)
"""


def test_c7_desktop_can_neither_read_nor_end_gate_xvnc_and_conductor(split_desk: Desk) -> None:
    """Memory, environment, signals, and the way past the gate; root is the positive control."""
    rows = split_desk.status()
    pids = ["1", *(str(rows[name]["pid"]) for name in ("gate", "xvnc"))]
    attack = ("python3", "-c", ATTACK, f"{RUNTIME}/xvnc/rfb.sock", *pids)
    assert split_desk.must(*attack, options=AS_DESKTOP) == "[]\n"
    reached = split_desk.must(*attack, options=("--privileged", *AS_ROOT))
    assert "environ of" in reached
    assert "kill 1" in reached
    assert "'rfb'" in reached


def test_c7_gate_can_read_no_more_than_it_needs(split_desk: Desk) -> None:
    """Neither what root wrote for itself, nor the desktop's files; and it cannot replace them."""
    as_gate = ("--user", f"{GATE}:{GATE}")
    assert split_desk.exec("cat", f"{RUNTIME}/start.json", options=as_gate).status == 0
    for words in (
        ("cat", f"{RUNTIME}/supervisord.conf"),
        ("rm", "-f", f"{RUNTIME}/status.json"),
        ("sh", "-c", f"echo >>{RUNTIME}/gate.json"),
        ("rm", "-f", f"{RUNTIME}/gate.json"),
        ("cat", f"{RUNTIME}/jwmrc"),
    ):
        assert split_desk.exec(*words, options=as_gate).status != 0, words


def test_split_desktop_says_who_may_ask(split_desk: Desk) -> None:
    """`docker exec -u 1234 … deskgate url` is refused with a reason."""
    refused = split_desk.exec("deskgate", "url", options=AS_DESKTOP)
    assert refused.status == 69
    assert "run this as the user that the container was started as" in refused.err


def test_split_gate_changes_tokens_and_keeps_sessions(make_desk: MakeDesk) -> None:
    """By command as root and over HTTP as the gate; and after SIGKILL of the gate."""
    desk = make_desk(env=PUID, options=AS_ROOT).start()
    desk.allow(r"^deskgate: warning: gate: ended with .*; starting it again")
    session = log_in(desk, desk.token())
    link = desk.must("deskgate", "token", "add", "--name", "alice").strip()
    with Viewer(desk, headers=bearer(link.partition("token=")[2])) as viewer:
        assert viewer.name == "deskgate"
    old = desk.token("view")
    made = json.loads(desk.must("deskgate", "token", "rotate", "view", "--json"))
    assert old not in made["url"]
    assert desk.must("stat", "-c", "%u %a", f"{RUNTIME}/websockify-tokens.conf") == f"{GATE} 600\n"
    pid = kill(desk, "gate")

    def healed() -> bool:
        row = desk.status()["gate"]
        return row["pid"] != pid and bool(row["state"] == "ready")

    wait_until(healed, 5)
    with Viewer(desk, headers=session) as viewer:
        assert viewer.name == "deskgate"
    assert uids(desk)["gate"] == (GATE, GATE)


def test_split_desktop_restarts_and_stops_cleanly(make_desk: MakeDesk) -> None:
    """The folder that was shared is taken again; SIGTERM reaches users that are not root."""
    desk = make_desk(env=PUID, options=AS_ROOT).start()
    desk.restart()
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"
    assert zombies(desk) == []
    assert desk.stop() < 2
    assert desk.exit_status() == 0


def test_root_without_puid_stays_root_on_the_desktop(make_desk: MakeDesk) -> None:
    """As the image's USER says; gate and Xvnc, which strangers talk to, do not."""
    desk = make_desk(options=(*AS_ROOT, "--group-add", "4242"), command=FOREVER).start()
    assert uids(desk) == {"1": (0, 0), "xvnc": (XVNC, XVNC), "gate": (GATE, GATE), "wm": (0, 0)}
    wait_until(lambda: desk.output.out.startswith("0\n0\n"), 5)
    assert "4242" in desk.output.out.split(), "a group that the engine was told to add"
    assert x_client(desk, "state").status == 0


@pytest.mark.parametrize("missing", ["CHOWN", "DAC_OVERRIDE", "KILL"])
def test_without_the_capabilities_for_three_users_there_is_one(
    make_desk: MakeDesk, missing: str
) -> None:
    """PUID for all, as long as root may become it."""
    options = (*AS_ROOT, "--cap-drop", missing)
    desk = make_desk(env=PUID, options=options)
    desk.allow(f"^deskgate: warning: PUID: .* give the container {missing}$")
    desk.start()
    assert "deskgate: warning: PUID: " in desk.log, "who can read the tokens is said"
    inside = [each for each in processes(desk) if each.started_inside]
    assert {(each.uid, each.gid) for each in inside} == {(DESKTOP, 2345)}
    assert desk.exec("deskgate", "health", options=AS_DESKTOP).status == 0
    wait_until(lambda: desk.inspect("{{.State.Health.Status}}") == "healthy", 10)
    assert desk.must("deskgate", "url").strip() == desk.printed_link("control")
    with Viewer(desk, headers=bearer(desk.token())) as viewer:
        assert viewer.name == "deskgate"


def test_split_desktop_works_with_five_capabilities_and_nothing_to_write(
    make_desk: MakeDesk,
) -> None:
    """The least that docs/reference.md names."""
    adds = [word for cap in CAPABILITIES for word in ("--cap-add", cap)]
    options = (*AS_ROOT, "--cap-drop", "ALL", *adds, "--read-only", "--tmpfs", "/tmp")
    desk = make_desk(env=PUID, options=(*options, "--security-opt", "no-new-privileges")).start()
    folder = "/tmp/deskgate-0"
    assert uids(desk)["gate"] == (GATE, GATE)
    assert x_client(desk, "state", folder=folder).status == 0
    desk.restart()
    assert desk.exec("deskgate", "health").status == 0
    assert desk.stop() < 2


CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID")


def test_puid_of_the_gate_is_refused(make_desk: MakeDesk) -> None:
    """It would read the tokens."""
    desk = make_desk(env={"PUID": str(GATE)}, options=AS_ROOT, command=("true",))
    desk.allow("^deskgate: error: PUID: ")
    result = desk.run()
    assert (result.status, "deskgate's own" in result.err) == (78, True)


@pytest.mark.parametrize(
    ("user", "users"),
    [
        (AS_ROOT, {"gate": "63002:63002", "Xvnc": "63001:63001", "desktop": "1234:2345"}),
        ((*AS_ROOT, "--cap-drop", "KILL"), {"all": "1234:2345"}),
        (("--user", "1234:2345"), {"all": "1234:2345"}),
    ],
)
def test_check_tells_who_will_run_what(
    make_desk: MakeDesk, user: tuple[str, ...], users: dict[str, str]
) -> None:
    """Before anything starts."""
    options = (*user, "--entrypoint", "deskgate")
    desk = make_desk(env=PUID, options=options, command=("check", "--json"))
    told = json.loads(desk.run().out)["users"]
    assert list(told.values()) == list(users.values())
    assert all(word in " ".join(told) for word in users)


def test_puid_has_a_home_to_write_to(make_desk: MakeDesk) -> None:
    """The engine says /root, where PUID cannot even look; passwd's home where there is one."""
    script = 'touch "$HOME/here" && echo "$HOME"'
    for uid, home in (("10001", "/home/deskgate"), ("4711", f"{RUNTIME}/home")):
        desk = make_desk(env={"PUID": uid}, options=AS_ROOT, command=("sh", "-c", script))
        assert desk.run().out == f"{home}\n"


def test_tls_key_of_root_alone_is_used(make_desk: MakeDesk, tmp_path: Path) -> None:
    """Mode 0600 and root's, as such keys use to be."""
    pem = tmp_path / "pem"
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    more = ("-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(pem))
    cert = run(*words, *more).out
    pem.write_text(pem.read_text() + cert)
    pem.chmod(0o600)
    env = {**PUID, "NOVNC_CERT": "/pem", "NOVNC_KEY": "/pem"}
    options = (*AS_ROOT, "-v", f"{pem}:/pem:ro")
    desk = make_desk(env=env, options=options).start()
    assert desk.exec("deskgate", "health").status == 0
    assert desk.must("stat", "-c", "%u %a", f"{RUNTIME}/tls-key.pem") == "0 640\n"


def renew(folder: Path) -> None:
    """A certificate that all may read, and a key of root's alone, in the place of older ones."""
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    names = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
    run(*words, "-nodes", "-days", "2", "-subj", "/CN=localhost", *names)
    (folder / "cert.pem").chmod(0o644)
    (folder / "key.pem").chmod(0o600)


def test_renewed_certificate_keeps_no_gate_down(make_desk: MakeDesk, tmp_path: Path) -> None:
    """It fits no older key, of which the gate has a copy; both count from the next start on."""
    tmp_path.chmod(0o755)
    renew(tmp_path)
    env = {**PUID, "NOVNC_CERT": "/tls/cert.pem", "NOVNC_KEY": "/tls/key.pem"}
    desk = make_desk(env=env, options=(*AS_ROOT, "-v", f"{tmp_path}:/tls:ro")).start()
    renew(tmp_path)
    assert "ready again" in desk.must("deskgate", "restart", "gate")
    desk.restart()
    assert desk.exec("deskgate", "health").status == 0


def test_token_file_that_the_gate_cannot_read_is_named(make_desk: MakeDesk, tmp_path: Path) -> None:
    """It is followed while the desktop runs, so a copy would not do."""
    tokens = tmp_path / "tokens"
    tokens.write_text("")
    tokens.chmod(0o600)
    env = {**PUID, "VNC_TOKENS_FILE": "/tokens"}
    desk = make_desk(env=env, options=(*AS_ROOT, "-v", f"{tokens}:/tokens:ro"), command=("true",))
    desk.allow("^deskgate: error: VNC_TOKENS_FILE: ")
    result = desk.run()
    assert (result.status, f"chown {GATE} /tokens" in result.err) == (66, True)


TAKE_PORT = """
import socket
def listen():
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", 8002))
    door.listen()
    return door
while True:
    try:
        door = listen()
        break
    except OSError:
        pass
print("taken", flush=True)
while True:
    client, _ = door.accept()
    client.settimeout(1)
    with client:
        try:
            print(client.recv(4096), flush=True)
        except OSError:
            pass
"""


def wait_to_take_the_port(desk: Desk) -> None:
    """As the desktop's user, for the whole time."""
    desk.must("sh", "-c", 'exec python3 -c "$0" >/tmp/taken 2>&1 &', TAKE_PORT, options=AS_DESKTOP)


def test_f1_nobody_takes_the_port_of_a_gate_that_is_down(make_desk: MakeDesk) -> None:
    """PID 1 keeps it; a browser that comes meanwhile is answered by the next gate."""
    desk = make_desk(env=PUID, options=(*AS_ROOT, "--no-healthcheck")).start()
    desk.allow(r"^deskgate: warning: gate: ended with ")
    wait_to_take_the_port(desk)
    for _ in range(3):
        pid = kill(desk, "gate")
        assert ask(desk, "/healthz").status in (200, 503), "refused meanwhile"
        wait_until(lambda old=pid: desk.status()["gate"]["pid"] not in (None, old), 5)  # type: ignore[misc]
    assert desk.exec("deskgate", "health").status == 0
    assert desk.must("cat", "/tmp/taken") == ""


def test_c7_desktop_that_takes_websockifys_port_is_told_no_token(make_desk: MakeDesk) -> None:
    """Stock websockify binds its port itself: whoever takes it in between is found out."""
    env = {**PUID, "NOVNC_PROXY": "websockify"}
    desk = make_desk(env=env, options=(*AS_ROOT, "--no-healthcheck")).start()
    desk.allow(r"^deskgate: warning: websockify: |^websockify: warning: ")
    wait_to_take_the_port(desk)
    kill(desk, "websockify")
    wait_until(lambda: "taken" in desk.must("cat", "/tmp/taken"), 5)
    ill = desk.exec("deskgate", "health")
    assert (ill.status, "it is not the gate that has port 8002" in ill.err) == (69, True)
    wait_until(lambda: "b'" in desk.must("cat", "/tmp/taken"), 5)
    assert desk.token() not in desk.must("cat", "/tmp/taken")


def test_c7_nothing_runs_that_the_desktop_may_change(make_desk: MakeDesk) -> None:
    """Neither as PID 1 nor as the gate: an image may have given the installation away."""
    script = f"chown -R {DESKTOP} /opt/deskgate && exec deskgate run -- true"
    options = (*AS_ROOT, "--entrypoint", "sh")
    desk = make_desk(env=PUID, options=options, command=("-c", script))
    desk.allow("^deskgate: error: PUID: ")
    result = desk.run()
    assert (result.status, "may change /opt/deskgate" in result.err) == (78, True)


def test_c7_gate_and_xvnc_gain_nothing_from_setuid_programs(split_desk: Desk) -> None:
    """The desktop keeps its own `sudo`, if the image has one."""
    found = {
        name: split_desk.must("grep", "NoNewPrivs", f"/proc/{row['pid']}/status").split()[1]
        for name, row in split_desk.status().items()
    }
    assert found == {"gate": "1", "xvnc": "1", "wm": "0"}


def test_web_folder_that_the_gate_cannot_read_is_named(make_desk: MakeDesk, tmp_path: Path) -> None:
    """It would answer 404 to everybody."""
    (tmp_path / "vnc.html").touch()
    tmp_path.chmod(0o700)
    options = (*AS_ROOT, "-v", f"{tmp_path}:/web:ro")
    desk = make_desk(env={**PUID, "NOVNC_WEB": "/web"}, options=options, command=("true",))
    desk.allow("^deskgate: error: NOVNC_WEB: ")
    result = desk.run()
    assert (result.status, f"uid {GATE}" in result.err) == (66, True)


PLANT = """
set -e
chmod 755 ~
mkdir ~/bin
for name in deskgate python python3 sh xkbcomp Xvnc; do
    printf '#!/bin/sh\\ntouch /tmp/run.'$name'.$(/usr/bin/id -u)\\n' >~/bin/$name
    chmod 755 ~/bin/$name
done
~/bin/sh
rm /tmp/run.*
"""


def test_c7_desktop_puts_no_program_in_the_place_of_one_of_ours(make_desk: MakeDesk) -> None:
    """Neither at the next start nor for the health check, which the engine runs as root."""
    env = {"PUID": "10001", "PATH": "/home/deskgate/bin:/usr/local/bin:/usr/bin:/bin"}
    desk = make_desk(env=env, options=AS_ROOT).start()
    desk.must("sh", "-c", PLANT, options=("--user", "10001", "-e", "HOME=/home/deskgate"))
    desk.restart()
    wait_until(lambda: desk.inspect("{{.State.Health.Status}}") == "healthy", 10)
    # The window manager's terminal is the desktop's own.
    assert desk.exec("/bin/sh", "-c", "ls /tmp/run.* | grep -v 10001").out == ""


def test_c7_desktop_cannot_keep_the_next_start_from_the_display(make_desk: MakeDesk) -> None:
    """A folder where X has its lock, which Xvnc makes none of with -displayfd."""
    desk = make_desk(env=PUID, options=AS_ROOT).start()
    desk.must("mkdir", "-p", "/tmp/.X1-lock/deeper", options=AS_DESKTOP)
    desk.restart()
    assert x_client(desk, "state").status == 0


READ_LOG = """
import os
for name in ("stdin", "stdout", "stderr"):
    for way in (os.O_RDONLY, os.O_WRONLY):
        try:
            os.close(os.open(f"/dev/{name}", way | os.O_NONBLOCK))
            print(name, way)
        except PermissionError:
            pass
"""


def test_c7_command_can_write_to_the_log_and_not_read_it(make_desk: MakeDesk) -> None:
    """The links stand there, until the engine has taken them."""
    desk = make_desk(env=PUID, options=AS_ROOT, command=("python3", "-c", READ_LOG))
    result = desk.run(stdin=b"")
    assert result.out.splitlines() == ["stdin 0", "stdout 1", "stderr 1"]
