"""Where the packages are known, and what is said elsewhere."""

from __future__ import annotations

import pytest

from deskgate.distributions import read_fields, read_list, refuse_other
from deskgate.errors import MissingFileError, Status

BASES = "Debian 12 or newer, Ubuntu 24.04 or newer, or what stands on them"
# id → the fields of its /etc/os-release.
KNOWN = {
    "bookworm": "ID=debian VERSION_ID=12",
    "trixie": "ID=debian VERSION_ID=13",
    "testing": "ID=debian",
    "noble": "ID=ubuntu ID_LIKE=debian VERSION_ID=24.04",
    "newer ubuntu": "ID=ubuntu VERSION_ID=25.04",
    "stands on them": "ID=linuxmint VERSION_ID=22",
    "names only its family": "ANY=thing",
}
# id → the fields, whether apt-get is there, what is missing, and what is said.
OTHER = {
    "alpine": (
        "ID=alpine PRETTY_NAME=Alpine VERSION_ID=3.20",
        False,
        ["Xvnc", "jwm"],
        f"install: cannot install on Alpine: give the image a base of {BASES}; "
        "or install what is missing, Xvnc, jwm, by its own packages",
    ),
    "fedora with all in place": (
        "ID=fedora PRETTY_NAME=Fedora",
        False,
        [],
        f"install: cannot install on Fedora: give the image a base of {BASES}",
    ),
    "bullseye": (
        "ID=debian PRETTY_NAME=Debian-11 VERSION_ID=11",
        True,
        ["Xvnc"],
        f"install: cannot install on Debian-11: it is too old: give the image a base of {BASES}",
    ),
    "jammy": (
        "ID=ubuntu VERSION_ID=22.04",
        True,
        [],
        f"install: cannot install on ubuntu: it is too old: give the image a base of {BASES}",
    ),
    "no apt": (
        "ID=debian VERSION_ID=12",
        False,
        ["Xvnc"],
        "install: cannot install on debian: apt-get is missing: give the image a base that has "
        "it, such as debian:trixie-slim",
    ),
    "nothing known": (
        "",
        True,
        [],
        f"install: cannot install on an unknown system: give the image a base of {BASES}",
    ),
}


def fields(told: str) -> dict[str, str]:
    """Words NAME=VALUE as fields."""
    return dict(read_fields(told.replace(" ", "\n")))


@pytest.mark.parametrize("told", KNOWN.values(), ids=KNOWN)
def test_a_known_distribution_is_taken(told: str) -> None:
    """One without a version is newer than all; of a relative's version nothing is known."""
    known = {"ID_LIKE": "ubuntu debian", **fields(told)}
    refuse_other(known, has_apt=True, missing=["Xvnc"])


@pytest.mark.parametrize(("told", "has_apt", "missing", "said"), OTHER.values(), ids=OTHER)
def test_another_is_named_with_what_is_missing(
    told: str, has_apt: bool, missing: list[str], said: str
) -> None:
    """And with what to do."""
    with pytest.raises(MissingFileError) as caught:
        refuse_other(fields(told), has_apt=has_apt, missing=missing)
    assert str(caught.value) == said
    assert caught.value.status == Status.NO_INPUT


def test_the_fields_of_os_release_are_read() -> None:
    """With or without quotes; comments and empty lines are none."""
    text = "# PRETTY\n\nID=debian\nVERSION_ID=\"13\"\nPRETTY_NAME='A B'\nURL=http://a/?b=c\n"
    assert read_fields(text) == {
        "ID": "debian",
        "VERSION_ID": "13",
        "PRETTY_NAME": "A B",
        "URL": "http://a/?b=c",
    }


def test_a_list_is_names_with_reasons() -> None:
    """One a line."""
    assert read_list("# Why.\n\nxterm  # a terminal\n jwm\n") == ["xterm", "jwm"]
