"""What we lean on in supervisor is as it was read. A red test here means: read what has changed.

`UPDATE_GOLDEN=1` writes supervisor.json anew, once that is done; also after a change of ours that
uses more, or less, of supervisor.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path
from typing import Any

import pytest
from supervisor import options, process, states, supervisord

from .pins import our_modules, pins

READ = Path(__file__).with_name("supervisor.json")
VERSION = "4.3.0"


def test_the_version_is_the_one_that_was_read() -> None:
    """Pinned; an upgrade begins with the test below, which says what to read again."""
    assert importlib.metadata.version("supervisor") == VERSION


def test_every_internal_that_we_use_is_as_it_was_read() -> None:
    """Functions by their source, those that we replace by their parameters, values as they are."""
    found = pins()
    if os.environ.get("UPDATE_GOLDEN"):
        READ.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    read = json.loads(READ.read_text(encoding="utf-8"))
    differ = {
        name: f"{read.get(name, 'not read yet')} -> {found.get(name, 'not used, or gone')}"
        for name in sorted(read.keys() | found.keys())
        if read.get(name) != found.get(name)
    }
    assert differ == {}


def _changed(*_: Any) -> None:
    """Stands for what another version might do."""


def _other_parameters(self: Any, filename: str, argv: list[str]) -> None:
    """Stands for a method that another version calls otherwise."""


_changed.__module__ = _other_parameters.__module__ = "supervisor.process"
# What is changed, and the pins that must tell.
CHANGES = {
    "a function that we call": (process.Subprocess, "finish", _changed),
    "one that it calls": (process.Subprocess, "_spawn_as_child", _changed),
    "one of the parser": (options.UnhosedConfigParser, "saneget", _changed),
    "parameters of one that we replace": (options.ServerOptions, "execve", _other_parameters),
    "a state": (states.ProcessStates, "STOPPING", 41),
    "a first value": (process.Subprocess, "killing", None),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_seen(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """Else the test above would prove nothing."""
    kind, name, value = CHANGES[case]
    before = pins()
    monkeypatch.setattr(kind, name, value)
    after = pins()
    place = f"{kind.__name__}.{name}"
    assert before[place] != after[place]


def test_an_internal_that_is_gone_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed one would otherwise be found by an AttributeError in PID 1."""
    before = pins()
    monkeypatch.delattr(supervisord.Supervisor, "get_process_map")
    assert "Supervisor.get_process_map" in before.keys() - pins().keys()


def test_all_that_import_supervisor_are_looked_at() -> None:
    """Two modules at least: the one that embeds it, and the loop."""
    assert len([*our_modules()]) >= 2
