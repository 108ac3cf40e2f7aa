"""Links and anchors of a Markdown page, as GitHub and the site both read them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

# A fenced block, or code in a line: what stands there is no link and no heading.
CODE: Final = re.compile(r"^(`{3,})[^\n]*\n.*?^\1$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\(([^)\s]+)")
ANCHOR: Final = re.compile(r'<a id="([^"]+)">')
HEADING: Final = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
OUTSIDE: Final = re.compile(r"[a-z]+:")


def _hidden(text: str) -> str:
    """The text with its code blanked, at its length."""
    return CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def links(text: str) -> list[str]:
    """Every target, in order, without those that leave the project."""
    return [target for target in LINK.findall(_hidden(text)) if not OUTSIDE.match(target)]


def slug(heading: str) -> str:
    """The anchor that GitHub, and the site, make of a heading."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def title(text: str) -> str:
    """The first heading."""
    return next(found[2] for found in HEADING.finditer(text))


def anchors(text: str) -> set[str]:
    """Every place of a page that a link can name."""
    found: set[str] = set(ANCHOR.findall(text))
    headings = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for _, heading in HEADING.findall(headings):
        name, number = slug(heading), 0
        while (one := f"{name}-{number}" if number else name) in found:
            number += 1
        found.add(one)
    return found


def with_links(text: str, new: Callable[[str], str]) -> str:
    """The page with each target that stays in the project replaced."""
    hidden, parts, at = _hidden(text), [], 0
    for found in LINK.finditer(hidden):
        if not OUTSIDE.match(found[1]):
            parts += [text[at : found.start(1)], new(found[1])]
            at = found.end(1)
    return "".join([*parts, text[at:]])
