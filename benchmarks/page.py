"""From the link to the first picture: our page beside noVNC's own `vnc.html`.

`python -m benchmarks.page [--rounds 15]` prints the table that the docs quote. Each load is a
browser's first: nothing is kept from the one before. One gate, one Chromium, in turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Error

from benchmarks.browser import running_browser
from benchmarks.desk import running_xvnc, terminal, version
from benchmarks.proxies import OURS, TOKEN, Lab, make_environment, running
from benchmarks.rounds import turns

PAGES = {
    "ours": f"#token={TOKEN}",
    "vnc.html": f"vnc.html?path={quote(f'websockify?token={TOKEN}', safe='')}&autoconnect=1",
}
# What Chromium's own developer tools call them: kilobits a second, milliseconds.
NETWORKS: Mapping[str, tuple[float, float] | None] = {
    "loopback": None,
    "fast 3G": (1600, 150),
}
LOADS = 5  # a container that starts or stops elsewhere breaks one off
# Resolves with the first moment at which the desktop's canvas holds a picture.
WATCH = """() => { window.drawn = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("no picture")), 20_000);
    const pixel = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const look = () => {
        const canvas = document.querySelector("#screen canvas, #noVNC_container canvas");
        if (canvas?.width) {  // else there is nothing to see, and looking takes its time
            pixel.drawImage(canvas, 0, 0, 1, 1, 0, 0, 1, 1);
            if (pixel.getImageData(0, 0, 1, 1).data[3]) {
                resolve(performance.now());
                return;
            }
        }
        requestAnimationFrame(look);
    };
    look();
}); }"""


@dataclass(frozen=True, slots=True)
class Load:
    """One load: milliseconds, bytes and number of what was sent for it before the first picture."""

    milliseconds: float
    kilobytes: float
    requests: int


def load(browser: Browser, url: str, network: tuple[float, float] | None) -> Load:
    """Open a page in a fresh profile, and wait for its first picture."""
    for attempt in range(LOADS):
        try:
            return _load(browser, url, network)
        except Error:
            if attempt == LOADS - 1:
                raise
    raise AssertionError


def _load(browser: Browser, url: str, network: tuple[float, float] | None) -> Load:
    context = browser.new_context()
    try:
        page = context.new_page()
        tools = context.new_cdp_session(page)
        tools.send("Network.enable")
        if network is not None:
            kilobits, milliseconds = network
            rate = kilobits * 1000 / 8
            limits: dict[str, Any] = {"latency": milliseconds, "offline": False}
            limits |= {"downloadThroughput": rate, "uploadThroughput": rate}
            tools.send("Network.emulateNetworkConditions", limits)
        sizes: list[float] = []
        tools.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
        page.add_init_script(f"({WATCH})()")
        page.goto(url, wait_until="domcontentloaded")
        # Not wait_for_function, whose text the pages' policy forbids.
        took = page.evaluate("() => window.drawn")
        return Load(float(took), sum(sizes) / 1000, len(sizes))
    finally:
        context.close()


def measure(rounds: int) -> dict[tuple[str, str], list[Load]]:
    """Every page over every network."""
    found: dict[tuple[str, str], list[Load]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_xvnc(Path(folder)) as xvnc,
        running_browser() as browser,
    ):
        drawing = terminal(xvnc.display, "sleep", "infinity")
        lab = Lab(
            folder=Path(folder),
            python=make_environment(Path(folder) / "venv", sys.executable),
            numpy=None,
        )
        with running(lab, OURS, xvnc.port) as gate:
            for _ in range(rounds):
                for name in turns(list(PAGES)):
                    for network, conditions in NETWORKS.items():
                        url = f"http://localhost:{gate.port}/{PAGES[name]}"
                        found[name, network].append(load(browser, url, conditions))
        drawing.kill()
        drawing.wait()
    return found


def report(found: Mapping[tuple[str, str], list[Load]]) -> str:
    """The table, in Markdown."""
    lines = ["| figure | ours | vnc.html | ours / vnc.html |", "|---|---|---|---|"]

    def row(figure: str, digits: int, values: Mapping[str, float]) -> None:
        shown = [f"{values[name]:.{digits}f}" for name in PAGES]
        ratio = values["ours"] / values["vnc.html"]
        lines.append(f"| {figure} | {' | '.join(shown)} | {ratio:.2f} |")

    for network in NETWORKS:
        loads = {name: found[name, network] for name in PAGES}
        for percent, word in ((50, "p50"), (95, "p95")):
            values = {
                name: statistics.quantiles(
                    [each.milliseconds for each in each_load], n=100, method="inclusive"
                )[percent - 1]
                for name, each_load in loads.items()
            }
            row(f"link to first picture, {network}, ms, {word}", 0, values)
    some = {name: found[name, "loopback"] for name in PAGES}
    weight = {k: statistics.median(each.kilobytes for each in v) for k, v in some.items()}
    requests = {k: statistics.median(each.requests for each in v) for k, v in some.items()}
    row("weight, kB", 0, weight)
    row("requests", 0, requests)
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    print(f"{version()}, {asked.rounds} rounds:\n")
    print(report(measure(asked.rounds)))
