"""The pictures of README and docs: what the terminal printed, and what the browser showed.

`make pictures` writes them anew.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.test_accessibility import PHONE
from tests.conftest import MakeDesk
from tests.container.desk import ROOT, Desk
from tests.container.engine import wait_until

IMAGES: Final = ROOT / "docs" / "images"
SMALLEST_BYTES: Final = 10_000
COMMAND: Final = "docker run --rm -p 127.0.0.1:8002:8002 deskgate:python"
# The first one makes each prompt leave a line in a file, so that nothing is typed too early.
TYPED: Final = (
    "PROMPT_COMMAND='echo >>/tmp/prompts'; cd; clear",
    "python3 -V; node -v",
    "deskgate status",
)
SCENE: Final = """<!doctype html><style>
body {{ box-sizing: border-box; min-height: 100vh; margin: 0; padding: 28px;
  background: linear-gradient(135deg, #dfe7ef, #f3ede4);
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


Keep = Callable[[str, bytes], None]


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Keep:
    """Look at a picture, and put it into the docs if that was asked for."""

    def keep_one(name: str, picture: bytes) -> None:
        assert len(picture) > SMALLEST_BYTES, "a blank picture is smaller"
        if request.config.getoption("--update-screenshots"):
            (IMAGES / f"{name}.png").write_bytes(picture)

    return keep_one


def test_picture_shows_the_link_and_the_desktop(
    make_desk: MakeDesk, open_tab: OpenTab, keep: Keep
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
    keep("desktop", scene.page.screenshot(full_page=True))


# --- the page ---------------------------------------------------------------------------------

WIDE: Final = {"viewport": {"width": 1440, "height": 900}}
LAPTOP: Final = {"viewport": {"width": 1280, "height": 720}}
# The picture → how its tab is opened, and the tool that is shown in it.
PAGES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "page-light": (WIDE, "Who is here"),
    "page-dark": ({**LAPTOP, "color_scheme": "dark"}, "Size"),
    "page-phone": (PHONE, "Special keys"),
    "page-phone-dark": ({**PHONE, "color_scheme": "dark"}, "Clipboard"),
}
DOORS: Final[dict[str, dict[str, Any]]] = {
    "login-light": LAPTOP,
    "login-dark": {**LAPTOP, "color_scheme": "dark"},
    "login-phone": PHONE,
}


@pytest.fixture(scope="module")
def busy_desk(make_module_desk: MakeDesk) -> Desk:
    """A desk with a terminal on its screen."""
    return make_module_desk(variant="python", options=("--hostname", "desk")).start()


@pytest.mark.parametrize("name", PAGES)
def test_picture_shows_a_tool_beside_the_desktop(
    busy_desk: Desk, open_tab: OpenTab, keep: Keep, name: str
) -> None:
    """On a large screen, a laptop and a phone, with somebody who watches."""
    options, tool = PAGES[name]
    watch = open_tab(**LAPTOP).open(busy_desk.link("view"))
    screen = open_tab(**options).open(busy_desk.link())
    wait_until(lambda: screen.colours >= 8, 10, what="a drawn desktop")
    expect(screen.page.locator("#badge")).to_have_text("Control+1")
    screen.page.get_by_text("Somebody watches").wait_for(state="hidden")
    screen.tool(tool)
    expect(screen.page.get_by_role("region", name=tool)).to_be_visible()
    keep(name, screen.page.screenshot(animations="disabled"))
    watch.page.close()


def test_picture_shows_who_watches(busy_desk: Desk, open_tab: OpenTab, keep: Keep) -> None:
    """The badge says so."""
    control = open_tab(**LAPTOP).open(busy_desk.link())
    watch = open_tab(**LAPTOP).open(busy_desk.link("view"))
    wait_until(lambda: watch.colours >= 8, 10, what="a drawn desktop")
    expect(watch.page.locator("#badge")).to_have_text("Watching+1")
    watch.tool("Who is here")
    keep("watch", watch.page.screenshot(animations="disabled"))
    control.page.close()


@pytest.mark.parametrize("name", DOORS)
def test_picture_shows_the_door(busy_desk: Desk, open_tab: OpenTab, keep: Keep, name: str) -> None:
    """What a stranger sees, and where the link is."""
    screen = open_tab(**DOORS[name])
    screen.go(f"http://localhost:{busy_desk.port}/")
    expect(screen.page.get_by_label("Token")).to_be_visible()
    keep(name, screen.page.screenshot(animations="disabled"))
