"""What a person sees who has no token, or a wrong one."""

from __future__ import annotations

from tests.browser.conftest import OpenTab
from tests.browser.screen import Screen
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.web import ask

WRONG = "0123456789abcdef" * 4


def test_without_a_token_the_page_says_where_the_link_is(desk: Desk, tab: Screen) -> None:
    """The address alone shows a locked page with a field for the token, and no desktop."""
    assert tab.go(f"http://localhost:{desk.port}/") == 401
    assert "docker logs" in tab.page.locator("main").inner_text()
    assert tab.page.get_by_label("Token").is_visible()
    assert tab.page.locator("canvas").count() == 0


def test_wrong_link_says_so(desk: Desk, tab: Screen) -> None:
    """It stays locked, says what to do, and keeps the wrong token out of the address bar."""
    tab.go(f"http://localhost:{desk.port}/#token={WRONG}")
    message = tab.page.get_by_role("status")
    message.filter(has_text="not accepted").wait_for()
    assert WRONG not in tab.page.url


def test_link_pasted_over_the_locked_page_opens_it(desk: Desk, tab: Screen) -> None:
    """Only the fragment differs, so the browser loads nothing: the page has to notice."""
    tab.go(f"http://localhost:{desk.port}/")
    tab.page.goto(f"http://localhost:{desk.port}/#token={WRONG}")
    tab.page.get_by_role("status").filter(has_text="not accepted").wait_for()
    tab.page.goto(desk.link())
    tab.connected()
    assert desk.token() not in tab.page.url


def test_token_can_be_pasted_by_hand(desk: Desk, tab: Screen) -> None:
    """First a wrong one, then the right one: the desktop opens."""
    tab.go(f"http://localhost:{desk.port}/")
    tab.page.get_by_label("Token").fill(WRONG)
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("status").filter(has_text="not accepted").wait_for()
    tab.page.get_by_label("Token").fill(f" {desk.token()}\n")
    tab.page.get_by_role("button", name="Open the desktop").click()
    tab.connected()


def test_login_works_without_scripts(desk: Desk, open_tab: OpenTab) -> None:
    """The form is a form: it logs in where scripts are off, and says what needs them."""
    screen = open_tab(java_script_enabled=False)
    screen.go(f"http://localhost:{desk.port}/")
    screen.page.get_by_label("Token").fill(desk.token())
    screen.page.get_by_role("button", name="Open the desktop").click()
    screen.page.get_by_text("JavaScript").wait_for()
    assert len(screen.page.context.cookies()) == 1


def test_h18_two_desktops_on_one_host_stay_apart(
    desk: Desk, make_desk: MakeDesk, tab: Screen
) -> None:
    """Cookies know no ports: both stay logged in, and neither's opens the other by any name."""
    other = make_desk().start()
    tab.open(desk.link())
    (ours,) = tab.page.context.cookies()
    assert tab.go(f"http://localhost:{other.port}/") == 401
    tab.open(other.link())
    tab.open(f"http://localhost:{desk.port}/")
    tab.open(f"http://localhost:{other.port}/")
    (theirs,) = [each for each in tab.page.context.cookies() if each["name"] != ours["name"]]
    for name, value, status in [
        (ours["name"], ours["value"], 200),
        (theirs["name"], ours["value"], 401),
        (theirs["name"], theirs["value"], 401),
    ]:
        assert ask(desk, "/vnc.html", headers={"Cookie": f"{name}={value}"}).status == status
