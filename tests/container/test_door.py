"""Whoever has no token stays out, however close the guess is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from websockets.exceptions import InvalidStatus

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import Desk
from tests.container.web import ask, bearer, log_in

WRONG: dict[str, Callable[[str], str]] = {
    "another": lambda token: "0123456789abcdef" * 4,
    "upper-case": lambda token: token.upper(),
    "shortened": lambda token: token[:-1],
    "lengthened": lambda token: token + "0",
    "space-behind": lambda token: token + "%20",
    "nul-behind": lambda token: token + "%00",
    "empty": lambda token: "",
}


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """A desk for each test: after ten wrong tokens of one address, the next ones are 429."""
    return make_desk().start()


def refusal(desk: Desk, target: str, headers: dict[str, str] | None = None) -> int:
    """The status with which the gate refuses a WebSocket."""
    with pytest.raises(InvalidStatus) as refused:
        Viewer(desk, target=target, headers=headers)
    return refused.value.response.status_code


@pytest.mark.parametrize("change", WRONG)
def test_only_the_exact_token_passes(desk: Desk, change: str) -> None:
    """A wrong token gets the same 401 as none, on a page and on the WebSocket."""
    none = ask(desk, "/vnc.html")
    wrong = WRONG[change](desk.token())
    answers = [ask(desk, f"{path}?token={wrong}") for path in ("/", "/vnc.html", "/core/rfb.js")]
    assert {answer.status for answer in answers} == {401}
    assert {answer.body for answer in answers} == {none.body}
    assert refusal(desk, f"/websockify?token={wrong}") == 401
    with Viewer(desk, target=f"/websockify?token={desk.token()}"):
        pass


def test_wrong_token_in_a_header_is_refused(desk: Desk) -> None:
    """The header is judged as the query is."""
    assert refusal(desk, "/websockify", bearer(desk.token()[:-1])) == 401
    assert ask(desk, "/core/rfb.js", headers=bearer(desk.token()[:-1])).status == 401
    assert ask(desk, "/core/rfb.js", headers=bearer(desk.token())).status == 200


def test_token_twice_in_the_query_is_refused(desk: Desk) -> None:
    """Two tokens, even two right ones, are nobody's link."""
    token = desk.token()
    twice = f"token={token}&token={token}"
    assert ask(desk, f"/?{twice}").status == 400
    assert refusal(desk, f"/websockify?{twice}") == 400
    assert ask(desk, f"/?token={token}").status == 303


def test_wrong_token_at_the_login_form_is_refused(desk: Desk) -> None:
    """The form says 401 and gives no cookie; the right token gives one."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = ask(desk, "/login", method="POST", headers=form, body=b"token=" + b"a" * 64)
    assert refused.status == 401
    assert "set-cookie" not in refused.headers
    assert "Cookie" in log_in(desk, desk.token())


def test_token_in_the_address_becomes_a_cookie(desk: Desk) -> None:
    """`/?token=T` answers 303 to a clean address, with a cookie that no script can read."""
    answer = ask(desk, f"/?token={desk.token()}&resize=remote")
    assert answer.status == 303
    assert "token" not in answer.headers["location"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(answer.headers["set-cookie"].split("; "))
    assert ask(desk, "/vnc.html", headers={"Cookie": answer.cookie}).status == 200


def test_forged_cookie_is_refused(desk: Desk) -> None:
    """A cookie is believed only as it was given."""
    headers = log_in(desk, desk.token())
    forged = {**headers, "Cookie": headers["Cookie"][:-1] + "x"}
    assert ask(desk, "/vnc.html", headers=forged).status == 401
    assert ask(desk, "/vnc.html", headers=headers).status == 200


def test_cookie_from_another_origin_is_refused(desk: Desk) -> None:
    """A page of another port, which gets the cookie sent along, gets no WebSocket."""
    headers = log_in(desk, desk.token())
    other = {**headers, "Origin": f"http://127.0.0.1:{desk.port + 1}"}
    assert refusal(desk, "/websockify", other) == 403
    with Viewer(desk, headers=headers):
        pass


def test_health_pages_need_no_token_and_tell_nothing(desk: Desk) -> None:
    """`/healthz` and `/readyz` are the only open doors, three bytes wide."""
    for path in ("/healthz", "/readyz"):
        answer = ask(desk, path)
        assert (answer.status, answer.body) == (200, b"ok\n")
        assert "set-cookie" not in answer.headers


def test_l2_refused_requests_leave_no_token_in_the_log(make_desk: MakeDesk) -> None:
    """At level debug every refusal is a line, and none repeats what was tried."""
    desk = make_desk(env={"LOG_LEVEL": "debug"}).start()
    near = desk.token()[:-1] + "_"
    assert (
        ask(desk, f"/?token={near}", headers={"Referer": f"http://x/?token={near}"}).status == 401
    )
    assert refusal(desk, f"/websockify?token={near}") == 401
    assert "wrong token" in desk.log, "positive control: the refusal is logged"
    assert near[:-1] not in desk.log.replace(desk.token(), "")
