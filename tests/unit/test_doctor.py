"""What `deskgate doctor` prints."""

from __future__ import annotations

import json

import pytest

from deskgate import doctor
from deskgate.address import read_link
from deskgate.journey import Journey

FOREIGN = "https://a.test/\x1b]0;mine\x07\x9b2J"


@pytest.mark.parametrize("as_json", [False, True])
def test_an_answer_steers_no_terminal(
    as_json: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the port chooses where it redirects to."""
    seen = Journey(link=read_link("http://desk.test/"), health=301, moved=FOREIGN)
    monkeypatch.setattr(doctor, "visit", lambda link, frame: seen)
    monkeypatch.setattr(doctor, "ask_for_link", lambda: "http://desk.test/")
    assert doctor.outside("", as_json=as_json) == 69
    told = capsys.readouterr().out
    assert told.replace("\n", "").isprintable()
    shown = json.loads(told)[-1]["what"] if as_json else told
    assert "https://a.test/" in shown
