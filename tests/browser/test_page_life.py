"""The page while desktop, network or session are away: what it says, and that it comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.screen import CONNECTED, TROUBLE, Screen
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import docker, free_port, wait_until
from tests.container.inside import kill, x_state

DEATHS = r"^deskgate: warning: \w+: ended with |^(xvnc|wm|gate): warning: "
HEAL_SECONDS = 15.0  # a program that died is back within one
MODEM = {"latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}  # bytes a second


def notice(screen: Screen, text: str) -> None:
    """Wait until this stands before the desktop."""
    screen.page.locator("#notice").get_by_role("status").filter(has_text=text).wait_for()


def cut_off(screen: Screen) -> None:
    """Wait until the page has noticed."""
    screen.page.locator("#screen:not([data-state=connected])").wait_for()


@pytest.mark.parametrize("program", ["gate", "xvnc"])
def test_page_comes_back_by_itself(make_desk: MakeDesk, open_tab: OpenTab, program: str) -> None:
    """After SIGKILL of the gate or of Xvnc, without a login or a click.

    And no curtain is before it that would take the first move of the mouse.
    """
    desk = make_desk().start()
    desk.allow(DEATHS)
    screen = open_tab(*TROUBLE).open(desk.link())
    kill(desk, program)
    cut_off(screen)
    screen.connected()
    screen.page.mouse.move(123, 621)
    wait_until(lambda: x_state(desk)["pointer"] == [123, 621], 5, what="the pointer")
    wait_until(lambda: screen.colours >= 8, HEAL_SECONDS, what="a drawn desktop")


def test_log_out_ends_it_here_and_the_link_opens_it_again(desk: Desk, tab: Screen) -> None:
    """The page says what to do next; the bare address is locked."""
    tab.open(desk.link())
    tab.tool("More")
    tab.page.get_by_role("button", name="Log out").click()
    expect(tab.page.get_by_role("heading")).to_have_text("You are logged out")
    assert tab.go(f"http://localhost:{desk.port}/") == 401
    tab.open(desk.link())


def test_no_page_says_that_it_logged_out_when_it_did_not(desk: Desk, open_tab: OpenTab) -> None:
    """Whoever leaves a machine that others use has to know that his cookie still opens it."""
    tab = open_tab("status of 503").open(desk.link())
    tab.page.route("**/logout", lambda route: route.fulfill(status=503))
    tab.tool("More")
    tab.page.get_by_role("button", name="Log out").click()
    expect(tab.page.locator("#said")).to_contain_text("still logged in")
    tab.page.unroute("**/logout")
    tab.page.get_by_role("button", name="Log out").click()
    expect(tab.page.get_by_role("heading")).to_have_text("You are logged out")


def test_end_of_a_link_is_said_and_another_one_goes_on(desk: Desk, tab: Screen) -> None:
    """Revoked while its page is open: why, how to get a new one, and a field to paste it into."""
    made = desk.must("deskgate", "token", "add", "--name", "guest").strip()
    tab.open(made.replace(":8002", f":{desk.port}"))
    desk.must("deskgate", "token", "revoke", "guest")
    expect(tab.page.get_by_role("heading")).to_have_text("This link was taken back")
    expect(tab.page.get_by_text("deskgate url")).to_be_visible()
    assert tab.page.locator("canvas").count() == 0
    tab.page.get_by_label("Token").fill(desk.link("view"))
    tab.page.keyboard.press("Enter")
    tab.connected()
    expect(tab.page.locator("#badge")).to_have_text("Watching")


def test_restart_of_xvnc_is_said_over_the_last_picture(
    make_desk: MakeDesk, open_tab: OpenTab
) -> None:
    """While it takes longer than a moment; the picture stays, and the new one takes its place."""
    desk = make_desk().start()
    desk.allow(r"^deskgate: warning: \w+: ended with |^(xvnc|wm|gate): warning: ")
    screen = open_tab(*TROUBLE).open(desk.link())
    wait_until(lambda: screen.colours >= 8, 10, what="a drawn desktop")
    kill(desk, "xvnc", "STOP")
    pid = desk.status()["gate"]["pid"]
    desk.must("python3", "-c", f"import os, signal; os.kill({pid}, signal.SIGKILL)")
    notice(screen, "The desktop is restarting")
    assert screen.page.locator("#screen .frozen").count() == 1
    kill(desk, "xvnc", "CONT")
    screen.connected()
    expect(screen.page.locator("#notice")).to_be_hidden()
    expect(screen.page.locator("#screen .frozen")).to_have_count(0)


def test_stopped_container_is_said_and_its_return_noticed(
    make_desk: MakeDesk, open_tab: OpenTab
) -> None:
    """With a token of one's own and a port of one's own: locked after, as sessions die with it."""
    token, port = "a1b2c3d4" * 8, free_port()
    options = ("-p", f"127.0.0.1:{port}:8002")
    desk = make_desk(env={"VNC_TOKEN": token}, options=options).start()
    screen = open_tab(*TROUBLE).open(f"http://localhost:{port}/#token={token}")
    docker("stop", desk.name)
    notice(screen, "The container does not answer")
    expect(screen.page.get_by_role("button", name="Try now")).to_be_visible()
    docker("start", desk.name)
    expect(screen.page.get_by_role("heading")).to_have_text("This login is over")


def test_page_that_is_hidden_comes_back_when_it_is_shown(
    make_desk: MakeDesk, open_tab: OpenTab
) -> None:
    """However long its next try would have waited: in the moment in which somebody looks."""
    desk = make_desk().start()
    desk.allow(DEATHS)
    screen = open_tab(*TROUBLE).open(desk.link())
    screen.page.evaluate(
        """() => {
            window.shown = "hidden";
            const get = () => window.shown;
            Object.defineProperty(document, "visibilityState", {get});
            // A browser lets the timers of a hidden page wait for a minute.
            const later = window.setTimeout;
            window.setTimeout = (work, ms, ...rest) => later(work, ms ? 60_000 : 0, ...rest);
        }"""
    )
    kill(desk, "gate")
    cut_off(screen)
    wait_until(lambda: desk.status()["gate"]["state"] == "ready", 10, what="the next gate")
    screen.page.evaluate(
        "() => { window.shown = 'visible'; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    expect(screen.page.locator(CONNECTED)).to_be_visible(timeout=3000)


def test_page_without_a_network_says_so_and_comes_back_with_it(
    make_desk: MakeDesk, open_tab: OpenTab
) -> None:
    """At once: the browser tells it."""
    desk = make_desk().start()
    desk.allow(DEATHS)
    screen = open_tab(*TROUBLE, "ERR_INTERNET_DISCONNECTED").open(desk.link())
    screen.page.context.set_offline(True)
    kill(desk, "gate")  # the emulation leaves open WebSockets alone
    notice(screen, "No network")
    wait_until(lambda: desk.status()["gate"]["state"] == "ready", 10, what="the next gate")
    screen.page.context.set_offline(False)
    screen.connected()
    expect(screen.page.locator("#notice")).to_be_hidden()


def test_connection_that_died_unheard_is_noticed(make_desk: MakeDesk, open_tab: OpenTab) -> None:
    """As after a laptop's sleep: no goodbye, no error, and nothing comes any more."""
    desk = make_desk().start()
    context = open_tab(*TROUBLE, "ERR_").page.context
    page = context.new_page()
    page.clock.install()
    screen = Screen(page).open(desk.link())
    docker("pause", desk.name)
    try:
        page.clock.fast_forward(60_000)
        cut_off(screen)
    finally:
        docker("unpause", desk.name)
    page.clock.fast_forward(10_000)
    page.clock.resume()
    screen.connected()
    page.close()


def test_slow_network_shows_that_it_is_being_opened(desk: Desk, tab: Screen) -> None:
    """Nothing of a locked page flashes up; a sign that something happens, and then the desktop."""
    tools = tab.page.context.new_cdp_session(tab.page)
    tools.send("Network.enable")
    tools.send("Network.emulateNetworkConditions", {"offline": False, **MODEM})
    tab.page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
            window.seen = [];
            const look = () => {
                for (const name of ["door", "opening"]) {
                    if (document.getElementById(name)?.checkVisibility()) window.seen.push(name);
                }
                requestAnimationFrame(look);
            };
            look();
        })"""
    )
    tab.go(desk.link(), until="load")
    expect(tab.page.get_by_role("status", name="The desktop is being opened")).to_be_visible()
    expect(tab.page.locator(CONNECTED)).to_be_visible(timeout=60_000)
    assert set(tab.page.evaluate("window.seen")) == {"opening"}
    wait_until(lambda: tab.colours >= 8, 30, what="a drawn desktop")


def test_end_of_a_links_time_is_said(desk: Desk, tab: Screen) -> None:
    """Not as an error: it was known, and somebody can make another one."""
    made = desk.must("deskgate", "token", "add", "--name", "short", "--ttl", "5s").strip()
    tab.open(made.replace(":8002", f":{desk.port}"))
    expect(tab.page.get_by_role("heading")).to_have_text("Your time here is over", timeout=10_000)
    expect(tab.page.get_by_text("deskgate url")).to_be_visible()
