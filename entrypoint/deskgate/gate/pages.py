"""What the gate serves from disk: noVNC's files and our own page.

The index is made once, at start, of regular files only. A request is a look-up in it, so no
path or encoding can reach anything else, and what became a link later is not followed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deskgate.gate.headers import NO_STORE, page_csp, viewer_csp
from deskgate.gate.messages import Answer, Headers, OwnPage

# Our own table: the system's mime.types is not in a slim image, and nosniff makes types matter.
TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
GZIP = "gzip"
SQUEEZED = {".css", ".html", ".js", ".json", ".svg", ".txt"}  # the others are so already
SQUEEZED_BYTES_AT_MOST = 256 * 1024  # while one is squeezed, nobody else is served
INLINE = {
    "script": re.compile(rb"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE),
    "style": re.compile(rb"<style\b([^>]*)>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE),
}
SOURCE = re.compile(rb"\ssrc\s*=", re.IGNORECASE)
LOCKED, OPENED = b'data-access="locked"', b'data-access="open"'
# In our folder: the page, and below the folder beside it what it loads.
OWN_PAGE, OWN_FILES = "index.html", "page"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One file that may be served.

    Args:
        csp: its own policy, for HTML; None for what is no page.
    """

    path: Path
    content_type: str
    etag: str
    csp: str | None


def index_folder(folder: str, *, under: str = "") -> dict[str, Page]:
    """Index a web folder by the name below it, such as `app/ui.js`, or `under` another folder."""
    return {f"{under}{name}": page for name, page in _walk(Path(folder))}


def _walk(root: Path) -> Iterator[tuple[str, Page]]:
    for folder, folders, names in os.walk(root):  # does not follow links
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or name.startswith("."):
                continue
            yield path.relative_to(root).as_posix(), _page(path, status)


def _page(path: Path, status: os.stat_result) -> Page:
    # The change time too: reproducible builds give every release's files one modification time.
    state = f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"
    csp = None
    if path.suffix == ".html":
        data = path.read_bytes()
        csp = viewer_csp(inline_hashes(data, "script"), inline_hashes(data, "style"))
    return Page(
        path=path,
        content_type=TYPES.get(path.suffix, "application/octet-stream"),
        etag=f'"{state}"',
        csp=csp,
    )


def inline_hashes(html: bytes, kind: str) -> list[str]:
    """Hash a page's inline scripts or style sheets for its CSP (CSP level 3, 6.7.2)."""
    found = []
    for attributes, content in INLINE[kind].findall(html):
        if not SOURCE.search(attributes):
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
            found.append(f"sha256-{digest}")
    return found


def load_page(path: Path) -> OwnPage:
    """Read our own page: locked, and open."""
    data = path.read_bytes()
    return OwnPage(
        locked=data,
        opened=data.replace(LOCKED, OPENED, 1),
        csp=page_csp(inline_hashes(data, "script"), inline_hashes(data, "style")),
    )


def serve(
    page: Page, headers: Headers, if_none_match: list[str], codings: Iterable[str] = ()
) -> Answer:
    """Answer with a file, or with 304 when the browser has it.

    Args:
        headers: the common ones; the page's own policy replaces the one in them.
        codings: what the browser's Accept-Encoding lists.
    """
    if page.csp is not None:
        headers = tuple((name, _with_csp(name, value, page.csp)) for name, value in headers)
        cache = NO_STORE
    else:
        # Kept, but asked for again each time: the credential is checked, the bytes are not sent.
        cache = ("Cache-Control", "private, no-cache")
    headers = (*headers, cache, ("Content-Type", page.content_type))
    etag, squeezed = page.etag, None
    if page.path.suffix in SQUEEZED:
        headers = (*headers, ("Vary", "Accept-Encoding"))
        if GZIP in codings and (squeezed := _squeeze(page.path, page.etag)):
            etag = f'{page.etag[:-1]}-{GZIP}"'  # other bytes, so another name (RFC 9110, 8.8.3.3)
            headers = (*headers, ("Content-Encoding", GZIP))
    headers = (*headers, ("ETag", etag))
    if page.csp is None and {etag, f"W/{etag}", "*"} & set(if_none_match):
        return Answer(status=304, headers=headers)
    return Answer(status=200, headers=headers, body=squeezed or _read(page.path))


@lru_cache(maxsize=128)  # those of our page are 70, and 200 KB together
def _squeeze(path: Path, etag: str) -> bytes | None:
    """A file in gzip; None when that is not worth it. None of them holds a secret."""
    import zlib  # late: not every gate is asked for a page

    if path.stat().st_size > SQUEEZED_BYTES_AT_MOST:
        return None
    data = _read(path)
    found = zlib.compress(data, wbits=zlib.MAX_WBITS | 16)  # 16: with gzip's head (zlib.h)
    return found if len(found) < len(data) else None


def _read(path: Path) -> bytes:
    """Read a file, unless something else has taken its name: a link, or a pipe to wait for."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(path, flags), "rb") as file:
        return file.read()


def _with_csp(name: str, value: str, csp: str) -> str:
    if name != "Content-Security-Policy":
        return value
    return f"{csp}; frame-ancestors{value.partition('frame-ancestors')[2]}"
