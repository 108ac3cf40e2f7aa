"""Line ends with one reading only."""

from __future__ import annotations

import pytest

from deskgate.gate.lines import LineCheck

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX: y z\r\n\r\n"
ALLOWED = [b"", HEAD, HEAD * 2, HEAD + b"token=a b"]
REFUSED = [
    *(b"\n", b"a\nb", b"a\r\r\n\nb", HEAD.replace(b"\r\n", b"\n"), b"a\r\n b", b"a\r\n\tb"),
    HEAD + b"\n",
]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("data", [*ALLOWED, *REFUSED])
def test_a_head_is_judged_alike_however_it_comes(data: bytes, size: int) -> None:
    """Bare line feeds and folded lines, split at every place."""
    check = LineCheck()
    allowed = all(check.allows(data[at : at + size]) for at in range(0, len(data), size))
    assert allowed == (data in ALLOWED)
