"""Nobody is shut out: axe-core finds nothing in any state of the page, light, dark, or small."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.screen import Screen
from tests.container.desk import ROOT, Desk

AXE: Final = ROOT / ".build" / "axe.min.js"  # docker/prepare downloads it
PANELS: Final = ("Size", "Clipboard", "Special keys", "Who is here", "More")
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}


def findings(screen: Screen) -> list[str]:
    """What axe-core has against the page as it is shown now."""
    screen.page.evaluate(AXE.read_text("utf-8"))
    found = screen.page.evaluate("() => axe.run()")
    assert len(found["passes"]) > 10, "it looked"
    return [
        f"{rule['id']}: {node['target']}" for rule in found["violations"] for node in rule["nodes"]
    ]


@pytest.fixture(
    params=[("light", {}), ("dark", {}), ("light", PHONE), ("dark", PHONE)],
    ids=["light", "dark", "light-phone", "dark-phone"],
)
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How a tab is opened."""
    scheme, more = request.param
    return {"color_scheme": scheme, **more}


def test_locked_page_shuts_nobody_out(
    desk: Desk, open_tab: OpenTab, options: dict[str, Any]
) -> None:
    """Before and after a wrong token."""
    tab = open_tab(**options)
    tab.go(f"http://localhost:{desk.port}/")
    assert findings(tab) == []
    tab.page.get_by_label("Token").fill("x" * 40)
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("status").filter(has_text="not accepted").wait_for()
    assert findings(tab) == []


def test_desktop_and_each_tool_shut_nobody_out(
    desk: Desk, open_tab: OpenTab, options: dict[str, Any]
) -> None:
    """Whatever is open."""
    tab = open_tab(**options).open(desk.link())
    assert findings(tab) == []
    for name in PANELS:
        tab.tool(name)
        assert findings(tab) == [], name


def test_both_sides_of_a_loan_shut_nobody_out(
    desk: Desk, open_tab: OpenTab, options: dict[str, Any]
) -> None:
    """Who lent, and who borrowed."""
    owner = open_tab("4000", **options).open(desk.link())
    guest = open_tab("4000", **options).open(desk.link("view"))
    owner.tool("Who is here")
    owner.page.get_by_role("button", name="Lend control: Watcher").click()
    expect(guest.page.locator("#badge")).to_have_text(re.compile("Control"))
    guest.connected().tool("Who is here")
    owner.connected()
    assert findings(owner) + findings(guest) == []
    guest.page.get_by_role("button", name="Give control back").click()
    expect(owner.page.locator("#badge")).to_have_text(re.compile("Control"))


def test_what_shuts_somebody_out_would_be_found(desk: Desk, tab: Screen) -> None:
    """Else an empty list above would mean nothing."""
    tab.open(desk.link()).tool("Clipboard")
    tab.page.locator("#clip").evaluate("box => box.removeAttribute('aria-label')")
    assert "label: ['#clip']" in findings(tab)


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_tools_fit_into_every_window(desk: Desk, open_tab: OpenTab, width: int) -> None:
    """Nothing is cut off or to be scrolled sideways, with every panel open."""
    phone = {**PHONE, "viewport": {"width": width, "height": 640}}
    tab = open_tab(**phone).open(desk.link())
    for name in PANELS:
        tab.tool(name)
        for part in ("#bar .pill", ".panel:not([hidden])"):
            box = tab.page.locator(part).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width, f"{part} with {name}"
            assert box["y"] + box["height"] <= 640, f"{part} with {name}"


def test_who_wants_no_motion_gets_none(desk: Desk, open_tab: OpenTab) -> None:
    """prefers-reduced-motion: nothing fades, and the sign that something happens turns slowly."""
    tab = open_tab(reduced_motion="reduce").open(desk.link())
    moving = tab.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(each =>
            getComputedStyle(each).transitionDuration !== "0s").map(each => each.id)"""
    )
    assert moving == []
    wheel = tab.page.locator(".wheel").evaluate("each => getComputedStyle(each).animationDuration")
    assert wheel == "6s"
