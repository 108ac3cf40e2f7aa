"""The plan: everything that a start will do, as a value. Pure.

`deskgate render` shows it, tests compare it, `start` carries it out. Nothing in it came from the
environment, the clock or chance except through arguments.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deskgate import links, programs, rfb
from deskgate.errors import Problem, SettingsError
from deskgate.order import order
from deskgate.programs import TOKENS_FILE, Place, Program
from deskgate.reading import Reading
from deskgate.settings import Settings
from deskgate.tokenfile import TokenFileError, refuse_doubles
from deskgate.tokens import NewToken, Role

COOKIE_BYTES = 16  # MIT-MAGIC-COOKIE-1 is 128 bits
FAMILY_WILD = 0xFFFF  # Xauth(3): the entry holds for any host name, which containers change
RFB_PASSWORD_BYTES = 8  # VncAuth reads no more (RFC 6143, 7.2.2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """All randomness of one start.

    Args:
        control, view: tokens for whom none is given, 64 hex digits.
        tickets: for links that work once, 32 hex digits each.
        cookie: X's magic cookie, 16 bytes.
        rfb_passwords: Xvnc's control and view password, 8 bytes each without NUL.
    """

    control: str
    view: str
    tickets: tuple[str, str]
    cookie: bytes
    rfb_passwords: tuple[bytes, bytes]

    def __repr__(self) -> str:
        return "Chance((hidden))"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What will be done.

    Args:
        show_terminal: open a terminal on the desktop, as no command of the user's draws there.
        levels: program names by level of need.
        tokens: those of the two links.
        extra: those of VNC_TOKENS_FILE, where the gate reads them itself.
        tickets: what stands in the printed links in place of a token, with VNC_LINK=once.
        files: name in the runtime folder → bytes that no template makes; mode 0600 each, or
            what `Users.access` says.
        folders: names of folders in it.
    """

    settings: Settings
    place: Place
    programs: tuple[Program, ...]
    levels: tuple[tuple[str, ...], ...]
    tokens: tuple[NewToken, ...]
    extra: tuple[NewToken, ...]
    tickets: dict[Role, str]
    files: dict[str, bytes]
    folders: tuple[str, ...]
    gate: dict[str, Any]
    show_terminal: bool
    secret_variables: tuple[str, ...]

    def token_of(self, role: Role) -> NewToken | None:
        """The token of the printed link of a role."""
        return next((each for each in self.tokens if each.name == role.value), None)

    def link_of(self, role: Role) -> str | None:
        """The link of a role, with its token; None when there is none."""
        token = self.token_of(role)
        if token is None:
            open_to_all = self.settings.vnc_auth == "none" and role is Role.CONTROL
            return links.link(self.settings, None) if open_to_all else None
        return links.link(self.settings, token.value)


def make_tokens(
    settings: Settings, chance: Chance, extra: Sequence[NewToken], now: float
) -> tuple[NewToken, ...]:
    """The tokens of the two links; those of VNC_TOKENS_FILE must be others.

    Args:
        extra: the rows of VNC_TOKENS_FILE.
        now: seconds since the epoch.
    """
    if settings.vnc_auth == "none":
        return ()
    expires = now + settings.vnc_token_ttl if settings.vnc_token_ttl else None
    made = [(Role.CONTROL, settings.vnc_token, chance.control)]
    if settings.novnc_proxy == "gate":  # stock websockify has no view role
        made.append((Role.VIEW, settings.vnc_view_token, chance.view))
    ours = tuple(
        NewToken(
            name=role.value,
            role=role,
            value=given or fresh,
            expires=expires,
            supplied=given is not None,
        )
        for role, given, fresh in made
    )
    try:
        refuse_doubles((*ours, *extra))
    except TokenFileError as error:
        problem = Problem(
            name="VNC_TOKENS_FILE", given=settings.vnc_tokens_file, allowed=str(error)
        )
        raise SettingsError([problem]) from None
    return ours


def xauthority(display: int, cookie: bytes) -> bytes:
    """An Xauthority file with one entry: big-endian family, then counted fields (Xauth(3))."""
    fields = (b"", str(display).encode(), b"MIT-MAGIC-COOKIE-1", cookie)
    return struct.pack(">H", FAMILY_WILD) + b"".join(
        struct.pack(">H", len(each)) + each for each in fields
    )


def gate_config(settings: Settings, place: Place, booted: float) -> dict[str, Any]:
    """What the gate, and the commands that ask it, read from gate.json. Holds no secret."""
    cert, key = programs.tls_files(settings, place)
    return {
        "listen": [settings.novnc_listen, settings.novnc_port],
        "web": place.web,
        "subpath": settings.subpath,
        "public_url": settings.public_url,
        "links": links.base_url(settings),
        "tokens": place.path(TOKENS_FILE),
        "more_tokens": settings.vnc_tokens_file,
        "hash_tokens": settings.vnc_token_hash,
        "short_tokens": settings.vnc_allow_short_token,
        "query_tokens": settings.vnc_token_in_query,
        "cookie_suffix": settings.vnc_cookie_suffix,
        "booted": booted,
        "rfb": programs.rfb_target(settings, place),
        "rfbauth": place.path("rfbauth"),
        "auth": settings.vnc_auth,
        "display": f":{settings.display}",
        "frame_ancestors": list(settings.vnc_frame_ancestors),
        "trusted_proxies": list(settings.vnc_trusted_proxies),
        "clipboard": settings.vnc_clipboard,
        "cert": cert,
        "key": key,
    }


def folders_of(settings: Settings, place: Place) -> tuple[str, ...]:
    """The folders in the runtime folder: Xvnc's, and a home for who has none."""
    own_home = place.home == place.path(programs.HOME_FOLDER)
    unix = settings.vnc_transport == "unix" and place.users is not None
    return (programs.HOME_FOLDER,) * own_home + (programs.XVNC_FOLDER,) * unix


def make_plan(
    reading: Reading,
    place: Place,
    chance: Chance,
    *,
    booted: float,
    now: float,
    show_terminal: bool,
    extra: Sequence[NewToken] = (),
    added: Sequence[Program] = (),
) -> Plan:
    """Make the plan of one start. See `Plan`, `make_tokens` and `clock.booted_at`.

    Args:
        added: hooks and drop-ins.
    """
    settings = reading.settings
    rows = (*added, *programs.desktop_programs(settings, place))
    files = dict(place.copies)
    if settings.enable_vnc:
        passwords = b"".join(rfb.obfuscate(each) for each in chance.rfb_passwords)
        files["Xauthority"] = xauthority(settings.display, chance.cookie)
        files["rfbauth"] = passwords
    return Plan(
        settings=settings,
        place=place,
        programs=tuple(sorted(rows, key=lambda row: (not row.hook, row.source))),
        levels=order(rows),
        tokens=make_tokens(settings, chance, extra, now) if settings.enable_vnc else (),
        extra=tuple(extra),
        tickets=dict(zip(Role, chance.tickets, strict=True)) if settings.vnc_link == "once" else {},
        files=files,
        folders=folders_of(settings, place),
        gate=gate_config(settings, place, booted),
        show_terminal=show_terminal,
        secret_variables=reading.secret_variables,
    )
