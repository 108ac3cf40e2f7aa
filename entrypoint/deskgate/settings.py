"""Settings: one row per environment variable. Pure.

A row is a field of `Settings`: its name is the variable's in lower case, its metadata say how to
read it. Adding a setting is adding a field; `reading`, `deskgate check`, the docs and the tests go
by the rows.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from deskgate import forms
from deskgate.forms import Geometry
from deskgate.rows import row

SECTIONS: Final = ("desktop", "gate", "links and tokens", "system")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Every setting in force. A field is the variable of the same name in upper case."""

    enable_vnc: bool = row(
        forms.boolean,
        "start the desktop; without it, only your command runs",
        section="desktop",
        default="true",
        aliases=("OH_ENABLE_VNC",),
    )
    display: int = row(forms.display, "the X display's number", section="desktop", default=":1")
    vnc_geometry: Geometry = row(
        forms.geometry,
        "size of the screen in pixels until a viewer resizes it",
        section="desktop",
        default="1280x800",
        aliases=("VNC_RESOLUTION", "RESOLUTION", "DISPLAY_WIDTH+DISPLAY_HEIGHT"),
    )
    vnc_depth: int = row(
        forms.choice("16", "24"),
        "colour depth in bits per pixel: 16 or 24",
        section="desktop",
        default="24",
        aliases=("VNC_COL_DEPTH",),
    )
    vnc_dpi: int = row(
        forms.number(low=24, high=960, what="dots per inch", example="96"),
        "resolution in dots per inch that X reports to programs",
        section="desktop",
        default="96",
    )
    desktop: tuple[str, ...] = row(
        forms.words("jwm -f /etc/jwmrc"),
        "desktop: jwm, xfce, none, or the command line of a window manager of your own",
        section="desktop",
        default="jwm",
    )
    vnc_clipboard: str = row(
        forms.choice("both", "in", "out", "off"),
        "which way text may be pasted: in (to the desktop), out, both or off",
        section="desktop",
        default="both",
    )
    vnc_transport: str = row(
        forms.choice("tcp", "unix"),
        "how the gate reaches Xvnc: tcp on loopback, or a unix socket",
        section="desktop",
        default="tcp",
    )
    vnc_port: int | None = row(
        forms.number(low=1, high=65535, what="a port", example="5901"),
        "Xvnc's RFB port on loopback; unset: 5900 + the display's number",
        section="desktop",
    )
    xvnc_args: tuple[str, ...] = row(
        forms.words('-dpi 120 -desktop "my desk"'),
        "more arguments for Xvnc, after ours",
        section="desktop",
    )
    novnc_port: int = row(
        forms.number(low=1, high=65535, what="a port", example="8002"),
        "the gate's port, the one that you publish",
        section="gate",
        default="8002",
        aliases=("NO_VNC_PORT",),
    )
    novnc_listen: str = row(
        forms.listen_address, "address that the gate listens on", section="gate", default="*"
    )
    novnc_proxy: str = row(
        forms.choice("gate", "websockify"),
        "what serves the port: our gate, or stock websockify, which has no watch link",
        section="gate",
        default="gate",
    )
    novnc_web: str | None = row(
        forms.absolute_path("/opt/novnc"),
        "folder of noVNC's files; unset: the ones that deskgate ships",
        section="gate",
        aliases=("NOVNC_HOME", "NO_VNC_HOME"),
    )
    novnc_cert: str | None = row(
        forms.absolute_path("/run/secrets/tls.crt"), "TLS certificate chain, PEM", section="gate"
    )
    novnc_key: str | None = row(
        forms.absolute_path("/run/secrets/tls.key"), "TLS private key, PEM", section="gate"
    )
    vnc_frame_ancestors: tuple[str, ...] = row(
        forms.origins, "origins whose pages may embed the desktop", section="gate"
    )
    vnc_trusted_proxies: tuple[str, ...] = row(
        forms.networks,
        "reverse proxies whose X-Forwarded headers count: addresses, networks, or private",
        section="gate",
    )
    public_url: str | None = row(
        forms.public_url,
        "address that people use, for the printed links",
        section="links and tokens",
    )
    subpath: str = row(
        forms.subpath,
        "path under which a reverse proxy shows the gate",
        section="links and tokens",
        default="/",
        aliases=("SUBFOLDER",),
    )
    vnc_auth: str = row(
        forms.choice("token", "none"),
        "who gets in: token, its holders, or none, which is anybody (see VNC_AUTH_NONE)",
        section="links and tokens",
        default="token",
    )
    vnc_auth_none: bool = row(
        forms.boolean,
        "confirms VNC_AUTH=none when the gate listens beyond loopback",
        section="links and tokens",
        default="false",
    )
    vnc_token: str | None = row(
        forms.secret_text,
        "token of the control link; unset: a new one at each start",
        section="links and tokens",
        aliases=("SESSION_API_KEY", "OH_SESSION_API_KEYS_0"),
        secret=True,
    )
    vnc_view_token: str | None = row(
        forms.secret_text,
        "token of the watch link; unset: a new one at each start",
        section="links and tokens",
        secret=True,
    )
    vnc_link: str = row(
        forms.choice("token", "once"),
        "what the printed links hold: token, or once, a ticket for one use within ten minutes",
        section="links and tokens",
        default="token",
    )
    vnc_qr: bool = row(
        forms.boolean,
        "print the control link as a QR code as well, for a phone; needs PUBLIC_URL",
        section="links and tokens",
        default="false",
    )
    vnc_token_ttl: int | None = row(
        forms.duration,
        "how long the two tokens live, such as 12h; unset: as long as the container",
        section="links and tokens",
    )
    vnc_tokens_file: str | None = row(
        forms.absolute_path("/etc/deskgate/tokens"),
        "more tokens, as rows of a websockify token file; a changed file counts at once",
        section="links and tokens",
    )
    vnc_token_in_query: bool = row(
        forms.boolean,
        "take tokens in a query (?token=…), which proxies log; off: only #token, form and Bearer",
        section="links and tokens",
        default="true",
    )
    vnc_token_hash: bool = row(
        forms.boolean,
        "keep no token in clear in the runtime folder; `deskgate url --ttl 12h` makes a new link",
        section="links and tokens",
        default="false",
    )
    vnc_allow_short_token: bool = row(
        forms.boolean,
        "allow tokens of your own of 16 to 31 characters",
        section="links and tokens",
        default="false",
    )
    vnc_cookie_suffix: str | None = row(
        forms.cookie_suffix,
        "tells desktops on one host name apart; unset: made of host name, port and path",
        section="links and tokens",
    )
    puid: int | None = row(
        forms.number(low=0, high=2**31 - 2, what="a user id", example="1000"),
        "user id of the desktop and your command, when started as root",
        section="system",
        aliases=("USER_ID",),
    )
    pgid: int | None = row(
        forms.number(low=0, high=2**31 - 2, what="a group id", example="1000"),
        "their group id, when started as root; unset: PUID",
        section="system",
        aliases=("GROUP_ID",),
    )
    tz: str | None = row(forms.time_zone, "time zone of your programs", section="system")
    lang: str | None = row(forms.locale_name, "locale of your programs", section="system")
    base_entrypoint: tuple[str, ...] = row(
        forms.words('sh -c "exec my-entrypoint"'),
        "words before your command, such as the base image's own entrypoint",
        section="system",
    )
    log_level: str = row(
        forms.choice("debug", "info", "warning", "error"),
        "least level of the lines on stderr: debug, info, warning or error",
        section="system",
        default="info",
    )
    log_format: str = row(
        forms.choice("text", "json"),
        "form of the lines on stderr: text or json",
        section="system",
        default="text",
    )
    deskgate_runtime_dir: str | None = row(
        forms.plain_path,
        "runtime folder; unset: /run/deskgate, $XDG_RUNTIME_DIR/deskgate or /tmp/deskgate-UID",
        section="system",
    )
    deskgate_debug: bool = row(forms.boolean, "show tracebacks", section="system", default="false")


ROWS: Final = {field.name.upper(): field for field in dataclasses.fields(Settings)}
