"""Identity: from root to the user that PUID and PGID name, for good."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from deskgate.errors import Problem, SettingsError
from deskgate.settings import Settings


def become_user(settings: Settings) -> None:
    """Give up root for PUID and PGID, for good.

    Raises:
        SettingsError: they are set, but we are not root and run as somebody else.
    """
    uid, gid = settings.puid, settings.pgid
    if uid is None and gid is None:
        return
    if os.geteuid() != 0:
        if uid in (None, os.geteuid()) and gid in (None, os.getegid()):
            return
        name, given = ("PUID", uid) if uid not in (None, os.geteuid()) else ("PGID", gid)
        allowed = f"the container runs as {os.geteuid()}:{os.getegid()}; start it with --user 0:0"
        raise SettingsError([Problem(name=name, given=str(given), allowed=allowed)])
    gid = gid if gid is not None else uid
    assert gid is not None  # noqa: S101 - one of the two is set
    try:
        _give_streams(os.getuid() if uid is None else uid, gid)
        os.setgroups([gid])
        os.setgid(gid)
        if uid:
            os.setuid(uid)
    except PermissionError:
        allowed = "root needs the capabilities SETUID and SETGID for it; add them, or use --user"
        raise SettingsError([Problem(name="PUID", given=str(uid), allowed=allowed)]) from None


def _give_streams(uid: int, gid: int) -> None:
    """Give the standard streams along, so that /dev/stdout can be opened; engines do so too."""
    null = Path(os.devnull).stat()
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode) and about.st_rdev != null.st_rdev:
                os.fchown(fd, uid, gid)
