"""The table of a comparison: contestants side by side, ratios, and whether an aim is met. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One figure.

    Args:
        values: by contestant; who has none is left out, and what never came is infinite.
        compared: whether the ratios are shown although nothing is aimed at.
        aim: what our value divided by each peer's should be.
        at_least: whether more is better.
        bound: what our value alone must stay below, in the unit of the figure.
    """

    figure: str
    values: Mapping[str, float]
    digits: int = 1
    compared: bool = False
    aim: float | None = None
    at_least: bool = False
    bound: float | None = None


def percentile(values: Sequence[float], percent: int) -> float:
    """The p-th percentile; of one value, that."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def table(rows: Sequence[Row], *, ours: str, peers: Sequence[str], others: Sequence[str]) -> str:
    """Markdown.

    Args:
        peers: the contestants that we are compared with.
        others: those that are only shown.
    """
    names = [ours, *peers, *others]
    head = ["figure", *names, *(f"ours / {peer}" for peer in peers), "aim"]
    lines = [_line(head), "|" + "---|" * len(head)]
    for row in rows:
        shown = [number(row.values.get(name), row.digits) for name in names]
        ratios = [_ratio(row, ours, peer) for peer in peers]
        lines.append(_line([row.figure, *shown, *ratios, _aim(row, ours)]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def number(value: float | None, digits: int) -> str:
    """A value as a person reads it: a dash for none, and `never`."""
    if value is None:
        return "–"  # noqa: RUF001 - no value
    return "never" if math.isinf(value) else f"{value:.{digits}f}"


def _ratio(row: Row, ours: str, peer: str) -> str:
    if peer not in row.values or math.isinf(row.values[peer]):
        return ""
    ratio = row.values[ours] / row.values[peer]
    if row.aim is None:
        return f"{ratio:.2f}" if row.compared else ""
    met = ratio >= row.aim if row.at_least else ratio <= row.aim
    return f"{ratio:.2f}" + ("" if met else " (missed)")


def _aim(row: Row, ours: str) -> str:
    if row.bound is not None:
        met = row.values[ours] <= row.bound
        return f"at most {row.bound:g}" + ("" if met else " (missed)")
    if row.aim is None:
        return ""
    return f"{'at least' if row.at_least else 'at most'} {row.aim:g}"
