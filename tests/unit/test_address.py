"""Links, taken apart."""

from __future__ import annotations

import pytest

from deskgate.address import Link, read_link
from deskgate.errors import UsageError

LINKS = {
    "http://localhost:8002/#token=5f0c\n": Link(
        scheme="http", host="localhost", port=8002, path="/", token="5f0c"
    ),
    "https://desk.example.org/lab/1/#token=5f0c": Link(
        scheme="https", host="desk.example.org", port=443, path="/lab/1/", token="5f0c"
    ),
    "http://[::1]:8002/": Link(scheme="http", host="::1", port=8002, path="/"),
    "http://desk": Link(scheme="http", host="desk", port=80, path="/"),
}


@pytest.mark.parametrize("text", LINKS)
def test_a_link_is_taken_apart(text: str) -> None:
    """As the banner prints it, or the address alone."""
    assert read_link(text) == LINKS[text]


@pytest.mark.parametrize(
    "text",
    ["", "localhost:8002", "ftp://desk/", "http://", "http://desk:port/", "http://desk/#ticket=5f"],
)
def test_what_is_no_link_is_refused_without_being_shown(text: str) -> None:
    """It may hold a token; and a ticket would be used up."""
    with pytest.raises(UsageError) as error:
        read_link(text)
    assert "desk:" not in str(error.value)
    assert "5f" not in str(error.value)


def test_an_origin_is_what_a_browser_says() -> None:
    """Without the port that goes by itself."""
    origins = {read_link(text).origin for text in LINKS}
    assert origins == {
        "http://localhost:8002",
        "https://desk.example.org",
        "http://[::1]:8002",
        "http://desk",
    }
    assert read_link("http://desk/a/b/").base == "http://desk/a/b/"


def test_only_loopback_is_local() -> None:
    """What leads to this machine and no other."""
    assert [read_link(text).local for text in LINKS] == [True, False, True, False]
