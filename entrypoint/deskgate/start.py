"""Start: from the environment to the conductor. The shell around the plan.

Everything is read, judged and written before anything is started. Then a child renders the
templates while this process, which may be PID 1, becomes the conductor by exec: that is how the
secrets leave `/proc/1/environ`, and the 40 ms of importing supervisor and the 50 ms of importing
Jinja2 pass side by side.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from deskgate import (
    additions,
    banner,
    clock,
    files,
    identity,
    runtime,
    streams,
    surroundings,
    tokens,
    xdisplay,
)
from deskgate.errors import (
    DeskgateError,
    Problem,
    ProgramError,
    SettingsError,
    Status,
    UsageError,
)
from deskgate.forms import FormError
from deskgate.listening import listen
from deskgate.place import find_place, settle
from deskgate.plan import (
    COOKIE_BYTES,
    RFB_PASSWORD_BYTES,
    Chance,
    Plan,
    make_plan,
)
from deskgate.programs import LISTENER_FD
from deskgate.reading import Reading, read_settings
from deskgate.settings import Settings
from deskgate.tokenfile import FILE_BYTES, TokenFileError, parse_clear_tokens
from deskgate.tokens import NewToken, Role
from deskgate.users import Access, User

# What hinders a listener, and what to do (bind(2)).
CANNOT_LISTEN: Final = {
    errno.EADDRINUSE: "another program has it; set NOVNC_PORT to another, such as 8003",
    errno.EACCES: "only root may; set NOVNC_PORT to 1024 or more, such as 8002",
    errno.EADDRNOTAVAIL: "the container has no such address; set NOVNC_LISTEN to one of its own, "
    "such as 127.0.0.1, or *",
}


def take_chance() -> Chance:
    """Draw all randomness of a start from the system's CSPRNG."""

    def password() -> bytes:
        # Xvnc reads a C string: no NUL.
        return bytes(byte % 255 + 1 for byte in os.urandom(RFB_PASSWORD_BYTES))

    return Chance(
        control=os.urandom(tokens.TOKEN_BYTES).hex(),
        view=os.urandom(tokens.TOKEN_BYTES).hex(),
        tickets=(os.urandom(tokens.TICKET_BYTES).hex(), os.urandom(tokens.TICKET_BYTES).hex()),
        cookie=os.urandom(COOKIE_BYTES),
        rfb_passwords=(password(), password()),
    )


def read(environ: Mapping[str, str]) -> tuple[Reading, tuple[NewToken, ...]]:
    """Read the settings and the rows of VNC_TOKENS_FILE."""
    reading = read_settings(environ, files.read_secret)
    path = reading.settings.vnc_tokens_file
    if path is None:
        return reading, ()
    try:
        text = files.read_text(path, limit=FILE_BYTES)
        return reading, parse_clear_tokens(text, short=reading.settings.vnc_allow_short_token)
    except (FormError, TokenFileError) as error:
        problem = Problem(name="VNC_TOKENS_FILE", given=path, allowed=str(error))
        raise SettingsError([problem]) from None


def write_plan(plan: Plan) -> None:
    """Render, and write every file into the runtime folder."""
    # Imported here: it brings Jinja2, which only this process of a start needs.
    from deskgate.render import render_files

    folder, users = Path(plan.place.folder), plan.place.users

    def access(name: str) -> Access | None:
        return users.access(name) if users else None

    for name in plan.folders:
        runtime.make_folder(folder / name, access(name))
    rendered = render_files(plan, files.read_template)
    for name, data in {**plan.files, **rendered}.items():
        files.write_private(folder / name, data, access(name))
    if users:
        runtime.share_folder(folder)


def _in_child(work: Callable[[], None], tell: Callable[[DeskgateError], int]) -> int:
    """Do `work` in a forked child; its exit status is ours to collect. Returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    status = Status.SOFTWARE.value
    try:
        work()
        status = Status.OK.value
    except DeskgateError as error:
        status = tell(error)
    except OSError as error:
        status = tell(_as_runtime_error(error))
    finally:
        os._exit(status)


def _as_runtime_error(error: OSError) -> DeskgateError:
    from deskgate.errors import RuntimeFolderError

    where = error.filename or "its files"
    return RuntimeFolderError(f"runtime folder: cannot write {where}: {error.strerror}")


def handoff(
    plan: Plan, command: Sequence[str], environ: Mapping[str, str], *, began: float, renderer: int
) -> dict[str, Any]:
    """What the conductor must know and no file may hold."""
    settings, users, colour = plan.settings, plan.place.users, streams.has_colours()

    def become(name: str) -> User | None:
        user = users.of(name) if users else None
        return None if user is None or identity.is_us(user) else user

    return {
        "folder": str(plan.place.folder),
        "renderer": renderer,
        "began": began,
        "command": [*settings.base_entrypoint, *command] if command else [],
        "environment": surroundings.of_command(plan, environ),
        # Of a drop-in only its name is known here.
        "programs": {row.name: None if row.source else row.command for row in plan.programs},
        "users": {row.name: become(row.runs_as) for row in plan.programs},
        "command_user": become("desktop"),
        "record_access": users.access("start.json") if users else None,
        "levels": plan.levels,
        "listener": None,
        "tickets": [plan.tickets[role] for role in Role if role in plan.tickets],
        "secrets": [token.value for token in (*plan.tokens, *plan.extra)],
        "colour": colour,
        "rewrites": streams.is_capable(),
        "announcement": banner.announce(plan),
        "banner": banner.banner(plan, colour=colour),
        "record": banner.start_record(plan),
        "log_level": settings.log_level,
        "log_format": settings.log_format,
        "debug": settings.deskgate_debug,
    }


def run(command: Sequence[str], tell: Callable[[DeskgateError], int], *, with_qr: bool) -> NoReturn:
    """Carry out `deskgate run`: become the conductor, or the command itself without a desktop.

    Args:
        with_qr: as VNC_QR does.
        tell: prints an error and returns its exit status.

    Raises:
        DeskgateError: nothing was started.
    """
    began = time.monotonic()
    environ = files.read_environment()
    reading, extra = read({**environ, "VNC_QR": "true"} if with_qr else environ)
    settings = reading.settings
    for warning in reading.warnings:
        streams.tell("warning", warning)
    if not settings.enable_vnc and not command:
        raise UsageError("run: cannot run nothing: ENABLE_VNC is off and no command is given")
    one_user = identity.why_one_user(settings)  # asked as root, said when PUID could be had
    users = identity.take(settings)
    if one_user:
        streams.tell("warning", one_user)
    # As those users, who have to read it all; before the folder is made, so nothing is left behind.
    place = find_place(settings, environ, users)
    if not settings.enable_vnc:
        _become_command(settings, command, environ, reading.secret_variables)
    streams.complete()
    added = additions.find_additions(reading, environ, place)
    for warning in added.warnings:
        streams.tell("warning", warning)
    folder = runtime.make_runtime_folder(settings.deskgate_runtime_dir, environ, users)
    plan = make_plan(
        reading,
        settle(place, folder, environ),
        take_chance(),
        booted=clock.booted_at(),
        now=time.time(),
        show_terminal=not command,
        extra=extra,
        added=(*added.hooks, *added.rows),
    )
    if hindrance := xdisplay.free_display(settings.display):
        raise ProgramError(f"xvnc: cannot start: {hindrance}")
    xdisplay.make_socket_folder()
    listener = _listen(settings) if settings.novnc_proxy == "gate" else None
    renderer = _in_child(lambda: write_plan(plan), tell)
    told = handoff(plan, command, environ, began=began, renderer=renderer)
    if listener is not None:
        listener.set_inheritable(True)
        told["listener"] = (listener.detach(), LISTENER_FD)
    # Sealed in memory and inherited by descriptor: no file, no argument, no environment.
    memory = os.memfd_create("deskgate-handoff", 0)
    os.write(memory, json.dumps(told).encode("ascii"))
    os.lseek(memory, 0, os.SEEK_SET)
    argv = [sys.executable, "-I", "-m", "deskgate.conductor", str(memory)]
    os.execve(sys.executable, argv, surroundings.of_programs(plan, environ))


def _listen(settings: Settings) -> socket.socket:
    """Bind the gate's port, before anything is started: a browser may come from now on."""
    host, port = settings.novnc_listen, settings.novnc_port
    try:
        return listen(host, port)
    except OSError as error:
        where = f"{host or '*'} port {port}"
        hint = CANNOT_LISTEN.get(error.errno or 0, "set NOVNC_PORT or NOVNC_LISTEN to another")
        raise ProgramError(f"gate: cannot listen on {where}: {hint}") from None


def _become_command(
    settings: Settings, command: Sequence[str], environ: Mapping[str, str], secrets: Sequence[str]
) -> NoReturn:
    from deskgate.conductor.foreground import execute

    argv = [*settings.base_entrypoint, *command]
    execute(argv, surroundings.without_secrets(environ, secrets, shared=True))
