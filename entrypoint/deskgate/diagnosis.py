"""What is likely wrong with a container, from what can be seen inside of it. Pure.

Each rule looks at one thing, and says what it means and what mends it. `doctor` sees; `journey`
has the rules for what a browser meets outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

OK: Final = "ok"
WARNING: Final = "warning"
ERROR: Final = "error"
CLOCK_SECONDS: Final = 60.0  # that a clock may be wrong before it matters to a link's end
FIRST_YEAR_SECONDS: Final = 1_735_689_600  # 2025; nobody runs this earlier
OLD_NOVNC: Final = (1, 6)  # read mandatory.json first, and found its WebSocket below a path
UPGRADE_FIX: Final = (
    "let it pass WebSockets; for nginx: proxy_http_version 1.1; "
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        level: `ok`, `warning` or `error`.
        fix: what to do; empty when all is well.
    """

    level: str
    what: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inside:
    """What can be seen inside a container.

    Args:
        running: whether a desktop runs.
        problems: why it would not start: lines of `deskgate check`.
        warnings: what that warns about.
        folders: a folder that is needed → why it cannot be used.
        now: seconds since the epoch, by the machine's clock.
        clock_moved: seconds that somebody set it by since the start.
        novnc: version of noVNC's files; None when they do not tell.
        failed: programs that were given up.
        ill: what `deskgate health` says; empty when it is content.
        answers: HTTP status → how often the gate gave it.
        came: how many viewers there were.
        strangers: addresses beyond our networks that are connected now.
        secure: whether the gate speaks TLS.
        public_url: PUBLIC_URL.
        proxies: VNC_TRUSTED_PROXIES.
        ancestors: VNC_FRAME_ANCESTORS.
        subpath: SUBPATH.
        port: NOVNC_PORT.
    """

    running: bool
    now: float
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    folders: Mapping[str, str] = field(default_factory=dict)
    clock_moved: float = 0.0
    novnc: tuple[int, ...] | None = None
    failed: Sequence[str] = ()
    ill: str = ""
    answers: Mapping[int, int] = field(default_factory=dict)
    came: int | None = None
    strangers: Sequence[str] = ()
    secure: bool = False
    public_url: str = ""
    proxies: Sequence[str] = ()
    ancestors: Sequence[str] = ()
    subpath: str = "/"
    port: int = 8002


def _settings(seen: Inside) -> Iterable[Finding]:
    for problem in seen.problems:
        yield Finding(ERROR, problem, "deskgate check shows every setting")
    if not seen.problems:
        yield Finding(OK, "the settings can be used")
    for warning in seen.warnings:
        yield Finding(WARNING, warning, "set the name that is meant, or take it away")


def _folders(seen: Inside) -> Iterable[Finding]:
    for folder, why in seen.folders.items():
        yield Finding(ERROR, f"{folder} cannot be used: {why}", f"docker run --tmpfs {folder}")
    if not seen.folders:
        yield Finding(OK, "there is room for files in /tmp")


def _clock(seen: Inside) -> Iterable[Finding]:
    if seen.now < FIRST_YEAR_SECONDS:
        yield Finding(
            ERROR,
            "the machine's clock is years behind",
            "set it (timedatectl set-ntp true on the host): links with an end go by it",
        )
    elif abs(seen.clock_moved) > CLOCK_SECONDS:
        yield Finding(
            WARNING,
            f"the machine's clock was set {seen.clock_moved:+.0f} s since the start",
            "links end by the clock of the start; restart the container for the new one",
        )


def _novnc(seen: Inside) -> Iterable[Finding]:
    if seen.novnc is not None and seen.novnc < OLD_NOVNC:
        version = ".".join(map(str, seen.novnc))
        below = f": below {seen.subpath} it finds no WebSocket" if seen.subpath != "/" else ""
        yield Finding(
            WARNING,
            f"noVNC {version} of NOVNC_WEB is old{below}",
            "unset NOVNC_WEB for the one that deskgate ships, or use 1.6 or newer",
        )


def _programs(seen: Inside) -> Iterable[Finding]:
    if seen.failed:
        names = ", ".join(seen.failed)
        yield Finding(
            ERROR, f"{names} cannot live", f"deskgate logs {' '.join(seen.failed)} says why"
        )
    elif seen.ill:
        yield Finding(ERROR, seen.ill, "deskgate status and deskgate logs say more")
    elif seen.running:
        yield Finding(OK, "the desktop works: X answers, and the gate lets in who has a token")


def _upgrades(seen: Inside) -> Iterable[Finding]:
    if count := seen.answers.get(426, 0):
        what = f"{_times(count)} a WebSocket came without its Upgrade: a proxy keeps it back"
        yield Finding(ERROR, what, UPGRADE_FIX)


def _refusals(seen: Inside) -> Iterable[Finding]:
    if count := seen.answers.get(403, 0):
        address = seen.public_url or f"http://localhost:{seen.port}"
        yield Finding(
            WARNING,
            f"{_times(count)} a request was refused, as it did not come from a page at {address}",
            "set PUBLIC_URL to what stands in the browser; a proxy must pass Host on, or be "
            "in VNC_TRUSTED_PROXIES",
        )
    if count := seen.answers.get(429, 0):
        yield Finding(
            WARNING,
            f"{_times(count)} somebody was told to wait after too many wrong tokens",
            "behind a proxy all people have its address: name it in VNC_TRUSTED_PROXIES",
        )


def _proxies(seen: Inside) -> Iterable[Finding]:
    if seen.public_url.startswith("https:") and not seen.secure and not seen.proxies:
        yield Finding(
            WARNING,
            "PUBLIC_URL is https, so there is a proxy, but VNC_TRUSTED_PROXIES names none",
            "name it, or wrong tokens of one person count for all",
        )


def _frames(seen: Inside) -> Iterable[Finding]:
    insecure = not seen.secure and not seen.public_url.startswith("https:")
    if seen.ancestors and insecure and seen.public_url:
        yield Finding(
            WARNING,
            "VNC_FRAME_ANCESTORS is set, but over plain http browsers keep no cookie in a frame",
            "serve both pages over https; until then only the link works there, not vnc.html",
        )


def _visitors(seen: Inside) -> Iterable[Finding]:
    if seen.strangers and not seen.secure:
        yield Finding(
            ERROR,
            f"{', '.join(seen.strangers)} from another network speaks plain http to the port: it "
            "is published on all addresses",
            f"publish it on this machine alone, -p 127.0.0.1:{seen.port}:{seen.port}, and put TLS "
            "in front; or set NOVNC_CERT and NOVNC_KEY",
        )
    elif seen.came == 0:
        yield Finding(
            WARNING,
            "nobody has come in yet",
            f"if the link does not open, publish the port: -p 127.0.0.1:{seen.port}:{seen.port}; "
            "docker port NAME shows it, deskgate doctor --link tries it from outside",
        )
    elif seen.came:
        yield Finding(OK, f"{_times(seen.came)} somebody came in")


RULES: Final[tuple[Callable[[Inside], Iterable[Finding]], ...]] = (
    *(_settings, _folders, _clock, _novnc, _programs),
    *(_upgrades, _refusals, _proxies, _frames, _visitors),
)


def diagnose(seen: Inside) -> list[Finding]:
    """Everything that was looked at, errors first."""
    found = [finding for rule in RULES for finding in rule(seen)]
    return sorted(found, key=lambda finding: (ERROR, WARNING, OK).index(finding.level))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def read_answers(metrics: str) -> tuple[dict[int, int], int]:
    """HTTP status → how often, and how many viewers came, from the gate's /metrics."""
    answers = re.findall(r'^deskgate_answers_total\{status="(\d+)"\} (\d+)$', metrics, re.M)
    came = re.findall(r"^deskgate_viewers_total\{.*\} (\d+)$", metrics, re.M)
    return {int(status): int(count) for status, count in answers}, sum(map(int, came))


def read_version(text: str) -> tuple[int, ...] | None:
    """`1.3.0` → (1, 3, 0); None for what is no version."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups() if part) if found else None
