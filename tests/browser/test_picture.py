"""The README's picture: what the terminal really printed, and what the browser really showed.

`make test ARGS="tests/browser/test_picture.py --update-screenshots"` writes it anew.
"""

from __future__ import annotations

import base64
import html
from typing import Final

import pytest

from tests.browser.conftest import OpenTab
from tests.conftest import MakeDesk
from tests.container.desk import ROOT
from tests.container.engine import wait_until

PICTURE: Final = ROOT / "docs" / "images" / "desktop.png"
COMMAND: Final = "docker run --rm -p 127.0.0.1:8002:8002 deskgate:python"
# The first one makes each prompt leave a line in a file, so that nothing is typed too early.
TYPED: Final = (
    "PROMPT_COMMAND='echo >>/tmp/prompts'; cd; clear",
    "python3 -V; node -v",
    "deskgate status",
)
SCENE: Final = """<!doctype html><style>
body {{ margin: 0; padding: 28px; background: linear-gradient(135deg, #dfe7ef, #f3ede4);
  font: 15px/1.6 "DejaVu Sans Mono", monospace; }}
section {{ border-radius: 10px; overflow: hidden; box-shadow: 0 6px 24px #0004; }}
pre {{ margin: 0; padding: 14px 20px 18px; background: #14181f; color: #d8dee9; font: inherit; }}
b {{ color: #8fd694; font-weight: 400; }}
section + section {{ margin-top: 24px; }}
header {{ padding: 9px 14px; background: #e3e6ea; color: #3b4252; font-size: 13px; }}
header span {{ display: inline-block; padding: 2px 14px; border-radius: 12px; background: #fff; }}
img {{ display: block; width: 1224px; }}
</style>
<section><pre>$ <b>{command}</b>
{output}</pre></section>
<section><header>● ● ●&nbsp; <span>{address}</span></header>
<img src="data:image/png;base64,{picture}"></section>"""


def test_picture_shows_the_link_and_the_desktop(
    make_desk: MakeDesk, open_tab: OpenTab, request: pytest.FixtureRequest
) -> None:
    """A terminal with both links above a browser with the desktop that they open."""
    desk = make_desk(variant="python", options=("--hostname", "desk")).start()
    screen = open_tab().open(desk.link())
    screen.click(300, 300)
    for number, line in enumerate(TYPED, start=1):
        screen.type(line)
        prompts = "\n" * number
        wait_until(lambda p=prompts: desk.exec("cat", "/tmp/prompts").out == p, 10, what=line)  # type: ignore[misc]
    wait_until(lambda: screen.colours >= 8, 10, what="a drawn desktop")
    shot = screen.page.screenshot(animations="disabled")
    scene = open_tab(viewport={"width": 1280, "height": 980})
    scene.page.set_content(
        SCENE.format(
            command=COMMAND,
            output=html.escape(desk.output.err.strip().partition("\ngate: ")[0]),
            address="localhost:8002",
            picture=base64.b64encode(shot).decode(),
        )
    )
    picture = scene.page.screenshot(full_page=True)
    assert len(picture) > 20_000, "a blank picture is smaller"
    if request.config.getoption("--update-screenshots"):
        PICTURE.write_bytes(picture)
