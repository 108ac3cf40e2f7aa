"""The tokens in force, as their files say: ours, and the person's own (VNC_TOKENS_FILE).

Both are looked at before each request is judged, and twice a second while a viewer is here.
A bad file keeps the old set, and is said once.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import BinaryIO

from deskgate.gate import limits, log
from deskgate.tokenfile import TokenFileError, parse_token_file
from deskgate.tokens import Token

FileState = tuple[int, int, int]  # modified (ns), inode, size
TOKEN_FILE_BYTES = 1024 * 1024


class TokensUnreadableError(Exception):
    """A token file cannot be used. The text never holds what stands in it."""


class TokenSet:
    """What the files say, kept current.

    Args:
        short: the tokens may have half of the usual characters.

    Raises:
        TokensUnreadableError: a file cannot be used at the start.
    """

    def __init__(self, *paths: Path, short: bool) -> None:
        self._paths = paths
        self._short = short
        self._states: list[FileState | None] = []
        # The files as they were read, kept open: else a new file could get the inode of an old
        # one, and look like that one written in place.
        self._files: list[BinaryIO | None] = []
        self.tokens = self._load()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            if file is not None:
                file.close()

    def _load(self) -> tuple[Token, ...]:
        files = [_open(path) for path in self._paths]
        self.close()
        self._files = files
        self._states = [None if file is None else _state(file.fileno()) for file in files]
        found: list[Token] = []
        for path, file in zip(self._paths, files, strict=True):
            try:
                found += self._read(file)
            except TokensUnreadableError as error:
                raise TokensUnreadableError(f"{path}: {error}") from None
        for what in ({token.name for token in found}, {token.digest for token in found}):
            if len(what) < len(found):
                raise TokensUnreadableError("a name or a token stands in both files")
        return tuple(found)

    def _read(self, file: BinaryIO | None) -> tuple[Token, ...]:
        if file is None:
            raise TokensUnreadableError("it is not there, or may not be read")
        try:
            data = file.read(TOKEN_FILE_BYTES + 1)
            if len(data) > TOKEN_FILE_BYTES:
                raise TokensUnreadableError("it is larger than 1 MiB")
            return parse_token_file(data.decode("utf-8"), short=self._short)
        except OSError as error:
            raise TokensUnreadableError(error.strerror or "unreadable") from None
        except UnicodeDecodeError:
            raise TokensUnreadableError("it is not UTF-8") from None
        except TokenFileError as error:
            raise TokensUnreadableError(str(error)) from None

    def look(self) -> bool:
        """Re-read the files if one changed; whether there is a new set. Costs 3 us if none did."""
        states = [_state(path) for path in self._paths]
        if states == self._states:
            return False
        pairs = zip(self._states, states, strict=True)
        if any(_is_being_written(before, now) for before, now in pairs):
            return False
        return self.reload()

    def reload(self) -> bool:
        """Take the files as they are now; whether there is a new set."""
        try:
            self.tokens = self._load()
        except TokensUnreadableError as error:
            log.error(f"token file: cannot use it, the old tokens stay in force: {error}")
            return False
        log.info(f"token file: read again, {len(self.tokens)} tokens")
        return True


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except OSError:
        return None


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
    return 0 <= time.time() - now[0] / 1e9 < limits.SETTLE_SECONDS
