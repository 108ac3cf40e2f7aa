"""gate.json: what the conductor writes is what the gate reads."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

import pytest

from deskgate.gate.config import ConfigError, Target, cookie_suffix, read_config, read_target

from .samples import config, raw_config


def test_the_conductors_file_is_read() -> None:
    """All of it."""
    read = config(
        public_url="https://desk.test/",
        subpath="/desk/",
        frame_ancestors=["https://a.test"],
        trusted_proxies=["10.0.0.0/8", "::1"],
        cert="/c",
        key="/k",
        auth="none",
    )
    assert (read.host, read.port, read.web) == ("127.0.0.1", 8002, "/web")
    assert (read.subpath, read.public_url, read.open) == ("/desk/", "https://desk.test/", True)
    assert read.frame_ancestors == ("https://a.test",)
    assert read.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert (read.cert, read.key) == ("/c", "/k")


def test_what_is_not_given_is_nothing() -> None:
    """No proxy is trusted and no page may frame us unless it is listed."""
    read = config(trusted_proxies=[], frame_ancestors=None)
    assert (read.trusted_proxies, read.frame_ancestors) == ((), ())
    assert (read.public_url, read.cert, read.key, read.open) == (None, None, None, False)


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no listen": ({"listen": None}, "listen"),
    "a port as text": ({"listen": ["", "8002"]}, "listen"),
    "no web": ({"web": None}, "web"),
    "a subpath without slashes": ({"subpath": "desk"}, "subpath"),
    "another auth": ({"auth": "basic"}, "auth"),
    "another clipboard": ({"clipboard": "paste"}, "clipboard"),
    "a cert without a key": ({"cert": "/c"}, "cert"),
    "no list": ({"frame_ancestors": "https://a.test"}, "frame_ancestors"),
    "a flag as text": ({"query_tokens": "true"}, "query_tokens"),
    "no moment of the boot": ({"booted": None}, "booted"),
    "a flag for a moment": ({"booted": True}, "booted"),
    "a list of others": ({"frame_ancestors": [1]}, "frame_ancestors"),
    "no network": ({"trusted_proxies": ["localhost"]}, "trusted_proxies"),
    "rfb without a port": ({"rfb": "127.0.0.1"}, "rfb"),
    "rfb with a bad port": ({"rfb": "127.0.0.1:x"}, "rfb"),
}


@pytest.mark.parametrize(("changes", "key"), INVALID.values(), ids=INVALID)
def test_a_bad_value_is_named(changes: dict[str, Any], key: str) -> None:
    """By its key, in one line."""
    with pytest.raises(ConfigError, match=key):
        config(**changes)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", json.dumps([raw_config()])])
def test_what_is_no_object_is_refused(text: str) -> None:
    """Half a file too."""
    with pytest.raises(ConfigError, match="JSON"):
        read_config(text, "desk")


TARGETS = [
    ("127.0.0.1:5901", Target(host="127.0.0.1", port=5901)),
    ("[::1]:5901", Target(host="::1", port=5901)),
    ("unix_socket:/run/a:b.sock", Target(path="/run/a:b.sock")),
]


@pytest.mark.parametrize(("text", "target"), TARGETS)
def test_a_target_is_read_as_websockify_does(text: str, target: Target) -> None:
    """Its unix_socket form too."""
    assert read_target(text) == target


def test_desktops_on_one_host_name_have_cookies_of_their_own() -> None:
    """Ports and paths do not isolate cookies, so the name must."""
    names = {
        cookie_suffix(host, port, path)
        for host in ("a", "b")
        for port in (1, 2)
        for path in ("/", "/d/")
    }
    assert len(names) == 8
    assert all(len(name) == 8 for name in names)
