"""What counts as a link and an anchor in our pages."""

from __future__ import annotations

import pytest

from docs.markdown import anchors, links, slug, title, with_links

PAGE = """\
# Title of `it`

[one](a.md), ![two](b.png) and [three](c.md#d) but not [four](https://example.org/).
`[code](no.md)`
<a id="row"></a>

```console
# no heading
[no link](no.md)
```

## Twice
## Twice
## What is *not*: the `gate`'s, [linked](x.md)
"""


def test_links_are_those_of_the_text() -> None:
    """Not those of code, and not those that leave."""
    assert links(PAGE) == ["a.md", "b.png", "c.md#d", "x.md"]


def test_anchors_are_headings_and_ids() -> None:
    """A second heading of the same words gets a number."""
    assert anchors(PAGE) == {
        "row", "title-of-it", "twice", "twice-1", "what-is-not-the-gates-linked"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Addresses on the gate", "addresses-on-the-gate"),
        ("`VNC_TOKEN_FILE` and more", "vnc_token_file-and-more"),
        ("TLS, and a proxy", "tls-and-a-proxy"),
        ("A – B", "a--b"),
    ],
)
def test_slug_is_githubs(heading: str, name: str) -> None:
    """Lower case, signs dropped, a hyphen for each space."""
    assert slug(heading) == name


def test_title_is_the_first_heading() -> None:
    """As it is written."""
    assert title(PAGE) == "Title of `it`"


def test_links_are_replaced_in_the_text_alone() -> None:
    """What leaves the project, and code, stays."""
    changed = with_links(PAGE, lambda target: f"new/{target}")
    assert links(changed) == [f"new/{target}" for target in links(PAGE)]
    assert changed.replace("new/", "") == PAGE
    assert changed.count("new/") == 4
