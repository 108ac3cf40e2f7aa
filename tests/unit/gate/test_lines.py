"""Line ends with one reading only."""

from __future__ import annotations

import pytest

from deskgate.gate.lines import has_one_reading

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX: y z\r\n\r\n"
REFUSED = {
    "bare line feeds": HEAD.replace(b"\r\n", b"\n"),
    "one at the end": HEAD[:-2] + b"\n",
    "one in the middle": HEAD.replace(b"a\r\n", b"a\n"),
    "one behind two carriage returns": HEAD.replace(b"a\r\n", b"a\r\r\n\n"),
    "a folded line": HEAD.replace(b"y z", b"y\r\n z"),
    "folded with a tab": HEAD.replace(b"y z", b"y\r\n\tz"),
    "one before all": b"\n" + HEAD,
}


def test_h8_a_head_of_whole_lines_has_one_reading() -> None:
    """As every browser sends it."""
    assert has_one_reading(HEAD)
    assert has_one_reading(b"")


@pytest.mark.parametrize("head", REFUSED.values(), ids=REFUSED)
def test_h8_a_head_of_other_line_ends_has_two_readings(head: bytes) -> None:
    """H8: a proxy before us may take it for another request than we do."""
    assert not has_one_reading(head)
