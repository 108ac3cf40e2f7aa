"""Log lines: levels, names, secrets, JSON, and a reader who does not read."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from deskgate.conductor.log import MAX_LINE, Log

SECRET = "0123456789abcdef" * 4


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: read end, write end."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def make(fd: int, *, level: str = "info", form: str = "text") -> Log:
    """A log that hides SECRET."""
    return Log(level=level, form=form, secrets=[SECRET], fd=fd)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal of 40 columns: the person's end, ours."""
    person, ours = pty.openpty()
    termios.tcsetwinsize(ours, (24, 40))
    yield person, ours
    os.close(person)
    os.close(ours)


def shown(person: int, *, until: str) -> str:
    """What a terminal got, to this end, without the line ends that it makes itself.

    The kernel passes on what was written in a thread of its own, and in pieces.
    """
    data = b""
    while not data.endswith(until.encode()):
        assert select.select([person], [], [], 5)[0], data
        data += os.read(person, 1 << 20)
    return data.decode().replace("\r\n", "\n")


def lines(reader: int) -> list[str]:
    """What was written so far."""
    os.set_blocking(reader, False)
    return os.read(reader, 1 << 20).decode().splitlines()


def test_an_event_is_one_line_with_its_level(pipe: tuple[int, int]) -> None:
    """`deskgate: level: text`."""
    make(pipe[1]).event("warning", "two\nlines \x1b[31mred")
    assert lines(pipe[0]) == ["deskgate: warning: two\\nlines \\x1b[31mred"]


def test_a_programs_line_stands_under_its_name(pipe: tuple[int, int]) -> None:
    """Our own programs begin theirs with the level."""
    log = make(pipe[1])
    log.program_line("gate", "info: a viewer joined")
    log.program_line("gate", "warning: careful")
    log.program_line("app", "note: not a level")
    assert lines(pipe[0]) == [
        "gate: a viewer joined",
        "gate: warning: careful",
        "app: note: not a level",
    ]


def test_what_is_below_the_level_is_not_written(pipe: tuple[int, int]) -> None:
    """LOG_LEVEL, for programs too."""
    log = make(pipe[1], level="warning")
    log.event("info", "quiet")
    log.program_line("gate", "debug: quiet")
    log.program_line("xvnc", "quiet", level="debug")
    log.event("error", "loud")
    assert lines(pipe[0]) == ["deskgate: error: loud"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_that_a_program_writes_is_hidden(pipe: tuple[int, int], form: str) -> None:
    """Stock websockify writes each token in clear."""
    log = make(pipe[1], form=form)
    log.program_line("websockify", f"GET /websockify?token={SECRET} HTTP/1.1")
    (line,) = lines(pipe[0])
    assert SECRET not in line
    assert "token=(hidden)" in line


def test_json_lines_hold_time_level_program_and_text(pipe: tuple[int, int]) -> None:
    """LOG_FORMAT=json."""
    make(pipe[1], form="json").program_line("gate", "warning: Grüße")
    (line,) = lines(pipe[0])
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {"level": "warning", "program": "gate", "text": "Grüße"}


def test_the_banner_is_a_block_for_people_and_an_event_for_machines(pipe: tuple[int, int]) -> None:
    """Both forms of it."""
    make(pipe[1]).block(["ready", "  control  http://h/"], links=["x"])
    assert lines(pipe[0]) == ["ready", "  control  http://h/"]
    make(pipe[1], form="json").block(["ready"], links=["x"])
    (line,) = lines(pipe[0])
    assert json.loads(line)["links"] == ["x"]


def test_a_level_is_painted_and_kept_without_paint(terminal: tuple[int, int]) -> None:
    """`deskgate logs` may write to a file."""
    log = Log(level="info", form="text", secrets=[], fd=terminal[1], colour=True)
    log.program_line("gate", "warning: careful")
    log.event("info", "calm")
    said = "gate: \x1b[33mwarning\x1b[0m: careful\ndeskgate: info: calm\n"
    assert shown(terminal[0], until="calm\r\n") == said
    assert [log.ring.line(at).data for at in range(log.ring.end)] == [
        b"gate: warning: careful",
        b"deskgate: info: calm",
    ]


def test_json_is_never_painted_nor_rewritten(terminal: tuple[int, int]) -> None:
    """A machine may read it over a terminal."""
    log = Log(level="info", form="json", secrets=[], fd=terminal[1], colour=True, rewrites=True)
    log.passing("still starting")
    log.event("warning", "careful")
    texts = [
        json.loads(line)["text"] for line in shown(terminal[0], until='careful"}\r\n').splitlines()
    ]
    assert texts == ["still starting", "careful"]


def test_a_passing_line_gives_way_to_the_next(terminal: tuple[int, int]) -> None:
    """It is one line of the terminal, however long, and leaves nothing behind."""
    log = Log(level="info", form="text", secrets=[SECRET], fd=terminal[1], rewrites=True)
    log.passing(f"{SECRET} " + "x" * 100)
    log.passing("2 s")
    log.event("info", "begun")
    log.passing("3 s")
    log.drain(1)
    one = f"deskgate: (hidden) {'x' * 100}"[:39]
    assert shown(terminal[0], until="3 s\r\x1b[K") == (
        f"{one}\r\x1b[Kdeskgate: 2 s\r\x1b[Kdeskgate: info: begun\ndeskgate: 3 s\r\x1b[K"
    )
    assert log.ring.end == 1


def test_a_passing_line_is_a_line_where_none_can_be_erased(pipe: tuple[int, int]) -> None:
    """In a file; and a level below `info` has none at all."""
    make(pipe[1]).passing("still starting")
    make(pipe[1], level="warning").passing("still starting")
    assert lines(pipe[0]) == ["deskgate: info: still starting"]


def test_a_quiet_terminal_has_no_passing_line(terminal: tuple[int, int]) -> None:
    """LOG_LEVEL=warning."""
    log = Log(level="warning", form="text", secrets=[], fd=terminal[1], rewrites=True)
    log.passing("still starting")
    log.event("error", "no")
    assert shown(terminal[0], until="no\r\n") == "deskgate: error: no\n"


def test_a_long_line_is_cut(pipe: tuple[int, int]) -> None:
    """So that a line is written in one piece."""
    make(pipe[1]).event("info", "x" * 10_000)
    (line,) = lines(pipe[0])
    assert line == f"deskgate: info: {'x' * MAX_LINE}…"


def test_a_reader_who_does_not_read_stops_nobody(pipe: tuple[int, int]) -> None:
    """F14: lines queue up to a bound, the rest is dropped, counted, and said afterwards."""
    reader, writer = pipe
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    log = make(writer)
    for number in range(2000):
        log.event("info", f"{number} " + "x" * 1000)  # returns at once, or the test times out
    assert log.waiting
    text = ""
    while log.waiting:
        text += os.read(reader, 1 << 16).decode()
        log.flush()
    os.set_blocking(reader, False)
    text += os.read(reader, 1 << 20).decode()
    written = text.splitlines()
    assert written[0].startswith("deskgate: info: 0 ")
    assert written[-1].endswith("log lines dropped: stderr was not read")
    dropped = int(written[-1].split()[2])
    assert dropped == 2000 - (len(written) - 1) > 0


def test_a_terminal_that_nobody_reads_stops_nobody() -> None:
    """F14: `docker run -t` with its client stopped; there is room for a byte, not for a line."""
    reader, terminal = pty.openpty()
    log = make(terminal)
    for number in range(1000):
        log.event("info", f"{number} " + "x" * 200)  # returns at once, or the test times out
    assert log.waiting
    assert os.get_blocking(terminal), "it is the command's as well"
    text = b""
    while b" 999 " not in text:
        text += os.read(reader, 1 << 16)
        log.flush()
    numbers = [int(line.split()[2]) for line in text.splitlines() if line.endswith(b"xx")]
    assert numbers == [*range(len(numbers))], "in order, and whole"
    os.close(reader)
    os.close(terminal)


def test_a_terminal_that_takes_nothing_after_all_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Room for one byte is none for a line's end, which a terminal makes two of."""
    reader, terminal = pty.openpty()
    log = make(terminal)
    while not log.waiting:
        log.event("info", "x" * 200)
    with monkeypatch.context() as patch:
        patch.setattr(log, "_writable", lambda: True)
        log.event("info", "the last")
    assert log.waiting
    text = b""
    while b"the last" not in text:
        text += os.read(reader, 1 << 16)
        log.flush()
    os.close(reader)
    os.close(terminal)


def test_a_reader_who_is_gone_is_no_error() -> None:
    """`docker run … | head` must not end the container."""
    reader, writer = os.pipe()
    os.close(reader)
    log = make(writer)
    log.event("info", "into the void")
    assert not log.waiting
    assert log.fileno() == writer
    os.close(writer)


def test_a_full_pipe_whose_reader_is_gone_keeps_nothing() -> None:
    """poll(2) reports an error there and never readiness: waiting for that would never end."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    log = make(writer)
    for _ in range(10):
        log.event("info", "x" * 1000)
    assert log.waiting
    os.close(reader)
    log.flush()
    assert not log.waiting
    os.close(writer)


def test_a_slow_reader_gets_the_last_lines(pipe: tuple[int, int]) -> None:
    """Why the container ends is the line that matters most."""
    reader, writer = pipe
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    log = make(writer)
    for number in range(10):
        log.event("info", f"{number} {'x' * 1000}")
    found = bytearray()

    def read_all() -> None:
        while found.count(b"\n") < 10:
            found.extend(os.read(reader, 999))

    slow = threading.Thread(target=read_all)
    slow.start()
    log.drain(5.0)
    slow.join(5)
    assert not log.waiting
    assert b"deskgate: info: 9 xxx" in found


def test_a_reader_who_does_not_read_is_not_waited_for_long(pipe: tuple[int, int]) -> None:
    """The end of the container does not hang on its log."""
    fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, 4096)
    log = make(pipe[1])
    for _ in range(10):
        log.event("info", "x" * 1000)
    began = time.monotonic()
    log.drain(0.1)
    assert 0.1 <= time.monotonic() - began < 1.0
