"""The search for secrets, proved where it has to find something: in each place, in each form."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tests.container import traces
from tests.container.canary import Finding, search
from tests.container.desk import Desk
from tests.container.inside import AS_ROOT, RUNTIME
from tests.container.leaks import find

CANARY: Final = os.urandom(20).hex()
HALF: Final = len(CANARY) // 2
FORMS: Final = {
    "raw": CANARY,
    "percent-encoded": "".join(f"%{ord(char):02x}" for char in CANARY),
    "base64": base64.b64encode(f"u:{CANARY}".encode()).decode(),
    "hex": CANARY.encode().hex(),
    "reversed": CANARY[::-1],
    "split by newline": f"{CANARY[: HALF - 1]}\n{CANARY[HALF - 1 :]}",
    "cut": CANARY[:HALF],
}
# Where a canary is planted, and how the search calls that place.
FILES: Final = {
    "runtime folder": f"{RUNTIME}/planted",
    "token file's neighbour": f"{RUNTIME}/start.json.old",
    "/tmp": "/tmp/planted",
    "home": "/home/deskgate/.planted",
    "/var/log": "/var/log/planted.log",
    "our own package": "/opt/deskgate/planted.pyc",
    "memory": "/dev/shm/planted",
}
PLACES: Final = {
    **FILES,
    "a file's name": "/tmp/{}",
    "where a link leads": "/tmp/link",
    "arguments": "cmdline of sleeper",
    "environment": "environ of sleeper",
    "log": "the log",
    "labels": "docker inspect",
    "a command's output": "what deskgate status {} printed",
}
# Run as root in the container: plants what standard input says. A process whose starter is gone
# becomes PID 1's, as all are that are not the engine's.
PLANT: Final = """
import json, os, subprocess, sys
told = json.load(sys.stdin)
for path in told["files"]:
    with open(path, "w") as file:
        file.write("\\n--\\n".join(told["forms"]))
for number, form in enumerate(told["forms"]):
    open(f"/tmp/{form}", "w").close()
    os.symlink(form, f"/tmp/link{number}")
    with open("/proc/1/fd/2", "w") as log:
        log.write(f"gate: {form} --\\n")
os.symlink("/bin/sh", "/tmp/sleeper")
for form in told["forms"]:
    for arguments, environ in (([form], {}), ([], {"PLANTED": form})):
        subprocess.Popen(
            ["/tmp/sleeper", "-c", "sleep 1000; :", *arguments],
            env=environ | {"PATH": "/bin"}, start_new_session=True,
        )
"""


@contextmanager
def spoiled(**arguments: Any) -> Iterator[Desk]:
    """A desk that holds a canary, so it is only removed and not judged."""
    desk = Desk(secrets=[CANARY], **arguments)
    try:
        yield desk
    finally:
        desk.remove()


@pytest.fixture(scope="module")
def planted(engine: None) -> Iterator[tuple[Desk, list[Finding]]]:
    """A desk with a canary in every place and form, and what the search says."""
    labels = [
        word
        for number, form in enumerate(FORMS.values())
        for word in ("--label", f"planted{number}={form}")
    ]
    with spoiled(options=labels) as desk:
        desk.start()
        assert {each.place for each in find(desk)} == {"docker inspect"}, "nothing else so far"
        told = {"files": list(FILES.values()), "forms": list(FORMS.values())}
        result = desk.exec("python3", "-c", PLANT, options=AS_ROOT, stdin=json.dumps(told).encode())
        assert result.status == 0, result.err
        for form in FORMS.values():
            desk.exec("deskgate", "status", form)
        yield desk, find(desk)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", PLACES)
def test_l7_a_planted_canary_is_found(
    planted: tuple[Desk, list[Finding]], place: str, form: str
) -> None:
    """The search that each desk of these suites passes is able to fail."""
    _, found = planted
    where = PLACES[place].format(FORMS[form])
    assert [each for each in found if each.form == form and each.place.startswith(where)]


def test_l7_every_engine_is_searched_alike(planted: tuple[Desk, list[Finding]]) -> None:
    """Where its disk cannot be read, docker's command line gives the same files and processes."""
    desk, found = planted
    by_command = search(
        {desk.ledger.secrets[CANARY.encode()]: CANARY.encode()},
        traces.by_command(desk, running=True),
    )
    others = ("the log", "docker inspect", "what ")
    theirs = [each for each in found if not each.place.startswith(others)]
    # `docker diff` tells no name with a line break.
    assert set(by_command) == {each for each in theirs if "\n" not in each.place}


def test_l7_a_desk_that_has_ended_is_searched() -> None:
    """What it wrote outlives its processes."""
    script = f"echo {CANARY} > /tmp/planted; echo {CANARY} >&2"
    with spoiled(command=("sh", "-c", 'eval "$(cat)"')) as desk:
        desk.run(stdin=script.encode())
        places = {each.place for each in find(desk)}
    assert places == {"the log", "/tmp/planted"}
