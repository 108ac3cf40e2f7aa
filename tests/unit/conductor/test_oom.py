"""The kernel's counter of those that it killed for want of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskgate.conductor.oom import Killer

FORMS = {
    "v1": "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n",
    "v2": "low 0\nhigh 0\nmax 12\noom 4\noom_kill {}\noom_group_kill 9\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_kill_is_seen_once(tmp_path: Path, form: str) -> None:
    """Those from before, too, are no news."""
    counter = tmp_path / "counter"
    counter.write_text(FORMS[form].format(3))
    killer = Killer([tmp_path / "missing", counter])
    assert not killer.struck()
    counter.write_text(FORMS[form].format(5))
    assert killer.struck()
    assert not killer.struck()


def test_without_a_counter_nothing_is_claimed(tmp_path: Path) -> None:
    """No cgroup of our own, or a kernel that does not count."""
    (tmp_path / "old").write_text("oom_kill_disable 0\nunder_oom 0\n")
    assert not Killer([tmp_path / "missing", tmp_path / "old"]).struck()
