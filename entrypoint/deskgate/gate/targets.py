"""What a request target asks for: path, tokens and noVNC settings in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode

from deskgate.gate.limits import QUERY_FIELDS
from deskgate.tokens import MIN_SHORT_CHARACTERS, Role

Query = Sequence[tuple[str, str]]
WATCH = "watch/"
# Settings, of our page and of noVNC's, that survive our redirect. Not host, port, path, encrypt or
# password: they would point the viewer at another server, or carry a secret.
KEPT_SETTINGS = frozenset(
    {
        *("autoconnect", "bell", "compression", "quality", "reconnect", "reconnect_delay"),
        *("resize", "shared", "show_dot", "view_clip", "view_only"),
    }
)
# Shorter than any token, wherever a person may have put theirs.
KEPT_VALUE_CHARACTERS = MIN_SHORT_CHARACTERS - 1


class BadTargetError(ValueError):
    """A target that no browser of ours sends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A request target, decoded once.

    Args:
        path: begins with a slash; None when it tries to be something else than a plain path.
    """

    path: str | None
    query: Query

    @property
    def tickets(self) -> list[str]:
        """Every ticket in the query."""
        return [value for name, value in self.query if name == "ticket"]

    @property
    def tokens(self) -> list[str]:
        """Every token in the query: its own parameter, and those inside noVNC's `path`."""
        found = [value for name, value in self.query if name == "token"]
        for name, value in self.query:
            if name == "path" and "?" in value:
                inner = read_fields(value.partition("?")[2])
                found += [text for key, text in inner if key == "token"]
        return found


def read_target(text: str) -> Target:
    """Split and decode a request target.

    Raises:
        BadTargetError: its query has too many fields.
    """
    path, _, query = text.partition("?")
    return Target(path=_plain(path), query=read_fields(query))


def read_fields(text: str) -> list[tuple[str, str]]:
    """Read `a=1&b=2`, as in a query or a form.

    Raises:
        BadTargetError: too many fields.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=QUERY_FIELDS)
    except ValueError:
        raise BadTargetError("too many fields") from None


def _plain(path: str) -> str | None:
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None
    if not decoded.startswith("/") or "\\" in decoded or not decoded.isprintable():
        return None
    *folders, _last = decoded[1:].split("/")
    if any(part in {"", ".", ".."} for part in folders) or _last in {".", ".."}:
        return None
    return decoded


def name_in(path: str, subpath: str) -> str:
    """The name below our base: the prefix goes when it is there.

    A stripping proxy has taken it off already, so it may be missing.
    """
    return (path.removeprefix(subpath) if path.startswith(subpath) else path).lstrip("/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What of ours a path means.

    Args:
        name: below our base, and below `watch/`.
        watching: whether it stands there. A browser's control does not count in that area, so that
            both links can be open in one browser.
    """

    name: str
    watching: bool

    def way_to(self, role: Role) -> str:
        """The way to a role's own area; relative, as every link is."""
        if self.watching == (role is Role.VIEW):
            return "./"
        return "../" if self.watching else f"./{WATCH}"


def place_of(path: str, subpath: str) -> Place:
    """What a path means, see `name_in`."""
    name = name_in(path, subpath)
    return Place(name=name.removeprefix(WATCH), watching=name.startswith(WATCH))


def clean_location(name: str, query: Query, area: str = "./") -> str:
    """Where to send a browser that showed its token in the query: the same page without it.

    Always relative to the page itself, so that every prefix a proxy adds holds, and it cannot
    lead to another host.

    Args:
        area: the way to the role's own, see `Place.way_to`.
    """
    settings = {
        key: value
        for key, value in query
        if key in KEPT_SETTINGS and len(value) <= KEPT_VALUE_CHARACTERS
    }
    page = quote(name.rpartition("/")[2])
    return f"{area}{page}?{urlencode(settings)}" if settings else f"{area}{page}"
