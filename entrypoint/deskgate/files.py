"""Files: where ours are, and how they are read and written safely. The shell's side of the plan.

Private files are created with mode 0600, never made so afterwards, and replace their predecessor
by rename; links are not followed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from deskgate.forms import FormError
from deskgate.users import Access

PACKAGE: Final = Path(__file__).resolve().parent
CHECKOUT: Final = PACKAGE.parent.parent
MAX_SECRET_BYTES: Final = 4096
OWN_BYTES: Final = 1024 * 1024  # of a file of ours; the token file is the largest
LOGGED_OUT_FILE: Final = "logged-out.json"  # the gate's own memory of sessions that have ended
CONTROL_SOCKET: Final = "control.sock"


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


def open_regular(path: str, flags: int = 0) -> int:
    """Open a file that a person named, to read it; returns its descriptor.

    Raises:
        OSError: it cannot be opened.
        FormError: it is a folder, a device or a FIFO.
    """
    # O_NONBLOCK: opening a FIFO would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FormError("name a regular file, no folder, device or FIFO")
    return handle


def read_own(path: Path) -> tuple[bytes, Access | None]:
    """A file of the runtime folder, and whose it stays when root replaces it; None for ours.

    As root we read there what the gate and the desktop may have replaced: no link of theirs is
    followed, and nothing without an end is read.

    Raises:
        OSError: it cannot be opened, or is a link.
        FormError: it is no regular file, or too large.
    """
    with os.fdopen(open_regular(str(path), os.O_NOFOLLOW), "rb") as file:
        about = os.fstat(file.fileno())
        data = file.read(OWN_BYTES + 1)
    if len(data) > OWN_BYTES:
        raise FormError(f"the file is larger than {OWN_BYTES} bytes")
    return data, Access(about.st_uid, about.st_gid, 0o600) if os.geteuid() == 0 else None


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
        raise FormError(f"the file is larger than {limit} bytes; is it the right one?")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FormError("the file is not UTF-8 text; is it the right one?") from None


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


def write_private(path: Path, data: bytes, access: Access | None = None) -> None:
    """Write a file that only its owner can read: whole, or not at all.

    Args:
        access: whose it becomes, and its mode; None for ours. Never whose it was by itself: in a
            folder that is shared, somebody else may have been there first.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if access is not None:
                # In this order: of a file that is no longer ours only FOWNER changes the mode.
                os.fchmod(file.fileno(), access.mode)
                os.fchown(file.fileno(), access.uid, access.gid)
            file.write(data)
        fresh.rename(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        error.filename = error.filename or str(path)  # a full disk has no name of its own
        raise
