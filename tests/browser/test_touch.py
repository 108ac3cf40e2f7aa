"""The desktop under a finger, and through the clipboard of a browser that lets a page use it."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.screen import CANVAS, Screen
from tests.browser.test_accessibility import PHONE
from tests.browser.test_desktop import FOREIGN, TERMINAL
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import X_CLIENT, x_state

SECURE: Final = ("clipboard-read", "clipboard-write")


# --- touch ------------------------------------------------------------------------------------


def test_finger_moves_the_pointer_and_clicks(desk: Desk, open_tab: OpenTab) -> None:
    """Where it taps; the desktop takes the phone's size."""
    tab = open_tab(**PHONE).open(desk.link())
    wait_until(lambda: x_state(desk)["size"] == [390, 844], 5, what="the phone's size")
    wait_until(lambda: tab.size == [390, 844], 5, what="the same in the page")
    tab.page.locator(CANVAS).tap(position={"x": 200, "y": 700})
    wait_until(lambda: x_state(desk)["pointer"] == [200, 700], 5, what="the pointer")


def test_on_screen_keyboard_types_into_the_desktop(desk: Desk, open_tab: OpenTab) -> None:
    """Letters, a correction, Return, and letters of other scripts; a button shows and hides it."""
    tab = open_tab(**PHONE).open(desk.link())
    tab.page.locator(CANVAS).tap(position={"x": 200, "y": 300})
    button = tab.page.get_by_role("button", name="On-screen keyboard")
    tab.page.locator("#badge").click()
    button.click()
    field = tab.page.locator("#typed")
    expect(field).to_be_focused()
    expect(button).to_have_attribute("aria-pressed", "true")
    # As phones do it: the text comes into the field, without a key that has a name.
    for text in ("printf '%s' 'heX", "\b", "llo Grüße", "' >/tmp/touched", "\n"):
        if text == "\b":
            field.evaluate("f => { f.setRangeText('', f.value.length - 1, f.value.length, 'end');"
                           "f.dispatchEvent(new InputEvent('input')); }")  # fmt: skip
        elif text == "\n":
            tab.page.keyboard.press("Enter")
        else:
            tab.page.keyboard.insert_text(text)
    wait_until(lambda: desk.exec("cat", "/tmp/touched").out == "hello Grüße", 10, what="the text")
    button.click()
    expect(field).not_to_be_focused()


def shown(tab: Screen) -> str:
    """The picture in the page."""
    return str(tab.page.locator(CANVAS).evaluate("canvas => canvas.toDataURL()"))


def test_actual_size_is_moved_by_a_finger(desk: Desk, open_tab: OpenTab) -> None:
    """A desktop larger than the phone: a switch says whether a finger moves the view."""
    open_tab().open(desk.link()).page.close()
    wait_until(lambda: x_state(desk)["size"] == [1280, 720], 5, what="another's size")
    tab = open_tab(**PHONE).open(f"http://localhost:{desk.port}/?token={desk.token()}&resize=off")
    tab.tool("Size")
    tab.page.get_by_label("A finger moves the view").check()
    tab.put_away()
    assert x_state(desk)["size"] == [1280, 720]
    wait_until(lambda: tab.size == [390, 720] and tab.colours >= 8, 5, what="a part of it")
    pointer, picture = x_state(desk)["pointer"], shown(tab)
    tab.page.evaluate(
        """() => {
            const canvas = document.querySelector("#screen canvas:not(.frozen)");
            const touch = (type, x) => {
                const point = new Touch({identifier: 1, target: canvas, clientX: x, clientY: 400});
                const touches = type === "touchend" ? [] : [point];
                canvas.dispatchEvent(new TouchEvent(type, {
                    touches, targetTouches: touches, changedTouches: [point],
                    bubbles: true, cancelable: true,
                }));
            };
            touch("touchstart", 300);
            for (let x = 290; x >= 100; x -= 10) touch("touchmove", x);
            touch("touchend", 100);
        }"""
    )
    wait_until(lambda: shown(tab) != picture, 5, what="another part of it")
    assert x_state(desk)["pointer"] == pointer


# --- clipboard --------------------------------------------------------------------------------


def holds(desk: Desk, text: str) -> bool:
    """Whether the desktop's clipboard holds a text; at first it may hold none."""
    place = ("-e", "DISPLAY=:1", "-e", "XAUTHORITY=/run/deskgate/Xauthority")
    return desk.exec("python3", "-", "paste", options=place, stdin=X_CLIENT).out == text


def local(tab: Screen) -> str:
    """What the browser's clipboard holds."""
    return str(tab.page.evaluate("() => navigator.clipboard.readText()"))


def test_copied_in_the_desktop_is_copied_here(desk: Desk, open_tab: OpenTab) -> None:
    """Without a click, where the browser lets a page write."""
    tab = open_tab(permissions=SECURE).open(desk.link())
    copy = ("python3", "-c", X_CLIENT.decode(), "copy", FOREIGN.encode().hex())
    place = ("-e", "DISPLAY=:1", "-e", "XAUTHORITY=/run/deskgate/Xauthority")
    desk.must(*copy, options=("--detach", *place))
    wait_until(lambda: local(tab) == FOREIGN, 5, what="the text in the browser's clipboard")


def test_copied_elsewhere_is_pasted_by_the_usual_keys(desk: Desk, open_tab: OpenTab) -> None:
    """The browser's own paste brings it: no question is asked, and no permission needed."""
    tab = open_tab(permissions=SECURE).open(desk.link())
    tab.page.evaluate("text => navigator.clipboard.writeText(text)", "echo brought >/tmp/brought")
    tab.page.context.clear_permissions()
    tab.click(*TERMINAL)
    tab.page.keyboard.press("Control+Shift+V")
    wait_until(lambda: holds(desk, "echo brought >/tmp/brought"), 5, what="the text in X")

    def ran() -> bool:
        tab.page.keyboard.press("Enter")
        return desk.exec("cat", "/tmp/brought").out == "brought\n"

    wait_until(ran, 10, what="the command")


def test_copied_in_the_desktop_is_pasted_there(desk: Desk, open_tab: OpenTab) -> None:
    """An old text of the browser's does not take its place, though it could not be copied here."""
    tab = open_tab(permissions=SECURE).open(desk.link())
    tab.page.evaluate("text => navigator.clipboard.writeText(text)", "old")
    tab.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    tab.set_clipboard("fresh")
    wait_until(lambda: holds(desk, "fresh"), 5, what="the text in X")
    tab.click(*TERMINAL)
    tab.page.keyboard.press("Control+Shift+V")
    tab.page.mouse.move(33, 44)
    wait_until(lambda: x_state(desk)["pointer"] == [33, 44], 5)
    assert holds(desk, "fresh")


def test_box_says_what_a_browser_forbids(desk: Desk, open_tab: OpenTab) -> None:
    """Over plain http on a name that is not localhost, no page may touch the clipboard."""
    tab = open_tab("noVNC requires a secure context|origin was untrustworthy")
    tab.open(desk.link().replace("localhost", "desk.test"))
    tab.tool("Clipboard")
    expect(tab.page.locator("#clip-hint")).to_contain_text("plain http")
    expect(tab.page.get_by_role("button", name="Paste from here")).to_be_hidden()
    tab.page.get_by_label("The desktop's clipboard").fill(FOREIGN)
    wait_until(lambda: holds(desk, FOREIGN), 5, what="the text in X")
    tab.page.get_by_role("button", name="Copy", exact=True).click()
    expect(tab.page.locator("#said")).to_have_text("Copied")
