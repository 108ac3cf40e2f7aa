"""Tokens come and go while the desktop runs: by command, over HTTP, by a file of one's own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from deskgate.testing.viewer import VERSION
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import kill
from tests.container.web import ask, bearer
from tests.png import pixels

RUNTIME = "/run/deskgate"
GIVEN = "Given-by-a-person_0123456789-abcdefgh"


def token_in(link: str) -> str:
    return link.strip().partition("#token=")[2]


def opens(desk: Desk, token: str) -> bool:
    return ask(desk, "/vnc.html", headers=bearer(token)).status == 200


@contextmanager
def joined(desk: Desk, token: str) -> Iterator[ClientConnection]:
    """A viewer that is there to stay."""
    url = f"ws://127.0.0.1:{desk.port}/websockify"
    with connect(url, additional_headers=bearer(token), compression=None, proxy=None) as viewer:
        for answer in (VERSION, b"\x01", b"\x01"):
            viewer.recv(5)
            viewer.send(answer)
        viewer.recv(5)
        wait_until(lambda: sum(listed(desk).values()), 5)
        yield viewer


def listed(desk: Desk) -> dict[str, int]:
    rows = json.loads(desk.must("deskgate", "token", "list", "--json"))
    return {row["name"]: row["viewers"] for row in rows}


def ended(viewer: ClientConnection) -> tuple[int | None, float]:
    """The code it was closed with, and after how many seconds."""
    began = time.monotonic()
    with suppress(ConnectionClosed):
        while True:
            viewer.recv(10)
    return viewer.close_code, time.monotonic() - began


def test_a_link_for_somebody_else_is_made_listed_and_revoked(desk: Desk) -> None:
    """Its viewer ends within a second with 1008; the others stay; no command shows a token."""
    token = token_in(desk.must("deskgate", "token", "add", "--name", "alice", "--ttl", "30m"))
    assert opens(desk, token)
    with joined(desk, token) as alice, joined(desk, desk.token()) as owner:
        table = desk.must("deskgate", "token", "list")
        assert token not in table
        assert [line.split()[0] for line in table.splitlines()] == [
            "NAME",
            "control",
            "view",
            "alice",
        ]
        assert listed(desk) == {"control": 1, "view": 0, "alice": 1}
        desk.must("deskgate", "token", "revoke", "alice")
        code, seconds = ended(alice)
        assert (code, seconds < 1) == (1008, True)
        owner.ping().wait(5)
    assert not opens(desk, token)
    assert "alice" not in listed(desk)


@pytest.mark.parametrize("user", ["10001", "0"], ids=["the desktop's user", "root"])
def test_s1_a_rotated_link_ends_who_came_by_the_old_one(desk: Desk, user: str) -> None:
    """Cookie and viewer; the new link is what `deskgate url` gives from then on."""
    old = token_in(desk.must("deskgate", "url", "--role", "view"))
    cookie = ask(desk, f"/?token={old}").cookie
    assert ask(desk, "/vnc.html", headers={"Cookie": cookie}).status == 200
    with joined(desk, old) as viewer:
        new = token_in(desk.must("deskgate", "token", "rotate", "view", options=("-u", user)))
        code, seconds = ended(viewer)
        assert (code, seconds < 1) == (1008, True)
    assert (opens(desk, old), opens(desk, new)) == (False, True)
    assert ask(desk, "/vnc.html", headers={"Cookie": cookie}).status == 401
    assert token_in(desk.must("deskgate", "url", "--role", "view")) == new
    assert desk.must("deskgate", "health").startswith("healthy")


def test_s4_a_link_ends_when_its_time_is_over(desk: Desk) -> None:
    """With 1008, and for the next request."""
    token = token_in(
        desk.must("deskgate", "url", "--role", "view", "--ttl", "3s", "--name", "brief")
    )
    with joined(desk, token) as viewer:
        code, seconds = ended(viewer)
    assert code == 1008
    assert seconds < 4
    assert not opens(desk, token)
    assert "expired" in desk.must("deskgate", "token", "list")


def test_a_link_can_be_read_by_a_phone_or_a_machine(desk: Desk) -> None:
    """`--qr` adds the code, `--json` says it all on one line."""
    lines = desk.must("deskgate", "token", "add", "--name", "phone", "--qr").splitlines()
    assert "#token=" in lines[0]
    assert all(set(line) <= set(" ▀▄█") for line in lines[1:])
    assert len(lines) > 15
    told = json.loads(desk.must("deskgate", "token", "add", "--name", "machine", "--json"))
    assert (told["name"], told["role"], told["expires"]) == ("machine", "view", None)
    assert opens(desk, token_in(told["url"]))


MISTAKES = {
    ("token",): (64, "name what to do: add, list, revoke or rotate"),
    ("token", "revoke"): (64, "name the token; deskgate token list shows them"),
    ("token", "add", "--ttl", "soon"): (64, "such as 30m, 12h or 7d"),
    ("token", "add", "--name", "a b"): (64, "letters, digits and . _ -"),
    ("token", "add", "--role", "root"): (64, "--role is one of: view, control"),
    ("token", "add", "--name", "view"): (69, "take another, or revoke it first"),
    ("token", "revoke", "nobody"): (69, "see deskgate token list"),
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_line_and_changes_nothing(desk: Desk, words: tuple[str, ...]) -> None:
    """With what to do instead."""
    before = desk.must("cat", f"{RUNTIME}/websockify-tokens.conf")
    result = desk.exec("deskgate", *words)
    status, hint = MISTAKES[words]
    assert (result.status, result.out) == (status, "")
    assert hint in result.err
    assert result.err.count("\n") == 1
    assert desk.must("cat", f"{RUNTIME}/websockify-tokens.conf") == before


def test_rows_of_ones_own_file_are_followed(make_desk: MakeDesk, tmp_path: Path) -> None:
    """Replaced, half-written, taken away: VNC_TOKENS_FILE counts within a second, or not at all."""
    alice, bob = "a1ice-and-her-rabbit-hole-" * 2, "b0b-the-builder-can-fix-it" * 2
    tokens = tmp_path / "tokens"
    tmp_path.chmod(0o755)

    def write(text: str) -> None:
        fresh = tmp_path / "fresh"
        fresh.write_text(text)
        fresh.chmod(0o644)
        fresh.rename(tokens)

    write(f"# name=alice role=view\n{alice}: 127.0.0.1:0\n")
    desk = make_desk(
        env={"VNC_TOKENS_FILE": "/mnt/tokens"},
        options=("-v", f"{tmp_path}:/mnt:ro"),
        secrets=[alice, bob],
    ).start()
    desk.allow("old tokens stay in force")
    with joined(desk, alice) as viewer:
        write("half a line")
        wait_until(lambda: "old tokens stay in force" in desk.log, 5)
        assert opens(desk, alice)
        write(f"# name=bob role=view\n{bob}: 127.0.0.1:0\n")
        code, seconds = ended(viewer)
        assert (code, seconds < 1) == (1008, True)
    assert (opens(desk, alice), opens(desk, bob)) == (False, True)
    refused = desk.exec("deskgate", "token", "revoke", "bob")
    assert (refused.status, "/mnt/tokens" in refused.err) == (69, True)


def test_hashes_alone_are_kept_where_that_is_asked_for(make_desk: MakeDesk) -> None:
    """VNC_TOKEN_HASH: the links of the start work, and stand nowhere but in its output."""
    desk = make_desk(env={"VNC_TOKEN_HASH": "1"}).start()
    token = desk.token()
    assert opens(desk, token)
    found = desk.exec("grep", "-r", "-l", token, RUNTIME)
    assert (found.status, found.out) == (1, "")
    refused = desk.exec("deskgate", "url")
    advice = "deskgate url --role control --ttl 12h"
    assert (refused.status, advice in refused.err) == (69, True)
    assert opens(desk, token_in(desk.must(*advice.split())))
    assert opens(desk, token_in(desk.must("deskgate", "token", "add")))
    assert desk.must("deskgate", "health").startswith("healthy")


def log_in_once(desk: Desk, link: str) -> int:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"ticket={link.strip().partition('#ticket=')[2]}".encode()
    return ask(desk, "/login", method="POST", headers=form, body=body).status


def test_printed_links_can_be_good_for_one_use(make_desk: MakeDesk) -> None:
    """VNC_LINK=once: who reads the log later has nothing; also after the gate was killed."""
    desk = make_desk(env={"VNC_LINK": "once"}).start()
    desk.allow(r"^deskgate: warning: gate: ended with ")
    for role in ("control", "view"):
        link = desk.printed_link(role)
        assert [log_in_once(desk, link) for _ in range(2)] == [303, 401]
        again = desk.must("deskgate", "url", "--once", "--role", role)
        assert [log_in_once(desk, again) for _ in range(2)] == [303, 401]
    assert "#token=" not in desk.log
    kill(desk, "gate")
    wait_until(lambda: desk.status()["gate"]["state"] == "ready", 5)
    assert log_in_once(desk, desk.printed_link("control")) == 401


def test_tokens_in_a_query_can_be_switched_off(make_desk: MakeDesk) -> None:
    """VNC_TOKEN_IN_QUERY=off: what proxies log opens nothing, even if it is right."""
    desk = make_desk(env={"VNC_TOKEN_IN_QUERY": "off", "VNC_COOKIE_SUFFIX": "mine"}).start()
    for target in ("/", "/vnc.html", "/websockify"):
        assert ask(desk, f"{target}?token={desk.token()}").status == 401
    answer = ask(
        desk,
        "/login",
        method="POST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=f"token={desk.token()}".encode(),
    )
    assert answer.cookie.startswith("vnc_mine=")


def test_a_short_token_needs_a_second_word(make_desk: MakeDesk) -> None:
    """Sixteen characters do with VNC_ALLOW_SHORT_TOKEN, and are refused without it."""
    strict = make_desk(env={"VNC_TOKEN": GIVEN[:16]})
    strict.allow("VNC_TOKEN: a token is 32 to 256")
    refused = strict.run()
    assert (refused.status, "32 to 256" in refused.err) == (78, True)
    desk = make_desk(env={"VNC_TOKEN": GIVEN[:16], "VNC_ALLOW_SHORT_TOKEN": "yes"}).start()
    assert opens(desk, GIVEN[:16])
    assert desk.must("deskgate", "health").startswith("healthy")


def test_machines_get_a_picture_a_link_and_numbers(desk: Desk) -> None:
    """With the control token."""
    owner = bearer(desk.token())
    picture = ask(desk, "/api/screenshot.png", headers=owner)
    width, height, colours = pixels(picture.body)
    assert (width, height) == (1280, 800)
    assert len(set(colours)) > 10
    told = ask(desk, "/api/desktop/url?base_url=https://desk.example.org", headers=owner)
    assert json.loads(told.body) == {"url": f"https://desk.example.org/#token={desk.token()}"}
    assert b"\ndeskgate_tokens " in ask(desk, "/metrics", headers=owner).body
    ticket = ask(desk, "/api/tickets", method="POST", headers=owner)
    url = f"ws://127.0.0.1:{desk.port}/websockify?ticket={json.loads(ticket.body)['ticket']}"
    with connect(url, compression=None, proxy=None) as viewer:
        assert viewer.recv(5) == VERSION


def test_h13_the_owner_gets_in_while_somebody_guesses(desk: Desk) -> None:
    """Behind Docker's proxy both have one address."""
    seen = {ask(desk, "/", headers=bearer("x" * 64)).status for _ in range(30)}
    assert seen == {401, 429}
    with joined(desk, desk.token()):
        pass


def test_a_damaged_memory_of_logouts_logs_everybody_out(desk: Desk) -> None:
    """And does not keep the gate down."""
    cookie = ask(desk, f"/?token={desk.token()}").cookie
    desk.allow("logged-out.json: cannot read it")
    desk.allow(r"^deskgate: warning: gate: ended with ")
    desk.must("sh", "-c", f"echo '[]' > {RUNTIME}/logged-out.json")
    kill(desk, "gate")
    wait_until(lambda: "all sessions end" in desk.log, 5)
    wait_until(lambda: ask(desk, "/readyz").status == 200, 5)
    assert ask(desk, "/vnc.html", headers={"Cookie": cookie}).status == 401
    assert opens(desk, desk.token())
