"""The tables of names on the pages for those who come from another image."""

from __future__ import annotations

from deskgate.foreign import PEERS, Foreign
from deskgate.reading import variables_of
from deskgate.settings import ROWS
from docs.navigation import ROOT

NAMES = "<!-- The table is written by docs/generate.py from entrypoint/deskgate/foreign.py. -->\n"
# The page of the docs → the images whose names it has.
FROM = {
    "jlesage": ("jlesage/docker-baseimage-gui",),
    "linuxserver": ("linuxserver/docker-baseimage-selkies",),
    "accetto": ("accetto/ubuntu-vnc-xfce-g3",),
    "consol": ("ConSol/docker-headless-vnc-container",),
    "selenium": ("SeleniumHQ/docker-selenium",),
    "websockify": ("novnc/websockify",),
    "others": ("fcwu/docker-ubuntu-vnc-desktop", "m1k1o/neko"),
}
READ_HERE = {name for field in ROWS.values() for name in variables_of(field)}


def _here(row: Foreign) -> str:
    if row.name in READ_HERE:
        return "the same name" if row.name in ROWS else f"understood as `{row.ours[0]}`"
    links = (f"[`{use}`](../settings.md#{use.partition('=')[0].lower()})" for use in row.ours)
    return ", ".join(links) or "nothing"


def from_page(name: str) -> str:
    """The page as it is, with the tables of names anew."""
    path = ROOT / "docs" / "from" / f"{name}.md"
    lines = [path.read_text(encoding="utf-8").partition(NAMES)[0] + NAMES]
    for peer in FROM[name]:
        if len(FROM[name]) > 1:
            lines += [f"### {peer}", ""]
        lines += ["| there | here | |", "|---|---|---|"]
        lines += [f"| `{row.name}` | {_here(row)} | {row.remark} |" for row in PEERS[peer]]
        lines.append("")
    return "\n".join(lines)
