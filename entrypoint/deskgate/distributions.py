"""Which distributions have the desktop's packages under the names that we know. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from deskgate.errors import MissingFileError

OLDEST: Final = {"debian": (12,), "ubuntu": (24, 4)}  # whose Python is 3.11 at least
KNOWN: Final = "Debian 12 or newer, Ubuntu 24.04 or newer, or what stands on them"


def read_fields(os_release: str) -> Mapping[str, str]:
    """The fields of /etc/os-release (os-release(5))."""
    pairs = (line.partition("=") for line in os_release.splitlines() if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}


def refuse_other(fields: Mapping[str, str], *, has_apt: bool, missing: Sequence[str]) -> None:
    """Name a distribution that cannot be installed on, what is missing there, and what to do.

    Args:
        missing: programs of the desktop that are not there yet.

    Raises:
        MissingFileError: it has other packages, is too old, or has no apt-get.
    """
    name = fields.get("PRETTY_NAME") or fields.get("ID") or "an unknown system"
    family = {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}
    if family.isdisjoint(OLDEST):
        reason = f"give the image a base of {KNOWN}"
        if missing:
            reason += f"; or install what is missing, {', '.join(missing)}, by its own packages"
    elif version_of(fields) < OLDEST.get(fields.get("ID", ""), ()):
        reason = f"it is too old: give the image a base of {KNOWN}"
    elif not has_apt:
        reason = "apt-get is missing: give the image a base that has it, such as debian:trixie-slim"
    else:
        return
    raise MissingFileError(f"install: cannot install on {name}: {reason}")


def version_of(fields: Mapping[str, str]) -> tuple[float, ...]:
    """The numbers of its version; one without, as Debian's testing is, is newer than all."""
    numbers = re.findall(r"\d+", fields.get("VERSION_ID", ""))
    return tuple(map(int, numbers)) or (float("inf"),)


def read_list(text: str) -> list[str]:
    """The packages in a list; a comment gives each one's reason."""
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]
