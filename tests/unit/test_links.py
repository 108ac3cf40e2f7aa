"""Links: the address that people use, and where the token stands in it."""

from __future__ import annotations

import pytest

from deskgate import links
from deskgate.tokens import Role

from . import samples

BASES = [
    ({}, "http://localhost:8002/"),
    ({"NOVNC_PORT": "9000"}, "http://localhost:9000/"),
    ({"SUBPATH": "desk/1"}, "http://localhost:8002/desk/1/"),
    ({"NOVNC_CERT": "/c", "NOVNC_KEY": "/k"}, "https://localhost:8002/"),
    ({"PUBLIC_URL": "https://desk.example.org"}, "https://desk.example.org/"),
    ({"PUBLIC_URL": "https://h/lab/1"}, "https://h/lab/1/"),
    ({"PUBLIC_URL": "https://h/lab/1", "SUBPATH": "/inner/"}, "https://h/lab/1/"),
    ({"PUBLIC_URL": "https://h", "SUBPATH": "/lab/"}, "https://h/lab/"),
]


@pytest.mark.parametrize(("environ", "base"), BASES, ids=[base for _, base in BASES])
def test_the_base_is_the_address_that_people_use(environ: dict[str, str], base: str) -> None:
    """A container cannot know its published port, so PUBLIC_URL wins over what it does know."""
    assert links.base_url(samples.reading_of(environ).settings) == base


def test_the_token_stands_in_the_fragment() -> None:
    """It reaches no server's log and no Referer (security design, 3.1)."""
    assert (
        samples.plan_of().link_of(Role.CONTROL) == f"http://localhost:8002/#token={samples.CONTROL}"
    )


def test_a_ticket_stands_in_the_fragment_as_well() -> None:
    """It is spent by who opens the link, not by who reads it in a log."""
    assert links.once_link("https://h/lab/", "5f5f") == "https://h/lab/#ticket=5f5f"


def test_stock_websockify_needs_the_token_inside_the_path() -> None:
    """noVNC dropped its own `token` setting in 1.1; the inner query is percent-encoded."""
    plan = samples.plan_of({"NOVNC_PROXY": "websockify"})
    assert plan.link_of(Role.CONTROL) == (
        "http://localhost:8002/vnc.html?path=websockify%3Ftoken%3D"
        f"{samples.CONTROL}&autoconnect=1&resize=remote"
    )
