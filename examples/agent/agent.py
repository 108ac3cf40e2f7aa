"""An agent that orders apples in a browser on the desktop. To pay is a person's: there it waits.

Its work is a page of its own, so that nothing is really bought; yours is elsewhere.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as WaitedTooLong

WAIT_MINUTES = 15  # for a person
PACE_MS = 200  # between two steps, so that who watches can follow
BROWSER = (
    *("--no-sandbox", "--no-first-run", "--disable-gpu"),
    *("--disable-sync", "--disable-background-networking", "--disable-component-update"),
)


class Shop(BaseHTTPRequestHandler):
    """Serves the form at every address."""

    def do_GET(self) -> None:
        """Answer with the form."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(Path(__file__).with_name("shop.html").read_bytes())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def order(page: Page, address: str) -> str:
    """Fill in the order, and wait until a person has sent it; returns what was ordered."""
    page.goto(address)
    page.get_by_placeholder("what").fill("apples")
    page.get_by_placeholder("how many").fill("3")
    print("agent: filled in an order of 3 apples")
    print("agent: over to you: change it, pay it")
    page.wait_for_url("**/thanks?*", timeout=WAIT_MINUTES * 60_000)
    asked = parse_qs(urlsplit(page.url).query)
    return f"{asked['amount'][0]} {asked['what'][0]}"


def main() -> int:
    """Run the agent; its status is the container's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as shop, sync_playwright() as playwright:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=False, slow_mo=PACE_MS, args=BROWSER
        )
        page = browser.new_page(no_viewport=True)
        try:
            ordered = order(page, f"http://127.0.0.1:{shop.server_port}/")
        except WaitedTooLong:
            print("agent: nobody came", file=sys.stderr)
            return 1
        finally:
            browser.close()
            shop.shutdown()
    print(f"agent: a person ordered {ordered}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
