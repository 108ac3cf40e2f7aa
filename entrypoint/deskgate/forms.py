"""Forms: how the text of a setting becomes a value. Pure.

Each form takes the text as the person wrote it and returns the value, or raises `FormError` with
a sentence that says what is allowed and gives an example. It never repeats the text: `settings`
shows it, unless it is a secret.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

Form = Callable[[str], Any]

MAX_VALUE_BYTES: Final = 8192  # one setting; far above any honest one
MIN_SIDE: Final = 64  # pixels
MAX_SIDE: Final = 16384  # pixels; Xvnc refuses 32768 and more
MAX_PIXELS: Final = 64 * 1024 * 1024  # 256 MiB of framebuffer at 32 bits per pixel

# RFC 1918 and RFC 4193: what engines and clusters give to containers.
PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")

TRUE: Final = frozenset({"1", "true", "t", "y", "yes", "on", "enable", "enabled"})
FALSE: Final = frozenset({"0", "false", "f", "n", "no", "off", "disable", "disabled"})


class FormError(ValueError):
    """What is allowed, with an example. Never holds the text that was refused."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size of the screen, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def _whole_number(text: str, *, low: int, high: int, what: str, example: str) -> int:
    # [0-9], not \d: Unicode digits would pass int() and fail in the program that gets the text.
    if re.fullmatch(r"[0-9]{1,10}", text) and low <= int(text) <= high:
        return int(text)
    raise FormError(f"give {what} from {low} to {high}, such as {example}")


def boolean(text: str) -> bool:
    """Yes or no, in the words that the peers' images accept."""
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise FormError("give true or false (also 1/0, yes/no, on/off)")


def number(*, low: int, high: int, what: str, example: str) -> Form:
    """A whole number from `low` to `high`."""

    def form(text: str) -> int:
        return _whole_number(text, low=low, high=high, what=what, example=example)

    return form


def choice(*allowed: str) -> Form:
    """One of a closed set of words."""

    def form(text: str) -> str:
        if text.lower() in allowed:
            return text.lower()
        raise FormError(f"give one of: {', '.join(allowed)}")

    return form


def display(text: str) -> int:
    """`:1` → 1, the X display's number."""
    if re.fullmatch(r":[0-9]{1,4}", text):
        return int(text[1:])
    raise FormError("give a colon and a number from 0 to 9999, such as :1")


def geometry(text: str) -> Geometry:
    """`1280x800` in pixels."""
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    if found:
        size = Geometry(int(found[1]), int(found[2]))
        if all(MIN_SIDE <= side <= MAX_SIDE for side in (size.width, size.height)) and (
            size.width * size.height <= MAX_PIXELS
        ):
            return size
    raise FormError(
        f"give WIDTHxHEIGHT in pixels, each from {MIN_SIDE} to {MAX_SIDE}, such as 1280x800"
    )


def listen_address(text: str) -> str:
    """An address of this machine; `*` (all of them, IPv4 and IPv6) becomes empty."""
    if text in ("*", "0.0.0.0", "::", "[::]"):  # noqa: S104 - a container's port is published
        return ""
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        raise FormError("give an IP address to listen on, such as 127.0.0.1, or *") from None


def word_list(text: str) -> tuple[str, ...]:
    """Words, separated by spaces, lines or commas."""
    return tuple(word for word in re.split(r"[\s,]+", text) if word)


def public_url(text: str) -> str:
    """The address under which people reach the gate; kept without a trailing slash."""
    example = "such as https://desk.example.org/lab/1"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise FormError(f"give an http or https URL, {example}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise FormError(f"give an http or https URL, {example}")
    if parts.username is not None or parts.query or parts.fragment or "?" in text or "#" in text:
        raise FormError(f"give a URL without user, query and fragment, {example}")
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc):
        raise FormError(f"give a URL with a plain host name, {example}")
    return f"{parts.scheme}://{parts.netloc}{subpath(parts.path).rstrip('/')}"


def subpath(text: str) -> str:
    """A path prefix with a slash at both ends; `/` for none."""
    path = "/" + text.strip("/") + "/" if text.strip("/") else "/"
    if re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/", path) and "/../" not in path and "/./" not in path:
        return path
    raise FormError("give a path of letters, digits and . _ ~ - such as /desk/1/")


def duration(text: str) -> int:
    """`30m` → seconds. Units s, m, h, d; a bare number counts seconds."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    seconds = (
        int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]] if found else 0
    )
    if 0 < seconds <= 10 * 365 * 86400:
        return seconds
    raise FormError("give a time above 0 and up to 3650d, such as 30m, 12h or 7d")


def show_duration(seconds: int) -> str:
    """The shortest text that `duration` reads as these seconds."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def origins(text: str) -> tuple[str, ...]:
    """Origins that may frame the page, separated by spaces or commas; `self` for our own."""
    found = []
    for word in re.split(r"[ ,]+", text.strip(" ,")):
        if word in ("self", "'self'"):
            found.append("'self'")
        elif re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?", word):
            found.append(word)
        else:
            raise FormError("give origins, such as https://app.example.org, or self")
    return tuple(found)


def networks(text: str) -> tuple[str, ...]:
    """Addresses or networks, separated by spaces or commas; `private` for those that are."""
    found: list[str] = []
    try:
        for word in re.split(r"[ ,]+", text.strip(" ,")):
            found += PRIVATE if word == "private" else [str(ipaddress.ip_network(word))]
    except ValueError:
        raise FormError(
            "give addresses or networks, such as 10.0.0.0/8, 172.17.0.1, or private"
        ) from None
    return tuple(found)


def words(example: str) -> Form:
    """A command line, split as a shell splits it, without expansion."""

    def form(text: str) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(text))
        except ValueError:
            raise FormError(f"close the quotes, such as {example}") from None

    return form


def absolute_path(example: str) -> Form:
    """A path from the root."""

    def form(text: str) -> str:
        if text.startswith("/"):
            return text
        raise FormError(f"give a path that begins with /, such as {example}")

    return form


def plain_path(text: str) -> str:
    """A path from the root that needs no quoting anywhere."""
    if re.fullmatch(r"/[A-Za-z0-9._/@+-]{0,200}", text):
        return text
    raise FormError("give a path of letters, digits and . _ - + @ such as /run/desk")


def cookie_suffix(text: str) -> str:
    """A part of a cookie's name (RFC 6265, 4.1.1)."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text):
        return text
    raise FormError("give 1 to 32 letters, digits, _ and -, such as desk-1")


def locale_name(text: str) -> str:
    """A locale, such as `de_DE.UTF-8`."""
    if re.fullmatch(r"[A-Za-z0-9_.@-]{1,64}", text):
        return text
    raise FormError("give a locale, such as C.UTF-8 or de_DE.UTF-8")


def time_zone(text: str) -> str:
    """A zone of the tz database, or a POSIX TZ string."""
    if re.fullmatch(r":?[A-Za-z0-9_+,./<>-]{1,64}", text) and ".." not in text:
        return text
    raise FormError("give a time zone, such as Europe/Berlin or UTC")


def secret_text(text: str) -> str:
    """A secret as it stands; `tokens.weakness` judges it."""
    return text
