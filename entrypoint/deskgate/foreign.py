"""Names by which other images set what deskgate sets, and what to use here. Pure.

The one table of them: `deskgate check` and the warnings of a start go by it, and the pages of the
docs that lead from each image to ours. A name that is read here as it stands has a row as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Foreign:
    """What one name of another image is here.

    Args:
        name: a variable, a file, or an option that begins with `-`; `A+B` for two that make one.
        ours: the settings that do it here, without a value or as `NAME=value`; none when there is
            nothing to set.
        remark: what differs, or what to do instead, as a sentence without its end.
        guards: whether who sets it believes that this protects the desktop: then a start warns.
    """

    name: str
    ours: tuple[str, ...]
    remark: str = ""
    guards: bool = False


TOKEN: Final = ("VNC_TOKEN",)
TLS: Final = ("NOVNC_CERT", "NOVNC_KEY")
THE_LINKS: Final = "the links carry a token of 32 characters or more instead of a password"
NO_USERS: Final = "there are no users; deskgate token add --name alice makes a link for each"
OPEN: Final = "the links carry a token all the same; open to anybody only by VNC_AUTH=none"
WATCH: Final = "the watch link is always there; give only that one away"
INSIDE: Final = "Xvnc listens inside the container only; VNC clients come by the gate's WebSocket"
PINGS: Final = "the gate pings every viewer by itself"
NO_SOUND: Final = "there is no sound"
NO_FILES: Final = "there is no file transfer; mount a folder"
PROGRAM: Final = "a program of yours goes into /etc/deskgate/programs.d, or is your command"
LEVEL: Final = "debug, info, warning or error"

# The image or program → its names, in the order of our settings.
PEERS: Final[Mapping[str, tuple[Foreign, ...]]] = {
    "jlesage/docker-baseimage-gui": (
        Foreign("DISPLAY_WIDTH+DISPLAY_HEIGHT", ("VNC_GEOMETRY",)),
        Foreign("DISABLE_GLX", ("XVNC_ARGS=-extension GLX",)),
        Foreign("WEB_LISTENING_PORT", ("NOVNC_PORT",), "5800 there"),
        Foreign("VNC_LISTENING_PORT", (), INSIDE),
        Foreign("VNC_PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("WEB_AUTHENTICATION", TOKEN, NO_USERS, guards=True),
        Foreign("WEB_AUTHENTICATION_USERNAME", (), NO_USERS, guards=True),
        Foreign("WEB_AUTHENTICATION_PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("WEB_AUTHENTICATION_TOKEN_VALIDITY_TIME", ("VNC_TOKEN_TTL",), "such as 24h"),
        Foreign("SECURE_CONNECTION", TLS, "no certificate is made; bring one", guards=True),
        Foreign("SECURE_CONNECTION_VNC_METHOD", (), INSIDE, guards=True),
        Foreign("WEB_LOCALHOST_ONLY", ("NOVNC_LISTEN=127.0.0.1",), guards=True),
        Foreign("VNC_LOCALHOST_ONLY", (), INSIDE),
        Foreign("WEB_HOST_CLIPBOARD_SYNC", ("VNC_CLIPBOARD",), "in, out, both or off"),
        Foreign("WEB_FILE_MANAGER", (), NO_FILES),
        Foreign("WEB_AUDIO", (), NO_SOUND),
        Foreign("USER_ID", ("PUID",)),
        Foreign("GROUP_ID", ("PGID",)),
        Foreign("SUP_GROUP_IDS", (), "there are no further groups; use docker run --group-add"),
        Foreign("UMASK", (), "a program of yours may have its own umask"),
        Foreign("LANG", ("LANG",)),
        Foreign("TZ", ("TZ",)),
        Foreign("ENABLE_CJK_FONT", (), "install a font's package in your image"),
        Foreign("/startapp.sh", (), PROGRAM),
        Foreign("APP_NAME", (), "your program names its window"),
        Foreign("KEEP_APP_RUNNING", (), f"autorestart=true; {PROGRAM}"),
        Foreign("CONTAINER_DEBUG", ("LOG_LEVEL=debug",)),
        Foreign("SERVICES_GRACETIME", (), "each program has its stopwaitsecs; all end within 9 s"),
    ),
    "linuxserver/docker-baseimage-selkies": (
        Foreign("SELKIES_MANUAL_WIDTH", ("VNC_GEOMETRY",), "WIDTHxHEIGHT"),
        Foreign("SELKIES_MANUAL_HEIGHT", ("VNC_GEOMETRY",), "WIDTHxHEIGHT"),
        Foreign("MAX_RES", ("VNC_GEOMETRY",), "the size at the start; a viewer changes it freely"),
        Foreign("SELKIES_SCALING_DPI", ("VNC_DPI",)),
        Foreign("CUSTOM_PORT", ("NOVNC_PORT",), "3000 there"),
        Foreign("CUSTOM_HTTPS_PORT", ("NOVNC_PORT", *TLS), "with a certificate the port is https"),
        Foreign("CUSTOM_USER", (), NO_USERS, guards=True),
        Foreign("PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("SELKIES_MASTER_TOKEN", TOKEN, "32 characters or more", guards=True),
        Foreign("SELKIES_ENABLE_SHARED", (), WATCH),
        Foreign("SUBFOLDER", ("SUBPATH",)),
        Foreign("SELKIES_CLIPBOARD_ENABLED", ("VNC_CLIPBOARD",), "in, out, both or off"),
        Foreign("SELKIES_FILE_TRANSFERS", (), NO_FILES),
        Foreign("SELKIES_AUDIO_ENABLED", (), NO_SOUND),
        Foreign("PUID", ("PUID",)),
        Foreign("PGID", ("PGID",)),
        Foreign("LC_ALL", ("LANG",)),
        Foreign("TZ", ("TZ",)),
        Foreign("RESTART_APP", (), f"autorestart=true; {PROGRAM}"),
        Foreign("SELKIES_DEBUG", ("LOG_LEVEL=debug",)),
    ),
    "accetto/ubuntu-vnc-xfce-g3": (
        Foreign("DISPLAY", ("DISPLAY",)),
        Foreign("VNC_RESOLUTION", ("VNC_GEOMETRY",)),
        Foreign("VNC_COL_DEPTH", ("VNC_DEPTH",)),
        Foreign("VNC_PORT", ("VNC_PORT",), INSIDE),
        Foreign("NOVNC_PORT", ("NOVNC_PORT",), "6901 there"),
        Foreign("NOVNC_HOME", ("NOVNC_WEB",)),
        Foreign("NOVNC_HEARTBEAT", (), PINGS),
        Foreign("VNC_PW", TOKEN, THE_LINKS, guards=True),
        Foreign("VNC_VIEW_ONLY", (), WATCH, guards=True),
    ),
    "ConSol/docker-headless-vnc-container": (
        Foreign("DISPLAY", ("DISPLAY",)),
        Foreign("VNC_RESOLUTION", ("VNC_GEOMETRY",)),
        Foreign("VNC_COL_DEPTH", ("VNC_DEPTH",)),
        Foreign("VNC_PORT", ("VNC_PORT",), INSIDE),
        Foreign("NO_VNC_PORT", ("NOVNC_PORT",), "6901 there"),
        Foreign("NO_VNC_HOME", ("NOVNC_WEB",)),
        Foreign("VNC_PW", TOKEN, THE_LINKS, guards=True),
        Foreign("VNC_PASSWORDLESS", ("VNC_AUTH=none",), OPEN, guards=True),
        Foreign("VNC_VIEW_ONLY", (), WATCH, guards=True),
    ),
    "fcwu/docker-ubuntu-vnc-desktop": (
        Foreign("RESOLUTION", ("VNC_GEOMETRY",)),
        Foreign("DISPLAY", ("DISPLAY",)),
        Foreign("OPENBOX_ARGS", ("DESKTOP",), "the window manager's whole command line"),
        Foreign("X11VNC_ARGS", ("XVNC_ARGS",), "Xvnc's own options, not x11vnc's"),
        Foreign("SSL_PORT", ("NOVNC_PORT", *TLS), "with a certificate the port is https"),
        Foreign("VNC_PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("HTTP_PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("RELATIVE_URL_ROOT", ("SUBPATH",)),
        Foreign("USER", ("PUID",), "a number"),
        Foreign("PASSWORD", (), "the desktop's user has no password"),
        Foreign("ALSADEV", (), NO_SOUND),
    ),
    "SeleniumHQ/docker-selenium": (
        Foreign("SE_START_XVFB", ("ENABLE_VNC",)),
        Foreign("SE_START_VNC", ("ENABLE_VNC",)),
        Foreign("SE_START_NO_VNC", ("ENABLE_VNC",)),
        Foreign("DISPLAY", ("DISPLAY",)),
        Foreign("DISPLAY_NUM", ("DISPLAY",), "with a colon, such as :99"),
        Foreign("SE_SCREEN_WIDTH", ("VNC_GEOMETRY",), "WIDTHxHEIGHT"),
        Foreign("SE_SCREEN_HEIGHT", ("VNC_GEOMETRY",), "WIDTHxHEIGHT"),
        Foreign("SE_SCREEN_DEPTH", ("VNC_DEPTH",)),
        Foreign("SE_SCREEN_DPI", ("VNC_DPI",)),
        Foreign("SE_VNC_PORT", (), INSIDE),
        Foreign("SE_NO_VNC_PORT", ("NOVNC_PORT",), "7900 there"),
        Foreign("SE_BIND_HOST", ("NOVNC_LISTEN",)),
        Foreign("SE_ENABLE_TLS", TLS, guards=True),
        Foreign("SE_HTTPS_CERTIFICATE", TLS, "PEM, the chain and its key"),
        Foreign("SE_VNC_PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("SE_VNC_NO_PASSWORD", ("VNC_AUTH=none",), OPEN),
        Foreign("SE_VNC_VIEW_ONLY", (), WATCH, guards=True),
        Foreign("SE_ROUTER_USERNAME", (), NO_USERS, guards=True),
        Foreign("SE_ROUTER_PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("SE_SUB_PATH", ("SUBPATH",)),
        Foreign("SE_EXTERNAL_URL", ("PUBLIC_URL",)),
        Foreign("LANG_WHICH", ("LANG",), "such as de_DE.UTF-8"),
        Foreign("LANG_WHERE", ("LANG",), "such as de_DE.UTF-8"),
        Foreign("TZ", ("TZ",)),
        Foreign("SE_SUPERVISORD_LOG_LEVEL", ("LOG_LEVEL",), LEVEL),
        Foreign("SE_STRUCTURED_LOGS", ("LOG_FORMAT=json",)),
        Foreign("SE_VNC_ULIMIT", (), "Xvnc needs no limit of open files"),
    ),
    "m1k1o/neko": (
        Foreign("NEKO_DESKTOP_SCREEN", ("VNC_GEOMETRY",), "without the frame rate"),
        Foreign("NEKO_DESKTOP_DISPLAY", ("DISPLAY",)),
        Foreign("NEKO_SERVER_BIND", ("NOVNC_LISTEN", "NOVNC_PORT"), "address and port apart"),
        Foreign("NEKO_SERVER_STATIC", ("NOVNC_WEB",)),
        Foreign("NEKO_SERVER_CERT", ("NOVNC_CERT",), guards=True),
        Foreign("NEKO_SERVER_KEY", ("NOVNC_KEY",), guards=True),
        Foreign("NEKO_SESSION_HEARTBEAT_INTERVAL", (), PINGS),
        Foreign("NEKO_MEMBER_PROVIDER", (), NO_USERS, guards=True),
        Foreign("NEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD", TOKEN, THE_LINKS, guards=True),
        Foreign("NEKO_MEMBER_MULTIUSER_USER_PASSWORD", ("VNC_VIEW_TOKEN",), THE_LINKS, guards=True),
        Foreign("NEKO_SESSION_API_TOKEN", TOKEN, "the control link's token opens /api as well"),
        Foreign("NEKO_SESSION_COOKIE_EXPIRATION", ("VNC_TOKEN_TTL",)),
        Foreign("NEKO_SERVER_PATH_PREFIX", ("SUBPATH",)),
        Foreign("NEKO_LOG_LEVEL", ("LOG_LEVEL",), LEVEL),
        Foreign("NEKO_LOG_JSON", ("LOG_FORMAT=json",)),
        Foreign("NEKO_DEBUG", ("LOG_LEVEL=debug",)),
    ),
    "novnc/websockify": (
        Foreign("--web", ("NOVNC_WEB",)),
        Foreign("--cert", ("NOVNC_CERT",)),
        Foreign("--key", ("NOVNC_KEY",)),
        Foreign("--ssl-only", TLS, "with a certificate nothing else is served"),
        Foreign("--token-plugin", (), "VNC_TOKENS_FILE has the form of TokenFile"),
        Foreign("--token-source", ("VNC_TOKENS_FILE",), "name, role and end in a comment above"),
        Foreign("--auth-plugin", (), NO_USERS),
        Foreign("--unix-target", ("VNC_TRANSPORT=unix",)),
        Foreign("--heartbeat", (), PINGS),
        Foreign("--log-file", (), "lines go to stderr; LOG_FORMAT=json has their times"),
    ),
}
# Set for other reasons just as often, so their being there tells nothing.
COMMON: Final = frozenset({"DISPLAY_NUM", "LC_ALL", "PASSWORD", "UMASK", "USER"})


@dataclass(frozen=True, slots=True)
class Found:
    """A name of another image that is set, and whose."""

    peers: tuple[str, ...]
    row: Foreign

    @property
    def advice(self) -> str:
        """What to do here."""
        use = f"set {' and '.join(self.row.ours)}" if self.row.ours else ""
        return "; ".join(part for part in (use, self.row.remark) if part)


def find_foreign(environ: Mapping[str, str], read_here: Set[str]) -> list[Found]:
    """The names of other images that are set and that nothing here reads, sorted.

    Args:
        read_here: the names that deskgate reads itself.
    """
    found: dict[str, Found] = {}
    for peer, rows in PEERS.items():
        for row in rows:
            if environ.get(row.name) and row.name not in read_here | COMMON:
                before = found.get(row.name)
                peers = (*before.peers, peer) if before else (peer,)
                found[row.name] = Found(peers, before.row if before else row)
    return [found[name] for name in sorted(found)]
