"""The kit's desk as these suites use it: of one of our variants, and judged.

Its log is judged as well: a line at warning or above, a supplied token, or a generated token that
stands there more than once fails the test, unless the test has allowed the line.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deskgate.testing import desk as kit
from deskgate.testing.desk import READY_SECONDS
from deskgate.testing.engine import Result, docker
from deskgate.testing.web import Answer
from tests.container.leaks import Ledger

if TYPE_CHECKING:
    from testinfra.host import Host

__all__ = ["READY_SECONDS"]

ROOT: Final = Path(__file__).resolve().parents[2]
BAKE: Final[dict[str, Any]] = json.loads((ROOT / "docker/docker-bake.json").read_text())
VARIANTS: Final[tuple[str, ...]] = tuple(BAKE["group"]["default"]["targets"])
EVERY_VARIANT: Final[tuple[str, ...]] = tuple(BAKE["group"]["all"]["targets"])  # --exhaustive
ONE: Final = VARIANTS[0]  # for what does not depend on the base
PORT: Final = 8002  # the gate's, inside
RUN_USER: Final = 10001  # the uid that the image runs as
READY: Final = "deskgate: the desktop is ready"
RUN_SECONDS: Final = 60.0  # for a command
SECRETS: Final = ("VNC_TOKEN", "VNC_VIEW_TOKEN", "SESSION_API_KEY", "OH_SESSION_API_KEYS_0")

GENERATED: Final = re.compile(r"token(?:=|%3D)([0-9a-f]{64})")
# Of a terminal in colours as well.
COMPLAINT: Final = re.compile(
    r'^[\w-]+: (?:\x1b\[\d+m)?(warning|error)(?:\x1b\[0m)?: |"level": ?"(warning|error)"'
)


def image_of(variant: str) -> str:
    """The image of a variant, as docker-bake.json tags it."""
    tag: str = BAKE["target"][variant]["tags"][0]
    return tag


def base_of(variant: str) -> str:
    """The image that a variant really stands on: its base, or the stand-in for it."""
    label = '{{index .Config.Labels "org.opencontainers.image.base.name"}}'
    return docker("image", "inspect", "--format", label, image_of(variant)).out.strip()


class Desk(kit.Desk):
    """One container, made but not started.

    Args:
        image: another than the variant's.
        env: variables for the container; those named in SECRETS must not show in the log.
        secrets: further texts that must not show in the log.
    """

    def __init__(
        self,
        *,
        variant: str = ONE,
        image: str | None = None,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        command: Sequence[str] = (),
        secrets: Sequence[str] = (),
    ) -> None:
        super().__init__(image or image_of(variant), env=env, options=options, command=command)
        self.variant = variant
        self.secrets = [*secrets, *(self.env[name] for name in SECRETS if self.env.get(name))]
        self.ledger = Ledger(self.secrets)
        self._allowed: list[re.Pattern[str]] = []
        self._judged = 0  # lines of the log that are already judged

    def run(self, *, stdin: bytes | None = None, timeout_seconds: float | None = None) -> Result:
        """Run it to its end in the foreground, which may take longer than a start."""
        return super().run(stdin=stdin, timeout_seconds=timeout_seconds or RUN_SECONDS)

    def stop(self) -> float:
        """`docker stop`; returns how many seconds the container took to end.

        What the engine does after that, on its network, is no time of ours: it may take a second.
        """
        asked = time.time()
        super().stop()
        return datetime.fromisoformat(self.inspect("{{.State.FinishedAt}}")).timestamp() - asked

    @property
    def host(self) -> Host:
        """The container as testinfra sees it."""
        import testinfra  # late: the unit suite shares our conftest and needs none of it

        return testinfra.get_host(f"docker://{self.name}")

    def link(self, role: str = "control") -> str:
        """The printed link with the port at which this container is published."""
        return self.printed_link(role).replace(f"localhost:{PORT}", f"localhost:{self.port}")

    def token(self, role: str = "control") -> str:
        """The token of a role: the given one, else the one in the printed link."""
        given = {"control": "VNC_TOKEN", "view": "VNC_VIEW_TOKEN"}[role]
        return self.env.get(given) or super().token(role)

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask the gate one thing; what it shows is searched for secrets at the end."""
        answer = super().ask(target, method=method, headers=headers, body=body)
        self.ledger.answer(answer.status, answer.headers, answer.body)
        return answer

    def exec(
        self,
        *words: str,
        options: Sequence[str] = (),
        stdin: bytes | None = None,
        timeout_seconds: float = kit.EXEC_SECONDS,
    ) -> Result:
        """Run a command inside; what it prints is searched for secrets at the end."""
        result = super().exec(*words, options=options, stdin=stdin, timeout_seconds=timeout_seconds)
        self.ledger.command(words, result)
        return result

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
