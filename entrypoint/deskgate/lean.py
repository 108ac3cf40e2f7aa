"""Loads modules without what they drag along and we do not use; docs/decisions/0012 has figures.

Nothing is taken away: what a stand-in does not have, it fetches from the true module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class StandIn(ModuleType):
    """Stands for a module until somebody asks for more of it than this one has.

    Args:
        known: what it has.
    """

    def __init__(self, name: str, **known: object) -> None:
        super().__init__(name)
        vars(self).update(known)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import machinery looks for, and a module may lack
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        __import__(self.__name__)
        return getattr(sys.modules[self.__name__], name)


@contextmanager
def holding_back(name: str, stand_in: ModuleType | None) -> Iterator[None]:
    """Keep a module from being loaded meanwhile, unless it is loaded already.

    Args:
        stand_in: what importers get; None makes their import fail.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = stand_in  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(name, None)


def load_basics() -> None:
    """Load dataclasses without inspect, and hashes without OpenSSL, for whoever imports them next.

    hashlib and hmac are written to miss OpenSSL, and fall back on CPython's own hashes. TLS needs
    it, and loads it by another way.
    """
    with holding_back("inspect", StandIn("inspect", get_annotations=_annotations_of)):
        __import__("dataclasses")
    with holding_back("_hashlib", None):
        __import__("hashlib")
        __import__("hmac")


def _annotations_of(kind: type) -> dict[str, object]:
    """All that dataclasses needs of inspect, for a class that has a docstring."""
    return dict(vars(kind).get("__annotations__", {}))
