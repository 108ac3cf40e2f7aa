"""A desktop in a container, as a test sees it: it starts, answers, and is always removed."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Self
from urllib.parse import urlencode, urljoin

from deskgate.reading import variables_of
from deskgate.settings import ROWS
from deskgate.testing.engine import Result, docker, run, wait_until
from deskgate.testing.web import FORM, Answer, ask_at

READY: Final = "the desktop is ready"  # as text and as JSON
READY_SECONDS: Final = 30.0  # a start takes 0.5 s on an idle machine
EXEC_SECONDS: Final = 20.0
HOPS: Final = 5  # from the login to the page
# In a start's banner, and in its record with LOG_FORMAT=json.
LINK: Final = re.compile(
    r'(?:^  (control|watch) +|"(control|view)": \{"url": ")(\S[^"\n]*)', re.MULTILINE
)
ROLES: Final = {"control": "control", "watch": "view", "view": "view"}
TOKEN: Final = re.compile(r"token(?:=|%3D)([A-Za-z0-9_-]{16,256})")

_numbers = itertools.count(1)


@cache
def _environ_of(image: str) -> Mapping[str, str]:
    """The variables that an image sets."""
    found = docker("image", "inspect", "--format", "{{json .Config.Env}}", image).out
    return dict(pair.split("=", 1) for pair in json.loads(found) or [])


class Desk:
    """One container, made but not started.

    Args:
        env: variables for the container.
        options: further words of `docker run`.
        command: the user's command; without one the image's own runs.
        timeout_seconds: for the start, and for what is run to its end.
    """

    def __init__(
        self,
        image: str,
        *,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        command: Sequence[str] = (),
        timeout_seconds: float = READY_SECONDS,
    ) -> None:
        self.image = image
        self.name = f"deskgate-test-{os.getpid()}-{next(_numbers)}"
        self.env = dict(env or {})
        self.timeout_seconds = timeout_seconds
        self._options = tuple(options)
        self._command = tuple(command)
        self._starts = 0
        self.exists = False

    # --- life --------------------------------------------------------------------------------

    def words(self, *options: str) -> list[str]:
        """The words of `docker run` that make this container."""
        pairs = [word for name, value in self.env.items() for word in ("-e", f"{name}={value}")]
        port = self.setting("NOVNC_PORT")
        usable = port.isdecimal() and 0 < int(port) < 65536  # another starts nothing, and says so
        publish = ["-p", f"127.0.0.1::{port}"] if usable else []
        found = ["run", "--name", self.name, *publish, *pairs, *self._options, *options]
        return [*found, self.image, *self._command]

    def launch(self) -> Self:
        """Start it in the background, without waiting."""
        self.exists = True
        self._starts += 1
        docker(*self.words("--detach"))
        return self

    def start(self) -> Self:
        """Start it in the background, and wait until the desktop is ready."""
        return self.launch().wait_ready()

    def run(self, *, stdin: bytes | None = None, timeout_seconds: float | None = None) -> Result:
        """Run it to its end in the foreground: exit status and streams as a shell gets them."""
        self.exists = True
        options = () if stdin is None else ("--interactive",)
        words = self.words(*options)
        seconds = self.timeout_seconds if timeout_seconds is None else timeout_seconds
        try:
            return run("docker", *words, stdin=stdin, timeout_seconds=seconds)
        except subprocess.TimeoutExpired:
            raise self._endless(seconds) from None

    def _endless(self, seconds: float) -> AssertionError:
        return AssertionError(f"it still runs after {seconds:g} s:\n{self.log}")

    def wait_ready(self) -> Self:
        """Wait for the banner of the newest start."""

        def ready() -> bool:
            if self.log.count(READY) >= self._starts:
                return True
            assert self.running, f"it ended with {self.exit_status()}:\n{self.log}"
            return False

        wait_until(ready, self.timeout_seconds, what=f"the banner of {self.name}")
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
            print(f"--- log of {self.name} ({self.image})\n{self.log}")
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
        try:
            return int(docker("wait", self.name, timeout_seconds=self.timeout_seconds).out)
        except subprocess.TimeoutExpired:
            raise self._endless(self.timeout_seconds) from None

    def setting(self, name: str) -> str:
        """What a setting of deskgate's is in the container, as text; empty when it is not set."""
        words = zip(self._options, self._options[1:], strict=False)
        pairs = (value.partition("=") for word, value in words if word in ("-e", "--env"))
        given = {name: value for name, _, value in pairs}
        environ = {**_environ_of(self.image), **self.env, **given}
        found = (environ.get(variable) for variable in variables_of(ROWS[name]))
        return next(filter(None, found), ROWS[name].metadata["default"] or "")

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
        return self.published(int(self.setting("NOVNC_PORT")))

    def published(self, inside: int) -> int:
        """The port on 127.0.0.1 that leads to a port inside."""
        return int(docker("port", self.name, f"{inside}/tcp").out.split()[0].rpartition(":")[2])

    @property
    def origin(self) -> str:
        """Scheme, host and port at which this container is published."""
        return f"{'https' if self.setting('NOVNC_CERT') else 'http'}://127.0.0.1:{self.port}"

    def printed_link(self, role: str) -> str:
        """The newest link of a role, exactly as it was printed."""
        found = LINK.findall(self.log)
        links = [link for word, key, link in found if ROLES[word or key] == role]
        assert links, f"no {role} link in:\n{self.log}"
        return str(links[-1])

    def token(self, role: str = "control") -> str:
        """The token of a role: the one in the printed link, or one that was given."""
        printed = TOKEN.search(self.printed_link(role))
        found = printed or TOKEN.search(self.must("deskgate", "url", "--role", role))
        assert found, f"no token in the {role} link"
        return found[1]

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask the gate one thing; a redirect is not followed."""
        return ask_at(f"{self.origin}{target}", method=method, headers=headers, body=body)

    def enter(self, token: str) -> tuple[str, dict[str, str]]:
        """Come in as the link does, which hands its token to the login: the page, and its session.

        Returns:
            The page's path, and the headers of a browser that shows it.
        """
        origin, path = self.origin, "/login"
        form = urlencode({"token": token}).encode()
        answer = self.ask(path, method="POST", headers={**FORM, "Origin": origin}, body=form)
        session = {"Origin": origin}
        for _ in range(HOPS):
            if "set-cookie" in answer.headers:
                session["Cookie"] = answer.cookie
            if answer.status != 303:
                break
            path = urljoin(path, answer.headers["location"])
            answer = self.ask(path, headers=session)
        assert answer.status == 200, f"{path}: status {answer.status} instead of a page"
        assert answer.headers["content-type"].startswith("text/html"), path
        return path, session

    def exec(
        self,
        *words: str,
        options: Sequence[str] = (),
        stdin: bytes | None = None,
        timeout_seconds: float = EXEC_SECONDS,
    ) -> Result:
        """Run a command inside, whatever its exit status."""
        flags = [*options] if stdin is None else ["--interactive", *options]
        command = ("docker", "exec", *flags, self.name, *words)
        return run(*command, stdin=stdin, timeout_seconds=timeout_seconds)

    def must(self, *words: str, options: Sequence[str] = ()) -> str:
        """Run a command inside that has to work; returns its standard output."""
        result = self.exec(*words, options=options)
        assert result.status == 0, f"{' '.join(words)}: status {result.status}\n{result.err}"
        return result.out

    def status(self) -> dict[str, dict[str, Any]]:
        """`deskgate status`: each program by its name."""
        found = json.loads(self.must("deskgate", "status", "--json"))
        return {row["name"]: row for row in found["programs"]}
