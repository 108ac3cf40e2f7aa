"""The picture of a comparison: bars in SVG, for light and dark pages. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from benchmarks.table import Row, number

# In units of the picture, which are pixels where it is shown in full.
PANEL, MARGIN, HEAD, LINE, BAR = 270, 20, 44, 38, 10
# Paper and ink change together, so that a page that is light where the reader prefers dark, or
# the other way round, shows a readable picture all the same.
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.paper { fill: #ffffff; stroke: #d1d9e0 }
.bar { fill: #8c959f }
.ours { fill: #0969da }
.never { fill: none; stroke: #8c959f; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .paper { fill: #0d1117; stroke: #3d444d }
  .ours { fill: #4493f8 }
}"""


def chart(
    rows: Sequence[Row], *, ours: str, peers: Sequence[str], others: Sequence[str]
) -> tuple[str, str]:
    """SVG, and the same in words.

    Args:
        peers: shown in each panel, with a dash where they have no value.
        others: shown where they have one.
    """
    shown = [
        (row, [ours, *peers, *(name for name in others if name in row.values)]) for row in rows
    ]
    width = MARGIN + (PANEL + MARGIN) * len(rows)
    height = HEAD + LINE * max(len(names) for _, names in shown) + MARGIN // 2
    said = _in_words(shown)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="said">',
        f'<title id="said">{escape(said)}</title>',
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
    ]
    for column, (row, names) in enumerate(shown):
        left = MARGIN + (PANEL + MARGIN) * column
        lines.append(_text(left, MARGIN + 8, row.figure.replace("`", ""), kind="head"))
        lines += _bars(row, names, left=left, ours=ours)
    return "\n".join([*lines, "</svg>"]) + "\n", said


def _in_words(shown: Sequence[tuple[Row, Sequence[str]]]) -> str:
    sentences = []
    for row, names in shown:
        values = (f"{name} {number(row.values.get(name), row.digits)}" for name in names)
        sentences.append(f"{row.figure.replace('`', '')}: {', '.join(values)}.")
    return " ".join(sentences)


def _bars(row: Row, names: Sequence[str], *, left: int, ours: str) -> Iterator[str]:
    longest = max(value for value in row.values.values() if math.isfinite(value))
    for place, name in enumerate(names):
        top = HEAD + LINE * place
        value = row.values.get(name)
        yield _text(left, top + 8, name)
        yield _text(left + PANEL, top + 8, number(value, row.digits), anchor="end")
        if value is None:
            continue
        kind = "never" if math.isinf(value) else "ours" if name == ours else "bar"
        length = PANEL if math.isinf(value) else PANEL * value / longest
        yield (
            f'<rect class="{kind}" x="{left}" y="{top + 14}" width="{length:.1f}" '
            f'height="{BAR}" rx="2"/>'
        )


def _text(x: int, y: int, text: str, *, kind: str = "", anchor: str = "start") -> str:
    words = f' class="{kind}"' if kind else ""
    return f'<text{words} x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
