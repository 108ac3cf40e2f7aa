"""Gives inputs to a harness again: `PYTHONPATH=entrypoint python -m tests.fuzz HARNESS FILE…`."""

from __future__ import annotations

import sys
from pathlib import Path

from .harnesses import HARNESSES


def main(name: str, *paths: str) -> None:
    """Raise what the first bad input makes the harness raise."""
    for path in paths:
        print(f"{name}: {path}", flush=True)
        HARNESSES[name].check(Path(path).read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
