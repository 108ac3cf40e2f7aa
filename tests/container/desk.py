"""A desktop in a container, as a test sees it: it starts, answers, and is always removed.

Its log is judged as well: a line at warning or above, a supplied token, or a generated token that
stands there more than once fails the test, unless the test has allowed the line.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tests.container.engine import Result, docker, run, wait_until
from tests.container.leaks import Ledger

if TYPE_CHECKING:
    from testinfra.host import Host

ROOT: Final = Path(__file__).resolve().parents[2]
BAKE: Final[dict[str, Any]] = json.loads((ROOT / "docker/docker-bake.json").read_text())
VARIANTS: Final[tuple[str, ...]] = tuple(BAKE["group"]["default"]["targets"])
ONE: Final = VARIANTS[0]  # for what does not depend on the base
PORT: Final = 8002  # the gate's, inside
RUN_USER: Final = 10001  # the uid that the image runs as
READY: Final = "deskgate: the desktop is ready"
READY_SECONDS: Final = 20.0  # a start takes 0.5 s on an idle machine
SECRETS: Final = ("VNC_TOKEN", "VNC_VIEW_TOKEN", "SESSION_API_KEY", "OH_SESSION_API_KEYS_0")

LINK: Final = re.compile(r"^  (control|watch) +(\S.*)$", re.MULTILINE)
GENERATED: Final = re.compile(r"token(?:=|%3D)([0-9a-f]{64})")
COMPLAINT: Final = re.compile(r'^[\w-]+: (warning|error): |"level": ?"(warning|error)"')
WORDS: Final = {"control": "control", "view": "watch"}  # role → the banner's word for its link

_numbers = itertools.count(1)


def image_of(variant: str) -> str:
    """The image of a variant, as docker-bake.json tags it."""
    tag: str = BAKE["target"][variant]["tags"][0]
    return tag


def base_of(variant: str) -> str:
    """The image that a variant really stands on: its base, or the stand-in for it."""
    label = '{{index .Config.Labels "org.opencontainers.image.base.name"}}'
    return docker("image", "inspect", "--format", label, image_of(variant)).out.strip()


class Desk:
    """One container, made but not started.

    Args:
        env: variables for the container; those named in SECRETS must not show in the log.
        options: further words of `docker run`.
        command: the user's command; without one the desktop runs until it is stopped.
        secrets: further texts that must not show in the log.
    """

    def __init__(
        self,
        *,
        variant: str = ONE,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        command: Sequence[str] = (),
        secrets: Sequence[str] = (),
    ) -> None:
        self.variant = variant
        self.name = f"deskgate-test-{os.getpid()}-{next(_numbers)}"
        self.env = dict(env or {})
        self._options = tuple(options)
        self._command = tuple(command)
        self.secrets = [*secrets, *(self.env[name] for name in SECRETS if self.env.get(name))]
        self.ledger = Ledger(self.secrets)
        self._allowed: list[re.Pattern[str]] = []
        self._judged = 0  # lines of the log that are already judged
        self._starts = 0
        self.exists = False

    # --- life --------------------------------------------------------------------------------

    def words(self, *options: str) -> list[str]:
        """The words of `docker run` that make this container."""
        pairs = [word for name, value in self.env.items() for word in ("-e", f"{name}={value}")]
        publish = ["-p", f"127.0.0.1::{PORT}"]
        found = ["run", "--name", self.name, *publish, *pairs, *self._options, *options]
        return [*found, image_of(self.variant), *self._command]

    def launch(self) -> Self:
        """Start it in the background, without waiting."""
        self.exists = True
        self._starts += 1
        docker(*self.words("--detach"))
        return self

    def start(self) -> Self:
        """Start it in the background, and wait until the desktop is ready."""
        return self.launch().wait_ready()

    def run(self, *, stdin: bytes | None = None, timeout_seconds: float = 60) -> Result:
        """Run it to its end in the foreground: exit status and streams as a shell gets them."""
        self.exists = True
        options = () if stdin is None else ("--interactive",)
        words = self.words(*options)
        return run("docker", *words, stdin=stdin, timeout_seconds=timeout_seconds)

    def wait_ready(self) -> Self:
        """Wait for the banner of the newest start."""

        def ready() -> bool:
            if self.log.count(READY) >= self._starts:
                return True
            assert self.running, f"it ended with {self.exit_status()}:\n{self.log}"
            return False

        wait_until(ready, READY_SECONDS, what=f"the banner of {self.name}")
        return self

    def stop(self) -> float:
        """`docker stop`; returns how many seconds it took."""
        began = time.monotonic()
        docker("stop", self.name)
        return time.monotonic() - began

    def restart(self) -> Self:
        """`docker restart`, and wait until the desktop is ready again."""
        self._starts += 1
        docker("restart", self.name)
        return self.wait_ready()

    def remove(self) -> None:
        """Remove the container; its log is printed for the report of a failed test."""
        if self.exists:
            print(f"--- log of {self.name} ({self.variant})\n{self.log}")
            docker("rm", "--force", "--volumes", self.name)
            self.exists = False

    # --- looking at it -----------------------------------------------------------------------

    def inspect(self, template: str) -> str:
        """A field of `docker inspect`, by a Go template."""
        return docker("inspect", "--format", template, self.name).out.strip()

    @property
    def running(self) -> bool:
        """Whether the container runs."""
        return self.inspect("{{.State.Running}}") == "true"

    def exit_status(self) -> int:
        """The container's exit status, once it ends."""
        return int(docker("wait", self.name, timeout_seconds=30).out)

    @property
    def output(self) -> Result:
        """Everything written so far, both streams apart."""
        return docker("logs", self.name)

    @property
    def log(self) -> str:
        """Everything written so far, standard output first."""
        written = self.output
        return written.out + written.err

    @property
    def port(self) -> int:
        """Where the gate's port is published; a restart may change it."""
        return self.published(PORT)

    def published(self, inside: int) -> int:
        """The port on 127.0.0.1 that leads to a port inside."""
        return int(docker("port", self.name, f"{inside}/tcp").out.split()[0].rpartition(":")[2])

    @property
    def host(self) -> Host:
        """The container as testinfra sees it."""
        import testinfra  # late: the unit suite shares our conftest and needs none of it

        return testinfra.get_host(f"docker://{self.name}")

    def printed_link(self, role: str) -> str:
        """The newest link of a role, exactly as it was printed."""
        links = [link for word, link in LINK.findall(self.log) if word == WORDS[role]]
        assert links, f"no {role} link in:\n{self.log}"
        return str(links[-1])

    def link(self, role: str = "control") -> str:
        """The printed link with the port at which this container is published."""
        return self.printed_link(role).replace(f"localhost:{PORT}", f"localhost:{self.port}")

    def token(self, role: str = "control") -> str:
        """The token of a role: the given one, else the one in the printed link."""
        given = {"control": "VNC_TOKEN", "view": "VNC_VIEW_TOKEN"}[role]
        return self.env.get(given) or GENERATED.findall(self.printed_link(role))[0]

    def exec(
        self,
        *words: str,
        options: Sequence[str] = (),
        stdin: bytes | None = None,
        timeout_seconds: float = 20,
    ) -> Result:
        """Run a command inside, whatever its exit status."""
        flags = [*options] if stdin is None else ["--interactive", *options]
        command = ("docker", "exec", *flags, self.name, *words)
        result = run(*command, stdin=stdin, timeout_seconds=timeout_seconds)
        self.ledger.command(words, result)
        return result

    def must(self, *words: str, options: Sequence[str] = ()) -> str:
        """Run a command inside that has to work; returns its standard output."""
        result = self.exec(*words, options=options)
        assert result.status == 0, f"{' '.join(words)}: status {result.status}\n{result.err}"
        return result.out

    def status(self) -> dict[str, dict[str, Any]]:
        """`deskgate status`: each program by its name."""
        found = json.loads(self.must("deskgate", "status", "--json"))
        return {row["name"]: row for row in found["programs"]}

    # --- judging its log ---------------------------------------------------------------------

    def allow(self, pattern: str) -> None:
        """Allow lines at warning or above that this pattern is found in."""
        self._allowed.append(re.compile(pattern))

    def judge(self) -> None:
        """Assert that the log is clean: no unexpected complaint, no token where none may be."""
        if not self.exists:
            return
        log = self.log
        lines = log.splitlines()
        fresh, self._judged = lines[self._judged :], len(lines)
        bad = [line for line in fresh if COMPLAINT.search(line) and not self._is_allowed(line)]
        assert not bad, "unexpected in the log:\n" + "\n".join(bad)
        shown = [secret for secret in self.secrets if secret in log]
        assert not shown, f"{len(shown)} supplied secrets stand in the log"
        repeated = [token for token in GENERATED.findall(log) if log.count(token) != 1]
        assert not repeated, f"{len(repeated)} generated tokens stand in the log more than once"

    def _is_allowed(self, line: str) -> bool:
        return any(pattern.search(line) for pattern in self._allowed)
