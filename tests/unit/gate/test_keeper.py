"""What the gate remembers beyond its own life."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskgate.gate.keeper import load_denied
from deskgate.gate.sessions import Denied, Session

from .samples import CONTROL_TOKEN, NOW, VIEW_TOKEN

BEFORE = Session(token=CONTROL_TOKEN, session_id="a" * 32, issued=int(NOW) - 1)
AFTER = Session(token=VIEW_TOKEN, session_id="b" * 32, issued=int(NOW) + 1)


def test_a_memory_of_logouts_is_read_back(tmp_path: Path) -> None:
    """As it was written; no file is nobody."""
    path = tmp_path / "logged-out.json"
    assert not load_denied(path, now=NOW).holds(BEFORE)
    path.write_text(Denied().adding(BEFORE).to_json())
    found = load_denied(path, now=NOW)
    assert found.holds(BEFORE)
    assert not found.holds(AFTER)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "null", "\xff", "[" * 100_000),
        '{"ids": {"x": 1}, "floors": {}, "until": 0}',
        '{"ids": {"x": {"y": "z"}}, "floors": {}, "until": 0}',
        '{"ids": {}, "floors": {"x": null}, "until": 0}',
        '{"ids": {}, "floors": {}, "until": "now"}',
    ],
    ids=lambda text: text[:44],
)
def test_a_damaged_memory_of_logouts_logs_everybody_out(
    tmp_path: Path, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may have held anybody; who logs in from now on stays, and it is said in one line."""
    path = tmp_path / "logged-out.json"
    path.write_bytes(text.encode("latin-1"))
    found = load_denied(path, now=NOW)
    assert found.holds(BEFORE)
    assert not found.holds(AFTER)
    assert found.adding(AFTER).holds(BEFORE)
    assert Denied.from_json(found.to_json()).holds(BEFORE)
    err = capfd.readouterr().err
    assert (err.count("\n"), "all sessions end" in err) == (1, True)
