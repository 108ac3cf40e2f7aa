"""Loads what we use without what it drags along and we do not: 20 ms and 3 MB of every start.

Measured with websockets 17 and Python 3.11. Should a new release need what is held back, it is
loaded in full instead.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from deskgate.lean import holding_back


def load_asyncio_without_tls() -> None:
    """Load asyncio without ssl, which it does not need on plain sockets and is written to miss."""
    with holding_back("ssl", None):
        importlib.import_module("asyncio")


def load_relay() -> None:
    """Load the relay, and websockets without importlib.metadata.

    It imports that to say the version of its development releases, and with it come email, csv,
    zipfile and tempfile.
    """
    try:
        with holding_back("importlib.metadata", ModuleType("importlib.metadata")):
            importlib.import_module("websockets.protocol")
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.startswith("websockets")]:
            del sys.modules[name]
    importlib.import_module("deskgate.gate.relay")
