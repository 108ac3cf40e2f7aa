"""Changing the token file: whole or not at all, one at a time, and never somebody else's rows."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deskgate import clock, files
from deskgate.programs import TOKENS_FILE
from deskgate.tokenfile import parse_clear_tokens
from deskgate.tokens import NewToken, Role, hashed
from deskgate.tokenstore import (
    NameTakenError,
    NoSuchNameError,
    Store,
    StoreError,
    open_store,
)
from deskgate.users import Access

A = "0123456789abcdef" * 4
B = "fedcba9876543210" * 4
FILE = f"""\
# A word before.
# name=control role=control
{A}: 127.0.0.1:5901

# name=view role=view expires=2001-01-01T00:00:00Z
{B}: 127.0.0.1:0
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store as a start leaves it; the view link has expired."""
    config = {
        "rfb": "127.0.0.1:5901",
        "hash_tokens": False,
        "more_tokens": None,
        "links": "http://localhost:8002/",
        "booted": clock.booted_at(),
    }
    (tmp_path / "gate.json").write_text(json.dumps(config))
    (tmp_path / TOKENS_FILE).write_text(FILE)
    links = {"control": {"url": "old", "expires": None}}
    (tmp_path / "start.json").write_text(json.dumps({"links": links}))
    return open_store(tmp_path)


def rows(store: Store) -> dict[str, NewToken]:
    return {token.name: token for token in parse_clear_tokens(store.path.read_text())}


def add(store: Store, name: str = "alice", expires: float | None = None) -> NewToken:
    return store.add(name, Role.VIEW, expires=expires, wait_seconds=0)


def test_a_token_is_added_behind_the_others(store: Store) -> None:
    """64 hex digits of chance; what a person wrote stays."""
    made = add(store)
    assert list(rows(store)) == ["control", "view", "alice"]
    assert rows(store)["alice"].value == made.value
    assert len(bytes.fromhex(made.value)) == 32
    assert made.value != add(store, "bob").value
    assert store.path.read_text().startswith("# A word before.\n")
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.link(made) == f"http://localhost:8002/#token={made.value}"


def test_a_name_is_taken_once(store: Store, tmp_path: Path) -> None:
    """Also by VNC_TOKENS_FILE; an expired token's name is free again, but those of the links."""
    more = tmp_path / "more"
    more.write_text(f"# name=carol role=view\n{A[::-1]}: 127.0.0.1:0\n")
    both = Store(
        folder=tmp_path, target="x", hide=False, more=str(more), base="/", booted=store.booted
    )
    for name in ("control", "view", "carol"):
        with pytest.raises(NameTakenError):
            add(both, name)
    add(store, "alice", expires=1.0)
    assert add(store, "alice").expires is None
    assert list(rows(store)) == ["control", "view", "alice"]


def test_a_revoked_token_is_gone_with_its_comment(store: Store) -> None:
    """And nothing else."""
    store.revoke("control", wait_seconds=0)
    assert store.path.read_text() == FILE.replace(
        f"# name=control role=control\n{A}: 127.0.0.1:5901\n", ""
    )
    with pytest.raises(NoSuchNameError, match="deskgate token list"):
        store.revoke("control", wait_seconds=0)


def test_a_row_of_the_persons_own_file_is_theirs_to_change(store: Store, tmp_path: Path) -> None:
    """The error names the file."""
    more = tmp_path / "more"
    more.write_text(f"# name=carol role=view\n{A[::-1]}: 127.0.0.1:0\n")
    both = Store(
        folder=tmp_path, target="x", hide=False, more=str(more), base="/", booted=store.booted
    )
    with pytest.raises(NoSuchNameError, match=str(more)):
        both.revoke("carol", wait_seconds=0)


def test_a_rotated_token_keeps_its_name_role_and_end(store: Store) -> None:
    """Unless a new end is given; the start record's link follows."""
    store.add("alice", Role.CONTROL, expires=store.now() + 60, wait_seconds=0)
    before = rows(store)["alice"]
    made = store.rotate("alice", expires=None, wait_seconds=0)
    after = rows(store)["alice"]
    assert (after.value, after.role, after.expires) == (made.value, Role.CONTROL, before.expires)
    assert after.value != before.value
    later = store.now() + 600
    assert store.rotate("alice", expires=later, wait_seconds=0).expires == later
    fresh = store.rotate("control", expires=None, wait_seconds=0)
    record = json.loads((store.folder / "start.json").read_bytes())
    assert record["links"]["control"] == {"url": store.link(fresh), "expires": None}


def test_a_revoked_link_is_no_link_of_the_start_any_more(store: Store) -> None:
    """Machines, and `deskgate url`, would hand on what opens nothing; a new one takes its place."""
    path = store.folder / "start.json"
    store.revoke("control", wait_seconds=0)
    assert json.loads(path.read_bytes())["links"] == {}
    made = store.add("control", Role.CONTROL, expires=None, wait_seconds=0)
    assert json.loads(path.read_bytes())["links"]["control"]["url"] == store.link(made)
    add(store, "alice")
    assert list(json.loads(path.read_bytes())["links"]) == ["control"]


def test_of_two_changes_at_once_the_later_has_the_last_word(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the start record too: between the two files of one change, nobody else makes his."""
    write, made = files.write_private, []

    def rotate() -> None:
        made.append(store.rotate("control", expires=None, wait_seconds=5))

    other = threading.Thread(target=rotate)

    def write_slowly(path: Path, data: bytes, access: Access | None = None) -> None:
        if path.name == "start.json" and other.ident is None:
            other.start()
            other.join(0.2)
        write(path, data, access)

    monkeypatch.setattr(files, "write_private", write_slowly)
    store.rotate("control", expires=None, wait_seconds=0)
    other.join(5)
    record = json.loads((store.folder / "start.json").read_bytes())
    assert record["links"]["control"]["url"] == store.link(made[0])
    assert rows(store)["control"].value == made[0].value


def test_hundreds_of_tokens_that_are_over_go_in_one_go(store: Store) -> None:
    """The gate itself waits for it, and with it every viewer: it took 15 s for 900."""
    old = [
        f"# name=t{number} role=view expires=2001-01-01T00:00:00Z\n{number:064x}: 127.0.0.1:0\n"
        for number in range(0x123456789, 0x123456789 + 900)
    ]
    store.path.write_text(FILE + "".join(old))
    began = time.monotonic()
    add(store)
    assert time.monotonic() - began < 2
    assert list(rows(store)) == ["control", "view", "alice"]


@pytest.mark.parametrize("which", ["ours", "the person's own"])
def test_what_is_no_file_is_not_waited_for(store: Store, tmp_path: Path, which: str) -> None:
    """A FIFO without a writer would hold the command, and the gate, for ever."""
    fifo = tmp_path / "more" if which != "ours" else store.path
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    both = replace(store, more=str(tmp_path / "more")) if which != "ours" else store
    with pytest.raises(StoreError, match="regular file"):
        add(both)
    with pytest.raises(StoreError, match="regular file"):
        both.read()


def test_an_expired_token_needs_a_new_end(store: Store) -> None:
    """It would be born dead."""
    with pytest.raises(StoreError, match="--ttl"):
        store.rotate("view", expires=None, wait_seconds=0)
    assert store.rotate("view", expires=store.now() + 60, wait_seconds=0).name == "view"


def test_where_hashes_are_kept_no_token_is_written(store: Store) -> None:
    """Neither to the file nor to the start record."""
    hiding = Store(
        folder=store.folder, target="x", hide=True, more=None, base="/", booted=store.booted
    )
    made = add(hiding)
    rotated = hiding.rotate("control", expires=None, wait_seconds=0)
    assert rows(hiding)["alice"].value == hashed(made.value)
    written = store.path.read_text() + (store.folder / "start.json").read_text()
    assert made.value not in written
    assert rotated.value not in written


def test_a_change_waits_for_another_one(store: Store) -> None:
    """And gives up in time, with the file as it was."""
    handle = os.open(store.folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(StoreError, match="under way"):
        add(store)
    os.close(handle)
    assert store.path.read_text() == FILE
    add(store)


def test_a_broken_file_is_left_alone(store: Store) -> None:
    """Its text may be somebody's half-done work; the error holds none of it."""
    store.path.write_text("half a line")
    with pytest.raises(StoreError, match="line 1") as caught:
        add(store)
    assert "half" not in str(caught.value)
    assert store.path.read_text() == "half a line"
    store.path.unlink()
    with pytest.raises(StoreError, match="No such file"):
        add(store)


def test_the_number_of_tokens_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request's token is compared with all of them."""
    monkeypatch.setattr("deskgate.tokenstore.MAX_TOKENS", 3)
    add(store)
    with pytest.raises(StoreError, match="3 already"):
        add(store, "bob")


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes somebody else's files")
def test_a_file_that_root_changes_stays_its_owners(store: Store) -> None:
    """`docker exec -u 0`: the gate must still be able to read it."""
    os.chown(store.path, 12345, 12346)
    add(store)
    assert (store.path.stat().st_uid, store.path.stat().st_gid) == (12345, 12346)


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes somebody else's files")
@pytest.mark.parametrize("file", ["websockify-tokens.conf", "start.json"])
def test_c7_a_link_in_a_files_place_is_not_read(store: Store, tmp_path: Path, file: str) -> None:
    """Root would read where the gate may not, and write what stands there into the gate's file."""
    theirs = tmp_path / "theirs"
    (store.folder / file).rename(theirs)
    (store.folder / file).symlink_to(theirs)
    before = theirs.read_bytes()
    if file == "start.json":
        store.rotate("control", expires=None, wait_seconds=0)
    else:
        with pytest.raises(StoreError, match="cannot change"):
            add(store)
    assert (store.folder / file).is_symlink()
    assert theirs.read_bytes() == before
