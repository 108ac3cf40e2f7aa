"""The words of a command line, taken one by one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from deskgate.errors import UsageError, did_you_mean


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether a command line wants to know what to write."""
    # What follows `run` may be a command with a --help of its own.
    asked = words[1:2] if words[:1] == ["run"] else words
    return not {"--help", "-h"}.isdisjoint(asked)


class Arguments:
    """The words after a command, taken one by one; what is left over is an error.

    Not argparse: it costs 7 ms of each start and each health check.
    """

    def __init__(self, command: str, words: Sequence[str]) -> None:
        self._command = command
        self._words = list(words)
        self._known: list[str] = []

    def flag(self, name: str) -> bool:
        """Take `name`, if it is there."""
        self._known.append(name)
        if name in self._words:
            self._words.remove(name)
            return True
        return False

    def text(self, name: str) -> str | None:
        """Take `name VALUE` or `name=VALUE`; None when it is not there."""
        self._known.append(name)
        for at, word in enumerate(self._words):
            if word == name or word.startswith(f"{name}="):
                has_own = word != name
                taken = self._words[at : at + (1 if has_own else 2)]
                found = word.partition("=")[2] if has_own else (taken[1:] or [""])[0]
                if not found:
                    raise UsageError(f"{self._command}: {name} needs a value")
                del self._words[at : at + len(taken)]
                return found
        return None

    def choice(self, name: str, *allowed: str) -> str:
        """Take `name VALUE`, one of these; the first is the default."""
        found = self.text(name) or allowed[0]
        if found not in allowed:
            raise UsageError(f"{self._command}: {name} is one of: {', '.join(allowed)}")
        return found

    def operand(self) -> str | None:
        """Take the next word that is no option."""
        for at, word in enumerate(self._words):
            if not word.startswith("-"):
                return self._words.pop(at)
        return None

    def end(self) -> None:
        """Refuse what nobody took."""
        if self._words:
            word = self._words[0]
            hint = did_you_mean(word, self._known) or "; see deskgate --help"
            raise UsageError(f"{self._command}: cannot use {word!r}{hint}")
