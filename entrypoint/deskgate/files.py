"""Files: where ours are, and how they are read and written safely. The shell's side of the plan.

Private files are created with mode 0600, never made so afterwards, and replace their predecessor
by rename; links are not followed.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from deskgate.errors import RuntimeFolderError
from deskgate.forms import FormError

PACKAGE: Final = Path(__file__).resolve().parent
CHECKOUT: Final = PACKAGE.parent.parent
MAX_SECRET_BYTES: Final = 4096
RUN_FOLDER: Final = Path("/run/deskgate")
TMP: Final = Path("/tmp")  # noqa: S108 - checked by _trusted, and where it is read
LOGGED_OUT_FILE: Final = "logged-out.json"  # the gate's own memory of sessions that have ended
# What a start writes anew; leftovers of the last one must not be believed.
LEFT_BEHIND: Final = ("start.json", "status.json", "rfb.sock", LOGGED_OUT_FILE)


def templates_dir() -> Path:
    """The templates: inside the package when installed, else the checkout's.

    An editable install must not find a stale copy, so the package's own comes first only if it
    exists beside the code that runs.
    """
    inside = PACKAGE / "templates"
    return inside if inside.is_dir() else CHECKOUT / "templates"


def web_dir() -> Path:
    """noVNC's files, as we ship them."""
    inside = PACKAGE / "novnc"
    return inside if inside.is_dir() else CHECKOUT / "third_party" / "novnc"


def read_template(name: str) -> str:
    """A template's text."""
    return (templates_dir() / name).read_text(encoding="utf-8")


def read_environment() -> dict[str, str]:
    """The environment as this process was given it.

    Not os.environ: Python adds LC_CTYPE to that under the C locale (PEP 538), and the user's
    command shall see what the user set.
    """
    try:
        block = Path("/proc/self/environ").read_bytes()
    except OSError:
        return dict(os.environ)
    pairs = (os.fsdecode(entry).partition("=") for entry in block.split(b"\0") if b"=" in entry)
    return {name: value for name, _, value in pairs}


def open_regular(path: str) -> int:
    """Open a file that a person named, to read it; returns its descriptor.

    Raises:
        OSError: it cannot be opened.
        FormError: it is a folder, a device or a FIFO.
    """
    # O_NONBLOCK: opening a FIFO would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FormError("name a regular file, no folder, device or FIFO")
    return handle


def read_text(path: str, *, limit: int) -> str:
    """A small text file that a person named.

    Raises:
        FormError: what is wrong with it; never its content.
    """
    try:
        handle = open_regular(path)
        with os.fdopen(handle, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise FormError(f"cannot read it ({error.strerror}); name a readable file") from None
    if len(data) > limit:
        raise FormError(f"the file is larger than {limit} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FormError("the file is not UTF-8 text") from None


def read_secret(path: str) -> str:
    """The secret in a file: its one line, without the line's end."""
    text = read_text(path, limit=MAX_SECRET_BYTES)
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise FormError("the file is empty; put the secret into it")
    if any(char.isspace() or char == "\0" for char in text):
        raise FormError("the file must hold the secret alone, without spaces or further lines")
    return text


def find_program(name: str, path: str | None) -> str | None:
    """The executable that a shell would find; shutil's `which` costs 8 ms of import."""
    folders = [""] if "/" in name else (path or os.defpath).split(os.pathsep)
    for folder in folders:
        candidate = os.path.join(folder, name)  # noqa: PTH118 - an empty folder is the current one
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):  # noqa: PTH112
            return candidate
    return None


def candidates(chosen: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the runtime folder may be, the best place first."""
    if chosen:
        yield Path(chosen)
        return
    yield RUN_FOLDER
    if environ.get("XDG_RUNTIME_DIR", "").startswith("/"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "deskgate"
    yield TMP / f"deskgate-{os.getuid()}"


def _trusted(folder: Path) -> str | None:
    """Why a folder must not hold our secrets; None when it may."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode):
        return "it is not a folder"
    if about.st_uid != os.geteuid():
        return f"it belongs to uid {about.st_uid}, we run as {os.geteuid()}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "it cannot be written"
    if about.st_mode & 0o077 and any(folder.iterdir()):
        return "it holds other files, and others can see them; name an empty folder"
    return None


def make_runtime_folder(chosen: str | None, environ: Mapping[str, str]) -> Path:
    """Make, or take over, the runtime folder: ours, mode 0700.

    Raises:
        RuntimeFolderError: names each folder that was tried and what it lacks.
    """
    tried = []
    for folder in candidates(chosen, environ):
        try:
            folder.mkdir(mode=0o700, parents=chosen is not None, exist_ok=True)
            reason = _trusted(folder)
            if reason is None:
                folder.chmod(0o700)
                for name in LEFT_BEHIND:
                    (folder / name).unlink(missing_ok=True)
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


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read: whole, or not at all.

    `docker exec -u 0` changes the files of a desktop that runs as somebody else: they stay his.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if os.geteuid() == 0 and path.exists():
                before = path.stat()
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(data)
        fresh.rename(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        error.filename = error.filename or str(path)  # a full disk has no name of its own
        raise


def x_socket(display: int) -> str:
    """Where an X server listens (X(7))."""
    return f"/tmp/.X11-unix/X{display}"  # noqa: S108


def free_display(display: int) -> str | None:
    """Remove what a dead X server of this display left; say what hinders a new one.

    After `docker restart`, /tmp still holds the lock of the last run, and its pid may by now be
    somebody else's: Xvnc would then refuse to start.
    """
    other = "set DISPLAY to another, such as :2"
    lock = Path(f"/tmp/.X{display}-lock")  # noqa: S108 - X's own place, X(7)
    door = Path(x_socket(display))
    with socket.socket(socket.AF_UNIX) as probe:
        # A socket that answers may be the host's, mounted into the container.
        if probe.connect_ex(str(door)) == 0:
            return f"display :{display} is in use: a server answers at {door}; {other}"
    holder = _holder(lock)
    if holder.startswith("X"):
        return f"display :{display} is in use by {holder}; {other}"
    if not os.access(lock.parent, os.W_OK | os.X_OK):
        return f"cannot write {lock.parent}, where X keeps its lock; mount one with --tmpfs /tmp"
    for leftover in (lock, door):
        try:
            if os.path.lexists(leftover):
                leftover.unlink()
        except OSError as error:
            reason = f"cannot remove {leftover}, left by another X server: {error.strerror}"
            return f"{reason}; {other}"
    return None


def _holder(lock: Path) -> str:
    """Name and pid of the process in a lock file; empty when there is none that lives."""
    try:
        pid = "" if lock.is_symlink() else read_text(str(lock), limit=64).strip()
        name = Path(f"/proc/{int(pid)}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):  # a FormError is one
        return ""
    return f"{name} (pid {pid})"
