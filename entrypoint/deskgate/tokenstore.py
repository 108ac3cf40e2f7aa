"""Changing the tokens of a running desktop: the one place that edits its token file.

`deskgate token` and the gate's own addresses both come here. A change is made under a lock and
replaces the file whole; the gate sees it within half a second. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from deskgate import clock, files, links
from deskgate.errors import ProgramError
from deskgate.forms import FormError
from deskgate.programs import TOKENS_FILE
from deskgate.tokenfile import (
    FILE_BYTES,
    Row,
    TokenFileError,
    adding,
    format_row,
    parse_rows,
    without,
)
from deskgate.tokens import TOKEN_BYTES, NewToken, Role, shown_end

LOCK_POLL_SECONDS: Final = 0.02
MAX_TOKENS: Final = 1000  # the gate compares each request's token with all of them


class StoreError(ProgramError):
    """The change cannot be made. The text never holds a token."""


class NameTakenError(StoreError):
    """A token of this name exists."""


class NoSuchNameError(StoreError):
    """No token has this name, or it is not ours to change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """The token file of one running desktop.

    Args:
        target: where control rows lead, for stock websockify.
        hide: keep hashes in place of tokens.
        more: VNC_TOKENS_FILE, whose rows are not ours to change.
        base: where links begin.
        booted: see `deskgate.clock`.
    """

    folder: Path
    target: str
    hide: bool
    more: str | None
    base: str
    booted: float

    @property
    def path(self) -> Path:
        """The token file."""
        return self.folder / TOKENS_FILE

    def now(self) -> float:
        """Seconds since the epoch, by the desktop's own clock."""
        return clock.now(self.booted)

    def link(self, token: NewToken) -> str:
        """The link of a token that was just made."""
        return links.full_link(self.base, token.value)

    def read(self) -> tuple[tuple[NewToken, ...], tuple[NewToken, ...]]:
        """The rows of our file, and those of VNC_TOKENS_FILE."""
        ours = tuple(row.token for row in _rows(self.path))
        more = tuple(row.token for row in _rows(Path(self.more))) if self.more else ()
        return ours, more

    def add(self, name: str, role: Role, *, expires: float | None, wait_seconds: float) -> NewToken:
        """Make a token.

        Args:
            expires: seconds since the epoch; None for never.
            wait_seconds: for another change that is under way.

        Raises:
            NameTakenError: a live token has this name.
            StoreError: the file cannot be read, written or locked.
        """
        token = NewToken(name=name, role=role, value=_fresh(), expires=expires)

        def edit(text: str) -> str:
            rows = parse_rows(text, short=True)
            # Nobody misses those that are over; their names are free.
            now = self.now()
            over = {row.token.name for row in rows if not row.token.is_live(now)} - set(Role)
            text = without(text, over)
            taken = {row.token.name for row in rows} - over
            taken |= {row.name for row in self.read()[1]}
            if name in taken:
                raise NameTakenError(
                    f"token: cannot add {name!r}: a token has this name; "
                    "take another, or revoke it first"
                )
            if len(taken) >= MAX_TOKENS:
                raise StoreError(f"token: cannot add {name!r}: there are {MAX_TOKENS} already")
            return adding(text, format_row(token, self.target, hide=self.hide))

        self._change(edit, lambda: self._keep_record(name, token), wait_seconds)
        return token

    def revoke(self, name: str, *, wait_seconds: float) -> None:
        """Take a token away; its viewers and sessions end. See `add` for the rest."""

        def edit(text: str) -> str:
            self._own(text, name)
            return without(text, {name})

        self._change(edit, lambda: self._keep_record(name, None), wait_seconds)

    def rotate(self, name: str, *, expires: float | None, wait_seconds: float) -> NewToken:
        """Replace a token by a new one of the same name and role. See `add`.

        Args:
            expires: None keeps the old end.
        """
        made: list[NewToken] = []

        def edit(text: str) -> str:
            old = self._own(text, name)
            ends = old.expires if expires is None else expires
            fresh = replace(old, value=_fresh(), expires=ends)
            if not fresh.is_live(self.now()):
                raise StoreError(f"token: cannot rotate {name!r}: it has expired; give a new --ttl")
            made[:] = [fresh]
            row = format_row(fresh, self.target, hide=self.hide)
            return adding(without(text, {name}), row)

        self._change(edit, lambda: self._keep_record(name, made[0]), wait_seconds)
        return made[0]

    def _own(self, text: str, name: str) -> NewToken:
        for row in parse_rows(text, short=True):
            if row.token.name == name:
                return row.token
        if name in {row.name for row in self.read()[1]}:
            raise NoSuchNameError(
                f"token: cannot change {name!r}: it stands in {self.more}; change it there"
            )
        raise NoSuchNameError(f"token: cannot find {name!r}: see deskgate token list")

    def _change(
        self, edit: Callable[[str], str], then: Callable[[], None], wait_seconds: float
    ) -> None:
        with self._locked(wait_seconds):
            try:
                # `docker exec -u 0` changes the file of a gate that runs as somebody else.
                data, access = files.read_own(self.path)
                text = edit(data.decode())
                parse_rows(text, short=True)  # never a file that the gate would refuse
                files.write_private(self.path, text.encode(), access)
                then()  # before the next change, or the older one could have the last word
            except UnicodeDecodeError:
                raise StoreError(f"token: cannot use {self.path}: it is not UTF-8") from None
            except (FormError, TokenFileError) as error:
                raise StoreError(f"token: cannot use {self.path}: {error}") from None
            except OSError as error:
                raise StoreError(f"token: cannot change {self.path}: {error.strerror}") from None

    @contextlib.contextmanager
    def _locked(self, wait_seconds: float) -> Iterator[None]:
        deadline = time.monotonic() + wait_seconds
        try:
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StoreError(f"token: cannot lock {self.path}: {error.strerror}") from None
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise StoreError(
                            "token: another change is under way; try again in a moment"
                        ) from None
                    time.sleep(LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(handle)

    def _keep_record(self, name: str, token: NewToken | None) -> None:
        """Keep the start record's links good, which machines read."""
        path = self.folder / "start.json"
        try:
            data, access = files.read_own(path)
            record: dict[str, Any] = json.loads(data)
            kept: dict[str, Any] = record["links"]
        except (OSError, ValueError, KeyError):
            return  # not ready yet
        if name not in set(Role):
            return  # no link of the start
        kept.pop(name, None)
        if token is not None:
            shown = links.PLACEHOLDER if self.hide else token.value
            url = links.full_link(self.base, shown)
            kept[name] = {"url": url, "expires": shown_end(token.expires)}
        files.write_private(path, json.dumps(record, indent=1).encode() + b"\n", access)


def _fresh() -> str:
    return os.urandom(TOKEN_BYTES).hex()


def _rows(path: Path) -> tuple[Row, ...]:
    try:
        return parse_rows(files.read_text(str(path), limit=FILE_BYTES), short=True)
    except (FormError, TokenFileError) as error:
        raise StoreError(f"token: cannot read {path}: {error}") from None


def open_store(folder: Path) -> Store:
    """The store of the desktop whose runtime folder this is."""
    config: dict[str, Any] = json.loads(files.read_own(folder / "gate.json")[0])
    return Store(
        folder=folder,
        target=config["rfb"],
        hide=config["hash_tokens"],
        more=config["more_tokens"],
        base=config["links"],
        booted=config["booted"],
    )
