"""What the page promises to who looks at it all day."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.screen import CANVAS, Screen
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import x_state


def notice(screen: Screen, text: str) -> None:
    """Wait until this stands before the desktop."""
    screen.page.locator("#notice").get_by_role("status").filter(has_text=text).wait_for()


# --- badge and tools --------------------------------------------------------------------------


def test_badge_says_who_is_here(desk: Desk, open_tab: OpenTab) -> None:
    """On both sides, as soon as somebody comes or goes."""
    control = open_tab().open(desk.link())
    badge = control.page.locator("#badge")
    expect(badge).to_have_text("Control")
    watch = open_tab().open(desk.link("view"))
    expect(badge).to_have_text("Control+1")
    expect(control.page.get_by_text("Somebody watches")).to_be_visible()
    expect(watch.page.locator("#badge")).to_have_text("Watching+1")
    watch.tool("Who is here")
    expect(watch.page.locator("#people")).to_contain_text("1 other controls it")
    watch.page.close()
    expect(badge).to_have_text("Control")


def test_tools_go_with_the_first_touch_of_the_desktop(desk: Desk, tab: Screen) -> None:
    """And that touch is the desktop's already."""
    tab.open(desk.link())
    tab.tool("Size")
    expect(tab.page.locator("#size")).to_be_visible()
    tab.page.mouse.move(77, 555)
    tab.page.mouse.down()
    wait_until(lambda: x_state(desk)["buttons"] != 0, 5, what="the button")
    tab.page.mouse.up()
    expect(tab.page.locator("#size")).to_be_hidden()
    expect(tab.page.get_by_role("toolbar")).to_be_hidden()


def test_keyboard_leads_to_the_tools_and_back(desk: Desk, tab: Screen) -> None:
    """The desktop has every key, Tab too; Ctrl, Alt and Shift alone are the way out of it."""
    tab.open(desk.link())
    tab.click(300, 300)
    for key in ("Control", "Alt", "Shift"):
        tab.page.keyboard.down(key)
    for key in ("Control", "Alt", "Shift"):
        tab.page.keyboard.up(key)
    expect(tab.page.locator("#badge")).to_be_focused()
    assert x_state(desk)["keys"] == [], "none is left pressed in the desktop"
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("ArrowRight")
    expect(tab.page.get_by_role("button", name="Size")).to_be_focused()
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Tab")
    expect(tab.page.locator("#size")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("button", name="Size")).to_be_focused()
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator(CANVAS)).to_be_focused()
    tab.type("echo back >/tmp/back")
    wait_until(lambda: desk.exec("cat", "/tmp/back").out == "back\n", 10, what="the command")


def test_combination_of_modifiers_and_a_key_is_the_desktops(desk: Desk, tab: Screen) -> None:
    """Ctrl+Alt+Shift+A is somebody's shortcut."""
    tab.open(desk.link())
    tab.page.keyboard.press("Control+Alt+Shift+A")
    tab.page.mouse.move(31, 41)
    wait_until(lambda: x_state(desk)["pointer"] == [31, 41], 5)
    expect(tab.page.get_by_role("toolbar")).to_be_hidden()


@pytest.mark.parametrize(
    ("mode", "size"), [("Fit", [1280, 720]), ("Actual size", [1280, 720]), ("Match", [900, 500])]
)
def test_size_is_chosen(desk: Desk, tab: Screen, mode: str, size: list[int]) -> None:
    """In a window that became smaller: scaled, with scroll bars, or the desktop with it."""
    tab.open(desk.link())
    wait_until(lambda: x_state(desk)["size"] == [1280, 720], 5, what="the window's size")
    tab.tool("Size")
    tab.page.get_by_label(mode).check()
    tab.put_away()
    tab.page.set_viewport_size({"width": 900, "height": 500})
    wait_until(lambda: tab.size == size, 5, what="the desktop's size")
    assert x_state(desk)["size"] == size
    width = {"Fit": 500 / 720 * 1280, "Actual size": 1280, "Match": 900}[mode]
    wait_until(lambda: abs(tab.width - width) < 2, 5, what="its width in the page")


def test_settings_of_the_link_are_kept(desk: Desk, tab: Screen) -> None:
    """As in noVNC's own page: `resize=scale`."""
    tab.open(f"http://localhost:{desk.port}/?token={desk.token()}&resize=scale")
    assert tab.page.url == f"http://localhost:{desk.port}/?resize=scale"
    expect(tab.page.locator("#screen")).to_have_attribute("data-size", "scale")


def test_special_keys_reach_the_desktop(desk: Desk, tab: Screen) -> None:
    """A held one stays down until the next key; then a letter with it is a shortcut."""
    tab.open(desk.link())
    tab.tool("Special keys")
    tab.page.get_by_role("button", name="Shift").click()
    wait_until(lambda: len(x_state(desk)["keys"]) == 1, 5, what="one key down")
    tab.page.get_by_role("button", name="F12").click()
    wait_until(lambda: x_state(desk)["keys"] == [], 5, what="no key down")
    expect(tab.page.get_by_role("button", name="Shift")).to_have_attribute("aria-pressed", "false")


def test_screenshot_is_saved(desk: Desk, tab: Screen, tmp_path: Path) -> None:
    """As a PNG, of the desktop's size, by who only watches too."""
    tab.open(desk.link("view"))
    wait_until(lambda: tab.colours >= 8, 10, what="a drawn desktop")
    with tab.page.expect_download() as saved:
        tab.tool("Save a screenshot")
    assert re.fullmatch(r"desktop-[0-9-]{19}\.png", saved.value.suggested_filename)
    saved.value.save_as(tmp_path / "shot.png")
    data = (tmp_path / "shot.png").read_bytes()
    assert [int.from_bytes(data[at : at + 4]) for at in (16, 20)] == tab.size


# VNC_CLIPBOARD → whether one may write into the box, and copy what is in it.
WAYS = {"in": (True, False), "out": (False, True)}


@pytest.mark.parametrize("way", WAYS)
def test_clipboards_panel_offers_what_its_owner_allows(
    make_desk: MakeDesk, tab: Screen, way: str
) -> None:
    """And says which way the text goes."""
    writes, copies = WAYS[way]
    tab.open(make_desk(env={"VNC_CLIPBOARD": way}).start().link())
    tab.tool("Clipboard")
    expect(tab.page.get_by_label("The desktop's clipboard")).to_be_editable(editable=writes)
    expect(tab.page.get_by_role("button", name="Copy", exact=True)).to_be_visible(visible=copies)
    expect(tab.page.get_by_role("button", name="Paste from here")).to_be_visible(visible=writes)
    hint = "stays there" if way == "in" else "nothing from here"
    expect(tab.page.locator("#clip-hint")).to_contain_text(hint)


def test_desktop_that_shares_no_clipboard_offers_none(make_desk: MakeDesk, tab: Screen) -> None:
    """Nothing that does nothing."""
    tab.open(make_desk(env={"VNC_CLIPBOARD": "off"}).start().link())
    tab.tool("Size")
    expect(tab.page.get_by_role("button", name="Special keys")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Clipboard")).to_be_hidden()


def test_watcher_is_offered_nothing_that_does_nothing(desk: Desk, tab: Screen) -> None:
    """No clipboard, no keys, no size but how to fit."""
    tab.open(desk.link("view"))
    tab.tool("Size")
    expect(tab.page.get_by_label("Match")).to_be_hidden()
    expect(tab.page.get_by_label("Fit")).to_be_checked()
    for name in ("Clipboard", "Special keys"):
        expect(tab.page.get_by_role("button", name=name)).to_be_hidden()
