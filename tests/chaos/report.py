"""What a run of chaos concludes: who needs a rest, and the table of what was healed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.table import percentile
from deskgate.conductor.restart import STABLE_SECONDS

STREAK = 3  # deaths without a stable time between; at eight, the container would rightly end
HEAD = ("fault", "times", "p50, s", "p99, s", "max, s", "wedged")


@dataclass(frozen=True, kw_only=True, slots=True)
class Healing:
    """One fault.

    Args:
        seconds: until all was well; None when it was not within the limit.
    """

    fault: str
    seconds: float | None


@dataclass(kw_only=True, slots=True)
class Streaks:
    """How often each program died in a row, as PID 1 counts it, which gives up on too many."""

    _restarts: dict[str, int] = field(default_factory=dict)
    _streaks: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _since: dict[str, float] = field(default_factory=dict)

    def look(self, restarts: Mapping[str, int], now: float) -> None:
        """All is well: take down how often each was started again so far."""
        for name, count in restarts.items():
            more = count - self._restarts.get(name, 0)
            if more > 0:
                stable = now - self._since.get(name, now) >= STABLE_SECONDS
                self._streaks[name] = more + (0 if stable else self._streaks[name])
                self._since[name] = now
            self._restarts[name] = count

    def rest_seconds(self, now: float) -> float:
        """How long nothing may happen, so that earlier deaths are forgotten."""
        tired = [name for name, streak in self._streaks.items() if streak >= STREAK]
        left = (self._since[name] + STABLE_SECONDS - now for name in tired)
        return max((0.0, *left))


def table(healings: Sequence[Healing]) -> str:
    """Markdown: a row for each kind of fault, and one for all."""
    lines = [_line(HEAD), "|" + "---|" * len(HEAD)]
    kinds = sorted({each.fault for each in healings})
    lines += [_row(kind, [each for each in healings if each.fault == kind]) for kind in kinds]
    return "\n".join([*lines, _row("all", healings)])


def _row(name: str, healings: Sequence[Healing]) -> str:
    seconds = [each.seconds for each in healings if each.seconds is not None]
    times = [percentile(seconds, 50), percentile(seconds, 99), max(seconds)] if seconds else []
    shown = [f"{each:.2f}" for each in times] or ["–"] * 3
    return _line([name, str(len(healings)), *shown, str(len(healings) - len(seconds))])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
