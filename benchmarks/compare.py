"""A comparison of stacks, from its command line to its table and its picture.

Everything is measured in one run, in turns, so that a noisy machine harms all alike.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.rounds import Samples, add
from benchmarks.stacks import FLOOR, OURS, SCRIPT, SUPERVISORD, Bench
from benchmarks.table import Row, table

PEERS = (SUPERVISORD, SCRIPT)
ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/explanation/benchmarks.md")


def compare(
    name: str,
    measure: Callable[[Bench], Samples],
    rows: Callable[[Samples], tuple[list[Row], list[Row]]],
) -> None:
    """Measure, print the table, and put it and its picture where the docs show them.

    Args:
        measure: one round.
        rows: of all samples, what the table says and what of it is drawn.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--image", default="deskgate:debian")
    arguments = parser.parse_args()
    found: Samples = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(image=arguments.image, folder=Path(folder))
        bench.write_files()
        for number in range(arguments.rounds):
            print(f"{name}: round {number + 1} of {arguments.rounds}", file=sys.stderr)
            add(found, measure(bench))
    shown, drawn = rows(found)
    others = [FLOOR] if any(FLOOR in row.values for row in shown) else []
    figures = table(shown, ours=OURS, peers=PEERS, others=others)
    print(f"{bench.image} on {bench.base}, {arguments.rounds} rounds, medians\n\n{figures}")
    picture, said = chart(drawn, ours=OURS, peers=PEERS, others=others)
    (ROOT / "docs" / "images" / f"{name}.svg").write_text(picture, encoding="utf-8")
    for page in (ROOT / page for page in PAGES):
        quoting = with_figures(page.read_text(encoding="utf-8"), name, said, figures)
        page.write_text(quoting, encoding="utf-8")


def with_figures(page: str, name: str, said: str, figures: str) -> str:
    """A page that shows a picture, with these words for it; and below it this table, if any is."""
    picture = rf"!\[[^]]*\]\((\S*images/{name}\.svg)\)"
    page = re.sub(picture, lambda found: f"![{said}]({found[1]})", page)
    below = rf"(images/{name}\.svg\)\n\n)(?:\|.*\n)+"
    return re.sub(below, lambda found: f"{found[1]}{figures}\n", page)
