"""Two people at one desktop: control goes from hand to hand, and a link to watch is made."""

from __future__ import annotations

import re
from typing import Final

from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.screen import CANVAS, TROUBLE, Screen
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import kill, x_state

AGAIN: Final = "4000"  # the close code that says: come again


def lend(owner: Screen, name: str = "Watcher") -> None:
    """Lend control in the panel."""
    owner.tool("Who is here")
    owner.page.get_by_role("button", name=f"Lend control: {name}").click()


def controls(desk: Desk, hand: Screen, other: Screen, x: int) -> None:
    """Wait until one moves X's pointer, and see that the other does not."""
    hand.connected()
    other.connected()

    def moved() -> bool:
        hand.page.mouse.move(x - 1, 400)
        hand.page.mouse.move(x, 400)
        return bool(x_state(desk)["pointer"] == [x, 400])

    wait_until(moved, 5, what="the pointer")
    other.page.mouse.move(x + 60, 460)
    hand.page.mouse.move(x, 401)
    wait_until(lambda: x_state(desk)["pointer"] == [x, 401], 5, what="the pointer")


def test_control_goes_from_hand_to_hand(desk: Desk, open_tab: OpenTab) -> None:
    """There and back, twice; each page shows who has it, and nobody has to log in or reload."""
    owner, guest = open_tab(AGAIN).open(desk.link()), open_tab(AGAIN).open(desk.link("view"))
    mine, theirs = owner.page.locator("#badge"), guest.page.locator("#badge")
    for turn in (100, 300):
        controls(desk, owner, guest, turn)
        lend(owner)
        expect(mine).to_have_text(re.compile("Lent"))
        expect(theirs).to_have_text(re.compile("Control"))
        expect(guest.page.locator("#said")).to_contain_text("the owner lent it to you")
        owner.put_away()
        controls(desk, guest, owner, turn + 100)
        owner.page.get_by_role("button", name="Take control back").click()
        expect(theirs).to_have_text(re.compile("Watching"))
        expect(mine).to_have_text(re.compile("Control"))
    controls(desk, owner, guest, 500)


def test_borrowed_control_outlives_a_reload_and_is_given_back(
    desk: Desk, open_tab: OpenTab
) -> None:
    """Of both pages; and the desktop keeps the size that its owner gave it."""
    owner = open_tab(AGAIN).open(desk.link())
    wait_until(lambda: x_state(desk)["size"] == [1280, 720], 5, what="the owner's size")
    guest = open_tab(AGAIN, viewport={"width": 800, "height": 600}).open(desk.link("view"))
    lend(owner)
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Control"))
    for each in (owner, guest):
        each.reload()
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Control"))
    expect(owner.page.locator("#badge")).to_have_text(re.compile("Lent"))
    assert x_state(desk)["size"] == [1280, 720]
    guest.page.get_by_role("button", name="Give control back").click()
    expect(owner.page.locator("#badge")).to_have_text(re.compile("Control"))
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Watching"))


def test_loan_ends_with_its_lenders_logout(desk: Desk, open_tab: OpenTab) -> None:
    """Nobody keeps what was never given away."""
    owner, guest = open_tab(AGAIN).open(desk.link()), open_tab(AGAIN).open(desk.link("view"))
    lend(owner)
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Control"))
    owner.tool("More")
    owner.page.get_by_role("button", name="Log out").click()
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Watching"))


def test_gate_that_died_lends_nothing(make_desk: MakeDesk, open_tab: OpenTab) -> None:
    """Both pages come back by themselves, with what their links say."""
    desk = make_desk().start()
    desk.allow(r"^deskgate: warning: \w+: ended with |^(xvnc|wm|gate): warning: ")
    owner = open_tab(*TROUBLE, AGAIN).open(desk.link())
    guest = open_tab(*TROUBLE, AGAIN).open(desk.link("view"))
    lend(owner)
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Control"))
    kill(desk, "gate")
    expect(owner.page.locator("#badge")).to_have_text(re.compile("Control"), timeout=15_000)
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Watching"), timeout=15_000)
    controls(desk, owner, guest, 200)


def test_link_to_watch_is_copied(desk: Desk, open_tab: OpenTab) -> None:
    """It opens the desktop for looking, in another browser; only the owner's page has it."""
    owner = open_tab().open(desk.link())
    owner.tool("Who is here")
    owner.page.get_by_role("button", name="Copy a new link").click()
    link = owner.page.get_by_label("The link")
    expect(link).to_have_value(re.compile(rf"^http://localhost:{desk.port}/#token=[0-9a-f]{{64}}$"))
    expect(owner.page.get_by_text("Copied.")).to_be_visible()
    guest = open_tab().open(link.input_value())
    expect(guest.page.locator("#badge")).to_have_text("Watching+1")
    guest.tool("Who is here")
    expect(guest.page.get_by_role("button", name="Copy a new link")).to_be_hidden()
    rows = desk.must("deskgate", "token", "list")
    assert re.search(r"guest-1 +view +2", rows), rows
    desk.must("deskgate", "token", "revoke", "guest-1")
    expect(guest.page.get_by_role("heading")).to_have_text("This link was taken back")


def test_last_picture_stays_while_control_changes_hands(desk: Desk, open_tab: OpenTab) -> None:
    """No flash, no notice: the page is never without a picture."""
    owner, guest = open_tab(AGAIN).open(desk.link()), open_tab(AGAIN).open(desk.link("view"))
    wait_until(lambda: guest.colours >= 8, 10, what="a drawn desktop")
    guest.page.evaluate(
        """() => {
            window.blank = 0;
            const look = () => {
                const shown = [...document.querySelectorAll("#screen canvas")];
                if (!shown.some(each => each.width > 1)) window.blank += 1;
                if (!document.getElementById("notice").hidden) window.blank += 1;
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    lend(owner)
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Control"))
    guest.connected()
    wait_until(lambda: guest.page.locator(CANVAS).count() == 1, 5, what="one picture")
    assert guest.page.evaluate("window.blank") == 0
