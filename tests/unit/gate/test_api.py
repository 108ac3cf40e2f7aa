"""The addresses for machines: who may ask, and what they do to the tokens in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deskgate.gate import limits
from deskgate.gate.messages import (
    Answer,
    Change,
    Decision,
    Metrics,
    NewTicket,
    Probe,
    Report,
    Screenshot,
    TokenChange,
    WrongToken,
)
from deskgate.gate.policy import decide
from deskgate.tokens import OWNER, Role, Token, digest_of

from .running import Desk, Gate, close_code, join, roles_here, running_gate, wait_until
from .samples import CONTROL, CONTROL_TOKEN, VIEW, VIEW_TOKEN, bearer, context, cookie, request

ALICE = "a1ice-and-her-rabbit-hole-" * 2
ALICE_TOKEN = Token(name="alice", role=Role.CONTROL, digest=digest_of(ALICE))
ORIGIN = ("Origin", "http://localhost:8002")


def ask(
    target: str, *headers: tuple[str, str], body: str = "", method: str = "GET", **changes: Any
) -> Decision:
    made = request(target, *headers, method=method, body=body.encode())
    given = {"tokens": (*context().tokens, ALICE_TOKEN), **changes}
    return decide(made, context(**given))


def status(decision: Decision) -> int:
    if isinstance(decision, WrongToken):
        decision = decision.answer
    assert isinstance(decision, Answer)
    return decision.status


LOOKS = {"/metrics": Metrics, "/api/status": Report, "/api/screenshot.png": Screenshot}


@pytest.mark.parametrize("target", LOOKS)
def test_looking_needs_control_and_no_link(target: str) -> None:
    """By Bearer or cookie; a token in the query stands in logs."""
    assert isinstance(ask(target, bearer()), LOOKS[target])
    assert isinstance(ask(target, cookie()), LOOKS[target])
    assert isinstance(ask(target, bearer(ALICE)), LOOKS[target])
    assert status(ask(target, bearer(VIEW))) == 403
    assert status(ask(f"{target}?token={CONTROL}")) == 403
    assert status(ask(target)) == 401
    assert status(ask(target, bearer(), method="POST")) == 405


FOREIGN = [("Origin", "http://evil.test"), ("Sec-Fetch-Site", "same-site")]


@pytest.mark.parametrize("foreign", FOREIGN, ids=["another site", "another port"])
@pytest.mark.parametrize("target", LOOKS)
def test_w4_another_page_makes_nobody_look_by_the_cookie(
    target: str, foreign: tuple[str, str]
) -> None:
    """It could read nothing, but have us take pictures all day."""
    assert status(ask(target, cookie(), foreign)) == 403
    assert isinstance(ask(target, cookie(), ("Sec-Fetch-Site", "none")), LOOKS[target])
    assert isinstance(ask(target, bearer(), foreign), LOOKS[target])


@pytest.mark.parametrize(("token", "role"), [(CONTROL_TOKEN, "control"), (VIEW_TOKEN, "view")])
def test_a_page_may_ask_who_it_is_and_whether_there_is_a_desktop(token: Token, role: str) -> None:
    """Either role; 503 while Xvnc is away. A WebSocket that is refused tells its page nothing."""
    asked = ask("/api/me", cookie(token))
    assert isinstance(asked, Probe)
    assert not asked.stranger
    assert json.loads(asked.good.body) == {"role": role}
    assert asked.bad.status == 503
    assert status(ask("/api/me", cookie(token), method="POST")) == 405
    assert status(ask("/api/me", cookie(token), FOREIGN[0])) == 403
    assert status(ask("/api/me")) == 401


def test_sharing_has_addresses_of_its_own() -> None:
    """Their rules are in test_sharing.py."""
    for target in ("/api/watch-links", "/api/loans", "/api/loans/x/end"):
        assert status(ask(target, cookie())) == 405
    assert status(ask("/api/loansharks", cookie())) == 404


def test_an_unknown_address_of_the_api_is_404() -> None:
    """Only for who may ask."""
    assert status(ask("/api/nothing", bearer())) == 404
    assert status(ask("/api/nothing")) == 401


def test_the_desktops_url_is_the_link_of_the_token_that_asks() -> None:
    """For a platform that embeds the desktop: 200, or 503 while there is none."""
    decision = ask("/api/desktop/url?base_url=https://desk.example.org/lab", bearer())
    assert isinstance(decision, Probe)
    url = f"https://desk.example.org/lab/#token={CONTROL}"
    assert (decision.good.status, json.loads(decision.good.body)) == (200, {"url": url})
    assert (decision.bad.status, decision.stranger) == (503, False)
    basic = ("Authorization", "Basic a-proxys-own")
    assert ask("/api/desktop/url", basic, bearer()) == ask("/api/desktop/url", bearer())
    own = ask("/api/desktop/url", bearer(VIEW))
    assert isinstance(own, Probe)
    assert json.loads(own.good.body) == {"url": f"http://localhost:8002/#token={VIEW}"}


def test_the_desktops_url_is_for_who_knows_a_token() -> None:
    """A cookie's script learns none; the wrong method, a strange base neither."""
    assert status(ask("/api/desktop/url", cookie())) == 403
    assert status(ask("/api/desktop/url")) == 401
    assert status(ask("/api/desktop/url", bearer(), method="POST")) == 405
    for base in ("javascript:1", "https://a@b.test", "//evil.test", "https://x/?q"):
        assert status(ask(f"/api/desktop/url?base_url={base}", bearer())) == 400


ROUTES = {
    "list": ("GET", "/api/tokens", "", Change.LIST),
    "add": ("POST", "/api/tokens", '{"name": "bob", "role": "view"}', Change.ADD),
    "revoke": ("POST", "/api/tokens/bob/revoke", "", Change.REVOKE),
    "rotate": ("POST", "/api/tokens/bob/rotate", '{"ttl": "30m"}', Change.ROTATE),
}


@pytest.mark.parametrize("case", ROUTES)
def test_only_the_owner_manages_tokens(case: str) -> None:
    """Not who was lent control, nor a cookie: a page could use that one."""
    method, target, body, change = ROUTES[case]
    decision = ask(target, bearer(), method=method, body=body)
    assert isinstance(decision, TokenChange)
    assert decision.change is change
    for other in (bearer(ALICE), bearer(VIEW), cookie()):
        assert status(ask(target, other, ORIGIN, method=method, body=body)) == 403
    assert status(ask(f"{target}?token={CONTROL}", method=method, body=body)) == 403
    assert status(ask(target, method=method, body=body)) == 401


def test_a_token_that_is_only_called_control_owns_nothing() -> None:
    """The name alone makes no owner of a watcher."""
    named = Token(name="control", role=Role.VIEW, digest=digest_of(ALICE))
    assert status(ask("/api/tokens", bearer(ALICE), tokens=(named,))) == 403


def test_an_open_desktop_has_no_tokens_to_manage() -> None:
    """VNC_AUTH=none."""
    assert status(ask("/api/tokens", auth="none", method="GET")) == 403
    assert status(ask("/api/tickets", auth="none", method="POST")) == 404


BAD_BODIES = {
    "no JSON": "name=bob",
    "no object": "[]",
    "too deep": "[" * 4000,
    "a number": '{"name": "bob", "ttl": 30}',
    "an unknown key": '{"name": "bob", "rights": "all"}',
    "no name": '{"role": "view"}',
    "a bad name": '{"name": "bob\\n"}',
    "a bad role": '{"name": "bob", "role": "root"}',
    "a bad time": '{"name": "bob", "ttl": "soon"}',
    "a bad base": '{"name": "bob", "base_url": "x"}',
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_is_said(case: str) -> None:
    """With what is allowed."""
    decision = ask("/api/tokens", bearer(), method="POST", body=BAD_BODIES[case])
    assert status(decision) == 400
    assert isinstance(decision, Answer)
    assert "give" in json.loads(decision.body)["error"]


WRONG_ROUTES = [
    ("GET", "/api/tokens/bob/revoke", 405),
    ("GET", "/api/tokens/bob", 404),
    ("POST", "/api/tokens/bob/promote", 404),
    ("POST", "/api/tokens/bob/revoke/again", 404),
]


@pytest.mark.parametrize(("method", "target", "expected"), WRONG_ROUTES)
def test_there_are_no_other_changes(method: str, target: str, expected: int) -> None:
    """405 names the method, 404 the rest."""
    assert status(ask(target, bearer(), method=method)) == expected


def test_a_new_token_watches_unless_more_is_asked_for() -> None:
    """And lives for ever unless less is."""
    decision = ask("/api/tokens", bearer(), method="POST", body='{"name": "bob"}')
    assert isinstance(decision, TokenChange)
    assert (decision.role, decision.seconds) == (Role.VIEW, None)


def test_a_ticket_is_for_whoever_has_an_access() -> None:
    """Also a watcher, whose ticket watches."""
    for shown in (bearer(), bearer(VIEW), cookie()):
        decision = ask("/api/tickets", shown, method="POST")
        assert isinstance(decision, NewTicket)
        assert decision.seconds == limits.TICKET_SECONDS
    assert CONTROL_TOKEN.name == OWNER


@pytest.mark.parametrize("ttl", ["30", "10m"])
def test_a_ticket_lives_as_long_as_asked_but_no_longer_than_minutes(ttl: str) -> None:
    """It may stand in logs; and its link begins where the asker says."""
    told = json.dumps({"ttl": ttl, "base_url": "https://desk.example.org/lab"})
    decision = ask("/api/tickets", bearer(), method="POST", body=told)
    assert isinstance(decision, NewTicket)
    assert decision.seconds == {"30": 30, "10m": 600}[ttl]
    assert decision.base == "https://desk.example.org/lab/"


NO_TICKETS: dict[str, tuple[str, str]] = {
    "too long": ('{"ttl": "11m"}', "ttl: give at most 10m"),
    "no time": ('{"ttl": "soon"}', "ttl: give "),
    "no address": ('{"base_url": "javascript:x"}', "base_url: give "),
    "another word": ('{"role": "control"}', "role: not known here"),
    "no object": ("[]", "give a JSON object"),
}


@pytest.mark.parametrize(("body", "said"), NO_TICKETS.values(), ids=NO_TICKETS)
def test_a_ticket_that_cannot_be_made_is_refused_with_what_to_give(body: str, said: str) -> None:
    """In particular none with more rights than its asker."""
    decision = ask("/api/tickets", bearer(), method="POST", body=body)
    assert isinstance(decision, Answer)
    assert decision.status == 400
    assert json.loads(decision.body)["error"].startswith(said)


def test_only_our_own_page_gets_a_ticket_for_a_cookie() -> None:
    """It comes by itself, from any page the browser shows; and a link makes none by a GET."""
    evil = ("Origin", "http://evil.test")
    assert status(ask("/api/tickets", cookie(), evil, method="POST")) == 403
    assert isinstance(ask("/api/tickets", cookie(), ORIGIN, method="POST"), NewTicket)
    assert isinstance(ask("/api/tickets", bearer(), evil, method="POST"), NewTicket)
    assert status(ask("/api/tickets", bearer())) == 405


def test_where_nobody_is_asked_there_are_no_tickets() -> None:
    """VNC_AUTH=none: nobody needs one."""
    assert status(ask("/api/tickets", method="POST", auth="none", tokens=())) == 404


# On real sockets


def call(gate: Gate, method: str, path: str, told: object = None, token: str = CONTROL) -> Any:
    """Ask as a machine does: status, and the JSON that came."""
    body = b"" if told is None else json.dumps(told).encode()
    head = f"{method} {path} HTTP/1.1\r\nAuthorization: Bearer {token}"
    answer = gate.ask(f"{head}\r\nContent-Length: {len(body)}", body)
    start, _, sent = answer.partition(b"\r\n\r\n")
    code = int(start.split(b" ", 2)[1])
    return code, json.loads(sent) if b"application/json" in start else sent


def test_a_token_is_made_used_rotated_and_revoked(gate: Gate) -> None:
    """Each change counts for the next request, and ends who came by the old token."""
    code, made = call(gate, "POST", "/api/tokens", {"name": "alice", "ttl": "30m"})
    assert (code, made["role"], made["url"]) == (
        201,
        "view",
        f"http://localhost:8002/#token={made['token']}",
    )
    with gate.view(made["token"]) as viewer:
        join(viewer)
        code, rotated = call(gate, "POST", "/api/tokens/alice/rotate")
        assert code == 200
        assert close_code(viewer) == 1008
    assert rotated["expires"] == made["expires"]
    assert gate.refuses(token=made["token"]) == 401
    with gate.view(rotated["token"]) as viewer:
        join(viewer)
        assert call(gate, "POST", "/api/tokens/alice/revoke") == (200, {"name": "alice"})
        assert close_code(viewer) == 1008
    assert gate.refuses(token=rotated["token"]) == 401


def test_the_list_tells_who_is_here_and_no_token(gate: Gate) -> None:
    """Names, roles, ends, viewers."""
    with gate.view(VIEW) as viewer:
        join(viewer)
        wait_until(lambda: roles_here(gate) == [Role.VIEW])
        code, told = call(gate, "GET", "/api/tokens")
    rows = {row["name"]: row for row in told["tokens"]}
    assert code == 200
    named = {"name": "view", "role": "view", "expires": None}
    assert rows["view"] == {**named, "live": True, "viewers": 1}
    assert rows["control"]["viewers"] == 0
    assert CONTROL not in json.dumps(told)


def test_a_change_that_cannot_be_made_is_said(gate: Gate) -> None:
    """404, 409, and 503 while another one is under way; the tokens stay as they are."""
    assert call(gate, "POST", "/api/tokens/nobody/revoke")[0] == 404
    assert call(gate, "POST", "/api/tokens", {"name": "view"})[0] == 409
    gate.tokens.write_text("half a line")
    assert call(gate, "POST", "/api/tokens", {"name": "bob"})[0] == 503
    assert call(gate, "GET", "/api/tokens")[0] == 200


def test_the_owner_may_replace_his_own_token(gate: Gate) -> None:
    """After a link was seen by the wrong person."""
    code, made = call(gate, "POST", "/api/tokens/control/rotate")
    assert code == 200
    assert call(gate, "GET", "/api/tokens")[0] == 401
    assert call(gate, "GET", "/api/tokens", token=made["token"])[0] == 200


def test_hashed_tokens_open_and_can_be_managed(tmp_path: Path, desk: Desk) -> None:
    """VNC_TOKEN_HASH: no token stands in the file."""
    with running_gate(tmp_path, desk.port, hash_tokens=True) as gate:
        made = call(gate, "POST", "/api/tokens", {"name": "alice"})[1]
        assert made["token"] not in gate.tokens.read_text()
        with gate.view(made["token"]) as viewer:
            join(viewer)


def test_metrics_count_what_happened(gate: Gate) -> None:
    """In Prometheus' text format."""
    with gate.view(VIEW) as viewer:
        join(viewer)
        wait_until(lambda: roles_here(gate) == [Role.VIEW])
        gate.status("GET / HTTP/1.1")
        code, told = call(gate, "GET", "/metrics")
    lines = told.decode().splitlines()
    assert code == 200
    assert 'deskgate_viewers{role="view"} 1' in lines
    assert 'deskgate_viewers_total{role="view"} 1' in lines
    assert 'deskgate_answers_total{status="401"} 1' in lines
    assert "deskgate_tokens 2" in lines
    assert "# TYPE deskgate_rfb_bytes_total counter" in lines
