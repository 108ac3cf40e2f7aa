"""`deskgate restart` and `deskgate logs` in a container, and who may ask PID 1."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from deskgate.testing.viewer import Viewer
from tests.conftest import MakeDesk
from tests.container.desk import GENERATED, Desk
from tests.container.engine import wait_until
from tests.container.inside import RUNTIME, processes, zombies
from tests.container.test_programs import added
from tests.container.web import log_in


@pytest.mark.parametrize("program", ["xvnc", "gate", "wm"])
def test_restart_ends_when_the_program_is_ready_again(make_desk: MakeDesk, program: str) -> None:
    """One line with the seconds, no warning; a viewer gets in again with his old session."""
    desk = make_desk().start()
    headers = log_in(desk, desk.token())
    old = desk.status()[program]["pid"]
    told = desk.must("deskgate", "restart", program)
    name, _, seconds = told.partition(": ready again after ")
    assert name == program
    assert float(seconds.removesuffix(" s\n")) < 2
    row = desk.status()[program]
    assert (row["state"], row["restarts"]) == ("ready", 1)
    assert row["pid"] != old
    assert row["uptime_seconds"] < 5
    with Viewer(desk, headers=headers) as viewer:
        assert viewer.name == "deskgate"
    wait_until(lambda: {r["state"] for r in desk.status().values()} == {"ready"}, 5)
    assert desk.exec("deskgate", "health").status == 0
    assert zombies(desk) == []


def test_restart_of_an_unknown_program_names_the_known(desk: Desk) -> None:
    """Status 64, one line, and nothing happens."""
    result = desk.exec("deskgate", "restart", "gate", "Xvnc")
    assert (result.status, result.out) == (64, "")
    assert result.err == (
        'deskgate: error: restart: there is no program "Xvnc"; there are: gate, wm, xvnc\n'
    )
    assert {row["restarts"] for row in desk.status().values()} == {0}


DOWN = """[program:later]
command=sh -c "echo up; exec sleep 1000"
ready=stdout
autostart=false

[program:broken]
command=sh -c "[ -e /tmp/mended ] || exit 3; echo up; exec sleep 1000"
ready=stdout
"""


def test_restart_starts_what_is_down(make_desk: MakeDesk, tmp_path: Path) -> None:
    """Nobody has started it, or it was given up; 69 where it does not come up even now."""
    desk = make_desk(options=(*added(tmp_path, {"down": DOWN}), "--no-healthcheck")).start()
    desk.allow("^deskgate: warning: broken: ended with status 3")
    wait_until(lambda: desk.status()["broken"]["state"] == "failed", 10)
    assert desk.status()["later"]["state"] == "down"
    assert desk.must("deskgate", "restart", "later").startswith("later: ready again after ")
    failed = desk.exec("deskgate", "restart", "broken")
    assert (failed.status, failed.out) == (69, "")
    assert failed.err == "deskgate: error: broken: did not become ready: status 3\n"
    desk.must("touch", "/tmp/mended")
    desk.must("deskgate", "restart", "broken")
    assert {row["state"] for row in desk.status().values()} == {"ready"}


def test_c8_logs_hold_no_link(make_desk: MakeDesk) -> None:
    """The banner is in `docker logs` alone; what came after it is in both."""
    # A health check would knock at the gate while Xvnc is away, and the gate would say so.
    desk = make_desk(options=("--no-healthcheck",)).start()
    desk.must("deskgate", "restart", "xvnc")
    wait_until(lambda: {row["state"] for row in desk.status().values()} == {"ready"}, 5)
    said = desk.must("deskgate", "logs")
    assert said
    assert said in desk.log
    assert GENERATED.findall(desk.log)
    assert not GENERATED.findall(said)
    assert "xvnc: stopping it" in desk.must("deskgate", "logs", "xvnc")
    assert desk.must("deskgate", "logs", "gate") == ""


def test_logs_are_followed_until_the_end(make_desk: MakeDesk) -> None:
    """Each line as it comes, in the log's own form."""
    desk = make_desk(env={"LOG_FORMAT": "json"}).launch()
    wait_until(lambda: "the desktop is ready" in desk.log, 20)
    command = ("docker", "exec", desk.name, "deskgate", "logs", "-f", "deskgate")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout
        desk.must("deskgate", "restart", "gate")
        line = json.loads(following.stdout.readline())
        assert line["text"] == "gate: stopping it, to start it again"
        desk.stop()
        following.stdout.read()
        following.wait(10)


def test_c8_control_socket_is_closed_to_other_users(desk: Desk) -> None:
    """Another uid in the container can neither see it nor connect to it."""
    script = f"import socket; socket.socket(socket.AF_UNIX).connect('{RUNTIME}/control.sock')"
    assert desk.exec("python3", "-c", script).status == 0
    strange = desk.exec("python3", "-c", script, options=("--user", "4242"))
    assert strange.status == 1
    assert "PermissionError" in strange.err


def test_reaped_orphans_leave_no_line(make_desk: MakeDesk) -> None:
    """Nor does a quiet desktop: the log is the banner, however many children are collected."""
    script = "for i in 1 2 3 4 5 6 7 8; do (true &) ; done; echo begun; exec sleep 1000"
    desk = make_desk(command=("sh", "-c", script)).start()
    wait_until(lambda: "begun" in desk.output.out, 5)
    wait_until(lambda: "true" not in {each.name for each in processes(desk)}, 5)
    assert zombies(desk) == []
    assert len(desk.output.err.splitlines()) <= 12
    assert "warning" not in desk.log
    assert desk.output.out == "begun\n"
