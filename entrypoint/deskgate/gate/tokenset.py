"""The tokens in force, as their files say: ours, and the person's own (VNC_TOKENS_FILE).

Both are looked at twice a second while somebody is connected, and on the next request otherwise.
A bad file keeps the old set, and is said once.
"""

from __future__ import annotations

import time
from pathlib import Path

from deskgate.gate import limits, log
from deskgate.tokenfile import TokenFileError, parse_token_file
from deskgate.tokens import Token

FileState = tuple[int, int, int]  # modified (ns), inode, size
TOKEN_FILE_BYTES = 1024 * 1024


class TokensUnreadableError(Exception):
    """A token file cannot be used. The text never holds what stands in it."""


def load_tokens(path: Path, *, short: bool) -> tuple[Token, ...]:
    """Read a token file.

    Raises:
        TokensUnreadableError: missing, too large, or not of its format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(TOKEN_FILE_BYTES + 1)
        if len(data) > TOKEN_FILE_BYTES:
            raise TokensUnreadableError(f"{path}: it is larger than 1 MiB")
        return parse_token_file(data.decode("utf-8"), short=short)
    except OSError as error:
        raise TokensUnreadableError(f"{path}: {error.strerror or 'unreadable'}") from None
    except UnicodeDecodeError:
        raise TokensUnreadableError(f"{path}: it is not UTF-8") from None
    except TokenFileError as error:
        raise TokensUnreadableError(f"{path}: {error}") from None


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
        self._states = self._look()
        self._checked = time.monotonic()
        self.tokens = self._load()

    def _look(self) -> list[FileState | None]:
        return [_state(path) for path in self._paths]

    def _load(self) -> tuple[Token, ...]:
        found = tuple(
            token for path in self._paths for token in load_tokens(path, short=self._short)
        )
        for what in ({token.name for token in found}, {token.digest for token in found}):
            if len(what) < len(found):
                raise TokensUnreadableError("a name or a token stands in both files")
        return found

    def look(self) -> bool:
        """Re-read the files if one changed; whether there is a new set. At most twice a second."""
        moment = time.monotonic()
        if moment - self._checked < limits.TICK_SECONDS:
            return False
        self._checked = moment
        states = self._look()
        if states == self._states:
            return False
        pairs = zip(self._states, states, strict=True)
        if any(_is_being_written(before, now) for before, now in pairs):
            return False
        return self.reload()

    def reload(self) -> bool:
        """Take the files as they are now; whether there is a new set."""
        self._states = self._look()
        try:
            self.tokens = self._load()
        except TokensUnreadableError as error:
            log.error(f"token file: cannot use it, the old tokens stay in force: {error}")
            return False
        log.info(f"token file: read again, {len(self.tokens)} tokens")
        return True


def _state(path: Path) -> FileState | None:
    try:
        status = path.stat()
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
