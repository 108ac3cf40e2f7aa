"""CPU per frame: a real xterm scrolls, real noVNC in Chromium draws, the proxy is between them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from urllib.parse import quote

from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright

from benchmarks.desk import Xvnc, terminal
from benchmarks.processes import cpu_between
from benchmarks.proxies import SOCAT, TOKEN, Lab, Proxy, all_running
from benchmarks.rounds import Samples, samples, turns

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
WINDOW = ViewportSize(width=1400, height=900)  # the whole screen, unscaled
LOADS, CONNECT_MS = 3, 10_000
WARM_UP_MS, WINDOW_MS = 1000, 6000
# Sixty lines a second: with more, xterm jumps, and a frame is not the same for everybody.
SCROLL = """
import time
number = 0
while True:
    print(f"{number:8} the quick brown fox jumps over the lazy dog " * 2, flush=True)
    number += 1
    time.sleep(1 / 60)
"""
# noVNC calls flip once for each update that it has drawn.
COUNT = """async () => {
    const {default: Display} = await import("./core/display.js");
    const flip = Display.prototype.flip;
    window.frames_drawn = 0;
    Display.prototype.flip = function (...rest) {
        window.frames_drawn += 1;
        return flip.apply(this, rest);
    };
}"""


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """A Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextlib.contextmanager
def scrolling(xvnc: Xvnc) -> Iterator[None]:
    """A terminal that scrolls."""
    process = terminal(xvnc.display, sys.executable, "-c", SCROLL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def measure_frames(lab: Lab, xvnc: Xvnc, browser: Browser) -> Samples:
    """CPU milliseconds of the proxy for a frame, and frames a second."""
    found = samples("frame cpu", "frames")
    with all_running(lab, xvnc.port) as proxies, scrolling(xvnc):
        for name in turns(lab.names):
            if name != SOCAT:  # noVNC needs a WebSocket
                frames, cpu = _watch(proxies[name], browser)
                found["frame cpu"][name].append(1000 * cpu / frames)
                found["frames"][name].append(frames / (WINDOW_MS / 1000))
    return found


def _watch(proxy: Proxy, browser: Browser) -> tuple[float, float]:
    """Frames drawn in a window of time, and the proxy's CPU seconds for them."""
    path = quote(f"websockify?token={TOKEN}", safe="")
    url = f"http://localhost:{proxy.port}/vnc.html?path={path}&autoconnect=1"
    page = browser.new_page(viewport=WINDOW)
    try:
        _open(page, url)
        page.evaluate(COUNT)
        page.wait_for_timeout(WARM_UP_MS)
        frames, clocks = _drawn(page), proxy.cpu_clocks()
        page.wait_for_timeout(WINDOW_MS)
        return _drawn(page) - frames, cpu_between(clocks, proxy.cpu_clocks())
    finally:
        page.close()


def _open(page: Page, url: str) -> None:
    """Until noVNC is connected. A container that starts or stops elsewhere breaks a load off."""
    for attempt in range(LOADS):
        try:
            page.goto(url)
            page.wait_for_selector("html.noVNC_connected", timeout=CONNECT_MS)
        except Error:
            if attempt == LOADS - 1:
                raise
            page.goto("about:blank")
        else:
            return


def _drawn(page: Page) -> int:
    return int(page.evaluate("window.frames_drawn"))
