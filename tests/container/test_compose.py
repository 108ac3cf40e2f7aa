"""compose.yaml: hardened as it stands, healthy, and with a token of one's own by file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskgate.testing.viewer import Viewer
from tests.container.desk import ROOT, VARIANTS, Desk
from tests.container.engine import Result, docker, free_port, run
from tests.container.web import bearer

GIVEN = "0123456789abcdef" * 4
PROJECT = f"deskgate-test-{os.getpid()}"
FILE = ("-p", PROJECT, "-f", str(ROOT / "compose.yaml"))
SERVICES = {"desktop", *VARIANTS[1:]}


def compose(*words: str, **env: str) -> Result:
    """Run docker compose with variables that compose.yaml reads."""
    pairs = [f"{name}={value}" for name, value in env.items()]
    result = run("env", *pairs, "docker", "compose", *FILE, *words, timeout_seconds=90)
    assert result.status == 0, result.err
    return result


@pytest.fixture(scope="module")
def composed(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The desktop service, started as `make up` does, with a token from a file."""
    secret: Path = tmp_path_factory.mktemp("secrets") / "vnc_token"
    secret.write_text(GIVEN + "\n")
    secret.chmod(0o644)
    env = {"VNC_TOKEN_FILE": str(secret), "NOVNC_PORT": str(free_port())}
    try:
        compose("up", "--detach", "--wait", "--wait-timeout", "60", "desktop", **env)
        desk = Desk(env={"VNC_TOKEN": GIVEN})
        desk.name = compose("ps", "--quiet", "desktop").out.strip()
        desk.exists = True
        yield desk
        desk.judge()
    finally:
        compose("--profile", "*", "down", "--volumes", "--timeout", "5")


def test_compose_file_is_valid_and_hardened(engine: None) -> None:
    """Every service: loopback port, read-only, no capability, no new privileges, never pulled."""
    found = json.loads(compose("--profile", "*", "config", "--format", "json").out)["services"]
    assert set(found) == SERVICES
    for service in found.values():
        assert service["ports"][0]["host_ip"] == "127.0.0.1"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["pull_policy"] == "never"


def test_settings_of_the_shell_reach_the_container(engine: None) -> None:
    """What is set where compose runs, and nothing else."""
    found = json.loads(compose("config", "--format", "json", VNC_CLIPBOARD="off").out)
    environment = found["services"]["desktop"]["environment"]
    assert environment["VNC_CLIPBOARD"] == "off"
    assert environment["VNC_TOKEN_TTL"] is None


def test_without_a_profile_only_the_desktop_starts(engine: None) -> None:
    """The variants wait behind their profiles."""
    assert compose("config", "--services").out.split() == ["desktop"]


def test_composed_desktop_is_healthy_and_restricted(composed: Desk) -> None:
    """What the engine really did, not what the file says."""
    assert composed.inspect("{{.State.Health.Status}}") == "healthy"
    assert composed.inspect("{{.HostConfig.ReadonlyRootfs}}") == "true"
    assert composed.exec("touch", "/nowhere").status != 0
    capabilities = composed.must("sh", "-c", "grep CapEff /proc/1/status")
    assert int(capabilities.split()[1], 16) == 0
    assert "NoNewPrivs:\t1" in composed.must("cat", "/proc/1/status")


def test_composed_token_by_file_opens_and_stays_hidden(composed: Desk) -> None:
    """The secret is in no variable and in no line of the log; the link names the published port."""
    with Viewer(composed, headers=bearer(GIVEN)) as viewer:
        assert viewer.name == "deskgate"
    assert GIVEN not in docker("inspect", composed.name).out
    assert f"http://localhost:{composed.port}/#token=" in composed.log


def test_composed_home_and_tmp_are_writable(composed: Desk) -> None:
    """A read-only container still has places to work in, where programs can be run."""
    script = "printf '#!/bin/sh\\necho fine' >$0/x && chmod +x $0/x && exec $0/x"
    for folder in ("/home/deskgate", "/tmp"):
        assert composed.must("sh", "-c", script, folder) == "fine\n"
