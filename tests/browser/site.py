"""A web server of somebody else, on a port of its own, by many names that lead to loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """The server.

    Args:
        asked: each request so far: its path, and its headers by their names in lower case.
    """

    port: int
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    _pages: dict[str, str] = field(default_factory=dict)

    def url(self, host: str, page: str = "") -> str:
        """The address of a page under one of its names.

        Args:
            page: HTML to be shown there.
        """
        path = f"/{len(self._pages)}"
        self._pages[path] = f"<!doctype html><link rel=icon href=data:,>{page}"
        return f"http://{host}:{self.port}{path}"

    def page(self, path: str) -> bytes:
        """The HTML at a path; an empty one where nothing is."""
        return self._pages.get(path, "").encode()


@contextmanager
def running_site() -> Iterator[Site]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.asked.append((self.path, headers))
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(site.page(self.path))

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()
