"""Identity: whether we can be several users, and becoming one. The shell's side of `users`."""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deskgate import memory, users
from deskgate.errors import Problem, SettingsError
from deskgate.users import User, Users

if TYPE_CHECKING:  # PID 1 has no use for it, and pays for what it loads
    from deskgate.settings import Settings

# What PID 1 needs to start, own and stop programs of other users (capabilities(7)).
NEEDED: Final = {"CHOWN": 0, "DAC_OVERRIDE": 1, "KILL": 5, "SETGID": 6, "SETUID": 7}


def take(settings: Settings) -> Users | None:
    """Be who the settings say: root with three users below it, or one user for all.

    Returns:
        None for one user: who we are, or from now on PUID and PGID.

    Raises:
        SettingsError: PUID or PGID cannot be.
    """
    several, desktop = find(settings)
    if not is_us(desktop):
        if several:
            _lend_streams(desktop.uid, desktop.gid)
        else:
            _become_one(desktop)
    return several


def is_us(user: User) -> bool:
    """Whether there is nothing to become; further groups that the engine gave then stay."""
    return (user.uid, user.gid) == (os.geteuid(), os.getegid())


def find(settings: Settings) -> tuple[Users | None, User]:
    """What `take` will make of us: the three users or none, and the desktop's."""
    uid, gid = settings.puid, settings.pgid
    if os.geteuid() != 0:
        _refuse_others(uid, gid)
    if os.geteuid() != 0 or (uid is None and gid is None):
        desktop = User(os.geteuid(), os.getegid())
    else:
        desktop = users.desktop_of(uid, gid)
    if os.geteuid() != 0 or not settings.enable_vnc:
        return None, desktop
    if problems := users.taken(uid, gid):
        raise SettingsError(problems)
    found = users.split(desktop)
    return (None if missing_capabilities() or not _mapped(found) else found), desktop


def _refuse_others(uid: int | None, gid: int | None) -> None:
    if uid in (None, os.geteuid()) and gid in (None, os.getegid()):
        return
    name, given = ("PUID", uid) if uid not in (None, os.geteuid()) else ("PGID", gid)
    allowed = f"the container runs as {os.geteuid()}:{os.getegid()}; start it with --user 0:0"
    raise SettingsError([Problem(name=name, given=str(given), allowed=allowed)])


def why_one_user(settings: Settings) -> str | None:
    """What to say when PUID was given and gate, Xvnc and desktop are one user all the same."""
    asked = settings.enable_vnc and settings.puid and os.geteuid() == 0
    if not asked or find(settings)[0]:
        return None
    lacking = missing_capabilities()
    reason = f"give the container {', '.join(lacking)}" if lacking else "map more ids"
    return f"PUID: the gate runs as that user too, who can read its tokens; {reason}"


def missing_capabilities() -> list[str]:
    """Which of those that we need as root we do not have."""
    about = Path("/proc/self/status").read_text(encoding="utf-8")
    mask = int(about.partition("CapEff:")[2].split()[0], 16)  # proc(5)
    return [name for name, number in NEEDED.items() if not mask >> number & 1]


def _mapped(found: Users) -> bool:
    """Whether the user namespace has all the ids (user_namespaces(7))."""
    for name, wanted in (
        ("uid_map", {found.gate.uid, found.xvnc.uid, found.desktop.uid}),
        ("gid_map", {found.gate.gid, found.xvnc.gid, found.desktop.gid}),
    ):
        rows = [line.split() for line in Path(f"/proc/self/{name}").read_text("ascii").splitlines()]
        ranges = [range(int(first), int(first) + int(count)) for first, _, count in rows]
        if not all(any(each in ids for ids in ranges) for each in wanted):
            return False
    return True


def become(user: User) -> None:
    """Be a user for good.

    Raises:
        OSError: we may not.
    """
    os.setgroups([user.gid, *user.groups])
    os.setgid(user.gid)
    os.setuid(user.uid)
    if user.uid in users.RESERVED:  # gate and Xvnc start nobody; the desktop may have its sudo
        memory.gain_nothing()


def _become_one(user: User) -> None:
    try:
        _give_streams(user.uid, user.gid)
        become(user)
    except OSError:  # EPERM; EINVAL for an id that the user namespace has not
        allowed = "root needs the capabilities SETUID and SETGID for it; add them, or use --user"
        raise SettingsError([Problem(name="PUID", given=str(user.uid), allowed=allowed)]) from None


@contextlib.contextmanager
def acting_as(user: User | None) -> Iterator[None]:
    """Be a user for as long as it takes to ask what he may do; None for who we are."""
    if user is None:
        yield
        return
    gid, groups = os.getegid(), os.getgroups()
    os.setgroups([user.gid, *user.groups])
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def may(user: User | None, path: str, mode: int) -> bool:
    """Whether a user may read, write or pass a path (access(2))."""
    with acting_as(user):
        return os.access(path, mode, effective_ids=True)


def may_replace(user: User, path: Path) -> Path | None:
    """What lets a user put something else in a path's place: a folder above it, or itself.

    A link is not only followed: whoever may change it leads us elsewhere.
    """
    if user.uid == 0:
        return None
    ways = (path.absolute(), path.resolve())
    for each in dict.fromkeys(part for way in ways for part in (way, *way.parents)):
        about = each.stat()
        if about.st_uid == user.uid:
            return each
        if not about.st_mode & stat.S_ISVTX and may(user, str(each), os.W_OK):
            return each
    return None


def refuse_to_run(user: User, paths: Iterable[Path]) -> None:
    """Refuse what root runs and a user may change: he would be root.

    Raises:
        SettingsError: names the place that PUID may change.
    """
    for path in paths:
        if weak := may_replace(user, path):
            allowed = f"that user may change {weak}, which root runs; give it to root"
            raise SettingsError([Problem(name="PUID", given=str(user.uid), allowed=allowed)])


def has_name(user: User) -> bool:
    """Whether the system has a name for a user, as it has for those of the image alone."""
    try:
        pwd.getpwuid(user.uid)
    except KeyError:
        return False
    return True


def home_of(user: User | None) -> str | None:
    """A user's home by passwd, if he can write there."""
    try:
        home = pwd.getpwuid(os.geteuid() if user is None else user.uid).pw_dir
    except KeyError:
        return None
    return home if may(user, home, os.W_OK | os.X_OK) else None


def _lend_streams(uid: int, gid: int) -> None:
    """Let /dev/stdout be opened, while PID 1 goes on writing to it as root.

    A pipe's owner may read it as well, and the log has the links: so he may only do what the
    stream is for. A terminal he gets; what was written there comes from it to nobody.
    """
    _give_streams(uid, gid, pipes=False)
    for fd, mode in ((0, 0o644), (1, 0o622), (2, 0o622)):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                os.fchmod(fd, mode)


def _give_streams(uid: int, gid: int, *, pipes: bool = True) -> None:
    """Give the standard streams along, so that /dev/stdout can be opened; engines do so too."""
    null = Path(os.devnull).stat()
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            about = os.fstat(fd)
            kept = stat.S_ISREG(about.st_mode) or about.st_rdev == null.st_rdev
            if not kept and (pipes or not stat.S_ISFIFO(about.st_mode)):
                os.fchown(fd, uid, gid)
