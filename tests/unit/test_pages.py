"""What a page shows, beside what a command prints."""

from __future__ import annotations

import pytest

from tests.pages import Command, missing, read_blocks, read_commands

PAGE = """\
Text.

```console
$ docker run \\
    deskgate:debian
deskgate: the desktop is ready (0.4 s)
  control  http://localhost:8002/#token=5f0c…e9
$ echo 1
1
```

<!-- not run: needs a terminal -->
```console
$ bash
```

```sh
#!/bin/sh
# desk/start.d/10-page
```
"""


def test_blocks_have_their_mark_and_their_name() -> None:
    """The line above, and a comment in the first two."""
    blocks = read_blocks(PAGE)
    assert [block.language for block in blocks] == ["console", "console", "sh"]
    assert [block.mark for block in blocks] == [None, "not run: needs a terminal", None]
    assert [block.name for block in blocks] == [None, None, "desk/start.d/10-page"]


def test_commands_have_the_lines_that_they_print() -> None:
    """One that shows a desktop goes on."""
    first, second = read_commands(read_blocks(PAGE)[0].text)
    assert first.line == "docker run \\\n    deskgate:debian"
    assert [line.split()[0] for line in first.shown] == ["deskgate:", "control"]
    assert second == Command(line="echo 1", shown=("1",))
    assert (first.stays, second.stays) == (True, False)


@pytest.mark.parametrize("line", ["docker run --detach deskgate:debian", "make up"])
def test_what_runs_in_the_background_does_not_stay(line: str) -> None:
    """Or what is not a container."""
    assert not Command(line=line, shown=("deskgate: the desktop is ready",)).stays


def test_a_console_block_begins_with_a_command() -> None:
    """Otherwise lines would be left out unseen."""
    with pytest.raises(AssertionError, match="begins with a command: output"):
        list(read_commands("output\n$ true\n"))


SAME = {
    "number": ("ready (0.4 s)", "ready (12.31 s)"),
    "token": ("http://localhost:8002/#token=5f0c…e9", "http://localhost:18002/#token=abcdef"),
    "time": ("alice  2030-01-31T12:30:00Z  live", "alice    2026-11-25T20:33:49Z  live"),
    "in a word": ('{"ticket": "90b4…", "x": 1}', '{"ticket": "aa", "x": 2}'),
    "rest": ("a…", "a and all"),
    "others between": ("b", "a\nb\nc"),
    "left out": ("…", "whatever"),
}
OTHER = {
    "word": ("ready", "not ready"),
    "end": ("ready", "ready or not"),
    "nothing": ("ready", ""),
    "dot": ("a.b", "axb"),
    "sign": ("$ 1", "% 1"),
}


@pytest.mark.parametrize("case", SAME)
def test_numbers_and_what_is_left_out_may_differ(case: str) -> None:
    """And the width of columns."""
    shown, printed = SAME[case]
    assert missing((shown,), printed) is None


@pytest.mark.parametrize("case", OTHER)
def test_anything_else_may_not(case: str) -> None:
    """The line that was not printed is told."""
    shown, printed = OTHER[case]
    assert missing((shown,), printed) == shown


def test_lines_come_in_the_order_of_the_page() -> None:
    """Each once."""
    assert missing(("a", "b"), "a\nb") is None
    assert missing(("b", "a"), "a\nb") == "a"
    assert missing(("a", "a"), "a\nb") == "a"
