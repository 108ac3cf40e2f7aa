"""How many examples a property gets: few each time, `make unit EXAMPLES=10000` for a release."""

from __future__ import annotations

import os


def examples(few: int) -> int:
    """The number for `hypothesis.settings`."""
    return int(os.environ.get("EXAMPLES") or few)
