"""The desktop in the browser: pointer, keyboard, size and clipboard, and what survives."""

from __future__ import annotations

from tests.browser.conftest import OpenTab
from tests.browser.screen import CANVAS, TROUBLE, Screen
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import X_CLIENT, x_client, x_state

# Where the terminal of an empty desktop is, in pixels.
TERMINAL = (300, 300)
FOREIGN = "Grüße, 你好, привет, 🦊"


def test_pointer_moves_and_clicks(desk: Desk, tab: Screen) -> None:
    """X's pointer is where the mouse is, and a click arrives."""
    tab.open(desk.link())
    tab.page.mouse.move(411, 222)
    wait_until(lambda: x_state(desk)["pointer"] == [411, 222], 5)
    tab.page.mouse.down()
    wait_until(lambda: x_state(desk)["buttons"] != 0, 5)
    tab.page.mouse.up()
    wait_until(lambda: x_state(desk)["buttons"] == 0, 5)


def test_terminal_takes_what_is_typed(desk: Desk, tab: Screen) -> None:
    """A command line in the xterm is run, with every kind of key."""
    tab.open(desk.link())
    tab.click(*TERMINAL)
    tab.type("printf '%s|' \"a B\" '#;%' '~^{[]}' >/tmp/typed; echo done >>/tmp/typed")
    wait_until(lambda: "done" in desk.exec("cat", "/tmp/typed").out, 10, what="the command")
    assert desk.must("cat", "/tmp/typed") == "a B|#;%|~^{[]}|done\n"


def test_screen_follows_the_windows_size(desk: Desk, tab: Screen) -> None:
    """X has the size of the browser's window, and so has what the page draws."""
    tab.open(desk.link())
    for width, height in ((1000, 640), (1440, 900), (800, 500)):
        tab.page.set_viewport_size({"width": width, "height": height})
        wait_until(lambda s=[width, height]: x_state(desk)["size"] == s, 10)  # type: ignore[misc]
        wait_until(lambda s=[width, height]: tab.size == s, 10)  # type: ignore[misc]


def test_clipboard_goes_to_the_desktop(desk: Desk, tab: Screen) -> None:
    """What is written into the clipboard's panel is what an X client pastes, to the character."""
    tab.open(desk.link())
    tab.set_clipboard(FOREIGN)
    wait_until(lambda: x_client(desk, "paste").out == FOREIGN, 5, what="the text in X")


def test_clipboard_comes_from_the_desktop(desk: Desk, tab: Screen) -> None:
    """What an X client copies is in the clipboard's panel, to the character."""
    tab.open(desk.link())
    copy = ("python3", "-c", X_CLIENT.decode(), "copy", FOREIGN.encode().hex())
    place = ("-e", "DISPLAY=:1", "-e", "XAUTHORITY=/run/deskgate/Xauthority")
    desk.must(*copy, options=("--detach", *place))
    wait_until(lambda: tab.clipboard() == FOREIGN, 5, what="the text in the page")


def test_clipboard_is_pasted_into_the_terminal_by_keys(desk: Desk, tab: Screen) -> None:
    """Ctrl+Shift+V, as in other terminals.

    The terminal asks Xvnc for the text, and Xvnc the browser, so that a Return pressed at once may
    be there before it: as a person does, press it when the text is there.
    """
    tab.open(desk.link())
    tab.set_clipboard("echo pasted >/tmp/pasted")
    wait_until(lambda: "pasted" in x_client(desk, "paste").out, 5, what="the text in X")
    tab.click(*TERMINAL)
    tab.page.keyboard.press("Control+Shift+V")

    def ran() -> bool:
        tab.page.keyboard.press("Enter")
        return desk.exec("cat", "/tmp/pasted").out == "pasted\n"

    wait_until(ran, 10, what="the command")


def test_two_people_see_the_same(desk: Desk, open_tab: OpenTab) -> None:
    """What one types, the other sees: one desktop, and nobody is sent away."""
    first, second = open_tab().open(desk.link()), open_tab().open(desk.link())
    second.page.mouse.move(150, 150)
    wait_until(lambda: x_state(desk)["pointer"] == [150, 150], 5)
    first.page.mouse.move(250, 250)
    wait_until(lambda: x_state(desk)["pointer"] == [250, 250], 5)


def test_watch_link_shows_and_does_nothing(desk: Desk, open_tab: OpenTab) -> None:
    """The whole picture comes, the pointer stays, the size is the controller's."""
    control = open_tab().open(desk.link("control"))
    control.page.mouse.move(40, 50)
    wait_until(lambda: x_state(desk)["pointer"] == [40, 50], 5)
    watch = open_tab(viewport={"width": 700, "height": 600}).open(desk.link("view"))
    wait_until(lambda: watch.colours >= 8, 10, what="a drawn desktop")
    shown = watch.page.locator(CANVAS).bounding_box()
    assert shown is not None
    assert shown["width"] <= 700, "scaled into the smaller window"
    watch.page.mouse.move(300, 300)
    watch.page.keyboard.type("x")
    # The controller's next move comes after all of that, and is the one that X has seen.
    control.page.mouse.move(60, 70)
    wait_until(lambda: x_state(desk)["pointer"] == [60, 70], 5)
    assert x_state(desk)["size"] == [1280, 720]


def test_f11_link_with_a_given_token_is_good_after_a_restart(
    make_desk: MakeDesk, open_tab: OpenTab
) -> None:
    """With a token of one's own the link stays the same; the cookie of the last run does not."""
    token = "a1b2c3d4" * 8
    desk = make_desk(env={"VNC_TOKEN": token}, options=("-p", "127.0.0.1::8002")).start()
    open_tab(*TROUBLE).open(f"http://localhost:{desk.port}/#token={token}")
    desk.restart()
    open_tab().open(f"http://localhost:{desk.port}/#token={token}")
