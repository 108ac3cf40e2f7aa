"""What every folder of examples/ has in common."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from tests.container.engine import run
from tests.deployments.example import EXAMPLES, NAMES, commands

COMPOSED: Final = tuple(name for name in NAMES if (EXAMPLES / name / "compose.yaml").exists())
README_LINES: Final = 40


def test_the_list_names_every_folder() -> None:
    """And no other."""
    listed = re.findall(
        r"^\| \[(\S+)\]\((\S+)\)", (EXAMPLES / "README.md").read_text(), re.MULTILINE
    )
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    assert sorted(name for name, _ in listed) == folders == list(NAMES)
    assert [target for name, target in listed if target != f"{name}/README.md"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_is_short_and_has_commands(name: str) -> None:
    """What it shows, the commands, what one sees."""
    readme = (EXAMPLES / name / "README.md").read_text()
    assert readme.startswith("# ")
    assert len(readme.splitlines()) <= README_LINES
    assert commands(readme)


@pytest.mark.parametrize("name", COMPOSED)
def test_a_composed_desktop_is_hardened(engine: None, name: str) -> None:
    """Read-only, no capability, no new privileges, never pulled; ports on loopback alone."""
    file = str(EXAMPLES / name / "compose.yaml")
    config = run("docker", "compose", "--file", file, "config", "--format", "json")
    assert config.status == 0, config.err
    services: dict[str, dict[str, Any]] = json.loads(config.out)["services"]
    desks = [each for each in services.values() if each["image"].startswith("deskgate:")]
    assert desks
    for desk in desks:
        assert desk["read_only"] is True
        assert desk["cap_drop"] == ["ALL"]
        assert desk["security_opt"] == ["no-new-privileges:true"]
        assert desk["pull_policy"] == "never"
    ports = [port for each in services.values() for port in each.get("ports", ())]
    assert ports
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
