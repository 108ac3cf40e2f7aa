"""What a request target is read as: path, tokens, settings; and the target it is cleaned to."""

from __future__ import annotations

import pytest

from deskgate.gate import limits
from deskgate.gate.targets import (
    BadTargetError,
    Place,
    clean_location,
    name_in,
    place_of,
    read_fields,
    read_target,
)
from deskgate.tokens import Role

PATHS = {
    "/": "/",
    "/app/ui.js?a=/../b": "/app/ui.js",
    "/%C3%A9%20x.html": "/é x.html",
    "/%252e%252e/x": "/%2e%2e/x",
    "/a..b/.c": "/a..b/.c",
    "/app/": "/app/",
    # Something else than a plain path
    "": None,
    "*": None,
    "a": None,
    "//evil": None,
    "/a//b": None,
    "/./a": None,
    "/a/%2e%2e/b": None,
    "/..": None,
    "/a/.": None,
    "/a%5cb": None,
    "/%00": None,
    "/%0d%0aX:1": None,
    "/%ff": None,
    "/\u202e": None,
}


@pytest.mark.parametrize(("target", "path"), PATHS.items(), ids=ascii)
def test_a_path_is_decoded_once_and_plain_or_none(target: str, path: str | None) -> None:
    """What two programs could read in two ways is no path."""
    assert read_target(target).path == path


TOKENS = {
    "/": [],
    "/?token=a": ["a"],
    "/?token=": [""],
    "/?token=a&token=b": ["a", "b"],
    "/?TOKEN=a&token[]=a&tokens=a": [],
    "/?token=%61+b": ["a b"],
    "/?path=websockify?token=a": ["a"],
    "/?path=websockify%3Ftoken%3Da%26x%3D1": ["a"],
    "/?path=a?token=b&token=c&path=d?token=e": ["c", "b", "e"],
    "/?path=token=a": [],
    "/?other=a?token=b": [],
}


@pytest.mark.parametrize(("target", "found"), TOKENS.items())
def test_every_token_of_a_query_is_found(target: str, found: list[str]) -> None:
    """Also noVNC's own, inside its `path`: one that is missed would be a second reading."""
    assert read_target(target).tokens == found


def test_a_ticket_is_found_in_the_query_alone() -> None:
    """Ours is never inside noVNC's `path`; of two, each reader might take another."""
    assert read_target("/?ticket=a&token=b").tickets == ["a"]
    assert read_target("/?ticket=a&ticket=").tickets == ["a", ""]
    assert read_target("/?path=websockify?ticket=a&TICKET=b").tickets == []


def test_too_many_fields_are_refused_wherever_they_stand() -> None:
    """Reading them costs time, and no browser of ours sends so many."""
    fields = "&".join(["a=1"] * limits.QUERY_FIELDS)
    assert len(read_fields(fields)) == limits.QUERY_FIELDS
    with pytest.raises(BadTargetError):
        read_target(f"/?{fields}&a=1")
    inner = fields.replace("&", "%26")
    assert read_target(f"/?path=w?{inner}").tokens == []
    with pytest.raises(BadTargetError):
        _ = read_target(f"/?path=w?{inner}%26a").tokens


NAMES = [
    ("/", "/", ""),
    ("/vnc.html", "/", "vnc.html"),
    ("/desk/vnc.html", "/desk/", "vnc.html"),
    ("/vnc.html", "/desk/", "vnc.html"),
    ("/desk/", "/desk/", ""),
    ("/desk", "/desk/", "desk"),
    ("/desk/desk/a", "/desk/", "desk/a"),
]


@pytest.mark.parametrize(("path", "subpath", "name"), NAMES)
def test_our_prefix_goes_once_when_it_is_there(path: str, subpath: str, name: str) -> None:
    """A proxy may have taken it off."""
    assert name_in(path, subpath) == name


PLACES = [
    ("/", "", False, "./", "./watch/"),
    ("/desk/vnc.html", "vnc.html", False, "./", "./watch/"),
    ("/watch/", "", True, "../", "./"),
    ("/desk/watch/vnc.html", "vnc.html", True, "../", "./"),
    ("/watch/watch/", "watch/", True, "../", "./"),
    ("/watch", "watch", False, "./", "./watch/"),
    ("/watcher/", "watcher/", False, "./", "./watch/"),
]


@pytest.mark.parametrize(("path", "name", "watching", "to_control", "to_view"), PLACES)
def test_those_who_watch_have_an_area_of_their_own(
    path: str, name: str, watching: bool, to_control: str, to_view: str
) -> None:
    """With the same names in it; the ways between the two are relative."""
    place = place_of(path, "/desk/")
    assert place == Place(name=name, watching=watching)
    assert place.way_to(Role.CONTROL) == to_control
    assert place.way_to(Role.VIEW) == to_view


LOCATIONS = [
    ("", (), "./"),
    ("", (("resize", "scale"),), "./?resize=scale"),
    ("vnc.html", (), "./vnc.html"),
    ("a/", (), "./"),
    ("a/b c.html", (), "./b%20c.html"),
    ("//evil/x.html", (), "./x.html"),
    ("vnc.html", (("quality", "9\r\nX: 1"),), "./vnc.html?quality=9%0D%0AX%3A+1"),
    (
        "vnc.html",
        (("host", "evil"), ("path", "x"), ("token", "t"), ("password", "p")),
        "./vnc.html",
    ),
]


@pytest.mark.parametrize(("name", "query", "location"), LOCATIONS)
def test_a_link_is_cleaned_to_the_same_page(
    name: str, query: tuple[tuple[str, str], ...], location: str
) -> None:
    """Below where it was, without what carries a secret or leads elsewhere."""
    assert clean_location(name, query) == location


def test_a_link_may_lead_to_the_other_area() -> None:
    """With its settings."""
    query = [("resize", "scale")]
    assert clean_location("", query, "./watch/") == "./watch/?resize=scale"
    assert clean_location("vnc.html", (), "../") == "../vnc.html"


def test_only_a_short_setting_is_kept() -> None:
    """Whatever it is called: a text as long as the shortest token may be one."""
    kept, token = "9" * 15, "9" * 16
    assert clean_location("a.html", [("quality", kept)]) == f"./a.html?quality={kept}"
    assert clean_location("a.html", [("quality", token)]) == "./a.html"
