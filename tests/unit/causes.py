"""Every mistake that a person can make, each as a call that ends in deskgate's words about it.

`test_error_texts.py` writes those words down for reviewers, and finds the ways to fail that have
no row here.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from deskgate import (
    additions,
    cli,
    clock,
    distributions,
    dropins,
    files,
    health,
    identity,
    install,
    runtime,
    start,
    tokenstore,
    users,
    xdisplay,
)
from deskgate import place as places
from deskgate.address import read_link
from deskgate.conductor import replies
from deskgate.errors import DeskgateError, ProgramError
from deskgate.health import greeting_only_with_token, refuse_back_doors, refuse_failed
from deskgate.order import order
from deskgate.probe import GREETING
from deskgate.programs import TOKENS_FILE, Program
from deskgate.reading import read_settings
from deskgate.settings import ROWS
from deskgate.tokens import Role, hashed
from deskgate.users import User

from . import samples
from .test_dropins import ground as drop_in_ground

A, B = samples.GIVEN, samples.GIVEN[::-1]
SECRET: Final = "hunter2-hunter2"
# A value that no form takes, for each setting.
WRONG: Final = {
    **dict.fromkeys(ROWS, "perhaps"),
    "DISPLAY": "1",
    "VNC_GEOMETRY": "1280*800",
    "VNC_DEPTH": "32",
    "VNC_DPI": "4k",
    "DESKTOP": 'jwm -f "my file',
    "VNC_CLIPBOARD": "yes",
    "VNC_PORT": "70000",
    "XVNC_ARGS": "-desktop 'mine",
    "NOVNC_PORT": "80 02",
    "NOVNC_LISTEN": "eth0",
    "NOVNC_WEB": "novnc",
    "NOVNC_CERT": "cert.pem",
    "NOVNC_KEY": "key.pem",
    "VNC_FRAME_ANCESTORS": "app.example.org",
    "VNC_TRUSTED_PROXIES": "traefik",
    "PUBLIC_URL": "desk.example.org",
    "SUBPATH": "/desk one/",
    "VNC_TOKEN": SECRET,
    "VNC_VIEW_TOKEN": SECRET,
    "VNC_TOKEN_TTL": "1 week",
    "VNC_TOKENS_FILE": "tokens",
    "VNC_COOKIE_SUFFIX": "desk 1",
    "PUID": "me",
    "PGID": "users",
    "TZ": "Europe/../Berlin",
    "LANG": "de DE",
    "BASE_ENTRYPOINT": 'sh "-c',
    "DESKGATE_RUNTIME_DIR": "/run/my desk",
}


class Ground:
    """A place to fail in: a folder, and what the machine around it says.

    Args:
        monkeypatch: for what a test cannot be, such as another user.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = monkeypatch
        # What a text names that is another one in each run.
        self.masks = {str(folder): "/folder", f"uid {os.getuid()} ": "uid 0 "}

    def file(self, name: str, data: bytes | str) -> str:
        """A file; returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    def tools(self) -> str:
        """A PATH on which Xvnc is found, and no window manager."""
        self.file("bin/Xvnc", "#!/bin/sh\n")
        (self.folder / "bin/Xvnc").chmod(0o755)
        return str(self.folder / "bin")

    def desktop(self, **record: object) -> Path:
        """The runtime folder of a desktop that runs, as far as its files tell."""
        links = {"control": {"url": "http://localhost:8002/", "expires": None}}
        told: dict[str, object] = {
            "auth": "token",
            "proxy": "gate",
            "hashed": False,
            "booted": clock.booted_at(),
            "port": 1,
            "listen": "127.0.0.1",
            "tls": False,
            "listener_uid": None,
            "display": ":9999",
            "rfb": "127.0.0.1:15899",
            "links": links,
            **record,
        }
        config = {"rfb": "127.0.0.1:5901", "hash_tokens": False, "more_tokens": None}
        config |= {"links": "http://localhost:8002/", "booted": clock.booted_at()}
        self.file("run/status.json", '{"programs": []}')
        self.file("run/start.json", json.dumps(told))
        self.file("run/gate.json", json.dumps(config))
        self.file(f"run/{TOKENS_FILE}", f"# name=control role=control\n{A}: 127.0.0.1:5901\n")
        self.patch.setenv("DESKGATE_RUNTIME_DIR", str(self.folder / "run"))
        return self.folder / "run"


Cause = Callable[[Ground], object]


def variables(environ: Mapping[str, str]) -> Cause:
    """A start with these; `{folder}` is one that is empty."""

    def cause(ground: Ground) -> None:
        filled = {name: text.format(folder=ground.folder) for name, text in environ.items()}
        start.read(filled)

    return cause


def command(*words: str, desktop: Mapping[str, object] | None = None) -> Cause:
    """A command line; with a desktop, one whose start record says this."""

    def cause(ground: Ground) -> int:
        ground.patch.setenv("DESKGATE_RUNTIME_DIR", str(ground.folder / "none"))
        if desktop is not None:
            ground.desktop(**desktop)
        if not words or words[0] not in cli.COMMANDS:
            return cli.main(words)
        return cli.COMMANDS[words[0]](list(words[1:]))

    return cause


def place(environ: Mapping[str, str], *, tools: bool = True, split: User | None = None) -> Cause:
    """A start in a container that lacks something."""

    def cause(ground: Ground) -> None:
        filled = {name: text.format(folder=ground.folder) for name, text in environ.items()}
        path = {"PATH": ground.tools() if tools else "/nowhere"}
        several = None if split is None else users.split(split)
        places.find_place(samples.reading_of(filled).settings, path, several)

    return cause


def tokens_file(text: str) -> Cause:
    """A file of tokens with this in it."""

    def cause(ground: Ground) -> None:
        start.read({"VNC_TOKENS_FILE": ground.file("tokens", text)})

    return cause


def drop_in(*lines: str, more: str = "", uid: int = 10001) -> Cause:
    """A program of theirs: its section with a command, unless `more` is the whole file."""
    text = more or "\n".join(("[program:app]", "command=app", *lines, ""))

    def cause(ground: Ground) -> None:
        dropins.judge({"programs.d/a.conf": text}, drop_in_ground(uid=uid))

    return cause


def secret_file(data: bytes | None) -> Cause:
    """VNC_TOKEN_FILE with this in it; None for none."""

    def cause(ground: Ground) -> None:
        path = str(ground.folder) if data is None else ground.file("secret", data)
        read_settings({"VNC_TOKEN_FILE": path}, files.read_secret)

    return cause


def as_user(uid: int, environ: Mapping[str, str]) -> Cause:
    """A container that runs as somebody."""

    def cause(ground: Ground) -> None:
        ground.patch.setattr(os, "geteuid", lambda: uid)
        ground.patch.setattr(os, "getegid", lambda: uid)
        identity.find(samples.reading_of(environ).settings)

    return cause


def runtime_folder(prepare: Callable[[Path], object]) -> Cause:
    """A runtime folder that somebody named, made so."""

    def cause(ground: Ground) -> None:
        folder = ground.folder / "chosen"
        prepare(folder)
        runtime.make_runtime_folder(str(folder), {})

    return cause


def _not_for_the_gate(ground: Ground) -> None:
    ground.patch.setattr(places, "_xvnc", lambda *_: "Xvnc")
    ground.patch.setattr(identity, "refuse_to_run", lambda *_: None)
    ground.patch.setattr(identity, "may", lambda _, path, mode: not path.endswith("tokens"))
    environ = {"VNC_TOKENS_FILE": ground.file("tokens", "")}
    places.find_place(samples.reading_of(environ).settings, {}, users.split(User(1234, 1234)))


def _no_websockify(ground: Ground) -> None:
    ground.patch.setattr("importlib.util.find_spec", lambda _: None)
    place({"NOVNC_PROXY": "websockify"})(ground)


def _no_key(ground: Ground) -> None:
    ground.patch.setattr(identity, "may", lambda *_: False)
    path = ground.file("key.pem", b"\xff")
    environ = {"NOVNC_CERT": path, "NOVNC_KEY": path}
    places._copies(samples.reading_of(environ).settings, users.split(User(1234, 1234)))


def _others(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    (folder / "mine").touch()


def _ours(ground: Ground) -> None:
    ground.patch.setattr(identity, "may_replace", lambda *_: Path("/opt/theirs"))
    identity.refuse_to_run(User(1234, 1234), [Path("/opt/theirs/hook")])


def _one_user(ground: Ground) -> None:
    def refuse(groups: list[int]) -> None:
        raise PermissionError(1, "Operation not permitted")

    ground.patch.setattr(os, "setgroups", refuse)
    ground.patch.setattr(identity, "_give_streams", lambda *_: None)
    identity._become_one(User(1234, 1234))


def _unreadable(ground: Ground) -> None:
    def refuse(path: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    ground.patch.setattr(os, "listdir", refuse)
    additions.find_hooks(ground.folder)


def _bad_names(ground: Ground) -> None:
    ground.file("programs.d/a b.conf", "")
    additions.read_programs(ground.folder)


def _doubled(ground: Ground) -> None:
    text = f"# name=control role=control\n{A}: 127.0.0.1:5901\n"
    found = start.read({"VNC_TOKENS_FILE": ground.file("tokens", text)})
    samples.plan_of({"VNC_TOKENS_FILE": "/tokens"}, extra=found[1])


def _busy_display(ground: Ground) -> None:
    ground.patch.setattr(xdisplay, "SOCKETS", ground.folder)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(ground.folder / "X1"))
        door.listen()
        raise ProgramError(f"xvnc: cannot start: {xdisplay.free_display(1)}")


def _taken_port(ground: Ground) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ground.masks[port] = "8002"
        environ = {"NOVNC_PORT": port, "NOVNC_LISTEN": "127.0.0.1"}
        start._listen(samples.reading_of(environ).settings)


def _no_such_address(ground: Ground) -> None:
    start._listen(samples.reading_of({"NOVNC_LISTEN": "192.0.2.1"}).settings)


def _low_port(ground: Ground) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    ground.patch.setattr(start, "listen", refuse)
    start._listen(samples.reading_of({"NOVNC_PORT": "80"}).settings)


def _from_other_system(ground: Ground) -> None:
    fields = {"ID": "alpine", "PRETTY_NAME": "Alpine Linux v3.20"}
    distributions.refuse_other(fields, has_apt=False, missing=["Xvnc", "jwm", "xterm"])


def _from_old_system(ground: Ground) -> None:
    fields = {"ID": "debian", "VERSION_ID": "11", "PRETTY_NAME": "Debian GNU/Linux 11 (bullseye)"}
    distributions.refuse_other(fields, has_apt=True, missing=[])


def _from_system_without_apt(ground: Ground) -> None:
    fields = {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)"}
    distributions.refuse_other(fields, has_apt=False, missing=[])


def _install(ground: Ground, uid: int) -> None:
    """On a Debian of which no package can be had."""
    ground.file("packages/base.txt", "")
    ground.file("packages/jwm.txt", "")
    ground.file("add-packages", "exit 100")
    ground.patch.setattr(install, "_shipped", lambda: ground.folder)
    ground.patch.setattr(install, "_refuse_other_distributions", lambda: None)
    ground.patch.setattr(os, "geteuid", lambda: uid)
    install.install("jwm", dry_run=False)


def _install_as_user(ground: Ground) -> None:
    _install(ground, 1000)


def _install_fails(ground: Ground) -> None:
    _install(ground, 0)


def _install_from_odd_path(ground: Ground) -> None:
    ground.patch.setattr(sys, "executable", "/opt/my venv/bin/python")
    install.launcher()


def _store(ground: Ground) -> tokenstore.Store:
    return tokenstore.open_store(ground.desktop())


def _locked(ground: Ground) -> None:
    store = _store(ground)
    handle = os.open(store.folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        store.revoke("control", wait_seconds=0)
    finally:
        os.close(handle)


def _store_with(data: bytes) -> Cause:
    def cause(ground: Ground) -> None:
        store = _store(ground)
        store.path.write_bytes(data)
        store.rotate("control", expires=None, wait_seconds=0)

    return cause


def _store_is_gone(ground: Ground) -> None:
    store = _store(ground)
    store.path.unlink()
    store.revoke("control", wait_seconds=0)


def _folder_is_gone(ground: Ground) -> None:
    store = dataclasses.replace(_store(ground), folder=Path("/nowhere"))
    store.revoke("control", wait_seconds=0)


def _cannot_list(ground: Ground) -> int:
    (ground.desktop() / TOKENS_FILE).unlink()
    return cli.COMMANDS["token"](["list"])


def _nothing_to_run(ground: Ground) -> None:
    ground.patch.setattr(files, "read_environment", lambda: {"ENABLE_VNC": "false"})
    cli.COMMANDS["run"]([])


def _no_cookie(ground: Ground) -> int:
    folder = ground.desktop()
    (folder / "Xauthority").mkdir()
    return cli.COMMANDS["health"]([])


def _large_cookie(ground: Ground) -> int:
    ground.desktop()
    ground.file("run/Xauthority", bytes(files.OWN_BYTES + 1))
    return cli.COMMANDS["health"]([])


def _no_gate(ground: Ground) -> int:
    ground.patch.setattr(health, "x_answers", lambda *_: None)
    return _no_x(ground)


def _no_x(ground: Ground) -> int:
    ground.desktop()
    ground.file("run/Xauthority", bytes(16))
    return cli.COMMANDS["health"]([])


def _too_many(ground: Ground) -> None:
    ground.patch.setattr(tokenstore, "MAX_TOKENS", 1)
    _store(ground).add("alice", Role.VIEW, expires=None, wait_seconds=0)


def _in_their_file(ground: Ground) -> None:
    folder = ground.desktop()
    config = json.loads((folder / "gate.json").read_text())
    more = ground.file("more", f"# name=bob role=view\n{B}: 127.0.0.1:0\n")
    (folder / "gate.json").write_text(json.dumps({**config, "more_tokens": more}))
    tokenstore.open_store(folder).revoke("bob", wait_seconds=0)


def _status_file(reason: type[Exception]) -> Cause:
    def cause(ground: Ground) -> int:
        def read(path: Path) -> Any:
            raise reason

        ground.desktop()
        ground.patch.setattr("deskgate.running.read_own", read)
        return cli.COMMANDS["status"]([])

    return cause


def _control_refuses(error: OSError) -> Cause:
    def cause(ground: Ground) -> int:
        ground.desktop()

        class Door(socket.socket):
            def connect(self, address: object) -> None:
                raise error

        ground.patch.setattr("deskgate.control.socket.socket", Door)
        return cli.COMMANDS["logs"]([])

    return cause


def _silent_control(ground: Ground) -> int:
    folder = ground.desktop()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / files.CONTROL_SOCKET))
        door.listen()
        real = socket.socket.connect

        def connect(self: socket.socket, address: Any) -> None:
            real(self, address)
            door.accept()[0].close()

        ground.patch.setattr(socket.socket, "connect", connect)
        return cli.COMMANDS["restart"](["xvnc"])


def _reply(request: object) -> Cause:
    """What PID 1 answers at its control socket."""

    class Nobody:
        programs: Final = {"xvnc": None, "gate": None}
        stopping = True

    def cause(ground: Ground) -> None:
        reply = replies.answer(json.dumps(request).encode(), 0, desktop=Nobody(), ring=None)  # type: ignore[arg-type]
        (frame,) = reply.more(0)
        error = DeskgateError(frame["error"])
        error.status = frame["status"]
        raise error

    return cause


def _ill(ask: Callable[[dict[str, Any]], object]) -> Cause:
    def cause(ground: Ground) -> None:
        record = json.loads((ground.desktop() / "start.json").read_text())
        ask(record)

    return cause


def _x_refuses(record: dict[str, Any]) -> None:
    here, there = socket.socketpair()
    there.sendall(bytes(8))

    class Door(socket.socket):
        def connect(self, address: object) -> None:
            os.dup2(here.fileno(), self.fileno())

    with here, there, pytest.MonkeyPatch.context() as patch:
        patch.setattr("deskgate.health.socket.socket", Door)
        health.x_answers(1, bytes(16))


def _let_in(greeting: bytes, record: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health, "ask_greeting", lambda *_: greeting)
        greeting_only_with_token(record, A)


TABLE: Final[dict[str, dict[str, Cause]]] = {
    "A setting": {name: variables({name: text}) for name, text in WRONG.items()},
    "Settings, further": {
        "geometry by another name": variables({"RESOLUTION": "1280"}),
        "port out of range": variables({"NOVNC_PORT": "0"}),
        "too long": variables({"XVNC_ARGS": "x" * 9000}),
        "control characters": variables({"TZ": "UTC\x1b[2J"}),
        "URL with a broken port": variables({"PUBLIC_URL": "http://desk:port"}),
        "URL with a user": variables({"PUBLIC_URL": "https://me:pw@desk.example.org"}),
        "URL with an odd host": variables({"PUBLIC_URL": "https://desk_1.example.org"}),
        "PUBLIC_URL with a token": variables({"PUBLIC_URL": f"http://desk/#token={A}"}),
        "hash of a token": variables({"VNC_TOKEN": hashed(A)}),
        "guessable token": variables({"VNC_TOKEN": "a" * 40}),
        "short token on purpose": variables(
            {"VNC_TOKEN": "abcdef", "VNC_ALLOW_SHORT_TOKEN": "yes"}
        ),
        "three at once": variables({"VNC_TOKEN": "x", "NOVNC_PORT": "x", "VNC_DEPTH": "8"}),
    },
    "Settings that contradict each other": {
        "value and file": variables({"VNC_TOKEN": A, "VNC_TOKEN_FILE": "/run/secrets/token"}),
        "one token for both": variables({"VNC_TOKEN": A, "VNC_VIEW_TOKEN": A}),
        "open beyond loopback": variables({"VNC_AUTH": "none"}),
        "open, yet a token": variables(
            {"VNC_AUTH": "none", "VNC_AUTH_NONE": "yes", "VNC_TOKEN": A}
        ),
        "certificate alone": variables({"NOVNC_CERT": "/tls/cert.pem"}),
        "key alone": variables({"NOVNC_KEY": "/tls/key.pem"}),
        "websockify with a watch link": variables(
            {"NOVNC_PROXY": "websockify", "VNC_VIEW_TOKEN": A}
        ),
        "websockify without tokens": variables(
            {"NOVNC_PROXY": "websockify", "VNC_AUTH": "none", "VNC_AUTH_NONE": "yes"}
        ),
        "Xvnc's port": variables({"NOVNC_PORT": "5901"}),
        "control's name in the file": _doubled,
    },
    "Secret files": {
        "missing": variables({"VNC_TOKEN_FILE": "{folder}/none"}),
        "a folder": secret_file(None),
        "empty": secret_file(b"\n"),
        "two lines": secret_file(f"{A}\n{A}\n".encode()),
        "no text": secret_file(b"\xff\xfe"),
        "too large": secret_file(b"x" * 5000),
    },
    "VNC_TOKENS_FILE": {
        "missing": variables({"VNC_TOKENS_FILE": "{folder}/none"}),
        "no row": tokens_file("alice\n"),
        "weak": tokens_file("abc: 127.0.0.1:5901\n"),
        "role": tokens_file(f"# name=alice role=king\n{A}: 127.0.0.1:5901\n"),
        "end": tokens_file(f"# expires=tomorrow\n{A}: 127.0.0.1:5901\n"),
        "end without a zone": tokens_file(f"# expires=2030-01-31T12:00:00\n{A}: 127.0.0.1:5901\n"),
        "end too far": tokens_file(f"# expires=0001-01-01T00:00:00+14:00\n{A}: 127.0.0.1:5901\n"),
        "control leads nowhere": tokens_file(f"{A}: 127.0.0.1:0\n"),
        "name": tokens_file(f"# name=alice/bob\n{A}: 127.0.0.1:5901\n"),
        "comment with a mistake": tokens_file(f"# name=alice rolle=view\n{A}: 127.0.0.1:5901\n"),
        "two comments": tokens_file(f"# name=alice\n# name=bob\n{A}: 127.0.0.1:5901\n"),
        "comment without a row": tokens_file("# name=alice\n\n"),
        "one name twice": tokens_file(
            f"# name=a\n{A}: 127.0.0.1:5901\n# name=a\n{B}: 127.0.0.1:5901\n"
        ),
        "one token twice": tokens_file(f"{A}: 127.0.0.1:5901\n{A}: 127.0.0.1:5901\n"),
    },
    "What is missing in the container": {
        "Xvnc": place({}, tools=False),
        "Xvnc of root's": place({}, tools=False, split=User(1234, 1234)),
        "window manager": place({"DESKTOP": "openbox --debug"}),
        "noVNC": place({"NOVNC_WEB": "/nowhere"}),
        "certificate": place({"NOVNC_CERT": "/nowhere/c", "NOVNC_KEY": "/nowhere/k"}),
        "websockify": _no_websockify,
        "a tokens file that the gate cannot read": _not_for_the_gate,
        "a key that is no text": _no_key,
    },
    "Users": {
        "PUID of a container that is not root": as_user(10001, {"PUID": "1000"}),
        "PGID of a container that is not root": as_user(10001, {"PGID": "1000"}),
        "PUID that is ours": as_user(0, {"PUID": "63002"}),
        "a folder that PUID may change": _ours,
        "root without capabilities": _one_user,
    },
    "Runtime folder": {
        "a file": runtime_folder(lambda folder: folder.write_text("")),
        "with other files": runtime_folder(_others),
        "nowhere": lambda _: runtime.make_runtime_folder("/proc/no", {}),
    },
    "Display and port": {
        "display in use": _busy_display,
        "port taken": _taken_port,
        "low port": _low_port,
        "no such address": _no_such_address,
    },
    "Programs and hooks": {
        "folder that cannot be read": _unreadable,
        "file name": _bad_names,
        "no section": drop_in(more="command=app\n"),
        "no key": drop_in("a line"),
        "another section": drop_in(more="[progam:app]\ncommand=app\n"),
        "a supervisord section": drop_in(more="[eventlistener:app]\ncommand=app\n"),
        "section twice": drop_in(more="[program:app]\ncommand=a\n[program:app]\ncommand=b\n"),
        "key twice": drop_in("command=b"),
        "name with a space": drop_in(more="[program:my app]\ncommand=app\n"),
        "our name": drop_in(more="[program:gate]\ncommand=app\n"),
        "unknown key": drop_in("autostrat=false"),
        "no such key at all": drop_in("qqqqqqqq=false"),
        "no command": drop_in(more="[program:app]\numask=022\n"),
        "empty command": drop_in(more="[program:app]\ncommand=\n"),
        "open quote": drop_in(more="[program:app]\ncommand=app 'a\n"),
        "NUL": drop_in("directory=/a\0b"),
        "percent": drop_in("directory=/100%"),
        "unknown variable": drop_in("directory=%(ENV_NOWHERE)s"),
        "unknown name": drop_in("directory=%(nowhere)s"),
        "as a number": drop_in("directory=%(program_name)d"),
        "process_name": drop_in("process_name=other"),
        "numprocs": drop_in("numprocs=2"),
        "flag": drop_in("autostart=perhaps"),
        "autorestart": drop_in("autorestart=perhaps"),
        "priority": drop_in("priority=high"),
        "seconds": drop_in("stopwaitsecs=1.5"),
        "size": drop_in("stdout_logfile_maxbytes=much"),
        "umask": drop_in("umask=rwx"),
        "exit codes": drop_in("exitcodes=0,256"),
        "signal": drop_in("stopsignal=NICE"),
        "environment": drop_in("environment=A"),
        "environment, open quote": drop_in('environment=A="1'),
        "unknown user": drop_in("user=nobody-here"),
        "another user": drop_in("user=root"),
        "ready": drop_in("ready=soon"),
        "live": drop_in("live=sometimes"),
        "live of a name": drop_in("live=rfb:desk:5900"),
        "needs": drop_in("needs=tcp:db"),
        "an unknown program": drop_in("needs=xvcn"),
        "a program that is down": drop_in(
            more="[program:a]\ncommand=a\nautostart=false\n[program:b]\ncommand=b\nneeds=a\n"
        ),
        "a circle": drop_in(
            more="[program:a]\ncommand=a\nneeds=b\n[program:b]\ncommand=b\nneeds=a\n"
        ),
        "stopasgroup alone": drop_in("stopasgroup=true", "killasgroup=false"),
        "ready=exit for ever": drop_in("ready=exit", "autorestart=true"),
        "unknown need of ours": lambda _: order([Program(name="a", command=(), needs=("b",))]),
    },
    "Command lines": {
        "no command": command(),
        "unknown command": command("statsu"),
        "unknown option": command("check", "--jsno"),
        "option without its value": command("url", "--role"),
        "wrong value": command("url", "--role", "king"),
        "option for run": command("run", "-it", "bash"),
        "option as the command": command("run", "--", "--help"),
        "nothing to run": _nothing_to_run,
        "once and a name": command("url", "--once", "--name", "alice"),
        "token without a word": command("token"),
        "token without a name": command("token", "revoke"),
        "restart without a name": command("restart"),
        "doctor in a frame": command("doctor", "--frame", "https://app.example.org"),
        "doctor, no link": lambda _: read_link("desk.example.org"),
        "doctor, a broken link": lambda _: read_link("http://desk:port/"),
        "doctor, a link for one use": lambda _: read_link("http://desk/#ticket=5f0c"),
        "no such help": command("help", "dance"),
        "an unknown shell": command("completion", "tcsh"),
        "ttl": command("token", "add", "--ttl", "soon", desktop={}),
        "name": command("token", "add", "--name", "a b", desktop={}),
        "folder of render": command("render", "/proc/no"),
    },
    "Commands for a running desktop": {
        "none runs": command("status"),
        "not ready": _status_file(FileNotFoundError),
        "of somebody else": _status_file(PermissionError),
        "broken file": _status_file(ValueError),
        "open desktop has no tokens": command("token", "list", desktop={"auth": "none"}),
        "nor has websockify": command("token", "list", desktop={"proxy": "websockify"}),
        "no such link": command("url", "--role", "view", desktop={}),
        "hashed": command("url", desktop={"hashed": True}),
        "expired": command(
            "url",
            desktop={"links": {"control": {"url": "x", "expires": "2001-01-01T00:00:00Z"}}},
        ),
        "once, unknown token": command("url", "--once", "--role", "view", desktop={}),
        "once, no gate": command("url", "--once", desktop={}),
        "name taken": command("token", "add", "--name", "control", desktop={}),
        "no such name": command("token", "revoke", "bob", desktop={}),
        "a name in their file": _in_their_file,
        "too many": _too_many,
        "rotated after its end": _store_with(
            f"# name=control role=control expires=2001-01-01T00:00:00Z\n{A}: x:1\n".encode()
        ),
        "token file is no text": _store_with(b"\xff"),
        "token file is none": _store_with(b"what?\n"),
        "token file is gone": _store_is_gone,
        "token file cannot be read": _cannot_list,
        "its folder is gone": _folder_is_gone,
        "locked": _locked,
        "control socket of somebody else": _control_refuses(PermissionError(13, "denied")),
        "no control socket": _control_refuses(ConnectionRefusedError(111, "Connection refused")),
        "no answer": _silent_control,
        "unknown program": _reply({"do": "restart", "programs": ["xvcn"]}),
        "restart while it stops": _reply({"do": "restart", "programs": ["xvnc"]}),
        "no request": _reply({"do": "dance"}),
    },
    "Health": {
        "X": _ill(_x_refuses),
        "no greeting": _ill(lambda record: _let_in(b"", record)),
        "open gate": _ill(lambda record: _let_in(GREETING, record)),
        "back door": _ill(lambda record: refuse_back_doors(record, {15899})),
        "program given up": _ill(
            lambda _: refuse_failed({"programs": [{"name": "wm", "state": "failed"}]})
        ),
        "Xauthority": _no_cookie,
        "Xauthority, too large": _large_cookie,
        "no X": _no_x,
        "no gate": _no_gate,
    },
    "Installing": {
        "another distribution": _from_other_system,
        "an old distribution": _from_old_system,
        "a distribution without apt": _from_system_without_apt,
        "not root": _install_as_user,
        "apt fails": _install_fails,
        "an odd path": _install_from_odd_path,
    },
}
