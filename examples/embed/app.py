"""A web application with the desktop in one of its pages. Who may see that page is up to you.

For each visit it asks the desktop for a ticket: a link that works once, within a minute.
"""

from __future__ import annotations

import http.client
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = """\
<!doctype html>
<title>The desktop in a page</title>
<link rel="icon" href="data:,">
<style>iframe {{ border: 0; width: 100%; height: 80vh }}</style>
<h1>Our application</h1>
<iframe src="{link}" allow="clipboard-read; clipboard-write; fullscreen"></iframe>
"""


def new_link() -> str:
    """Ask the desktop for a link that works once."""
    token = Path(os.environ["DESK_TOKEN_FILE"]).read_text().strip()
    desk = http.client.HTTPConnection(os.environ["DESK"], timeout=5)
    try:
        headers = {"Authorization": f"Bearer {token}"}
        desk.request("POST", "/api/tickets", json.dumps({"ttl": "1m"}), headers)
        answer = desk.getresponse()
        if answer.status != http.HTTPStatus.CREATED:
            raise OSError(f"the desktop answers {answer.status}")
        return str(json.load(answer)["url"])
    finally:
        desk.close()


class Application(BaseHTTPRequestHandler):
    """Serves the page at /."""

    def do_GET(self) -> None:
        """Make the page, with a link of its own."""
        if self.path != "/":
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return
        try:
            page = PAGE.format(link=new_link()).encode()
        except (OSError, http.client.HTTPException) as error:
            self.log_message("no link: %s", error)
            self.send_error(http.HTTPStatus.BAD_GATEWAY, "The desktop cannot be reached")
            return
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")  # a link is for one visit
        self.end_headers()
        self.wfile.write(page)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8080), Application).serve_forever()
