"""Programs: what supervisord runs, one row each. Pure.

A row says the command, what it needs, how it tells that it is ready, and whether the container
can live without it. `templates/program.conf.j2` only formats what stands here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from deskgate.settings import Settings
from deskgate.users import Users

TOKENS_FILE = "websockify-tokens.conf"
RFB_SOCKET = "rfb.sock"
LISTENER_FD = 3  # where a gate finds the port that was bound for it
XVNC_FOLDER = "xvnc"  # of its own user, when there are several
HOME_FOLDER = "home"  # of the desktop's user
TLS_CERT, TLS_KEY = "tls-cert.pem", "tls-key.pem"  # for a gate that cannot read the given ones
ADDED = "/etc/deskgate"  # where the image's owner adds programs and hooks
# Xfce's parts find each other over a session bus, which ends with the session.
BUS, XFCE = ("dbus-run-session", "--"), "xfce4-session"
NAMES_FILE = "passwd"  # has a name of the desktop's user, where the system has none
# Of an added file: nothing that a shell, a pattern or a list of files would read.
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """One row.

    Args:
        command: its arguments; none for one that stands in a file of its owner's.
        needs: what must be there before this one starts: names of programs that are ready, or
            `tcp:HOST:PORT`, `unix:PATH`, `file:PATH`.
        uses: names of programs that it talks to; it starts without waiting for them, and like
            those that need, it is stopped before them.
        ready: `stdout` (its first line), `tcp:HOST:PORT`, `unix:PATH`, `file:PATH`, `spawn` (at
            once), or `exit`: it has ended well, and is not started again.
        ready_seconds: how long it may take to become ready; 0 for as long as it likes.
        live: how it shows afterwards that it does not hang, as `signs` reads it; empty for not.
        essential: without it the container ends, with status 69.
        chatty: its output is of use only when something is wrong: shown at level debug, and its
            last lines when it dies.
        reads_secret: the conductor writes the gate's boot secret to its standard input, and
            hands it the port as `LISTENER_FD`.
        runs_as: `gate`, `xvnc` or `desktop`, see `users`; empty for whoever started the container,
            or whom its own file names.
        source: the file below `ADDED` that a drop-in stands in; empty for a program of ours.
        hook: runs before everything else.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    ready: str = "spawn"
    ready_seconds: int = 30
    live: str = ""
    essential: bool = False
    chatty: bool = False
    reads_secret: bool = False
    runs_as: str = "desktop"
    source: str = ""
    hook: bool = False

    @property
    def named_needs(self) -> tuple[str, ...]:
        """What it needs of other programs: a name holds no colon, anything else does."""
        return tuple(need for need in self.needs if ":" not in need)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where things are in this container: what the rows need and settings do not say.

    Args:
        folder: the runtime folder.
        python: the interpreter that runs us.
        web: the folder of noVNC's files.
        window_manager: its command line, `jwm` or `xfce`; empty for none.
        xvnc: the X server's program.
        users: who runs what; None when one user runs all.
        home: where programs keep their files; None for where the environment says.
        copies: name in the runtime folder → bytes, of TLS files that the gate cannot read itself,
            and `NAMES_FILE`.
    """

    folder: PurePosixPath
    python: str
    web: str
    window_manager: tuple[str, ...]
    xvnc: str = "Xvnc"
    users: Users | None = None
    home: str | None = None
    copies: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def path(self, name: str) -> str:
        """A file of the runtime folder."""
        return str(self.folder / name)

    @property
    def rfb_socket(self) -> str:
        """Xvnc's unix socket, where Xvnc can make it and the gate alone reaches it."""
        return self.path(RFB_SOCKET if self.users is None else f"{XVNC_FOLDER}/{RFB_SOCKET}")


def rfb_port(settings: Settings) -> int:
    """Xvnc's TCP port: VNC_PORT, else 5900 + the display's number, as X has it."""
    return settings.vnc_port or 5900 + settings.display


def rfb_target(settings: Settings, place: Place) -> str:
    """Where Xvnc listens, in the words of websockify's token file."""
    if settings.vnc_transport == "unix":
        return f"unix_socket:{place.rfb_socket}"
    return f"127.0.0.1:{rfb_port(settings)}"


def tls_files(settings: Settings, place: Place) -> tuple[str | None, str | None]:
    """Certificate and key, where the gate reads them."""
    given = {TLS_CERT: settings.novnc_cert, TLS_KEY: settings.novnc_key}
    cert, key = (place.path(name) if name in place.copies else given[name] for name in given)
    return cert, key


def xvnc(settings: Settings, place: Place) -> Program:
    """The X and RFB server. Each argument has its reason beside it."""
    clipboard = settings.vnc_clipboard
    into, out = clipboard in ("both", "in"), clipboard in ("both", "out")
    if settings.vnc_transport == "unix":
        # -rfbport -1: a unix socket alone leaves the TCP port open (GHSA-vrq4-9hc3-cgp7).
        listen = ["-rfbport", "-1", "-rfbunixpath", place.rfb_socket]
        listen += ["-rfbunixmode", "0600" if place.users is None else "0660"]
    else:
        listen = ["-rfbport", str(rfb_port(settings)), "-localhost"]
    command = [
        place.xvnc,
        # Always explicit: automatic choice hangs for minutes without a writable /tmp.
        f":{settings.display}",
        # The display's number on stdout, once the server answers: our readiness signal.
        *("-displayfd", "1"),
        *("-geometry", str(settings.vnc_geometry)),
        *("-depth", str(settings.vnc_depth)),
        *("-dpi", str(settings.vnc_dpi)),
        *("-desktop", "deskgate"),
        *listen,
        # Only what goes wrong: every look at it, ours or a health check's, is ten lines otherwise,
        # and its last words are lost among them.
        *("-Log", "*:stderr:0"),
        # The gate decides who enters. None is for control; with VncAuth and its second password
        # the gate enters for a watcher, whom Xvnc itself then holds to looking.
        *("-SecurityTypes", "None,VncAuth"),
        *("-rfbauth", place.path("rfbauth")),
        # X clients need the cookie; no X over TCP, and no abstract socket, which other containers
        # of the same network namespace could reach.
        *("-auth", place.path("Xauthority")),
        *("-nolisten", "tcp"),
        *("-nolisten", "local"),
        # One viewer who asks for a session of his own would end all others.
        "-AlwaysShared",
        # Five connections that close early, as health probes do, would lock everybody out.
        "-UseBlacklist=0",
        # No program on the display may change the server's parameters.
        "-AllowOverride=",
        f"-AcceptCutText={int(into)}",
        f"-SendCutText={int(out)}",
        f"-SetPrimary={int(into)}",
        f"-SendPrimary={int(out)}",
        *settings.xvnc_args,
    ]
    return Program(
        name="xvnc",
        command=tuple(command),
        ready="stdout",
        live=f"rfb:{rfb_target(settings, place)}",
        essential=True,
        chatty=True,
        runs_as="xvnc",
    )


def gate(place: Place) -> Program:
    """Our gate. It tells `ready` on stdout and needs nobody: Xvnc may come later.

    Its signs of life come the same way: who asked at its port would stand in line with strangers.
    """
    words = (place.path("gate.json"), str(LISTENER_FD))
    command = (place.python, "-I", "-m", "deskgate.gate", *words)
    return Program(
        name="gate",
        command=command,
        uses=("xvnc",),
        ready="stdout",
        live="stdout",
        essential=True,
        reads_secret=True,
        runs_as="gate",
    )


def websockify(settings: Settings, place: Place) -> Program:
    """Stock websockify in the gate's place, with the same token file."""
    listen = settings.novnc_listen or "0.0.0.0"  # noqa: S104 - the published port
    command = [place.python, "-I", "-m", "websockify", "--web", place.web]
    command += ["--token-plugin", "TokenFile", "--token-source", place.path(TOKENS_FILE)]
    cert, key = tls_files(settings, place)
    if cert and key:
        command += ["--cert", cert, "--key", key, "--ssl-only"]
    command.append(f"{listen}:{settings.novnc_port}")
    reach = settings.novnc_listen or "127.0.0.1"
    return Program(
        name="websockify",
        command=tuple(command),
        uses=("xvnc",),
        ready=f"tcp:{reach}:{settings.novnc_port}",
        essential=True,
        chatty=True,
        runs_as="gate",
    )


def window_manager(place: Place) -> Program:
    """What lets windows be moved. The desktop lives without it."""
    command = place.window_manager
    if command == ("jwm",):
        command = ("jwm", "-f", place.path("jwmrc"))
    elif command == ("xfce",):
        command = (*BUS, XFCE)
        if NAMES_FILE in place.copies:
            given = f"NSS_WRAPPER_PASSWD={place.path(NAMES_FILE)}"
            named = ("LD_PRELOAD=libnss_wrapper.so", given, "NSS_WRAPPER_GROUP=/etc/group")
            command = ("env", *named, *BUS, "env", "--unset=LD_PRELOAD", XFCE)
    return Program(name="wm", command=command, needs=("xvnc",), chatty=True)


def hooks(names: Sequence[str]) -> tuple[Program, ...]:
    """The executables of `start.d` in the order of `names`, each after the one before."""
    found: list[Program] = []
    for name in (f"start.d/{name}" for name in names):
        needs = (found[-1].name,) if found else ()
        row = Program(name=name, command=(f"{ADDED}/{name}",), needs=needs, ready="exit")
        found.append(replace(row, ready_seconds=0, essential=True, runs_as="", hook=True))
    return tuple(found)


def desktop_programs(settings: Settings, place: Place) -> tuple[Program, ...]:
    """The rows that are in force, in no order: `order` makes one."""
    if not settings.enable_vnc:
        return ()
    proxy = gate(place) if settings.novnc_proxy == "gate" else websockify(settings, place)
    manager = (window_manager(place),) if place.window_manager else ()
    return (xvnc(settings, place), proxy, *manager)
