"""Where tokens are, where they are not, and that stock websockify reads the same file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import SECRETS, VARIANTS, Desk, image_of
from tests.container.engine import docker, wait_until
from tests.container.inside import RUNTIME, processes, x_state
from tests.container.web import ask, bearer

STOCK_PORT = 8010  # of a websockify that a test runs beside the gate
TOKEN_FILE = f"{RUNTIME}/websockify-tokens.conf"
GIVEN = "Given-by-a-person_0123456789-abcdefgh"


def test_token_file_is_websockifys_and_private(desk: Desk) -> None:
    """A row per token, mode 0600, 256 bits in hex; the watch token leads nowhere by itself."""
    assert desk.host.file(TOKEN_FILE).mode == 0o600
    lines = desk.must("cat", TOKEN_FILE).splitlines()
    rows = dict(line.split(": ") for line in lines if line and not line.startswith("#"))
    assert rows == {desk.token(): "127.0.0.1:5901", desk.token("view"): "127.0.0.1:0"}
    assert all(re.fullmatch("[0-9a-f]{64}", token) for token in rows)
    assert "# name=control role=control" in lines


@pytest.mark.parametrize("name", SECRETS)
def test_l1_given_token_opens_and_is_never_printed(make_desk: MakeDesk, name: str) -> None:
    """Each variable that may hold the token works, and the banner leaves a place for it."""
    desk = make_desk(env={name: GIVEN}).start()
    role = "view" if name == "VNC_VIEW_TOKEN" else "control"
    assert ask(desk, "/vnc.html", headers=bearer(GIVEN)).status == 200
    assert ask(desk, "/vnc.html", headers=bearer(GIVEN + "0")).status == 401
    assert desk.printed_link(role).endswith("/#token=<your token>")
    assert GIVEN not in desk.log


def test_l6_token_from_a_file_opens_and_is_in_no_environment(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    """Nor in what the engine tells of the container and its image."""
    secret = tmp_path / "token"
    secret.write_text(GIVEN + "\n")
    secret.chmod(0o644)
    desk = make_desk(
        env={"VNC_TOKEN_FILE": "/mnt/token"},
        options=("-v", f"{secret}:/mnt/token:ro"),
        secrets=[GIVEN],
    ).start()
    assert ask(desk, "/vnc.html", headers=bearer(GIVEN)).status == 200
    image = image_of(desk.variant)
    told = (
        docker("inspect", desk.name).out,
        docker("image", "inspect", image).out,
        docker("history", "--no-trunc", image).out,
        desk.must("env"),
        desk.must("env", options=("--user", "0")),
    )
    assert "VNC_TOKEN_FILE=/mnt/token" in told[0], "positive control"
    assert [text for text in told if GIVEN in text] == []
    assert not [each for each in processes(desk, text=GIVEN) if each.holds]


@pytest.mark.parametrize("variant", VARIANTS)
def test_l6_image_brings_no_secret(engine: None, variant: str) -> None:
    """All are made at a start: the runtime folder is empty, no variable of a secret is set."""
    script = "ls -A /run/deskgate; env | grep -E 'TOKEN|SECRET|PASSW|_KEY'; id -un"
    words = ("run", "--rm", "--entrypoint", "sh", image_of(variant), "-c", script)
    assert docker(*words).out == "deskgate\n"


@pytest.mark.parametrize("name", SECRETS)
def test_l3_no_process_shows_a_given_token(make_desk: MakeDesk, name: str) -> None:
    """Neither arguments nor environment of any program hold it: not even PID 1's."""
    desk = make_desk(env={name: GIVEN}).start()
    holders = [each for each in processes(desk, text=GIVEN) if each.holds]
    # What the engine starts from outside, as the looking process, has the container's environment.
    assert [each for each in holders if each.ours], "positive control: the search finds things"
    assert not [each for each in holders if each.started_inside]


def test_l3_no_process_shows_a_generated_token(desk: Desk) -> None:
    """Neither the control nor the watch token is in any process's arguments or environment."""
    for role in ("control", "view"):
        assert not [each for each in processes(desk, text=desk.token(role)) if each.holds]


@pytest.mark.parametrize(("name", "kept"), [("VNC_TOKEN", False), ("SESSION_API_KEY", True)])
def test_command_sees_only_secrets_that_are_its_own(
    make_desk: MakeDesk, name: str, kept: bool
) -> None:
    """The agent platform's key is its server's too; our own names are not the command's."""
    desk = make_desk(env={name: GIVEN}, command=("sh", "-c", f'test -n "${name}"'))
    assert desk.run().status == (0 if kept else 1)


# --- stock websockify -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proxied(make_module_desk: MakeDesk) -> Desk:
    """A desk with stock websockify in the gate's place."""
    return make_module_desk(env={"NOVNC_PROXY": "websockify"}).start()


def test_websockify_serves_in_the_gates_place(proxied: Desk) -> None:
    """`NOVNC_PROXY=websockify`: the page, and the desktop by token."""
    with Viewer(proxied, target=f"/websockify?token={proxied.token()}") as viewer:
        assert viewer.name == "deskgate"
    assert ask(proxied, "/vnc.html").status == 200
    with pytest.raises(WebSocketException):
        Viewer(proxied, target=f"/websockify?token={'0' * 64}")


def test_websockify_leaves_no_token_in_the_log(make_desk: MakeDesk) -> None:
    """Stock websockify logs tokens in clear; what we pass on of it hides them."""
    desk = make_desk(env={"NOVNC_PROXY": "websockify", "LOG_LEVEL": "debug"}).start()
    with Viewer(desk, target=f"/websockify?token={desk.token()}"):
        pass
    wait_until(lambda: re.search("GET /websockify|connecting to", desk.log), 5)  # it is logged
    assert desk.log.count(desk.token()) == 1


def test_stock_websockify_admits_the_same_token_to_the_same_desktop(make_desk: MakeDesk) -> None:
    """The rendered token file, read by stock websockify beside the gate."""
    desk = make_desk(options=("-p", f"127.0.0.1::{STOCK_PORT}")).start()
    words = ["--token-plugin", "TokenFile", "--token-source", TOKEN_FILE, f"0.0.0.0:{STOCK_PORT}"]
    desk.must("/opt/deskgate/bin/python", "-I", "-m", "websockify", "-D", *words)
    port = desk.published(STOCK_PORT)
    with Viewer(desk, headers=bearer(desk.token())) as ours:
        ours.point(77, 88)
        ours.settle()
        with Viewer(desk, target=f"/?token={desk.token()}", port=port) as stock:
            assert (stock.width, stock.height, stock.name) == (1280, 800, "deskgate")
            stock.point(99, 111)
            stock.settle()
            assert x_state(desk)["pointer"] == [99, 111]
    for refused in ("0" * 64, desk.token("view")):
        with pytest.raises(WebSocketException):
            Viewer(desk, target=f"/?token={refused}", port=port)
