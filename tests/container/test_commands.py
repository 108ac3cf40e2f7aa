"""`deskgate url`, `status`, `check`, `render` and their refusals, inside a container."""

from __future__ import annotations

import json

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import READY_SECONDS, Desk
from tests.container.engine import wait_until
from tests.container.web import ask, bearer

GIVEN = "Given-by-a-person_0123456789-abcdefgh"


def test_url_prints_the_links(desk: Desk) -> None:
    """The link of each role, as the start printed it; control without a word."""
    assert desk.must("deskgate", "url").strip() == desk.printed_link("control")
    assert desk.must("deskgate", "url", "--role", "view").strip() == desk.printed_link("view")
    found = json.loads(desk.must("deskgate", "url", "--json"))
    assert (found["role"], found["url"]) == ("control", desk.printed_link("control"))
    assert found["expires"] is None


def test_url_gives_the_whole_link_of_a_given_token(make_desk: MakeDesk) -> None:
    """The log hides a given token; who may exec in the container gets the link that works."""
    desk = make_desk(env={"VNC_TOKEN": GIVEN, "PUBLIC_URL": "https://desk.example.org/lab"}).start()
    link = desk.must("deskgate", "url").strip()
    assert link == f"https://desk.example.org/lab/#token={GIVEN}"
    assert ask(desk, "/vnc.html", headers=bearer(GIVEN)).status == 200


def test_status_tells_programs_and_viewers(desk: Desk) -> None:
    """Each program with state and pid, and who looks on."""
    rows = desk.status()
    assert {name: row["state"] for name, row in rows.items()} == dict.fromkeys(
        ("xvnc", "gate", "wm"), "ready"
    )
    assert all(row["restarts"] == 0 and row["pid"] > 1 for row in rows.values())

    def viewers() -> dict[str, int]:
        found: dict[str, int] = json.loads(desk.must("deskgate", "status", "--json"))["viewers"]
        return found

    with (
        Viewer(desk, headers=bearer(desk.token())) as controller,
        Viewer(desk, headers=bearer(desk.token("view"))) as watcher,
    ):
        controller.settle()
        watcher.settle()
        assert viewers() == {"control": 1, "view": 1}
        assert "1 control, 1 watching" in desk.must("deskgate", "status")
    wait_until(lambda: viewers() == {"control": 0, "view": 0}, 5)


def test_check_tells_every_setting_and_no_secret(make_desk: MakeDesk) -> None:
    """Value and source of each setting; secrets are masked; nothing is started."""
    env = {"VNC_TOKEN": GIVEN, "RESOLUTION": "640x480"}
    options = ("--entrypoint", "deskgate")
    result = make_desk(env=env, options=options, command=("check", "--json")).run()
    assert result.status == 0
    rows = {row["name"]: row for row in json.loads(result.out)["settings"]}
    geometry, token = rows["VNC_GEOMETRY"], rows["VNC_TOKEN"]
    assert (geometry["value"], geometry["source"]) == ("640x480", "RESOLUTION")
    assert (token["value"], token["source"]) == ("(hidden)", "VNC_TOKEN")
    assert (rows["NOVNC_PORT"]["value"], rows["NOVNC_PORT"]["source"]) == ("8002", "default")
    plain = make_desk(env=env, options=options, command=("check",)).run()
    assert set(rows) <= set(plain.out.split())


def test_check_finds_every_problem(make_desk: MakeDesk) -> None:
    """As `run` does, with the same status."""
    env = {"VNC_GEOMETRY": "1280*800", "NOVNC_PORT": "80 02"}
    desk = make_desk(env=env, options=("--entrypoint", "deskgate"), command=("check",))
    desk.allow("^deskgate: error: ")
    result = desk.run()
    assert (result.status, len(result.err.splitlines())) == (78, 2)


def test_render_shows_the_files_without_secrets(make_desk: MakeDesk) -> None:
    """What `run` would write, to the screen or into a folder, tokens hidden."""
    script = "deskgate render; deskgate render /tmp/out; ls /tmp/out; cat /tmp/out/*.conf"
    desk = make_desk(
        env={"VNC_TOKEN": GIVEN}, options=("--entrypoint", "sh"), command=("-c", script)
    )
    result = desk.run()
    assert (result.status, result.err) == (0, "")
    assert "==> /run/deskgate/supervisord.conf <==" in result.out
    assert result.out.count("[program:xvnc]") == 2
    assert GIVEN not in result.out


@pytest.mark.parametrize("command", ["url", "status", "health"])
def test_without_a_desktop_commands_say_so(make_desk: MakeDesk, command: str) -> None:
    """Status 69 and one line, where no desktop runs."""
    desk = make_desk(options=("--entrypoint", "deskgate"), command=(command,))
    desk.allow("^deskgate: error: cannot find a running desktop")
    result = desk.run()
    assert (result.status, len(result.err.splitlines())) == (69, 1)


def test_unknown_command_and_option_are_64(make_desk: MakeDesk) -> None:
    """A wrong command line names what it does not know."""
    for words in (("no-such-command",), ("url", "--no-such-option"), ("url", "--role", "root"), ()):
        desk = make_desk(options=("--entrypoint", "deskgate"), command=words)
        desk.allow("^deskgate: error: ")
        result = desk.run()
        assert (result.status, result.out) == (64, ""), words


def test_version_is_one_line(desk: Desk) -> None:
    """`deskgate --version` and `--help` work without a desktop of theirs."""
    assert desk.must("deskgate", "--version").startswith("deskgate ")
    assert "deskgate COMMAND" in desk.must("deskgate", "--help")


def test_json_log_is_json_alone(make_desk: MakeDesk) -> None:
    """`LOG_FORMAT=json`: every line of stderr parses, and the banner is one event."""
    desk = make_desk(env={"LOG_FORMAT": "json"}, command=("true",))
    lines = [json.loads(line) for line in desk.run().err.splitlines()]
    assert [line["level"] for line in lines if line["text"] == "the desktop is ready"] == ["info"]
    assert {"time", "level", "program", "text"} <= lines[0].keys()
    (start,) = [line for line in lines if line["text"] == "the desktop is ready"]
    assert list(start["links"]) == ["control", "view"]
    assert start["links"]["control"]["url"].startswith("http://localhost:8002/#token=")
    assert 0 < start["ready_seconds"] < READY_SECONDS


def test_qr_code_is_printed_at_the_start(make_desk: MakeDesk) -> None:
    """`VNC_QR=1`: of the control link; as an option of the command where that is written out."""
    env = {"PUBLIC_URL": "https://desk.example.org", "VNC_QR": "1"}
    assert make_desk(env=env, command=("true",)).run().err.splitlines()[-1].strip("▀") == ""
    script = "deskgate run --qr -- true"
    desk = make_desk(options=("--entrypoint", "sh"), command=("-c", script))
    assert "no QR code: a phone cannot open localhost" in desk.run().err


def test_quiet_log_has_no_banner(make_desk: MakeDesk) -> None:
    """`LOG_LEVEL=warning`: for those whose log others read; `deskgate url` tells the link."""
    desk = make_desk(env={"LOG_LEVEL": "warning"}).launch()
    wait_until(lambda: desk.exec("deskgate", "health").status == 0, 20)
    assert desk.log == ""
    assert "/#token=" in desk.must("deskgate", "url")


def test_option_in_the_commands_place_is_explained(make_desk: MakeDesk) -> None:
    """`docker run IMAGE --help`: deskgate's own help is elsewhere; nothing is started."""
    desk = make_desk(command=("--help",))
    desk.allow("^deskgate: error: run: ")
    result = desk.run()
    assert result.status == 64
    assert "--entrypoint deskgate" in result.err


def test_users_module_shadows_none_of_ours(make_desk: MakeDesk) -> None:
    """An `entrypoint.py` or `deskgate.py` in WORKDIR and PYTHONPATH is not run by us."""
    script = "cd /tmp && echo 'raise SystemExit(9)' | tee deskgate.py supervisor.py jinja2.py && "
    script += "export PYTHONPATH=/tmp && deskgate --version && exec deskgate run -- echo fine"
    result = make_desk(options=("--entrypoint", "sh"), command=("-c", script)).run()
    assert (result.status, result.out.splitlines()[-1]) == (0, "fine")
