"""What the gate counts, and how a Prometheus server reads it (text format 0.0.4).

Not by prometheus_client: 70 ms of import for these few lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deskgate.tokens import Role

if TYPE_CHECKING:
    from deskgate.gate.keeper import Keeper

Sample = tuple[Mapping[str, str], float]


@dataclass(slots=True)
class Counts:
    """Events since the gate began.

    Args:
        began: seconds since the epoch.
        answers: HTTP answers by status.
        joined: viewers that came in, by role.
        to_viewers, from_viewers: RFB bytes of viewers that are gone.
    """

    began: float
    answers: Counter[int] = field(default_factory=Counter)
    joined: Counter[str] = field(default_factory=Counter)
    to_viewers: int = 0
    from_viewers: int = 0


def family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> str:
    """One metric with its samples.

    Args:
        kind: counter or gauge.
    """
    lines = [f"# HELP deskgate_{name} {about}", f"# TYPE deskgate_{name} {kind}"]
    for labels, value in samples:
        told = ",".join(f'{key}="{text}"' for key, text in labels.items())
        shown = int(value) if value == int(value) else value
        lines.append(f"deskgate_{name}{{{told}}} {shown}" if told else f"deskgate_{name} {shown}")
    return "\n".join(lines) + "\n"


def describe(keeper: Keeper) -> str:
    """Everything that is counted."""
    counts, viewers = keeper.counts, tuple(keeper.viewers)
    came = {role.value: counts.joined[role.value] for role in Role}  # a series begins at zero
    sent = counts.to_viewers + sum(viewer.sent for viewer in viewers)
    received = counts.from_viewers + sum(viewer.received for viewer in viewers)
    live = sum(token.is_live(keeper.now()) for token in keeper.tokens)
    return "".join(
        (
            family("viewers", "gauge", "Viewers that are here.", _by("role", keeper.by_role())),
            family("viewers_total", "counter", "Viewers that came.", _by("role", came)),
            family(
                "rfb_bytes_total",
                "counter",
                "RFB bytes between viewers and Xvnc.",
                [({"direction": "out"}, sent), ({"direction": "in"}, received)],
            ),
            family("answers_total", "counter", "HTTP answers.", _by("status", counts.answers)),
            family("connections", "gauge", "HTTP connections.", [({}, len(keeper.connections))]),
            family("tokens", "gauge", "Tokens that open the desktop.", [({}, live)]),
            family("began_seconds", "gauge", "When the gate began.", [({}, counts.began)]),
        )
    )


def _by(label: str, counted: Mapping[Any, int]) -> list[Sample]:
    return [({label: str(key)}, value) for key, value in sorted(counted.items())]
