"""Holds back what supervisor drags along and a conductor does not use: 40 ms and 8 MB of PID 1.

`supervisor.compat` serves Python 2 as well, and for that loads XML-RPC, HTTP, TLS, mail, HTML and
package metadata. `supervisor.xmlrpc` is its control server, which we do not run.
"""

from __future__ import annotations

import configparser
import importlib
import io
import sys
import syslog
import urllib.parse
from typing import Any, Final

from deskgate.lean import StandIn


def _as_bytes(text: str | bytes, encoding: str = "utf8") -> bytes:
    return text if isinstance(text, bytes) else text.encode(encoding)


def _as_string(text: str | bytes, encoding: str = "utf8") -> str:
    return text if isinstance(text, str) else text.decode(encoding)


def _is_text_stream(stream: object) -> bool:
    return isinstance(stream, io.TextIOBase)


def _import_spec(spec: str) -> Any:
    module, _, name = spec.partition(":")
    return getattr(importlib.import_module(module), name)


# What the modules that `embed` and `loop` import take from it, and as it is on Python 3.
COMPAT: Final[dict[str, Any]] = {
    "PY2": False,
    "ConfigParser": configparser,
    "StringIO": io.StringIO,
    "as_bytes": _as_bytes,
    "as_string": _as_string,
    "basestring": str,
    "import_spec": _import_spec,
    "is_text_stream": _is_text_stream,
    "long": int,
    "maxint": sys.maxsize,
    "syslog": syslog,
    "urlparse": urllib.parse,
    "xmlrpclib": StandIn("xmlrpc.client"),
}


def hold_back() -> None:
    """Put the stand-ins where supervisor's own modules look; who came first is left as it is."""
    sys.modules.setdefault("supervisor.compat", StandIn("supervisor.compat", **COMPAT))
    sys.modules.setdefault("supervisor.xmlrpc", StandIn("supervisor.xmlrpc"))
