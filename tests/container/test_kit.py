"""The kit as people use it: images that are broken on purpose turn it red, each at its own test."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.container.desk import ONE, ROOT, image_of
from tests.container.engine import docker
from tests.kit import Run, run_kit

CONTRACT: Final = "deskgate.testing.test_contract"
CLAIMS: Final = {name for name in vars(import_module(CONTRACT)) if name.startswith("test_")}
AT_ONCE: Final = 3  # a start leaves a core idle half of the time
SECONDS: Final = 10  # for a start; where the break is that something never ends, all of them pass
TOKEN_FILE: Final = "/run/deskgate/websockify-tokens.conf"
FIRST_TOKEN: Final = rf"$(grep -om1 '^[0-9a-f]\{{64\}}' {TOKEN_FILE})"
GIVEN: Final = "Given-by-a-person_0123456789-abcdefgh"
PLANTED: Final = "0123456789abcdef" * 4


def program(command: str, *keys: str) -> str:
    """Dockerfile lines that add a program to the desktop."""
    lines = ("[program:broken]", f"command={command}", *keys)
    return "\n".join(["COPY <<'END' /etc/deskgate/programs.d/broken.conf", *lines, "END"])


def entrypoint(*words: str) -> str:
    """A Dockerfile line that puts words before ours."""
    shown = ", ".join(f'"{word}"' for word in (*words, "/usr/local/bin/deskgate", "run", "--"))
    return f"ENTRYPOINT [{shown}]"


class Broken(NamedTuple):
    """An image that is wrong.

    Args:
        lines: what its Dockerfile has below ours.
        test: the one of the contract that turns red.
        said: what its report says.
    """

    lines: str
    test: str
    said: str


BROKEN: Final = {
    "gate-on-loopback-alone": Broken(
        "ENV NOVNC_LISTEN=127.0.0.1", "test_printed_link_opens_the_desktop[control]", "Connection"
    ),
    "websockify-as-the-gate": Broken(
        "ENV NOVNC_PROXY=websockify", "test_without_a_token_nothing_is_served", "200 == 401"
    ),
    "no-token-asked-for": Broken(
        "ENV VNC_AUTH=none VNC_AUTH_NONE=true", "test_wrong_token_is_refused", "200 == 401"
    ),
    "watch-link-acts": Broken(
        "USER 0\nRUN sed -i 's/if role is Role.CONTROL:/if True:/' "
        "/opt/deskgate/lib/python3*/site-packages/deskgate/gate/desk.py\nUSER 10001",
        "test_watch_link_only_looks",
        "a key that shows",
    ),
    "websockify-beside-the-gate": Broken(
        program(
            "/opt/deskgate/bin/python -I -m websockify 6080 127.0.0.1:5901",
            "ready=tcp:127.0.0.1:6080",
            "essential=true",
        ),
        "test_only_the_gate_listens_beyond_loopback",
        "6080",
    ),
    # What a program prints is masked; this goes past PID 1.
    "token-in-the-log": Broken(
        'ENTRYPOINT ["sh", "-c", "(until cat '
        f'{TOKEN_FILE}; do sleep 0.1; done) & exec deskgate run -- \\"$@\\"", "sh"]',
        "test_log_shows_a_token_in_its_link_alone[view]",
        "2 == 1",
    ),
    "token-as-an-argument": Broken(
        program(f"sh -c \"exec sh -c 'sleep 1000; :' {FIRST_TOKEN}\"", "needs=gate"),
        "test_no_process_shows_a_token[control]",
        "cmdline",
    ),
    "token-in-an-environment": Broken(
        program(f'sh -c "T={FIRST_TOKEN} exec sleep 1000"', "needs=gate"),
        "test_no_process_shows_a_token[control]",
        "environ",
    ),
    "token-as-a-variable": Broken(
        f"ENV VNC_TOKEN={GIVEN}", "test_no_layer_holds_a_token", "configuration"
    ),
    "token-in-a-file": Broken(
        f"COPY <<END /etc/token\n{GIVEN}\nEND\nENV VNC_TOKEN_FILE=/etc/token",
        "test_no_layer_holds_a_token",
        "etc/token",
    ),
    "token-in-a-hidden-layer": Broken(
        f"USER 0\nCOPY <<END /srv/old\n{PLANTED}: 127.0.0.1:5901\nEND\nRUN rm /srv/old\nUSER 10001",
        "test_no_layer_holds_a_token",
        "srv/old",
    ),
    "tokens-of-other-people": Broken(
        f"COPY <<END /etc/tokens\nalice-{GIVEN}: 127.0.0.1:5901\nEND\n"
        "ENV VNC_TOKENS_FILE=/etc/tokens",
        "test_no_layer_holds_a_token",
        "etc/tokens",
    ),
    "another-user": Broken(
        "USER 0\n" + entrypoint("setpriv", "--reuid=4242", "--clear-groups"),
        "test_command_runs_as_the_images_user",
        "4242",
    ),
    "root-without-its-rights": Broken(
        "USER 0\n" + entrypoint("setpriv", "--bounding-set=-all", "--inh-caps=-all"),
        "test_gate_and_xvnc_are_not_root",
        "'gate': 0",
    ),
    "status-swallowed": Broken(
        'ENTRYPOINT ["sh", "-c", "deskgate run -- \\"$@\\"; echo done", "sh"]',
        "test_exit_status_is_the_commands[failure]",
        "status=0",
    ),
    "shell-form": Broken(
        "ENTRYPOINT /usr/local/bin/deskgate run --",
        "test_exit_status_is_the_commands[success]",
        "still runs",
    ),
    "shell-before-it": Broken(
        'ENTRYPOINT ["sh", "-c", "deskgate run -- \\"$@\\"; exit $?", "sh"]',
        "test_signals_reach_the_command[TERM-6]",
        "still runs",
    ),
    "program-that-fails": Broken(
        program("false", "ready=exit"), "test_desk_is_healthy", "not within"
    ),
    "hook-that-works-once": Broken(
        "COPY --chmod=755 <<'END' /etc/deskgate/start.d/10-once\n#!/bin/sh\nmkdir /tmp/once\nEND",
        "test_restart_gives_a_link_that_works",
        "it ended with 69",
    ),
    "program-that-ignores-the-end": Broken(
        program("sh -c \"trap '' TERM; while :; do sleep 1; done\""),
        "test_stop_is_quick",
        "< 5.0",
    ),
}


def tag(name: str) -> str:
    """What a broken image is called."""
    return f"deskgate-test-broken:{os.getpid()}-{name}"


def build(names: Iterable[str]) -> None:
    """Build broken images, in one go."""
    targets = {
        name: {
            "dockerfile-inline": f"FROM {image_of(ONE)}\n{BROKEN[name].lines}\n",
            "tags": [tag(name)],
        }
        for name in names
    }
    bake = json.dumps({"target": targets})
    docker("buildx", "bake", "--file", "-", *targets, stdin=bake.encode())


def hold(name: str) -> Run:
    """Hold a broken image to the one test."""
    test = f"{CONTRACT}::{BROKEN[name].test}"
    options = (f"--deskgate-image={tag(name)}", f"--deskgate-timeout={SECONDS}")
    return run_kit("--pyargs", test, *options)


@pytest.fixture(scope="module")
def judged(request: pytest.FixtureRequest, engine: None) -> Iterator[Mapping[str, Future[Run]]]:
    """Those images that are asked for, several at once."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    mine = [item for item in items if item.originalname == TURNS_RED]
    names = [str(item.callspec.params["name"]) for item in mine]
    build(names)
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield {name: pool.submit(hold, name) for name in names}
    finally:
        docker("rmi", *map(tag, names))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One image for each test of the contract; with --exhaustive all of them."""
    every = metafunc.config.getoption("--exhaustive")
    if metafunc.function.__name__ == TURNS_RED:
        firsts = {broken.test.partition("[")[0]: name for name, broken in [*BROKEN.items()][::-1]}
        metafunc.parametrize("name", [each for each in BROKEN if every or each in firsts.values()])
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", list(SET)[: None if every else 1])


def test_broken_image_turns_its_test_red(judged: Mapping[str, Future[Run]], name: str) -> None:
    """And says why. The same tests are green on our variants (test_contract.py)."""
    done = judged[name].result()
    assert done.returncode == 1, done.stdout + done.stderr
    assert " 1 failed in " in done.stdout, done.stdout
    assert BROKEN[name].said in done.stdout, done.stdout


TURNS_RED: Final = test_broken_image_turns_its_test_red.__name__


def test_every_test_of_the_contract_has_an_image_that_breaks_it() -> None:
    """What cannot turn red proves nothing."""
    assert {broken.test.partition("[")[0] for broken in BROKEN.values()} == CLAIMS


# What people set, and what operators forbid: none of it is a fault of the image.
SET: Final = {
    "another-port-and-a-token": f"-e NOVNC_PORT=9000 -e VNC_TRANSPORT=unix -e VNC_TOKEN={GIVEN}",
    "json": "-e LOG_FORMAT=json -e PUBLIC_URL=https://desk.example -e SUBPATH=/desk/",
    "links-for-one-use": "-e VNC_LINK=once",
    "root": "--user 0:0",
    "root-and-a-user": "--user 0:0 -e PUID=1234",
    "restricted": "--init --read-only --tmpfs /tmp --tmpfs /run --cap-drop ALL --user 31337:0",
}


def test_what_may_be_set_turns_nothing_red(engine: None, case: str, *, exhaustive: bool) -> None:
    """With --exhaustive every case and the whole contract: two minutes."""
    some = () if exhaustive else ("-k", "printed or listens")
    options = (f"--deskgate-image={image_of(ONE)}", f"--deskgate-run-args={SET[case]}")
    done = run_kit("--pyargs", CONTRACT, *options, *some)
    assert done.returncode == 0, done.stdout + done.stderr


# --- the how-to ---------------------------------------------------------------------------------

OPTIONS: Final = ["image", "run-args", "command", "timeout"]
PAGE: Final = (ROOT / "docs/how-to/testing.md").read_text(encoding="utf-8")


def test_the_page_lists_every_test_of_the_contract() -> None:
    """By its name, as -k takes it; and every option."""
    listed, _, options = PAGE.partition("| option |")
    assert {f"test_{name}" for name in re.findall(r"^\| `(\w+)`", listed, re.MULTILINE)} == CLAIMS
    assert re.findall(r"^\| `--deskgate-(\S+)=", options, re.MULTILINE) == OPTIONS


def commands() -> list[str]:
    """What the page says to run, for an image of ours."""
    lines = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
    return [line.replace("my/image", image_of(ONE)) for line in lines]


def test_the_pages_own_tests_pass(engine: None, tmp_path: Path) -> None:
    """With testinfra, as they stand there."""
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "test_image.py").write_text(example)
    (command,) = (line for line in commands() if line.startswith("pytest test_image.py"))
    done = run_kit(*command.split()[1:], folder=tmp_path)
    assert (done.returncode, " 3 passed in " in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_pages_command_finds_the_contract(engine: None) -> None:
    """All of it, from its package's name; that it passes is test_contract.py's."""
    (command,) = (line for line in commands() if "--pyargs" in line)
    found = run_kit(*command.split()[1:], "--collect-only", "-q").stdout
    assert {name for name in CLAIMS if f"::{name}" in found} == CLAIMS


def test_missing_image_is_said_in_one_line(engine: None) -> None:
    """With what to do, and nothing is pulled."""
    done = run_kit("--pyargs", f"{CONTRACT}::test_stop_is_quick", "--deskgate-image=no/such:image")
    assert done.returncode == 1
    assert "no image no/such:image here: build it, or `docker pull no/such:image`" in done.stdout
