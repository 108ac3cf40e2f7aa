"""The tokens in force, as their files say: ours, and the person's own (VNC_TOKENS_FILE).

Both are looked at before each request is judged, and twice a second while a viewer is here.
A bad file keeps its own old rows, and is said once; it does not hold up the other one: a token
that is revoked in ours must end whatever is wrong with the person's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from deskgate.files import open_regular
from deskgate.forms import FormError
from deskgate.gate import limits, log
from deskgate.tokenfile import FILE_BYTES, TokenFileError, parse_token_file
from deskgate.tokens import Token

FileState = tuple[int, int, int]  # modified (ns), inode, size


class TokensUnreadableError(Exception):
    """A token file cannot be used. The text never holds what stands in it."""


class Source:
    """One token file.

    Args:
        short: the tokens may have half of the usual characters.
    """

    def __init__(self, path: Path, *, short: bool) -> None:
        self.path = path
        self.tokens: tuple[Token, ...] = ()  # its rows in force
        self._short = short
        self._state: FileState | None = None
        # The file as it was read, kept open: else a new file could get the inode of an old one,
        # and look like that one written in place.
        self._file: BinaryIO | None = None
        self._complaint = ""

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def settled(self) -> bool:
        """Whether it may be read: nobody seems to be writing it."""
        return not _is_being_written(self._state, _state(self.path))

    @property
    def changed(self) -> bool:
        """Whether there is something new to read. Costs 1.5 us if not."""
        return _state(self.path) != self._state and self.settled

    def read(self) -> tuple[Token, ...]:
        """The rows that stand there now.

        Raises:
            TokensUnreadableError: it cannot be used.
        """
        before, self._file = self._file, None
        self._state = _state(self.path)
        try:
            self._file = os.fdopen(open_regular(str(self.path)), "rb")
            self._state = _state(self._file.fileno())
            data = self._file.read(FILE_BYTES + 1)
            if len(data) > FILE_BYTES:
                raise TokensUnreadableError("it is larger than 1 MiB")
            return parse_token_file(data.decode("utf-8"), short=self._short)
        except OSError as error:
            raise TokensUnreadableError(error.strerror or "unreadable") from None
        except UnicodeDecodeError:
            raise TokensUnreadableError("it is not UTF-8") from None
        except (FormError, TokenFileError) as error:
            raise TokensUnreadableError(str(error)) from None
        finally:
            if before is not None:
                before.close()

    def complain(self, reason: str) -> None:
        """Say what is wrong, if that was not the last thing said; an empty text for nothing."""
        if reason and reason != self._complaint:
            what = "cannot use it, its old tokens stay in force"
            log.error(f"token file: {what}: {self.path}: {reason}")
        self._complaint = reason


class TokenSet:
    """What the files say, kept current.

    Args:
        paths: ours, without which nobody gets in, and then others.
        short: the tokens may have half of the usual characters.

    Raises:
        TokensUnreadableError: our file cannot be used at the start.
    """

    def __init__(self, *paths: Path, short: bool) -> None:
        self._sources = [Source(path, short=short) for path in paths]
        self.tokens: tuple[Token, ...] = ()
        ours = self._sources[0]
        try:
            ours.tokens = ours.read()
        except TokensUnreadableError as error:
            raise TokensUnreadableError(f"{ours.path}: {error}") from None
        self._take(self._sources[1:])

    def close(self) -> None:
        """Let go of the files."""
        for source in self._sources:
            source.close()

    def look(self) -> bool:
        """Re-read the files if one changed; whether there is a new set."""
        if not any(source.changed for source in self._sources):
            return False
        # The others, too: what clashed with this one may not do so any more.
        return self._renew([source for source in self._sources if source.settled])

    def reload(self) -> bool:
        """Take the files as they are now; whether there is a new set."""
        return self._renew(self._sources)

    def _renew(self, sources: Sequence[Source]) -> bool:
        before = self.tokens
        self._take(sources)
        if self.tokens != before:
            log.info(f"token file: read again, {len(self.tokens)} tokens")
        return self.tokens != before

    def _take(self, sources: Sequence[Source]) -> None:
        """Take new rows of these files, as far as they can be used."""
        found: list[Token] = []
        for source in self._sources:
            rows = source.tokens
            reason = ""
            if source in sources:
                try:
                    rows = source.read()
                except TokensUnreadableError as error:
                    reason = str(error)
                source.complain(reason or _clash(found, rows))
            if _clash(found, rows):
                rows = () if _clash(found, source.tokens) else source.tokens
            source.tokens = rows
            found += rows
        self.tokens = tuple(found)


def _clash(ours: Sequence[Token], others: Sequence[Token]) -> str:
    """What is wrong with rows that come after ours; empty for nothing."""
    taken = {token.name for token in ours} | {token.digest for token in ours}
    if any(token.name in taken or token.digest in taken for token in others):
        return "a name or a token stands in both files"
    return ""


def _state(file: Path | int) -> FileState | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - a descriptor, too
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _is_being_written(before: FileState | None, now: FileState | None) -> bool:
    """Whether an editor may have emptied the file and not yet filled it again.

    Only in place: a file that was renamed to this name is whole.
    """
    if now is None or before is None or now == before or now[1] != before[1]:
        return False
    if now[0] == before[0]:  # the kernel sets the time a moment after the size
        return True
    return 0 <= time.time() - now[0] / 1e9 < limits.SETTLE_SECONDS
