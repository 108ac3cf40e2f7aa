"""The search for secrets, proved where it has to find something: in each place, in each form."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from deskgate.testing.viewer import Viewer
from deskgate.tokens import digest_of
from tests.conftest import MakeDesk
from tests.container import traces
from tests.container.canary import Finding, search
from tests.container.desk import Desk
from tests.container.engine import wait_until
from tests.container.inside import AS_ROOT, RUNTIME, kill
from tests.container.leaks import find
from tests.container.web import ask, bearer, log_in

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
    "a file in memory": "/memfd:planted",
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
    memory = os.memfd_create("planted")
    os.write(memory, form.encode())
    planted = (([form], {}, []), ([], {"PLANTED": form}, []), ([], {}, [memory]))
    for arguments, environ, files in planted:
        subprocess.Popen(
            ["/tmp/sleeper", "-c", "sleep 1000; :", *arguments], pass_fds=files,
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


# --- what the search is for ---------------------------------------------------------------------


GIVEN: Final = "Given-by-a-person_0123456789-abcdefgh"
KEPT: Final = {"": {f"{RUNTIME}/websockify-tokens.conf", f"{RUNTIME}/start.json"}, "1": set[str]()}


@pytest.mark.parametrize("hashed", KEPT)
def test_l1_given_token_is_in_two_files_or_in_none(make_desk: MakeDesk, hashed: str) -> None:
    """Where the gate and `deskgate url` need it; with VNC_TOKEN_HASH, neither does."""
    desk = make_desk(env={"VNC_TOKEN": GIVEN, "VNC_TOKEN_HASH": hashed, "LOG_LEVEL": "debug"})
    desk.start()
    for headers in (bearer(GIVEN), bearer(GIVEN[:-1]), log_in(desk, GIVEN)):
        ask(desk, f"/vnc.html?{GIVEN}", headers={**headers, "Referer": f"http://x/?token={GIVEN}"})
    with Viewer(desk, target=f"/websockify?token={GIVEN}") as viewer:
        viewer.settle()
    found = search({"it": GIVEN.encode()}, [("the log", desk.log.encode()), *traces.read(desk)])
    assert {each.place for each in found} == {"docker inspect", *KEPT[hashed]}


# Finds the boot secret in PID 1's memory: the one text that makes a cookie's signature.
FIND_SECRET: Final = """
import hmac, json, re, sys
told = json.load(sys.stdin)
digest, (signed, _, signature) = bytes.fromhex(told["digest"]), told["cookie"].rpartition(".")
memory = open("/proc/1/mem", "rb", 0)
for line in open("/proc/1/maps"):
    ends, rights = line.split()[:2]
    begin, end = (int(each, 16) for each in ends.split("-"))
    if rights.startswith("rw"):
        memory.seek(begin)
        for text in set(re.findall(rb"[0-9a-f]{64}", memory.read(end - begin))):
            key = hmac.digest(bytes.fromhex(text.decode()), digest, "sha256")
            if hmac.digest(key, signed.encode(), "sha256").hex() == signature:
                print(text.decode())
                sys.exit()
"""


def test_l7_gates_own_secret_is_in_memory_alone(make_desk: MakeDesk) -> None:
    """Whoever has it makes cookies of his own; a gate that starts again gets the same."""
    desk = make_desk().start()
    desk.allow(r"^deskgate: warning: gate: ended with ")
    kill(desk, "gate")
    wait_until(lambda: desk.exec("deskgate", "health").status == 0, 5)
    cookie = log_in(desk, desk.token())["Cookie"].partition("=")[2]
    told = {"cookie": cookie, "digest": digest_of(desk.token()).hex()}
    words = ("python3", "-c", FIND_SECRET)
    secret = desk.exec(*words, options=AS_ROOT, stdin=json.dumps(told).encode()).out.strip()
    assert len(bytes.fromhex(secret)) == 32
    desk.ledger.know("boot secret", secret.encode())
    desk.ledger.know("boot secret", bytes.fromhex(secret))
    assert find(desk) == []
