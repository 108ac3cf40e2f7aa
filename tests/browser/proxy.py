"""Reverse proxies in front of a gate: real ones, each a plain process on a port of loopback.

The folder beside holds what a person writes; here is only what lets it run without being installed
as a service.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.container.engine import wait_until

START_SECONDS: Final = 10.0  # nginx and haproxy take 0.02 s, caddy 0.3
STOP_SECONDS: Final = 5.0
ACCESS_LOG: Final = "access.log"  # nginx's: everything about a request that it can tell
# Debian's place of nginx and haproxy, which is not on every user's path.
SEARCH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"

NGINX: Final = """\
daemon off;
master_process off;
pid nginx.pid;
events {{}}
http {{
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    log_format all '$status\t$request\t$http_referer\t$http_cookie\t$sent_http_location';
    access_log access.log all;
{site}
}}
"""
CADDY: Final = """\
{{
	admin off
	auto_https disable_redirects
}}
{site}
"""
HAPROXY: Final = """\
global
    maxconn 100
{site}
"""
# kind → the template's name, what it stands in, and the words that start it in its folder.
KINDS: Final = {
    "nginx": ("nginx.conf", NGINX, ("-p", ".", "-e", "error.log", "-c", "nginx.conf")),
    "caddy": ("Caddyfile", CADDY, ("run", "--config", "Caddyfile")),
    "haproxy": ("haproxy.cfg", HAPROXY, ("-db", "-f", "haproxy.cfg")),
}
TEMPLATES: Final = Environment(  # noqa: S701  these are no pages
    loader=FileSystemLoader(Path(__file__).with_name("proxies")),
    undefined=StrictUndefined,
    trim_blocks=True,
)


def render(kind: str, **values: object) -> str:
    """The configuration of a proxy, as a person would write it."""
    return TEMPLATES.get_template(f"{KINDS[kind][0]}.j2").render(values)


@contextmanager
def running_proxy(
    kind: str,
    folder: Path,
    *,
    port: int,
    gate: int,
    prefix: str = "/",
    strip: bool = False,
    pem: Path | None = None,
    idle_seconds: float = 60,
) -> Iterator[Path]:
    """Run a proxy until the block ends; gives the folder of its files.

    Args:
        port: where it listens.
        gate: the port that it passes on to.
        prefix: the path that it passes on, with a slash at both ends.
        strip: whether it takes the prefix off.
        pem: certificate and key in one file, for https.
        idle_seconds: how long it keeps a WebSocket on which nothing moves.
    """
    name, frame, words = KINDS[kind]
    program = shutil.which(kind, path=SEARCH)
    assert program, f"no {kind}: `docker/prepare` installs it"
    site = render(
        kind,
        port=port,
        gate=gate,
        prefix=prefix,
        strip=strip,
        pem=pem,
        idle_seconds=idle_seconds,
    )
    folder.mkdir()
    (folder / name).write_text(frame.format(site=site))
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [program, *words],
            cwd=folder,
            env={"PATH": SEARCH, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

        def listens() -> bool:
            assert process.poll() is None, (folder / "output.log").read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        try:
            wait_until(listens, START_SECONDS, what=f"{kind} on port {port}")
            yield folder
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
