"""The tokens in force follow their files, live."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskgate.gate import limits, log
from deskgate.tokenfile import FILE_BYTES

from .running import TOKEN_FILE, Desk, Gate, close_code, join, roles_here, running_gate, wait_until
from .samples import CONTROL, VIEW

ALICE = "a1ice-and-her-rabbit-hole-" * 2
BOB = "b0b-the-builder-can-fix-it" * 2
MORE = f"# name=alice role=view\n{ALICE}: 127.0.0.1:0\n"


def is_in(gate: Gate, token: str) -> bool:
    return gate.status(f"GET / HTTP/1.1\r\nAuthorization: Bearer {token}") == 200


@pytest.fixture
def both(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Gate, Path]]:
    """A gate with a file of the person's own."""
    monkeypatch.setattr(limits, "FAILURES", 1000)  # these tests ask again and again
    more = tmp_path / "more"
    more.write_text(MORE)
    with running_gate(tmp_path, desk.port, more_tokens=str(more)) as gate:
        yield gate, more


def replace(path: Path, text: str) -> None:
    fresh = path.with_name("fresh")
    fresh.write_text(text)
    fresh.rename(path)


def test_a_start_says_nothing_of_the_files(
    both: tuple[Gate, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """They are read for the first time, and a quiet start is the banner alone."""
    assert is_in(both[0], ALICE)
    assert "token file" not in capfd.readouterr().err


def test_rows_of_the_persons_own_file_open_the_desktop(both: tuple[Gate, Path]) -> None:
    """Beside the two links; a replaced file counts within a second, and ends who is out."""
    gate, more = both
    assert is_in(gate, ALICE)
    with gate.view(ALICE) as viewer, gate.view() as owner:
        join(viewer)
        join(owner)
        began = time.monotonic()
        replace(more, MORE.replace("alice", "bob").replace(ALICE, BOB))
        assert close_code(viewer) == 1008
        assert time.monotonic() - began < 1
        assert is_in(gate, BOB)
        assert not is_in(gate, ALICE)
        owner.ping().wait(5)


@pytest.mark.parametrize(
    "text",
    ["half a line", f"# name=view role=view\n{BOB}: 127.0.0.1:0\n", f"{CONTROL}: 127.0.0.1:5901\n"],
    ids=["no rows", "a name of ours", "a token of ours"],
)
def test_s2_a_bad_file_keeps_the_old_set_and_is_said_once(
    both: tuple[Gate, Path], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither half of it counts; the next good one does."""
    gate, more = both
    said = tmp_path / "said"
    # Not capfd: it empties what it reads, and a line that comes in between is lost.
    with said.open("wb") as stream, monkeypatch.context() as patched:
        patched.setattr(log, "STDERR", stream.fileno())
        replace(more, text)
        with gate.view(VIEW) as viewer:  # while somebody is here, the files are looked at
            join(viewer)
            wait_until(lambda: "old tokens stay in force" in said.read_text())
            assert is_in(gate, ALICE)
            replace(more, MORE.replace(ALICE, BOB))
            wait_until(lambda: is_in(gate, BOB))
    err = said.read_text()
    assert err.count("old tokens stay in force") == 1
    assert text.strip() not in err


def spoil(path: Path, how: str) -> None:
    """Make a file of the person's one that nobody can use."""
    path.unlink()
    match how:
        case "a word":
            path.write_text("half a line")
        case "a FIFO":
            os.mkfifo(path)
        case "a folder":
            path.mkdir()
        case "a device":
            path.symlink_to("/dev/zero")
        case "larger than 1 MiB":
            path.write_text("#" * (FILE_BYTES + 1))
        case "not UTF-8":
            path.write_bytes(b"\xff")


SPOILT = ("a word", "gone", "a FIFO", "a folder", "a device", "larger than 1 MiB", "not UTF-8")


@pytest.mark.parametrize("how", SPOILT)
def test_s2_what_is_no_token_file_keeps_the_old_rows(both: tuple[Gate, Path], how: str) -> None:
    """And hangs nobody: a FIFO would be waited for."""
    gate, more = both
    spoil(more, how)
    gate.call(gate.keeper.reload_tokens)
    assert is_in(gate, ALICE)
    assert gate.status("GET /healthz HTTP/1.1") == 200


@pytest.mark.parametrize("how", SPOILT)
def test_s2_a_bad_file_holds_up_no_change_of_the_other(both: tuple[Gate, Path], how: str) -> None:
    """Who is revoked is out within a second, whatever is wrong with the person's own file."""
    gate, more = both
    with gate.view(VIEW) as viewer:
        join(viewer)
        spoil(more, how)
        gate.replace_tokens(TOKEN_FILE.split("# name=view")[0])
        assert close_code(viewer) == 1008
    assert (is_in(gate, VIEW), is_in(gate, CONTROL), is_in(gate, ALICE)) == (False, True, True)


def test_s2_a_file_that_is_written_again_and_again_holds_up_no_other(
    both: tuple[Gate, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read before it is left alone for a moment; ours is."""
    gate, more = both
    monkeypatch.setattr(limits, "SETTLE_SECONDS", 60.0)
    more.write_text(MORE.replace(ALICE, BOB))
    gate.replace_tokens(TOKEN_FILE.split("# name=view")[0])
    assert (is_in(gate, VIEW), is_in(gate, ALICE), is_in(gate, BOB)) == (False, True, False)


def test_s2_a_file_that_was_just_emptied_is_waited_for(
    both: tuple[Gate, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For an instant it has its new size and its old time: seen so, it would end everybody."""
    gate, _ = both
    monkeypatch.setattr(limits, "SETTLE_SECONDS", 0.0)
    about = gate.tokens.stat()
    os.truncate(gate.tokens, 0)
    os.utime(gate.tokens, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert is_in(gate, CONTROL)
    gate.tokens.write_text(TOKEN_FILE.split("# name=view")[0])
    assert (is_in(gate, CONTROL), is_in(gate, VIEW)) == (True, False)


@pytest.mark.parametrize("how", SPOILT)
def test_s2_a_gate_that_starts_again_does_without_a_bad_file(
    tmp_path: Path,
    desk: Desk,
    how: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The links go on working; else a typing error and a crash would end the container."""
    monkeypatch.setattr(limits, "FAILURES", 1000)
    more = tmp_path / "more"
    more.write_text(MORE)
    spoil(more, how)
    with running_gate(tmp_path, desk.port, more_tokens=str(more)) as gate:
        assert (is_in(gate, CONTROL), is_in(gate, ALICE)) == (True, False)
        if how == "a folder":
            more.rmdir()
        replace(more, MORE)
        wait_until(lambda: is_in(gate, ALICE))  # it may have got the inode of the one before
    assert capfd.readouterr().err.count("cannot use it") == 1


def test_a_clash_is_over_when_either_file_changes(both: tuple[Gate, Path]) -> None:
    """Rows that were refused count as soon as they can, and rows that clash count for nothing."""
    gate, more = both
    ours = TOKEN_FILE + f"# name=bob role=view\n{ALICE[::-1]}: 127.0.0.1:0\n"
    gate.replace_tokens(ours)
    replace(more, MORE.replace("alice", "bob").replace(ALICE, BOB))
    assert (is_in(gate, ALICE), is_in(gate, BOB)) == (True, False)
    gate.replace_tokens(ours.replace("name=bob", "name=alice"))
    assert (is_in(gate, ALICE), is_in(gate, BOB)) == (False, True)
    replace(more, MORE)
    gate.replace_tokens(ours.replace("name=bob", "name=alice") + "\n")
    assert (is_in(gate, ALICE), is_in(gate, BOB)) == (False, True)
    gate.replace_tokens(TOKEN_FILE + f"# name=bob role=view\n{BOB}: 127.0.0.1:0\n")
    assert (is_in(gate, ALICE), is_in(gate, BOB)) == (True, True)


def test_old_rows_that_clash_with_ours_count_for_nothing(both: tuple[Gate, Path]) -> None:
    """Two rows of one name would be "first wins"; closed is the safe side."""
    gate, more = both
    spoil(more, "a word")
    gate.replace_tokens(TOKEN_FILE + f"# name=alice role=view\n{BOB}: 127.0.0.1:0\n")
    assert (is_in(gate, ALICE), is_in(gate, BOB)) == (False, True)


def resident() -> int:
    """Bytes of memory that this process takes, garbage left out (proc(5), statm)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_s3_five_hundred_rotations_drop_only_who_was_revoked(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four viewers stay through all of them; no wrong accept, no wrong refusal, no more memory."""
    monkeypatch.setattr(limits, "FAILURES", 10_000)
    with running_gate(tmp_path, desk.port) as gate, contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(gate.view()) for _ in range(4)]
        for viewer in viewers:
            join(viewer)
        last, before = "", 0
        for number in range(500):
            before = before or (resident() if number == 100 else 0)
            guest = f"{number:04d}-" + ALICE[:40]
            gate.replace_tokens(f"{TOKEN_FILE}# name=guest role=view\n{guest}: 127.0.0.1:0\n")
            gate.call(gate.keeper.reload_tokens)
            if number % 25 == 0:
                assert is_in(gate, guest)
                assert not last or not is_in(gate, last)
                last = guest
        for viewer in viewers:
            viewer.ping().wait(5)
        assert len(roles_here(gate)) == 4
        assert resident() - before < 2 * 1024 * 1024


@pytest.mark.parametrize("days", [-1, 1])
def test_s4_a_clock_that_is_set_ends_nobody_and_keeps_nobody(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """NTP steps the clock by a day: sessions stay, and what was to end in a second ends then."""
    with running_gate(tmp_path, desk.port) as gate:
        answer = gate.ask(f"GET /?token={CONTROL} HTTP/1.1")
        cookie = "Cookie: " + answer.split(b"Set-Cookie: ")[1].split(b";")[0].decode()
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + days * 86400)
        assert gate.status(f"GET / HTTP/1.1\r\n{cookie}") == 200
        with gate.view(VIEW) as viewer:
            join(viewer)
            ends = gate.keeper.now() + 1.2
            gate.call(lambda: let_end(gate, ends))
            began = time.monotonic()
            assert close_code(viewer) == 1008
            assert 0.9 < time.monotonic() - began < 3


def let_end(gate: Gate, ends: float) -> None:
    for viewer in gate.keeper.viewers:
        viewer.access = dataclasses.replace(viewer.access, ends=ends)
