"""Reading the settings: from variables and secret files to values, all problems at once. Pure.

Empty means unset. A secret's value is never shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deskgate import forms, tokens
from deskgate.errors import Problem, SettingsError, did_you_mean
from deskgate.foreign import Found, find_foreign
from deskgate.forms import FormError
from deskgate.settings import ROWS, Settings

# Reads the file that a `_FILE` variable names; raises FormError with what is wrong with it.
FileReader = Callable[[str], str]

OUR_PREFIXES: Final = ("VNC_", "NOVNC_", "NO_VNC_", "DESKGATE_", "XVNC_")
# What stock websockify cannot do.
NEED_THE_GATE: Final = (
    "VNC_VIEW_TOKEN",
    "VNC_TOKEN_TTL",
    "VNC_TOKENS_FILE",
    "VNC_FRAME_ANCESTORS",
    "VNC_TRUSTED_PROXIES",
    "VNC_TOKEN_HASH",
    "VNC_COOKIE_SUFFIX",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was read: the settings, where each came from, and what to warn about.

    Args:
        sources: canonical name → `default` or the variable that gave the value.
        hints: what only `deskgate check` tells, as who asks it wants to know.
        secret_variables: the variables that held a secret of ours, to be kept from programs.
    """

    settings: Settings
    sources: Mapping[str, str]
    warnings: tuple[str, ...]
    hints: tuple[str, ...]
    secret_variables: tuple[str, ...]


def variables_of(field: dataclasses.Field[Any]) -> tuple[str, ...]:
    """All names of one setting, canonical first."""
    return (field.name.upper(), *field.metadata["aliases"])


def _lookup(environ: Mapping[str, str], name: str) -> str | None:
    if "+" not in name:
        return environ.get(name) or None
    width, height = (environ.get(part) for part in name.split("+"))
    return f"{width}x{height}" if width and height else None


def _find(
    environ: Mapping[str, str], field: dataclasses.Field[Any], read_file: FileReader
) -> tuple[str, str] | None:
    """The variable that gives a setting and its text; None when it is not given."""
    for name in variables_of(field):
        text = _lookup(environ, name)
        path = environ.get(f"{name}_FILE") if field.metadata["secret"] else None
        if text and path:
            raise SettingsError(
                [Problem(name=name, given=None, allowed=f"set {name} or {name}_FILE, not both")]
            )
        if path:
            try:
                return f"{name}_FILE", read_file(path)
            except FormError as error:
                raise SettingsError(
                    [Problem(name=f"{name}_FILE", given=path, allowed=str(error))]
                ) from None
        if text:
            return name, text
    return None


def _refuse_control_bytes(text: str) -> None:
    if len(text.encode("utf-8", "surrogateescape")) > forms.MAX_VALUE_BYTES:
        raise FormError(f"give at most {forms.MAX_VALUE_BYTES} bytes")
    if any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in text):
        raise FormError("give one line of UTF-8 text, without control characters")


def read_settings(environ: Mapping[str, str], read_file: FileReader) -> Reading:
    """Read every setting.

    Raises:
        SettingsError: with all problems of all settings.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    secrets: list[str] = []
    for name, field in ROWS.items():
        about = field.metadata
        source, text = "default", about["default"]
        try:
            source, text = _find(environ, field, read_file) or (source, text)
            if text is not None:
                _refuse_control_bytes(text)
            values[field.name] = about["form"](text) if text is not None else _unset(field)
        except SettingsError as error:
            problems.extend(error.problems)
        except FormError as error:
            shown = None if about["secret"] else text
            problems.append(Problem(name=source, given=shown, allowed=str(error)))
        sources[name] = source
        if about["secret"]:
            secrets.extend(each for each in variables_of(field) if environ.get(each))
    problems.extend(_cross_problems(values, sources))
    if problems:
        raise SettingsError(problems)
    # The choices of a number are written as text.
    values["vnc_depth"] = int(values["vnc_depth"])
    warnings, hints = _remarks(environ)
    return Reading(
        settings=Settings(**values),
        sources=sources,
        warnings=tuple(warnings),
        hints=tuple(hints),
        secret_variables=tuple(secrets),
    )


def _unset(field: dataclasses.Field[Any]) -> Any:
    return () if str(field.type).startswith("tuple") else None


def _cross_problems(values: Mapping[str, Any], sources: Mapping[str, str]) -> list[Problem]:
    """What no single setting can tell. Looks only at settings that could be read."""
    found: list[Problem] = []
    get = values.get

    def refuse(name: str, allowed: str, *, given: str | None = None) -> None:
        source = sources[name]
        variable = name if source == "default" else source
        found.append(Problem(name=variable, given=given, allowed=allowed))

    for name in ("VNC_TOKEN", "VNC_VIEW_TOKEN"):
        token = get(name.lower())
        short = bool(get("vnc_allow_short_token"))
        if token is not None and (weak := tokens.weakness(token, short=short)):
            refuse(name, weak)
    if get("vnc_token") and get("vnc_token") == get("vnc_view_token"):
        refuse(
            "VNC_VIEW_TOKEN",
            f"the watch link needs a token of its own, not VNC_TOKEN's; {tokens.MAKE_ONE}",
        )
    if get("vnc_auth") == "none":
        if get("novnc_listen") not in ("127.0.0.1", "::1") and not get("vnc_auth_none"):
            refuse(
                "VNC_AUTH",
                "without tokens, anybody who reaches the port has the desktop: "
                "set NOVNC_LISTEN=127.0.0.1, or confirm with VNC_AUTH_NONE=true",
                given="none",
            )
        if any(get(name) for name in ("vnc_token", "vnc_view_token", "vnc_tokens_file")):
            refuse("VNC_AUTH", "a token is set as well; unset one of the two", given="none")
    if (get("novnc_cert") is None) != (get("novnc_key") is None):
        there, missing = ("CERT", "KEY") if get("novnc_cert") else ("KEY", "CERT")
        refuse(f"NOVNC_{there}", f"NOVNC_{missing} belongs to it; set both or none")
    if get("novnc_proxy") == "websockify":
        for name in NEED_THE_GATE:
            if get(name.lower()):
                refuse("NOVNC_PROXY", f"{name} needs the gate; unset it", given="websockify")
        for name, value in (("VNC_AUTH", "none"), ("VNC_LINK", "once")):
            if get(name.lower()) == value:
                allowed = f"{name}={value} needs the gate; unset it"
                refuse("NOVNC_PROXY", allowed, given="websockify")
    port = get("vnc_port") or (5900 + values["display"] if "display" in values else None)
    if get("vnc_transport") == "tcp" and port is not None and port == get("novnc_port"):
        refuse(
            "NOVNC_PORT",
            "Xvnc listens there (VNC_PORT); choose another, such as 8002",
            given=str(port),
        )
    return found


def _remarks(environ: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Warnings and hints about names that are no settings."""
    read_here: set[str] = set()
    for field in ROWS.values():
        for name in variables_of(field):
            read_here.update((name, f"{name}_FILE") if field.metadata["secret"] else (name,))
    foreign = {found.row.name: found for found in find_foreign(environ, read_here)}
    warnings: list[str] = []
    hints: list[str] = []
    for name, found in foreign.items():
        loud = found.row.guards or name.startswith(OUR_PREFIXES)
        (warnings if loud else hints).append(_describe(found))
    for name in environ:
        if name.startswith(OUR_PREFIXES) and name not in read_here | foreign.keys():
            hint = did_you_mean(name, read_here)
            warnings.append(f"{name} is not a setting of deskgate{hint}")
    return warnings, hints


def _describe(found: Found) -> str:
    return f"{found.row.name} is not used: {found.advice} (a name of {', '.join(found.peers)})"
