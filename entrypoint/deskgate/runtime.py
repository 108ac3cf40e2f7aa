"""The runtime folder: where it may be, who may be trusted with it, and what is shared in it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from deskgate import identity
from deskgate.errors import RuntimeFolderError
from deskgate.files import CONTROL_SOCKET, LOGGED_OUT_FILE, write_private
from deskgate.users import FOLDER_MODE, GATE_ID, RESERVED, SHARED_FOLDER_MODE, Access, Users

RUN_FOLDER: Final = Path("/run/deskgate")
TMP: Final = Path("/tmp")  # noqa: S108 - checked by _trusted, and where it is read
# What a start writes anew; leftovers of the last one must not be believed.
LEFT_BEHIND: Final = (
    *("start.json", "status.json", "rfb.sock", "xvnc/rfb.sock", LOGGED_OUT_FILE, CONTROL_SOCKET),
)


def candidates(chosen: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the runtime folder may be, the best place first."""
    if chosen:
        yield Path(chosen)
        return
    yield RUN_FOLDER
    if environ.get("XDG_RUNTIME_DIR", "").startswith("/"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "deskgate"
    yield TMP / f"deskgate-{os.getuid()}"


def _trusted(folder: Path, users: Users | None) -> str | None:
    """Why a folder must not hold our secrets; None when it may."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode):
        return "it is not a folder"
    if about.st_uid != os.geteuid() and not _may_be_taken(folder):
        return f"it belongs to uid {about.st_uid}, we run as {os.geteuid()}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "it cannot be written"
    ours = about.st_uid == 0 and about.st_gid == GATE_ID  # shared by an earlier start
    if about.st_mode & 0o077 and not ours and any(folder.iterdir()):
        return "it holds other files, and others can see them; name an empty folder"
    if users and (weak := identity.may_replace(users.desktop, folder.parent)):
        return f"uid {users.desktop.uid} may change {weak}"
    return None


def _may_be_taken(folder: Path) -> bool:
    """Whether root may make a folder its own: an image's, for the user that it usually runs as."""
    parent = folder.parent.stat()
    private = parent.st_uid == 0 and not parent.st_mode & 0o022
    return os.geteuid() == 0 and private and not any(folder.iterdir())


def _clear(folder: Path) -> None:
    """Remove what the last start left: what it would write anew, and all that others made.

    The gate may have put anything there, a link or a folder in the place of a file as well.
    """
    for path in folder.iterdir():
        about = path.lstat()
        if about.st_uid not in RESERVED or os.geteuid() != 0:
            continue
        if stat.S_ISDIR(about.st_mode):
            from shutil import rmtree  # late: 8 ms; it follows no link

            rmtree(path)
        else:
            path.unlink()
    for name in LEFT_BEHIND:
        (folder / name).unlink(missing_ok=True)


def make_runtime_folder(
    chosen: str | None, environ: Mapping[str, str], users: Users | None = None
) -> Path:
    """Make, or take over, the runtime folder: ours, mode 0700.

    Args:
        users: those below root; the desktop's must not be able to put another in its place.

    Raises:
        RuntimeFolderError: names each folder that was tried and what it lacks.
    """
    tried = []
    for folder in candidates(chosen, environ):
        try:
            folder.mkdir(mode=FOLDER_MODE, parents=chosen is not None, exist_ok=True)
            reason = _trusted(folder, users)
            if reason is None:
                if folder.lstat().st_uid != os.geteuid():
                    os.chown(folder, 0, 0)
                folder.chmod(FOLDER_MODE)
                _clear(folder)
                probe = folder / ".probe"  # a read-only mount shows itself only when written to
                write_private(probe, b"")
                probe.unlink()
                return folder
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
        tried.append(f"{folder} ({reason})")
    raise RuntimeFolderError(
        f"runtime folder: cannot use {', '.join(tried)}: mount a writable one with "
        "--tmpfs /tmp, or name one with DESKGATE_RUNTIME_DIR"
    )


def make_folder(path: Path, access: Access | None) -> None:
    """Make a folder of the runtime folder, for one user; an earlier start may have made it."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=FOLDER_MODE)
    # By descriptor: a link in its place would have its target given away.
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if access is not None:
            os.fchmod(handle, access.mode)
            os.fchown(handle, access.uid, access.gid)
    finally:
        os.close(handle)


def share_folder(folder: Path) -> None:
    """Let other users pass the runtime folder to what is theirs, when all is in its place."""
    os.chown(folder, 0, GATE_ID)
    folder.chmod(SHARED_FOLDER_MODE)
