"""The place: what the programs need in this container, found and judged before anything starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from deskgate import files, identity
from deskgate.errors import MissingFileError, Problem, SettingsError
from deskgate.forms import FormError
from deskgate.programs import HOME_FOLDER, NAMES_FILE, TLS_CERT, TLS_KEY, XFCE, Place
from deskgate.settings import Settings
from deskgate.users import User, Users

TLS_BYTES: Final = 64 * 1024  # a chain has 2 to 10 KB


def _window_manager(settings: Settings, path: str | None) -> tuple[str, ...]:
    command = settings.desktop
    if command == ("none",):
        return ()

    def here(name: str) -> bool:
        return files.find_program(XFCE if name == "xfce" else name, path) is not None

    if not here(command[0]):
        known = [name for name in ("jwm", "xfce", "openbox", "fluxbox") if here(name)]
        hint = f"installed here: {', '.join(known)}" if known else "install it, or set DESKTOP=none"
        given = " ".join(command)
        raise SettingsError([Problem(name="DESKTOP", given=given, allowed=f"not found; {hint}")])
    return command


def _xvnc(path: str | None, users: Users | None) -> str:
    """The X server; of several users the first that the desktop's cannot replace.

    Images put folders of their user's first in PATH; what he put there would run as Xvnc's user.
    """
    if users is None:
        if files.find_program("Xvnc", path) is not None:
            return "Xvnc"
    else:
        for folder in (path or os.defpath).split(os.pathsep):
            found = files.find_program("Xvnc", folder or ".")
            if found and identity.may_replace(users.desktop, Path(found)) is None:
                return found
    raise MissingFileError(
        "Xvnc: cannot find it: install the package tigervnc-standalone-server"
        + (f", where uid {users.desktop.uid} cannot change it" if users else "")
    )


def _copies(settings: Settings, users: Users | None) -> dict[str, bytes]:
    """What the runtime folder has to hold because of who the users are."""
    desktop = users.desktop if users else User(os.geteuid(), os.getegid())
    found = _tls_copies(settings, users) if users else {}
    if settings.desktop == ("xfce",) and not identity.has_name(desktop):
        # A session bus starts for nobody without a name.
        found[NAMES_FILE] = f"desktop:x:{desktop.uid}:{desktop.gid}::/:/bin/sh\n".encode()
    return found


def _tls_copies(settings: Settings, users: Users) -> dict[str, bytes]:
    """TLS files that only root can read, as keys use to be: the gate gets copies.

    Of both or of none: a certificate that is renewed meanwhile fits no copy of an older key.
    """
    given = {TLS_CERT: settings.novnc_cert, TLS_KEY: settings.novnc_key}
    paths = {name: path for name, path in given.items() if path}
    if all(identity.may(users.gate, path, os.R_OK) for path in paths.values()):
        return {}
    found = {}
    for name, path in paths.items():
        try:
            found[name] = files.read_text(path, limit=TLS_BYTES).encode()
        except FormError as error:
            raise MissingFileError(f"{path}: {error}") from None
    return found


def find_place(settings: Settings, environ: Mapping[str, str], users: Users | None) -> Place:
    """Find what the programs need in this container.

    Raises:
        MissingFileError: names what is missing and how to get it.
    """
    path = environ.get("PATH")
    xvnc = _xvnc(path, users) if settings.enable_vnc else "Xvnc"
    web = settings.novnc_web or str(files.web_dir())
    if users:
        # PID 1 and the gate run this code: whoever may change it is root, and the gate.
        identity.refuse_to_run(users.desktop, (Path(sys.executable), files.PACKAGE))
    if settings.enable_vnc:
        gate = users.gate if users else None
        if not identity.may(gate, f"{web}/vnc.html", os.R_OK):
            who = f" as the gate's user, uid {gate.uid}" if gate else ""
            raise MissingFileError(
                f"NOVNC_WEB: cannot read {web}/vnc.html{who}: name noVNC's folder, or unset it"
            )
        for name in ("novnc_cert", "novnc_key", "vnc_tokens_file"):
            given = getattr(settings, name)
            if given and not os.access(given, os.R_OK):
                raise MissingFileError(
                    f"{name.upper()}: cannot read {given}: name a file that uid {os.geteuid()} "
                    "can read"
                )
        given = settings.vnc_tokens_file
        if given and users and not identity.may(users.gate, given, os.R_OK):
            raise MissingFileError(
                f"VNC_TOKENS_FILE: the gate cannot read {given}: give it to the gate's user, "
                f"as with chown {users.gate.uid} {given}"
            )
    if settings.novnc_proxy == "websockify":
        from importlib.util import find_spec

        if find_spec("websockify") is None:
            raise MissingFileError(
                "NOVNC_PROXY: cannot find websockify: pip install 'deskgate[websockify]'"
            )
    return Place(
        folder=PurePosixPath("/"),
        python=sys.executable,
        web=web,
        window_manager=_window_manager(settings, path) if settings.enable_vnc else (),
        xvnc=xvnc,
        users=users,
        copies=_copies(settings, users) if settings.enable_vnc else {},
    )


def settle(place: Place, folder: Path, environ: Mapping[str, str]) -> Place:
    """The place with its runtime folder, and a home for the desktop's user who may have none."""
    user = place.users.desktop if place.users else None
    given = environ.get("HOME")
    home = None
    if not given or not identity.may(user, given, os.W_OK):
        home = identity.home_of(user) or str(folder / HOME_FOLDER)
    return replace(place, folder=PurePosixPath(folder), home=home)
