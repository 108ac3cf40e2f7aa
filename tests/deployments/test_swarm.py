"""The example of a swarm: one node, the token as a secret, the link through the proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from deskgate.testing.viewer import Viewer
from tests.container.desk import Desk
from tests.container.engine import docker, run, wait_until
from tests.container.web import ask_at
from tests.deployments.example import Example
from tests.deployments.visit import WRONG, log_in, person, token_of

STACK: Final = "mydesk"
SECRET: Final = "desk_token"
PUBLISHED: Final = "8443"
KINDS: Final = ("service", "secret", "config", "volume", "network")  # what a stack makes
BRIDGE: Final = "docker_gwbridge"  # which leaving a swarm leaves behind
END_SECONDS: Final = 30.0  # a stack's end, as the engine works it off


@pytest.fixture(scope="module")
def swarm(engine: None) -> Iterator[None]:
    """This machine as a swarm of its own, unless it is in one."""
    if docker("info", "--format", "{{.Swarm.LocalNodeState}}").out.strip() == "active":
        yield
        return
    bridged = run("docker", "network", "inspect", BRIDGE).status == 0
    docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    yield
    docker("swarm", "leave", "--force")
    if not bridged:
        docker("network", "rm", BRIDGE)


def tasks(stack: str) -> list[str]:
    """The containers of a stack that are there."""
    label = f"label=com.docker.stack.namespace={stack}"
    return docker("ps", "--all", "--quiet", "--filter", label).out.split()


@pytest.fixture(scope="module")
def example(swarm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Started as its README says, and ended so that nothing of it is left."""
    folder = tmp_path_factory.mktemp("examples") / "swarm"
    example = Example("swarm", folder, rename=[STACK, SECRET])
    stack = example.here(STACK)
    try:
        example.must(example.commands[:-3])
        yield example
    finally:
        remove_stack, *rest = example.commands[-3:]
        example.must([remove_stack])
        wait_until(lambda: not tasks(stack), END_SECONDS, what="the stack's end")
        example.must(rest)
        left = "".join(docker(kind, "ls", "--format", "{{.Name}}").out for kind in KINDS)
        assert stack not in left
        assert example.here(SECRET) not in left


@pytest.fixture(scope="module")
def desk(example: Example) -> Desk:
    """The service's one container."""
    desk = Desk()
    name = f"name={example.here(STACK)}_desk"
    desk.name = docker("ps", "--quiet", "--filter", name).out.strip()
    desk.exists = True
    return desk


@pytest.fixture(scope="module")
def link(example: Example) -> str:
    """What `deskgate url` printed there."""
    return example.printed[example.commands[3]].strip()


def test_the_link_opens_the_desktop_through_the_proxy(
    example: Example, desk: Desk, link: str
) -> None:
    """A session, and ServerInit."""
    place = example.here("https://localhost:8443/")
    assert link.startswith(f"{place}#token=")
    wait_until(lambda: log_in(place, token_of(link)).status == 303, 10, what="Caddy")
    headers = person(place, log_in(place, token_of(link)).cookie)
    with Viewer(desk, place=place.rstrip("/"), headers=headers) as viewer:
        assert viewer.name == "deskgate"
    assert log_in(place, WRONG).status == 401
    assert ask_at(place).status == 401


def test_the_token_is_in_the_secret_alone(example: Example, desk: Desk, link: str) -> None:
    """In no log, no variable, and no configuration of the services."""
    token = token_of(link)
    stack = example.here(STACK)
    shown = docker("inspect", *tasks(stack)).out
    shown += docker("service", "inspect", f"{stack}_desk", f"{stack}_caddy").out
    proxy = docker("service", "logs", f"{stack}_caddy")
    assert "/login" in proxy.out + proxy.err, "positive control: it logs what is asked"
    assert token not in shown + desk.log + proxy.out + proxy.err
    assert "#ticket=" in desk.log
    assert "token=" not in desk.log
    assert desk.must("cat", f"/run/secrets/{example.here(SECRET)}").strip() == token
    desk.judge()


def test_a_new_container_has_the_same_link(example: Example, desk: Desk, link: str) -> None:
    """The swarm starts another in the place of one that ended."""
    docker("rm", "--force", desk.name)
    place = example.here("https://localhost:8443/")
    wait_until(lambda: log_in(place, token_of(link)).status == 303, 30, what="a new container")
