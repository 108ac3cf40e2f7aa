"""`deskgate status --watch`: in place on a terminal, otherwise at each change."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from deskgate.programs import Program

from .conducting import Conducted, hear_interrupts, python, wait_until

SLEEPS = "import time; print('ready', flush=True); time.sleep(1000)"
UP, ERASE = r"\x1b\[2A\r", r"\x1b\[J\x1b\[\?7h"


@pytest.fixture
def conducted(tmp_path: Path) -> Iterator[Conducted]:
    """One program that is ready."""
    row = Program(name="app", command=python(SLEEPS), ready="stdout", essential=True)
    with Conducted(tmp_path, [row]) as found:
        yield found.wait_ready()


def watch(conducted: Conducted, *, term: str = "xterm", rows: int = 24) -> pexpect.spawn[str]:
    """A person who watches it."""
    environ = {
        "PYTHONPATH": ":".join(sys.path),
        "DESKGATE_RUNTIME_DIR": str(conducted.folder),
        "TERM": term,
        "NO_COLOR": "1",
    }
    words = ["-m", "deskgate", "status", "--watch"]
    return pexpect.spawn(
        sys.executable,
        words,
        env=environ,
        encoding="utf-8",
        timeout=10,
        dimensions=(rows, 60),
        preexec_fn=hear_interrupts,
    )


def test_a_terminal_is_redrawn_in_place_and_left_clean(conducted: Conducted) -> None:
    """Each table takes the place of the last; after ^C the last one stands, and no `^C`."""
    person = watch(conducted)
    person.expect(r"app +ready +\d+ +\d+ s +0 +-")
    person.expect(UP)
    conducted.deskgate("restart", "app")
    person.expect(r"app +ready +\d+ +\d+ s +1 +")
    person.expect(ERASE)
    person.sendintr()
    person.expect(pexpect.EOF)
    person.close()
    assert person.exitstatus == 0
    assert (person.before or "").endswith("\r\x1b[K\x1b[?7h")


def test_a_small_terminal_shows_what_it_can(conducted: Conducted) -> None:
    """A table longer than the terminal could not be gone back over."""
    person = watch(conducted, rows=2)
    person.expect("PROGRAM")
    person.expect(r"\x1b\[1A\r")
    person.sendintr()
    person.expect(pexpect.EOF)
    assert "app" not in (person.before or "")
    person.close()


def test_a_dumb_terminal_gets_a_table_at_each_change(conducted: Conducted) -> None:
    """As a file does: nothing while only time goes by."""
    person = watch(conducted, term="dumb")
    person.expect(r"app +ready +\d+ +\d+ s +0 +-\r\n")
    assert person.expect(["PROGRAM", pexpect.TIMEOUT], timeout=2.2) == 1
    conducted.signal("app", signal.SIGSTOP)
    person.expect(r"\r\nPROGRAM.*app +stopped.*\r\n")
    person.sendintr()
    person.expect(pexpect.EOF)
    assert "\x1b" not in (person.before or "")
    person.close()
    assert person.exitstatus == 0
    conducted.signal("app", signal.SIGCONT)


def test_machines_get_a_line_at_each_change(conducted: Conducted) -> None:
    """`--json --watch`: one object a line."""
    with conducted.ask("status", "--watch", "--json") as asking:
        assert asking.stdout
        first = json.loads(asking.stdout.readline())
        old = conducted.signal("app", signal.SIGKILL)
        wait_until(lambda: conducted.is_new("app", old))
        changed = json.loads(asking.stdout.readline())
        asking.send_signal(signal.SIGINT)
        assert asking.wait(10) == 0
    assert [row["restarts"] for row in first["programs"]] == [0]
    assert changed["programs"][0]["last_exit"] == "signal 9" or changed["programs"][0]["restarts"]
